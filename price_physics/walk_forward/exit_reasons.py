"""Name the reasons why a trade ended, as in TRADES, and select the filled trades."""

import pandas as pd

TAKE_PROFIT, STOP_LOSS, TIME_OUT = "take_profit", "stop_loss", "time_out"
STALE, CANCELLED = "stale", "cancelled"


def filled(trades: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of TRADES that were filled: a cancelled one was never in the market."""
    return trades[trades["exit_reason"] != CANCELLED]
