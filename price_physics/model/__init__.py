"""Turn images into probabilities: the network, its training, calibration and predictions."""
