"""Checkpoints of a month's fits go when its partition stands, and no other month's."""

from types import SimpleNamespace

from price_physics.months import Month
from price_physics.orchestration.assets import checkpoint_folder
from price_physics.orchestration.build import _after_writing
from price_physics.project import Project


def test_checkpoints_go_when_the_model_stands(tmp_path):
    project, told = Project(tmp_path), []
    folders = {m: checkpoint_folder(project, "demo", m) for m in Month.span(*MONTHS)}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "fold_0_seed_0.safetensors").write_bytes(b"state")
    written = _after_writing(project, told.append)
    images = SimpleNamespace(key=("demo", "images"), month=MONTHS[0])
    model = SimpleNamespace(key=("demo", "model"), month=MONTHS[0])
    written(images)
    assert all(folder.exists() for folder in folders.values())
    written(model)
    assert [folder.exists() for folder in folders.values()] == [False, True]
    written(model)  # nothing left to remove is no error
    assert told == [images, model, model]


MONTHS = Month(2012, 3), Month(2012, 4)
