"""The candles of a month: silent ones are left out, repeated ones dropped or set aside.

Candles are few: a month of them is held in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.errors import TickDataError
from price_physics.schemas.ticks import CANDLES
from price_physics.ticks.month.clean import TickRule
from price_physics.ticks.month.intake import places_of
from price_physics.ticks.month.report import Cleaned
from price_physics.ticks.reading.reasons import Reason
from price_physics.ticks.reading.rows import NO_ID, CandleRows, TradeRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from price_physics.study.market import Market
    from price_physics.ticks.month.intake import Intake
    from price_physics.ticks.month.quality import QualityCounts

_FEW_CONFLICTS, _MOST_CONFLICTS = 5, 0.01
_ENOUGH_TO_TELL, _MOST_OTHERS = 20, 0.25


class CandlesOfMonth:
    """Collects the candles of a month, and makes CANDLES of them.

    A candle belongs to the month in which it ends. One in which nothing traded is counted and left
    out. Of several candles of one time the one of the largest volume stays: the others may have
    been recorded before it was over. They are dropped if they say the same, else set aside.
    """

    schema = CANDLES

    def __init__(self) -> None:
        self._rows: list[CandleRows] = []
        self._files: list[NDArray[np.int32]] = []

    def add(self, rows: CandleRows, file: int) -> None:
        self._rows.append(rows)
        self._files.append(np.full(rows.line.size, file, np.int32))

    def turn(self, file: int) -> None:
        """Do nothing: the order of candles in a file decides nothing."""

    def close(self) -> None:
        """Do nothing: candles wait in memory."""

    def clean(self, intake: Intake, counts: QualityCounts) -> Cleaned:
        """Sort the candles, drop duplicates and silent ones, set repeated ones aside, and count.

        Raises
        ------
        TickDataError
            When candles are of another length than the market says, have no volume or, most of
            them, two that contradict each other, or repeat too often with other values.
        """
        market = intake.market
        rows, file = self._in_order()
        _refuse_others(intake, rows.time_ns.size)
        _refuse_longer(intake, rows.time_ns, file)
        _refuse_empty(intake, rows)
        _refuse_doubtful(intake, rows, file)
        again, same, begun = _find_repeats(rows)
        conflicts = np.flatnonzero(again & ~same)
        _refuse_two_exports(intake, rows, file, np.flatnonzero(again & ~same & ~begun))
        listed = conflicts[: intake.room]
        places = places_of(rows.at(listed), file[listed])
        intake.set_aside(places, conflicts.size, Reason.REPEATED_CANDLE)

        single = rows.at(~again)
        traded = single.at(single.volume > 0)
        counts.add(_as_trades(traded), _wicks(traded))
        counts.add_ids(single.time_ns // market.candle_ns)
        n_silent = single.time_ns.size - traded.time_ns.size
        n_dropped = int((again & same).sum())
        facts = {
            "candles_without_trade": n_silent,
            "volumes_not_believed": int(traded.doubtful.sum()),
        }
        return Cleaned(_table(market, traded), n_dropped, facts)

    def _in_order(self) -> tuple[CandleRows, NDArray[np.int32]]:
        """Sort by time, the largest volume first, then arrival; return the files' numbers too."""
        rows = CandleRows.concatenate(self._rows)
        order = np.lexsort((-rows.volume, rows.time_ns))
        return rows.at(order), np.concatenate([np.empty(0, np.int32), *self._files])[order]


def _refuse_others(intake: Intake, n_rows: int) -> None:
    """Stop where many rows do not start, or end, as the market's candles do."""
    market = intake.market
    reasons = (Reason.START.words, Reason.END.words)
    n_others = sum(intake.n_set_aside[reason] for reason in reasons)
    if n_others > max(_ENOUGH_TO_TELL, _MOST_OTHERS * (n_rows + n_others)):
        number, first = next(f for f in intake.faults if f[1].reason in reasons)
        raise TickDataError(
            f"market {market.name!r}, {intake.month}: {n_others} of {n_rows + n_others} rows are "
            f"no candles of {market.candle_ns / 60e9:g} minutes, such as "
            f"{intake.files[number][0]}, {first}; in configs/markets/{market.name}.yaml correct "
            "candle_minutes, or map `timestamp:` to the column of starts, which must be in UTC"
        )


