"""The pyarrow schema of every table the pipeline stores, columns described.

Times are int64 UTC nanoseconds. Every table names the column that holds its ``known_at``: the
moment from which a row may be used. A table without one cannot be declared.
"""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

_TYPES = {
    "i64": pa.int64(),
    "i32": pa.int32(),
    "i8": pa.int8(),
    "f64": pa.float64(),
    "bool": pa.bool_(),
    "text": pa.string(),
}


@dataclass(frozen=True)
class TableSchema:
    """A named table: its arrow schema and the column that is its ``known_at``."""

    name: str
    arrow: pa.Schema
    known_at: str

    @property
    def columns(self) -> list[str]:
        return self.arrow.names

    @property
    def descriptions(self) -> dict[str, str]:
        return {f.name: f.metadata[b"description"].decode() for f in self.arrow}

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """Convert a frame, refusing missing, extra or wrongly typed columns and stray nulls.

        Raises
        ------
        ValueError
            Naming the table, the column and what is wrong with it.
        """
        if list(frame.columns) != self.columns:
            missing = [c for c in self.columns if c not in frame.columns]
            extra = [c for c in frame.columns if c not in self.columns]
            raise ValueError(
                f"table {self.name!r}: columns differ from the schema: missing {missing}, "
                f"unknown {extra}, expected order {self.columns}"
            )
        arrays = []
        for field in self.arrow:
            try:
                array = pa.Array.from_pandas(frame[field.name], type=field.type, safe=True)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise ValueError(f"table {self.name!r}, column {field.name!r}: {error}") from error
            if isinstance(array, pa.ChunkedArray):
                array = array.combine_chunks()
            if array.null_count and not field.nullable:
                raise ValueError(
                    f"table {self.name!r}, column {field.name!r}: {array.null_count} nulls in a "
                    "column that allows none"
                )
            arrays.append(array)
        return pa.Table.from_arrays(arrays, schema=self.arrow)

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with the right columns and types."""
        return to_frame(self.arrow.empty_table())


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert to pandas; integers that may be null stay integers (pandas' ``Int64``).

    Plain ``to_pandas`` would make them floats, which cannot hold a nanosecond.
    """
    frame = table.to_pandas()
    for field in table.schema:
        if field.nullable and pa.types.is_integer(field.type):
            frame[field.name] = table[field.name].to_pandas(
                types_mapper={field.type: pd.Int64Dtype()}.get
            )
    return frame


def _table(name: str, known_at: str, /, **columns: tuple[str, str]) -> TableSchema:
    """Columns are (type, description); a type ending in ``?`` may hold nulls."""
    fields = [
        pa.field(
            column,
            _TYPES[kind.removesuffix("?")],
            nullable=kind.endswith("?"),
            metadata={"description": description},
        )
        for column, (kind, description) in columns.items()
    ]
    if known_at not in columns:
        raise ValueError(f"table {name!r} has no column {known_at!r} to serve as known_at")
    return TableSchema(name, pa.schema(fields, metadata={"known_at": known_at}), known_at)


_KNOWN_AT = ("i64", "moment from which this row may be used, UTC ns")
_EVENT = ("i64", "close of the event's bar, UTC ns; unique within a study")

# ---------------------------------------------------------------------------- ticks, bars
TICKS = _table(
    "ticks",
    "time_ns",
    time_ns=("i64", "trade time, UTC ns"),
    trade_id=("i64?", "the venue's trade id; null where the dump has none"),
    price=("f64", "price in quote currency"),
    qty=("f64", "quantity in base currency"),
    tick_sign=("i8", "+1 the buyer is the aggressor, -1 the seller"),
)
CANDLES = _table(
    "candles",
    "close_time_ns",
    open_time_ns=("i64", "start of the candle, UTC ns: nothing but its open is known from then on"),
    close_time_ns=("i64", "last instant of the candle, UTC ns"),
    open=("f64", "first price"),
    high=("f64", "highest price"),
    low=("f64", "lowest price"),
    close=("f64", "last price"),
    volume=("f64", "base quantity"),
    notional=("f64", "quote quantity; of a dump without it volume * (high + low + close) / 3"),
    buy_volume=(
        "f64",
        "base quantity bought by the aggressor; of a dump without it all or nothing, by the sign "
        "of the last change of the close",
    ),
)
QUARANTINE = _table(
    "quarantine",
    "known_at",
    file=("text", "vendor file, relative to the project"),
    row=("i64", "1-based line in that file"),
    reason=("text", "why the row was set aside"),
    raw=("text", "the row as it was read"),
    known_at=_KNOWN_AT,
)
BARS = _table(
    "bars",
    "known_at",
    open_time_ns=("i64", "time of the first tick, UTC ns; start of the first candle"),
    close_time_ns=("i64", "time of the last tick; of a time bar the interval's last instant"),
    open=("f64", "first price"),
    high=("f64", "highest price"),
    low=("f64", "lowest price"),
    close=("f64", "last price"),
    volume=("f64", "base quantity"),
    notional=("f64", "quote quantity"),
    buy_volume=("f64", "base quantity bought by the aggressor"),
    vwap=("f64", "volume-weighted average price"),
    n_ticks=("i64", "ticks in the bar; of a market of candles, candles"),
    partial=("bool", "closed by the end of the month, not by the rule; never an event"),
    known_at=("i64", "the close; for a partial bar the end of the month, UTC ns"),
)

