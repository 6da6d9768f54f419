"""Collect every number of the report in one JSON dictionary: all three formats read only that.

It aggregates tables; scores are defined in ``scores``, the verdict in ``walk_forward``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.report.curves import Curves, compound
from price_physics.report.quality import quality_numbers
from price_physics.report.scores import score_numbers
from price_physics.report.stops import stop_numbers
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.table import TableSchema
from price_physics.schemas.walk_forward import DAILY, TRADES
from price_physics.study.settings import flatten
from price_physics.walk_forward.exit_reasons import filled
from price_physics.walk_forward.precision import trade_precision
from price_physics.walk_forward.trial import out_of_sample

if TYPE_CHECKING:
    from price_physics.report.evidence import Evidence
    from price_physics.study.market import Market
    from price_physics.study.study import Study
    from price_physics.walk_forward.month import MonthWalk


def collect_numbers(evidence: Evidence, curves: Curves) -> dict[str, Any]:
    """Collect the numbers.

    Returns
    -------
    dict
        JSON values only; undefined ones are None.
    """
    study, market, environment = evidence.study, evidence.market, evidence.environment
    walks = {m: evidence.walk_forward[m] for m in sorted(evidence.walk_forward)}
    served = out_of_sample(walks)
    scores = score_numbers({m: walks[m].scored for m in walks})
    trades = _concat(TRADES, [walks[m].trades for m in served])
    daily = _concat(DAILY, [walks[m].daily for m in served])
    costs = cost_numbers(study, daily, trades)
    predictions = evidence.predictions
    return jsonable(
        {
            "study": study.name,
            "description": study.description,
            "market": market.name,
            "symbol": market.symbol,
            "month": str(evidence.month),
            "synthetic": market.synthetic or bool(environment.get("synthetic")),
            "in_sample": study.barrier_policy.in_sample or bool(environment.get("in_sample")),
            "verdict": dataclasses.asdict(evidence.verdict),
            "headline": _headline(walks, market, daily, curves, trades, costs, scores),
            "months": [
                _month_numbers(m, evidence, m in served, scores["month_auc"].get(m)) for m in walks
            ],
            "costs": costs,
            "trades": trade_groups(trades),
            "stops": stop_numbers(study, market, trades, predictions.values()),
            "expected": expected_numbers([predictions[m] for m in served if m in predictions]),
            "quality": quality_numbers(evidence.quality),
            "labels": label_numbers(study, market, evidence.labels, evidence.label_counts),
            "skill": scores["skill"],
            "values": scores["values"],
            "reliability": scores["reliability"],
            "confusion": scores["confusion"],
            "models": [_model_numbers(m, p) for m, p in sorted(evidence.provenance.items())],
            "environment": environment,
            "parameters": flatten(study.model_dump(mode="json")),
            "market_parameters": flatten(market.model_dump(mode="json")),
        }
    )


def _headline(
    walks: dict[Month, MonthWalk],
    market: Market,
    daily: pd.DataFrame,
    curves: Curves,
    trades: pd.DataFrame,
    costs: dict[str, Any],
    scores: dict[str, Any],
) -> dict[str, Any]:
    served = out_of_sample(walks)
    precision, break_even = trade_precision(trades)
    return {
        "first_month": str(served[0]) if served else None,
        "last_month": str(served[-1]) if served else None,
        "n_months": len(served),
        "n_warm_up_months": len(walks) - len(served),
        "n_days": int(daily["covered"].sum()),
        "days_without_data": days_without_data(market, daily),
        **_trade_counts(trades),
        "net_return": curves.net[-1] - 1 if served else None,
        "gross_return": curves.gross[-1] - 1 if served else None,
        "buy_and_hold_return": curves.market[-1] - 1 if served else None,
        "max_drawdown": curves.drawdown.min() if served else None,
        "costs_paid": costs["paid"],
        "hit_rate": precision,
        "break_even_precision": break_even,
        **scores["direction"],
    }


def days_without_data(market: Market, daily: pd.DataFrame) -> list[dict[str, Any]]:
    """List the days out of sample that do not count; say whether a known outage explains them."""
    known = [(outage.start_ns, outage.end_ns) for outage in market.outages]
    days = daily.loc[~daily["covered"].to_numpy(dtype=bool), ["day_ns", "known_at"]]
    return [
        {
            "day": f"{pd.Timestamp(first):%Y-%m-%d}",
            "known_outage": any(start <= last and first <= stop for start, stop in known),
        }
        for first, last in days.itertuples(index=False)
    ]


# ---------------------------------------------------------------------------- trades, costs
def trade_groups(trades: pd.DataFrame) -> list[dict[str, Any]]:
    """Summarise trades by side and exit reason, in this order."""
    groups = []
    for (side, reason), group in trades.groupby(["side", "exit_reason"], sort=True):
        filled = reason != "cancelled"
        groups.append(
            {
                "side": "long" if side > 0 else "short",
                "exit_reason": reason,
                "n_trades": len(group),
                "share": len(group) / len(trades),
                "mean_weight": group["weight"].abs().mean(),
                "mean_gross_bps": group["gross_bps"].mean() if filled else None,
                "mean_cost_bps": group["cost_bps"].mean() if filled else None,
                "mean_net_bps": group["net_bps"].mean() if filled else None,
            }
        )
    return groups


def cost_numbers(study: Study, daily: pd.DataFrame, trades: pd.DataFrame) -> dict[str, Any]:
    """Report the costs of trading: assumed per side, and paid in total."""
    rule, traded, any_day = study.walk_forward, filled(trades), len(daily) > 0
    net, gross = compound(daily["net_return"]), compound(daily["gross_return"])
    return {
        "fee_bps_a_side": rule.fee_bps,
        "slippage_bps_a_side": rule.slippage_bps,
        "half_spread_bps_a_side": rule.half_spread_bps,
        "round_trip_bps": 2e4 * rule.cost_a_side,
        "turnover": float(daily["turnover"].sum()) if any_day else None,
        "paid": float(daily["cost"].sum()) if any_day else None,
        "gross_return": gross if any_day else None,
        "net_return": net if any_day else None,
        "mean_gross_bps_a_trade": traded["gross_bps"].mean() if len(traded) else None,
        "mean_net_bps_a_trade": traded["net_bps"].mean() if len(traded) else None,
    }


def expected_numbers(predictions: list[pd.DataFrame]) -> dict[str, Any]:
    """Average the expected net values of the signals: in basis points, which decide, and in ATR."""
    frame = _concat(PREDICTIONS, predictions)
    signals = frame[frame["side"] != 0]
    long, short = signals["expected_value_long_bps"], signals["expected_value_short_bps"]
    expected = long.where(signals["side"] > 0, short).to_numpy(dtype=np.float64)
    in_atr = expected * 1e-4 * signals["price"].to_numpy() / signals["atr"].to_numpy()
    any_signal = len(signals) > 0
    return {
        "n_signals": len(signals),
        "mean_bps": expected.mean() if any_signal else None,
        "mean_atr": in_atr.mean() if any_signal else None,
    }


def mean_absolute_book(book: pd.DataFrame, month: Month) -> float | None:
    """Average the absolute book over the month's time; before the first row it is 0."""
    if book.empty:
        return None
    begins = book["time_ns"].to_numpy(dtype=np.int64)
    held = np.diff(np.append(begins, month.stop_ns)) / (month.stop_ns - month.start_ns)
    return float((book["book"].abs().to_numpy() * held).sum())


