"""Write a `Document` as a self-contained HTML page, and as Markdown."""

import base64
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from price_physics.report.document import Document, Section, Table


def to_html(document: Document, light: Mapping[str, bytes], dark: Mapping[str, bytes]) -> str:
    """Fill the template; plots are PNG bytes by file name, in two themes.

    The page needs no network: styles are inline, plots are data URIs.
    """
    environment = Environment(
        loader=PackageLoader("price_physics.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return (
        environment.get_template("report.html.j2")
        .render(
            document=document,
            light={name: _data_uri(content) for name, content in light.items()},
            dark={name: _data_uri(content) for name, content in dark.items()},
        )
        .lstrip()
    )


def to_markdown(document: Document) -> str:
    """Write the same text and tables as Markdown; plots appear by file name."""
    lines = [f"# {document.title}", "", document.subtitle, ""]
    for notice in document.notices:
        lines += [f"**{notice}**", ""]
    lines += [f"## Verdict: {document.verdict}", "", document.sentence, ""]
    if document.conditions.rows:
        lines += _table(document.conditions)
    tiles = [[t.label, t.value, t.detail] for t in document.tiles]
    lines += ["## Headline", ""]
    lines += _table(
        Table(["What", "Value", "Against"], tiles, words=frozenset({"What", "Against"}))
    )
    lines += ["## What this means", "", " ".join(document.meaning), ""]
    for section in document.sections:
        lines += _section(section)
    return "\n".join(lines)


def _section(section: Section) -> list[str]:
    lines = [f"## {section.title}", ""]
    for text in section.text:
        lines += [text, ""]
    for picture in section.pictures:
        lines += [f"`{picture.name}`: {picture.alt}", ""]
        lines += [picture.caption, ""] if picture.caption else []
    for table in section.tables:
        lines += _table(table)
    return lines


def _table(table: Table) -> list[str]:
    lines = [f"### {table.title}", ""] if table.title else []
    lines += [_row(table.columns)]
    lines += [_row([":--" if c in table.words | table.prose else "--:" for c in table.columns])]
    lines += [_row(row) for row in table.rows]
    lines += ["", table.note, ""] if table.note else [""]
    return lines


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def _data_uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
