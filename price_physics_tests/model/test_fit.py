"""The model of a month: learns what is there, nothing where there is nothing, and says so."""

import json

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import torch

from price_physics.errors import StaleInputs, StoreError
from price_physics.model import crossfit
from price_physics.model.calibration import Calibration, fit_calibration
from price_physics.model.crossfit import FINAL, fit_folds
from price_physics.model.fit import fit_model, serves_on
from price_physics.model.inference import infer
from price_physics.model.networks import network_config
from price_physics.model.networks.resnet_lite import ResNetLiteConfig
from price_physics.model.predict import TrainedModel, predict
from price_physics.model.samples import channel_moments
from price_physics.months import Month
from price_physics.past import Past
from price_physics.pipeline.dag import STAGES
from price_physics.schemas.folds import FOLD_ROLES
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.schemas.regimes import FEATURE_COLUMNS
from price_physics.scores.probabilities import log_loss
from price_physics.store.artefact import Artefact
from price_physics_tests.folds.rows import role_rows
from price_physics_tests.model.test_train import make_store
from price_physics_tests.model.toy import (
    MARKET,
    MONTH,
    N_SPLITS,
    as_events,
    as_roles,
    fit_toy,
    make_study,
    make_tables,
)

STUDY = make_study()


# ---------------------------------------------------------------------------- it learns
def test_a_planted_pattern_is_found(result):
    assert result.warm_up is None
    assert result.summary["direction_auc_mean_of_folds"] > 0.9
    assert result.summary["log_loss"] < 0.6 * result.summary["log_loss_of_base_rates"]


@pytest.mark.slow
def test_random_labels_are_not():
    noise = fit_toy(STUDY, make_tables(STUDY, random_labels=True))
    assert 0.4 < noise.summary["direction_auc_mean_of_folds"] < 0.6
    gap = noise.summary["log_loss"] - noise.summary["log_loss_of_base_rates"]
    assert abs(gap) < 0.02  # calibration falls back to base rates
    assert (
        noise.summary["calibration_error_equal_count"]
        < 2 * noise.summary["calibration_floor_equal_count"]
    )


@pytest.mark.slow
def test_what_the_odds_know_is_kept_and_nothing_is_gained_over_them_without_a_pattern():
    """Labels drawn from each event's own odds, independent of its image."""
    rng, summary = np.random.default_rng(6), {}
    tables = make_tables(STUDY)
    for m, frame in tables["labels"].items():
        up, none, down = rng.dirichlet([1, 0.5, 1], len(frame)).T
        u = rng.random(len(frame))
        label = np.select([u < up, u < up + none], [1, 0], -1).astype(np.int8)
        tables["labels"][m] = frame.assign(p0_up=up, p0_none=none, p0_down=down, label=label)
    for offset in ("driftless", "none"):
        summary[offset] = fit_toy(make_study(max_epochs=1, offset=offset), tables).summary
    ours, blind = summary["driftless"], summary["none"]
    assert ours["log_loss"] == pytest.approx(ours["log_loss_of_driftless"], abs=0.05)
    assert ours["skill_over_driftless_low"] < 0.01
    assert blind["log_loss"] > ours["log_loss"] + 0.2
    assert blind["skill_over_driftless_high"] < 0


@pytest.mark.slow
def test_the_binary_head_has_one_probability():
    study = make_study(head="binary_take_profit", class_weights=[1, 4], focal_gamma=2.0)
    tables = make_tables(study)
    odds = {"p0_up": 0.5, "p0_none": 0.25, "p0_down": 0.25}  # even odds for these two classes
    tables["labels"] = {m: frame.assign(**odds) for m, frame in tables["labels"].items()}
    result = fit_toy(study, tables)
    OUT_OF_FOLD.to_arrow(result.out_of_fold)
    assert result.summary["direction_auc_mean_of_folds"] > 0.9
    assert result.out_of_fold[["p_flat", "p_down"]].isna().all(axis=None)
    # Class weights of 1 to 4 do not survive calibration.
    rate = (result.out_of_fold["label"] == 1).mean()
    assert result.out_of_fold["p_up"].mean() == pytest.approx(rate, abs=0.02)
    model = TrainedModel.load(result.weights, result.architecture)
    events = as_events(tables["windows"][MONTH]).assign(**odds)
    frame = predict(study, MONTH, model, tables["bars"], events, tables["features"][MONTH])
    assert frame[["p_flat", "p_down"]].isna().all(axis=None)
    up = tables["labels"][MONTH]["label"].to_numpy() == 1
    assert frame["p_up"][up].mean() > frame["p_up"][~up].mean() + 0.3
    assert frame["p_up"].mean() == pytest.approx(up.mean(), abs=0.15)


