"""The report's sections on probabilities: how far they can be believed, and what they mix up."""

from typing import Any

from price_physics.report.document import Picture, Section, Table
from price_physics.report.format import count, decimal, percent

Numbers = dict[str, Any]


def reliability_section(numbers: Numbers) -> Section:
    """Return stated against observed frequencies, with the calibration error and its floor."""
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
    """Return the confusion matrix as a picture and as a table."""
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
