"""Dumps of a market's trades, as they are and with every row after a moment changed.

The audit runs on files, so that the reading of files is audited too. Up to t two dumps are the
same; after it they differ in prices, quantities, sides, deleted rows and added rows.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from price_physics.months import Month
from price_physics.study.market import Market
from price_physics.ticks.reading.files import display_name, input_files
from price_physics.ticks.reading.read import read_file
from price_physics.ticks.reading.rows import ORDERED_ID, TEXT_ID, Block

DUMPS = Path("data", "raw")
"""Where the dumps lie in a project, and how a market of vendor "generic" finds them."""

DELETED, ADDED, BROKEN = 0.15, 0.15, 0.01
LEVEL, NOISE = 0.2, 0.05
_NEW_SIDES = 0.5
_BREAK_EVERY = 100


def read_dumps(market: Market, root: Path, first: Month, last: Month) -> list[pd.DataFrame]:
    """Read every row of a market's months, file by file.

    Parameters
    ----------
    first, last : Month
        Both inclusive; rows of other months are left out.

    Returns
    -------
    list of DataFrame
        One a file that holds any row: `time_ns`, `trade_id`, `price`, `qty`, `sign` (0 where the
        dump has none) and `timed`, sorted by time. A row that could not be trusted has no price,
        and is not `timed` where its time was not its own; more such rows are added, so that
        quarantine has rows to compare. Rows that repeat a textual id are left out, and so are
        textual ids, which give no order.

    Raises
    ------
    TickDataError
        When there is no file, or one cannot be trusted.
    """
    dumps = []
    for rows in read_rows(market, root, first, last, _trade_rows):
        rows = rows[~(rows["text_id"] & rows.duplicated(["text_id", "trade_id"]))]
        rows["trade_id"] = rows["trade_id"].mask(rows["text_id"])
        dumps.append(with_broken_rows(rows.drop(columns="text_id")))
    return dumps


def read_rows(
    market: Market,
    root: Path,
    first: Month,
    last: Month,
    rows_of: Callable[[Block], pd.DataFrame],
) -> Iterator[pd.DataFrame]:
    """Rows and faults of a market's months, file by file, by time and then by line."""
    for path in input_files(market, root):
        blocks = [rows_of(block) for block in read_file(market, path, display_name(path, root))]
        rows = pd.concat(blocks, ignore_index=True)
        rows = rows[rows["time_ns"].between(first.start_ns, last.end_ns)]
        if len(rows):
            rows = rows.sort_values(["time_ns", "line"], kind="stable", ignore_index=True)
            yield rows.drop(columns="line")