def _refuse_longer(intake: Intake, time_ns: NDArray[np.int64], file: NDArray[np.int32]) -> None:
    """Stop where most candles of a file are further apart than the market's are long."""
    market = intake.market
    for number, (name, _) in intake.files.items():
        steps = np.diff(np.unique(time_ns[file == number])) // market.candle_ns
        counts = np.bincount(steps, minlength=2)  # by distance, in candles
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


def _refuse_doubtful(intake: Intake, rows: CandleRows, file: NDArray[np.int32]) -> None:
    """Stop where the volumes of most candles contradict each other: one is something else."""
    market, doubtful = intake.market, np.flatnonzero(rows.doubtful)
    n_traded = int((rows.volume > 0).sum())
    if 2 * doubtful.size > n_traded:
        number, line = int(file[doubtful[0]]), int(rows.line[doubtful[0]])
        [text] = intake.texts(number, [line])
        raise TickDataError(
            f"market {market.name!r}, {intake.month}: the volumes in both currencies give no price "
            f"of {doubtful.size} of {n_traded} candles, such as {intake.files[number][0]}, row "
            f"{line}: {text!r}; in configs/markets/{market.name}.yaml map `volume:` and "
            "`quote_volume:` to their columns under `columns:`, or where the volume counts "
            "contracts set `contract_size:`"
        )


def _find_repeats(
    rows: CandleRows,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the rows that repeat the time of an earlier one.

    Returns
    -------
    again : bool array
        The row has the time of the row before.
    same : bool array
        It says the same as the first row of its time.
    begun : bool array
        It may be that row, recorded before it was over.
    """
    again = np.diff(rows.time_ns, prepend=-1) == 0
    first = np.maximum.accumulate(np.where(again, 0, np.arange(again.size)))
    same = np.ones(again.size, bool)
    for column in rows[1:-2]:
        same &= (column == column[first]) | (np.isnan(column) & np.isnan(column[first]))
    within = (rows.high <= rows.high[first]) & (rows.low >= rows.low[first])
    begun = (rows.volume == 0) | (within & (rows.open == rows.open[first]))
    return again, same, begun


def _refuse_two_exports(
    intake: Intake, rows: CandleRows, file: NDArray[np.int32], conflicts: NDArray[np.int64]
) -> None:
    if conflicts.size > max(_FEW_CONFLICTS, _MOST_CONFLICTS * rows.time_ns.size):
        again = int(conflicts[0])
        first = int(np.searchsorted(rows.time_ns, rows.time_ns[again]))
        shown = []
        for row in (first, again):
            number, line = int(file[row]), int(rows.line[row])
            [text] = intake.texts(number, [line])
            shown.append(f"{intake.files[number][0]}, row {line}: {text!r}")
        raise TickDataError(
            f"market {intake.market.name!r}, {intake.month}: {conflicts.size} candles are there "
            f"again with other values, such as {shown[0]} and {shown[1]}: the files are of two "
            "instruments or two venues, or two exports of one; name only one of them under "
            f"`files:` in configs/markets/{intake.market.name}.yaml"
        )


def _as_trades(rows: CandleRows) -> TradeRows:
    """Turn each candle into one trade at its close, for the quality report."""
    unknown = np.isnan(rows.buy_volume)
    return TradeRows(
        time_ns=rows.time_ns,
        trade_id=np.zeros_like(rows.time_ns),
        price=rows.close,
        qty=rows.volume,
        line=rows.line,
        id_kind=np.full(unknown.size, NO_ID, np.int8),
        sign=np.where(unknown, 0, 1).astype(np.int8),
    )


def _wicks(rows: CandleRows) -> NDArray[np.float64]:
    """Order the prices of candles so that any wick is a jump that reverts."""
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
