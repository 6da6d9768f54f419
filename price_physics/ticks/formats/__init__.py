"""Vendor formats: which column of a dump holds what, one small module a vendor.

A file is of the format that its first rows fit, whatever its name. To add a vendor, write a
module with its columns, list it in ``FORMATS``, or in ``CANDLE_FORMATS`` if its rows are candles,
and add its name to ``study.Vendor``. Values are read elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace

from price_physics.errors import TickDataError
from price_physics.study.market import Market
from price_physics.ticks.formats import (
    binance_aggregate_trades,
    binance_coin_futures_trades,
    binance_events,
    binance_futures_trades,
    binance_klines,
    binance_spot_trades,
    bitcoincharts,
    bitflyer,
    bitmex,
    bybit_derivatives,
    bybit_spot,
    generic,
    kraken,
    kraken_ohlcvt,
    okx,
    quoted_iso,
    tardis,
)
from price_physics.ticks.formats.generic import Generic
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Rows, Sample

__all__ = ["CANDLE_FORMATS", "FORMATS", "Layout", "recognise", "recognise_table"]

FORMATS: dict[str, Format | Generic] = {
    module.FORMAT.name: module.FORMAT
    for module in (
        binance_aggregate_trades,
        binance_coin_futures_trades,
        binance_events,
        binance_futures_trades,
        binance_spot_trades,
        bitcoincharts,
        bitflyer,
        bitmex,
        bybit_derivatives,
        bybit_spot,
        generic,
        kraken,
        okx,
        quoted_iso,
        tardis,
    )
}
CANDLE_FORMATS: dict[str, Format | Generic] = {
    module.FORMAT.name: module.FORMAT for module in (binance_klines, generic, kraken_ohlcvt)
}


def recognise(lines: Sequence[str], market: Market, file: str) -> Layout:
    """Find the layout of a text file by its first lines.

    Parameters
    ----------
    lines : sequence of str
        At least one, none of them blank, without their newlines; 50 are plenty.
    market : Market
        Its vendor, columns, header and contract size.
    file : str
        Name for messages.

    Returns
    -------
    Layout

    Raises
    ------
    TickDataError
        When the lines fit no format, or several that read them differently.
    ConfigError
        When the market lacks what the format needs.
    """
    return _only(Sample.of_lines(lines, file), market)


def recognise_table(names: Sequence[str], rows: Rows, market: Market, file: str) -> Layout:
    """Find the layout of a table that names its columns, such as parquet.

    Parameters
    ----------
    names : sequence of str
        Column names.
    rows : sequence of sequences of str
        The first rows as text, blank where null; there may be none.
    market, file
        As in `recognise`.

    Returns
    -------
    Layout

    Raises
    ------
    TickDataError, ConfigError
        As in `recognise`.
    """
    return _only(Sample.of_table(names, rows, file), market)


def _only(sample: Sample, market: Market) -> Layout:
    """Return the one layout that fits. Formats that read the file alike are no ambiguity."""
    found = [f.match(sample, market) for f in _candidates(market)]
    layouts = [layout for layout in found if layout is not None]
    place = sample.file if sample.is_table else f"{sample.file}, row 1"
    yaml = f"configs/markets/{market.name}.yaml"
    if not layouts and market.vendor is not None:
        raise TickDataError(
            f"{place}: {sample.shown!r} is not of `vendor: {market.vendor}`, which expects "
            f"{_formats(market)[market.vendor].expects}; remove the file from `files:`, or correct "
            f"`vendor:`, in {yaml}"
        )
    if not layouts:
        raise TickDataError(
            f"{place}: {sample.shown!r} fits no known format of {_sort(market)}; in {yaml} map its "
            "columns under `columns:`, and name them under `header:` if the file has no header"
            f"{_other_sort(sample, market)}"
        )
    if len({replace(layout, vendor="") for layout in layouts}) > 1:
        names = [layout.vendor for layout in layouts]
        raise TickDataError(
            f"{place}: {sample.shown!r} fits the formats {names}, which read it differently; set "
            f"`vendor:` to one of them in {yaml}"
        )
    return layouts[0]


def _formats(market: Market) -> dict[str, Format | Generic]:
    return CANDLE_FORMATS if market.candle_ns else FORMATS


def _sort(market: Market) -> str:
    return "candles" if market.candle_ns else "trades"


def _other_sort(sample: Sample, market: Market) -> str:
    """Say so where a market of trades is given a vendor's candles."""
    vendors = [f for f in CANDLE_FORMATS.values() if isinstance(f, Format)]
    named = {"open", "high", "low", "close"} <= {name.lower() for name in sample.first}
    if market.candle_ns or not (named or any(f.fits(sample) for f in vendors)):
        return ""
    return "; it looks like candles: set `candle_minutes:` to their length"


def _candidates(market: Market) -> list[Format | Generic]:
    formats = _formats(market)
    if market.vendor is not None:
        return [formats[market.vendor]]
    return [formats["generic"]] if generic.is_meant(market) else list(formats.values())
