"""What is known beforehand: ledgers that grow, signals that cost too much, bets of known odds."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from price_physics.walk_forward.break_even import Signals
from price_physics.walk_forward.decision import NO_EDGE, decide
from price_physics.walk_forward.passive import Steps, against_passive
from price_physics.walk_forward.sizing import bet_size, outcome_spread
from price_physics.walk_forward.tosses import BlockSums, flip_p
from price_physics_tests.benchmarks.verdict_sizes.rows import Row, at_least, share_of

EVENTS_A_DAY, N_DAYS, SHARPE = 4, 365, 4.0
NOISE_SD = 0.01
TIMES_BREAK_EVEN = 3.0


# ---------------------------------------------------------------------------- ledgers
def growing_ledgers(seed: int, n_ledgers: int) -> list[Row]:
    """How often another trial lowers p: strangers, hashes, clones, their mirrors, and nothing."""
    rng = np.random.default_rng(seed)
    n_lower = 0
    for _ in range(n_ledgers):
        own = _block_sums(rng)
        squares = float(sum(s * s for s in own.values()) * rng.uniform(0.3, 3))
        trials = [_trial(rng, own) for _ in range(1 + rng.integers(3))]
        n_lower += flip_p(own, squares, trials)[0] < flip_p(own, squares, trials[:-1])[0]
    name = f"of {n_ledgers:,} random ledgers, those whose p another trial lowers"
    return [Row(name, n_lower, None, "none", not n_lower)]


def _block_sums(rng: np.random.Generator) -> dict[int, float]:
    first, n_blocks = int(rng.integers(4_000, 4_020)), int(rng.integers(1, 16))
    blocks = first + rng.choice(20, n_blocks, replace=False)
    sums = rng.standard_t(3, n_blocks) + rng.uniform(0, 1)
    return dict(zip(blocks.tolist(), sums.tolist(), strict=True))


def _trial(rng: np.random.Generator, own: BlockSums) -> BlockSums | int:
    nature = rng.integers(5)
    if nature == 0:
        return int(rng.integers(2**62))
    if nature == 1:
        return {k: s * rng.choice([1.0, -1.0]) for k, s in own.items()}
    if nature == 2:
        return {k: s * (1 + 0.1 * rng.standard_normal()) for k, s in own.items()}
    return dict.fromkeys(own, 0.0) if nature == 3 else _block_sums(rng)


# ---------------------------------------------------------------------------- no edge
def too_dear(seed: int, n_runs: int) -> list[Row]:
    """A planted edge at three times its break-even cost, judged by the whole rule after a year.

    Four events a day, each held for its quarter of a day. Values are normal and stated as they
    are; taking every signal at size 1 has a gross annual Sharpe ratio of 4. The break-even cost
    is that of all signals at equal size, and what is worth its cost trades at size 1.
    """
    n = EVENTS_A_DAY * N_DAYS
    day = 20_000 + np.arange(n) // EVENTS_A_DAY
    value_sd = _value_sd()
    cost = TIMES_BREAK_EVEN * value_sd * np.sqrt(2 / np.pi)
    said = []
    for run in range(n_runs):
        rng = np.random.default_rng([seed, run])
        value = value_sd * rng.standard_normal(n)
        market = value + NOISE_SD * rng.standard_t(4, n) / np.sqrt(2)
        side, stated = np.sign(value), np.abs(value)
        traded = stated > cost
        book = side * traded
        net = np.bincount(day - day[0], book * market - cost * traded)
        against = against_passive(Steps(book, market, np.ones(n), day), np.unique(day), net)
        signals = Signals(stated, side * market, day)
        said.append(decide(against, int(traded.sum()), signals, cost).outcome == NO_EDGE)
    share, error = share_of(np.array(said))
    name = f"planted edge at {TIMES_BREAK_EVEN:g} times its break-even cost: no edge, {N_DAYS} days"
    return [at_least(name, share, error, 0.95)]


def _value_sd() -> float:
    """Standard deviation of normal values of which all together have the Sharpe ratio."""
    a_year = np.sqrt(EVENTS_A_DAY * N_DAYS)

    def excess(sd: float) -> float:
        mean = sd * np.sqrt(2 / np.pi)
        return float(mean / np.sqrt(NOISE_SD**2 + sd**2 - mean**2) * a_year - SHARPE)

    return float(brentq(excess, 1e-6 * NOISE_SD, NOISE_SD))


# ---------------------------------------------------------------------------- sizes
@dataclass(frozen=True)
class Cell:
    """Events of one kind: barriers in ATR, how well a calibrated model ranks, and which sides."""

    win: float
    loss: float
    auc: float
    both_sides: bool

    @property
    def name(self) -> str:
        sides = "both sides" if self.both_sides else "long only"
        return f"size, {sides}, {self.win:g}/{self.loss:g}, AUC {self.auc:.2f}"


BARRIERS = ((50.0, 18.0), (25.0, 25.0), (18.0, 50.0))
CELLS = [
    *(Cell(*barriers, auc, False) for barriers in BARRIERS for auc in (0.55, 0.60)),
    *(Cell(*barriers, 0.60, True) for barriers in BARRIERS),
]
COST_ATR = 1.0


def attainable_sharpe(seed: int, n_events: int) -> list[Row]:
    """Share of the attainable Sharpe ratio that the sizes reach with a calibrated model.

    Log-odds are normal around those of a driftless event, spread until the model has its AUC. A
    short wins what a long loses and the other way round. Attainable is what sizes in proportion
    to value over mean square reach, where the value is positive.
    """
    rows = []
    for i, cell in enumerate(CELLS):
        rng = np.random.default_rng([seed, i])
        centre, spread = _log_odds(cell)
        p = expit(centre + spread * rng.standard_normal(n_events))
        up = rng.random(n_events) < p
        long_value = p * cell.win - (1 - p) * cell.loss - COST_ATR
        short_value = -(p * cell.win - (1 - p) * cell.loss) - COST_ATR
        is_short = cell.both_sides & (short_value > long_value)
        gross = np.where(up, cell.win, -cell.loss)
        came = np.where(is_short, -gross, gross) - COST_ATR
        value = np.where(is_short, short_value, long_value)
        outcomes = np.broadcast_to([cell.win, -cell.loss], (n_events, 2))
        sd = outcome_spread(np.stack([p, 1 - p], axis=1), outcomes)
        best = np.maximum(value, 0) / (value**2 + sd**2)
        share = _sharpe(bet_size(value, sd) * came) / _sharpe(best * came)
        rows.append(at_least(cell.name, share, None, 0.97))
    return rows


def _sharpe(results: np.ndarray) -> float:
    return float(results.mean() / results.std())


def _log_odds(cell: Cell) -> tuple[float, float]:
    """Centre and spread of log-odds that have the cell's AUC and the driftless share of wins."""
    share = cell.loss / (cell.win + cell.loss)
    z = np.linspace(-8, 8, 4_001)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()

    def centre(spread: float) -> float:
        def excess(at: float) -> float:
            return float(weight @ expit(at + spread * z)) - share

        return float(brentq(excess, logit(share) - 5, logit(share) + 5))

    def excess(spread: float) -> float:
        p = expit(centre(spread) + spread * z)
        won, lost = weight * p / share, weight * (1 - p) / (1 - share)
        return float(won @ (np.cumsum(lost) - lost / 2)) - cell.auc

    spread = float(brentq(excess, 1e-3, 5))
    return centre(spread), spread
