"""Checks of bars: prices that fit each other, and every tick in a bar."""

import numpy as np

from price_physics.orchestration.checks.finding import BUG, Case, Check, Finding, none_of
from price_physics.orchestration.checks.tables import n_rows
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import CANDLES, TICKS

_SLACK = 1e-9


def _prices_fit(case: Case) -> Finding:
    bars = case.found.table(BARS.name)
    low, high, vwap = (bars[c].to_numpy(np.float64) for c in ("low", "high", "vwap"))
    ends = bars[["open", "close"]].to_numpy(np.float64)
    volume, bought = (bars[c].to_numpy(np.float64) for c in ("volume", "buy_volume"))
    if not len(bars):
        return Finding(True, "no bar")
    return none_of(
        {
            "low above open or close": (low > ends.min(axis=1)).sum(),
            "high below open or close": (high < ends.max(axis=1)).sum(),
            "vwap outside low and high": (
                (vwap < low * (1 - _SLACK)) | (vwap > high * (1 + _SLACK))
            ).sum(),
            "price not above zero, or not finite": (~(low > 0) | ~np.isfinite(high)).sum(),
            "bought more than traded, or less than nothing": (
                (bought < -_SLACK * volume) | (bought > volume * (1 + _SLACK)) | (volume < 0)
            ).sum(),
            "opened after the close": (bars["open_time_ns"] > bars["close_time_ns"]).sum(),
        },
        f"{len(bars)} bars",
    )


def _all_ticks(case: Case) -> Finding:
    bars = case.found.table(BARS.name, ["n_ticks", "partial"])
    ticks = case.inputs["ticks"][case.month]
    rows, counted = n_rows(ticks, _rows_of(ticks)), int(bars["n_ticks"].sum())
    numbers = {"bars": len(bars), "ticks": rows, "ticks_a_bar": counted / max(len(bars), 1)}
    return Finding(rows == counted, f"{counted} of {rows} ticks lie in {len(bars)} bars", numbers)


def _rows_of(ticks):  # type: ignore[no-untyped-def]
    return CANDLES if ticks.holds(CANDLES) else TICKS


BAR_CHECKS = (
    Check(
        "prices_fit",
        _prices_fit,
        "Low and high enclose open, close and vwap; prices are above zero; what was bought is part "
        "of what was traded.",
        BUG,
        blocking=True,
    ),
    Check(
        "every_tick_in_a_bar",
        _all_ticks,
        "The bars of a month hold all of its ticks, each once.",
        "rebuild the month from its ticks on, with the tag price_physics/again; report it if it "
        "comes back.",
        blocking=True,
    ),
)
