"""The benchmark still runs: on a few thousand ticks, without peers, without looking at a clock."""

import importlib
import json
import zipfile

import numpy as np
import pytest

from price_physics_tests.benchmarks import data, labels, ours, peer_labels, ticks_bars
from price_physics_tests.benchmarks.__main__ import main
from price_physics_tests.benchmarks.contender import run
from price_physics_tests.benchmarks.harness import (
    OURS,
    PACKAGE,
    PINS,
    RATE,
    Arena,
    BenchmarkError,
    Call,
    Contender,
    Figure,
    figures_json,
    table,
)
from price_physics_tests.benchmarks.peer_bars import GOLDEN

N = 3_000


class InProcess(Arena):
    """Ours in this process; a peer's answers are given."""

    def __init__(self, answers=()):
        super().__init__()
        self.answers = list(answers)

    def ask(self, call):
        if self.answers:
            return self.answers.pop(0)
        return {"result": ours.TASKS[call.task](**call.args)()}


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    return ticks_bars.figures(InProcess(), N, tmp_path_factory.mktemp("data"), full=False)


@pytest.fixture(scope="module")
def label_figures(tmp_path_factory):
    return labels.figures(InProcess(), 20 * N, tmp_path_factory.mktemp("data"), full=False)


def test_every_call_of_ours_runs(figures):
    results = {}
    for call in (c for figure in figures for c in figure.calls if c.contender == OURS):
        size = "3n" if str(3 * N) in str(call.args) else "n"
        results[call.task, size] = InProcess().ask(call)["result"]
    assert results["ingest", "n"] == N
    assert results["ingest", "3n"] == 3 * N
    assert results["dollar_table", "n"] == results["dollar_index", "n"] + 1  # the partial one
    assert results["dollar_index", "3n"] > results["dollar_index", "n"] > 0
    assert results["imbalance_index", "n"] > 0


def test_every_call_of_the_labels_runs_and_the_scan_agrees(label_figures):
    results = {
        f.name: [InProcess().ask(c)["result"] for c in f.calls if c.contender == OURS]
        for f in label_figures
    }
    pyramid, scan = results["first_touch_scan"]
    assert pyramid == scan == results["first_touch_finmlkit"][0]
    # Twice the events hold the others; twice the ticks are another path.
    assert set(results["first_touch_twice_the_events"]) == {pyramid}
    denser, same = results["first_touch_twice_the_ticks"]
    assert denser != same == pyramid
    assert 0 <= results["first_touch_high_low"][0] < 2_000
    n_labels = 20 * N // labels.TICKS_AN_EVENT
    assert 3.9 * n_labels > results["purged_k_fold_pymlfinance"][0] > 0
    assert 15 * n_labels > results["combinatorial_skfolio"][0] > 0


