"""Find the vendors: the modules that lie in ``trades/`` and ``candles/``.

They are imported by name, when a file is to be recognised. So no code version covers them all:
the index of files and the inputs of a month name the versions of those that were used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from price_physics.source import names_in, source_version

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.ticks.formats.layout import Layout
    from price_physics.ticks.formats.match import Sample
    from price_physics.ticks.reading.rows import RowKind

_REQUIRED = {
    "trades": ("time", "price", "qty"),
    "candles": ("time", "open", "high", "low", "price", "qty"),
}
"""Meanings that rows need; the price of a candle is its close, and `qty` its volume."""


class VendorFormat(Protocol):
    """The contract of a vendor's module: it defines ``FORMAT`` with these members.

    `match.Format` has them all: most modules only list their columns.

    Attributes
    ----------
    expects : str
        The columns of its files, for messages.
    meanings : frozenset of str
        What its columns hold in every file: fields of `layout.Layout`. Trades have at least
        `time`, `price` and `qty`; candles have `open`, `high` and `low` too.
    """

    @property
    def expects(self) -> str: ...

    @property
    def meanings(self) -> frozenset[str]: ...

    def fits(self, sample: Sample) -> bool:
        """Say whether a file is of this format, whatever the market."""

    def match(self, sample: Sample, market: Market) -> Layout | None:
        """Return where the columns of a file of this format are, None for any other file."""


def vendors_of(kind: RowKind) -> list[str]:
    """List the vendors whose rows are of a kind, sorted."""
    return names_in(_folder(kind))


def formats_of(kind: RowKind) -> dict[str, VendorFormat]:
    """Load every format whose rows are of a kind, by vendor."""
    return {vendor: load_format(kind, vendor) for vendor in vendors_of(kind)}


def load_format(kind: RowKind, vendor: str) -> VendorFormat:
    """Import a vendor's format, and check that it is one.

    Raises
    ------
    TypeError
        Naming what the module, or its ``FORMAT``, lacks.
    """
    module = _module(kind, vendor)
    found = getattr(import_module(module), "FORMAT", None)
    if found is None:
        raise TypeError(f"{module}: defines no FORMAT, see {VendorFormat.__module__}.VendorFormat")
    names = ("expects", "meanings", "fits", "match")
    lacking = [name for name in names if not hasattr(found, name)]
    if lacking:
        raise TypeError(
            f"{module}: its FORMAT lacks {', '.join(lacking)}, see "
            f"{VendorFormat.__module__}.VendorFormat"
        )
    missing = [meaning for meaning in _REQUIRED[kind] if meaning not in found.meanings]
    if missing:
        raise TypeError(
            f"{module}: its FORMAT has no column of kind {', '.join(missing)}, which {kind} need"
        )
    return found


def format_version(kind: RowKind, vendor: str) -> str | None:
    """Return the code version of a vendor's format; None where there is no such vendor."""
    return source_version(_module(kind, vendor)) if vendor in vendors_of(kind) else None


def _folder(kind: RowKind) -> str:
    return f"{__package__}.{kind}"


def _module(kind: RowKind, vendor: str) -> str:
    return f"{_folder(kind)}.{vendor}"