def with_broken_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Insert a copy without a price every so many rows, every other one without a time too."""
    copies = rows.iloc[_BREAK_EVERY // 2 :: _BREAK_EVERY].assign(price=np.nan)
    copies["timed"] = np.arange(len(copies)) % 2 == 0
    return pd.concat([rows, copies]).sort_index(kind="stable", ignore_index=True)


def _trade_rows(block: Block) -> pd.DataFrame:
    rows, n_faults = block.rows, len(block.faults)
    good = pd.DataFrame(
        {
            "time_ns": rows.time_ns,
            "trade_id": pd.array(rows.trade_id, dtype="Int64"),
            "price": rows.price,
            "qty": rows.qty,
            "sign": rows.sign,
            "timed": True,
            "line": rows.line,
            "text_id": rows.id_kind == TEXT_ID,
        }
    )
    good.loc[~np.isin(rows.id_kind, (ORDERED_ID, TEXT_ID)), "trade_id"] = pd.NA
    if not n_faults:
        return good
    faults = pd.DataFrame(
        {
            "time_ns": np.array([fault.time_ns for fault in block.faults], np.int64),
            "trade_id": pd.array([pd.NA] * n_faults, dtype="Int64"),
            "price": np.nan,
            "qty": 1.0,
            "sign": np.zeros(n_faults, np.int8),
            "timed": np.array([fault.own_time for fault in block.faults], np.bool_),
            "line": np.array([fault.line for fault in block.faults], np.int64),
            "text_id": False,
        }
    )
    return pd.concat([good, faults], ignore_index=True)


def tamper(dumps: Sequence[pd.DataFrame], t_ns: int, seed: int) -> list[pd.DataFrame]:
    """Change everything after `t_ns`, and nothing up to it.

    Prices move to another level, at first against the real next move, and scatter; quantities and
    sides are drawn anew; rows are deleted and added, the first of these a nanosecond after `t_ns`;
    some repeat an id of the past, and some cannot be read.

    Parameters
    ----------
    dumps : sequence of DataFrame
        From `read_dumps`; they are left as they are.
    t_ns : int
        The last moment that stays, UTC ns.
    seed : int
        Same seed, same tampering.
    """
    rng = np.random.default_rng([seed, t_ns])
    level = np.exp(-LEVEL * next_move(dumps, t_ns))
    tampered, at_once = [], True
    for dump in dumps:
        future = dump[(dump["time_ns"] > t_ns) & dump["timed"]]
        if len(future):
            past = dump[dump["time_ns"] <= t_ns]
            parts = [past, _changed(future, level, rng), _added(dump, t_ns, level, at_once, rng)]
            whole = pd.concat(parts, ignore_index=True)
            dump = whole.sort_values("time_ns", kind="stable", ignore_index=True)
            at_once = False
        else:  # rows without a time of their own may be left, after a row that was deleted
            dump = dump[dump["time_ns"] <= t_ns]
        tampered.append(dump)
    return tampered


def next_move(dumps: Sequence[pd.DataFrame], t_ns: int) -> int:
    """Return +1 where the price after `t_ns` is above the one before it, else -1."""
    rows = pd.concat(dumps).dropna(subset="price").sort_values("time_ns", kind="stable")
    stop = int(rows["time_ns"].searchsorted(t_ns, side="right"))
    around = rows["price"].iloc[max(stop - 1, 0) : stop + 1]
    return 1 if around.iloc[-1] > around.iloc[0] else -1


def _changed(future: pd.DataFrame, level: float, rng: np.random.Generator) -> pd.DataFrame:
    rows = future[rng.random(len(future)) >= DELETED].copy()
    n = len(rows)
    rows["price"] *= level * np.exp(rng.normal(0.0, NOISE, n))
    rows["qty"] *= np.exp(rng.normal(0.5, 1.0, n))
    new_sides = rng.random(n) < _NEW_SIDES
    rows.loc[new_sides, "sign"] = rng.choice(np.array([-1, 1], np.int8), new_sides.sum())
    rows.loc[rng.random(n) < BROKEN, "price"] = np.nan
    return rows


def _added(
    dump: pd.DataFrame, t_ns: int, level: float, at_once: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """Make new rows, each like the one before it, but at the new level."""
    good = dump[dump["price"].notna()]
    times = good["time_ns"].to_numpy()
    n = int(np.ceil(ADDED * (times > t_ns).sum())) + 1
    time_ns = rng.integers(t_ns + 1, dump["time_ns"].iloc[-1] + 1, n)
    if at_once:
        time_ns[0] = t_ns + 1
    like = np.maximum(np.searchsorted(times, time_ns, side="right") - 1, 0)
    rows = good.iloc[like].assign(time_ns=time_ns)
    rows["price"] *= level * np.exp(rng.normal(0.0, NOISE, n))
    rows["qty"] *= np.exp(rng.normal(0.0, 1.0, n))
    if good["trade_id"].notna().all():  # every other row repeats an id, of any time
        ids = good["trade_id"].to_numpy(np.int64)
        repeated = ids[rng.integers(0, len(ids), n)]
        new = ids.max() + 1 + np.arange(n)
        rows["trade_id"] = pd.array(np.where(np.arange(n) % 2, repeated, new), dtype="Int64")
    return rows


def write_dumps(dumps: Sequence[pd.DataFrame], root: Path) -> list[str]:
    """Write dumps of vendor "generic" that read back to the last bit.

    Parameters
    ----------
    dumps : sequence of DataFrame
        As `read_dumps` gives them; an empty one is not written.
    root : Path
        Folder of the project.

    Returns
    -------
    list of str
        What the market must have under `files`.
    """
    return write_tables([_trade_table(dump) for dump in dumps], root)


def write_tables(tables: Sequence[pa.Table], root: Path) -> list[str]:
    """Write one file for every table that has rows; return their glob."""
    folder = root / DUMPS
    folder.mkdir(parents=True)
    options = pa.csv.WriteOptions(quoting_style="none")
    for number, table in enumerate(tables):
        if len(table):
            pa.csv.write_csv(table, folder / f"{number:05d}.csv", options)
    return [(DUMPS / "*.csv").as_posix()]


def _trade_table(dump: pd.DataFrame) -> pa.Table:
    columns = {
        "timestamp": pa.array(dump["time_ns"], mask=~dump["timed"].to_numpy()),
        "price": pa.array(dump["price"], from_pandas=True),
        "qty": pa.array(dump["qty"]),
        "side": pa.array(np.array(["sell", "", "buy"])[dump["sign"].to_numpy() + 1]),
    }
    if dump["trade_id"].notna().any():
        columns["trade_id"] = pa.array(dump["trade_id"])
    return pa.table(columns)
