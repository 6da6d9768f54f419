"""Fixtures that several tests of ticks share."""

import pytest

from price_physics.ticks import look


@pytest.fixture
def was_read(monkeypatch):
    """The names of the files that are read, in order."""
    names = []
    read_file = look.read_file

    def spy(settings, path, file, *options):
        names.append(file)
        return read_file(settings, path, file, *options)

    monkeypatch.setattr(look, "read_file", spy)
    return names