# ---------------------------------------------------------------------------- labels
EXCURSIONS = _table(
    "excursions",
    "known_at",
    event_time_ns=_EVENT,
    atr=("f64", "Wilder's ATR at the event, price units"),
    favourable_atr=("f64", "largest rise over the whole horizon, in ATR, at least 0"),
    adverse_atr=("f64", "largest fall over the whole horizon, in ATR, at least 0"),
    known_at=("i64", "end of the horizon, UTC ns"),
)
BARRIER_POLICY = _table(
    "barrier_policy",
    "known_at",
    regime=("i8", "regime served; -1 serves every regime"),
    take_profit_multiple=("f64", "take-profit, in ATR from the event's price, the side's way"),
    stop_loss_multiple=("f64", "stop-loss, in ATR from the event's price, against the side"),
    n_events=("i64", "excursions behind the quantiles"),
    source=("text", "quantile; fallback under the floor; fixed; percent of the price, not ATR"),
    known_at=_KNOWN_AT,
)
LABELS = _table(
    "labels",
    "known_at",
    event_time_ns=_EVENT,
    side=("i8", "+1 long, -1 short: the primary model's; +1 where the study has none"),
    label=("i8", "+1 take-profit first, -1 stop-loss first, 0 time-out, of a trade on that side"),
    label_end_ns=("i64", "when the touching tick or bar is known, or the vertical barrier, UTC ns"),
    horizon_end_ns=("i64", "vertical barrier, UTC ns"),
    price=("f64", "close of the event's bar"),
    atr=("f64", "Wilder's ATR at the event, price units"),
    take_profit_multiple=("f64", "barrier policy in force, in ATR"),
    stop_loss_multiple=("f64", "barrier policy in force, in ATR"),
    upper=("f64", "upper barrier, price: the take-profit of a long, the stop-loss of a short"),
    lower=("f64", "lower barrier, price: the stop-loss of a long, the take-profit of a short"),
    exit_price=(
        "f64",
        "the level on a take-profit, else the touching or the last tick's price; of a bar that "
        "stops, the worst of the level, its open and its close",
    ),
    outcome_atr=("f64", "gross outcome on the side, in ATR: of a long (exit_price - price) / atr"),
    outcome_short_atr=(
        "f64",
        "the same of the opposite side, whose levels are changed about; a bar that does not tell "
        "which level came first is a loss to both",
    ),
    favourable_atr=("f64", "largest move with the side up to label_end, in ATR, at least 0"),
    adverse_atr=("f64", "largest move against the side up to label_end, in ATR, at least 0"),
    crosses_outage=("bool", "the label spans a known outage: it does not train"),
    known_at=("i64", "label_end_ns; where the horizon counts bars, horizon_end_ns"),
)

# ---------------------------------------------------------------------------- features, weights
REGIME_FEATURES = _table(
    "regime_features",
    "event_time_ns",
    event_time_ns=_EVENT,
    trailing_return=("f64", "log return over the study's return span"),
    trailing_volatility=("f64", "root of summed squared log bar returns over the span"),
    time_of_day_sin=("f64", "sine of the UTC time of day"),
    time_of_day_cos=("f64", "cosine of the UTC time of day"),
    day_of_week_sin=("f64", "sine of the UTC day of week"),
    day_of_week_cos=("f64", "cosine of the UTC day of week"),
    regime=("i8", "0 calm, 1 middle, 2 wild: terciles of earlier months' volatility"),
)
FEATURE_COLUMNS = REGIME_FEATURES.columns[1:7]
"""What the network's head may see besides the image, in this order."""

