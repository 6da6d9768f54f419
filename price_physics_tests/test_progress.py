"""Progress is said in a log every few seconds, and when all is done."""

import pytest

from price_physics import progress
from price_physics.progress import said_in_log


def test_a_log_gets_a_line_now_and_then_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    shown: list[int] = []
    said: list[str] = []
    advance = said_in_log(lambda done, total, text: shown.append(done), said.append, "epochs")
    for epoch in range(1, 9):
        now[0] += 4.0
        advance(epoch, 8, f"fold 1 of 2, epoch {epoch}")
    assert shown == list(range(1, 9))
    assert said == [
        "3 of 8 epochs: fold 1 of 2, epoch 3",
        "6 of 8 epochs: fold 1 of 2, epoch 6",
        "8 of 8 epochs: fold 1 of 2, epoch 8",
    ]
