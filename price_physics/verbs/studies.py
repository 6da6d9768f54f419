"""Which studies a verb is about: the one that was named, or all."""

from price_physics.errors import ConfigError
from price_physics.flags import said
from price_physics.project import Project
from price_physics.study.market import Market
from price_physics.study.reading import load_configs
from price_physics.study.study import Study


def chosen_studies(project: Project, name: str | None) -> list[tuple[Study, Market]]:
    """List a study with its market, or every study where none is named.

    Raises
    ------
    ConfigError
        When a YAML is impossible, or there is no such study.
    """
    markets, studies = load_configs(project.configs)
    if name is not None and name not in studies:
        raise ConfigError(
            f"{said('--study', name)}: no {project.configs / 'studies' / name}.yaml; there are "
            f"{sorted(studies) or 'none'}"
        )
    names = sorted(studies) if name is None else [name]
    return [(studies[n], markets[studies[n].market]) for n in names]