WEIGHTS = _table(
    "weights",
    "known_at",
    event_time_ns=_EVENT,
    average_uniqueness=("f64", "mean of 1 / concurrency over the label's bars, in (0, 1]"),
    known_at=_KNOWN_AT,
)

# ---------------------------------------------------------------------------- folds, images
FOLD_MEMBERS = _table(
    "members",
    "known_at",
    event_time_ns=_EVENT,
    label_end_ns=("i64", "end of the label's interval, UTC ns"),
    known_at=_KNOWN_AT,
)
FOLD_ROLES = _table(
    "roles",
    "known_at",
    fold=("i32", "number of the fold, from 0; -1 of the labels that are in none"),
    event_time_ns=_EVENT,
    role=(
        "text",
        "train, early_stop, test; left out of the fold: purged_by_test, embargoed_by_test, "
        "purged_by_early_stop, embargoed_by_early_stop; in no fold: no_window, crosses_outage",
    ),
    known_at=_KNOWN_AT,
)
IMAGE_WINDOWS = _table(
    "windows",
    "event_time_ns",
    event_time_ns=_EVENT,
    window_start_ns=("i64", "open of the first bar of the longest window, UTC ns"),
)
DROPPED_WINDOWS = _table(
    "dropped",
    "event_time_ns",
    event_time_ns=_EVENT,
    n_bars=("i64", "bars there were, the event's own included"),
    reason=("text", "why the event has no image"),
)

# ---------------------------------------------------------------------------- model
OUT_OF_FOLD = _table(
    "out_of_fold",
    "known_at",
    event_time_ns=_EVENT,
    fold=("i32", "fold in which the event was tested"),
    p_up=("f64", "probability of +1, calibrated on the other folds"),
    p_flat=("f64?", "the same of 0; null with the binary head"),
    p_down=("f64?", "the same of -1; null with the binary head"),
    side=("i8", "+1 long, -1 short: the primary model's; +1 where the study has none"),
    label=("i8", "+1, 0 or -1, as labelled"),
    label_end_ns=("i64", "end of the label, UTC ns"),
    price=("f64", "close of the event's bar"),
    atr=("f64", "Wilder's ATR at the event, price units"),
    outcome_atr=("f64", "gross outcome on the side, in ATR"),
    outcome_short_atr=("f64", "gross outcome on the opposite side, in ATR"),
    known_at=_KNOWN_AT,
)
LEARNING_CURVES = _table(
    "learning_curves",
    "known_at",
    fold=("i32", "number of the fold; -1 is the final fit"),
    epoch=("i32", "from 1"),
    train_loss=("f64", "weighted loss, mean over the epoch"),
    early_stop_loss=("f64?", "unweighted log loss on the early-stopping slice; null in the final"),
    learning_rate=("f64", "at the end of the epoch"),
    known_at=_KNOWN_AT,
)
PREDICTIONS = _table(
    "predictions",
    "event_time_ns",
    event_time_ns=_EVENT,
    horizon_end_ns=("i64", "vertical barrier, or the latest where it counts bars, UTC ns"),
    price=("f64", "close of the event's bar"),
    atr=("f64", "Wilder's ATR at the event, price units"),
    take_profit_multiple=("f64", "barrier policy in force, in ATR"),
    stop_loss_multiple=("f64", "barrier policy in force, in ATR"),
    upper=("f64", "upper barrier, price"),
    lower=("f64", "lower barrier, price"),
    p_up=("f64", "calibrated probability of +1"),
    p_flat=("f64?", "calibrated probability of 0; null with the binary head"),
    p_down=("f64?", "calibrated probability of -1; null with the binary head"),
    expected_value_long_bps=(
        "f64?",
        "expected net return of a long, basis points; null where a primary model says short",
    ),
    expected_value_short_bps=(
        "f64?",
        "the same of a short; null with the binary head, unless a primary model says short",
    ),
    side=("i8", "+1 long, -1 short, 0 no trade"),
    size=("f64", "size of the bet in [0, 1]; 0 where side is 0"),
    book_scale=("f64", "C: out-of-fold 95th percentile of the summed live sizes"),
)

