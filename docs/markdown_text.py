"""Markdown: tables, anchors, paragraphs."""

import re


def table_of(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table; cells are one line each, and their bars are escaped."""
    lines = [_row(head), _row(("---",) * len(head)), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(' '.join(c.split()).replace('|', chr(92) + '|') for c in cells)} |"


def joined(parts: list[str]) -> str:
    """Make a page of paragraphs."""
    return "\n\n".join(parts) + "\n"


def slug(title: str) -> str:
    """Name a title's anchor as Markdown readers do: `Net Sharpe, annual` is net-sharpe-annual."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
