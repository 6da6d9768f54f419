"""A motif: its events, its shape, and all that is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from price_physics.motifs import words


@dataclass(frozen=True)
class Motif:
    """One motif; `events` are rows of the month's candidates."""

    name: str
    side: int
    events: pd.DataFrame
    shape: words.Shape
    band: np.ndarray  # (2, n_points): 10th and 90th percentile of the paths
    attribution: np.ndarray  # (S, S), mean Grad-CAM
    rendered: np.ndarray  # (S, S), mean of one rendered channel
    channel_name: str
