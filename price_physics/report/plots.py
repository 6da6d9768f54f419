"""Draw the report's plots as PNG bytes: equity and drawdown, values, reliability, confusion."""

from typing import Any

import numpy as np
import pandas as pd

from price_physics.figures import Theme, new_figure, png, style
from price_physics.months import Month
from price_physics.report.curves import Curves
from price_physics.report.format import count, decimal, percent

Numbers = dict[str, Any]
NOTHING = "Nothing out of sample yet"
MOST_SPANS = 2_000
"""A picture is not wide enough to show more, and a million bars would take minutes to draw."""


def draw(numbers: Numbers, curves: Curves, theme: Theme) -> dict[str, bytes]:
    """Draw every plot of the report in one theme, by file name."""
    with style(theme):
        return {
            "equity.png": _equity(numbers, curves, theme),
            "values.png": _values(numbers["values"], theme),
            "reliability.png": _reliability(numbers["reliability"], theme),
            "confusion.png": _confusion(numbers["confusion"], theme),
        }


# ---------------------------------------------------------------------------- equity
def _equity(numbers: Numbers, curves: Curves, theme: Theme) -> bytes:
    if not len(curves.time_ns):
        return _nothing(theme)
    figure = new_figure(9, 5.4)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
    months = _shown_months(numbers)
    above.axhline(0, color=theme.muted, linewidth=0.9)
    for x, level, name, colour, width in (
        (curves.day_ns, curves.market, "Buy and hold", theme.market, 1.3),
        (curves.time_ns, curves.gross, "Before costs", theme.gross, 1.3),
        (curves.time_ns, curves.net, "Net of costs", theme.net, 2.2),
    ):
        shown = outline(x, level)
        above.plot(
            _days(x[shown]), 100 * (level[shown] - 1), color=colour, linewidth=width, label=name
        )
    above.set_title("Return since the first out-of-sample month")
    above.yaxis.set_major_formatter(_signed_percent)
    above.legend(loc="best", ncols=3, fontsize=10, reverse=True)
    shown = outline(curves.time_ns, curves.drawdown)
    time, fallen = _days(curves.time_ns[shown]), 100 * curves.drawdown[shown]
    below.fill_between(time, fallen, 0, color=theme.loss, alpha=0.3, linewidth=0)
    below.plot(time, fallen, color=theme.loss, linewidth=1)
    below.set_title("Drawdown of net equity", fontsize=11)
    below.yaxis.set_major_formatter(_signed_percent)
    for axes in (above, below):
        _mark_months(axes, numbers, months, theme)
    above.set_xlim(*_days(np.array([months[0].start_ns, months[-1].stop_ns])))
    return png(figure)


