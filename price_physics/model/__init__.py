"""Images to probabilities: the network, its training loop, calibration and predictions."""
