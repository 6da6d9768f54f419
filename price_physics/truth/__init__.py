"""Synthetic markets whose answer is known in closed form; no stage of the pipeline."""
