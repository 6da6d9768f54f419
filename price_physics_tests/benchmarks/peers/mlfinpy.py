"""mlfinpy: its bars, labels and splits for the golden files of the tests. It is too slow to time.

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


def golden_labels(path: dict[str, list[Any]], settings: list[dict[str, Any]]) -> Job:
    """Label the events of a path, once with every setting; weigh the labels of each.

    Settings are the multiples of take-profit and stop-loss, the target, the horizon in minutes.
    """
    import pandas as pd
    from mlfinpy.labeling import add_vertical_barrier, get_bins, get_events
    from mlfinpy.sampling.concurrent import get_av_uniqueness_from_triple_barrier

    close = pd.Series(path["price"], index=pd.to_datetime(path["time_ns"]))
    events = close.index[path["event"]]

    def job() -> dict[str, Any]:
        found = []
        for one in settings:
            target = pd.Series(one["target"], index=events)
            vertical = add_vertical_barrier(events, close, num_minutes=one["minutes"])
            touched = get_events(
                close, events, one["multiples"], target, 0.0, 1, vertical, verbose=False
            )
            weights = get_av_uniqueness_from_triple_barrier(touched, close, 1, verbose=False)
            end = [t.value for t in pd.DatetimeIndex(touched["t1"])]
            labels = {"label_end_ns": end, "label": get_bins(touched, close)["bin"].tolist()}
            weighed = {"average_uniqueness": weights["tW"].tolist()}
            found.append({"settings": one, **labels, **weighed})
        return {"labels": found}

    return job


def golden_splits(labels: dict[str, list[int]], settings: list[dict[str, Any]]) -> Job:
    """Split the labels, once with every setting."""
    import pandas as pd
    from mlfinpy.cross_validation.cross_validation import PurgedKFold

    spans = pd.Series(pd.to_datetime(labels["end"]), index=pd.to_datetime(labels["start"]))
    rows = pd.DataFrame({"x": 0.0}, index=spans.index)

    def job() -> dict[str, Any]:
        found = []
        for one in settings:
            splits = PurgedKFold(**one, samples_info_sets=spans).split(rows)
            pairs = [[[int(i) for i in train], test.tolist()] for train, test in splits]
            found.append({"settings": one, "splits": pairs})
        return {"purged_k_fold": found}

    return job


if __name__ == "__main__":
    tasks = {
        "golden_bars": golden_bars,
        "golden_labels": golden_labels,
        "golden_splits": golden_splits,
    }
    serve(tasks, ["mlfinpy", "numba", "numpy", "pandas"])
