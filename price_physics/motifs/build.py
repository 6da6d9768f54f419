"""Motifs of one month: the events a model leaned on most, grouped, drawn and put into words.

The model is the one that served the month; no label of the month trained it. Attribution
describes the network; whether what it sees makes money is the business of the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from price_physics.images.threads import one_cpu_thread
from price_physics.images.windows import CLOSE, window_ends
from price_physics.model.predict import TrainedModel, probability_columns
from price_physics.months import Month
from price_physics.motifs import attribution, cluster, paths, plots, words
from price_physics.schemas import FEATURE_COLUMNS, MOTIF_MEMBERS, MOTIFS
from price_physics.study import Study

_SIDES = ((1, "long"), (-1, "short"))


@dataclass(frozen=True)
class MotifsResult:
    """Motifs of a month: tables MOTIFS and MOTIF_MEMBERS, PNG by file name, a listing."""

    motifs: pd.DataFrame
    members: pd.DataFrame
    plots: dict[str, bytes]
    markdown: str
    warm_up: str | None


@dataclass(frozen=True)
class Motif:
    """One motif with all that is drawn of it; `events` are rows of the month's candidates."""

    name: str
    side: int
    events: pd.DataFrame
    shape: words.Shape
    band: np.ndarray  # (2, n_points): 10th and 90th percentile of the paths
    attribution: np.ndarray  # (S, S), mean Grad-CAM
    rendered: np.ndarray  # (S, S), mean of one rendered channel
    channel_name: str


@one_cpu_thread()
def build_motifs(
    study: Study,
    month: Month,
    *,
    model: TrainedModel | None,
    bars: Mapping[Month, pd.DataFrame],
    windows: Mapping[Month, pd.DataFrame],
    features: Mapping[Month, pd.DataFrame],
    labels: pd.DataFrame,
    predictions: Mapping[Month, pd.DataFrame],
    scored: pd.DataFrame,
) -> MotifsResult:
    """Explain the month's labelled events with the model that served it.

    Parameters
    ----------
    study : Study
    month : Month
    model : TrainedModel or None
        The model trained through the month before; None while warming up.
    bars : mapping of month to BARS
        Months m-2 to m.
    windows, features, predictions : mapping of month to table
        IMAGE_WINDOWS, REGIME_FEATURES and PREDICTIONS of m-1 and m.
    labels, scored : DataFrame
        LABELS and SCORED of m.

    Returns
    -------
    MotifsResult
        With `warm_up` set, and nothing in it, when there is nothing to explain.
    """
    if model is None:
        return _warm_up(study, month, "no model served this month")
    known = _candidates(windows, features, labels, predictions, scored)
    needed = study.motifs.min_events_a_motif
    if len(known) < 2 * needed:
        return _warm_up(
            study, month, f"{len(known)} labelled events with a picture, {2 * needed} are needed"
        )
    series, ends = window_ends(bars, known["event_time_ns"].to_numpy())
    # Events of m-1 were predicted by an older model: ask the one that is explained, for all.
    features_seen = known[FEATURE_COLUMNS].to_numpy(dtype=np.float64)
    own = model.probabilities(model.logits(series, ends, features_seen)).numpy()
    known = known.assign(**probability_columns(own))
    motifs = [
        motif
        for side, word in _SIDES
        for motif in _side_motifs(study, model, known, series, ends, side, word)
    ]
    if not motifs:
        return _warm_up(study, month, "the model told no event from any other")
    descriptions = words.describe_all([m.shape for m in motifs])
    table = _motif_table(motifs, descriptions, scored, month)
    window = _window(study)
    return MotifsResult(
        motifs=table,
        members=_member_table(motifs, month),
        plots={f"{m.name}.png": plots.motif_png(m, window) for m in motifs}
        | {"overview.png": plots.overview_png(motifs, window)},
        markdown=_markdown(study, month, table, known),
        warm_up=None,
    )


def _candidates(
    windows: Mapping[Month, pd.DataFrame],
    features: Mapping[Month, pd.DataFrame],
    labels: pd.DataFrame,
    predictions: Mapping[Month, pd.DataFrame],
    scored: pd.DataFrame,
) -> pd.DataFrame:
    """Labelled events of the month that were predicted and have a window, in order of time."""
    events = scored.merge(labels[["event_time_ns"]], on="event_time_ns")
    for tables, columns in (
        (windows, ["event_time_ns"]),
        (predictions, ["event_time_ns"]),
        (features, ["event_time_ns", *FEATURE_COLUMNS]),
    ):
        frames = [tables[m][columns] for m in sorted(tables)]
        if not frames:
            return events.iloc[:0]
        events = events.merge(pd.concat(frames, ignore_index=True), on="event_time_ns")
    return events.sort_values("event_time_ns", ignore_index=True)


