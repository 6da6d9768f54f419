"""The stage where rows are candles: vendor files -> the candles of a month in which anybody traded.

Files are taken in as those of trades are, and the month reports the same. Candles are few: a month
of them is held in memory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.schemas.ticks import CANDLES
from price_physics.study.market import Market
from price_physics.ticks.candles import NOT_A_START, NOT_AN_END, CandleRows, Float64
from price_physics.ticks.clean import TickRule
from price_physics.ticks.gaps import refuse_missing_month
from price_physics.ticks.index import FileEntry, FileIndex, last_before_ns
from price_physics.ticks.intake import MOST_LISTED, Intake, Progress, take_in
from price_physics.ticks.quality import QualityCounts
from price_physics.ticks.report import lines_of, set_aside, tell
from price_physics.ticks.rows import NO_ID, Rows

REPEATED_CANDLE = "candle repeated with other values"
_FEW_CONFLICTS, _MOST_CONFLICTS = 5, 0.01
_ENOUGH_TO_TELL, _MOST_OTHERS = 20, 0.25


@dataclass(frozen=True)
class CandlesResult:
    """One month of candles.

    Attributes
    ----------
    candles : DataFrame
        CANDLES.
    quarantine : DataFrame
        QUARANTINE: rows set aside, in file order.
    quality : dict
        JSON, as of ticks; ``rows_read == ticks + quarantined + duplicates_dropped +
        candles_without_trade``, always.
    inputs : dict of str to str
        The sha256 of every file that feeds the month, and what else it depends on.
    synthetic : bool
        Whether the market says so, or a generator marked any of those files.
    """

    candles: pd.DataFrame
    quarantine: pd.DataFrame
    quality: dict[str, Any]
    inputs: dict[str, str]
    synthetic: bool


def build_candles(
    market: Market,
    root: Path,
    month: Month,
    index: FileIndex | None = None,
    progress: Progress | None = None,
) -> CandlesResult:
    """Read, clean and report one month of a market whose rows are candles.

    A candle is of the month in which it ends. One in which nothing traded is counted and left out,
    as silence among ticks is. Of two of the same time the one of the larger volume stays, as the
    other may have been read before it was over; that is dropped if it says the same, and set aside
    if not.

    Parameters
    ----------
    market : Market
        With `candle_minutes`.
    root, month, index, progress
        As in `build_ticks`.

    Returns
    -------
    CandlesResult
        Empty tables for a month without trades, if the files hold later ones.

    Raises
    ------
    TickDataError
        As `build_ticks`; also where candles are of another length than the market says, or a file
        repeats too many with other values.
    """
    index = FileIndex(market) if index is None else index
    gathered = _Gathered()
    intake = Intake(market, month, gathered)
    entries = take_in(market, root, index, intake, progress)
    refuse_missing_month(market, month, entries)
    rows, file = gathered.in_order()
    _refuse_others(intake, rows.time_ns.size)
    _refuse_longer(intake, rows.time_ns, file)
    _refuse_empty(intake, rows)
    return _clean(intake, entries, rows, file)


class _Gathered:
    """The candles of a month, as they arrive."""

    def __init__(self) -> None:
        self._rows: list[CandleRows] = []
        self._files: list[NDArray[np.int32]] = []

    def add(self, rows: CandleRows, file: int) -> None:
        self._rows.append(rows)
        self._files.append(np.full(rows.line.size, file, np.int32))

    def turn(self, file: int) -> None:
        """Newest first or last: candles of one time are no candles of two."""

    def in_order(self) -> tuple[CandleRows, NDArray[np.int32]]:
        """By time, the largest first, in order of arrival; and the number of each one's file."""
        rows = CandleRows.concatenate(self._rows)
        order = np.lexsort((-rows.volume, rows.time_ns))
        return rows.at(order), np.concatenate([np.empty(0, np.int32), *self._files])[order]


def _refuse_others(intake: Intake, n_rows: int) -> None:
    """Stop where many rows do not start, or end, as the market's candles do."""
    market = intake.market
    n_others = intake.n_set_aside[NOT_A_START] + intake.n_set_aside[NOT_AN_END]
    if n_others > max(_ENOUGH_TO_TELL, _MOST_OTHERS * (n_rows + n_others)):
        number, first = next(f for f in intake.faults if f[1].reason in (NOT_A_START, NOT_AN_END))
        raise TickDataError(
            f"market {market.name!r}, {intake.month}: {n_others} of {n_rows + n_others} rows are "
            f"no candles of {market.candle_ns / 60e9:g} minutes, such as "
            f"{intake.files[number][0]}, {first}; in configs/markets/{market.name}.yaml correct "
            "candle_minutes, or map `timestamp:` to the column of starts, which must be in UTC"
        )


