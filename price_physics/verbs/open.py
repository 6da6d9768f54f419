"""`price-physics open`: print where a study's newest report lies, and show it in a browser."""

import argparse
import os
import sys
import webbrowser

from price_physics.errors import ConfigError
from price_physics.flags import said
from price_physics.project import Project
from price_physics.verbs.studies import chosen_studies


def run(project: Project, options: argparse.Namespace) -> int:
    """Print the path of a report; open it where there is a screen to show it on.

    Raises
    ------
    ConfigError
        When there is no such report; the message names those there are, or what makes one.
    """
    names = [study.name for study, _ in chosen_studies(project, options.study)]
    folders = [project.outputs / name / "reports" for name in names]
    reports = [path for folder in folders for path in folder.glob("????-??.html")]
    month = str(options.month or "")
    found = [path for path in reports if month in ("", path.stem)]
    if not found:
        there = ", ".join(sorted(path.stem for path in reports)) or "none"
        asked = f"{said('--month', month)}: " if month else ""
        raise ConfigError(
            f"{asked}no such report of {', '.join(names) or 'any study'}; there are {there}; run  "
            f"price-physics backfill --study {names[0] if names else 'NAME'}"
        )
    newest = max(found, key=lambda path: (path.stem, path.stat().st_mtime_ns))
    print(newest, flush=True)
    if _has_screen() and not webbrowser.open(newest.as_uri()):
        print("no browser opened it; set BROWSER to one", file=sys.stderr)
    return 0


def _has_screen() -> bool:
    """Whether a browser can show anything; Windows and macOS have a screen of their own."""
    named = any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    return named or sys.platform in ("win32", "darwin")
