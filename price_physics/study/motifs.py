"""Section `motifs` of a study: how much of what the network looks for is put into words."""

from pydantic import Field

from price_physics.study.base import Config


class MotifsConfig(Config):
    """How many events are explained, and into how many motifs a side they fall at most."""

    max_events: int = Field(256, ge=8)
    """Events of a side that are explained at the most, the most confident ones."""
    max_motifs_a_side: int = Field(4, ge=1)
    """Motifs of a side at the most."""
    min_events_a_motif: int = Field(8, ge=2)
    """Events that make a motif at the least."""
