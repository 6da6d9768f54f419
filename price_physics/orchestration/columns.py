"""Which columns of an asset come, unchanged, from which columns of what it reads.

Only what is carried or summed up directly is listed: a network's output comes from everything.
"""

import dagster as dg

from price_physics.pipeline.dag import owner_of
from price_physics.schemas.table import ODDS
from price_physics.study.market import Market

_OF_TICKS = {
    "open_time_ns": ("time_ns",),
    "close_time_ns": ("time_ns",),
    **dict.fromkeys(("open", "high", "low", "close"), ("price",)),
    "volume": ("qty",),
    **dict.fromkeys(("notional", "vwap"), ("price", "qty")),
    "buy_volume": ("qty", "tick_sign"),
}
_OF_CANDLES = {
    "open_time_ns": ("open_time_ns",),
    "close_time_ns": ("close_time_ns",),
    **{c: (c,) for c in ("open", "high", "low", "close", "volume", "notional", "buy_volume")},
}
_EVENT: dict[str, tuple[str, ...]] = {"event_time_ns": ("close_time_ns",)}
_BARRIERS: dict[str, tuple[str, ...]] = {
    c: (c,) for c in ("take_profit_multiple", "stop_loss_multiple")
}

_LINEAGE: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "regime_features": {
        "bars": {
            **_EVENT,
            **dict.fromkeys(
                ("trailing_return", "trailing_volatility", "regime"), ("close", "close_time_ns")
            ),
        }
    },
    "excursions": {"bars": {**_EVENT, "atr": ("high", "low", "close")}},
    "barrier_policy": {
        "excursions": {
            "take_profit_multiple": ("favourable_atr",),
            "stop_loss_multiple": ("adverse_atr",),
        },
        "regime_features": {"regime": ("regime",)},
    },
    "labels": {
        "bars": {**_EVENT, "price": ("close",), "atr": ("high", "low", "close")},
        "barrier_policy": _BARRIERS,
    },
    "weights": {
        "labels": {
            "event_time_ns": ("event_time_ns",),
            "average_uniqueness": ("event_time_ns", "label_end_ns"),
        }
    },
    "images": {"bars": {**_EVENT, "window_start_ns": ("open_time_ns",)}},
    "probabilities": {
        "bars": {**_EVENT, "price": ("close",), "atr": ("high", "low", "close")},
        "barrier_policy": _BARRIERS,
    },
    "predictions": {
        "probabilities": {
            c: (c,)
            for c in (
                *("event_time_ns", "horizon_end_ns", "price", "atr", *_BARRIERS, "upper", "lower"),
                *(*ODDS, "by_network", "p_up", "p_flat", "p_down"),
            )
        }
    },
}


def lineage_of(asset: str, owner: str, market: Market) -> dg.TableColumnLineage | None:
    """The lineage of the columns of an asset's first table; None where there is none to tell."""
    reads = {"ticks": _OF_CANDLES if market.candle_ns else _OF_TICKS}
    lineage = reads if asset == "bars" else _LINEAGE.get(asset)
    if not lineage:
        return None
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for upstream, columns in lineage.items():
        key = dg.AssetKey([owner_of(upstream, owner, market.name), upstream])
        for column, sources in columns.items():
            deps.setdefault(column, []).extend(dg.TableColumnDep(key, source) for source in sources)
    return dg.TableColumnLineage(deps)
