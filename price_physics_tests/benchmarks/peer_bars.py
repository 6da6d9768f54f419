"""``python -m price_physics_tests.benchmarks.peer_bars``: ask peers for the golden bars again.

Writes ``price_physics_tests/bars/golden/<peer>.json``: the peer's versions, and the bars it
builds of the ticks in ``price_physics_tests/bars/peer_ticks.py``.
"""

import json
import re
from pathlib import Path
from typing import Any

from price_physics_tests.bars.peer_ticks import peer_ticks
from price_physics_tests.benchmarks.harness import ROOT, Call, Contender

GOLDEN = ROOT / "price_physics_tests" / "bars" / "golden"


def main() -> None:
    for peer in ("finmlkit", "ml4t_engineer", "mlfinpy"):
        write_golden(GOLDEN / f"{peer}.json", "golden_bars", {"ticks": peer_ticks()}, key="bars")


def write_golden(path: Path, task: str, args: dict[str, Any], key: str = "") -> None:
    """Ask the peer that a file is named after, and write its versions and what it answers."""
    with Contender(path.stem) as contender:
        answer = contender.ask(Call(path.stem, task, args, alone=True))["result"]
        golden = {"versions": contender.versions, **({key: answer} if key else answer)}
    path.parent.mkdir(exist_ok=True)
    text = _one_line_a_list(json.dumps(golden, indent=1))
    path.write_text(text + "\n", encoding="utf-8")
    print(f"written: {path.relative_to(ROOT)}")


def _one_line_a_list(text: str) -> str:
    """Keep a column on one line, so that a change of a peer's shows as such.

    Examples
    --------
    >>> _one_line_a_list('{"a": [\\n 1,\\n 2\\n]}')
    '{"a": [1, 2]}'
    """
    return re.sub(r"\[\s*([^\[\]]*?)\s*\]", lambda m: f"[{' '.join(m[1].split())}]", text)


if __name__ == "__main__":
    main()