# ---------------------------------------------------------------------------- what it gives
def test_tables_conform_and_every_member_is_tested_once(result, tables):
    OUT_OF_FOLD.to_arrow(result.out_of_fold)
    LEARNING_CURVES.to_arrow(result.curves)
    frame = result.out_of_fold
    np.testing.assert_array_equal(frame["event_time_ns"], tables["members"]["event_time_ns"])
    assert (frame["known_at"] == MONTH.end_ns).all()
    np.testing.assert_allclose(frame[["p_up", "p_flat", "p_down"]].sum(axis=1), 1)
    labels = pd.concat([tables["labels"][m] for m in sorted(tables["labels"])])
    for column in ("label", "label_end_ns", "price", "atr", "outcome_atr"):
        np.testing.assert_array_equal(frame[column], labels[column])
    roles = role_rows(tables["roles"], tables["members"])
    roles = roles.query("role == 'test'").sort_values("event_time_ns")
    np.testing.assert_array_equal(frame["fold"], roles["fold"])


def test_the_final_fit_runs_for_the_folds_median_epochs(result):
    best = []
    for fold in range(N_SPLITS):
        curve = result.curves.query(f"fold == {fold}")
        best.append(int(curve.loc[curve["early_stop_loss"].idxmin(), "epoch"]))
    final = result.curves.query(f"fold == {FINAL}")
    assert result.summary["fold_epochs"] == best
    assert final["epoch"].tolist() == list(range(1, sorted(best)[1] + 1))
    assert final["early_stop_loss"].isna().all()


def test_documents_are_json_and_weights_survive_safetensors(result):
    architecture = json.loads(json.dumps(result.architecture))
    assert json.loads(json.dumps(result.summary))["n_training"] == 400
    for key in ("head", "temperature", "bias", "training_log_odds", "epochs", "seed", "device"):
        assert key in architecture
    assert architecture["threads"] == 1
    assert {a.dtype for a in result.weights.values()} == {np.dtype("f4"), np.dtype("i8")}
    stored = safetensors.numpy.load(safetensors.numpy.save(result.weights))
    model = TrainedModel.load(stored, architecture)
    for name, value in model.network.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), result.weights[f"0.{name}"])


@pytest.mark.slow
def test_two_fits_are_bit_identical(result, tables):
    again = fit_toy(STUDY, tables)
    assert {k: v.tobytes() for k, v in result.weights.items()} == {
        k: v.tobytes() for k, v in again.weights.items()
    }
    pd.testing.assert_frame_equal(result.out_of_fold, again.out_of_fold, check_exact=True)
    pd.testing.assert_frame_equal(result.curves, again.curves, check_exact=True)
    assert (result.architecture, result.summary) == (again.architecture, again.summary)


def test_progress_counts_epochs_and_ends(tables):
    seen = []
    study = make_study(max_epochs=2)
    fit_toy(study, tables, progress=lambda *args: seen.append(args))
    done = [d for d, _, _ in seen]
    assert done == sorted(done)
    assert {total for _, total, _ in seen} == {(N_SPLITS + 1) * 2}
    assert any("fold 1 of 3, epoch 1" in text for _, _, text in seen)
    assert "final fit" in seen[-1][2]


# ---------------------------------------------------------------------------- ensembles
@pytest.fixture(scope="module")
def ensemble(tables):
    return fit_toy(make_study(n_seeds=2, max_epochs=3), tables)


