"""Test superior predictive ability: is the best of many trials better than a benchmark?

The tests are those of ``arch``; here returns become its losses. Descriptions only, beside the
verdict.

arch 8.0.0 documents that it studentises but does not, and its stepwise test fails once it has named
every trial (https://github.com/bashtage/arch/issues/862). So it gets excess returns in units of
their own error, and one hopeless trial more. Once both are mended, neither changes a result.
"""

from dataclasses import dataclass

import numpy as np

_HOPELESS = 1e6
"""Loss of the trial that no test names, in standard errors."""


@dataclass(frozen=True)
class Superiority:
    """p of "no trial beats the benchmark", by how the trials that lose to it are centred.

    Quote `consistent`. When some trials are poor, `lower` is too small and `upper` (White's reality
    check, studentised) too large.
    """

    lower: float
    consistent: float
    upper: float


def superior_predictive_ability(
    returns: np.ndarray,
    benchmark: np.ndarray,
    seed: int,
    mean_block: int = 5,
    n_resamples: int = 2_000,
) -> Superiority:
    """Test whether any of many trials earns more than a benchmark, by stationary bootstrap.

    Parameters
    ----------
    returns : float64 array of shape (n_obs, n_trials)
        One column per trial, rows in time order.
    benchmark : float64 array of shape (n_obs,)
        Returns over the same days; zeros for cash.
    seed : int
    mean_block : int
        Mean length of the blocks, in observations.
    n_resamples : int

    Returns
    -------
    Superiority

    References
    ----------
    Hansen (2005), A Test for Superior Predictive Ability, Journal of Business & Economic
    Statistics 23(4). White (2000), A Reality Check for Data Snooping, Econometrica 68(5).
    """
    from arch.bootstrap import SPA  # here, because it loads matplotlib

    losses = -_studentised_excess(returns, benchmark, mean_block)
    if not (losses.mean(axis=0) < 0).any():
        return Superiority(1.0, 1.0, 1.0)  # arch would call equal trials superior
    test = SPA(
        np.zeros(len(losses)),
        losses,
        block_size=mean_block,
        reps=n_resamples,
        seed=seed,
    )
    test.compute()
    p = test.pvalues
    return Superiority(float(p["lower"]), float(p["consistent"]), float(p["upper"]))


def stepwise_superior(
    returns: np.ndarray,
    benchmark: np.ndarray,
    seed: int,
    level: float = 0.05,
    mean_block: int = 5,
    n_resamples: int = 2_000,
) -> list[int]:
    """Name the trials that beat a benchmark; the chance of any false name is at most `level`.

    Parameters
    ----------
    returns, benchmark, seed, mean_block, n_resamples
        As in `superior_predictive_ability`.
    level : float
        Familywise error rate.

    Returns
    -------
    list of int
        Columns of `returns`, ascending.

    References
    ----------
    Romano and Wolf (2005), Stepwise Multiple Testing as Formalized Data Snooping, Econometrica
    73(4). Hsu, Hsu and Kuan (2010), Testing the predictive ability of technical analysis using a
    new stepwise test without data snooping bias, Journal of Empirical Finance 17(3).
    """
    from arch.bootstrap import StepM

    losses = -_studentised_excess(returns, benchmark, mean_block)
    hopeless = np.full((len(losses), 1), _HOPELESS)
    test = StepM(
        np.zeros(len(losses)),
        np.hstack([losses, hopeless]),
        size=level,
        block_size=mean_block,
        reps=n_resamples,
        seed=seed,
    )
    test.compute()
    return sorted(np.asarray(test.superior_models, dtype=np.int64).tolist())


def _studentised_excess(returns: np.ndarray, benchmark: np.ndarray, mean_block: int) -> np.ndarray:
    """Divide excess returns by their long-run standard deviation, as estimated by Hansen.

    The kernel's weights are those that the stationary bootstrap gives to autocovariances. A trial
    that equals the benchmark stays 0.
    """
    excess = (
        np.asarray(returns, dtype=np.float64) - np.asarray(benchmark, dtype=np.float64)[:, None]
    )
    n, kept = len(excess), 1 - 1 / mean_block
    centred = excess - excess.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    for lag in range(1, n):
        weight = (1 - lag / n) * kept**lag + lag / n * kept ** (n - lag)
        variance += 2 * weight * (centred[lag:] * centred[:-lag]).sum(axis=0) / n
    spread = np.sqrt(np.maximum(variance, 0.0))
    return np.divide(excess, spread, out=np.zeros_like(excess), where=spread > 0)
