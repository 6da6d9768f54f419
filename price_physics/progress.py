"""Progress bars: updated at once on a terminal, every ten seconds in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Progress = Callable[[int, int, str], None]
"""Called with the amount done, the total, and a text such as the name of a file."""


def asset_bar(description: str, total: int) -> tqdm:
    """Show a bar of assets."""
    interval_s = 0.1 if sys.stderr.isatty() else 10.0
    return tqdm(
        total=total, unit="asset", desc=description, dynamic_ncols=True, mininterval=interval_s
    )


@contextmanager
def training_bar(description: str) -> Iterator[Progress]:
    """Show a bar of epochs below the bar of assets; gone when the fit is done.

    Yields
    ------
    callable (done, total, text)
        To be called after each epoch.
    """
    with tqdm(desc=description, unit="epoch", leave=False, disable=None, position=1) as bar:

        def advance(done: int, total: int, text: str) -> None:
            bar.total = total
            bar.n = done
            bar.set_postfix_str(text, refresh=True)

        yield advance


@contextmanager
def reading_bar(description: str) -> Iterator[Progress]:
    """Show a bar of bytes read below the bar of assets; gone when the files are read.

    Yields
    ------
    callable (done, total, file)
        To be called before each file.
    """
    with tqdm(
        desc=description, unit="B", unit_scale=True, leave=False, disable=None, position=1
    ) as bar:

        def advance(done: int, total: int, file: str) -> None:
            bar.total = total
            bar.n = done
            bar.set_postfix_str(file, refresh=True)

        yield advance


def said_in_log(
    shown: Progress, say: Callable[[str], None], unit: str, every_s: float = 10.0
) -> Progress:
    """Show progress, and say it in a log every few seconds, and when all is done.

    Parameters
    ----------
    shown : callable (done, total, text)
        Called each time.
    say : callable (line)
    unit : str
        What is counted.
    every_s : float
        Seconds between lines.
    """
    last_s = time.monotonic()

    def advance(done: int, total: int, text: str) -> None:
        nonlocal last_s
        shown(done, total, text)
        now_s = time.monotonic()
        if now_s - last_s >= every_s or (done == total and done):
            last_s = now_s
            say(f"{done} of {total} {unit}{': ' if text else ''}{text}")

    return advance
