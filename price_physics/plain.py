"""Settings and numbers as plain JSON: one level of keys, no arrays, nothing that is not finite."""

import math
from typing import Any

import numpy as np


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested settings into one level with dotted keys.

    Examples
    --------
    >>> flatten({"a": 1, "b": {"c": [2, 3]}})
    {'a': 1, 'b.c': [2, 3]}
    """
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def jsonable(value: Any) -> Any:
    """Reduce to what JSON holds: no arrays, no NumPy scalars, None for what is not finite.

    Examples
    --------
    >>> from price_physics.months import Month
    >>> jsonable({"a": np.float64("nan"), Month(2012, 3): (np.int8(1), True)})
    {'a': None, '2012-03': [1, True]}
    """
    if isinstance(value, dict):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
