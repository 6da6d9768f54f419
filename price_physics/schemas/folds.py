"""Tables of the asset `folds`."""

from price_physics.schemas.table import EVENT, KNOWN_AT, table

FOLD_MEMBERS = table(
    "folds",
    "members",
    "known_at",
    event_time_ns=EVENT,
    label_end_ns=("i64", "end of the label's interval, UTC ns"),
    known_at=KNOWN_AT,
)

FOLD_ROLES = table(
    "folds",
    "roles",
    "known_at",
    fold=("i32", "number of the fold, from 0; -1 for labels that are in no fold"),
    first_event_time_ns=("i64", "first event of a run of labels in the same role, UTC ns"),
    last_event_time_ns=("i64", "last event of the run, UTC ns"),
    n_events=("i64", "labels of the run; its fold's are the members, of -1 those that are none"),
    role=(
        "text",
        "train, early_stop, test; left out of the fold: purged_by_test, embargoed_by_test, "
        "purged_by_early_stop, embargoed_by_early_stop, thinned_early_stop, thinned_test; in no "
        "fold: no_window, crosses_outage, at_fallback",
    ),
    known_at=KNOWN_AT,
)
