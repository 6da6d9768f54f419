"""Markets and studies of every kind, as sections that take the place of the demo's."""

from typing import Any

FLOW = {"expected_ticks": 40, "span_bars": 30.5, "min_ticks": 10, "max_ticks": 400}
ADAPTIVE = {"target_bars_a_day": 12.5}
LEVELS = {
    "take_profit_quantile": 0.65,
    "stop_loss_quantile": 0.35,
    "take_profit_bounds": [1, 8.5],
    "stop_loss_bounds": [1, 8],
    "fallback_take_profit": 3,
    "fallback_stop_loss": 2,
}
BINARY = {"head": "binary_take_profit"}

STUDIES: dict[str, dict[str, Any]] = {
    "demo": {},
    # bars
    "dollar without kind": {"bars": {"threshold_quote": 50}},
    "dollar, adaptive": {"bars": {"threshold_quote": 50, **ADAPTIVE, "clip_factor": 2}},
    "dollar, null": {"bars": {"kind": "dollar", "threshold_quote": 50, "target_bars_a_day": None}},
    "time": {"bars": {"kind": "time", "interval_minutes": 240}},
    "tick": {"bars": {"kind": "tick", "threshold_ticks": 20}},
    "volume": {"bars": {"kind": "volume", "threshold_base": 7.5, **ADAPTIVE}},
    "tick_imbalance": {"bars": {"kind": "tick_imbalance", **FLOW}},
    "volume_imbalance": {"bars": {"kind": "volume_imbalance", **FLOW, "expected_base": 1}},
    "dollar_imbalance": {
        "bars": {"kind": "dollar_imbalance", **FLOW, "expected_quote": 9.5, **ADAPTIVE}
    },
    "tick_run": {"bars": {"kind": "tick_run", **FLOW, "expected_buy_fraction": 0.6}},
    "volume_run": {"bars": {"kind": "volume_run", **FLOW, "expected_base": 1.5}},
    "dollar_run": {"bars": {"kind": "dollar_run", **FLOW, "expected_quote": 9, "clip_factor": 3}},
    # events
    "every by name": {"events": {"kind": "every"}},
    "every third": {"events": {"every_n_bars": 3, "offset_bars": 2}},
    "cusum": {"events": {"kind": "cusum", "cusum_bps": 150}},
    # labels
    "horizon in bars": {"labels": {"horizon_bars": 25}},
    "null labels": {"labels": {"horizon_minutes": 60, "horizon_bars": None, "side": None}},
    "path ticks": {"labels": {"horizon_minutes": 60.5, "path": "ticks", "atr_period_bars": 20}},
    "path bars": {"labels": {"horizon_bars": 9, "path": "bars", "both_touched": "drop"}},
    "trend": {"labels": {"horizon_minutes": 1440, "side": "trend"}, "model": BINARY},
    "stop loss first": {
        "labels": {"horizon_minutes": 1440, "path": "bars", "both_touched": "stop_loss_first"},
        "model": BINARY,
    },
    # barrier policies
    "month without kind": {"barrier_policy": LEVELS},
    "month, longer": {"barrier_policy": {**LEVELS, "kind": "month", "lookback_months": 3}},
    "month, in sample": {"barrier_policy": {**LEVELS, "in_sample": True, "min_events": 9}},
    "month, out of sample": {"barrier_policy": {**LEVELS, "in_sample": False}},
    "regime": {"barrier_policy": {**LEVELS, "kind": "regime", "max_events": 900}},
    "global": {"barrier_policy": {**LEVELS, "kind": "global", "winsor_quantile": 1}},
    "fixed": {
        "barrier_policy": {"kind": "fixed", "take_profit_multiple": 2.5, "stop_loss_multiple": 1}
    },
    "percent": {
        "barrier_policy": {
            "kind": "percent",
            "take_profit_percent": 2,
            "stop_loss_percent": 1.5,
            "in_sample": False,
        }
    },
    # the others
    "regimes by month": {"regime_features": {"regime_by_month": {"2012-01": 0, "2012-02": 2}}},
    "regime spans": {"regime_features": {"return_minutes": 90}},
    "folds": {"folds": {"embargo_minutes": 2880, "early_stop_fraction": 0.2}},
    "images": {
        "images": {
            "windows_bars": [16, 40],
            "size_pixels": 32,
            "channels": ["gasf", "volume_mtf"],
            "sample_range": [0, 1],
            "engine": "torch",
        }
    },
    "patchify": {
        "model": {
            "architecture": "patchify",
            "class_weights": [1, 2, 1],
            "gradient_clip": None,
            "schedule": "cosine",
            "n_seeds": 3,
            "deterministic": True,
            "device": "cpu",
        }
    },
    "balanced": {"model": {**BINARY, "class_weights": "balanced", "focal_gamma": 1.5}},
    "trading": {
        "walk_forward": {
            "fee_bps": 1.5,
            "slippage_bps": 0,
            "half_spread_bps": 0.25,
            "latency_ms": 50,
            "sizing": "fixed",
        },
        "motifs": {"max_events": 64},
        "seed": 11,
    },
}

OUTAGE = {"start": "2012-01-02", "end": "2012-01-03T04:00:00+00:00", "reason": "maintenance"}
MARKETS: dict[str, dict[str, Any]] = {
    "bitstamp_usd": {},
    "vendor": {"vendor": "bitcoincharts", "strict_gaps": True},
    "no columns": {"vendor": "generic"},
    "columns": {"columns": {"price": "p", "side": "taker"}, "header": ["timestamp", "p", "taker"]},
    "contracts": {"contract_size": 100, "contract_is_inverse": True, "last_month": None},
    "outages": {"outages": [OUTAGE], "synthetic": True},
    "candles": {"candle_minutes": 60},
    "candles of a vendor": {"candle_minutes": 1, "vendor": "binance_klines"},
    "columns of candles": {
        "candle_minutes": 0.5,
        "vendor": "generic",
        "columns": {"timestamp": "t", "close": "c", "quote_volume": "turnover"},
    },
}
