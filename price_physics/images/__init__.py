"""Bars to images: one picture an event, rendered on demand and never stored whole."""
