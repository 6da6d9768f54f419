"""Impossible markets and studies are refused before anything runs, naming file, key and value."""

from pathlib import Path

import pytest
import yaml

from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.study.reading import load_configs, load_market, load_study
from price_physics.study.trial import config_hash

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs" / "studies" / "demo.yaml"
BITSTAMP = ROOT / "configs" / "markets" / "bitstamp_usd.yaml"


def edited(source: Path, tmp_path: Path, key: str, value: object) -> Path:
    """Copy a YAML file with one dotted key set."""
    data = yaml.safe_load(source.read_text())
    *parents, last = key.split(".")
    section = data
    for parent in parents:
        section = section.setdefault(parent, {})
    section[last] = value
    path = tmp_path / source.name
    path.write_text(yaml.safe_dump(data))
    return path


def test_shipped_configs_load() -> None:
    markets, studies = load_configs(ROOT / "configs")
    assert markets["bitstamp_usd"].first_month == Month(2011, 9)
    assert studies["demo"].market == "bitstamp_usd"


def test_full_size_example_has_the_users_parameters() -> None:
    markets, studies = load_configs(ROOT / "configs" / "examples")
    study, market = studies["btcusdt"], markets["btcusdt"]
    assert market.symbol == "BTCUSDT"
    assert study.bars.threshold_quote == 500_000
    assert study.images.windows_bars == [32, 64, 128]
    assert study.images.size_pixels == 64
    assert study.labels.atr_period_bars == 14
    assert study.labels.horizon_minutes == study.folds.embargo_minutes == 600
    policy = study.barrier_policy
    assert (policy.kind, policy.take_profit_quantile, policy.stop_loss_quantile) == (
        "month",
        0.60,
        0.40,
    )
    assert policy.max_events == 50_000
    assert policy.take_profit_bounds == (15, 120)
    assert policy.stop_loss_bounds == (8, 40)
    assert study.folds.n_splits == 5
    assert study.regime_features.return_minutes == study.regime_features.volatility_minutes == 60
    model = study.model
    assert (model.batch_size, model.max_epochs, model.steps_per_epoch) == (128, 4, 300)
    assert model.learning_rate == 1e-3
    assert model.head == "binary_take_profit"
    assert model.class_weights == [1, 4]
    assert model.focal_gamma == 2
    trading = study.walk_forward
    assert (trading.fee_bps, trading.slippage_bps, trading.half_spread_bps) == (3.5, 2.0, 0.0)
    assert trading.min_confidence == 0.05
    assert trading.cost_a_side == pytest.approx(5.5e-4)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("labels.horizon_minutes", 0, r"labels\.horizon_minutes = 0: .*greater than 0"),
        ("labels.horizon_minutes", 28 * 1440 + 1, r"labels\.horizon_minutes = 40321"),
        ("labels.horizon_minutes", "1440", r"labels\.horizon_minutes = '1440': .*number"),
        ("labels.horizon_minutes", True, r"labels\.horizon_minutes = True"),
        ("labels.horizon_minutes", float("inf"), r"labels\.horizon_minutes"),
        ("images.channels", ["gasf", "mtf"], r"images = |cannot tell a rise from a fall"),
        ("images.channels", ["gadf", "cwt"], r"images\.channels\.1 = 'cwt'"),
        ("images.sample_range", [-2, 2], r"sample_range"),
        ("folds.embargo_minutes", 60, r"embargo_minutes 60.* shorter than .*horizon_minutes"),
        ("folds.n_split", 5, r"folds\.n_split = 5: unknown key"),
        ("walk_forward.fee_bps", -1, r"walk_forward\.fee_bps = -1"),
        ("model.class_weights", [1, 4], r"class_weights \[1\.0, 4\.0\] must hold 3"),
        ("model.focal_gamma", 2, r"focal_gamma belongs to head: binary_take_profit"),
        ("barrier_policy.take_profit_bounds", [8, 1], r"lower bound 8\.0 exceeds"),
        ("barrier_policy.fallback_take_profit", 20, r"outside its bounds"),
        ("events", {"every_n_bars": 2, "offset_bars": 2}, r"offset_bars 2 must be below"),
        ("name", "other", r"the file's name is the name"),
        ("seed", None, r"seed = None"),
    ],
)
def test_impossible_studies_are_refused(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    path = edited(DEMO, tmp_path, key, value)
    with pytest.raises(ConfigError, match=message) as error:
        load_study(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("first_month", "2012-13", r"first_month = '2012-13': .*YYYY-MM"),
        ("last_month", "2011-01", r"last_month 2011-01 is before first_month 2011-09"),
        ("vendor", "binnance", r"vendor = 'binnance'"),
        ("files", [], r"files = \[\]"),
        ("outages", [{"start": "yesterday", "end": "2012-01-01", "reason": "x"}], r"outages\.0"),
        ("outages", [{"start": "2012-01-02", "end": "2012-01-01", "reason": "x"}], r"after its"),
    ],
)
def test_impossible_markets_are_refused(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_market(edited(BITSTAMP, tmp_path, key, value))


def test_columns_are_mapped_for_dumps_that_no_vendor_explains(tmp_path: Path) -> None:
    path = edited(BITSTAMP, tmp_path, "columns", {"price": "p"})
    assert load_market(path).columns.price == "p"
    with pytest.raises(ConfigError, match=r"columns and header belong to vendor: generic"):
        load_market(edited(path, tmp_path, "vendor", "kraken"))


def test_mirror_blind_is_about_the_range_too(tmp_path: Path) -> None:
    path = edited(DEMO, tmp_path, "images.channels", ["gasf", "mtf"])
    path = edited(path, tmp_path, "images.sample_range", [0, 1])
    assert load_study(path).images.sample_range == (0.0, 1.0)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(DEMO.read_text() + "\nseed: 8\n")
    with pytest.raises(ConfigError, match="'seed' is given twice"):
        load_study(path)


def test_yaml_cannot_run_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text("seed: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(ConfigError, match=r"not valid YAML: [^<]*line 1, column 7"):
        load_study(path)


def test_a_study_of_an_unknown_market_is_refused(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    edited(DEMO, tmp_path / "studies", "market", "nowhere")
    with pytest.raises(ConfigError, match="market = 'nowhere': no such file"):
        load_configs(tmp_path)


def test_configuration_hash_counts_what_changes_a_number(tmp_path: Path) -> None:
    study, market = load_study(DEMO), load_market(BITSTAMP)
    base = config_hash(study, market)
    same = load_study(edited(DEMO, tmp_path, "description", "another"))
    other = load_study(edited(DEMO, tmp_path, "walk_forward.fee_bps", 21))
    longer = load_market(edited(BITSTAMP, tmp_path, "last_month", "2012-04"))
    assert config_hash(same, market) == base
    assert config_hash(study, longer) == base
    assert config_hash(other, market) != base


# ---------------------------------------------------------------------------- candles
def test_the_example_of_candles_loads() -> None:
    markets, studies = load_configs(ROOT / "configs" / "examples")
    assert markets["klines_btcusdt"].candle_ns == 60 * 10**9
    assert studies["klines_btcusdt"].labels.both_touched == "stop_loss_first"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"candle_minutes": 0}, r"candle_minutes = 0: .*greater than 0"),
        ({"candle_minutes": 7}, r"candle_minutes 7 are not whole seconds that divide a day"),
        ({"candle_minutes": 10080}, r"candle_minutes 10080 are not whole seconds"),
        ({"candle_minutes": 1e-12}, r"candle_minutes 1e-12 are not whole seconds"),
        ({"candle_minutes": 1, "vendor": "tardis"}, r"tardis has rows of trades; drop candle_min"),
        ({"vendor": "kraken_ohlcvt"}, r"kraken_ohlcvt has rows of candles; give candle_minutes"),
        ({"columns": {"high": "h"}}, r"high: keys for candles; correct them, or give"),
        ({"candle_minutes": 1, "columns": {"price": "p"}}, r"columns: price: keys for trades"),
    ],
)
def test_impossible_markets_of_candles_are_refused(
    tmp_path: Path, settings: dict, message: str
) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(BITSTAMP.read_text()) | settings))
    with pytest.raises(ConfigError, match=message):
        load_market(path)


