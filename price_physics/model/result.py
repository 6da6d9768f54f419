"""What a fit hands over: plain arrays, tables and JSON, nothing that needs torch to read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD


@dataclass(frozen=True)
class ModelResult:
    """The `model` partition of one month.

    Attributes
    ----------
    warm_up : str or None
        Why there is no model: too little to train on. The rest is then empty.
    weights : dict of str to float32 or int64 array
        The network's state, for safetensors.
    architecture : dict
        JSON: all that rebuilds the network and predicts with it.
    out_of_fold : DataFrame
        OUT_OF_FOLD.
    curves : DataFrame
        LEARNING_CURVES.
    summary : dict
        JSON: metrics of the fit.
    """

    warm_up: str | None
    weights: dict[str, np.ndarray]
    architecture: dict[str, Any]
    out_of_fold: pd.DataFrame
    curves: pd.DataFrame
    summary: dict[str, Any]

    @classmethod
    def warming_up(cls, reason: str, n_training: int) -> "ModelResult":
        """Build the result of a month with too little to train on."""
        summary = {"n_training": n_training, "warm_up": reason}
        return cls(reason, {}, {}, OUT_OF_FOLD.empty(), LEARNING_CURVES.empty(), summary)