def _trade_counts(trades: pd.DataFrame) -> dict[str, int]:
    return {
        "n_trades": len(filled(trades)),
        "n_cancelled": int((trades["exit_reason"] == "cancelled").sum()),
    }


# ---------------------------------------------------------------------------- labels
def label_numbers(
    study: Study,
    market: Market,
    labels: Mapping[Month, pd.DataFrame],
    counts: Mapping[Month, dict],
) -> dict[str, Any]:
    """Count labels by kind and events without a label, over all months."""
    label = np.concatenate([np.empty(0), *(labels[m]["label"].to_numpy() for m in sorted(labels))])
    dropped: dict[str, int] = {}
    for count in counts.values():
        for reason, n in count["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + n
    path = "candles" if market.candle_ns and study.labels.path == "ticks" else study.labels.path
    by_bars = path != "ticks"
    return {
        "path": path,
        "both_touched": study.labels.both_touched,
        "primary_model": study.labels.side,
        "n_labels": len(label),
        "n_take_profit": int((label == 1).sum()),
        "n_time_out": int((label == 0).sum()),
        "n_stop_loss": int((label == -1).sum()),
        "n_undecidable": sum(c["undecidable"] for c in counts.values()) if by_bars else None,
        "n_bars_merged": sum(c["bars_merged"] for c in counts.values()),
        "dropped": dropped,
    }


# ---------------------------------------------------------------------------- months, models
def _month_numbers(
    month: Month, evidence: Evidence, served: bool, auc: float | None
) -> dict[str, Any]:
    walk, labels, predictions = evidence.walk_forward[month], evidence.labels, evidence.predictions
    model = evidence.provenance.get(month, {})
    return {
        "month": str(month),
        "warm_up": None if served else walk.warm_up,
        "model_month": model.get("model_month"),
        "n_training": (model.get("summary") or {}).get("n_training"),
        "n_labels": len(labels[month]) if month in labels else 0,
        "n_events": int(predictions[month]["by_network"].sum()) if month in predictions else 0,
        **_trade_counts(walk.trades),
        "net_return": compound(walk.daily["net_return"]) if served else None,
        "gross_return": compound(walk.daily["gross_return"]) if served else None,
        "cost": float(walk.daily["cost"].sum()) if served else None,
        "market_return": compound(walk.daily["market_return"]) if len(walk.daily) else None,
        "hit_rate": trade_precision(walk.trades)[0],
        "direction_auc_within_month": auc,
        "mean_absolute_book": mean_absolute_book(walk.book, month) if served else None,
    }


def _model_numbers(month: Month, model: dict) -> dict[str, Any]:
    """Return calibration and folds of the model that served a month."""
    return {
        "month": str(month),
        "model_month": model.get("model_month"),
        "warm_up": model.get("warm_up"),
        "summary": model.get("summary") or {},
        "folds": model.get("folds") or {},
        "training": {
            key: (model.get("architecture") or {}).get(key)
            for key in ("seed", "device", "device_name", "threads", "torch")
        },
    }


# ---------------------------------------------------------------------------- plain JSON
def jsonable(value: Any) -> Any:
    """Convert to JSON values: no arrays, no NumPy scalars, None for numbers that are not finite.

    Examples
    --------
    >>> jsonable({"a": np.float64("nan"), Month(2012, 3): (np.int8(1), True)})
    {'a': None, '2012-03': [1, True]}
    """
    if isinstance(value, dict):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def _concat(schema: TableSchema, frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate the frames that have rows; without any, return the empty table of the schema."""
    full = [f for f in frames if len(f)]
    return pd.concat(full, ignore_index=True) if full else schema.empty()
