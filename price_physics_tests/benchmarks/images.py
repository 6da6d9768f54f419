"""Section ``images``: windows drawn a batch at a time, beside pyts drawing the same batch.

Both get their windows cut beforehand and run on one thread, pyts in float64, the only precision
it has, ours in float32, what a network is trained on. The last row is the renderer as training
calls it: it cuts the windows out of the bars and stacks the pictures as one image, too. What both
have drawn is compared once the clock stands still.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from price_physics_tests.benchmarks.contender import Job
from price_physics_tests.benchmarks.harness import OURS, Arena, Call, Figure

PIXELS, SIZE, UNIT = 64, 256, "windows a batch"
SEED = 5
LENGTHS = (64, 128)
N_PIXELS, TOLERANCE = 997, 1e-3
"""How many pixels of a channel are compared, and how far they may be apart."""


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """List what is to be measured; pyts compiles for half a minute when it is first asked."""
    found = []
    for n_bars in LENGTHS:
        given = {"n": n, "lengths": [n_bars]}
        found.append(
            Figure(
                f"fields_{n_bars}",
                f"GASF, GADF, MTF of {n:,} windows of {n_bars} bars / pyts batched",
                Call(OURS, "draw_fields", given),
                Call(OURS, "draw_pyts", given),
                4.0,
                same_result=True,
                tolerance=TOLERANCE,
            )
        )
    both = {"n": n, "lengths": list(LENGTHS)}
    found.append(
        Figure(
            "renderer_64_128",
            f"{n:,} images of six channels, windows cut, pictures stacked / pyts batched, neither",
            Call(OURS, "draw_images", both),
            Call(OURS, "draw_pyts", both),
            None,
            same_result=True,
            tolerance=TOLERANCE,
        )
    )
    return found


# ---------------------------------------------------------------------------- tasks
# The result is what `looked_at` takes. torch and pyts are loaded by the process that draws.
def draw_fields(n: int, lengths: list[int]) -> Job:
    """The three functions."""
    import torch

    from price_physics.images.render import gadf, gasf, mtf

    torch.set_num_threads(1)
    # relative to the last close, as the renderer takes them: at 40,000 a float32 moves bin edges
    batches = [torch.from_numpy(w - w[:, -1:]).float() for w in _windows(n, lengths)]

    def job() -> Callable[[], list[float]]:
        drawn = [field(b, PIXELS) for b in batches for field in (gasf, gadf, mtf)]
        return lambda: looked_at([pictures.numpy() for pictures in drawn])

    return job


def draw_images(n: int, lengths: list[int]) -> Job:
    """The renderer."""
    import torch

    from price_physics.images.render import Renderer
    from price_physics.study.images import ImagesConfig

    torch.set_num_threads(1)
    renderer = Renderer(ImagesConfig(windows_bars=lengths, size_pixels=PIXELS))
    close = _closes(n, max(lengths))
    series = torch.from_numpy(np.stack([close, close]))
    ends = torch.arange(n) + max(lengths) - 1

    def job() -> Callable[[], list[float]]:
        drawn = renderer(series, ends)
        return lambda: looked_at([pictures.numpy() for pictures in drawn.unbind(1)])

    return job


def draw_pyts(n: int, lengths: list[int]) -> Job:
    """pyts, all windows of a length at once."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyts.image import GramianAngularField, MarkovTransitionField

    pictures: list[Any] = [
        GramianAngularField(PIXELS, method="summation"),
        GramianAngularField(PIXELS, method="difference"),
        MarkovTransitionField(PIXELS, n_bins=8),
    ]
    batches = _windows(n, lengths)

    def job() -> Callable[[], list[float]]:
        drawn = [p.transform(b) for b in batches for p in pictures]
        return lambda: looked_at(drawn)

    return job


def looked_at(channels: Sequence[NDArray]) -> list[float]:
    """Of every channel, given as (n, S, S): how many pixels, their mean, and every so many."""
    found: list[float] = []
    for pictures in channels:
        pixels = np.asarray(pictures, np.float64).ravel()
        found += [pixels.size, pixels.mean(), *pixels[:: max(1, pixels.size // N_PIXELS)]]
    return [float(value) for value in found]


TASKS = {"draw_fields": draw_fields, "draw_images": draw_images, "draw_pyts": draw_pyts}


def _closes(n: int, longest: int) -> NDArray[np.float64]:
    rng = np.random.default_rng([SEED, n])
    return 40_000 * np.exp(np.cumsum(rng.normal(0, 5e-4, n + longest - 1)))


def _windows(n: int, lengths: list[int]) -> list[NDArray[np.float64]]:
    """The last windows of each length of `n` consecutive events."""
    close = _closes(n, max(lengths))
    cut = np.lib.stride_tricks.sliding_window_view(close, max(lengths))
    return [np.ascontiguousarray(cut[:, -n_bars:]) for n_bars in lengths]
