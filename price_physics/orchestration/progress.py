"""Progress bars on a terminal, silence elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def training_bar(description: str) -> Iterator[Callable[[int, int, str], None]]:
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
