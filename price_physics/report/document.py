"""Define the structure of the report: sections of text, pictures and tables, already in words.

HTML and Markdown are two ways to write one `Document`, so neither can show a number that the other
does not. `content` decides what a document says.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """Rows of text; columns in `words` and `prose` are left-aligned, those in `prose` also wrap."""

    columns: list[str]
    rows: list[list[str]]
    title: str = ""
    note: str = ""
    words: frozenset[str] = frozenset()
    prose: frozenset[str] = frozenset()
    muted_rows: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A plot by file name, its alternative text, and a caption."""

    name: str
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and its text, pictures and tables, in this order."""

    title: str
    text: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    folded: bool = False

    @property
    def anchor(self) -> str:
        return self.title.lower().replace(" ", "-").replace(",", "")


@dataclass(frozen=True)
class Tile:
    """One headline number, with what to compare it with."""

    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    subtitle: str
    verdict: str
    sentence: str
    notices: list[str]
    conditions: Table
    tiles: list[Tile]
    meaning: list[str]
    sections: list[Section]
