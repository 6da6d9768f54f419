"""Build the walk-forward partition of a month: trades, positions, book, equity, days, scores.

The other modules of this package do the work; ``signals`` has decided what trades.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.frames import conform, stack
from price_physics.labels.events import vertical_barriers
from price_physics.prices import prices_of
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.table import ODDS
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, POSITIONS, SCORED, TRADES
from price_physics.store.artefact import Artefact
from price_physics.walk_forward.book import run_book
from price_physics.walk_forward.exit_reasons import CANCELLED
from price_physics.walk_forward.fills import Fills, close_stale, fill_signals
from price_physics.walk_forward.marks import book_table, daily_table, equity_table
from price_physics.walk_forward.tape import Tape

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study
    from price_physics.walk_forward.look import Look


def build_walk_forward(
    study: Study, market: Market, month: Month, past: Past, *, look: Look | None = None
) -> Artefact:
    """Trade the signals of a month on its prices, with the positions carried in.

    Equity starts the month at 1, with the book carried in, at the last price before the month. A
    position whose event is in the month before, and that no tick has closed by the end of the
    month, is closed there at the last trade's price ("stale"). So two months of ticks always
    suffice.

    Parameters
    ----------
    past : Past
        PREDICTIONS, and TICKS or CANDLES, of m-1 and m; BARS of m, and of the months before where
        horizons count bars; LABELS of m.
    look : Look, optional
        Who looks; writes the look down in the ledger.

    Returns
    -------
    Artefact
        Trades that ended or were cancelled in the month, positions carried in and out, BOOK,
        EQUITY, DAILY, and SCORED: every label of the month that a network had predicted. `warm_up`
        says why no network predicted; the document `look` says what was written down.

    Raises
    ------
    StoreError
        When predictions, bars and ticks were not built from one another.
    """
    bars = past.table(BARS, "close_time_ns", "n_ticks", "partial")
    labels = past.table(
        LABELS,
        *("event_time_ns", "side", "label", "outcome_atr", "outcome_short_atr"),
        *("atr", "price", "known_at"),
    )
    tape = Tape.of(prices_of(past, (month - 1, month)), month)
    predictions = _predictions(month, past)
    signals = _signals(study, month, predictions, bars)
    weight = (signals["side"] * signals["size"] / signals["book_scale"]).to_numpy(np.float64)
    fills = _fills(study, month, signals, tape)
    cost = study.walk_forward.cost_a_side
    path = run_book(fills, weight, tape, cost)
    trades = _trades(signals, weight, fills, tape, cost, month)
    equity = equity_table(path, tape, bars[month], month)
    daily = daily_table(path, tape, equity, month)
    warm_up = past.of(PREDICTIONS.asset)[month].warm_up
    documents = {}
    if look is not None:
        read = [*past.of(PREDICTIONS.asset).values(), *past.of(LABELS.asset).values()]
        in_sample = any(known.in_sample for known in read)
        served = warm_up is None
        documents["look"] = look.write_down(month, daily, served=served, in_sample=in_sample)
    return Artefact(
        tables=(
            (TRADES, trades),
            (POSITIONS, _positions(signals, weight, fills, tape, month)),
            (BOOK, book_table(path, tape, month)),
            (EQUITY, equity),
            (DAILY, daily),
            (SCORED, _scored(predictions, labels[month])),
        ),
        documents=documents,
        warm_up=warm_up,
        highlights={
            "trades": len(trades),
            "net_return": float((1 + daily["net_return"]).prod() - 1),
        },
    )


def _predictions(month: Month, past: Past) -> pd.DataFrame:
    """Join the predictions of the month before and of the month."""
    columns = PREDICTIONS.columns
    arrays = stack(PREDICTIONS, past.table(PREDICTIONS), (month - 1, month), *columns)
    return conform(PREDICTIONS, **dict(zip(columns, arrays, strict=True)))


def _signals(
    study: Study, month: Month, predictions: pd.DataFrame, bars: Mapping[Month, pd.DataFrame]
) -> pd.DataFrame:
    """Select the predictions that trade, and correct the ends of horizons that count bars.

    A prediction knows only the latest possible end of such a horizon.
    """
    signals = predictions[predictions["side"] != 0].reset_index(drop=True)
    if study.labels.horizon_bars is not None:
        ends_ns = vertical_barriers(study, month, signals["event_time_ns"].to_numpy(np.int64), bars)
        signals["horizon_end_ns"] = np.minimum(signals["horizon_end_ns"], ends_ns)
    return signals


def _fills(study: Study, month: Month, signals: pd.DataFrame, tape: Tape) -> Fills:
    fills = fill_signals(
        signals,
        tape.prices,
        study.walk_forward.latency_ns,
        month.end_ns,
        by_clock=study.bars.kind == "time",
        ends_with_bar=study.labels.horizon_bars is not None,
    )
    event_time_ns = signals["event_time_ns"].to_numpy(dtype=np.int64)
    return close_stale(fills, event_time_ns, month.start_ns, tape)


def _trades(
    signals: pd.DataFrame,
    weight: np.ndarray,
    fills: Fills,
    tape: Tape,
    cost_a_side: float,
    month: Month,
) -> pd.DataFrame:
    """List the trades that ended, or were cancelled, in the month, in that order."""
    rows = np.flatnonzero(fills.exit_time_ns >= month.start_ns)
    rows = rows[np.argsort(fills.exit_time_ns[rows], kind="stable")]
    cancelled = fills.state[rows] == CANCELLED
    entry_price = np.where(cancelled, np.nan, tape.price_at(fills.entry[rows]))
    side = signals["side"].to_numpy()[rows]
    moved = side * (fills.exit_price[rows] / entry_price - 1) * 1e4
    gross = np.where(cancelled, 0.0, moved)
    cost = np.where(cancelled, 0.0, 2 * cost_a_side * 1e4)
    entry_time = pd.array(tape.time_at(fills.entry[rows]), dtype="Int64")
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
    signals: pd.DataFrame, weight: np.ndarray, fills: Fills, tape: Tape, month: Month
) -> pd.DataFrame:
    """List the positions open at the start of the month, then those open at its end."""
    filled, out = fills.entry >= 0, fills.exit >= 0
    before = filled & (fills.entry < tape.first)
    carried_in = np.flatnonzero(before & ~(out & (fills.exit < tape.first)))
    carried_out = np.flatnonzero(filled & ~out)
    rows = np.concatenate([carried_in, carried_out])
    is_in = np.arange(len(rows)) < len(carried_in)
    return conform(
        POSITIONS,
        event_time_ns=signals["event_time_ns"].to_numpy()[rows],
        carried=np.where(is_in, "in", "out"),
        side=signals["side"].to_numpy()[rows],
        weight=weight[rows],
        entry_time_ns=tape.time_at(fills.entry[rows]),
        entry_price=tape.price_at(fills.entry[rows]),
        known_at=np.where(is_in, month.start_ns, month.end_ns),
    )


def _scored(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """List every label of the month that a network had predicted, in order of events.

    Stated and returned values are of the side that the network preferred before costs, traded or
    not.
    """
    columns = ["event_time_ns", "p_up", "p_flat", "p_down", *ODDS, "side"]
    values = ["gross_value_long_bps", "gross_value_short_bps"]
    predictions = predictions[predictions["by_network"].to_numpy(dtype=bool)]
    label_columns = ["event_time_ns", "label_side", "label", "outcome_atr", "outcome_short_atr"]
    both = predictions[columns + values].merge(
        labels.rename(columns={"side": "label_side"})[[*label_columns, "atr", "price", "known_at"]],
        on="event_time_ns",
        validate="one_to_one",
    )
    long, short = (both[name].fillna(-np.inf).to_numpy(dtype=np.float64) for name in values)
    preferred = np.where(long >= short, 1, -1)
    on_side = preferred == both["label_side"].to_numpy()
    returned_atr = np.where(on_side, both["outcome_atr"], both["outcome_short_atr"])
    atr_bps = (both["atr"] / both["price"]).to_numpy() * 1e4
    return conform(
        SCORED,
        **{c: both[c] for c in SCORED.columns if c in both},
        outcome_bps=both["outcome_atr"] * both["atr"] / both["price"] * 1e4,
        stated_bps=np.maximum(long, short),
        returned_bps=returned_atr * atr_bps,
    )
