"""Small, made-up inputs of a report; every number follows from the seed."""

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.schemas.labels import LABELS
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.table import ODDS
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, POSITIONS, SCORED, TRADES
from price_physics.study.market import TradeMarket
from price_physics.study.study import Study
from price_physics.walk_forward.decision import Contest
from price_physics.walk_forward.month import MonthWalk
from price_physics.walk_forward.passive import AVERAGE, CASH, INVESTORS, SO_FAR
from price_physics.walk_forward.verdict import (
    NOTHING_YET,
    SHORTLY,
    Condition,
    Description,
    Verdict,
    Worth,
)

FIRST = Month(2012, 1)
DAY = 86_400_000_000_000
HOUR = DAY // 24


def study(head="three_class", **changes):
    return Study.model_validate(
        {
            "name": "toy",
            "description": "A toy, <b>made up</b>",
            "market": "toy_market",
            "bars": {"threshold_quote": 100.0},
            "labels": {"horizon_minutes": 600},
            "barrier_policy": {
                "take_profit_bounds": (1.0, 8.0),
                "stop_loss_bounds": (1.0, 8.0),
                "fallback_take_profit": 3.0,
                "fallback_stop_loss": 2.0,
            },
            "folds": {"embargo_minutes": 600},
            "model": {"head": head},
            "walk_forward": {"fee_bps": 20.0, "slippage_bps": 5.0},
            **changes,
        }
    )


def market(synthetic=False):
    return TradeMarket(
        name="toy_market",
        symbol="TOYUSD",
        vendor="generic",
        files=["data/toy/*.csv"],
        first_month=FIRST,
        synthetic=synthetic,
    )


def scored(month, rng, *, n=60, binary=False):
    """Predicted events of a month with informative probabilities."""
    label = rng.choice([-1, 0, 1], size=n, p=[0.4, 0.1, 0.5])
    logits = rng.normal(size=(n, 3)) + 0.7 * np.eye(3)[label + 1]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    time = month.start_ns + np.arange(n) * 6 * HOUR
    outcome = label * 2.0 + rng.normal(scale=0.1, size=n)
    return pd.DataFrame(
        {
            "event_time_ns": time,
            "p_up": p[:, 2],
            "p_flat": np.nan if binary else p[:, 1],
            "p_down": np.nan if binary else p[:, 0],
            **dict(zip(ODDS, (0.45, 0.1, 0.45), strict=True)),
            "side": np.sign(p[:, 2] - p[:, 0]).astype("int8"),
            "label": label.astype("int8"),
            "label_side": np.int8(1),
            "outcome_atr": outcome,
            "outcome_bps": 40 * outcome,
            "stated_bps": 30.0 * np.abs(p[:, 2] - p[:, 0]),
            "returned_bps": 40 * outcome,
            "known_at": time + 10 * HOUR,
        }
    )[SCORED.columns]


def trades_of(month, events, rng):
    n = min(30, len(events))
    reasons = np.array(["take_profit", "stop_loss", "time_out", "cancelled"])
    reason = rng.choice(reasons, size=n, p=[0.45, 0.4, 0.1, 0.05])
    cancelled = reason == "cancelled"
    size = {"take_profit": 120.0, "stop_loss": -80.0, "time_out": 5.0, "cancelled": 0.0}
    gross = np.array([size[r] for r in reason])
    cost = np.where(cancelled, 0.0, 50.0)
    event = events["event_time_ns"].to_numpy()[:n]
    side = np.where(rng.random(n) < 0.6, 1, -1).astype("int8")
    entry = pd.array(event + 1, dtype="Int64")
    entry[cancelled] = pd.NA
    return pd.DataFrame(
        {
            "event_time_ns": event,
            "side": side,
            "weight": side * rng.uniform(0.05, 0.4, n),
            "entry_time_ns": entry,
            "entry_price": np.where(cancelled, np.nan, 5.0),
            "exit_time_ns": event + HOUR,
            "exit_price": np.where(cancelled, np.nan, 5.1),
            "exit_reason": reason,
            "gross_bps": gross,
            "cost_bps": cost,
            "net_bps": gross - cost,
            "known_at": event + HOUR,
        }
    )[TRADES.columns]


