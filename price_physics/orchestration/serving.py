"""The code that MLflow runs when it loads a registered model; the files of data lie beside it.

MLflow copies this file into the model; it needs price_physics installed where it is loaded. The
weights are safetensors and the architecture is JSON: nothing is unpickled. No module imports this.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load

from price_physics.model.device import resolve_device
from price_physics.model.predict import TrainedModel, probability_columns
from price_physics.orchestration.registry import import_pyfunc, read_model
from price_physics.schemas.regimes import FEATURE_COLUMNS

pyfunc, set_model = import_pyfunc()
PythonModel: Any = pyfunc.PythonModel


class ServedModel(PythonModel):
    """Scores events: a row holds the bars of the longest window and the regime features."""

    def load_context(self, context: Any) -> None:
        """Rebuild the networks, strictly, of the very bytes that were registered.

        They are asked on a CUDA card where there is one.
        """
        network, architecture = read_model(context.artifacts)
        device = resolve_device("auto")
        self.model = TrainedModel.load(load(network), json.loads(architecture), device)

    def predict(
        self,
        context: Any,
        model_input: pd.DataFrame,
        params: dict | None = None,
    ) -> pd.DataFrame:
        """Return calibrated probabilities, one row an event.

        Parameters
        ----------
        model_input : DataFrame
            `close` and `volume`, each a list of the bars of the longest window, oldest first, the
            event's own bar last; the columns FEATURE_COLUMNS; `side`, the event's own: 1 where
            the study has no primary model, else what that says, 1 or -1, and not the side that was
            traded; and the driftless odds ODDS, as in the table `predictions`.

        Returns
        -------
        DataFrame of p_up, p_flat, p_down
            The last two NaN with the binary head.
        """
        n_bars = max(self.model.architecture["images"]["windows_bars"])
        for column in ("close", "volume"):
            lengths = {len(bars) for bars in model_input[column]}
            if lengths != {n_bars}:
                raise ValueError(f"{column} has rows of {sorted(lengths)} bars; give {n_bars}")
        # The windows are joined end to end: an event sees the bars of its own row and no others.
        series = np.stack([np.concatenate(list(model_input[c])) for c in ("close", "volume")])
        ends = (1 + np.arange(len(model_input))) * n_bars - 1
        features = model_input[FEATURE_COLUMNS].to_numpy(np.float64)
        logits = self.model.logits(series.astype(np.float64), ends, features)
        return pd.DataFrame(
            probability_columns(self.model.probabilities(logits, model_input).numpy())
        )


set_model(ServedModel())
