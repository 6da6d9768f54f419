"""``price-physics``: what ``make`` calls, for those without make."""

import argparse
import io
import json
import os
import re
import socket
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from price_physics import __version__
from price_physics.errors import ConfigError, PricePhysicsError
from price_physics.flags import by_make, said
from price_physics.machine_faults import machine_faults
from price_physics.months import Month
from price_physics.processes import end_on_sigterm, run_child
from price_physics.project import Project, find_project

DEMO = "demo"
PORT = 3000
MOST_WORKERS = 8
"""Limit of workers that run tests: each takes about a gigabyte of memory."""
PLANTED = ["trend", "exclusive_or", "volatility", "walk", "moving_barriers"]
_EXAMPLES = {
    "demo": "",
    "backfill": "--study demo --from 2011-09 --to 2012-05",
    "audit": "--study demo --at 2012-03",
    "status": "--study demo",
    "doctor": "",
    "new-study": "mine --files 'data/raw/*.zip' --symbol BTCUSDT --fee-bps 3.5 --slippage-bps 2",
    "open": "--study demo --month 2012-05",
    "prune": "--study demo --yes",
    "track": "--study demo",
    "mlflow": "--study demo --port 5001",
    "promote": "--study demo --month 2012-05",
    "ledger": "export trials.jsonl",
    "truth": "--kind trend walk --seed 7",
    "synthetic-ticks": "--from 2024-01 --months 7 --folder data/raw/btcusdt",
    "bench": "labels --accept",
    "dev": "",
    "fast": "",
    "test": "",
    "lint": "",
    "types": "",
}
"""What the help of each verb ends with."""


