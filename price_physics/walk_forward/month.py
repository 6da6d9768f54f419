"""Read back a month of the walk-forward, for the report and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, POSITIONS, SCORED, TRADES

if TYPE_CHECKING:
    import pandas as pd

    from price_physics.past import Known


@dataclass(frozen=True)
class MonthWalk:
    """Tables of one month, by schema; ``warm_up`` is the reason why nothing was predicted."""

    trades: pd.DataFrame
    positions: pd.DataFrame
    book: pd.DataFrame
    equity: pd.DataFrame
    daily: pd.DataFrame
    scored: pd.DataFrame
    warm_up: str | None

    @classmethod
    def of(cls, known: Known) -> MonthWalk:
        """Read a month of the asset `walk_forward`."""
        tables = (TRADES, POSITIONS, BOOK, EQUITY, DAILY, SCORED)
        return cls(**{t.name: known.table(t.name) for t in tables}, warm_up=known.warm_up)
