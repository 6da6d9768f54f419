"""What a market's vendor files hold, from an index that is kept between runs.

Vendor files are the inputs of ticks, and the only inputs from outside the store.
"""

from price_physics.months import Month
from price_physics.progress import reading_bar
from price_physics.project import Project
from price_physics.study.market import Market
from price_physics.ticks.index import FileEntry, FileIndex, inputs_of, months_of


def open_index(project: Project, market: Market) -> FileIndex:
    """Open the index of a market's files, which is kept between runs."""
    return FileIndex(market, project.data / "index" / f"{market.name}.json")


def file_versions(project: Project, market: Market, month: Month) -> dict[str, str]:
    """The sha256 of every vendor file that feeds a month, and what else its ticks depend on.

    Files that the index does not know are read.

    Raises
    ------
    TickDataError
        When the market has no files, or one that is read cannot be trusted.
    """
    return inputs_of(_file_entries(project, market), month)


def months_with_trades(project: Project, market: Market) -> list[Month]:
    """Months of which a vendor file holds a trade; reads and raises as `file_versions`."""
    extents = months_of(_file_entries(project, market).values())
    return sorted(month for month, extent in extents.items() if extent.last_ns is not None)


def _file_entries(project: Project, market: Market) -> dict[str, FileEntry]:
    from price_physics.ticks.look import look_at_files  # numba, which takes a while

    with reading_bar(f"{market.name}: new files") as progress:
        return look_at_files(market, project.root, open_index(project, market), progress)
