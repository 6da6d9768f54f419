"""``python -m price_physics_tests.benchmarks.peer_bars``: ask peers for the golden bars again.

Writes ``price_physics_tests/bars/golden/<peer>.json``: the peer's versions, and the bars it
builds of the ticks in ``price_physics_tests/bars/peer_ticks.py``.
"""

import json
import re

from price_physics_tests.bars.peer_ticks import peer_ticks
from price_physics_tests.benchmarks.harness import ROOT, Call, Contender

GOLDEN = ROOT / "price_physics_tests" / "bars" / "golden"


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for peer in ("finmlkit", "ml4t_engineer", "mlfinpy"):
        with Contender(peer) as contender:
            call = Call(peer, "golden_bars", {"ticks": peer_ticks()}, alone=True)
            golden = {"versions": contender.versions, "bars": contender.ask(call)["result"]}
        text = json.dumps(golden, indent=1)
        (GOLDEN / f"{peer}.json").write_text(_one_line_a_list(text) + "\n", encoding="utf-8")
        print(f"written: {(GOLDEN / f'{peer}.json').relative_to(ROOT)}")


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