@pytest.mark.slow
def test_an_ensemble_averages_the_logits_of_its_seeds(ensemble, tables):
    model = TrainedModel.load(ensemble.weights, ensemble.architecture)
    assert len(model.members) == 2
    assert model.network is model.members[0]
    series = torch.from_numpy(tables["bars"][MONTH][["close", "volume"]].to_numpy().T.copy())
    ends = torch.arange(15, 400, 16)
    features = tables["features"][MONTH][FEATURE_COLUMNS].to_numpy()[: len(ends)]
    seen = model.inputs(series, ends, features)
    with torch.no_grad():
        one, two = (
            member(seen.images(torch.arange(len(ends))), seen.features) for member in model.members
        )
    assert not torch.allclose(one, two, atol=0.01)
    torch.testing.assert_close(model.logits(series, ends, features).float(), (one + two) / 2)


@pytest.mark.slow
def test_an_ensembles_folds_use_as_many_seeds(ensemble, tables):
    assert len(ensemble.summary["fold_epochs"]) == 2 * N_SPLITS
    LEARNING_CURVES.to_arrow(ensemble.curves)
    assert not ensemble.curves.duplicated(["fold", "epoch"]).any()
    alone = fit_toy(make_study(max_epochs=3), tables)
    assert ensemble.summary["fold_epochs"][::2] == alone.summary["fold_epochs"]
    assert ensemble.summary["log_loss"] != alone.summary["log_loss"]
    if ensemble.summary["epochs"] == alone.summary["epochs"]:  # its first member is the one network
        for name, value in alone.weights.items():
            np.testing.assert_array_equal(value, ensemble.weights[name])


@pytest.mark.slow
def test_patchify_finds_the_pattern_too(tables):
    study = make_study(architecture="patchify", width=8, batch_size=16, max_epochs=8)
    result = fit_toy(study, tables)
    assert result.architecture["network"]["architecture"] == "patchify"
    assert result.summary["direction_auc_mean_of_folds"] > 0.9
    model = TrainedModel.load(result.weights, result.architecture)
    events = as_events(tables["windows"][MONTH])
    frame = predict(study, MONTH, model, tables["bars"], events, tables["features"][MONTH])
    assert np.isfinite(frame["p_up"]).all()


# ---------------------------------------------------------------------------- thinned, carried on
def test_a_tested_event_stands_for_those_that_were_thinned(tables):
    rows = role_rows(tables["roles"], tables["members"])
    thinned = (rows["role"] == "test") & (np.arange(len(rows)) % 4 > 0) & (rows["fold"] == 1)
    changed = {
        **tables,
        "roles": as_roles(rows.assign(role=rows["role"].mask(thinned, "thinned_test"))),
    }
    found = fit_toy(make_study(max_epochs=1), changed).out_of_fold
    of = found.groupby("fold")["stands_for"]
    assert of.nunique().tolist() == [1] * N_SPLITS
    assert of.sum().tolist() == pytest.approx((rows["role"] == "test").groupby(rows["fold"]).sum())
    assert of.first()[1] == pytest.approx(4, abs=0.2)
    assert of.first()[0] == 1


def test_drawn_samples_train_and_all_are_tested(tables, monkeypatch):
    """Uniqueness depends on the outcome here, as it does where stops are near."""
    labels = pd.concat(tables["labels"].values())["label"].to_numpy()
    unique = np.where(labels < 0, 0.9, 0.1)
    changed = {**tables, "weights": tables["weights"].assign(average_uniqueness=unique)}
    tasks = []
    fit_network = crossfit.fit_network

    def seen(store, config, network, task, **more):
        tasks.append((task, store.uniqueness))
        return fit_network(store, config, network, task, **more)

    monkeypatch.setattr(crossfit, "fit_network", seen)
    most = 160
    study = make_study(max_epochs=1)
    folds = study.folds.model_copy(update={"max_training_events": most})
    result = fit_toy(study.model_copy(update={"folds": folds}), changed)
    *of_folds, final = sorted((task for task, _ in tasks), key=lambda task: len(task.train))
    assert len(final.train) == most
    assert (labels[final.train] < 0).mean() > 1.5 * (labels < 0).mean()
    weight = tasks[0][1][final.train]
    assert weight[labels[final.train] < 0].sum() / weight.sum() == pytest.approx(
        unique[labels < 0].sum() / unique.sum(), abs=0.03
    )
    for task in of_folds:
        assert set(task.train) <= set(final.train)
    # What is tested, and so decides about money, is drawn by nothing.
    np.testing.assert_array_equal(result.out_of_fold["label"], labels)
    assert result.summary["label_shares"]["down"] == pytest.approx((labels < 0).mean())


