"""Vendor formats: which column of a dump holds what, one small module a vendor.

A file is of the format that its first rows fit, whatever its name. To add a vendor, write a
module with its columns, list it in ``FORMATS`` and add its name to ``study.Vendor``. Values are
read elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace

from price_physics.errors import TickDataError
from price_physics.study import Market
from price_physics.ticks.formats import (
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
from price_physics.ticks.formats.generic import Generic
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Rows, Sample

__all__ = ["FORMATS", "Layout", "recognise", "recognise_table"]

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
            f"{FORMATS[market.vendor].expects}; remove the file from `files:`, or correct "
            f"`vendor:`, in {yaml}"
        )
    if not layouts:
        raise TickDataError(
            f"{place}: {sample.shown!r} fits no known format; in {yaml} map its columns under "
            "`columns:`, and name them under `header:` if the file has no header"
        )
    if len({replace(layout, vendor="") for layout in layouts}) > 1:
        names = [layout.vendor for layout in layouts]
        raise TickDataError(
            f"{place}: {sample.shown!r} fits the formats {names}, which read it differently; set "
            f"`vendor:` to one of them in {yaml}"
        )
    return layouts[0]


def _candidates(market: Market) -> list[Format | Generic]:
    if market.vendor is not None:
        return [FORMATS[market.vendor]]
    return [FORMATS["generic"]] if generic.is_meant(market) else list(FORMATS.values())
