"""ml4t-engineer: dollar-imbalance bars to be timed; every bar for the golden files of the tests."""

from pathlib import Path
from typing import Any

from price_physics_tests.benchmarks.contender import Job, serve

_ADAPTIVE = {"expected_ticks_per_bar": 20, "alpha": 0.1, "min_bars_warmup": 5}
_STANDARD = ("tick", "volume", "dollar")
_STANDARD_COLUMNS = "timestamp tick_count open high low close volume buy_volume dollar_volume vwap"
_ADAPTIVE_COLUMNS = "tick_count expected_imbalance expected_theta expected_t p_buy v_plus e_v"
_GOLDEN = {
    "tick": ("TickBarSampler", {"ticks_per_bar": 25}),
    "volume": ("VolumeBarSampler", {"volume_per_bar": 64}),
    "dollar": ("DollarBarSampler", {"dollars_per_bar": 65_536}),
    "fixed_tick_imbalance": ("FixedTickImbalanceBarSampler", {"threshold": 9}),
    "fixed_volume_imbalance": ("FixedVolumeImbalanceBarSampler", {"threshold": 21.5}),
    "tick_imbalance": ("TickImbalanceBarSampler", {**_ADAPTIVE, "initial_p_buy": 0.7}),
    "volume_imbalance": ("ImbalanceBarSampler", {**_ADAPTIVE, "initial_p_buy": 0.7}),
    "tick_run": ("TickRunBarSampler", {**_ADAPTIVE, "initial_p_buy": 0.6}),
    "volume_run": ("VolumeRunBarSampler", {**_ADAPTIVE, "initial_p_buy": 0.6}),
    "dollar_run": ("DollarRunBarSampler", {**_ADAPTIVE, "initial_p_buy": 0.6}),
}


def imbalance_index(ticks: str, expected_ticks: float, p_buy: float) -> Job:
    """Time its volume kernel on notionals, multiplied beforehand: it has no dollar bars."""
    import numpy as np
    from ml4t.engineer.bars.imbalance import _calculate_imbalance_bars_nb

    price, qty, sign = (np.load(Path(ticks) / f"{n}.npy") for n in ("price", "qty", "tick_sign"))
    notional, sides = price * qty, sign.astype(np.float64)
    v_buy, v = notional[:1000][sides[:1000] > 0].mean(), notional[:1000].mean()

    def job() -> int:
        found = _calculate_imbalance_bars_nb(notional, sides, expected_ticks, p_buy, v_buy, v)
        return len(found[0])

    return job


def golden_bars(ticks: dict[str, list[Any]]) -> Job:
    """Build every bar it has; columns by kind, of the adaptive ones what they expected."""
    import polars as pl
    from ml4t.engineer import bars

    names = {"time_ns": "timestamp", "qty": "volume", "tick_sign": "side"}
    frame = pl.DataFrame(ticks).rename(names)

    def job() -> dict[str, Any]:
        found = {}
        for kind, (sampler, settings) in _GOLDEN.items():
            table = getattr(bars, sampler)(**settings).sample(frame)
            names = _STANDARD_COLUMNS if kind in _STANDARD else _ADAPTIVE_COLUMNS
            wanted = table.select(name for name in names.split() if name in table.columns)
            found[kind] = {"settings": settings, **wanted.to_dict(as_series=False)}
        whole = bars.TickBarSampler(ticks_per_bar=25).sample(frame, include_incomplete=True)
        found["tick"]["tick_count_with_incomplete"] = whole["tick_count"].to_list()
        return found

    return job


if __name__ == "__main__":
    tasks = {"imbalance_index": imbalance_index, "golden_bars": golden_bars}
    serve(tasks, ["ml4t-engineer", "numba", "numpy", "polars"])