def test_a_model_serves_on_until_it_is_fitted_again(tables, result):
    study = make_study(refit_every_months=3)
    fitted = Artefact(
        tables=((OUT_OF_FOLD, result.out_of_fold), (LEARNING_CURVES, result.curves)),
        documents={
            "architecture": result.architecture,
            "summary": result.summary,
            "fold_manifest": {},
        },
        tensors={"network": result.weights},
    )
    nothing = {asset: {} for asset in STAGES["model"].reads}
    second = fit_model(study, MARKET, MONTH + 1, Past({**nothing, "model": {MONTH: fitted}}))
    third = fit_model(study, MARKET, MONTH + 2, Past({**nothing, "model": {MONTH + 1: second}}))
    for month, carried in ((MONTH + 1, second), (MONTH + 2, third)):
        assert carried.document("summary")["carried_through"] == str(month)
        assert carried.document("architecture") == result.architecture
        pd.testing.assert_frame_equal(carried.table("out_of_fold"), result.out_of_fold)
        assert {k: v.tobytes() for k, v in carried.arrays("network").items()} == {
            k: v.tobytes() for k, v in result.weights.items()
        }
    assert serves_on(study.model, second, MONTH + 2)
    assert not serves_on(study.model, third, MONTH + 3), "three months after the fit it is over"
    cold = Artefact(documents={"architecture": {}}, warm_up="too little")
    assert not serves_on(study.model, cold, MONTH + 1), "a warm-up is tried again every month"


# ---------------------------------------------------------------------------- killed, and again
class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(("fit", "epoch"), [("fold 2", 2), ("final fit", 1)])
def test_a_killed_month_ends_where_it_would_have(result, tables, tmp_path, fit, epoch):
    seen = []

    def kill(done, total, text):
        seen.append((done, text))
        if fit in text and text.endswith(f"epoch {epoch}"):
            raise Killed

    with pytest.raises(Killed):
        fit_toy(STUDY, tables, progress=kill, checkpoints=tmp_path)
    again_seen = []
    again = fit_toy(
        STUDY,
        tables,
        progress=lambda done, total, text: again_seen.append((done, text)),
        checkpoints=tmp_path,
    )
    assert {k: v.tobytes() for k, v in result.weights.items()} == {
        k: v.tobytes() for k, v in again.weights.items()
    }
    pd.testing.assert_frame_equal(result.out_of_fold, again.out_of_fold, check_exact=True)
    pd.testing.assert_frame_equal(result.curves, again.curves, check_exact=True)
    assert (result.architecture, result.summary) == (again.architecture, again.summary)
    # Every epoch was trained once, by one of the two.
    assert len(seen) + len(again_seen) == len(result.curves)
    for reports in (seen, again_seen):
        done = [d for d, _ in reports]
        assert done == sorted(done)
    assert again_seen[-1][1].endswith(f"final fit, epoch {result.summary['epochs']}")


def settings_of_the_process():
    cudnn = torch.backends.cudnn
    precision = cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision
    algorithms = torch.are_deterministic_algorithms_enabled()
    return cudnn.benchmark, cudnn.deterministic, precision, torch.get_num_threads(), algorithms


@pytest.mark.slow
@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_how_many_fits_run_side_by_side_does_not_matter(result, tables, monkeypatch, n_threads):
    asked = []
    monkeypatch.setattr(crossfit, "fits_at_once", lambda *args: asked.append(args) or n_threads)
    torch.rand(n_threads)  # the process's own random state is another every time
    before, flags = torch.get_rng_state(), settings_of_the_process()
    again = fit_toy(STUDY, tables)
    assert settings_of_the_process() == flags
    network = network_config(result.architecture["network"])
    size = STUDY.images.size_pixels
    assert asked == [(torch.device("cpu"), STUDY.model.batch_size, size, network)]
    assert torch.equal(torch.get_rng_state(), before)
    assert {k: v.tobytes() for k, v in result.weights.items()} == {
        k: v.tobytes() for k, v in again.weights.items()
    }
    pd.testing.assert_frame_equal(result.out_of_fold, again.out_of_fold, check_exact=True)
    pd.testing.assert_frame_equal(result.curves, again.curves, check_exact=True)


