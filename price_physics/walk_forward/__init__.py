"""Turn probabilities into trades, equity after costs, statistics and a verdict."""
