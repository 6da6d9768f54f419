"""A figure beside its target."""

from dataclasses import dataclass

import numpy as np

MOST = 0.03
"""Of nulls that may be called an edge, within two standard errors."""


@dataclass(frozen=True)
class Row:
    """One figure: a share or a number, its standard error, its target, and whether it is met."""

    name: str
    value: float
    error: float | None
    target: str
    passed: bool


def at_most(name: str, hits: np.ndarray) -> Row:
    """A share of runs that may be no larger than 0.03, within two standard errors."""
    share, error = share_of(hits)
    return Row(name, share, error, f"at most {MOST:g} ± 2 errors", share - 2 * error <= MOST)


def at_least(name: str, value: float, error: float | None, target: float) -> Row:
    """A number that may be no smaller than a target."""
    return Row(name, value, error, f"at least {target:.2f}", value >= target)


def share_of(hits: np.ndarray) -> tuple[float, float]:
    """A share and its standard error."""
    share = float(np.mean(hits))
    return share, float(np.sqrt(share * (1 - share) / len(hits)))
