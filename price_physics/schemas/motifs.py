"""Tables of the asset `motifs`."""

from price_physics.schemas.table import EVENT, KNOWN_AT, table

MOTIFS = table(
    "motifs",
    "motifs",
    "known_at",
    motif=("text", "name of the motif, such as long-1, or take-profit-1 with the binary head"),
    side=("i8", "+1 if the network leans up, -1 down; with the binary head to take-profit or not"),
    n_events=("i64", "explained events in the motif"),
    mean_probability=("f64", "mean probability of the side"),
    hit_rate=("f64", "share of its events whose label is the side's"),
    base_rate=("f64", "the same over every scored event of the month"),
    mean_outcome_bps=(
        "f64",
        "mean gross outcome in the direction of the side, basis points; with the binary head the "
        "label's: for a long, or for the primary model's side",
    ),
    prototype_event_ns=("i64", "the event nearest to the motif's centre, UTC ns"),
    description=("text", "the motif in words"),
    known_at=KNOWN_AT,
)

MOTIF_MEMBERS = table(
    "motifs",
    "members",
    "known_at",
    motif=("text", "name of the motif"),
    event_time_ns=EVENT,
    distance=("f64", "to the motif's centre, in feature space"),
    known_at=KNOWN_AT,
)
