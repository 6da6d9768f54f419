"""Damage to a file, as disks and transfers do it."""

from collections.abc import Iterator

import numpy as np


def flips(content: bytes, n: int, seed: int = 0) -> Iterator[bytes]:
    """Yield the content with one bit flipped, in turn at `n` random places."""
    for at in np.random.default_rng(seed).integers(0, 8 * len(content), n):
        damaged = bytearray(content)
        damaged[at // 8] ^= 1 << (at % 8)
        yield bytes(damaged)


def cut(content: bytes, seed: int = 0) -> bytes:
    """The content without its end, cut at a random place."""
    return content[: int(np.random.default_rng(seed).integers(0, len(content)))]
