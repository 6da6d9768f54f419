import pandas as pd
import pytest

from price_physics.walk_forward.refusal import Refusal, refusal_of, refused

NAN = float("nan")


def predicted(*rows):
    columns = ["p_up", "p_down", "expected_value_long_bps", "expected_value_short_bps"]
    frame = pd.DataFrame(rows, columns=[*columns, "margin", "side"])
    return frame.assign(by_network=True)


def test_the_better_side_of_every_event_counts():
    first = predicted((0.3, 0.6, -4.0, -1.0, -0.2, 0), (0.55, 0.2, 3.0, -9.0, 0.1, 1))
    binary = predicted((0.7, NAN, -2.0, NAN, -0.1, 0), (0.9, NAN, NAN, 5.0, 0.05, 0))
    assert refusal_of([first, binary], 0.1) == Refusal(
        n_events=4,
        highest_probability=0.9,
        highest_value_bps=5.0,
        highest_margin=0.1,
        n_positive=2,
        n_signals=1,
        min_confidence=0.1,
    )


def test_the_less_valuable_side_may_be_likelier():
    found = refusal_of([predicted((0.8, 0.1, -5.0, -2.0, -0.3, 0))], 0.0)
    assert (found.highest_probability, found.highest_value_bps) == (0.1, -2.0)


def test_what_no_network_predicted_is_no_event():
    warm_up = predicted((0.8, 0.1, -5.0, -2.0, -0.3, 0)).assign(by_network=False)
    assert refusal_of([warm_up], 0.0).n_events == 0


def test_nothing_predicted():
    assert refused(refusal_of([], 0.0)) == "No event was predicted."


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0, 0.5), "Of 1,234 events none was worth its cost"),
        (
            (7, 0, 0.58),
            "7 had a positive value after costs, and min_confidence refused every one: it asks for "
            "58.0% of the probability above break-even, and the most was 2.1%",
        ),
        ((7, 0, 0.0), "7 had a positive value after costs, and the rule for sizes gave none"),
        ((7, 5, 0.0), "5 gave a signal, and none was filled"),
    ],
)
def test_the_rule_that_refused_is_named(counts, words):
    n_positive, n_signals, least = counts
    text = refused(Refusal(1_234, 0.2944, -3.26, 0.021, n_positive, n_signals, least))
    assert words in text
    assert (
        "probability of the better side was 0.294, the highest value after costs \u22123.3 bps."
        in text
    )
