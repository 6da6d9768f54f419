"""Labels of a market of real candles, by the project's own stages, with what trees may see."""

from pathlib import Path

import numpy as np
import pandas as pd

from price_physics.frames import rows_of
from price_physics.images.series import CLOSE
from price_physics.images.windows import window_ends
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.regimes import FEATURE_COLUMNS, REGIME_FEATURES
from price_physics.schemas.ticks import CANDLES
from price_physics.study.bars import DollarBars
from price_physics.study.market import CandleMarket
from price_physics.study.reading import load_study
from price_physics.study.study import Study
from price_physics.ticks.build import build_ticks
from price_physics.ticks.index import FileIndex
from price_physics.truth.baselines import normalised_path
from price_physics_tests.benchmarks.harness import ROOT
from price_physics_tests.past import only_table, past_of
from price_physics_tests.stages import BEFORE

FOLDER = ROOT.parent / "shared" / "candles" / "bitfinex_5m"
FIRST, FIRST_SERVED, LAST = Month(2016, 6), Month(2017, 6), Month(2019, 12)
THRESHOLDS = {"BTC": 1e6, "ETH": 1e5, "LTC": 1e4}
"""US dollars of a bar in the first month: about a fortieth of a day's value."""
BARS_A_DAY = 40
HORIZONS = {"ten hours": 600, "a day": 1440}
"""In minutes: of the example of candles in `configs/examples`, and of the demo."""
WINDOW = 32
"""Bars up to the event's own whose closes the trees see."""
PATH = [f"path_{i}" for i in range(WINDOW - 1)]
FEATURES = [*PATH, *FEATURE_COLUMNS]


def study_of(name: str, horizon_minutes: float) -> Study:
    """The demo's study, with bars of about as many a day whatever trades, and the binary head.

    The horizon is by the clock; barriers stand at quantiles (0.6, 0.4) of the last month's
    excursions; a candle that touches both is a loss.
    """
    demo = load_study(ROOT / "configs" / "studies" / "demo.yaml")
    bars = DollarBars(
        threshold_quote=THRESHOLDS[name], target_bars_a_day=BARS_A_DAY, clip_factor=1e4
    )
    touched = {"horizon_minutes": horizon_minutes, "both_touched": "stop_loss_first"}
    labels = demo.labels.model_copy(update=touched)
    model = demo.model.model_copy(update={"head": "binary_take_profit"})
    return demo.model_copy(update={"bars": bars, "labels": labels, "model": model})


def events_of(name: str, horizon_minutes: float, folder: Path) -> pd.DataFrame:
    """Every labelled event of a market whose window is whole, by time.

    Returns
    -------
    DataFrame
        LABELS, FEATURES, and as `Month`s `event_month` and `label_month`, at whose end the label
        may be used.
    """
    market = CandleMarket(
        name=name.lower(),
        symbol=f"{name}USD",
        files=[f"{name}USD.parquet"],
        candle_minutes=5,
        first_month=FIRST,
    )
    months, index = Month.span(FIRST, LAST), FileIndex(market)
    candles = {m: build_ticks(market, m, folder, index=index).table(CANDLES.name) for m in months}
    return events_of_candles(study_of(name, horizon_minutes), market, candles)


def events_of_candles(
    study: Study, market: CandleMarket, candles: dict[Month, pd.DataFrame]
) -> pd.DataFrame:
    """The same of CANDLES by month."""
    tables = {CANDLES: candles, **{schema: {} for schema, _ in BEFORE}}
    for month in sorted(candles):
        for schema, build in BEFORE:
            tables[schema][month] = only_table(build(study, market, month, past_of(tables)))
    labels = pd.concat([t.assign(label_month=m) for m, t in tables[LABELS].items()])
    labels = labels.sort_values("event_time_ns", ignore_index=True)
    times = labels["event_time_ns"].to_numpy(np.int64)
    series, ends = window_ends(tables[BARS], times)
    whole = ends >= WINDOW - 1
    labels, times, ends = labels[whole], times[whole], ends[whole]
    path = normalised_path(series[CLOSE][ends[:, None] + np.arange(1 - WINDOW, 1)])
    known = pd.concat(tables[REGIME_FEATURES].values())
    rows = rows_of(times, known["event_time_ns"].to_numpy(np.int64), "regime_features")
    seen = pd.DataFrame(
        np.column_stack([path, known[FEATURE_COLUMNS].to_numpy(np.float64)[rows]]), columns=FEATURES
    )
    event_month = pd.Series([Month.of(int(t)) for t in times], dtype=object, name="event_month")
    return pd.concat([labels.reset_index(drop=True), seen, event_month], axis=1)