def test_rates_count_what_the_calls_do(label_figures):
    """A rate counts rows; the scans do one event in a hundred, and all must meet their target."""
    n_events = 20 * N // labels.TICKS_AN_EVENT
    for figure in label_figures:
        for call in figure.calls if figure.unit == RATE else []:
            few = call.task == "scan_labels" or call.contender == "finmlkit"
            assert call.rows == (n_events // labels.EVENTS_A_SCANNED if few else n_events)
        assert figure.target is not None


def test_three_of_four_paths_on_ticks_time_out(tmp_path):
    """What the section says of its market, on fewer ticks and as many of them to the horizon."""
    n = 300_000
    folder = data.arrays(n, tmp_path)
    event = {"n_events": n // 30, "width": labels.barrier_width(n)}
    *case, _ = ours._paths(str(folder), **event)
    label, touch = ours.first_touch(*case, data.HORIZON_NS)
    inside = case[0][case[2]] + data.HORIZON_NS <= case[0][-1]
    assert np.mean(label[inside] == 0) == pytest.approx(0.75, abs=0.1)
    n_in_horizon = n * data.HORIZON_NS / (data.MONTH.stop_ns - data.MONTH.start_ns)
    assert (touch - case[2])[inside].mean() == pytest.approx(0.9 * n_in_horizon, rel=0.1)


def test_a_fifth_of_the_bars_time_out(tmp_path):
    bars = data.bars(20_000, tmp_path)
    close, end = (np.load(bars / f"{name}.npy") for name in ("close", "label_end"))
    timed_out = np.abs(close[end] / close - 1) < data.WIDTH
    assert np.mean(timed_out) == pytest.approx(0.2, abs=0.1)
    assert data.bars(20_000, tmp_path) == bars
    time_ns, end_ns = (np.load(bars / f"{n}.npy") for n in ("close_time_ns", "label_end_ns"))
    np.testing.assert_array_equal(time_ns[end], end_ns)


def test_every_call_of_a_peer_names_a_function_and_the_peer_is_pinned(figures, label_figures):
    both = [*figures, *label_figures]
    peers = [c for figure in both for c in figure.calls if c.contender != OURS]
    assert len({c.contender for c in peers}) == 6
    for call in peers:
        module = importlib.import_module(f"{PACKAGE}.peers.{call.contender}")
        assert callable(getattr(module, call.task))
        pins = (PINS / f"{call.contender}.txt").read_text().splitlines()
        assert any(pin.startswith(call.contender.replace("_", "-") + "==") for pin in pins)
        assert all("==" in pin for pin in pins)


@pytest.mark.parametrize("peer", ["finmlkit", "ml4t_engineer", "mlfinpy"])
def test_golden_bars_are_of_the_pinned_peers(peer):
    versions = json.loads((GOLDEN / f"{peer}.json").read_text())["versions"]
    pins = (PINS / f"{peer}.txt").read_text().splitlines()
    for name, version in versions.items():
        assert name == "python" or f"{name}=={version}" in pins


def test_golden_labels_and_splits_are_of_the_pinned_peers():
    golden = [peer_labels.LABELS / "mlfinpy.json", *peer_labels.SPLITS.glob("*.json")]
    assert len(golden) == 4
    for path in golden:
        pins = (PINS / f"{path.stem}.txt").read_text().splitlines()
        for name, version in json.loads(path.read_text())["versions"].items():
            assert name == "python" or f"{name}=={version}" in pins


def test_a_figure_is_peer_over_ours():
    call = Call(OURS, "task", {})

    def outcome(figure, *seconds):
        answers = [{"seconds": s, "peak_gb": 2.0, "result": 5} for s in seconds]
        return InProcess(answers).measure(figure, rounds=len(seconds) // len(figure.calls))

    duel = outcome(Figure("duel", "", call, Call("polars", "task", {}), 2.0), 1, 30, 2, 40, 9, 50)
    assert (duel.ours, duel.peer, duel.ratio, duel.judged) == (2, 40, 20, ["2", "yes"])
    scaling = outcome(Figure("scaling", "", call, 3.2, over=call), 8.0, 2.0)
    assert (scaling.ours, scaling.peer, scaling.judged) == (4.0, 3.2, ["1", "NO"])
    alone = Call(OURS, "task", {}, alone=True)
    memory = outcome(Figure("memory", "", alone, 4.0, unit="GB"), 60.0)
    assert (memory.ours, memory.ratio) == (2.0, 2.0)
    assert figures_json([scaling]) == {"scaling": {"ours": 4.0, "peer": 3.2, "ratio": 0.8}}
    assert "NO" in table([duel, scaling, memory])
    fewer = Call("polars", "task", {}, rows=10_000)
    many = Call(OURS, "task", {}, rows=1_000_000)
    rate = outcome(Figure("rate", "", many, fewer, 3.0, unit=RATE), 0.25, 0.1)
    assert (rate.ours, rate.peer, rate.ratio, rate.judged) == (4.0, 0.1, 40.0, ["3", "yes"])
    assert "4.00 M rows/s" in table([rate])


def test_contenders_that_must_agree_and_do_not_are_an_error():
    figure = Figure("f", "", Call(OURS, "t", {}), Call("polars", "t", {}), same_result=True)
    answers = [{"seconds": 1.0, "result": 5}, {"seconds": 1.0, "result": 6}]
    with pytest.raises(BenchmarkError, match=r"f: contenders disagree: \[5, 6\]"):
        InProcess(answers).measure(figure, rounds=1)


@pytest.mark.slow
def test_a_contender_is_a_process_that_answers_or_shows_its_log(tmp_path):
    make = {"what": "arrays", "n": N, "folder": str(tmp_path)}
    with Contender(OURS) as contender:
        assert "numba" in contender.versions
        answer = contender.ask(Call(OURS, "make", make, alone=True))
        assert answer["result"] == str(tmp_path / f"ticks-{N}")
        assert answer["peak_gb"] > 0
        with pytest.raises(BenchmarkError, match="KeyError: 'juggle'"):
            contender.ask(Call(OURS, "juggle", {}))


def test_a_job_runs_until_it_has_been_timed_long_enough():
    calls = []
    assert run(lambda: calls.append(1) or len(calls))[0] == 20
    assert run(lambda: calls.append(1) or len(calls), once=True)[0] == 21


def test_the_csv_is_the_exchanges_layout_and_zipped_the_same(tmp_path):
    plain = data.plain_csv(N, tmp_path).read_bytes()
    header, first, *rest = plain.decode().splitlines()
    assert header == "id,price,qty,quote_qty,time,is_buyer_maker"
    assert len(rest) == N - 1
    assert first.split(",")[-1] in ("true", "false")
    with zipfile.ZipFile(data.zipped_csv(N, tmp_path)) as archive:
        assert archive.read(archive.namelist()[0]) == plain
    (month,) = {line.split(",")[4] >= str(data.MONTH.start_ns // 10**6) for line in rest}
    assert month


@pytest.mark.parametrize("arguments", [["juggling"], ["--accept", "--ticks", "5"]])
def test_what_cannot_be_meant_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "juggling" in capsys.readouterr().err or "--accept" in arguments
