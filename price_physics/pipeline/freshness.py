"""Whether a partition is what today's code, settings and inputs would give.

Like make, but by content: a partition is current when its manifest names today's code, settings
and input versions. A kill loses at most the asset that was being computed.
"""

from collections.abc import Callable

from price_physics.errors import PartitionMissing, StoreError
from price_physics.months import Month
from price_physics.pipeline.dag import STAGES, months_read, owner_of, reads_of
from price_physics.pipeline.inputs import file_versions
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.project import Project
from price_physics.store.partitions import Store
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.walk_forward.ledger import trials_version
from price_physics.walk_forward.look import lost_looks, ticks_of

FilesOf = Callable[[Project, Market, Month], dict[str, str]]


def stale_assets(project: Project, market: Market, study: Study, month: Month) -> list[str]:
    """List the assets of a month that must be materialised, in the order of the pipeline.

    Raises
    ------
    TickDataError
        When the market has no files.
    """
    stale: list[str] = []
    for asset in STAGES:
        upstream_is_stale = any(
            name in stale for name, window in reads_of(asset, study).items() if window[1] == 0
        )
        if upstream_is_stale or not is_current(project, market, study, asset, month):
            stale.append(asset)
    return stale


def is_current(
    project: Project, market: Market, study: Study | None, asset: str, month: Month
) -> bool:
    """Tell whether a partition exists, and nothing that it depends on has changed."""
    return not why_stale(project, Store(project.store), market, study, asset, month)


def why_stale(
    project: Project,
    store: Store,
    market: Market,
    study: Study | None,
    asset: str,
    month: Month,
    files: FilesOf = file_versions,
) -> str:
    """Say in a word why a partition is not current; "" where it is.

    What stands is read only where nothing else says that it is stale.

    Parameters
    ----------
    store : Store
        The project's, or a copy in memory of its manifests.
    study : Study or None
        Ticks need none.
    files : callable (project, market, month) -> dict of str to str
        What the ticks of a month are made from.

    Returns
    -------
    str
        ``missing``, ``damaged``, ``code``, ``settings``, ``inputs`` (a file or partition that it
        reads is another, or none) or ``ledger`` (which has lost what was looked at).
    """
    try:
        partition = store.read((owner_of(asset, _name(study), market.name), asset), month)
    except PartitionMissing:
        return "missing"
    except StoreError:
        return "damaged"
    manifest = partition.manifest
    if manifest["code_version"] != code_version(asset, study):
        return "code"
    if manifest["config_hash"] != settings_hash(asset, study, market):
        return "settings"
    try:
        known = (
            files(project, market, month)
            if asset == "ticks"
            else _input_versions(project, store, market, study, asset, month)
        )
    except StoreError:
        return "inputs"
    if manifest["inputs"] != known:
        return "inputs"
    try:
        partition.verify()
    except StoreError:
        return "damaged"
    if asset == "walk_forward":
        looks = {month: partition.document("look")}
        if lost_looks(project.ledger, looks):
            return "ledger"  # what was looked at has to be written down again
    return ""


def _name(study: Study | None) -> str:
    return study.name if study else ""


def _input_versions(
    project: Project, store: Store, market: Market, study: Study | None, asset: str, month: Month
) -> dict[str, str]:
    partitions = [
        store.read((owner_of(upstream, _name(study), market.name), upstream), m)
        for upstream, window in reads_of(asset, study).items()
        for m in months_read(window, month, market.first_month)
    ]
    versions = {p.name: p.data_version for p in partitions}
    if asset == "report":
        walks = {p.month: p for p in partitions if p.key[1] == "walk_forward"}
        ticks = ticks_of({m: p.document("look") for m, p in walks.items()})
        versions["ledger"] = trials_version(project.ledger, market.name, ticks)
    return versions
