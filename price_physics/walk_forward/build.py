"""The walk-forward partition of a month: trades, positions, book, equity, days, scores.

Puts the pieces of this package together; decides nothing that ``signals`` has not decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from price_physics.frames import conform, stack
from price_physics.labels.events import vertical_barriers
from price_physics.months import Month
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.table import TableSchema
from price_physics.schemas.ticks import CANDLES, TICKS
from price_physics.schemas.walk_forward import POSITIONS, SCORED, TRADES
from price_physics.study.study import Study
from price_physics.walk_forward.book import Market, run_book
from price_physics.walk_forward.exit_reasons import CANCELLED
from price_physics.walk_forward.fills import Fills, close_stale, fill_signals
from price_physics.walk_forward.marks import book_table, daily_table, equity_table


@dataclass(frozen=True)
class WalkForwardResult:
    """Tables of one month, as their schemas say; ``warm_up`` is why nothing was predicted."""

    trades: pd.DataFrame
    positions: pd.DataFrame
    book: pd.DataFrame
    equity: pd.DataFrame
    daily: pd.DataFrame
    scored: pd.DataFrame
    warm_up: str | None


MonthWalk = WalkForwardResult


def build_walk_forward(
    study: Study,
    month: Month,
    predictions: Mapping[Month, pd.DataFrame],
    ticks: Mapping[Month, pd.DataFrame],
    bars: Mapping[Month, pd.DataFrame],
    labels: pd.DataFrame,
    *,
    warm_up: str | None = None,
    candles: bool = False,
) -> WalkForwardResult:
    """Trade the signals of a month on its ticks, with the positions the month before left.

    Equity starts the month at 1, with the book carried in, at the last price before the month.
    A position of the month before that no tick lets out by the end of the month is closed
    there at the last trade's price ("stale"), so that two months of ticks always suffice.

    Parameters
    ----------
    study : Study
    month : Month
    predictions, ticks : mapping of Month to DataFrame
        PREDICTIONS, and TICKS or CANDLES, of the month and, if there is one, the month before.
    bars : mapping of Month to DataFrame
        BARS; those of the month are read, and of the one before where horizons count bars.
    labels : DataFrame
        LABELS whose horizon ends in the month.
    warm_up : str, optional
        Why the month has no predictions, handed on.
    candles : bool
        Whether `ticks` are CANDLES.

    Returns
    -------
    WalkForwardResult
        Trades that left or were cancelled in the month, positions carried in and out, BOOK,
        EQUITY, DAILY, and every label of the month that had been predicted (SCORED).

    Raises
    ------
    StoreError
        When predictions, bars and ticks do not belong together.
    """
    market = _market_of_candles(month, ticks) if candles else _market(month, ticks)
    rows = _both_months(PREDICTIONS, month, predictions)
    signals = rows[rows["side"] != 0].reset_index(drop=True)
    counts_bars = study.labels.horizon_bars is not None
    if counts_bars:  # a prediction knows only when it ends at the latest
        ends_ns = vertical_barriers(study, month, signals["event_time_ns"].to_numpy(np.int64), bars)
        signals["horizon_end_ns"] = np.minimum(signals["horizon_end_ns"], ends_ns)
    weight = (signals["side"] * signals["size"] / signals["book_scale"]).to_numpy(np.float64)
    fills = fill_signals(
        signals,
        market.time_ns[:-1],
        market.price[:-1],
        study.walk_forward.latency_ns,
        month.end_ns,
        by_clock=study.bars.kind == "time",
        ends_with_bar=counts_bars,
        high=market.high,
        low=market.low,
    )
    fills = close_stale(
        fills,
        signals["event_time_ns"].to_numpy(dtype=np.int64),
        month.start_ns,
        market.last,
        month.end_ns,
        float(market.price[-1]),
    )
    cost = study.walk_forward.cost_a_side
    path = run_book(fills, weight, market, cost)
    equity = equity_table(path, market, bars[month], month)
    return WalkForwardResult(
        trades=_trades(signals, weight, fills, market, cost, month),
        positions=_positions(signals, weight, fills, market, month),
        book=book_table(path, market, month),
        equity=equity,
        daily=daily_table(path, market, equity, month),
        scored=_scored(rows, labels),
        warm_up=warm_up,
    )


def _market(month: Month, ticks: Mapping[Month, pd.DataFrame]) -> Market:
    time_ns, price = stack(TICKS, ticks, (month - 1, month), "time_ns", "price")
    n_before = len(time_ns) - len(ticks[month])
    return Market(np.append(time_ns, month.end_ns), _and_last(price), n_before)


def _market_of_candles(month: Month, candles: Mapping[Month, pd.DataFrame]) -> Market:
    """Two prices a candle: its open from its start on, its close at its end.

    Where between the two its high and low were, nobody knows: they stand at its end.
    """
    names = ("open_time_ns", "close_time_ns", "open", "high", "low", "close")
    opens_ns, closes_ns, opened, high, low, close = stack(
        CANDLES, candles, (month - 1, month), *names
    )
    return Market(
        time_ns=np.append(_in_turn(opens_ns, closes_ns), month.end_ns),
        price=_and_last(_in_turn(opened, close)),
        first=2 * (len(closes_ns) - len(candles[month])),
        prices_a_tick=2,
        high=_in_turn(opened, high),
        low=_in_turn(opened, low),
    )


def _in_turn(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([first, second], axis=1).ravel()


def _and_last(values: np.ndarray) -> np.ndarray:
    return np.append(values, values[-1] if len(values) else np.nan)


def _both_months(
    schema: TableSchema, month: Month, tables: Mapping[Month, pd.DataFrame]
) -> pd.DataFrame:
    arrays = stack(schema, tables, (month - 1, month), *schema.columns)
    return conform(schema, **dict(zip(schema.columns, arrays, strict=True)))


def _trades(
    signals: pd.DataFrame,
    weight: np.ndarray,
    fills: Fills,
    market: Market,
    cost_a_side: float,
    month: Month,
) -> pd.DataFrame:
    """What left, or was cancelled, in the month; in that order."""
    rows = np.flatnonzero(fills.exit_time_ns >= month.start_ns)
    rows = rows[np.argsort(fills.exit_time_ns[rows], kind="stable")]
    cancelled = fills.state[rows] == CANCELLED
    entry_price = np.where(cancelled, np.nan, market.price[fills.entry[rows]])
    side = signals["side"].to_numpy()[rows]
    moved = side * (fills.exit_price[rows] / entry_price - 1) * 1e4
    gross = np.where(cancelled, 0.0, moved)
    cost = np.where(cancelled, 0.0, 2 * cost_a_side * 1e4)
    entry_time = pd.array(market.time_ns[fills.entry[rows]], dtype="Int64")
    entry_time[cancelled] = pd.NA
    return conform(
        TRADES,
        event_time_ns=signals["event_time_ns"].to_numpy()[rows],
        side=side,
        weight=weight[rows],
        entry_time_ns=entry_time,
        entry_price=entry_price,
        exit_time_ns=fills.exit_time_ns[rows],
        exit_price=fills.exit_price[rows],
        exit_reason=fills.state[rows],
        gross_bps=gross,
        cost_bps=cost,
        net_bps=gross - cost,
        known_at=fills.exit_time_ns[rows],
    )


def _positions(
    signals: pd.DataFrame, weight: np.ndarray, fills: Fills, market: Market, month: Month
) -> pd.DataFrame:
    """What was live when the month started, then what is when it ends."""
    filled, out = fills.entry >= 0, fills.exit >= 0
    before = filled & (fills.entry < market.first)
    carried_in = np.flatnonzero(before & ~(out & (fills.exit < market.first)))
    carried_out = np.flatnonzero(filled & ~out)
    rows = np.concatenate([carried_in, carried_out])
    is_in = np.arange(len(rows)) < len(carried_in)
    return conform(
        POSITIONS,
        event_time_ns=signals["event_time_ns"].to_numpy()[rows],
        carried=np.where(is_in, "in", "out"),
        side=signals["side"].to_numpy()[rows],
        weight=weight[rows],
        entry_time_ns=market.time_ns[fills.entry[rows]],
        entry_price=market.price[fills.entry[rows]],
        known_at=np.where(is_in, month.start_ns, month.end_ns),
    )


def _scored(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Every label of the month that had been predicted, in order of events."""
    both = predictions[["event_time_ns", "p_up", "p_flat", "p_down", "side"]].merge(
        labels[["event_time_ns", "label", "outcome_atr", "atr", "price", "known_at"]],
        on="event_time_ns",
        validate="one_to_one",
    )
    return conform(
        SCORED,
        **{c: both[c] for c in SCORED.columns if c in both},
        outcome_bps=both["outcome_atr"] * both["atr"] / both["price"] * 1e4,
    )
