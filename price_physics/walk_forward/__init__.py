"""Probabilities become trades, equity after costs, statistics and a verdict."""
