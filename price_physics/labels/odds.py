"""Turn driftless odds into odds of classes and into the offset, their log, added to the logits.

The distances of the barriers and the number of bars per hour move take-profit rates from month to
month more than anything a picture shows, and they are known at the event. With the offset the
network learns only what they do not say. `driftless` computes the odds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from price_physics.frames import FloatArray
from price_physics.schemas.table import ODDS

if TYPE_CHECKING:
    import pandas as pd

LEAST_ODDS = 1e-4
"""Odds below this are raised to it: a chance of none may be exactly 0, and its log is not finite.

Prices now and then do what a driftless path hardly ever does. Odds of one in a million would keep
the network from ever predicting it.
"""


def class_odds(events: pd.DataFrame, n_classes: int) -> FloatArray:
    """Return the driftless odds of the classes of a label, in the order of the classes.

    Parameters
    ----------
    events : DataFrame
        `side` and the columns ODDS. Those are by price: the label of a short is +1 where the lower
        barrier is met first.
    n_classes : int
        3 for down, flat and up; 2 for other and take profit.

    Returns
    -------
    float64 array of shape (n, n_classes)
        At least about `LEAST_ODDS`; rows add up to 1.

    Raises
    ------
    ValueError
        For a side that is neither 1 nor -1.

    Examples
    --------
    >>> import pandas as pd
    >>> odds = {"p0_up": [0.5, 0.5], "p0_none": [0.2, 0.2], "p0_down": [0.3, 0.3]}
    >>> events = pd.DataFrame({"side": [1, -1], **odds})
    >>> class_odds(events, 3).tolist(), class_odds(events, 2).tolist()
    ([[0.3, 0.2, 0.5], [0.5, 0.2, 0.3]], [[0.5, 0.5], [0.7, 0.3]])
    """
    up, none, down = (events[name].to_numpy(np.float64) for name in ODDS)
    side = events["side"].to_numpy()
    if not np.isin(side, (-1, 1)).all():
        raise ValueError(
            f"side = {side[~np.isin(side, (-1, 1))][0]}: the odds of an event need its own side, 1 "
            "for a long or -1 for a short, whether it is traded or not"
        )
    is_long = side > 0
    win, loss = np.where(is_long, up, down), np.where(is_long, down, up)
    columns = [loss, none, win] if n_classes == 3 else [loss + none, win]
    odds = np.maximum(np.column_stack(columns), LEAST_ODDS)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def log_offset(kind: str, events: pd.DataFrame, n_classes: int) -> FloatArray:
    """Return the offset (n, n_classes) that is added to the logits of events, before any softmax.

    Parameters
    ----------
    kind : str
        `model.offset` of a study: ``driftless``; or ``none``, for a network that does not know the
        barriers.
    events, n_classes
        As in `class_odds`.
    """
    if kind == "none":
        return np.zeros((len(events), n_classes))
    return np.asarray(np.log(class_odds(events, n_classes)))