@pytest.mark.slow
def test_finished_fits_are_not_trained_again(result, tables, tmp_path):
    epochs = []
    for _ in range(2):
        again = fit_toy(
            STUDY,
            tables,
            progress=lambda *args: epochs.append(args),
            checkpoints=tmp_path,
        )
        assert len(epochs) == len(result.curves)
    pd.testing.assert_frame_equal(result.out_of_fold, again.out_of_fold, check_exact=True)
    assert len(list(tmp_path.iterdir())) == N_SPLITS + 1


# ---------------------------------------------------------------------------- what it may see
def test_a_fold_never_reads_the_labels_it_predicts(result, tables):
    roles = role_rows(tables["roles"], tables["members"])
    tested = roles.query("fold == 1 and role == 'test'")["event_time_ns"]
    flipped = {}
    for month, frame in tables["labels"].items():
        hit = frame["event_time_ns"].isin(tested)
        flipped[month] = frame.assign(label=frame["label"].where(~hit, -frame["label"]))
    other = fit_toy(STUDY, {**tables, "labels": flipped})
    one, two = (r.curves.query("fold == 1").reset_index(drop=True) for r in (result, other))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert not result.curves.query("fold == 0").equals(other.curves.query("fold == 0"))


def test_later_months_are_not_read(result, tables):
    later = {"bars": {}, "features": {}, "labels": {}, "windows": {}, "statistics": {}}
    with_future = {
        name: {**tables[name], MONTH + 1: tables[name][MONTH]} if name in later else tables[name]
        for name in tables
    }
    again = fit_toy(STUDY, with_future)
    assert {k: v.tobytes() for k, v in result.weights.items()} == {
        k: v.tobytes() for k, v in again.weights.items()
    }
    assert result.architecture == again.architecture


# ---------------------------------------------------------------------------- warm-up, errors
@pytest.mark.parametrize("case", ["few", "no roles", "no early stop"])
def test_too_little_to_train_on_is_a_warm_up(tables, case):
    changed = dict(tables)
    if case == "few":
        changed["members"] = tables["members"].iloc[:59]
    elif case == "no roles":
        changed["roles"] = FOLD_ROLES.empty()
    else:
        stops = (tables["roles"]["fold"] == 2) & (tables["roles"]["role"] == "early_stop")
        role = tables["roles"]["role"].where(~stops, "purged_by_test")
        changed["roles"] = tables["roles"].assign(role=role)
    result = fit_toy(STUDY, changed)
    expected = {"few": "59 labelled", "no roles": "folds", "no early stop": "fold 2"}[case]
    assert expected in result.warm_up
    assert result.summary["warm_up"] == result.warm_up
    assert (result.weights, result.architecture) == ({}, {})
    assert OUT_OF_FOLD.to_arrow(result.out_of_fold).num_rows == 0
    assert LEARNING_CURVES.to_arrow(result.curves).num_rows == 0


def test_the_first_month_of_a_market_is_a_warm_up():
    empty = {"windows": {}, "bars": {}, "features": {}, "labels": {}, "statistics": {}}
    frames = {n: pd.DataFrame({"event_time_ns": []}) for n in ("weights", "members", "roles")}
    assert fit_toy(STUDY, {**empty, **frames}, Month(2011, 9)).warm_up is not None


@pytest.mark.parametrize("name", ["windows", "features", "labels", "weights"])
def test_a_member_without_its_row_is_an_error(tables, name):
    changed = dict(tables)
    if name == "weights":
        changed[name] = tables[name].iloc[1:]
    else:
        changed[name] = {MONTH: tables[name][MONTH]}
    with pytest.raises(StoreError, match="lacks"):
        fit_toy(STUDY, changed)


def test_a_feature_that_is_no_number_is_an_error(tables):
    frame = tables["features"][MONTH].copy()
    frame.loc[3, "trailing_volatility"] = np.nan
    with pytest.raises(StaleInputs, match="trailing_volatility is nan"):
        fit_toy(STUDY, {**tables, "features": {**tables["features"], MONTH: frame}})


