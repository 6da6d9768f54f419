"""Pictures of motifs: one of each, and an overview."""

from typing import TYPE_CHECKING, Any

import numpy as np

from price_physics.figures import LIGHT, Theme, new_figure, png, style

if TYPE_CHECKING:
    from price_physics.motifs.motif import Motif


def motif_png(motif: "Motif", window: int) -> bytes:
    """Draw a motif: its mean path, where the network looks in the image, and in time."""
    with style(LIGHT):
        figure = new_figure(10.5, 3.7)
        path, image, time = figure.subplots(1, 3, width_ratios=[1.25, 1, 1])
        figure.suptitle(
            f"{motif.name}: {len(motif.events)} events", x=0.01, ha="left", weight="bold"
        )
        _draw_path(path, motif, window, LIGHT)
        path.set_title(f"Mean path of {window} bars", fontsize=10)
        path.set_ylabel("typical moves")
        path.set_xlabel("bars before the event")
        _draw_attribution(image, motif)
        _draw_profile(time, motif.shape.attention, LIGHT)
        return png(figure, dpi=120)


def overview_png(motifs: "list[Motif]", window: int) -> bytes:
    """Draw the mean path of every motif, one row a side."""
    sides = [[m for m in motifs if m.side == side] for side in (1, -1)]
    rows = [row for row in sides if row]
    n_columns = max(len(row) for row in rows)
    with style(LIGHT):
        figure = new_figure(max(2.7 * n_columns, 5), 2.5 * len(rows) + 0.5)
        grid = figure.subplots(len(rows), n_columns, squeeze=False, sharex=True, sharey=True)
        for axes_row, row in zip(grid, rows, strict=True):
            for axes, motif in zip(axes_row, row, strict=False):
                _draw_path(axes, motif, window, LIGHT)
                axes.set_title(f"{motif.name} ({len(motif.events)})", fontsize=10)
            for axes in axes_row[len(row) :]:
                axes.set_axis_off()
            axes_row[0].set_ylabel("typical moves")
        figure.supxlabel("bars before the event", fontsize=10, color=LIGHT.muted)
        return png(figure, dpi=120)


def _draw_path(axes: Any, motif: "Motif", window: int, theme: Theme) -> None:
    bars = np.linspace(1 - window, 0, len(motif.shape.path))
    colour = theme.net if motif.side > 0 else theme.loss
    axes.fill_between(bars, *motif.band, color=colour, alpha=0.16, linewidth=0, label="10 to 90 %")
    axes.plot(bars, motif.shape.path, color=colour)
    axes.axhline(0, color=theme.muted, linewidth=0.8, linestyle=":")
    axes.set_xlim(bars[0], bars[-1])
    axes.locator_params(axis="x", integer=True, nbins=5)


def _draw_attribution(axes: Any, motif: "Motif") -> None:
    """The mean channel in grey under the mean attribution in colour."""
    axes.imshow(motif.rendered, cmap="Greys", interpolation="nearest", origin="upper")
    relative = motif.attribution / motif.attribution.max()
    axes.imshow(relative, cmap="inferno", alpha=0.75 * relative, interpolation="bilinear")
    axes.set_title(f"Grad-CAM over mean {motif.channel_name}", fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)


def _draw_profile(axes: Any, attention: np.ndarray, theme: Theme) -> None:
    n = len(attention)
    axes.bar((np.arange(n) + 0.5) / n, attention * n, width=1 / n, color=theme.attention)
    axes.axhline(1, color=theme.muted, linewidth=1, linestyle="--", label="even")
    axes.set_xlim(0, 1)
    axes.set_title("Attention in time", fontsize=10)
    axes.set_xlabel("fraction of the window")
    axes.set_ylabel("times even")
    axes.legend(loc="upper left", fontsize=9)
