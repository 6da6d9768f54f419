"""The GPU's table: refuses to run without a card, and what it counts is counted right."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from price_physics_tests.benchmarks import gpu

TOY = """
import builtins, dataclasses, json, sys
plain, wanted = builtins.__import__, {"torch"}
def noted(name, globals=None, locals=None, fromlist=(), level=0):
    importer = str((globals or {}).get("__name__"))
    if level == 0 and importer.startswith("price_physics"):
        wanted.add(name.split(".")[0])
    return plain(name, globals, locals, fromlist, level)
builtins.__import__ = noted
import torch
from price_physics.study.model import ModelConfig
from price_physics_tests.benchmarks import gpu
torch.set_num_threads(1)
gpu.say = lambda text: None
sizes = gpu.Sizes(
    n_samples=60, batch=8, n_steps=1, n_months=2, n_epochs=1, n_folds=2, matrix=64, copied=1024
)
rows = gpu.measure(torch.device("cpu"), sizes, ModelConfig(batch_size=8, width=4, device="cpu"))
print(json.dumps({
    "rows": [dataclasses.asdict(row) for row in rows],
    "wanted": sorted(wanted - sys.stdlib_module_names - {"price_physics", "price_physics_tests"}),
    "loaded": sorted({name.split(".")[0] for name in sys.modules}),
}))
"""


@pytest.fixture(scope="module")
def toy():
    """Measured on little, on the CPU, in a process of its own, whose imports are noted."""
    command = [sys.executable, "-W", "error", "-c", TOY]
    done = subprocess.run(command, cwd=gpu.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card is there: it would be measured")
def test_without_a_card_it_says_so_and_measures_nothing(capsys):
    assert gpu.main(["--accept"]) == 1
    assert "no CUDA device here: nothing was measured" in capsys.readouterr().out


@pytest.mark.slow
def test_every_figure_comes_out_on_a_toy(toy):
    rows = [gpu.Row(**row) for row in toy["rows"]]
    assert len({row.name for row in rows}) == len(rows) == 19
    assert all(np.isfinite(row.value) and row.value > 0 for row in rows)
    values = {row.name: row.value for row in rows}
    assert values["walk_forward_folds"] > values["walk_forward"]
    assert "rendering's share of a step" in gpu.table(rows)
    (stretched,) = [row for row in rows if row.stretch is not None]
    assert (stretched.name, stretched.target, stretched.stretch) == (
        "resnet_lite_training",
        0.4,
        0.8,
    )


@pytest.mark.slow
def test_it_needs_what_it_says_and_no_more(toy):
    said = re.search(r"^Needs (.*?),\s+neither", gpu.__doc__, re.DOTALL | re.MULTILINE)[1]
    modules = {"yaml" if name == "pyyaml" else name for name in re.split(r",\s+|\s+and\s+", said)}
    assert set(toy["wanted"]) == modules | {"pydantic_core"}  # comes with pydantic
    assert not {"dagster", "mlflow", "pyts", "matplotlib", "sklearn"} & set(toy["loaded"])


@pytest.mark.slow
def test_operations_and_bytes_are_those_of_a_product():
    a, b = torch.ones(8, 16), torch.ones(16, 4)
    flops, moved = gpu._counted(lambda: torch.mm(a, b))
    assert flops == 2 * 8 * 16 * 4
    assert moved == 4 * (8 * 16 + 16 * 4 + 8 * 4)


A, INDEX = torch.ones(8, 16), torch.tensor([1, 5, 5])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "n_bytes"),
    [
        (lambda: A.view(16, 8).unsqueeze(0).squeeze(0)[2:].T.unbind(), 0),
        (lambda: torch.ops.aten._unsafe_view(A, [16, 8]), 0),
        (lambda: torch.ops.aten.alias(A), 0),
        (lambda: (A.split(4), A.expand(3, 8, 16)), 0),
        (lambda: (torch.empty(9), torch.empty_like(A), A.new_empty(9)), 0),
        (lambda: A[INDEX], 3 * 16 * 4 + 3 * 8),
        (lambda: A.index_select(0, INDEX), 3 * 16 * 4 + 3 * 8),
        (lambda: A.gather(1, INDEX[:, None]), 3 * 4 + 3 * 8),
        (lambda: A + 1, 2 * 8 * 16 * 4),
    ],
)
def test_what_is_not_moved_is_not_counted(work, n_bytes):
    assert gpu._counted(work)[1] == n_bytes


@pytest.mark.slow
def test_the_peak_is_of_a_product_of_random_numbers():
    class Products(TorchDispatchMode):
        spreads: list[float] = []

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func.overloadpacket.__name__ == "mm":
                self.spreads += [float(matrix.float().std()) for matrix in args]
            return func(*args, **(kwargs or {}))

    with Products() as products:
        gpu._peaks(torch.device("cpu"), gpu.Sizes(matrix=64, copied=1024))
    assert len(products.spreads) >= 2
    assert min(products.spreads) == pytest.approx(1, abs=0.1)


def test_a_target_may_be_the_least_or_the_most():
    assert gpu.Row("a", "", 2.0, "s", 1.0).met is True
    assert gpu.Row("a", "", 2.0, "s", 1.0, most=True).met is False
    assert gpu.Row("a", "", 2.0, "s").met is None


def test_the_stretch_is_told_apart_from_the_target():
    row = gpu.Row("a", "samples", 0.5, "M/s", 0.4, stretch=0.8)
    assert (row.met, row.stretched) == (True, False)
    cells = gpu.table([row]).splitlines()[-1].split()
    assert cells == ["samples", "0.5", "M/s", "0.4", "yes", "0.8", "NO"]
    assert gpu.document([row], {})["figures"]["a"] == {
        "value": 0.5,
        "unit": "M/s",
        "met": True,
        "stretch": 0.8,
        "stretch_met": False,
    }


@pytest.mark.parametrize("accepted", [False, True])
def test_what_is_accepted_is_kept_with_date_and_card(tmp_path: Path, accepted):
    found = gpu.document([gpu.Row("a", "", 2.0, "s")], {"date": "2026-01-02", "card": "C"})
    gpu.write(found, tmp_path, accepted)
    assert json.loads((tmp_path / "outputs/bench/gpu.json").read_text()) == found
    kept = list(tmp_path.glob("benchmarks/results/*"))
    assert [path.name for path in kept] == (["gpu-2026-01-02.json"] if accepted else [])
    assert all(json.loads(path.read_text())["card"] == "C" for path in kept)


def test_make_passes_on_that_it_is_accepted():
    command = ["make", "-n", "bench-gpu", "PYTHON=true", "STAMP="]
    for more, passed in (([], False), (["ACCEPT=1"], True)):
        done = subprocess.run([*command, *more], cwd=gpu.ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert ("benchmarks.gpu --accept" in done.stdout) is passed
