"""Kills, damage, full places and hostile input: what is tried, and whether it holds."""
