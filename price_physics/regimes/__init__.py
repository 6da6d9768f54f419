"""Bars -> what the network's head may see besides the image: return, volatility, calendar."""
