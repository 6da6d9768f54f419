"""Section ``ticks_bars``: vendor file to clean month, and ticks to bars.

Where contenders do not do the same work, the row or the contender's docstring says so. Peers get
what favours them: arrays in memory, products taken beforehand, compiled code.
"""

from pathlib import Path

from price_physics_tests.benchmarks.harness import OURS, Arena, Call, Figure

SIZE, UNIT = 10_000_000, "ticks"
MEMORY_TICKS = 100_000_000
THRESHOLD = 6_500_000.0
"""About a thousand ticks of the generated market a bar."""


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """Make the data and list what is to be measured.

    Parameters
    ----------
    arena : Arena
    n : int
        Ticks; three times as many for the scaling figures.
    folder : Path
        Where the data is kept for the next time.
    full : bool
        Whether to measure the peak memory of a hundred million ticks: minutes.
    """

    def made(what: str, size: int) -> str:
        args = {"what": what, "n": size, "folder": str(folder)}
        return arena.ask(Call(OURS, "make", args, alone=True))["result"]

    csv, more_csv = ({"csv": made("plain_csv", size)} for size in (n, 3 * n))
    ticks, more_ticks = ({"ticks": made("arrays", size)} for size in (n, 3 * n))
    bars, more_bars = ({**t, "threshold": THRESHOLD} for t in (ticks, more_ticks))
    index = Call(OURS, "dollar_index", bars)
    imbalance = {**ticks, "expected_ticks": 1_000.0}
    found = [
        Figure(
            "csv_to_clean_month",
            "CSV to clean month, all checks / polars scan, sort, write of 4 columns",
            Call(OURS, "ingest", csv),
            Call("polars", "csv_to_parquet", csv),
            0.8,
            same_result=True,
        ),
        Figure(
            "dollar_bars_index_finmlkit",
            "dollar bars, closing ticks only / finmlkit",
            index,
            Call("finmlkit", "dollar_index", bars),
            4.0,
        ),
        Figure(
            "dollar_bars_loop_finmlkit",
            "dollar bars, closing ticks only / finmlkit's private loop alone",
            index,
            Call("finmlkit", "dollar_loop", bars),
            None,
        ),
        Figure(
            "dollar_bars_table_finmlkit",
            "dollar bars, whole table / finmlkit OHLCV (it adds a median)",
            Call(OURS, "dollar_table", bars),
            Call("finmlkit", "dollar_bars", bars),
            4.0,
        ),
        Figure(
            "dollar_bars_table_polars",
            "dollar bars, whole table / polars group-by (excess carries over)",
            Call(OURS, "dollar_table", bars),
            Call("polars", "dollar_bars", bars),
            6.0,
        ),
        Figure(
            "dollar_bars_read_once",
            "dollar bars, closing ticks only / numpy sum of both arrays",
            index,
            Call(OURS, "read_once", ticks),
            0.3,
        ),
        Figure(
            "dollar_imbalance_bars_ml4t",
            "dollar-imbalance bars, closing ticks only / ml4t-engineer",
            Call(OURS, "imbalance_index", {**imbalance, "expected_quote": THRESHOLD / 1_000}),
            Call("ml4t_engineer", "imbalance_index", {**imbalance, "p_buy": 0.6}),
            2.0,
        ),
        Figure(
            "csv_to_clean_month_scaling",
            "CSV to clean month, three times the ticks / limit",
            Call(OURS, "ingest", more_csv),
            3.2,
            over=Call(OURS, "ingest", csv),
            unit="x",
        ),
        Figure(
            "dollar_bars_scaling",
            "dollar bars, three times the ticks / limit",
            Call(OURS, "dollar_index", more_bars),
            3.2,
            over=index,
            unit="x",
        ),
    ]
    if full:
        zipped = {"csv": made("zipped_csv", MEMORY_TICKS)}
        text = "peak memory, 100M ticks of zipped CSV / limit"
        ours = Call(OURS, "ingest", zipped, alone=True)
        found.append(Figure("peak_memory_gb", text, ours, 4.0, unit="GB"))
    return found