def _side_motifs(
    study: Study,
    model: TrainedModel,
    known: pd.DataFrame,
    series: np.ndarray,
    ends: np.ndarray,
    side: int,
    word: str,
) -> list[Motif]:
    config = study.motifs
    leaning = cluster.lean(known["p_up"].to_numpy(), known["p_down"].to_numpy(dtype=np.float64))
    chosen = cluster.confident_events(leaning, side, config.max_events)
    if len(chosen) < config.min_events_a_motif:
        return []
    three_classes = study.model.head == "three_class"
    channel = _channel(study, model.renderer.channel_names)
    maps, rendered = attribution.explain(
        model,
        series,
        ends[chosen],
        known.loc[chosen, FEATURE_COLUMNS].to_numpy(dtype=np.float64),
        class_index={1: 2 if three_classes else 1, -1: 0}[side],
        channel=channel,
    )
    shapes = paths.standard_paths(series[CLOSE], ends[chosen], _window(study))
    profile = attribution.time_profile(maps)
    found = cluster.cluster(
        cluster.cluster_features(shapes.path, profile),
        min(config.max_motifs_a_side, len(chosen) // config.min_events_a_motif),
        study.seed,
    )
    events = known.loc[chosen].reset_index(drop=True).assign(distance=found.distance)
    name = model.renderer.channel_names[channel]
    motifs = []
    for k in range(found.n_clusters):
        of = found.member == k
        pictures = maps[of].mean(axis=0), rendered[of].mean(axis=0), name
        shape, band = _shape(shapes, of, profile[of].mean(axis=0))
        motifs.append(Motif(f"{word}-{k + 1}", side, events[of], shape, band, *pictures))
    return motifs


def _shape(
    shapes: paths.Paths, of: np.ndarray, attention: np.ndarray
) -> tuple[words.Shape, np.ndarray]:
    """Average the events of a cluster; the band holds their 10th and 90th percentile."""
    shape = words.Shape(
        path=shapes.path[of].mean(axis=0),
        spread=float(shapes.path[of].std(axis=0).mean()),
        volatility_ratio=paths.volatility_ratio(shapes.early[of], shapes.late[of]),
        attention=attention,
    )
    return shape, np.quantile(shapes.path[of], [0.1, 0.9], axis=0)


def _window(study: Study) -> int:
    """The window of middle length: what the paths are cut from."""
    lengths = sorted(study.images.windows_bars)
    return lengths[len(lengths) // 2]


def _channel(study: Study, names: list[str]) -> int:
    """The channel shown: GADF of the middle window, which tells rise from fall, or the first."""
    wanted = f"gadf_{_window(study)}"
    return names.index(wanted) if wanted in names else 0


# ---------------------------------------------------------------------------- tables
def _motif_table(
    motifs: list[Motif], descriptions: list[str], scored: pd.DataFrame, month: Month
) -> pd.DataFrame:
    rows = []
    for motif, description in zip(motifs, descriptions, strict=True):
        events, side = motif.events, motif.side
        nearest = events.sort_values(["distance", "event_time_ns"]).iloc[0]
        rows.append(
            {
                "motif": motif.name,
                "side": side,
                "n_events": len(events),
                "mean_probability": float(_probability(events, side).mean()),
                "hit_rate": float(_hits(events, side).mean()),
                "base_rate": float(_hits(scored, side).mean()),
                "mean_outcome_bps": float(side * events["outcome_bps"].mean()),
                "prototype_event_ns": int(nearest["event_time_ns"]),
                "description": description,
                "known_at": month.end_ns,
            }
        )
    return pd.DataFrame(rows, columns=MOTIFS.columns).astype({"side": "int8"})


def _probability(events: pd.DataFrame, side: int) -> np.ndarray:
    p_up = events["p_up"].to_numpy()
    if side > 0:
        return p_up
    p_down = events["p_down"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(p_down), 1 - p_up, p_down)


def _hits(events: pd.DataFrame, side: int) -> np.ndarray:
    """Whether the label is the side's; with the binary head "down" is all but take-profit."""
    label = events["label"].to_numpy()
    if side < 0 and events["p_down"].isna().all():
        return label != 1
    return label == side


def _member_table(motifs: list[Motif], month: Month) -> pd.DataFrame:
    frames = [
        m.events[["event_time_ns", "distance"]].assign(motif=m.name, known_at=month.end_ns)
        for m in motifs
    ]
    return pd.concat(frames, ignore_index=True)[MOTIF_MEMBERS.columns]


# ---------------------------------------------------------------------------- listing
def _markdown(study: Study, month: Month, table: pd.DataFrame, known: pd.DataFrame) -> str:
    leaning = cluster.lean(known["p_up"].to_numpy(), known["p_down"].to_numpy(dtype=np.float64))
    spread = float(np.diff(np.quantile(leaning, [0.1, 0.9]))[0])
    lines = [
        f"# Motifs of {study.name}, {month}",
        "",
        f"{int(table['n_events'].sum())} of {len(known)} labelled events are explained: those that "
        "lean most to either side of the month's median. Between the 10th and the 90th percentile "
        f"of these events the lean differs by {100 * spread:.2f} percentage points.",
        "",
        "A description of the network, not evidence about the market. Grad-CAM is blunt: on "
        "planted patterns it puts 28 to 41 % of its mass on the bars that carry the pattern, "
        "where an even spread puts 28 %.",
        "",
    ]
    for row in table.itertuples():
        what = row.description[0].upper() + row.description[1:]
        lines += [
            f"## {row.motif}",
            "",
            f"{what}.",
            "",
            f"{row.n_events} events; mean probability of the side {100 * row.mean_probability:.1f} "
            f"%; hit rate {100 * row.hit_rate:.1f} % against a base rate of "
            f"{100 * row.base_rate:.1f} %; mean gross outcome {row.mean_outcome_bps:+.1f} bps; "
            f"prototype {pd.Timestamp(row.prototype_event_ns, tz='UTC'):%Y-%m-%d %H:%M:%S} UTC.",
            "",
        ]
    return "\n".join(lines)


def _warm_up(study: Study, month: Month, reason: str) -> MotifsResult:
    text = f"# Motifs of {study.name}, {month}\n\nNo motifs: {reason}.\n"
    return MotifsResult(MOTIFS.empty(), MOTIF_MEMBERS.empty(), {}, text, reason)