def _refuse_longer(intake: Intake, time_ns: NDArray[np.int64], file: NDArray[np.int32]) -> None:
    """Stop where the candles of a file mostly follow one another by a longer time."""
    market = intake.market
    for number, (name, _) in intake.files.items():
        steps = np.diff(np.unique(time_ns[file == number])) // market.candle_ns
        counts = np.bincount(steps, minlength=2)  # how many are of so many candles
        most = int(counts.argmax())
        if most > 1 and counts[most] > max(_ENOUGH_TO_TELL, 2 * counts[1]):
            raise TickDataError(
                f"{name}: {counts[most]} candles of {intake.month} follow the one before by "
                f"{most * market.candle_ns / 60e9:g} minutes, {counts[1]} by "
                f"{market.candle_ns / 60e9:g}; correct candle_minutes in "
                f"configs/markets/{market.name}.yaml"
            )


def _refuse_empty(intake: Intake, rows: CandleRows) -> None:
    """Stop where nobody traded and prices moved: the dump has no volume."""
    market, highest, lowest = intake.market, rows.high[rows.high > 0], rows.low[rows.low > 0]
    moved = highest.size > 0 and lowest.size > 0 and highest.max() > lowest.min()
    if moved and not rows.volume.any():
        raise TickDataError(
            f"market {market.name!r}, {intake.month}: all {rows.volume.size} candles have a volume "
            "of 0, and prices move: these are quotes, marks or an index, not trades; take the "
            "venue's candles of trades"
        )


def _clean(
    intake: Intake,
    entries: dict[str, FileEntry],
    rows: CandleRows,
    file: NDArray[np.int32],
) -> CandlesResult:
    """Part what was taken in into candles, empty ones, quarantine and duplicates, and report."""
    market, month = intake.market, intake.month
    again, same, begun = _find_repeats(rows)
    conflicts = np.flatnonzero(again & ~same)
    _refuse_two_exports(intake, rows, file, np.flatnonzero(again & ~same & ~begun))
    intake.n_set_aside[REPEATED_CANDLE] += conflicts.size
    listed = conflicts[: MOST_LISTED - len(intake.faults)]
    set_aside(intake, lines_of(rows.at(listed), file[listed]), REPEATED_CANDLE)

    single = rows.at(~again)
    traded = single.at(single.volume > 0)
    counts = QualityCounts(month, last_before_ns(entries, month))
    counts.add(_as_trades(traded), _wicks(traded))
    counts.add_ids(single.time_ns // market.candle_ns)
    n_silent = single.time_ns.size - traded.time_ns.size
    n_dropped = int((again & same).sum())
    told = tell(intake, entries, counts, n_dropped, candles_without_trade=n_silent)
    return CandlesResult(_table(market, traded), *told)


def _find_repeats(
    rows: CandleRows,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows have the time of an earlier one; which of them say the same as the first of it,
    and which may be the beginning of it."""
    again = np.diff(rows.time_ns, prepend=-1) == 0
    first = np.maximum.accumulate(np.where(again, 0, np.arange(again.size)))
    same = np.ones(again.size, bool)
    for column in rows[1:-1]:
        same &= (column == column[first]) | (np.isnan(column) & np.isnan(column[first]))
    within = (rows.high <= rows.high[first]) & (rows.low >= rows.low[first])
    begun = (rows.volume == 0) | (within & (rows.open == rows.open[first]))
    return again, same, begun


def _refuse_two_exports(
    intake: Intake, rows: CandleRows, file: NDArray[np.int32], conflicts: NDArray[np.int64]
) -> None:
    if conflicts.size > max(_FEW_CONFLICTS, _MOST_CONFLICTS * rows.time_ns.size):
        name, line = intake.files[int(file[conflicts[0]])][0], int(rows.line[conflicts[0]])
        raise TickDataError(
            f"market {intake.market.name!r}, {intake.month}: {conflicts.size} candles are there "
            f"again with other values, {name}, row {line} the first: the files are of two "
            f"instruments, or two venues; correct `files:` in "
            f"configs/markets/{intake.market.name}.yaml"
        )


def _as_trades(rows: CandleRows) -> Rows:
    """What the quality report looks at: each candle as if it were one trade at its close."""
    unknown = np.isnan(rows.buy_volume)
    return Rows(
        time_ns=rows.time_ns,
        trade_id=np.zeros_like(rows.time_ns),
        price=rows.close,
        qty=rows.volume,
        line=rows.line,
        id_kind=np.full(unknown.size, NO_ID, np.int8),
        sign=np.where(unknown, 0, 1).astype(np.int8),
    )


def _wicks(rows: CandleRows) -> Float64:
    """Prices in an order in which a wick, however it came, is a jump that reverts."""
    body = (rows.open + rows.close) / 2
    return np.stack([rows.open, rows.low, body, rows.high, rows.close], axis=1).ravel()


def _table(market: Market, rows: CandleRows) -> pd.DataFrame:
    sign = TickRule()(rows.close, np.zeros(rows.close.size, np.int8))
    inferred = np.where(sign > 0, rows.volume, 0.0)
    return pd.DataFrame(
        {
            "open_time_ns": rows.time_ns - market.candle_ns + 1,
            "close_time_ns": rows.time_ns,
            "open": rows.open,
            "high": rows.high,
            "low": rows.low,
            "close": rows.close,
            "volume": rows.volume,
            "notional": rows.notional,
            "buy_volume": np.where(np.isnan(rows.buy_volume), inferred, rows.buy_volume),
        },
        columns=CANDLES.columns,
    )
