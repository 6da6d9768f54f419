"""How a message names a flag: as it was typed, on the command line or as a variable of make."""

import os

BY_MAKE = "PRICE_PHYSICS_BY_MAKE"
"""Set by the Makefile where it passes variables on as flags."""


def by_make() -> bool:
    """Whether make runs the command, with its variables."""
    return bool(os.environ.get(BY_MAKE))


def said(flag: str, value: object = "") -> str:
    """Name a flag and its value as the user wrote them.

    Examples
    --------
    >>> said("--from", "2012-03")
    '--from 2012-03'
    """
    if by_make():
        return f"{flag.removeprefix('--').upper()}={value}"
    return f"{flag} {value}".rstrip()
