"""Find the one format that the first rows of a file fit, and where its columns are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from price_physics.errors import TickDataError
from price_physics.ticks.formats.generic import Generic, is_meant
from price_physics.ticks.formats.match import Format, Sample, TextRows
from price_physics.ticks.formats.quotes import refuse_quotes
from price_physics.ticks.formats.registry import formats_of, load_format
from price_physics.ticks.reading.rows import kind_of_rows

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.ticks.formats.layout import Layout
    from price_physics.ticks.formats.registry import VendorFormat


def recognise(lines: Sequence[str], market: Market, file: str, row: int = 1) -> Layout:
    """Find the layout of a text file by its first lines.

    Parameters
    ----------
    lines : sequence of str
        At least one, none of them blank, without their newlines; 50 are plenty. What stands above
        a header is not among them.
    market : Market
        Its vendor, columns, header and contract size.
    file : str
        Name for messages.
    row : int
        The line in the file of the first of them.

    Returns
    -------
    Layout

    Raises
    ------
    TickDataError
        When the lines hold quotes, or candles without a volume, fit no format, or several that read
        them differently.
    ConfigError
        When the market lacks what the format needs.
    """
    return _only(Sample.of_lines(lines, file, row), market)


def recognise_table(names: Sequence[str], rows: TextRows, market: Market, file: str) -> Layout:
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
    """Return the one layout that fits. Formats that read the file alike are no ambiguity.

    Well-known names of columns count where they are those of no vendor.
    """
    refuse_quotes(sample, market)
    layouts = [
        replace(layout, vendor=vendor)
        for vendor, format_ in _candidates(market).items()
        if (layout := format_.match(sample, market)) is not None
    ]
    kind = kind_of_rows(market)
    formats = _candidates(market).values()
    claimed = any(isinstance(f, Format) and f.has_names(sample) for f in formats)
    if not layouts and market.vendor is None and not claimed:
        known = cast(Generic, load_format(kind, "generic")).match_known(sample, market)
        layouts = [] if known is None else [replace(known, vendor="generic")]
    yaml = f"configs/markets/{market.name}.yaml"
    if not layouts and market.vendor is not None:
        expected = load_format(kind, market.vendor).expects
        raise TickDataError(
            f"{sample.place}: {sample.shown!r} is not of `vendor: {market.vendor}`, which expects "
            f"{expected}; remove the file from `files:`, or correct `vendor:`, in {yaml}"
        )
    if not layouts:
        raise TickDataError(
            f"{sample.place}: {sample.shown!r} fits no known format of {kind}; in {yaml} map its "
            "columns under `columns:`, and name them under `header:` if the file has no header"
            f"{_candles_instead(sample, market)}{sample.hint}"
        )
    if len({replace(layout, vendor="") for layout in layouts}) > 1:
        names = [layout.vendor for layout in layouts]
        raise TickDataError(
            f"{sample.place}: {sample.shown!r} fits the formats {names}, which read it "
            f"differently; set `vendor:` to one of them in {yaml}"
        )
    return layouts[0]


def _candidates(market: Market) -> dict[str, VendorFormat]:
    """The formats that a file of the market may be of, by vendor."""
    kind = kind_of_rows(market)
    if market.vendor is not None or is_meant(market):
        vendor = market.vendor or "generic"
        return {vendor: load_format(kind, vendor)}
    return formats_of(kind)


def _candles_instead(sample: Sample, market: Market) -> str:
    """Say what to do where a market of trades is given a vendor's candles."""
    if kind_of_rows(market) == "candles":
        return ""
    named = {"open", "high", "low", "close"} <= {name.lower() for name in sample.first}
    if named or any(format_.fits(sample) for format_ in formats_of("candles").values()):
        return "; it looks like candles: set `candle_minutes:` to their length"
    return ""