def test_channel_statistics_are_pooled_by_their_windows():
    rng = np.random.default_rng(0)
    parts = {Month(2012, 1): rng.normal(1, 2, 300), Month(2012, 2): rng.normal(4, 1, 100)}
    documents = {
        m: {"n": len(x), "mean": [float(x.mean())], "std": [float(x.std())]}
        for m, x in parts.items()
    }
    documents[Month(2011, 12)] = {"n": 0, "mean": [0.0], "std": [0.0]}
    documents[Month(2012, 3)] = {"n": 50, "mean": [99.0], "std": [99.0]}
    pooled = channel_moments(documents, Month(2012, 2))
    every = np.concatenate(list(parts.values()))
    assert pooled.mean == pytest.approx([every.mean()])
    assert pooled.std == pytest.approx([every.std()])
    with pytest.raises(StoreError, match="channel statistics"):
        channel_moments(documents, Month(2011, 12))


# ---------------------------------------------------------------------------- scales, judgement
def test_tested_logits_move_from_their_folds_scale_to_the_final_models():
    store = make_store(120, n_classes=3)
    store.classes[:] = torch.tensor([0, 2, 2, 1, 2, 2] * 10 + [0, 0, 0, 1, 0, 2] * 10)
    uniqueness = store.uniqueness = np.random.default_rng(2).uniform(0.2, 1, 120)
    place = np.arange(120)
    folds = {}
    for fold, test in enumerate((place < 60, place >= 60)):
        stop = ~test & (place % 60 >= 50)
        parts = {"train": ~test & ~stop, "early_stop": stop, "test": test}
        folds[fold] = {name: np.flatnonzero(part) for name, part in parts.items()}
    study = make_study(class_weights=[1, 3, 2], max_epochs=1, batch_size=20, n_seeds=2)
    network = ResNetLiteConfig(n_channels=1, n_features=2, n_classes=3, width=4)
    fitted = fit_folds(study, MONTH, store, network, folds, np.arange(len(store)))
    # By hand: what the losses saw, of which the class weights' part is the same in all.
    classes = store.classes.numpy()

    def log_odds(rows):
        weight = uniqueness * np.array([1, 3, 2])[classes]
        mass = [weight[rows][classes[rows] == k].sum() for k in range(3)]
        return np.log(mass / np.sum(mass))

    fold_of, index, logits = fitted.tested
    np.testing.assert_array_equal(index, place)
    for fold, parts in folds.items():
        move = log_odds(place) - log_odds(parts["train"])
        assert abs(move).max() > 0.3
        networks = [fit.network for fit in fitted.fits[fold]]
        raw = infer(networks, store, parts["test"]).numpy()
        np.testing.assert_allclose(logits[fold_of == fold] - raw, np.tile(move, (60, 1)), atol=1e-9)


@pytest.mark.slow
def test_the_table_and_the_summary_hold_each_fold_calibrated_by_the_others(
    result, tables, monkeypatch
):
    seen = []

    def record(logits, classes, offset):
        fitted = fit_calibration(logits, classes, offset)
        seen.append((logits, classes, fitted))
        np.testing.assert_array_equal(offset, np.log(np.full(logits.shape, 1 / 3)))
        return fitted

    monkeypatch.setattr("price_physics.model.calibration.fit_calibration", record)
    monkeypatch.setattr("price_physics.model.fit.fit_calibration", record)
    again = fit_toy(STUDY, tables)
    pooled, *crossed = seen
    served = Calibration(again.architecture["temperature"], again.architecture["bias"])
    assert served == pooled[2]
    assert len(pooled[1]) == len(result.out_of_fold)
    fold = again.out_of_fold["fold"].to_numpy()
    p = again.out_of_fold[["p_down", "p_flat", "p_up"]].to_numpy()
    even = np.log(np.full(p.shape, 1 / 3))
    for number, (logits, classes, fitted) in enumerate(crossed):
        np.testing.assert_array_equal(logits, pooled[0][fold != number])
        np.testing.assert_array_equal(classes, pooled[1][fold != number])
        np.testing.assert_array_equal(
            p[fold == number],
            fitted.probabilities(pooled[0][fold == number], even[fold == number]),
        )
    assert len(crossed) == N_SPLITS
    assert again.summary["log_loss"] == log_loss(p, pooled[1])
    assert again.summary["log_loss"] > log_loss(served.probabilities(pooled[0]), pooled[1])
