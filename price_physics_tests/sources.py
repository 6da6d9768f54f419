"""What tests of code versions share."""

from price_physics import source


def forget() -> None:
    """Forget which modules there are and what imports what: a test has moved them."""
    for cached in (source.source_version, source.closure, source._is_module):
        cached.cache_clear()