class _Parser(argparse.ArgumentParser):
    """Names make's variables instead of flags where make passed them on."""

    def error(self, message: str) -> NoReturn:
        if by_make():
            named = re.sub("argument (--[a-z-]+):", lambda found: said(found[1]), message)
            self.exit(2, f"error: {named}\n")
        super().error(message)


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; an expected error prints one message and gives exit status 1."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # in a file, Windows cannot encode a minus sign
    if arguments is None:
        end_on_sigterm()
    try:
        with machine_faults():
            return options.run(find_project(), options)
    except PricePhysicsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was written is kept: run it again to continue", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    text = (__doc__ or "").replace("``", "")
    parser = _Parser(prog="price-physics", description=text)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="verb")

    def add(name: str, run: Callable[[Project, argparse.Namespace], int], text: str):  # type: ignore[no-untyped-def]
        example = f"example: price-physics {name} {_EXAMPLES[name]}".rstrip()
        verb = verbs.add_parser(name, help=text, description=text, epilog=example)
        verb.set_defaults(run=run, verb=name)
        return verb

    add("demo", _demo, "materialise every asset of every month of the sample, print the verdict")
    backfill = add("backfill", _backfill, "materialise a study month by month in one process")
    backfill.add_argument(
        "--study",
        required=True,
        help="name of configs/studies/<name>.yaml, or of a market: its ticks",
    )
    backfill.add_argument("--from", dest="first", type=_month, help="first month, YYYY-MM")
    backfill.add_argument("--to", dest="last", type=_month, help="last month, YYYY-MM")
    audit = add("audit", _audit, "change every later tick, run again, look for earlier changes")
    audit.add_argument("--study", required=True, help="name of configs/studies/<name>.yaml")
    audit.add_argument("--from", dest="first", type=_month, help="first month, YYYY-MM")
    audit.add_argument("--to", dest="last", type=_month, help="last month, YYYY-MM")
    audit.add_argument(
        "--at",
        dest="moments",
        action="append",
        default=[],
        help="a month (its end) or an ISO time; may be repeated; four are chosen by default",
    )
    status = add(
        "status", _verb, "say which months are current, stale or missing, and what they take"
    )
    status.add_argument("--study", help="name of configs/studies/<name>.yaml; all by default")
    add("doctor", _verb, "say what is wrong with the machine and the project, and what mends it")
    new = add("new-study", _verb, "write a market and a study from the files that are there")
    new.add_argument("name", help="of both: lower case letters, digits and _")
    new.add_argument("--files", nargs="+", metavar="GLOB", help="quoted, relative to the project")
    new.add_argument("--symbol", help="of the instrument at the venue")
    new.add_argument("--candle-minutes", type=float, help="where the rows are candles")
    new.add_argument("--fee-bps", type=float, help="fee a side")
    new.add_argument("--slippage-bps", type=float, help="slippage a side")
    opened = add("open", _verb, "print where the newest report lies, and show it in a browser")
    opened.add_argument("--study", help="name of configs/studies/<name>.yaml; any by default")
    opened.add_argument("--month", type=_month, help="the report up to this month, YYYY-MM")
    prune = add("prune", _verb, "show disk by study and stage, and what nobody refers to")
    prune.add_argument("--study", help="only what belongs to it; a deleted study too")
    prune.add_argument("--yes", action="store_true", help="delete what nobody refers to")
    track = add("track", _track, "log to MLflow what it lacks of a study: models, reports, motifs")
    track.add_argument("--study", required=True, help="name of configs/studies/<name>.yaml")
    mlflow = add(
        "mlflow", _mlflow, "serve MLflow on this machine, and say where a study's runs are"
    )
    mlflow.add_argument("--study", default=DEMO, help="name of configs/studies/<name>.yaml")
    mlflow.add_argument("--port", type=int, default=5000, help="port of this machine; 5000 if free")
    promote = add("promote", _promote, "give the alias champion to a model whose study has an edge")
    promote.add_argument("--study", required=True, help="name of configs/studies/<name>.yaml")
    promote.add_argument("--month", type=_month, help="the model's last month; the last by default")
    promote.add_argument("--force", metavar="NAME", help="who answers for a model without an edge")
    ledger = add("ledger", _ledger, "list every trial that was looked at, export or import them")
    ledger.add_argument("action", nargs="?", default="list", choices=["list", "export", "import"])
    ledger.add_argument("file", nargs="?", type=Path, help="JSON lines, to write or to read")
    truth = add("truth", _truth, "plant patterns in markets, and see whether the DAG finds them")
    truth.add_argument(
        "--kind",
        dest="kinds",
        nargs="+",
        default=PLANTED,
        choices=PLANTED,
        metavar="KIND",
        help=f"{', '.join(PLANTED)}; all of them by default",
    )
    truth.add_argument("--seed", type=int, default=7, help="seed of the markets and the studies")
    truth.add_argument("--events", type=int, default=40_000, help="least events to train on")
    ticks = add("synthetic-ticks", _synthetic_ticks, "write dumps of a market that does not exist")
    ticks.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    ticks.add_argument("--symbol", default="BTCUSDT", help="names the files")
    needed: dict[str, Any] = {"required": True, "default": argparse.SUPPRESS}  # no default to show
    ticks.add_argument("--from", dest="first", type=_month, help="first month, YYYY-MM", **needed)
    ticks.add_argument("--months", type=int, default=1, help="number of months")
    ticks.add_argument("--ticks-a-day", type=int, default=100_000, help="average number")
    ticks.add_argument("--seed", type=int, default=0, help="seed of every random number")
    ticks.add_argument(
        "--vendor", default="binance_spot_trades", help="format; an unknown one lists them all"
    )
    ticks.add_argument("--folder", type=Path, help="where the files go", **needed)
    bench = add("bench", _bench, "measure speed and memory against peers, side by side")
    bench.add_argument("section", nargs="*", help="ticks_bars, labels, images, training, inference")
    bench.add_argument("--full", action="store_true", help="also run what takes many minutes")
    bench.add_argument("--accept", action="store_true", help="keep it in benchmarks/results")
    dev = add("dev", _dev, f"open the Dagster UI on http://127.0.0.1:{PORT}")
    dev.add_argument("--port", type=int, default=PORT, help=f"another port than {PORT}")
    add("fast", _fast, "check style and import rules, then run the unit tests: before a commit")
    add("test", _test, "check style, import rules and types, then run every test")
    add("lint", _lint, "check style and which way imports point")
    add("types", _types, "check types")
    return parser


def _verb(project: Project, options: argparse.Namespace) -> int:
    """Run a verb that has a module of its own."""
    module = import_module(f"price_physics.verbs.{options.verb.replace('-', '_')}")
    status: int = module.run(project, options)
    return status


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _demo(project: Project, options: argparse.Namespace) -> int:
    print("Real ticks of the sample -> bars -> labels -> images -> CNN -> walk-forward -> verdict")
    options.study, options.first, options.last = DEMO, None, None
    return _backfill(project, options)


