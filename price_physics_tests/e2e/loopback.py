"""A guard over every socket of a process and of its children: the loopback, or nothing.

Python loads the module `sitecustomize` wherever it starts, so a folder with this one on PYTHONPATH
guards whatever inherits the environment. Sockets of compiled libraries are not seen by it:
docs/security.md says what strace saw of those.
"""

import os
from pathlib import Path

SITECUSTOMIZE = """
import ipaddress, os, sys

SEEN = {seen!r}
ADDRESS = {{"socket.connect": 1, "socket.bind": 1, "socket.sendto": 1, "socket.sendmsg": 1}}
NAME = {{"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0}}


def note(text):
    with open(SEEN, "a") as file:
        file.write(text + "\\n")


def is_local(host):
    if host is None or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def guard(event, arguments):
    if event in ADDRESS:
        address = arguments[ADDRESS[event]]
        if address is None or isinstance(address, (str, bytes)):
            return  # connected already; a path
        host = address[0]
    elif event in NAME:
        host = arguments[NAME[event]]
        host = host.decode() if isinstance(host, bytes) else host
    else:
        return
    if not is_local(host):
        note(f"{{event}} {{host!r}} {{sys.argv}}")
        raise PermissionError(f"{{event}} {{host!r}}: only the loopback is allowed")


sys.addaudithook(guard)
note(f"guarded {{os.getpid()}}")
"""

WOULD_BE_SILENT = ("CI", "DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "DAGSTER_DISABLE_TELEMETRY")
"""Variables that stop telemetry by themselves, beside those of tests: a user has none of them."""


def guarded(folder: Path) -> dict[str, str]:
    """Environment of a process that is guarded, and whose telemetry nothing but we turns off."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE.format(seen=str(folder / "seen.txt")))
    told = {n: v for n, v in os.environ.items() if n not in (*WOULD_BE_SILENT, "DAGSTER_HOME")}
    told.pop("PYTEST_CURRENT_TEST", None)
    path = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return told | {"PYTHONPATH": os.pathsep.join(path)}


def forbidden(folder: Path) -> list[str]:
    """What was asked for and refused, once at least one process has been guarded."""
    guarded, others = [], []
    for line in (folder / "seen.txt").read_text().splitlines():
        (guarded if line.startswith("guarded ") else others).append(line)
    assert guarded, "nothing was guarded"
    return others
