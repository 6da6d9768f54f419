"""polars: a CSV to a sorted parquet file, and dollar bars as a group-by."""

from pathlib import Path

from price_physics_tests.benchmarks.contender import Job, serve


def csv_to_parquet(csv: str) -> Job:
    """Scan, take four columns, sort by time, write. Nothing is checked."""
    import polars as pl

    target = Path(csv).with_name("polars.parquet")

    def job() -> int:
        ticks = pl.scan_csv(csv).select("time", "price", "qty", "is_buyer_maker").sort("time")
        frame = ticks.collect()
        frame.write_parquet(target)
        target.unlink()
        return len(frame)

    return job


def dollar_bars(ticks: str, threshold: float) -> Job:
    """Bar number by floor division of the running notional: its excess carries over.

    Price and quantity are multiplied, summed, divided and grouped; open, high, low, close,
    volume, notional, VWAP, ticks and closing time a bar.
    """
    import numpy as np
    import polars as pl

    frame = pl.DataFrame(
        {name: np.load(Path(ticks) / f"{name}.npy") for name in ("time_ns", "price", "qty")}
    )
    notional, price = pl.col("notional"), pl.col("price")
    bars = (
        frame.lazy()
        .with_columns((price * pl.col("qty")).alias("notional"))
        .with_columns((notional.cum_sum() // threshold).cast(pl.Int64).alias("bar"))
        .with_columns(pl.col("bar").set_sorted())  # halves its time
        .group_by("bar", maintain_order=True)
        .agg(
            pl.col("time_ns").last().alias("close_time_ns"),
            price.first().alias("open"),
            price.max().alias("high"),
            price.min().alias("low"),
            price.last().alias("close"),
            pl.col("qty").sum().alias("volume"),
            notional.sum(),
            pl.len().alias("n_ticks"),
        )
        .with_columns((notional / pl.col("volume")).alias("vwap"))
    )
    return lambda: len(bars.collect())


if __name__ == "__main__":
    serve({"csv_to_parquet": csv_to_parquet, "dollar_bars": dollar_bars}, ["numpy", "polars"])
