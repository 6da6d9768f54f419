"""The index of windows: complete, without look-ahead, the same bytes every time."""

import hashlib
import io
import json
import warnings
from typing import NamedTuple

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import torch

from price_physics.images.build import MAX_STATISTICS_WINDOWS, build_images
from price_physics.images.contact_sheet import contact_sheet
from price_physics.images.golden import evenly_spaced, render_array
from price_physics.images.render import RENDERER_VERSION, Renderer
from price_physics.images.windows import window_ends
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import DROPPED_WINDOWS, IMAGE_WINDOWS
from price_physics.study.images import ImagesConfig
from price_physics.study.market import TradeMarket
from price_physics.study.study import Study
from price_physics_tests.past import past_of

MONTH = Month(2012, 3)
MINUTE = 60_000_000_000


def make_study(**changes):
    settings = {
        "name": "tiny",
        "market": "toy",
        "bars": {"threshold_quote": 50},
        "labels": {"horizon_minutes": 60},
        "barrier_policy": {
            "take_profit_bounds": (1, 8),
            "stop_loss_bounds": (1, 8),
            "fallback_take_profit": 3,
            "fallback_stop_loss": 2,
        },
        "folds": {"embargo_minutes": 60},
        "images": {"windows_bars": [8, 12, 20], "size_pixels": 16},
        "walk_forward": {"fee_bps": 20, "slippage_bps": 5},
    }
    return Study.model_validate({**settings, **changes})


def make_bars(month, n, seed=0, partial_last=True):
    rng = np.random.default_rng(seed)
    close = 5 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    close_time = month.start_ns + (1 + np.arange(n)) * 10 * MINUTE
    frame = pd.DataFrame({name: np.ones(n) for name in BARS.columns})
    frame["close"] = close
    frame["volume"] = rng.gamma(2, 10, n)
    frame["close_time_ns"] = close_time
    frame["open_time_ns"] = close_time - 5 * MINUTE
    frame["n_ticks"] = np.ones(n, np.int64)
    frame["partial"] = np.arange(n) == n - 1 if partial_last else np.zeros(n, bool)
    frame["known_at"] = np.where(frame["partial"], month.end_ns, close_time)
    BARS.to_arrow(frame)
    return frame


MARKET = TradeMarket(name="toy", symbol="X", vendor="generic", files=["x"], first_month=MONTH - 1)


class Images(NamedTuple):
    """What `build_images` gave."""

    windows: pd.DataFrame
    dropped: pd.DataFrame
    specification: dict
    statistics: dict
    checksums: dict
    golden: dict
    contact_sheet: bytes
    preview: bytes


def images_of(study, bars):
    artefact = build_images(study, MARKET, MONTH, past_of({BARS: bars}))
    return Images(
        artefact.table("windows"),
        artefact.table("dropped"),
        artefact.document("specification"),
        artefact.document("statistics"),
        artefact.document("checksums"),
        artefact.arrays("golden"),
        artefact.files["contact_sheet.png"],
        artefact.highlights["contact_sheet"],
    )


BOTH = {MONTH - 1: make_bars(MONTH - 1, 12, 1), MONTH: make_bars(MONTH, 40, 2)}


