"""The command line: what it refuses before it starts anything."""

import socket

import pytest

from price_physics import __version__, cli
from price_physics.orchestration import instance


def test_dev_refuses_a_port_that_is_taken(monkeypatch, capsys):
    monkeypatch.setattr(cli.subprocess, "call", lambda *args, **kwargs: pytest.fail("started"))
    monkeypatch.setattr(instance, "open_instance", lambda project: pytest.fail("opened"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(cli, "PORT", taken.getsockname()[1])
        assert cli.main(["dev"]) == 1
    assert f"something listens on port {cli.PORT} already" in capsys.readouterr().err


def test_version_and_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"price-physics {__version__}\n"
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    assert "price-physics: what make calls, for those without make." in capsys.readouterr().out
