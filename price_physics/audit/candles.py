"""Dumps of a market's candles, as they are and with everything after a moment changed.

`tampering` does the same with trades. A moment may fall into a candle: then the candle's open is
known and stays, while its high, low, close and volumes change.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from price_physics.audit.tampering import (
    ADDED,
    BROKEN,
    DELETED,
    LEVEL,
    NOISE,
    next_move,
    read_rows,
    with_broken_rows,
    write_tables,
)
from price_physics.months import Month
from price_physics.study.market import Market
from price_physics.ticks.reading.rows import Block, CandleRows

_EMPTIED = 0.05
_REPEATED = 5


def read_candle_dumps(market: Market, root: Path, first: Month, last: Month) -> list[pd.DataFrame]:
    """Read every candle of a market's months, file by file.

    Parameters
    ----------
    first, last : Month
        Both inclusive; rows of other months are left out.

    Returns
    -------
    list of DataFrame
        One a file that holds any row: `time_ns`, its end, `open`, `high`, `low`, `price`, its
        close, `volume`, `notional`, `buy_volume` (NaN where the dump has none) and `timed`, sorted
        by time. Rows that could not be trusted look as in `read_dumps`.

    Raises
    ------
    TickDataError
        When there is no file, or one cannot be trusted.
    """
    return [with_broken_rows(rows) for rows in read_rows(market, root, first, last, _candle_rows)]


def _candle_rows(block: Block[CandleRows]) -> pd.DataFrame:
    good = pd.DataFrame(block.rows._asdict()).rename(columns={"close": "price"})
    faults = pd.DataFrame(
        {
            "time_ns": np.array([fault.time_ns for fault in block.faults], np.int64),
            "timed": np.array([fault.own_time for fault in block.faults], np.bool_),
            "line": np.array([fault.line for fault in block.faults], np.int64),
        }
    )
    good["timed"] = True
    return pd.concat([good, faults], ignore_index=True) if len(faults) else good


def tamper_candles(
    dumps: Sequence[pd.DataFrame], t_ns: int, seed: int, candle_ns: int
) -> list[pd.DataFrame]:
    """Change everything after `t_ns`, and nothing up to it.

    Prices move to another level, at first against the real next move, and scatter; volumes are
    drawn anew, some are 0; candles are deleted and added, a few are repeated as they were before
    they ended, and some cannot be read.

    Parameters
    ----------
    dumps : sequence of DataFrame
        From `read_candle_dumps`; they are left as they are.
    t_ns : int
        The last moment that stays, UTC ns.
    seed : int
        Same seed, same tampering.
    candle_ns : int
        Length of a candle.
    """
    rng = np.random.default_rng([seed, t_ns])
    level = np.exp(-LEVEL * next_move(dumps, t_ns))
    tampered = []
    for dump in dumps:
        past = dump[dump["time_ns"] <= t_ns]
        future = dump[(dump["time_ns"] > t_ns) & dump["timed"]]
        if len(future):
            started = future["time_ns"] - candle_ns < t_ns
            changed = _changed(future[~started], level, rng)
            parts = [
                past,
                _reshaped(future[started], level, rng, keeps_open=True),
                changed,
                _repeated_early(changed, rng),
                _added(dump, t_ns, level, candle_ns, rng),
            ]
            whole = pd.concat([part for part in parts if len(part)], ignore_index=True)
            past = whole.sort_values("time_ns", kind="stable", ignore_index=True)
        tampered.append(past)
    return tampered


def _changed(future: pd.DataFrame, level: float, rng: np.random.Generator) -> pd.DataFrame:
    rows = _reshaped(future[rng.random(len(future)) >= DELETED], level, rng)
    rows.loc[rng.random(len(rows)) < _EMPTIED, ["volume", "notional", "buy_volume"]] *= 0.0
    rows.loc[rng.random(len(rows)) < BROKEN, "price"] = np.nan
    return rows


def _reshaped(
    rows: pd.DataFrame, level: float, rng: np.random.Generator, keeps_open: bool = False
) -> pd.DataFrame:
    """Give candles other prices and volumes; a row without a price stays without one."""
    rows, n = rows.copy(), len(rows)
    if not keeps_open:
        rows["open"] *= level * np.exp(rng.normal(0.0, NOISE, n))
    rows["price"] *= level * np.exp(rng.normal(0.0, NOISE, n))
    ends = rows[["open", "price"]]
    rows["high"] = ends.max(axis=1) * np.exp(np.abs(rng.normal(0.0, NOISE, n)))
    rows["low"] = ends.min(axis=1) / np.exp(np.abs(rng.normal(0.0, NOISE, n)))
    rows["volume"] *= np.exp(rng.normal(0.5, 1.0, n))
    rows["notional"] = rows["volume"] * ends.mean(axis=1)
    rows["buy_volume"] *= 0.0
    rows["buy_volume"] += rows["volume"] * rng.random(n)
    return rows


def _added(
    dump: pd.DataFrame, t_ns: int, level: float, candle_ns: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Make candles where there was none, each like the one before."""
    good = dump[dump["price"].notna()]
    numbers = good["time_ns"].to_numpy() // candle_ns
    if not numbers.size or numbers[-1] <= t_ns // candle_ns:
        return good.iloc[:0]
    first = max(t_ns // candle_ns + 1, numbers[0])  # the first of the file that starts after t
    absent = np.setdiff1d(np.arange(first, numbers[-1]), numbers)
    n_most = int(np.ceil(ADDED * np.count_nonzero(numbers >= first)))
    new = rng.choice(absent, min(n_most, absent.size), replace=False)
    number = np.union1d(new, absent[:1])
    like = np.maximum(np.searchsorted(numbers, number, side="right") - 1, 0)
    return _reshaped(good.iloc[like].assign(time_ns=(number + 1) * candle_ns - 1), level, rng)


def _repeated_early(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Repeat a few candles as they were before they ended."""
    traded = rows[rows["price"].notna() & (rows["volume"] > 0)]
    again = traded.iloc[rng.choice(len(traded), min(_REPEATED, len(traded)), replace=False)]
    opened, halves = again["open"], {c: again[c] / 2 for c in ("volume", "notional", "buy_volume")}
    return again.assign(high=opened, low=opened, price=opened, **halves)


def write_candle_dumps(dumps: Sequence[pd.DataFrame], root: Path, candle_ns: int) -> list[str]:
    """Write dumps of vendor "generic" that read back to the last bit.

    Parameters
    ----------
    dumps : sequence of DataFrame
        As `read_candle_dumps` gives them; an empty one is not written.
    root : Path
        Folder of the project.
    candle_ns : int
        Length of a candle.

    Returns
    -------
    list of str
        What the market must have under `files`.
    """
    return write_tables([_candle_table(dump, candle_ns) for dump in dumps], root)


def _candle_table(dump: pd.DataFrame, candle_ns: int) -> pa.Table:
    names = {"open": "open", "high": "high", "low": "low", "price": "close"} | {
        "volume": "volume",
        "notional": "quote_volume",
        "buy_volume": "buy_volume",
    }
    if dump["buy_volume"].isna().all():
        del names["buy_volume"]
    start = pa.array(dump["time_ns"] - candle_ns + 1, mask=~dump["timed"].to_numpy())
    return pa.table(
        {"timestamp": start}
        | {name: pa.array(dump[column], from_pandas=True) for column, name in names.items()}
    )
