"""Read a hand-written YAML file: small, UTF-8 and plain, or refused in one sentence.

YAML can contain references to itself, a few lines that unfold into gigabytes, and values that no
program can hold; a path can lead to a device that never ends. All of them are refused before any
object is built, from the events of the parser, which does not recurse.
"""

import os
import stat
from pathlib import Path
from typing import Any

import yaml

from price_physics.errors import ConfigError

MOST_BYTES = 1_000_000
MOST_NODES = 10_000
"""Keys and values of a file; what a reference stands for is counted each time."""
MOST_DEPTH = 20
MOST_CHARACTERS = 2_000
"""Of one key or one value."""
_MADE_OF_TEXT = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "timestamp", "bool")}
"""Types that YAML infers from the look of a text, which may turn out to be no such value."""


def read_mapping(path: Path) -> dict[str, Any]:
    """Read the settings of one file.

    Returns
    -------
    dict
        Keys are text at every level.

    Raises
    ------
    ConfigError
        Names the file, what is wrong with it, where, and what to do.
    """
    text = _text(path)
    try:
        _refuse_what_unfolds(text)
        _check(yaml.compose(text, Loader=yaml.SafeLoader), yaml.SafeLoader(""))
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = str(error).replace('in "<unicode string>", ', "")
        raise ConfigError(f"{path}: not valid YAML: {place}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of settings, found {_shortly(data)}")
    _refuse_other_keys(path, data)
    return data


def _text(path: Path) -> str:
    """Return the text of a regular file of bounded size."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = "folder" if stat.S_ISDIR(status.st_mode) else "pipe, socket or device"
            raise ConfigError(f"{path}: is a {kind}, not a file; remove or rename it")
        if status.st_size > MOST_BYTES:
            raise ConfigError(
                f"{path}: holds {status.st_size:,} bytes, settings at most {MOST_BYTES:,}; is it "
                "the right file?"
            )
        raw = path.read_bytes()
    except OSError as error:
        link = f" (a link to {os.readlink(path)})" if path.is_symlink() else ""
        raise ConfigError(
            f"{path}{link}: cannot be read: {error.strerror}; correct or remove it"
        ) from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw[:2]:
        raise ConfigError(f"{path}: is UTF-16 or UTF-32; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{raw[error.start]:02x}"
        raise ConfigError(
            f"{path}, line {line}: {byte} is not UTF-8; save the file as UTF-8"
        ) from error


def _refuse_what_unfolds(text: str) -> None:
    """Raise YAMLError for too many nodes or levels, too long values, and circular references.

    A reference counts as everything that it stands for.
    """
    sizes: dict[str, int | None] = {}  # None while the node is open
    open_nodes: list[tuple[str | None, int]] = []
    total = 0

    def close(anchor: str | None, size: int) -> None:
        if anchor:
            sizes[anchor] = size
        if open_nodes:
            outer, inside = open_nodes.pop()
            open_nodes.append((outer, inside + size))

    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor or "", 0)
            if size is None:
                raise _at(event, f"&{event.anchor} refers to itself")
            close(None, size)
            total += size
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MOST_CHARACTERS:
                raise _at(
                    event,
                    f"a value of {len(event.value):,} characters, at most {MOST_CHARACTERS:,}",
                )
            close(event.anchor, 1)
            total += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            if event.anchor:
                sizes[event.anchor] = None
            open_nodes.append((event.anchor, 1))
            total += 1
            if len(open_nodes) > MOST_DEPTH:
                raise _at(event, f"more than {MOST_DEPTH} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            close(*open_nodes.pop())
        if total > MOST_NODES:
            raise _at(event, f"more than {MOST_NODES:,} keys and values, references unfolded")


def _at(event: yaml.Event, problem: str) -> yaml.YAMLError:
    return yaml.YAMLError(f"{problem}\n{event.start_mark}")


def _check(node: yaml.Node | None, loader: yaml.SafeLoader) -> None:
    """Raise YAMLError for values that look like a date or number but are none, and for bad keys.

    Among equal keys, YAML would keep the last without a word.
    """
    if isinstance(node, yaml.ScalarNode) and node.tag in _MADE_OF_TEXT:
        try:
            loader.construct_object(node)
        except (ValueError, AttributeError, KeyError, IndexError) as error:  # a tag that lies
            raise yaml.YAMLError(
                f"{_shortly(node.value)} cannot be read: {error}; correct it, or quote it if it is "
                f"text\n{node.start_mark}"
            ) from error
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _check(child, loader)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.YAMLError(f"a key is not text\n{key.start_mark}")
            if key.value in seen:
                raise yaml.YAMLError(f"key {key.value!r} is given twice\n{key.start_mark}")
            seen.add(key.value)
            _check(key, loader)
            _check(child, loader)


def _refuse_other_keys(path: Path, value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _refuse_other_keys(path, item)
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ConfigError(f"{path}: key {_shortly(key)} is not text; correct or remove it")
            _refuse_other_keys(path, item)


def _shortly(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
