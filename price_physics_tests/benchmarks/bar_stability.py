"""Do imbalance and run bars explode or collapse? Bars a day, with the guards and without.

``python -m price_physics_tests.benchmarks.bar_stability`` writes ``docs/bar_stability.png``: two
real markets from ``../shared/ticks`` and six months of synthetic flow in which nobody is eager.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from price_physics.bars import kernels
from price_physics.bars.ticks import bars_of_ticks
from price_physics.months import Month
from price_physics.study.bars import BarsConfig
from price_physics_tests.study.make import bars_of

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "ticks"
UNITS = {"tick": kernels.TICKS, "volume": kernels.BASE, "dollar": kernels.QUOTE}
FAMILIES = {"imbalance": kernels.IMBALANCE, "run": kernels.RUN}
KINDS = [f"{unit}_{family}" for family in FAMILIES for unit in UNITS]
DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class Flow:
    """Ticks by month, and round numbers a user would put into the study."""

    title: str
    ticks: dict[Month, pd.DataFrame]
    expected_ticks: int
    expected_base: float
    expected_quote: float

    def config(self, kind: str) -> BarsConfig:
        unit = kind.partition("_")[0]
        size = {"volume": "expected_base", "dollar": "expected_quote"}.get(unit)
        return bars_of(
            kind=kind,
            expected_ticks=self.expected_ticks,
            span_bars=20,
            min_ticks=self.expected_ticks // 10,
            max_ticks=self.expected_ticks * 10,
            **{size: getattr(self, size)} if size else {},
        )


# ---------------------------------------------------------------------------- the flows
def balanced() -> Flow:
    """Six months of coin-flip signs, lognormal sizes and a driftless price: 5,000 ticks a day."""
    rng = np.random.default_rng(20240101)
    months = Month.span(Month(2024, 1), Month(2024, 6))
    start, stop = months[0].start_ns, months[-1].stop_ns
    n_ticks = (stop - start) // DAY_NS * 5_000
    frame = pd.DataFrame(
        {
            "time_ns": np.sort(rng.integers(start, stop, n_ticks)),
            "price": 100 * np.exp(np.cumsum(rng.choice([-1e-5, 1e-5], n_ticks))),
            "qty": rng.lognormal(-2, 1.5, n_ticks),
            "tick_sign": rng.choice(np.array([-1, 1], np.int8), n_ticks),
        }
    )
    return Flow("Balanced synthetic flow", _by_month(frame), 100, 0.4, 40)


def binance_btcusdc(folder: Path = SHARED / "binance_btcusdc") -> Flow:
    """Four weeks over two months, buyer-maker flags."""
    names = ["time_ns", "trade_id", "price", "qty", "maker"]
    early = [
        pd.read_csv(path)[["trade_time", "trade_id", "price", "quantity", "buyer_market_maker"]]
        for path in sorted(folder.glob("2019*.csv.gz"))
    ]
    late = [
        pd.read_csv(path, sep=";", header=None)[[9, 4, 5, 6, 10]]
        for path in sorted(folder.glob("BTCUSDC*.csv.gz"))
    ]
    frame = pd.concat([part.set_axis(names, axis=1) for part in early + late])
    frame["time_ns"] *= 10**6
    maker = frame["maker"].astype(str).str[0].str.lower() == "t"
    frame["tick_sign"] = np.where(maker, -1, 1).astype(np.int8)
    frame = frame.sort_values(["time_ns", "trade_id"], kind="stable")
    return Flow("Binance BTC/USDC", _by_month(frame), 500, 0.08, 600)


def intersango_gbp(folder: Path = SHARED / "intersango_gbp") -> Flow:
    """The nine busy months, 2011-12 to 2012-08; sides by the tick rule."""
    names = ["time_ns", "price", "qty"]
    frame = pd.read_csv(folder / "intrsngGBP.csv.gz", header=None, names=names)
    frame = frame[frame["qty"] > 0]
    frame["time_ns"] *= 10**9
    frame = frame.sort_values("time_ns", kind="stable")
    moved = np.sign(frame["price"].diff()).replace(0, np.nan).ffill().fillna(1)
    frame["tick_sign"] = moved.astype(np.int8)
    months = _by_month(frame)
    busy = {m: months[m] for m in Month.span(Month(2011, 12), Month(2012, 8))}
    return Flow("Intersango BTC/GBP", busy, 20, 10, 40)


def _by_month(frame: pd.DataFrame) -> dict[Month, pd.DataFrame]:
    first, last = (Month.of(int(frame["time_ns"].iloc[i])) for i in (0, -1))
    months = Month.span(first, last)
    edges = np.searchsorted(frame["time_ns"], [m.start_ns for m in months] + [last.stop_ns])
    return {m: frame[a:b] for m, a, b in zip(months, edges[:-1], edges[1:], strict=True)}


# ---------------------------------------------------------------------------- bars of a month
def guarded(flow: Flow, kind: str, month: Month) -> np.ndarray:
    """Closes of the bars as the pipeline builds them."""
    bars = bars_of_ticks(flow.config(kind), month, {month: [flow.ticks[month]]})
    return bars.loc[~bars["partial"], "close_time_ns"].to_numpy()


def unguarded(flow: Flow, kind: str, month: Month) -> np.ndarray:
    """Closes by the book's rule alone: no floor, no least and no most ticks.

    It starts from the same threshold: from an imbalance of what balanced flow shows.
    """
    unit, _, family = kind.partition("_")
    config = flow.config(kind)
    size = config.expected_size
    rule = kernels.FlowRule(
        UNITS[unit], FAMILIES[family], float(flow.expected_ticks), 1, 2**62, 2 / 21
    )
    tilt = 0.5 / np.sqrt(flow.expected_ticks) if family == "imbalance" else 0.0
    expected = kernels.first_expectations(rule, size, 0.5 + tilt)
    frame = flow.ticks[month]
    ticks = tuple(frame[c].to_numpy() for c in ("time_ns", "price", "qty", "tick_sign"))
    without_floor = rule._replace(expected_ticks=0.0)
    times, _ = kernels.flow_bars(without_floor, expected, np.zeros(3), kernels.NO_BAR, ticks)
    return times[:-1, 1]


def relative_rate(flow: Flow, month: Month, closes: np.ndarray) -> float:
    """Bars of a month, over the bars that its ticks would give at `expected_ticks` each."""
    return len(closes) / (len(flow.ticks[month]) / flow.expected_ticks)


# ---------------------------------------------------------------------------- the picture
def daily(flow: Flow, closes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days with ticks, and bars closed on each."""
    times = np.concatenate([frame["time_ns"].to_numpy() for frame in flow.ticks.values()])
    days = np.unique(times // DAY_NS)
    count = np.bincount(np.searchsorted(days, closes // DAY_NS), minlength=len(days))
    return days.astype("datetime64[D]"), count


def draw(flows: list[Flow], path: Path) -> None:
    """Write the figure: a column a flow, a row a family."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # volume and dollar bars differ only by the price's drift: the one shows behind the other
    looks = {"tick": ("#0b6e8f", 1.7), "volume": ("#eda5ae", 4.0), "dollar": ("#a8323f", 1.2)}
    figure, axes = plt.subplots(
        2, len(flows), figsize=(12, 6), sharex="col", sharey="col", layout="constrained"
    )
    for column, flow in enumerate(flows):
        n_days = len(daily(flow, np.empty(0, np.int64))[0])
        ticks_a_day = sum(map(len, flow.ticks.values())) / n_days
        for row, family in enumerate(FAMILIES):
            ax = axes[row, column]
            for unit, (colour, width) in looks.items():
                kind = f"{unit}_{family}"
                for build, style in (
                    (unguarded, {"lw": width / 2, "ls": (0, (4, 2)), "alpha": 0.7}),
                    (guarded, {"lw": width}),
                ):
                    closes = np.concatenate([build(flow, kind, m) for m in flow.ticks])
                    days, count = daily(flow, closes)
                    smooth = pd.Series(count).rolling(7, center=True, min_periods=1).mean()
                    ax.plot(days, smooth.clip(lower=0.1), color=colour, **style)
            ax.axhline(ticks_a_day / flow.expected_ticks, color="0.35", lw=0.8, zorder=0)
            ax.set_yscale("log")
            ax.set_title(f"{flow.title}: {family} bars", fontsize=10, loc="left")
            ax.grid(axis="y", color="0.92")
            ax.set_axisbelow(True)
            ax.spines[["top", "right"]].set_visible(False)
            locator = AutoDateLocator(minticks=3, maxticks=6)
            ax.xaxis.set_major_locator(locator)
            ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
            ax.xaxis.get_offset_text().set_fontsize(8)
            ax.tick_params(labelsize=8)
        axes[0, column].set_ylim(1, 4 * ticks_a_day)
    for ax in axes[:, 0]:
        ax.set_ylabel("bars a day, mean of seven", fontsize=9)
    handles = [plt.Line2D([], [], color=c, lw=w, label=u) for u, (c, w) in looks.items()]
    handles += [
        plt.Line2D([], [], color="0.3", lw=1.8, label="guarded"),
        plt.Line2D([], [], color="0.3", lw=0.9, ls=(0, (4, 2)), label="without guards"),
        plt.Line2D([], [], color="0.35", lw=0.8, label="ticks a day / expected ticks"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=9, frameon=False)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    flows = [binance_btcusdc(), intersango_gbp(), balanced()]
    print("bars over ticks / expected_ticks, least and most of the months: guarded | without")
    for flow in flows:
        for kind in KINDS:
            rates = [
                [relative_rate(flow, m, build(flow, kind, m)) for m in flow.ticks]
                for build in (guarded, unguarded)
            ]
            shown = " | ".join(f"{min(r):8.3g} {max(r):8.3g}" for r in rates)
            print(f"{flow.title:24} {kind:17} {shown}")
    path = ROOT / "docs" / "bar_stability.png"
    draw(flows, path)
    print(path)


if __name__ == "__main__":
    main()