def _backfill(project: Project, options: argparse.Namespace) -> int:
    from price_physics.orchestration.backfill import run_backfill

    start = time.monotonic()
    done = run_backfill(project, options.study, options.first, options.last)
    print(
        f"{done.n_materialised} assets materialised, {done.n_current} were current, "
        f"{time.monotonic() - start:.0f} s"
    )
    if done.left_out:
        print(f"Left out: {done.left_out}")
    if done.of_market:
        return 0
    outputs, last = project.outputs / done.study.name, done.months[-1]
    print_verdict(outputs / "reports" / f"{last}.json", outputs / "reports" / f"{last}.html")
    print(f"Motifs: {outputs / 'motifs' / str(last) / 'motifs.md'}")
    return 0


def print_verdict(numbers: Path, report: Path) -> None:
    """Print the verdict, known holes and headline numbers in the report's words, and its path."""
    from price_physics.report.content import compose
    from price_physics.report.quality import holes_sentence

    content = json.loads(numbers.read_text(encoding="utf-8"))
    document, holes = compose(content), holes_sentence(content["quality"])
    print(f"\nVerdict: {document.verdict.upper()}\n{document.sentence}\n")
    if holes and holes not in document.sentence:
        print(f"{holes}\n")
    width = max(len(tile.label) for tile in document.tiles)
    for tile in document.tiles:
        print(f"  {tile.label:<{width}} {tile.value:>10}   {tile.detail}")
    print(f"\nReport: {report}")


def _audit(project: Project, options: argparse.Namespace) -> int:
    from price_physics.audit.moments import parse_moment
    from price_physics.orchestration.audit import result_path, run_audit

    try:
        moments = [parse_moment(text) for text in options.moments]
    except ValueError as error:
        raise ConfigError(f"{said('--at')}: {error}") from error
    found = run_audit(
        project, options.study, first=options.first, last=options.last, moments_ns=moments
    )
    print(f"{found.text()}\n\nJSON: {result_path(project, options.study)}")
    return 0 if found.passed else 1


def _track(project: Project, options: argparse.Namespace) -> int:
    from price_physics.orchestration.backfill import find_study
    from price_physics.orchestration.tracking import tracking_of
    from price_physics.orchestration.untracked import log_missing, stored_months

    study, market = find_study(project, options.study)
    months = stored_months(project, study)
    n = log_missing(project, tracking_of(project), study, market, months)
    print(
        f"{n} models, reports and motifs logged of {len(months)} months; look at them by  "
        f"price-physics mlflow --study {study.name}"
    )
    return 0


def _mlflow(project: Project, options: argparse.Namespace) -> int:
    from price_physics.orchestration.mlflow_ui import serve

    return serve(project, options.study, options.port)


def _promote(project: Project, options: argparse.Namespace) -> int:
    from price_physics.orchestration.promotion import promote

    done = promote(project, options.study, options.month, options.force)
    print(
        f"champion of {done.study}: version {done.version}, trained through {done.month}, verdict "
        f"{done.verdict!r}; load it as  models:/{done.study}@champion"
    )
    return 0


def _ledger(project: Project, options: argparse.Namespace) -> int:
    from price_physics.walk_forward.ledger import add_entries, export_entries, parse_entries

    if options.action == "list":
        print(_trials_text(project))
    elif options.file is None:
        raise ConfigError(f"ledger {options.action} FILE: name the file of JSON lines")
    elif options.action == "export":
        n = export_entries(project.ledger, options.file)
        print(f"{n} entries in {options.file}; a colleague adds them by `ledger import`")
    else:
        content = options.file.read_bytes()
        n = add_entries(project.ledger, parse_entries(content, str(options.file)))
        print(f"{n} new entries in {project.ledger}")
    return 0


