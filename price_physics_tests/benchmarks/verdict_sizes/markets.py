"""Markets without an edge: clustered volatility, heavy tails, six steps a day.

Volatility is log-normal, an autoregression with a half-life of four days whose logarithm has a
standard deviation of 0.5; returns are t4 times that, 60 % a year. Price paths are running sums.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

STEPS_A_DAY = 6
STEPS_A_YEAR = 365 * STEPS_A_DAY
WARM_UP = 28 * STEPS_A_DAY
"""Steps before the first day, for whoever looks back."""
STEP_SD = 0.60 / STEPS_A_YEAR**0.5
DRIFT = 1.50 / STEPS_A_YEAR
"""A rising market: 150 % a year, an annual Sharpe ratio of 2.5 for whoever is just long."""
LOG_VOLATILITY_SD = 0.5
HALF_LIFE_DAYS = 4
AUTOCORRELATION = 0.15


@dataclass(frozen=True)
class Market:
    """Paths of one kind of market.

    Attributes
    ----------
    returns : float64 array of shape (n_runs, WARM_UP + n_steps)
    log_volatility : float64 array of the same shape
        In its own standard deviations; known when the step begins.
    """

    returns: np.ndarray
    log_volatility: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """Returns of the steps that are judged."""
        return self.returns[:, WARM_UP:]

    def first_days(self, n_days: int) -> "Market":
        """The same paths, shorter."""
        stop = WARM_UP + n_days * STEPS_A_DAY
        return Market(self.returns[:, :stop], self.log_volatility[:, :stop])

    def rising(self) -> "Market":
        """The same luck in a market that rises."""
        return replace(self, returns=self.returns + DRIFT)


def simulate(rng: np.random.Generator, n_runs: int, n_days: int, degrees: float = 4.0) -> Market:
    """Draw driftless paths whose returns are t-distributed with some degrees of freedom."""
    shape = (n_runs, WARM_UP + n_days * STEPS_A_DAY)
    calm = autoregression(rng, shape, HALF_LIFE_DAYS)
    volatility = np.exp(LOG_VOLATILITY_SD * calm - LOG_VOLATILITY_SD**2)  # its square has mean 1
    unit = rng.standard_t(degrees, shape) * np.sqrt((degrees - 2) / degrees)
    return Market(STEP_SD * volatility * unit, calm)


def autocorrelated(market: Market) -> Market:
    """The same paths with returns that are autocorrelated by 0.15."""
    scale = np.sqrt(1 - AUTOCORRELATION**2)
    returns = lfilter([scale], [1.0, -AUTOCORRELATION], market.returns, axis=1)
    return replace(market, returns=returns)


def autoregression(
    rng: np.random.Generator, shape: tuple[int, int], half_life_days: float
) -> np.ndarray:
    """Standard normal paths that forget half of what they were in some days."""
    kept = 0.5 ** (1 / (half_life_days * STEPS_A_DAY))
    first = rng.standard_normal((shape[0], 1))
    shocks = rng.standard_normal(shape) * np.sqrt(1 - kept**2)
    return lfilter([1.0], [1.0, -kept], shocks, axis=1, zi=kept * first)[0]
