"""Scores, each defined once and named by what it averages over."""
