"""What an asset's page shows of a month: numbers that Dagster plots by month, text and pictures.

Taken from what is stored, so that a month that was found current shows the same as one computed.
"""

import io
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import numpy as np

from price_physics.orchestration.checks.tables import n_rows
from price_physics.orchestration.tracked import numbers_in, verdict_metrics
from price_physics.past import Known
from price_physics.schemas.bars import BARS
from price_physics.schemas.folds import FOLD_MEMBERS
from price_physics.schemas.images import DROPPED_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.motifs import MOTIFS
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.walk_forward import DAILY, EQUITY, TRADES
from price_physics.schemas.weights import WEIGHTS
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition

Shown = dict[str, Any]

_WIDTH_PIXELS = 720
"""Pictures lie in Dagster's database, so they are small."""


def shown_of(asset: str, found: Artefact | Partition) -> Mapping[str, Any]:
    """What the page of an asset shows of a month; Dagster's metadata values."""
    shown = _SHOWN[asset](found) if asset in _SHOWN else {}
    if found.warm_up:
        shown = {"warm_up": f"warm-up: {found.warm_up}", **shown}
    return {name: value for name, value in shown.items() if value is not None}


def _file(found: Known, name: str) -> bytes:
    return found.files[name] if isinstance(found, Artefact) else found.file(name)  # type: ignore[attr-defined]


def _names(found: Known) -> list[str]:
    return list(found.files) if isinstance(found, Artefact) else found.file_names  # type: ignore[attr-defined]


