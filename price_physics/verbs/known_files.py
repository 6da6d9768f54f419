"""What is known of a market's files without reading them."""

from dataclasses import dataclass

from price_physics.errors import TickDataError
from price_physics.pipeline.inputs import open_index
from price_physics.project import Project
from price_physics.study.market import Market
from price_physics.ticks.index import FileEntry
from price_physics.ticks.reading.files import display_name, input_files


@dataclass(frozen=True)
class KnownFiles:
    """Entries of the index, the names of files that are new or changed, and why there are none."""

    entries: dict[str, FileEntry]
    unknown: list[str]
    fault: str = ""

    @classmethod
    def of(cls, project: Project, market: Market) -> "KnownFiles":
        """Compare names, sizes and times with the index."""
        try:
            paths = input_files(market, project.root)
        except TickDataError as error:
            return cls({}, [], str(error))
        index = open_index(project, market)
        names = {display_name(path, project.root): path for path in paths}
        known = {file: index.get(file, path) for file, path in names.items()}
        entries = {file: entry for file, entry in known.items() if entry}
        return cls(entries, [file for file in known if file not in entries])
