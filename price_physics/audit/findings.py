"""The result of an audit: leaks, and how much was compared, in words and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Leak:
    """Something that depends on what came after it was known, or does not say when it is known.

    Attributes
    ----------
    t_ns : int or None
        The moment after which every tick was changed; None for a leak found without tampering.
    asset, month, member : str
        Partition and the table, document, tensors or file in it.
    column : str
        Column of a table; path in a document; "(row)" where a row appeared or vanished.
    row : str
        The first row that leaked: its key.
    known_at_ns : int or None
        When that row was said to be known.
    base, tampered : str
        The two values.
    n_rows : int
        Rows that leaked in this column.
    reason : str
    """

    t_ns: int | None
    asset: str
    month: str
    member: str
    column: str
    row: str
    known_at_ns: int | None
    base: str
    tampered: str
    n_rows: int
    reason: str

    def __str__(self) -> str:
        known = "" if self.known_at_ns is None else f", known at {utc(self.known_at_ns)}"
        more = f" (and {self.n_rows - 1} more)" if self.n_rows > 1 else ""
        when = "" if self.t_ns is None else f"t = {utc(self.t_ns)}: "
        row = f", row {self.row}" if self.row else ""
        return (
            f"{when}{self.asset} {self.month}, {self.member}, {self.column or 'bytes'}{row}{more}"
            f"{known}: {self.reason}: {self.base} -> {self.tampered}"
        )


@dataclass
class Coverage:
    """How much of an asset was compared, over all moments.

    Attributes
    ----------
    rows : dict of str to int
        Rows known by the moment, by table.
    files : int
        Documents, tensors and files of months that were over.
    months, warm_up : int
        Months that were over, and how many of them were only warm-up.
    felt : int
        Moments whose tampering changed the asset afterwards, as it should.
    """

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    months: int = 0
    warm_up: int = 0
    felt: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was compared that could have leaked."""
        if self.rows:
            return not any(self.rows.values())
        return self.months == self.warm_up

    def add(self, other: "Coverage") -> None:
        """Add the counts of another moment."""
        for table, n in other.rows.items():
            self.rows[table] = self.rows.get(table, 0) + n
        for name in ("files", "months", "warm_up", "felt"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Attributes
    ----------
    study : str
    months : tuple of str
        First and last month that was run.
    moments_ns : tuple of int
        The moments; after each of them everything was changed in a run of its own.
    overrides : mapping of str to (Any, Any)
        Settings that were lowered: the study's value, and the audit's.
    leaks : list of Leak
        In the order of the pipeline: look at the first asset first.
    coverage : mapping of asset to Coverage
    gaps : list of str
        Why the audit proves less than it should, with the remedy; with any it does not pass.
    """

    study: str
    months: tuple[str, str]
    moments_ns: tuple[int, ...]
    overrides: Mapping[str, tuple[Any, Any]]
    leaks: list[Leak]
    coverage: Mapping[str, Coverage]
    gaps: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing leaked and everything was compared."""
        return not self.leaks and not self.gaps

    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        return {**asdict(self), "passed": self.passed}

    def text(self, most_leaks: int = 20) -> str:
        """The result in words: coverage, gaps, the first leaks, the verdict."""
        lines = [f"No-look-ahead audit of {self.study}, {self.months[0]} to {self.months[1]}"]
        lines += [f"  lowered: {k} {was} -> {now}" for k, (was, now) in self.overrides.items()]
        lines += [f"  every tick changed after {utc(t)}" for t in self.moments_ns]
        lines += ["", f"  {'asset':<16} {'rows':>9} {'files':>6} {'months':>7}  not compared"]
        for asset, found in self.coverage.items():
            empty = ", ".join(table for table, n in found.rows.items() if n == 0)
            months = f"{found.months - found.warm_up}/{found.months}"
            line = f"  {asset:<16} {sum(found.rows.values()):>9,} {found.files:>6} {months:>7}"
            lines.append(f"{line}  {empty and f'no rows in {empty}'}".rstrip())
        lines += ["  (months: without warm-up / all that were over at the moment)", ""]
        lines += [f"gap: {gap}" for gap in self.gaps]
        lines += [f"leak: {leak}" for leak in self.leaks[:most_leaks]]
        if len(self.leaks) > most_leaks:
            lines.append(f"... and {len(self.leaks) - most_leaks} more; the JSON lists them all")
        return "\n".join([*lines, self._verdict()])

    def _verdict(self) -> str:
        if self.leaks:
            first = self.leaks[0]
            return (
                f"FAILED: {first.asset} knows the future ({first.member}, {first.column}); later "
                "assets in the pipeline may only have read it there"
            )
        if self.gaps:
            return "INCOMPLETE: nothing leaked, but not everything was compared (see the gaps)"
        return "PASSED: nothing that was known by then depends on what came later"


def utc(time_ns: int) -> str:
    """Write a time for people, to the nanosecond where it has any."""
    seconds, rest = divmod(time_ns, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{rest:09d}" if rest else text
