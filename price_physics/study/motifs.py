"""Section `motifs` of a study: how many events are explained, in how many motifs."""

from pydantic import Field

from price_physics.study.base import Config


class MotifsConfig(Config):
    """How many events are explained, and in how many motifs a side."""

    max_events: int = Field(256, ge=8)
    """Most events of a side that are explained: the most confident ones."""
    max_motifs_a_side: int = Field(4, ge=1)
    """Most motifs of a side."""
    min_events_a_motif: int = Field(8, ge=2)
    """Fewest events of a motif, on average."""
