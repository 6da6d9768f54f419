"""Atomic, checksummed, locked month partitions: the only place that writes results to disk."""
