"""What `doctor` finds: a part of the project, what is to be said of it, and what mends it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line; `remedy` is the command that mends what is wrong, and empty where nothing is."""

    part: str
    text: str
    remedy: str = ""
