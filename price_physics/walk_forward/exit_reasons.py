"""Why a trade ended, as TRADES says it, and which trades there were at all."""

import pandas as pd

TAKE_PROFIT, STOP_LOSS, TIME_OUT = "take_profit", "stop_loss", "time_out"
STALE, CANCELLED = "stale", "cancelled"


def filled(trades: pd.DataFrame) -> pd.DataFrame:
    """Rows of TRADES that were filled: a cancelled one has never been in the market."""
    return trades[trades["exit_reason"] != CANCELLED]