def walk(month, rng, *, binary=False):
    """A month out of sample; its equity and its days agree, as the walk-forward's do."""
    day = np.arange(month.start_ns, month.stop_ns, DAY)
    gross = rng.normal(0.003, 0.02, len(day))
    cost = rng.uniform(0, 0.002, len(day))
    market_return = rng.normal(0.004, 0.03, len(day))
    net = gross - cost
    price = 5 * (1 + market_return).cumprod()
    book = rng.uniform(-1, 1, len(day))
    daily = pd.DataFrame(
        {
            "day_ns": day,
            "net_return": net,
            "gross_return": gross,
            "cost": cost,
            "turnover": cost * 400,
            "market_return": market_return,
            "covered": True,
            "known_at": day + DAY - 1,
        }
    )[DAILY.columns]
    equity = pd.DataFrame(
        {
            "time_ns": day + DAY - 1,
            "price": price,
            "book": book,
            "equity": (1 + net).cumprod(),
            "gross_equity": (1 + gross).cumprod(),
        }
    )[EQUITY.columns]
    events = scored(month, rng, binary=binary)
    return MonthWalk(
        trades=trades_of(month, events, rng),
        positions=POSITIONS.empty(),
        book=pd.DataFrame({"time_ns": day, "price": price, "book": book})[BOOK.columns],
        equity=equity,
        daily=daily,
        scored=events,
        warm_up=None,
    )


def warm_up_walk(month, reason="132 samples, 300 are needed"):
    day = np.arange(month.start_ns, month.stop_ns, DAY)
    flat = np.zeros(len(day))
    daily = pd.DataFrame(
        dict.fromkeys(DAILY.columns, flat) | {"day_ns": day, "known_at": day + DAY - 1}
    )
    daily["market_return"], daily["covered"] = 0.001, True
    return MonthWalk(
        trades=TRADES.empty(),
        positions=POSITIONS.empty(),
        book=BOOK.empty(),
        equity=EQUITY.empty(),
        daily=daily,
        scored=SCORED.empty(),
        warm_up=reason,
    )


def provenance(month):
    counts = {"train": 320, "early_stop": 60, "test": 95, "purged_by_test": 12}
    fold = {"test_start_ns": FIRST.start_ns, "test_end_ns": (FIRST + 1).start_ns, "counts": counts}
    return {
        "model_month": str(month - 1),
        "warm_up": None,
        "summary": {
            "n_training": 475 + month.month,
            "epochs": 3,
            "temperature": 1.234,
            "bias": [0.1, -0.05, -0.05],
            "log_loss": 0.98,
            "log_loss_of_base_rates": 0.97,
            "calibration_error_equal_count": 0.04,
            "calibration_floor_equal_count": 0.035,
            "calibration_by_class": {"up": {"error": 0.1, "floor": 0.2}},
            "direction_auc_mean_of_folds": 0.52,
        },
        "folds": {
            "months": [str(FIRST), str(month - 1)],
            "n_members": 475,
            "embargo_ns": 10 * HOUR,
            "folds": [{"fold": k, **fold} for k in range(3)],
            "excluded": {"crosses_outage": 4, "no_window": 31},
            "sha256": "ab" * 32,
        },
        "architecture": {"seed": 7, "device": "cpu", "threads": 1, "torch": "2.13.0+cpu"},
    }


ENVIRONMENT = {
    "versions": {"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6"},
    "seed": 7,
    "config_hash": "0123456789abcdef",
    "code_version": "f00dfeed",
    "synthetic": False,
    "inputs": {"predictions": "9" * 64, "walk_forward": "8" * 64},
}


