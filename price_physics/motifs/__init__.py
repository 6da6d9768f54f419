"""What the network looks at: attributions, clustered into motifs and put into words."""
