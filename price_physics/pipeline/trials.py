"""What makes two studies one trial: settings, code, and the ticks they stand on.

Neither the names of market and study nor where the files lie count.
"""

import hashlib
import json
from pathlib import Path

from price_physics.pipeline.dag import tables_of, with_upstream
from price_physics.pipeline.versions import code_version
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.study.trial import trial_settings
from price_physics.walk_forward.look import Look


def look_of(ledger: Path, study: Study, market: Market, ticks: Partition) -> Look:
    """Say who looks at the month of a ticks partition."""
    settings = settings_of_trial(study, market)
    declared = study.walk_forward.judged_in
    code = [code_version(asset, study) for asset in with_upstream(["walk_forward"])]
    quality = ticks.document("quality")
    return Look(
        ledger=ledger,
        trial=_hash([settings, str(declared), code]),
        settings=settings,
        study=study.name,
        market=market.name,
        declared=str(declared) if declared else None,
        ticks=f"none of {market.name}" if quality["empty"] else ticks_fingerprint(market, ticks),
        generated=bool(quality.get("generated", ticks.synthetic)),  # earlier versions did not say
    )


def settings_of_trial(study: Study, market: Market) -> str:
    """Hash everything but code that can change a number, without the month that was declared.

    What the market's settings do is in its ticks, but for the outages.
    """
    settings = trial_settings(study, market)["study"]
    settings["walk_forward"].pop("judged_in", None)
    outages = [(outage.start_ns, outage.end_ns) for outage in market.outages]
    return _hash([settings, outages])


def ticks_fingerprint(market: Market, ticks: Partition) -> str:
    """Fingerprint the rows of a ticks partition, whatever their market is called."""
    name = f"{tables_of('ticks', market)[0].name}.parquet"
    return ticks.manifest["files"][name]["sha256"][:32]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