# ---------------------------------------------------------------------------- walk-forward
TRADES = _table(
    "trades",
    "known_at",
    event_time_ns=_EVENT,
    side=("i8", "+1 long, -1 short"),
    weight=("f64", "side * size / C: what the trade adds to the book before clipping"),
    entry_time_ns=("i64?", "fill, UTC ns; null when cancelled"),
    entry_price=("f64?", "price of the filling tick; null when cancelled"),
    exit_time_ns=("i64", "fill of the exit, or the cancellation, UTC ns"),
    exit_price=("f64?", "take-profits leave at their level; null when cancelled"),
    exit_reason=("text", "take_profit, stop_loss, time_out, stale or cancelled"),
    gross_bps=("f64", "gross return of the trade, basis points of its notional"),
    cost_bps=("f64", "round-trip cost, basis points"),
    net_bps=("f64", "gross less cost, basis points"),
    known_at=("i64", "exit_time_ns"),
)
POSITIONS = _table(
    "positions",
    "known_at",
    event_time_ns=_EVENT,
    carried=("text", "in: live when the month starts, known then; out: live when it ends"),
    side=("i8", "+1 long, -1 short"),
    weight=("f64", "side * size / C"),
    entry_time_ns=("i64", "fill, UTC ns"),
    entry_price=("f64", "price of the filling tick"),
    known_at=_KNOWN_AT,
)
EQUITY = _table(
    "equity",
    "time_ns",
    time_ns=("i64", "bar close, or the end of the month, UTC ns"),
    price=("f64", "close of the bar"),
    book=("f64", "exposure after this moment, in [-1, 1] of capital"),
    equity=("f64", "net of costs; 1 at the start of the month"),
    gross_equity=("f64", "before costs; 1 at the start of the month"),
)
BOOK = _table(
    "book",
    "time_ns",
    time_ns=("i64", "moment from which the book holds, UTC ns"),
    price=("f64", "market price at that moment"),
    book=("f64", "exposure in [-1, 1] of capital"),
)
DAILY = _table(
    "daily",
    "known_at",
    day_ns=("i64", "start of the UTC day, ns"),
    net_return=("f64", "return of the day after costs"),
    gross_return=("f64", "return of the day before costs"),
    cost=("f64", "costs of the day, as a fraction of capital"),
    turnover=("f64", "sum of the absolute changes of the book"),
    market_return=("f64", "buy and hold, last trade to last trade"),
    known_at=("i64", "last nanosecond of the day"),
)
SCORED = _table(
    "scored",
    "known_at",
    event_time_ns=_EVENT,
    p_up=("f64", "probability predicted out of sample"),
    p_flat=("f64?", "null with the binary head"),
    p_down=("f64?", "null with the binary head"),
    side=("i8", "side the signal took"),
    label=("i8", "+1, 0 or -1, as it came out"),
    outcome_atr=("f64", "gross outcome on the label's side (a long, unless meta-labelled), in ATR"),
    outcome_bps=("f64", "the same in basis points"),
    known_at=("i64", "end of the label, UTC ns"),
)

# ---------------------------------------------------------------------------- motifs
MOTIFS = _table(
    "motifs",
    "known_at",
    motif=("text", "name of the motif, such as long-1, or take-profit-1 with the binary head"),
    side=("i8", "+1 drives the network up, -1 down; with the binary head to take-profit or not"),
    n_events=("i64", "explained events in the motif"),
    mean_probability=("f64", "mean probability of the side"),
    hit_rate=("f64", "share of its events whose label is the side's"),
    base_rate=("f64", "the same over every scored event of the month"),
    mean_outcome_bps=(
        "f64",
        "mean gross outcome in the direction of the side, basis points; with the binary head as "
        "labelled: of a long, or of the primary model's side",
    ),
    prototype_event_ns=("i64", "the event nearest to the motif's centre, UTC ns"),
    description=("text", "the motif in words"),
    known_at=_KNOWN_AT,
)
MOTIF_MEMBERS = _table(
    "members",
    "known_at",
    motif=("text", "name of the motif"),
    event_time_ns=_EVENT,
    distance=("f64", "to the motif's centre, in feature space"),
    known_at=_KNOWN_AT,
)
