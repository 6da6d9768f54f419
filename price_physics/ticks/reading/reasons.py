"""The reasons for which a row is set aside, each with the words that are shown for it.

Quarantine, quality reports and messages hold the words: a change of them changes the bytes of a
month.
"""

from enum import IntEnum

_READABLE = True


class Reason(IntEnum):
    """Why a row is set aside. A reason is the number of its place here; `NONE` is a good row.

    Attributes
    ----------
    words : str
        The sentence that is shown.
    is_readable : bool
        The row could be read, and its values are impossible. Otherwise it could not be read: a
        file with many such rows is refused.
    """

    words: str
    is_readable: bool

    def __new__(cls, words: str, is_readable: bool = False) -> "Reason":
        number = len(cls.__members__)
        reason = int.__new__(cls, number)
        reason._value_ = number
        reason.words, reason.is_readable = words, is_readable
        return reason

    NONE = "", _READABLE
    TIME = "time is not a time"

    # ------------------------------------------------------------------------ of trades
    PRICE = "price is not a finite number"
    PRICE_SIGN = "price is not above zero", _READABLE
    QTY = "qty is not a finite number"
    QTY_SIGN = "qty is not above zero", _READABLE
    PRICE_RANGE = "price is not from 1e-18 to 1e15", _READABLE
    QTY_RANGE = "qty is not from 1e-18 to 1e18", _READABLE
    TRADE_ID = "trade_id is not an integer"
    REPEATED_ID = "trade_id repeated with another payload"

    # ------------------------------------------------------------------------ of candles
    START = "time is not the start, in UTC, of a candle of the market's candle_minutes", _READABLE
    END = "close time is not the end of a candle of the market's candle_minutes", _READABLE
    VOLUME = "volume is not a finite number"
    VOLUME_SIGN = "volume is below zero", _READABLE
    ANY_PRICE = "a price is not a finite number"
    ANY_PRICE_SIGN = "a price is not above zero", _READABLE
    ANY_PRICE_RANGE = "a price is not from 1e-18 to 1e15", _READABLE
    VOLUME_RANGE = "volume is not from 1e-18 to 1e18", _READABLE
    RANGE = "high is not the highest, or low the lowest price", _READABLE
    OTHER_VOLUME = "the volume in the other currency is not a finite number"
    BUY_VOLUME = "buy volume is not a number from zero to the volume", _READABLE
    REPEATED_CANDLE = "candle repeated with other values"

    # ------------------------------------------------------------------------ of both
    N_FIELDS = "row has {} fields, not {}"
    OPEN_QUOTE = "a quote is never closed"
    FUTURE = "time is in the future"


READABLE = frozenset(reason.words for reason in Reason if reason.is_readable)
"""The words of the reasons of rows that could be read."""
