"""The picture of the result: every AUC with its error, beside the ceiling."""

import numpy as np

from price_physics.figures import LIGHT, new_figure, png, style
from price_physics.truth.judgement import (
    BLIND,
    BOOSTED,
    CEILING,
    LOGISTIC,
    N_ERRORS,
    ORACLE,
    OURS,
    Truth,
)

_SCORES = (ORACLE, LOGISTIC, BOOSTED, OURS, BLIND)


def draw(truth: Truth) -> bytes:
    """Draw one group of marks a market, one mark a score, as PNG bytes."""
    theme = LIGHT
    palette = (theme.muted, theme.market, theme.gross, theme.net, theme.loss)
    colours = dict(zip(_SCORES, palette, strict=True))
    markets = list(dict.fromkeys(row.market for row in truth.rows))
    with style(theme):
        figure = new_figure(9.6, 4.2)
        axes = figure.subplots()
        axes.axhline(0.5, color=theme.muted, linewidth=0.9)
        for row in truth.rows:
            if row.score == CEILING and row.auc is not None and row.auc > 0.5:
                at = markets.index(row.market)
                axes.hlines(row.auc, at - 0.42, at + 0.42, color=theme.loss, linestyle="--", lw=1.4)
        for place, name in enumerate(_SCORES):
            rows = [row for row in truth.rows if row.score == name]  # not those on a card
            if not rows:
                continue
            x = np.array([markets.index(row.market) for row in rows]) + 0.18 * (place - 2)
            axes.errorbar(
                x,
                [row.auc for row in rows],
                yerr=[N_ERRORS * (row.auc_error or 0.0) for row in rows],
                fmt="o",
                markersize=8 if name == OURS else 5.5,
                capsize=3,
                color=colours[name],
                label=name,
            )
        axes.set_xticks(range(len(markets)), [name.replace("_", "-") for name in markets])
        axes.tick_params(axis="x", length=0, labelsize=11)
        axes.set_xlim(-0.6, len(markets) - 0.4)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("direction AUC")
        axes.set_title(f"Out of sample, ± {N_ERRORS:.0f} standard errors; dashed: the ceiling")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=5)
        return png(figure)
