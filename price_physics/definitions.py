"""What Dagster loads: the whole DAG of the project in the working folder.

    ticks -> bars -> regime_features, excursions -> barrier_policy -> labels -> weights, folds
          -> images -> model -> probabilities -> predictions -> walk_forward -> report, motifs

The edges are in `pipeline.dag`, the assets in `orchestration.assets`.
"""

from price_physics.orchestration.build import build_definitions
from price_physics.pipeline.versions import versions_kept
from price_physics.project import find_project

project = find_project()
with versions_kept(project.data / "code_versions.json"):
    defs = build_definitions(project)
