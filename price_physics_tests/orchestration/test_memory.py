"""A month that the machine's memory does not hold is refused before its stage starts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import MachineError
from price_physics.months import Month
from price_physics.orchestration import memory
from price_physics.orchestration.memory import available_bytes, check_memory
from price_physics.pipeline.dag import STAGES
from price_physics.store.partitions import Partition
from price_physics.study.bars import TickBars, TimeBars
from price_physics.study.market import TradeMarket
from price_physics_tests.motifs.cases import study

MONTH = Month(2012, 4)
MARKET = TradeMarket(name="toy", symbol="TOY", files=["*"], first_month=MONTH)
GB = 10**9
MANY = 25_000_000


@pytest.fixture
def machine(monkeypatch):
    """Set what is available, in GB."""
    return lambda gb: monkeypatch.setattr(memory, "available_bytes", lambda: gb * GB)


def inputs_of(asset, n_rows):
    """A month of every input, its rows known by the manifest alone."""
    return {name: {MONTH: stored(name, n_rows)} for name in STAGES[asset].reads}


def stored(name, n_rows, folder="/nowhere"):
    files = {f"{name}.parquet": {"rows": n_rows}, "quality.json": {}}
    return Partition(("toy", name), MONTH, Path(folder), {"files": files})


class Ticks(Partition):
    """Ticks of so many rows, one a second, in pieces."""

    def chunks(self, name):
        for first in range(0, self.n_rows, 100_000):
            time_ns = MONTH.start_ns + np.arange(first, first + 100_000) * 10**9
            frame = pd.DataFrame({"time_ns": time_ns, "price": 5.0, "qty": 1.0})
            yield frame.assign(trade_id=pd.array([None] * len(frame), "Int64"), tick_sign=1)


@pytest.mark.parametrize("asset", ["folds", "model", "report", "motifs"])
def test_25_million_events_are_refused_with_the_figures_and_what_to_change(asset, machine):
    machine(8)
    with pytest.raises(MachineError) as raised:
        check_memory(asset, study(), MARKET, MONTH, inputs_of(asset, MANY))
    said = str(raised.value)
    assert f"{study().name} 2012-04, {asset}: " in said
    assert "8.0 GB are available" in said
    assert "raise bars.threshold_" in said
    assert f"events.every_n_bars (it is {study().events.every_n_bars})" in said
    assert f"configs/studies/{study().name}.yaml" in said


def test_a_month_of_today_passes_without_a_word(machine, caplog):
    machine(16)
    for asset in STAGES:
        if asset != "ticks":
            check_memory(asset, study(), MARKET, MONTH, inputs_of(asset, 100_000))
    assert not caplog.text


def test_above_half_it_is_said(machine, caplog):
    n_bytes = memory.BYTES_A_ROW["folds"] * 2 * MANY
    for share, said in ((0.4, False), (0.6, True)):
        machine(n_bytes / share / GB)
        check_memory("folds", study(), MARKET, MONTH, inputs_of("folds", MANY))
        assert ("folds: 50,000,000 rows to read take about" in caplog.text) == said


@pytest.mark.parametrize(
    ("bars", "n_bars"),
    [
        (TickBars(kind="tick", threshold_ticks=2), 100_000),
        (TimeBars(kind="time", interval_minutes=1), 3_335),  # one that two pieces share
    ],
)
def test_bars_are_counted_where_one_a_tick_would_be_too_many(bars, n_bars, machine, caplog):
    ticks = Ticks(("toy", "ticks"), MONTH, Path("/nowhere"), stored("ticks", 200_000).manifest)
    settings = study().model_copy(update={"bars": bars})
    given = (settings, MARKET, MONTH, {"ticks": {MONTH: ticks}})
    needed = n_bars * memory.BYTES_A_BAR / GB
    machine(needed * 1.1)
    check_memory("bars", *given)
    assert f"{n_bars:,} bars take about" in caplog.text
    machine(needed * 0.9)
    with pytest.raises(MachineError, match=rf"{n_bars:,} bars take .*; raise bars\.\w+ \(it is "):
        check_memory("bars", *given)


def test_the_month_before_is_read_once_for_its_threshold(machine, caplog):
    bars = TickBars(kind="tick", threshold_ticks=2, target_bars_a_day=12_500.0)
    reads = []

    class Before(Ticks):
        def chunks(self, name):
            reads.append(name)
            return super().chunks(name)

    ticks = {
        month: kind(("toy", "ticks"), month, Path("/nowhere"), stored("ticks", n).manifest)
        for month, kind, n in ((MONTH - 1, Before, 3_100_000), (MONTH, Ticks, 400_000))
    }
    n_bars = 400_000 // 8  # 100,000 a day in March, so 8 a bar
    machine(n_bars * memory.BYTES_A_BAR * 1.1 / GB)
    settings = study().model_copy(update={"bars": bars})
    check_memory("bars", settings, MARKET, MONTH, {"ticks": ticks})
    assert f"{n_bars:,} bars take about" in caplog.text
    assert reads == ["ticks"]


def test_ticks_count_where_they_touch_the_barriers(machine):
    machine(1)
    by_bars = study().labels.model_copy(update={"path": "bars", "both_touched": "drop"})
    by_bars = study().model_copy(update={"labels": by_bars})
    for asset in ("excursions", "labels", "walk_forward"):
        inputs = inputs_of(asset, 1000) | {"ticks": {MONTH: stored("ticks", MANY)}}
        with pytest.raises(MachineError, match="25,000,000 ticks take about") as raised:
            check_memory(asset, study(), MARKET, MONTH, inputs)
        assert "bars.threshold" not in str(raised.value), "fewer bars leave as many ticks"
        assert ("set labels.path: bars" in str(raised.value)) == (asset != "walk_forward")
        if asset != "walk_forward":
            check_memory(asset, by_bars, MARKET, MONTH, inputs)


def test_ticks_need_not_be_read_where_even_one_bar_a_tick_would_fit(machine):
    machine(16)
    check_memory("bars", study(), MARKET, MONTH, inputs_of("bars", MANY))


def machine_of(folder, cgroup, **files):
    """A machine with 8 GB free, and a limit."""
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 7812500 kB\n")
    (folder / "proc" / "self" / "cgroup").write_text(cgroup)
    for name, content in files.items():
        path = folder / "sys" / name.replace("__", "/").replace("_of_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return available_bytes(folder / "proc", folder / "sys")


def test_without_a_limit_it_is_what_the_machine_has(tmp_path):
    assert machine_of(tmp_path, "0::/user\n", user__memory_of_max="max\n") == 8 * GB


def test_a_container_has_less(tmp_path):
    limit = {
        "a__memory_of_max": f"{3 * GB}\n",
        "a__memory_of_current": f"{2 * GB}\n",
        "a__memory_of_stat": f"anon 5\ninactive_file {GB // 2}\nactive_file {GB // 4}\n"
        f"slab_reclaimable {GB // 8}\n",
    }
    assert machine_of(tmp_path, "0::/a/b\n", **limit) == 1.875 * GB


def test_so_has_one_of_the_older_kind(tmp_path):
    limit = {
        "memory__a__memory_of_limit_in_bytes": f"{3 * GB}\n",
        "memory__a__memory_of_usage_in_bytes": f"{2 * GB}\n",
        "memory__a__memory_of_stat": f"total_inactive_file {GB // 2}\n"
        f"total_active_file {GB // 4}\nactive_file 7\n",
    }
    assert machine_of(tmp_path, "4:memory:/a\n0::/\n", **limit) == 1.75 * GB


def test_where_nobody_says_nothing_is_refused(tmp_path, monkeypatch):
    assert available_bytes(tmp_path / "none", tmp_path) is None
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    check_memory("model", study(), MARKET, MONTH, inputs_of("model", 10**12))


def test_this_machine_says_it():
    if Path("/proc/meminfo").exists():
        assert available_bytes() > 10**7
