"""mlfinpy: every bar it has, for the golden files of the tests. It is too slow to time.

It knows no sides: it infers them by the tick rule, and the ticks before the first change of
price have none.
"""

from typing import Any

from price_physics_tests.benchmarks.contender import Job, serve

_CONST_IMBALANCE = {"expected_imbalance_window": 60, "exp_num_ticks_init": 20}
_SETTINGS = {**_CONST_IMBALANCE, "num_prev_bars": 5}
_ADAPTIVE_KINDS = [
    f"{flavour}_{unit}_{rule}"
    for rule in ("imbalance", "run")
    for unit in ("tick", "volume", "dollar")
    for flavour in ("ema", "const")
]
_STANDARD = {
    "time": ("get_time_bars", {"resolution": "MIN", "num_units": 1}),
    "tick": ("get_tick_bars", {"threshold": 25}),
    "volume": ("get_volume_bars", {"threshold": 64}),
    "dollar": ("get_dollar_bars", {"threshold": 65_536}),
}


def golden_bars(ticks: dict[str, list[Any]]) -> Job:
    """Build every bar; columns by kind, of the adaptive ones what they expected at the close."""
    import pandas as pd
    from mlfinpy import data_structure

    frame = pd.DataFrame({"date_time": pd.to_datetime(ticks["time_ns"]), "price": ticks["price"]})
    frame["volume"] = ticks["qty"]

    def job() -> dict[str, Any]:
        bars = {}
        for kind, (function, settings) in _STANDARD.items():
            found = getattr(data_structure, function)(frame, **settings, verbose=False)
            names = ["tick_num", "cum_ticks", "open", "high", "low", "close", "volume"]
            names += ["cum_buy_volume", "cum_dollar_value"]
            stamps = [getattr(t, "value", t) for t in found["date_time"]]
            columns = {name: found[name].tolist() for name in names}
            bars[kind] = {"settings": settings, "stamp": stamps, **columns}
        for name in _ADAPTIVE_KINDS:
            settings = _SETTINGS if "ema" in name or "run" in name else _CONST_IMBALANCE
            found, expected = getattr(data_structure, f"get_{name}_bars")(
                frame, **settings, analyse_thresholds=True, verbose=False
            )
            at_close = expected.iloc[found["tick_num"] - 1].filter(like="exp")
            columns = {column: at_close[column].tolist() for column in at_close.columns}
            bars[name] = {"settings": settings, "tick_num": found["tick_num"].tolist(), **columns}
        return bars

    return job


if __name__ == "__main__":
    serve({"golden_bars": golden_bars}, ["mlfinpy", "numba", "numpy", "pandas"])
