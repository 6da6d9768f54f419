"""finmlkit: dollar bars, the closing ticks alone and with OHLCV; triple-barrier labels.

Its indexer carries the excess over the threshold into the next bar. Its labels have barriers in
logs, signs of the return where we have time-outs, and ticks of the event's own instant in the path.
"""

from pathlib import Path
from typing import Any

from price_physics_tests.benchmarks.contender import Job, serve


def _load(ticks: str, *names: str) -> list[Any]:
    import numpy as np

    return [np.load(Path(ticks) / f"{name}.npy") for name in names]


def _trades(ticks: str) -> Any:
    from finmlkit.bar.data_model import TradesData

    return TradesData(*_load(ticks, "time_ns", "price", "qty"), timestamp_unit="ns")


def dollar_loop(ticks: str, threshold: float) -> Job:
    """Time its private compiled loop alone, without the array and the times made of it."""
    from finmlkit.bar.logic import _dollar_bar_indexer

    price, qty = _load(ticks, "price", "qty")
    return lambda: len(_dollar_bar_indexer(price, qty, threshold)) - 1


def dollar_index(ticks: str, threshold: float) -> Job:
    """Time what it offers for the closing ticks."""
    from finmlkit.bar.kit import DollarBarKit

    trades = _trades(ticks)
    return lambda: len(DollarBarKit(trades, threshold).bar_close_indices)


def dollar_bars(ticks: str, threshold: float) -> Job:
    """Time ``build_ohlcv``: OHLCV, VWAP, trades and median trade size."""
    from finmlkit.bar.kit import DollarBarKit

    trades = _trades(ticks)
    return lambda: len(DollarBarKit(trades, threshold).build_ohlcv())


def tick_labels(ticks: str, n_events: int, width: float) -> Job:
    """Time its compiled function on events spread evenly over the ticks; it takes all cores.

    In the time it takes the logarithm of all prices, once: a tenth of the time on 10,000 events.
    """
    import numpy as np
    from finmlkit.label.tbm import triple_barrier

    time_ns, price = _load(ticks, "time_ns", "price")
    event = np.arange(n_events) * (len(price) // n_events)
    target = np.log1p(width / price[event])
    settings = ((1.0, 1.0), 36_000.0, 0.0, None, 0.0)
    return lambda: len(triple_barrier(time_ns, price, event, target, *settings)[0])


def golden_bars(ticks: dict[str, list[Any]]) -> Job:
    """Build tick, volume and dollar bars for the golden files of the tests; columns by kind."""
    import numpy as np
    from finmlkit.bar import kit
    from finmlkit.bar.data_model import TradesData

    columns = [np.array(ticks[name]) for name in ("time_ns", "price", "qty")]
    trades = TradesData(*columns, timestamp_unit="ns")
    kits = {
        "tick": (kit.TickBarKit, {"tick_count_thrs": 25}),
        "volume": (kit.VolumeBarKit, {"volume_ths": 64.0}),
        "dollar": (kit.DollarBarKit, {"dollar_thrs": 65_536.0}),
    }

    def job() -> dict[str, Any]:
        bars = {}
        for kind, (builder, settings) in kits.items():
            made = builder(trades, **settings)
            table = made.build_ohlcv()
            names = ["open", "high", "low", "close", "volume", "trades"]
            bars[kind] = {
                "settings": settings,
                "last_tick": made.bar_close_indices.tolist(),
                "stamp": table.index.astype("int64").tolist(),
                **{name: table[name].tolist() for name in names},
            }
        return bars

    return job


if __name__ == "__main__":
    tasks = {
        "dollar_loop": dollar_loop,
        "dollar_index": dollar_index,
        "dollar_bars": dollar_bars,
        "tick_labels": tick_labels,
        "golden_bars": golden_bars,
    }
    serve(tasks, ["finmlkit", "numba", "numpy", "pandas"])