def candle_configs(folder: Path, market: dict, **sections: dict) -> Path:
    """The demo on a market of its name, both edited."""
    study = yaml.safe_load(DEMO.read_text())
    for section, settings in sections.items():
        study[section] = study.get(section, {}) | settings if section != "bars" else settings
    whole = {"markets/bitstamp_usd": yaml.safe_load(BITSTAMP.read_text()) | market}
    for name, data in (whole | {"studies/demo": study}).items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(data))
    return folder


HOURS = {"candle_minutes": 60}


@pytest.mark.parametrize(
    ("market", "sections", "message"),
    [
        (HOURS, {}, r"labels\.both_touched: the rows of market 'bitstamp_usd' are candles"),
        ({}, {"labels": {"both_touched": "drop"}}, r"both_touched = 'drop': a trade never touches"),
        (
            HOURS,
            {
                "labels": {"both_touched": "drop"},
                "bars": {
                    "kind": "tick_run",
                    "expected_ticks": 9,
                    "span_bars": 9,
                    "min_ticks": 3,
                    "max_ticks": 20,
                },
            },
            r"bars\.kind = 'tick_run' counts the sides of trades",
        ),
        (
            HOURS,
            {
                "labels": {"both_touched": "drop"},
                "bars": {"kind": "time", "interval_minutes": 90},
            },
            r"interval_minutes = 90\.0 is no multiple of the 60 minutes",
        ),
        (
            HOURS,
            {"labels": {"both_touched": "drop", "horizon_minutes": 90}},
            r"horizon_minutes = 90\.0 is no multiple of the 60 minutes",
        ),
    ],
)
def test_what_a_market_cannot_give_a_study_is_refused(
    tmp_path: Path, market: dict, sections: dict, message: str
) -> None:
    with pytest.raises(ConfigError, match=rf"studies/demo\.yaml: .*{message}"):
        load_configs(candle_configs(tmp_path, market, **sections))


@pytest.mark.parametrize(
    "bars",
    [{"kind": "time", "interval_minutes": 240}, {"kind": "tick", "threshold_ticks": 1}],
)
def test_a_study_of_candles_loads(tmp_path: Path, bars: dict) -> None:
    folder = candle_configs(tmp_path, HOURS, bars=bars, labels={"both_touched": "drop"})
    markets, studies = load_configs(folder)
    assert (markets["bitstamp_usd"].candle_ns, studies["demo"].bars.kind) == (
        3600 * 10**9,
        bars["kind"],
    )


def test_trades_and_candles_are_different_trials_and_trades_hash_as_ever(tmp_path: Path) -> None:
    study, market = load_study(DEMO), load_market(BITSTAMP)
    hours = load_market(edited(BITSTAMP, tmp_path, "candle_minutes", 60))
    assert config_hash(study, market) == "a13ab8f5107751c9"
    assert config_hash(study, hours) != config_hash(study, market)
