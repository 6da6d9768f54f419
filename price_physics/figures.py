"""One look for every figure: themes, axes, and PNG bytes that depend on the figure alone.

Figures are built without pyplot, which keeps global state. What they show belongs elsewhere.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Theme:
    """Colours of a figure, as hex."""

    background: str
    ink: str
    muted: str
    grid: str
    shade: str
    net: str
    gross: str
    market: str
    loss: str
    attention: str


LIGHT = Theme(
    background="#ffffff",
    ink="#1c2430",
    muted="#5b6675",
    grid="#e3e7ec",
    shade="#eef0f3",
    net="#1763b6",
    gross="#6fa8dc",
    market="#b0731a",
    loss="#b3363a",
    attention="#c2521f",
)
DARK = Theme(
    background="#161b22",
    ink="#e6eaf0",
    muted="#9aa5b3",
    grid="#2b323c",
    shade="#212832",
    net="#6cb2ff",
    gross="#3d75b0",
    market="#e0a84e",
    loss="#f0777a",
    attention="#ff9460",
)


@contextmanager
def style(theme: Theme) -> Iterator[None]:
    """Draw everything inside in one theme, whatever the user's own settings."""
    import matplotlib

    settings = {
        "font.family": "DejaVu Sans",
        "font.size": 11,
        "axes.titlesize": 12,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": theme.grid,
        "axes.facecolor": theme.background,
        "axes.labelcolor": theme.muted,
        "axes.titlecolor": theme.ink,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": theme.grid,
        "grid.linewidth": 0.8,
        "text.color": theme.ink,
        "xtick.color": theme.muted,
        "ytick.color": theme.muted,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "lines.solid_capstyle": "round",
        "figure.facecolor": theme.background,
        "savefig.facecolor": theme.background,
        "path.simplify": True,
    }
    with matplotlib.rc_context(settings):
        yield


def new_figure(width: float, height: float) -> Any:
    """Return an empty Agg figure, in inches; call inside `style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Any, dpi: int = 150) -> bytes:
    """Render to PNG without date or software, so that equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