def _trials_text(project: Project) -> str:
    """One line a trial: its months, days and studies, by the market's name."""
    from price_physics.walk_forward.ledger import read_entries

    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in read_entries(project.ledger):
        rows.setdefault((entry["market"], entry["trial"]), []).append(entry)
    lines = [
        f"{market:<20} {trial}  {min(e['month'] for e in found)} to "
        f"{max(e['month'] for e in found)}  {', '.join(sorted({e['study'] for e in found}))}"
        + ("  in-sample" if any(e["in_sample"] for e in found) else "")
        for (market, trial), found in sorted(rows.items())
    ]
    return "\n".join([f"{len(rows)} trials in {project.ledger}", *lines])


def _truth(project: Project, options: argparse.Namespace) -> int:
    from price_physics.orchestration.truth import run_truth

    kinds = list(dict.fromkeys(options.kinds))
    truth = run_truth(project, kinds, options.seed, options.events)
    print(f"{truth.text()}\n\nPage: {project.outputs / 'truth' / 'truth.md'}")
    return 0 if truth.passed else 1


def _synthetic_ticks(project: Project, options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from price_physics.truth.dumps import SyntheticMarket, write_synthetic_dumps

    with tqdm(unit="day", disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        market = SyntheticMarket(
            symbol=options.symbol,
            first_month=options.first,
            n_months=options.months,
            ticks_a_day=options.ticks_a_day,
            seed=options.seed,
        )
        paths = write_synthetic_dumps(market, options.vendor, options.folder, progress)
    print(f"{len(paths)} files in {options.folder}; a .SYNTHETIC file beside each says what it is")
    return 0


def _bench(project: Project, options: argparse.Namespace) -> int:
    flags = [f"--{name}" for name in ("full", "accept") if getattr(options, name)]
    command = [sys.executable, "-m", "price_physics_tests.benchmarks", *options.section, *flags]
    return _run(project, command)


def _dev(project: Project, options: argparse.Namespace) -> int:
    from price_physics.orchestration.dead_runs import dead_runs_closed
    from price_physics.orchestration.instance import open_instance

    port = options.port
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigError(
                f"something listens on port {port} already: open http://127.0.0.1:{port} if it is "
                "another `make dev`, else end it; two at once would disturb each other's schedules"
            )
    print(f"Dagster on http://127.0.0.1:{port} (no login: it listens on this machine only)")
    command = [_tool("dagster"), "dev", "--host", "127.0.0.1", "--port", str(port)]
    # `dg dev`, which it advises, is not installed; beside our dagster.yaml it warns of two
    os.environ["PYTHONWARNINGS"] = "ignore:Function `dev_command` is superseded"
    project.data.mkdir(exist_ok=True)
    command += ["-w", str(project.root / "workspace.yaml")]
    # Dagster's databases are made here, before its processes race for them.
    with open_instance(project) as instance, dead_runs_closed(instance):
        return run_child(command, project.data)


def _fast(project: Project, options: argparse.Namespace) -> int:
    return max(_lint(project, options), _pytest(project, "-m", "not e2e and not slow"))


def _test(project: Project, options: argparse.Namespace) -> int:
    checks = max(_lint(project, options), _types(project, options))
    return max(checks, _pytest(project))


def _pytest(project: Project, *selection: str) -> int:
    """Run tests on every core, whole files a worker, so that no file's fixture is made twice."""
    workers = ["-n", "auto", "--maxprocesses", str(MOST_WORKERS)]
    spread = ["--dist", "loadfile", "--no-loadscope-reorder"]  # the order is conftest's
    return _run(project, [sys.executable, "-m", "pytest", *workers, *spread, *selection])


def _lint(project: Project, options: argparse.Namespace) -> int:
    commands = (
        [_tool("ruff"), "check", "."],
        [_tool("ruff"), "format", "--check", "."],
        [_tool("lint-imports")],
    )
    return max(_run(project, command) for command in commands)


def _types(project: Project, options: argparse.Namespace) -> int:
    return _run(project, [sys.executable, "-m", "mypy"])


def _run(project: Project, command: list[str]) -> int:
    print("$", " ".join(command), flush=True)
    return run_child(command, project.root)


def _tool(name: str) -> str:
    """Return the path of a console script beside this interpreter."""
    suffix = ".exe" if os.name == "nt" else ""
    return str(Path(sys.executable).parent / f"{name}{suffix}")


if __name__ == "__main__":
    sys.exit(main())