def outline(time_ns: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Select the points that a picture needs: first, last, lowest and highest of each span of time.

    A short curve keeps all of its points.

    Examples
    --------
    >>> outline(np.array([0, 1, 2]), np.array([1.0, 0.5, 2.0]))
    array([0, 1, 2])
    """
    if len(level) <= 4 * MOST_SPANS:
        return np.arange(len(level))
    edges = np.linspace(time_ns[0], time_ns[-1], MOST_SPANS + 1)[1:-1]
    span = np.searchsorted(edges, time_ns, side="right")
    levels, ends = pd.Series(level).groupby(span), np.flatnonzero(np.diff(span))
    kept = [[0, len(level) - 1], ends, ends + 1, levels.idxmin(), levels.idxmax()]
    return np.unique(np.concatenate(kept))


def _shown_months(numbers: Numbers) -> list[Month]:
    """Select all months, but no more of the leading warm-up than there are others: it is empty."""
    rows = numbers["months"]
    served = [i for i, row in enumerate(rows) if row["warm_up"] is None]
    first = max(0, served[0] - len(rows) + served[0])
    return [Month.parse(row["month"]) for row in rows[first:]]


def _mark_months(axes: Any, numbers: Numbers, months: list[Month], theme: Theme) -> None:
    """Put a tick at the start of every month (or every few); shade warm-up, and name it once."""
    every = max(1, len(months) // 12)
    starts = [m for m in months if (m - months[0]) % every == 0]
    axes.set_xticks(_days(np.array([m.start_ns for m in starts])), [str(m) for m in starts])
    axes.tick_params(axis="x", labelsize=9.5)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("left")
    warm_up = {row["month"] for row in numbers["months"] if row["warm_up"]}
    shaded = [m for m in months if str(m) in warm_up]
    for month in shaded:
        axes.axvspan(*_days(np.array([month.start_ns, month.stop_ns])), color=theme.shade, lw=0)
    if shaded and axes.get_subplotspec().is_first_row():
        x = _days(np.array([shaded[0].start_ns]))[0]
        axes.annotate(
            "warm-up",
            (x, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(6, -6),
            textcoords="offset points",
            va="top",
            color=theme.muted,
            fontsize=10,
        )


def _days(time_ns: np.ndarray) -> np.ndarray:
    """Convert to days since 1970; the ticks are months, so the axis needs no calendar."""
    return time_ns / 86_400e9


def _signed_percent(value: float, _position: int) -> str:
    return percent(value / 100, 0 if float(value).is_integer() else 1, sign=True)


# ---------------------------------------------------------------------------- scores
def _values(numbers: Numbers | None, theme: Theme) -> bytes:
    if numbers is None:
        return _nothing(theme)
    rows = numbers["tenths"]
    stated = [row["mean_stated_bps"] for row in rows]
    returned = np.array([row["mean_returned_bps"] for row in rows])
    ends = [
        [
            np.nan if row[f"returned_{end}_bps"] is None else row[f"returned_{end}_bps"]
            for row in rows
        ]
        for end in ("low", "high")
    ]
    figure = new_figure(9, 4.4)
    axes = figure.subplots()
    tenth = np.arange(1, len(rows) + 1)
    axes.axhline(0, color=theme.muted, linewidth=0.9)
    axes.plot(tenth, stated, color=theme.gross, marker="s", linestyle="--", lw=1.3, label="stated")
    reach = np.abs(np.array(ends) - returned)
    axes.errorbar(
        tenth,
        returned,
        yerr=reach,
        color=theme.net,
        marker="o",
        capsize=3,
        lw=1.6,
        label="returned",
    )
    axes.set_xticks(tenth)
    axes.set_xlabel("tenth of the events, by stated value")
    axes.set_ylabel("basis points before costs")
    axes.set_title("What events were said to be worth, and what they returned")
    axes.legend(loc="best")
    return png(figure)


def _reliability(numbers: Numbers | None, theme: Theme) -> bytes:
    if numbers is None:
        return _nothing(theme)
    bins = numbers["bins"]
    predicted = [b["mean_probability"] for b in bins]
    observed = [b["frequency"] for b in bins]
    n = np.array([b["n_events"] for b in bins])
    figure = new_figure(9, 5)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    axes.plot([0, 1], [0, 1], color=theme.muted, linestyle="--", linewidth=1.2, label="perfect")
    band = 1.96 * np.sqrt(np.array(observed) * (1 - np.array(observed)) / n)
    axes.errorbar(predicted, observed, yerr=band, color=theme.net, marker="o", capsize=3, lw=1.6)
    axes.set_ylabel("observed frequency")
    axes.set_ylim(-0.02, 1.02)
    error = decimal(numbers["calibration_error_equal_width"], 3)
    floor = decimal(numbers["calibration_floor_equal_width"], 3)
    axes.set_title(
        f"Predicted and observed p(up): calibration error, equal width, {error}; floor {floor}"
    )
    axes.legend(loc="upper left")
    centres = [(b["lower"] + b["upper"]) / 2 for b in bins]
    widths = [0.92 * (b["upper"] - b["lower"]) for b in bins]
    bars = counts.bar(centres, n, width=widths, color=theme.gross)
    counts.bar_label(bars, [count(k) for k in n], fontsize=9, color=theme.muted, padding=1)
    counts.margins(y=0.28)
    counts.set_ylabel("events")
    counts.set_xlabel("predicted p(up)")
    counts.set_xlim(0, 1)
    return png(figure)


def _confusion(numbers: Numbers | None, theme: Theme) -> bytes:
    if numbers is None:
        return _nothing(theme)
    from matplotlib.colors import LinearSegmentedColormap

    classes, shares = (
        numbers["classes"],
        np.array([[0.0 if s is None else s for s in row] for row in numbers["row_shares"]]),
    )
    figure = new_figure(9, 3.9)
    axes = figure.subplots()
    colours = LinearSegmentedColormap.from_list("shares", [theme.shade, theme.net])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1, aspect="auto")
    for i, row in enumerate(numbers["counts"]):
        for j, n in enumerate(row):
            dark_cell = shares[i, j] > 0.75
            axes.text(
                j,
                i,
                f"{count(n)}\n{percent(numbers['row_shares'][i][j], 0)}",
                ha="center",
                va="center",
                fontsize=12,
                color=theme.background if dark_cell else theme.ink,
            )
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0, labelsize=11)
    axes.set_xlabel("predicted (likeliest class)")
    axes.set_ylabel("came out")
    axes.set_title("Counts, and shares of what came out")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return png(figure)


def _nothing(theme: Theme) -> bytes:
    figure = new_figure(9, 2)
    figure.text(0.5, 0.5, NOTHING, ha="center", va="center", fontsize=14, color=theme.muted)
    return png(figure)
