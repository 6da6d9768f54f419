"""``python -m price_physics_tests.benchmarks [section ...]``: what ``make bench`` runs."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from price_physics_tests.benchmarks import images, inference, labels, ticks_bars, training
from price_physics_tests.benchmarks.harness import (
    ROOT,
    WORKSHOP,
    Arena,
    BenchmarkError,
    Circumstances,
    figures_json,
    measure_all,
    say,
    table,
)

SECTIONS = {
    "ticks_bars": ticks_bars,
    "labels": labels,
    "images": images,
    "training": training,
    "inference": inference,
}


def main(arguments: list[str]) -> int:
    """Run sections, all of them if none is named; a failed contender gives exit status 1."""
    parser = argparse.ArgumentParser(prog="price-physics bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--full", action="store_true", help="the peak memory too: minutes")
    parser.add_argument("--accept", action="store_true", help="keep under benchmarks/results/")
    parser.add_argument("--size", type=int, help="a trial on fewer ticks or samples")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    if options.accept and options.size:
        parser.error("a trial on less cannot be accepted; drop --size")
    try:
        for name in options.sections or SECTIONS:
            run_section(name, options)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run_section(name: str, options: argparse.Namespace) -> None:
    """Measure a section, print it, write its JSON; keep it where asked to."""
    section = SECTIONS[name]
    size = options.size or section.SIZE
    with Arena() as arena:
        say(f"{name}: making {size:,} {section.UNIT} and more, unless they are there")
        figures = section.figures(arena, size, WORKSHOP / "data", options.full)
        outcomes = measure_all(arena, figures, options.rounds)
        circumstances = dataclasses.asdict(
            Circumstances(size, section.UNIT, options.rounds, arena.versions)
        )
    measured = figures_json(outcomes)
    print(
        f"\n{name}, {size:,} {section.UNIT}, medians of {options.rounds}; a ratio above 1 is good"
    )
    print(table(outcomes))
    _write(ROOT / "outputs" / "bench" / f"{name}.json", measured)
    _write(ROOT / "outputs" / "bench" / f"{name}.machine.json", circumstances)
    if options.accept:
        kept = ROOT / "benchmarks" / "results" / f"{name}-{circumstances['date']}.json"
        _write(kept, {**circumstances, "figures": measured})


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