def same_bytes(one, two):
    for name in ("windows", "dropped"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
    assert (one.specification, one.statistics) == (two.specification, two.statistics)
    assert one.checksums == two.checksums
    assert (one.contact_sheet, one.preview) == (two.contact_sheet, two.preview)
    assert {k: v.tobytes() for k, v in one.golden.items()} == {
        k: v.tobytes() for k, v in two.golden.items()
    }


# ---------------------------------------------------------------------------- windows
def test_window_ends_finds_the_events_bar_across_months():
    times = BOTH[MONTH]["close_time_ns"].to_numpy()[[0, 5, 38]]
    series, ends = window_ends(BOTH, times)
    np.testing.assert_array_equal(ends, [12, 17, 50])
    for row, column in enumerate(["close", "volume"]):
        expected = np.r_[BOTH[MONTH - 1][column].to_numpy(), BOTH[MONTH][column].to_numpy()]
        np.testing.assert_array_equal(series[row], expected)
    assert (series.dtype, ends.dtype) == (np.float64, np.int64)


def test_bars_of_one_instant_are_one_event_the_last_whole_one():
    bars = make_bars(MONTH, 6)
    time = bars.loc[2, "close_time_ns"]
    bars.loc[3, "close_time_ns"] = time
    assert window_ends({MONTH: bars}, [time])[1] == [3]
    last = bars.loc[4, "close_time_ns"]
    bars.loc[5, "close_time_ns"] = last  # the partial bar: nobody knew then that it was over
    assert window_ends({MONTH: bars}, [last])[1] == [4]


@pytest.mark.parametrize("row", [0, 5])
def test_an_event_without_a_whole_bar_is_an_error(row):
    bars = make_bars(MONTH, 6)
    time = bars.loc[row, "close_time_ns"] + (1 if row == 0 else 0)
    with pytest.raises(ValueError, match=f"event_time_ns = {time}"):
        window_ends({MONTH: bars}, [time])


def test_no_events_and_no_bars():
    for bars in ({}, {MONTH: BARS.empty()}, BOTH):
        series, ends = window_ends(bars, np.empty(0, np.int64))
        assert (len(series), series.dtype) == (2, np.float64)
        assert (ends.dtype, len(ends)) == (np.int64, 0)


# ---------------------------------------------------------------------------- build
def test_every_event_is_kept_or_dropped_with_a_reason():
    study = make_study(events={"every_n_bars": 3, "offset_bars": 1})
    result = images_of(study, BOTH)
    IMAGE_WINDOWS.to_arrow(result.windows)
    DROPPED_WINDOWS.to_arrow(result.dropped)
    bars = BOTH[MONTH]
    events = bars["close_time_ns"].to_numpy()[1:39:3]  # the partial bar 39 is none
    both = np.r_[result.dropped["event_time_ns"], result.windows["event_time_ns"]]
    np.testing.assert_array_equal(both, events)
    # 12 bars of February: bar 7 of March is the first with 20 behind it.
    assert result.windows["event_time_ns"].iloc[0] == bars.loc[7, "close_time_ns"]
    assert result.windows["window_start_ns"].iloc[0] == BOTH[MONTH - 1].loc[0, "open_time_ns"]
    assert result.windows["window_start_ns"].iloc[-1] == bars.loc[37 - 19, "open_time_ns"]
    assert result.dropped["n_bars"].tolist() == [14, 17]
    assert result.dropped["reason"].str.contains("20 bars in 2012-02 and 2012-03").all()
    assert result.statistics["dropped"] == {result.dropped["reason"].iloc[0]: 2}


def test_months_other_than_the_two_are_not_read():
    extra = {MONTH - 2: make_bars(MONTH - 2, 30, 8), MONTH + 1: make_bars(MONTH + 1, 30, 9)}
    same_bytes(
        images_of(make_study(), {**BOTH, **extra}),
        images_of(make_study(), BOTH),
    )


def test_first_month_of_the_market_has_its_own_bars_only():
    result = images_of(make_study(), {MONTH: BOTH[MONTH]})
    assert len(result.dropped) == 19
    assert len(result.windows) == 39 - 19


def test_statistics_and_golden_renders():
    study = make_study()
    result = images_of(study, BOTH)
    json.dumps([result.specification, result.statistics, result.checksums])
    series, ends = window_ends(BOTH, result.windows["event_time_ns"])
    images = Renderer(study.images)(torch.from_numpy(series), torch.from_numpy(ends)).double()
    assert result.statistics["n"] == len(result.windows) == 32
    np.testing.assert_allclose(result.statistics["mean"], images.mean((0, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(
        result.statistics["std"], images.transpose(0, 1).flatten(1).std(1, correction=0), atol=1e-9
    )
    assert result.statistics["channels"] == Renderer(study.images).channel_names
    assert result.statistics["known_at"] == MONTH.end_ns
    renders = result.golden["renders"]
    assert renders.shape == (16, 9, 16, 16)
    assert renders.dtype == np.float32
    chosen = np.searchsorted(result.windows["event_time_ns"], result.golden["event_time_ns"])
    np.testing.assert_array_equal(renders, images[chosen].float())
    assert {0, len(images) - 1} <= set(chosen)
    assert result.specification["renderer_version"] == RENDERER_VERSION
    assert ImagesConfig(**{k: result.specification[k] for k in ImagesConfig.model_fields}) == (
        study.images
    )


def test_every_image_has_a_checksum_up_to_256_of_them():
    study = make_study(images={"windows_bars": [8], "size_pixels": 8, "channels": ["gadf"]})
    bars = {MONTH: make_bars(MONTH, 420)}
    result = images_of(study, bars)
    assert result.checksums["renderer_version"] == RENDERER_VERSION
    proved = pd.DataFrame(result.checksums["images"])
    assert len(proved) == 256
    assert proved["event_time_ns"].is_monotonic_increasing
    series, ends = window_ends(bars, proved["event_time_ns"])
    images = render_array(Renderer(study.images), series, ends)
    expected = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    assert proved["sha256"].tolist() == expected
    assert result.golden["renders"].shape == (16, 1, 8, 8)
    shown = dict(zip(proved["event_time_ns"], images, strict=True))
    for time_ns, render in zip(
        result.golden["event_time_ns"], result.golden["renders"], strict=True
    ):
        np.testing.assert_array_equal(render, shown[time_ns])


def test_statistics_measure_at_most_so_many_windows():
    assert len(evenly_spaced(10_000, MAX_STATISTICS_WINDOWS)) == MAX_STATISTICS_WINDOWS
    assert evenly_spaced(3, 16).tolist() == [0, 1, 2]
    assert evenly_spaced(0, 16).tolist() == []


def test_rendering_in_batches_is_rendering_at_once():
    renderer, bars = Renderer(make_study().images), make_bars(MONTH, 400)
    series, ends = bars[["close", "volume"]].to_numpy().T, np.arange(19, 400)
    whole = renderer(torch.from_numpy(series), torch.from_numpy(ends)).numpy()
    np.testing.assert_array_equal(render_array(renderer, series, ends), whole)


@pytest.mark.parametrize(
    "bars",
    [
        {},
        {MONTH: BARS.empty()},
        {MONTH: make_bars(MONTH, 5)},
        {MONTH - 1: make_bars(MONTH - 1, 30)},
    ],
)
def test_a_month_without_windows_is_empty_and_says_so(bars):
    result = images_of(make_study(), bars)
    assert IMAGE_WINDOWS.to_arrow(result.windows).num_rows == 0
    assert result.windows.dtypes.to_dict() == IMAGE_WINDOWS.empty().dtypes.to_dict()
    DROPPED_WINDOWS.to_arrow(result.dropped)
    assert result.statistics["n"] == 0
    assert sum(result.statistics["dropped"].values()) == len(result.dropped)
    assert result.checksums["images"] == []
    assert result.golden["renders"].shape == (0, 9, 16, 16)
    json.dumps(result.statistics)
    assert result.contact_sheet.startswith(b"\x89PNG")


@pytest.mark.slow
def test_no_look_ahead():
    channels = ["gadf", "mtf", "wavelet", "volume_gasf", "volume_wavelet"]
    images = {"windows_bars": [8, 20], "size_pixels": 16, "channels": channels}
    study, cut = make_study(images=images), 30
    before = images_of(study, BOTH)
    later = BOTH[MONTH].copy()
    later.loc[cut:, ["close", "volume"]] = 1e5
    later = later.iloc[:-3]
    after = images_of(study, {**BOTH, MONTH: later})
    known = before.windows["event_time_ns"] <= later.loc[cut - 1, "close_time_ns"]
    n = int(known.sum())
    assert n > 10
    pd.testing.assert_frame_equal(before.windows[:n], after.windows[:n])
    series, ends = window_ends(BOTH, before.windows["event_time_ns"][:n])
    series_after, ends_after = window_ends(
        {**BOTH, MONTH: later}, after.windows["event_time_ns"][:n]
    )
    renderer = Renderer(study.images)
    np.testing.assert_array_equal(
        render_array(renderer, series, ends), render_array(renderer, series_after, ends_after)
    )


@pytest.mark.slow
def test_same_bytes_whatever_the_threads():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = images_of(make_study(), BOTH)
        torch.set_num_threads(2)
        two = images_of(make_study(), BOTH)
    finally:
        torch.set_num_threads(before)
    same_bytes(one, two)


def picture(png):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return matplotlib.image.imread(io.BytesIO(png))[..., :3]


@pytest.mark.slow
def test_the_contact_sheet_shows_the_images():
    result = images_of(make_study(), BOTH)
    sheet, preview = picture(result.contact_sheet), picture(result.preview)
    assert sheet.shape[0] > preview.shape[0] > 300
    assert sheet.shape[1] > preview.shape[1] > 600
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 1000  # colours, not a blank
    assert len(result.preview) < 200_000  # it lies in the UI's database


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_channels", "windows_bars"), [(1, [8]), (5, [8, 12, 20]), (10, [8, 12])]
)
def test_a_sheet_of_any_channels_stays_within_its_page(n_channels, windows_bars):
    channels = ["gadf", "gasf", "mtf", "recurrence", "wavelet"]
    channels = (channels + [f"volume_{name}" for name in channels])[:n_channels]
    config = ImagesConfig(windows_bars=windows_bars, size_pixels=16, channels=channels)
    series = make_bars(MONTH, 60)[["close", "volume"]].to_numpy().T.copy()
    ends = np.arange(19, 60)
    times = MONTH.start_ns + ends * MINUTE
    sheet = picture(contact_sheet(MONTH, Renderer(config), series, ends, times))
    assert max(sheet.shape) < 2_200
    border = (
        np.concatenate([sheet[:8], sheet[-8:]], 0),
        np.concatenate([sheet[:, :8], sheet[:, -8:]], 1),
    )
    assert all((edge == 1).all() for edge in border)  # nothing is cut off
    coloured = (np.ptp(sheet, axis=2) > 0.1).mean()
    assert coloured > 0.1
