"""Labels -> how unique each one is. Weights train the network and nothing else."""