def picture(png: bytes) -> dg.MetadataValue:
    """A picture, made small, as Markdown that holds its bytes."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGB")
        small.thumbnail((_WIDTH_PIXELS, 4 * _WIDTH_PIXELS))
    out = io.BytesIO()
    small.quantize(64).save(out, "PNG", optimize=True)
    return dg.MetadataValue.md(f"![](data:image/png;base64,{b64encode(out.getvalue()).decode()})")


def _ticks(found: Known) -> Shown:
    quality = found.document("quality")
    n_rows_read = quality["rows_read"]
    return {
        "score": quality["score"],
        "completeness": quality["completeness"],
        "missing_days": len(quality["missing_days"]),
        "share_set_aside": quality["quarantined"] / n_rows_read if n_rows_read else 0.0,
        "quality": dg.MetadataValue.json(quality),
    }


def _bars(found: Known) -> Shown:
    bars = found.table(BARS.name, ["n_ticks", "notional", "close"])
    if not len(bars):
        return {}
    return {
        "ticks_a_bar": float(bars["n_ticks"].mean()),
        "turnover_quote": float(bars["notional"].sum()),
        "last_close": float(bars["close"].iloc[-1]),
    }


def _regime_features(found: Known) -> Shown:
    frame = found.table(REGIME_FEATURES.name, ["trailing_volatility", "regime"])
    shares = {f"share_of_regime_{k}": float((frame["regime"] == k).mean()) for k in (0, 1, 2)}
    return (
        shares | {"mean_volatility": float(frame["trailing_volatility"].mean())}
        if len(frame)
        else {}
    )


def _excursions(found: Known) -> Shown:
    frame = found.table(EXCURSIONS.name, ["favourable_atr", "adverse_atr"])
    return {f"median_{c}": float(frame[c].median()) for c in frame} if len(frame) else {}


def _policy(found: Known) -> Shown:
    frame = found.table(BARRIER_POLICY.name)
    columns = ("take_profit_multiple", "stop_loss_multiple")
    means = {column: float(frame[column].mean()) for column in columns}
    return {**means, "policy": dg.MetadataValue.md(frame.to_markdown(index=False))}


def _labels(found: Known) -> Shown:
    label, counts = found.table(LABELS.name, ["label"])["label"], found.document("counts")
    return {
        **{
            f"labels/{k}": int((label == v).sum())
            for k, v in (("up", 1), ("flat", 0), ("down", -1))
        },
        **{f"dropped/{reason}": n for reason, n in counts["dropped"].items()},
        **{name: n for name, n in counts.items() if name in ("undecidable", "bars_merged")},
    }


def _weights(found: Known) -> Shown:
    frame = found.table(WEIGHTS.name, ["average_uniqueness"])
    mean = float(frame["average_uniqueness"].mean()) if len(frame) else None
    return {"mean_uniqueness": mean}


def _images(found: Known) -> Shown:
    shown: Shown = {"dropped": n_rows(found, DROPPED_WINDOWS)}
    if "contact_sheet.png" in _names(found):
        shown["contact_sheet"] = picture(_file(found, "contact_sheet.png"))
    return shown


def _folds(found: Known) -> Shown:
    return {"members": n_rows(found, FOLD_MEMBERS)}


def _model(found: Known) -> Shown:
    return {**numbers_in(found.document("summary"))}


def _predictions(found: Known) -> Shown:
    frame = found.table(PREDICTIONS.name, ["side", "size", "margin", "by_network"])
    side = frame["side"]
    if not len(frame):
        return {}
    return {
        "signals/long": int((side > 0).sum()),
        "signals/short": int((side < 0).sum()),
        "mean_size": float(frame["size"].mean()),
        "mean_margin": float(frame["margin"].mean()),
        "share_by_network": float(frame["by_network"].mean()),
    }


def _walk_forward(found: Known) -> Shown:
    daily, equity = found.table(DAILY.name), found.table(EQUITY.name, ["equity"])["equity"]
    peak = np.maximum.accumulate(equity.to_numpy(np.float64)) if len(equity) else np.ones(1)
    trades = found.table(TRADES.name, ["net_bps"])["net_bps"]
    return {
        "trades": len(trades),
        "net_return": float((1 + daily["net_return"]).prod() - 1),
        "gross_return": float((1 + daily["gross_return"]).prod() - 1),
        "costs": float(daily["cost"].sum()),
        "largest_drawdown": float((equity / peak - 1).min()) if len(equity) else None,
        "mean_net_bps_a_trade": float(trades.mean()) if len(trades) else None,
        "days_without_data": int((~daily["covered"]).sum()),
    }


def _report(found: Known) -> Shown:
    numbers = json.loads(_file(found, "report.json"))
    verdict, headline = numbers["verdict"], numbers["headline"]
    shown: Shown = {
        "verdict": dg.MetadataValue.md(f"**{verdict['verdict']}**: {verdict['sentence']}"),
        **{f"so_far/{name}": value for name, value in verdict_metrics(verdict).items()},
        **{f"so_far/{name}": headline[name] for name in ("net_return", "max_drawdown")},
        "text": dg.MetadataValue.md(_file(found, "report.md").decode()),
    }
    if "equity.png" in _names(found):
        shown["equity"] = picture(_file(found, "equity.png"))
    return shown


def _motifs(found: Known) -> Shown:
    shown: Shown = {
        "explained_events": int(found.table(MOTIFS.name, ["n_events"])["n_events"].sum())
    }
    if "motifs.md" in _names(found):
        shown["motifs"] = dg.MetadataValue.md(_file(found, "motifs.md").decode())
    pictures = sorted(name for name in _names(found) if name.endswith(".png"))
    if pictures:
        first = "overview.png" if "overview.png" in pictures else pictures[0]
        shown["picture"] = picture(_file(found, first))
    return shown


_SHOWN: dict[str, Callable[[Known], Shown]] = {
    "ticks": _ticks,
    "bars": _bars,
    "regime_features": _regime_features,
    "excursions": _excursions,
    "barrier_policy": _policy,
    "labels": _labels,
    "weights": _weights,
    "images": _images,
    "folds": _folds,
    "model": _model,
    "predictions": _predictions,
    "walk_forward": _walk_forward,
    "report": _report,
    "motifs": _motifs,
}