def verdict(word="underpowered", n_days=0, n_trades=0):
    if n_days == 0:
        return Verdict(verdict=word, sentence=NOTHING_YET, n_days=0, n_trades=0, n_trials=1)
    edge = word == "edge"
    p = {CASH: 0.0012 if edge else 0.2101, AVERAGE: 0.0013 if edge else 0.3333, SO_FAR: 0.0011}
    conditions = [
        Condition(
            name=f"p against {SHORTLY[name]}",
            value=p[name],
            threshold=0.005,
            met=p[name] <= 0.005,
            explanation=f"luck against {name}",
        )
        for name in INVESTORS
    ]
    upper = 0.87 if word == "no edge" else 5.4321
    return Verdict(
        verdict=word,
        sentence=f"Over {n_days} days the verdict is {word}.",
        n_days=n_days,
        n_trades=n_trades,
        n_trials=1,
        level=0.005,
        p=p[AVERAGE],
        hardest=AVERAGE,
        earned=0.123,
        contests={
            CASH: Contest(p[CASH], 2.1, 0.1101, 0.0, 0.0, upper),
            AVERAGE: Contest(p[AVERAGE], 1.2, 0.0622, 0.31, 0.0433, upper),
            SO_FAR: Contest(p[SO_FAR], 3.3, 0.1544, 0.32, -0.0211, upper),
        },
        worth=Worth(
            n_signals=180, cost_bps=50.0, break_even_bps=61.2, lower_bps=48.1, upper_bps=74.3
        ),
        conditions=conditions,
        description=Description(
            sharpe_daily=0.09,
            sharpe_annual=1.7195,
            bootstrap_p=0.2101,
            probabilistic_sharpe=0.8,
            deflated_sharpe=None,
            minimum_track_record_days=812.3,
        ),
    )


def quality(month, **changes):
    """What the ticks of a whole month say of themselves."""
    found = {
        "ticks": 12_345,
        "quarantined": 12,
        "duplicates_dropped": 34,
        "days": 31,
        "missing_days": [],
        "missing_days_in_outages": [],
        "missing_ids": 56,
        "missing_ids_share": 0.004,
        "sides_inferred_share": 0.25,
        "silences_over_ten_typical_gaps": 78,
        "longest_silence_seconds": 5_400.0,
        "score": 0.871,
        "completeness": 0.995,
    }
    return found | changes


def arguments(*, n_warm_up=2, n_months=3, word="underpowered", binary=False, synthetic=False):
    """Everything that a report is made of; the last of the months is the report's."""
    rng = np.random.default_rng(11)
    months = Month.span(FIRST, FIRST + (n_warm_up + n_months - 1))
    served = months[n_warm_up:]
    walks = {m: warm_up_walk(m) for m in months[:n_warm_up]}
    walks |= {m: walk(m, rng, binary=binary) for m in served}
    # Days and trades of the verdict are those of the tables, as in the real pipeline.
    n_days = sum(len(walks[m].daily) for m in served)
    n_trades = sum(int((walks[m].trades["exit_reason"] != "cancelled").sum()) for m in served)
    return {
        "study": study("binary_take_profit" if binary else "three_class"),
        "market": market(synthetic),
        "month": months[-1],
        "walk_forward": walks,
        "predictions": {m: PREDICTIONS.empty() for m in months},
        "labels": {m: LABELS.empty() for m in months},
        "label_counts": {
            m: {"dropped": {"horizon_over_28_days": 0}, "bars_merged": 0} for m in months
        },
        "quality": {m: quality(m) for m in months},
        "provenance": {
            **{m: {"model_month": None, "warm_up": "none yet"} for m in months[:n_warm_up]},
            **{m: provenance(m) for m in served},
        },
        "verdict": verdict(word, n_days, n_trades),
        "environment": {**ENVIRONMENT, "synthetic": synthetic},
    }
