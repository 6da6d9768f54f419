"""bitFlyer executions, quoted: ``exec_date`` is the time, ``loaded`` when it was recorded.

One version calls the id ``id``, the other ``execution_id``. All products share one sequence of
ids, so ids missing in one product mean nothing. Times and sides may be blank.
"""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    versions=(
        (
            ("domain", "name"),
            ("product_code", "symbol"),
            ("loaded", "any"),
            ("id|execution_id", "trade_id"),
            ("exec_date", "time"),
            ("side", "side"),
            ("price", "price"),
            ("size", "qty"),
            ("buy_child_order_acceptance_id", "any"),
            ("sell_child_order_acceptance_id", "any"),
        ),
    ),
)
