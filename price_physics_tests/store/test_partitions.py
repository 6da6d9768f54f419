"""The store: atomic, checksummed, deterministic; a kill leaves the old partition or the new."""

import errno
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import PartitionCorrupt, PartitionLocked, PartitionMissing
from price_physics.schemas.ticks import TICKS
from price_physics.schemas.walk_forward import TRADES
from price_physics.store import partitions
from price_physics.store.artefact import Artefact, canonical_json
from price_physics.store.atomic import write_atomically
from price_physics.store.partitions import MANIFEST, Store
from price_physics_tests.store.make import (
    KEY,
    MONTH,
    make_artefact,
    version_of,
    write_for_ever,
    write_version,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_round_trip(store: Store) -> None:
    store.write(KEY, MONTH, make_artefact(), code_version="1", inputs={"a.csv": "ff"})
    partition = store.read(KEY, MONTH)
    pd.testing.assert_frame_equal(partition.table("ticks"), make_artefact().tables[0][1])
    assert partition.table("ticks", columns=["price"]).columns.tolist() == ["price"]
    assert partition.document("quality") == {"rows_read": 5, "share": None}
    tensors = partition.arrays("network")
    assert np.array_equal(tensors["weight"], np.eye(3))
    assert tensors["steps"].shape == ()
    assert tensors["steps"] == 7
    assert partition.file("sheet.png") == b"\x89PNG"
    assert partition.warm_up == "too young"
    assert partition.manifest["inputs"] == {"a.csv": "ff"}
    assert partition.manifest["files"]["ticks.parquet"]["rows"] == 5
    assert partition.manifest["files"]["ticks.parquet"]["known_at"] == "time_ns"


def test_nullable_integers_keep_every_nanosecond(store: Store) -> None:
    row = dict.fromkeys(TRADES.columns, 0)
    row["exit_reason"] = "time_out"
    frame = pd.DataFrame([row, row])
    frame["entry_time_ns"] = pd.array([1_330_560_000_123_456_789, None], dtype="Int64")
    store.write(KEY, MONTH, Artefact(tables=((TRADES, frame),)), code_version="1")
    read = store.read(KEY, MONTH).table("trades")["entry_time_ns"]
    assert read[0] == 1_330_560_000_123_456_789
    assert read[1] is pd.NA


def test_same_artefact_same_bytes(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    for s in (store, other):
        s.write(KEY, MONTH, make_artefact(), code_version="1")
    first, second = store.folder(KEY, MONTH), other.folder(KEY, MONTH)
    names = sorted(p.name for p in first.iterdir())
    assert names == sorted(p.name for p in second.iterdir())
    assert all((first / n).read_bytes() == (second / n).read_bytes() for n in names)


def test_data_version_follows_content_only(store: Store) -> None:
    one = store.write(KEY, MONTH, make_artefact(), code_version="1", inputs={"x": "1"})
    two = store.write(KEY, MONTH, make_artefact(), code_version="2", inputs={"x": "2"})
    three = store.write(KEY, MONTH, make_artefact(price=5.0), code_version="2")
    assert one.data_version == two.data_version != three.data_version


def test_data_version_follows_the_marks(store: Store) -> None:
    plain = make_artefact()
    marked = [replace(plain, synthetic=True), replace(plain, in_sample=True)]
    versions = {
        store.write(KEY, MONTH, artefact, code_version="1").data_version
        for artefact in (plain, *marked)
    }
    assert len(versions) == 3


def test_rewriting_leaves_no_old_files(store: Store) -> None:
    store.write(KEY, MONTH, make_artefact(), code_version="1")
    (store.folder(KEY, MONTH) / ".tmp-left-by-a-kill").write_bytes(b"half")
    store.write(KEY, MONTH, make_artefact(price=7.0), code_version="1")
    assert len(list(store.folder(KEY, MONTH).iterdir())) == 5
    assert store.read(KEY, MONTH).table("ticks")["price"].eq(7.0).all()


def test_missing_partition_names_the_command(store: Store) -> None:
    with pytest.raises(PartitionMissing, match="make backfill STUDY=demo FROM=2012-03"):
        store.read(KEY, MONTH)


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_damaged_file_is_refused(store: Store, damage: str) -> None:
    partition = store.write(KEY, MONTH, make_artefact(), code_version="1")
    path = partition.folder / partition.manifest["files"]["ticks.parquet"]["path"]
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    elif damage == "truncate":
        path.write_bytes(raw[:-10])
    else:
        path.unlink()
    with pytest.raises(PartitionCorrupt, match=r"ticks-\w+\.parquet"):
        store.read(KEY, MONTH).table("ticks")


def test_damaged_manifest_is_refused(store: Store) -> None:
    partition = store.write(KEY, MONTH, make_artefact(), code_version="1")
    path = partition.folder / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"too young"', b'"too old"'))
    with pytest.raises(PartitionCorrupt, match="own checksum"):
        store.read(KEY, MONTH)
    path.write_bytes(b"{")
    with pytest.raises(PartitionCorrupt, match="not a manifest"):
        store.read(KEY, MONTH)


def test_nan_in_a_document_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON cannot express"):
        canonical_json({"x": float("nan")})


def test_a_write_that_has_no_room_names_the_file(store: Store, tmp_path: Path) -> None:
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"No space left on device: '.*x\.json'"):
        write_atomically(tmp_path / "x.json", full)
    assert not list(tmp_path.iterdir())


def test_frame_that_does_not_fit_its_schema_is_refused(store: Store) -> None:
    frame = make_artefact().tables[0][1]
    for wrong, message in (
        (frame.drop(columns="price"), r"missing \['price'\]"),
        (frame.assign(price=None), "'price': 5 nulls"),
        (frame.assign(tick_sign=1000), "'tick_sign'"),
    ):
        with pytest.raises(ValueError, match=message):
            store.write(KEY, MONTH, Artefact(tables=((TICKS, wrong),)), code_version="1")
    assert not store.exists(KEY, MONTH)


def test_second_writer_is_told_who_holds_the_lock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT_S", 0.1)
    with store._lock(KEY, MONTH), pytest.raises(PartitionLocked, match=r"demo__ticks__2012-03"):
        # filelock is reentrant within one object only; a second object must wait
        store.write(KEY, MONTH, make_artefact(), code_version="1")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_kill_at_any_point_leaves_a_whole_partition(store: Store) -> None:
    write_version(store.root, 0.0)
    context = multiprocessing.get_context("spawn")
    seen = set()
    for attempt in range(3):
        before, deadline = store.read(KEY, MONTH).data_version, time.monotonic() + 60
        writer = context.Process(target=write_for_ever, args=(store.root,))
        writer.start()
        while store.read(KEY, MONTH).data_version == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.013 * attempt)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        seen.add(version_of(store.root))
    assert seen != {0.0}, "no writer ever got as far as a commit"
