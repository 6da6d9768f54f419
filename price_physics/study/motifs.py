"""Section `motifs` of a study."""

from pydantic import (
    Field,
)

from price_physics.study.base import Config


class MotifsConfig(Config):
    """How many events are explained, and into how many motifs a side they fall at most."""

    max_events: int = Field(256, ge=8)
    max_motifs_a_side: int = Field(4, ge=1)
    min_events_a_motif: int = Field(8, ge=2)
