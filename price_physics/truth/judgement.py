"""Targets and verdict: the network must find what was planted, and nothing where nothing was."""

from dataclasses import asdict, dataclass
from typing import Any

from price_physics.scores.delong import ComparedAucs
from price_physics.truth.markets import Kind, ceiling_auc

LEAST_SHARE = 0.90
"""Least share of the oracle's excess over 0.5 on the same events."""
LEAST_SHARE_ON_CARD = 0.97
"""The same of the default network, trained on a CUDA card on more events."""
N_ERRORS = 3.0
"""Standard errors within which a score counts as its expected value."""

CEILING, ORACLE, LOGISTIC, BOOSTED, OURS = (
    "ceiling, closed form",
    "oracle, same events",
    "logistic regression",
    "boosted trees",
    "network",
)
ON_CARD = "default network, 120k events, CUDA"
NO_CARD = "no CUDA card was at hand: not measured"


@dataclass(frozen=True)
class TargetRow:
    """One score on one market.

    `share` is that of the oracle's excess over 0.5, None where there is no excess. `passed` is None
    where there is no target. `auc` is None where nothing could be measured; `target` says why.
    """

    market: Kind
    score: str
    auc: float | None
    auc_error: float | None = None
    share: float | None = None
    share_error: float | None = None
    target: str = ""
    passed: bool | None = None


def hold_to_targets(kind: Kind, aucs: ComparedAucs) -> list[TargetRow]:
    """Hold every score on one market against its target.

    Parameters
    ----------
    kind : Kind
    aucs : ComparedAucs
        Of `ORACLE`, `LOGISTIC`, `BOOSTED` and `OURS`, on the same events.

    Returns
    -------
    list of TargetRow
        The ceiling first, then in that order.
    """
    ceiling = ceiling_auc(kind)
    planted = ceiling > 0.5
    rows = [TargetRow(kind, CEILING, ceiling)]
    for name in (ORACLE, LOGISTIC, BOOSTED, OURS):
        auc, error = aucs.of(name)
        share = share_error = passed = None
        target = ""
        if planted and name != ORACLE:
            share, share_error = aucs.share(name, ORACLE)
        if name == ORACLE and planted:
            target, passed = _near(auc, error, ceiling)
        elif name == OURS and share is not None:
            target, passed = f"share at least {LEAST_SHARE:.2f}", share >= LEAST_SHARE
        elif name == OURS or (name == LOGISTIC and kind == "exclusive_or"):
            target, passed = _near(auc, error, 0.5)
        rows.append(TargetRow(kind, name, auc, error, share, share_error, target, passed))
    return rows


def hold_card_to_target(kind: Kind, aucs: ComparedAucs | None) -> TargetRow:
    """Hold the default network against its target; without AUCs the row says that it was not run.

    Parameters
    ----------
    kind : Kind
        A market with a pattern to find.
    aucs : ComparedAucs, optional
        Of `ORACLE` and `OURS`, on the same events.
    """
    if aucs is None:
        return TargetRow(kind, ON_CARD, None, target=NO_CARD)
    share, share_error = aucs.share(OURS, ORACLE)
    target, passed = f"share at least {LEAST_SHARE_ON_CARD:.2f}", share >= LEAST_SHARE_ON_CARD
    return TargetRow(kind, ON_CARD, *aucs.of(OURS), share, share_error, target, passed)


def _near(auc: float, error: float, value: float) -> tuple[str, bool]:
    return f"{value:.4g} ± {N_ERRORS:.0f} errors", abs(auc - value) <= N_ERRORS * error


@dataclass(frozen=True)
class Truth:
    """The result of a run.

    Attributes
    ----------
    seed : int
        Seed of the markets and of the studies.
    rows : list of TargetRow
    markets : dict of str to dict
        Counts of events and of epochs, by market; a market on a CUDA card has an entry of its own.
    settings : dict
        Sections of the studies that were run.
    """

    seed: int
    rows: list[TargetRow]
    markets: dict[str, dict[str, Any]]
    settings: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every target was met."""
        return all(row.passed is not False for row in self.rows)

    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        return {**asdict(self), "passed": self.passed}

    def cells(self) -> list[list[str]]:
        """The table for people: one row a score; only a market's first row names it."""
        cells, last = [], ""
        for row in self.rows:
            auc = "" if row.auc is None else _value(row.auc, row.auc_error, 4)
            share = "" if row.share is None else _value(row.share, row.share_error, 3)
            verdict = {None: "", True: "PASS", False: "FAIL"}[row.passed]
            name = row.market if row.market != last else ""
            cells.append([name, row.score, auc, share, row.target, verdict])
            last = row.market
        return cells

    def text(self) -> str:
        """Table and verdict."""
        rows = [COLUMNS, *self.cells()]
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, "", self._sentence()])

    def markdown(self, picture: str) -> str:
        """The same as a page, with a picture that lies beside it."""
        lines = ["# What was planted, and what was found", "", self._sentence(), ""]
        lines += [f"![AUC by market and score]({picture})", ""]
        lines += [_line(COLUMNS), _line([":--", ":--", "--:", "--:", ":--", ":--"])]
        lines += [_line(cells) for cells in self.cells()]
        lines += ["", _NOTE, "", "## Events", ""]
        names = list(next(iter(self.markets.values())))
        lines += [_line(["market", *names]), _line([":--", *["--:"] * len(names)])]
        for market, facts in self.markets.items():
            lines.append(_line([market, *(_fact(facts[name]) for name in names)]))
        lines += ["", "## Settings", ""]
        lines += [f"- {name}: `{value}`" for name, value in self.settings.items()]
        return "\n".join([*lines, ""])

    def _sentence(self) -> str:
        asked = [row for row in self.rows if row.passed is not None]
        failed = [f"{row.score} on {row.market}" for row in asked if not row.passed]
        if failed:
            return f"FAILED: {', '.join(failed)} ({len(failed)} of {len(asked)} targets)"
        return f"PASSED: all {len(asked)} targets, seed {self.seed}"


COLUMNS = ["market", "score", "direction AUC", "recovered share", "target", "verdict"]
_NOTE = (
    "AUC of +1 against -1, out of sample: trained on one month, scored on the next. ± one standard "
    "error (DeLong). The oracle knows the coin behind every episode; the share is (AUC - 0.5) over "
    "the oracle's on the same events, so that both share their luck, and exceeds 1 by luck alone. "
    "The settings were chosen on markets of other seeds."
)


def _value(value: float, error: float | None, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text if error is None else f"{text} ± {error:.{digits}f}"


def _fact(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
