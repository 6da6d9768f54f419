"""Write the sections on probabilities: how far to trust them, and which classes they confuse."""

from typing import Any

from price_physics.report.document import Picture, Section, Table
from price_physics.report.format import bps, count, decimal, percent

Numbers = dict[str, Any]


def value_section(numbers: Numbers) -> Section:
    """Compare stated values with outcomes, and the probabilities with the driftless odds."""
    v, k = numbers["values"], numbers["skill"]
    if v is None or k is None:
        return Section("Value", text=["No scored event yet."])
    tenths = v["tenths"]
    rows = [
        [
            f"{i} of {len(tenths)}",
            count(t["n_events"]),
            bps(t["mean_stated_bps"]),
            bps(t["mean_returned_bps"]),
            f"{bps(t['returned_low_bps'])} to {bps(t['returned_high_bps'])}",
        ]
        for i, t in enumerate(tenths, start=1)
    ]
    columns = ["Tenth by stated value", "Events", "Stated, bps", "Returned, bps", "95 % interval"]
    low, high = (decimal(k[f"skill_over_driftless_{end}"], 4, sign=True) for end in ("low", "high"))
    skill = (
        "The odds of a driftless path follow from an event's own barriers and come for free: their "
        f"log loss is {decimal(k['log_loss_of_driftless'], 4)}, the network's "
        f"{decimal(k['log_loss'], 4)}. The network gains "
        f"{decimal(k['skill_over_driftless'], 4, sign=True)} an event, 95 % interval {low} to "
        f"{high}; below zero it knows less than the odds."
    )
    note = (
        "Before costs, of the side that the network preferred, traded or not. Intervals are by "
        "blocks of five days."
    )
    alt = "; ".join(f"tenth {row[0]}: stated {row[2]}, returned {row[3]}" for row in rows)
    return Section(
        "Value",
        text=[skill],
        pictures=[Picture("values.png", f"Stated value against outcome in basis points: {alt}.")],
        tables=[Table(columns, rows, words=frozenset({columns[0], columns[-1]}), note=note)],
    )


def reliability_section(numbers: Numbers) -> Section:
    """Compare stated with observed frequencies; give the calibration error and its floor."""
    r = numbers["reliability"]
    if r is None:
        return Section("Reliability", text=["No scored event yet."])
    rows = [
        [
            f"{decimal(b['lower'])} to {decimal(b['upper'])}",
            count(b["n_events"]),
            percent(b["mean_probability"]),
            percent(b["frequency"]),
        ]
        for b in r["bins"]
    ]
    columns = ["Predicted p(up)", "Events", "Mean predicted", "Observed"]
    error = decimal(r["calibration_error_equal_width"], 3)
    floor = decimal(r["calibration_floor_equal_width"], 3)
    text = f"Calibration error over bins of equal width, out of sample: {error}; a perfectly "
    text += "calibrated model of as many events "
    text += f"would still show about {floor}."
    return Section(
        "Reliability",
        text=[text],
        pictures=[
            Picture(
                "reliability.png", f"Predicted against observed frequency of a take-profit. {text}"
            )
        ],
        tables=[Table(columns, rows, words=frozenset(columns[:1]))],
    )


def confusion_section(numbers: Numbers) -> Section:
    """Show the confusion matrix as a picture and as a table."""
    c = numbers["confusion"]
    if c is None:
        return Section("Confusion", text=["No scored event yet."])
    rows = [
        [name, *(f"{count(n)} ({percent(s, 0)})" for n, s in zip(counts, shares, strict=True))]
        for name, counts, shares in zip(c["classes"], c["counts"], c["row_shares"], strict=True)
    ]
    columns = ["Came out", *(f"predicted {name}" for name in c["classes"])]
    note = "The predicted class is the likeliest. Shares are of the row: of what came out."
    table = Table(columns, rows, words=frozenset({"Came out"}), note=note)
    cells = [
        f"{row[0]}, {column} {cell}"
        for row in rows
        for column, cell in zip(columns[1:], row[1:], strict=True)
    ]
    alt = f"Confusion matrix: {'; '.join(cells)}"
    return Section("Confusion", pictures=[Picture("confusion.png", alt + ".")], tables=[table])
