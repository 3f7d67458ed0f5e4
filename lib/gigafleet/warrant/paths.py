"""Random paths of a share price for the simulations of a warrant: the clock of total variance, walks, normals, blocks.

Every walk is a Brownian motion in total variance, so that a term structure of volatility costs nothing. It is built
from its end backwards, or from its principal components, so that the first normals carry most of its variance.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from gigafleet.errors import require
from gigafleet.warrant.readings import SHIFT, TRADING_DAYS

COARSE_BLOCK = 4096  # paths that share a random stream where there are few dates
DAILY_BLOCK = 256  # small, as a block of daily walks should fit into a processor's cache
SKELETON = 32  # dates of a daily walk that are drawn first, from principal components
NEVER_YEARS = 1e3  # where a schedule that never delivers stands when schedules are ordered
TINY = 1e-300


@dataclass(frozen=True)
class Clock:
    """Total variance of the log price by time: linear between knots, from 0 to expiry.

    Parameters
    ----------
    times
        Knots, the first 0, the last the expiry. [years]
    variance
        Total variance at the knots.
    """

    times: np.ndarray
    variance: np.ndarray

    def at(self, times: np.ndarray) -> np.ndarray:
        """Return the total variance at times [years]."""
        return np.interp(times, self.times, self.variance)

    @property
    def end(self) -> float:
        """Total variance at expiry."""
        return float(self.variance[-1])

    @property
    def shifts(self) -> np.ndarray:
        """Broadie-Glasserman-Kou shift of a log barrier watched at daily closes, between each knot and the next."""
        return SHIFT * np.sqrt(np.diff(self.variance) / np.diff(self.times) / TRADING_DAYS)


def clock(volatility: float | pd.Series, years: float) -> Clock:
    """Return the clock of a volatility.

    Parameters
    ----------
    volatility
        Volatility in a year [share], or implied volatilities by maturity [years]: their total variance is linear in
        time between maturities; before the first and after the last the volatility is flat.
    years
        Time to expiry. [years]

    Raises
    ------
    ValueError
        If maturities do not rise, or the total variance falls.

    >>> clock(pd.Series({1.0: 0.5, 2.0: 0.4}), 3.0).variance.round(4).tolist()
    [0.0, 0.25, 0.32, 0.48]
    """
    if not isinstance(volatility, pd.Series):
        if np.ndim(volatility):
            raise ValueError(f"volatility must be a number or a Series by maturity, not {volatility!r}")
        require("volatility", volatility, minimum=0, maximum=10)
        return Clock(np.array([0.0, years]), np.array([0.0, float(volatility) ** 2 * years]))
    require("maturity of volatility", volatility.index, above=0)
    require("volatility", volatility, minimum=0, maximum=10)
    maturities, values = volatility.index.to_numpy(float), volatility.to_numpy(float)
    if not len(values) or (np.diff(maturities) <= 0).any():
        raise ValueError(f"maturities of volatility must rise, not {maturities.tolist()}")
    total = values**2 * maturities
    if (np.diff(total) < -1e-12).any():
        i = int(np.argmax(np.diff(total) < -1e-12))
        raise ValueError(
            f"volatility: total variance must not fall, but it is {total[i]:.4g} at {maturities[i]:g} years and "
            f"{total[i + 1]:.4g} at {maturities[i + 1]:g}"
        )
    end = np.interp(years, maturities, total) if years <= maturities[-1] else values[-1] ** 2 * years
    if years < maturities[0]:
        end = values[0] ** 2 * years
    inside = maturities < years * (1 - 1e-12)
    return Clock(np.r_[0.0, maturities[inside], years], np.maximum.accumulate(np.r_[0.0, total[inside], end]))


def touch_in_step(start_gap: np.ndarray, end_gap: np.ndarray, variance: np.ndarray | float) -> np.ndarray:
    """Return the probability that a Brownian bridge crosses a barrier.

    Parameters
    ----------
    start_gap, end_gap
        How far the log price is below the barrier at the ends of the step; 0 or less is a touch.
    variance
        Of the log price over the step.
    """
    product = np.maximum(start_gap, 0) * np.maximum(end_gap, 0)
    return np.exp(-2 * product / np.maximum(variance, TINY))


def walk_at(last: np.ndarray, end: float, normals: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return a Brownian motion at dates before its end, one row a date, given where it ends.

    Parameters
    ----------
    last
        Standard normals that carry it to its end, one a path.
    end
        Total variance at the end.
    normals
        One row a date, from the first date to the last; one column a path.
    variance
        Total variance at the dates: one row a date in any order, one column for all paths or one a path.
    """
    at_end = np.sqrt(end) * last
    order = np.argsort(variance, axis=0, kind="stable")
    walk = np.empty((len(variance), len(last)))
    before, place = 0.0, np.zeros(1)
    for row, passed in enumerate(np.take_along_axis(variance, order, axis=0)):
        left = np.maximum(end - before, TINY)
        spread = np.sqrt(np.maximum(passed - before, 0) * np.maximum(end - passed, 0) / left)
        place = place + (passed - before) / left * (at_end - place) + spread * normals[row]
        walk[row], before = place, passed
    back = np.argsort(order, axis=0)
    return walk[back[:, 0]] if variance.shape[1] == 1 else np.take_along_axis(walk, back, axis=0)


@dataclass(frozen=True)
class DailyWalk:
    """How to build a Brownian motion day by day: from a skeleton of some dates, and steps between them.

    Parameters
    ----------
    variance
        Total variance on each day.
    rows
        Days of the skeleton, the last day among them.
    factor
        Turns independent normals into the skeleton, principal components first.
    """

    variance: np.ndarray
    rows: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(cls, variance: np.ndarray) -> "DailyWalk":
        """Return the way to build a walk with a total variance by day."""
        rows = np.unique(np.linspace(0, len(variance), min(SKELETON, len(variance)) + 1).round().astype(int)[1:] - 1)
        values, vectors = np.linalg.eigh(np.minimum.outer(variance[rows], variance[rows]))
        return cls(variance, rows, (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1])

    def __call__(self, normals: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the walk, one row a day, from normals of the skeleton and normals of each day (overwritten)."""
        skeleton = self.factor @ normals
        walk = steps
        walk *= np.sqrt(np.maximum(np.diff(self.variance, prepend=0.0), 0))[:, None]
        np.cumsum(walk, axis=0, out=walk)
        first, start, pulled = 0, 0.0, np.zeros(walk.shape[1])
        for row, target in zip(self.rows, skeleton, strict=True):
            pull = target - walk[row]
            end = self.variance[row]
            share = (self.variance[first : row + 1] - start) / max(end - start, TINY)
            walk[first : row + 1] += pulled + share[:, None] * (pull - pulled)
            first, start, pulled = row + 1, end, pull
        return walk


def trading_days(years: float) -> np.ndarray:
    """Return the times of the daily closes after the valuation date [years]; the last is the expiry."""
    days = np.arange(1, int(years * TRADING_DAYS + 1e-6) + 1) / TRADING_DAYS
    return days if len(days) and years - days[-1] < 1e-8 else np.append(days, years)


def check_schedules(milestone_years: object, tranches: int) -> np.ndarray:
    """Return delivery schedules, one a row, from the latest to the earliest by their mean milestone; none before 0.

    Raises
    ------
    ValueError
        If there is not one milestone a tranche, or one is no number.
    """
    require("milestone_years", milestone_years)
    milestones = np.atleast_2d(np.asarray(milestone_years, dtype=float))
    if milestones.ndim != 2 or milestones.shape[1] != tranches or not len(milestones):
        raise ValueError(
            f"milestone_years must have one number for each of {tranches} tranches, or one row of them a scenario, "
            f"not shape {np.shape(milestone_years)}"
        )
    lateness = np.minimum(milestones, NEVER_YEARS).mean(axis=1)
    return np.maximum(milestones[np.argsort(-lateness, kind="stable")], 0)


def check_reached(reached: object, tranches: int) -> np.ndarray:
    """Return whether each tranche's target was reached before the valuation date, one row a tranche.

    Raises
    ------
    ValueError
        If there is not one answer for all or one a tranche, or one is neither True nor False.
    """
    flags = np.asarray(False if reached is None else reached)
    if flags.dtype != bool:
        raise ValueError(f"reached must be True or False, for all tranches or for each, not {reached!r}")
    if flags.shape not in ((), (tranches,)):
        raise ValueError(f"reached must be one answer, or one for each of {tranches} tranches, not shape {flags.shape}")
    return np.broadcast_to(flags, (tranches,))[:, None]


def draw_schedules(schedules: np.ndarray, rank_correlation: float, share: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return a delivery schedule for each path, one row a tranche, one column a path.

    Parameters
    ----------
    schedules
        Sorted from the latest to the earliest, one a row.
    rank_correlation
        Of early delivery with the share price at expiry.
    share, own
        Standard normals: the share's Brownian motion at expiry, and one of the draw itself.
    """
    linear = 2 * np.sin(np.pi * rank_correlation / 6)
    uniform = ndtr(linear * share + np.sqrt(max(1 - linear**2, 0)) * own)
    return schedules[np.minimum((uniform * len(schedules)).astype(int), len(schedules) - 1)].T


@dataclass(frozen=True)
class Draws:
    """What normals to draw, in blocks that do not depend on how many are held in memory at once.

    Parameters
    ----------
    dimensions
        Normals a path from the Sobol sequence (or, with ``antithetic``, from the generator like all others).
    steps
        Further pseudo-random normals a path; 0 where there are none.
    n_paths, method, scramblings, seed
        See :func:`gigafleet.warrant.simulation.simulate`.
    """

    dimensions: int
    steps: int
    n_paths: int
    method: str
    scramblings: int
    seed: int

    @property
    def block(self) -> int:
        """Paths in a block."""
        return DAILY_BLOCK if self.steps else COARSE_BLOCK

    def _blocks(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield the group of a block, and its normals; in an antithetic block the second half mirrors the first."""
        if self.method == "sobol":
            points = self.n_paths // self.scramblings
            for group in range(self.scramblings):
                sequence = np.random.SeedSequence(self.seed, spawn_key=(0, group))
                engine = qmc.Sobol(self.dimensions, rng=np.random.default_rng(sequence))
                rest = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(1, group)))
                size = min(points, self.block)
                for _ in range(points // size):
                    uniform = engine.random(size).T + 0.5**31  # the middle of the cell, so that none is 0
                    yield group, ndtri(uniform), rest.standard_normal((self.steps, size))
            return
        for number in range(-(-self.n_paths // self.block)):
            half = min(self.block, self.n_paths - number * self.block) // 2
            random = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number,)))
            one = random.standard_normal((self.dimensions + self.steps, half))
            both = np.concatenate([one, -one], axis=1)
            yield number % self.scramblings, both[: self.dimensions], both[self.dimensions :]

    def passes(self, chunk_paths: int) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
        """Yield blocks of equal size side by side, up to chunk_paths: their groups, normals, normals of steps."""
        held = []
        for block in self._blocks():
            size = block[1].shape[1]
            if held and (held[0][1].shape[1] != size or (len(held) + 1) * size > chunk_paths or self.steps):
                yield _side_by_side(held)
                held = []
            held.append(block)
        yield _side_by_side(held)


def _side_by_side(blocks: list[tuple[int, np.ndarray, np.ndarray]]) -> tuple[list[int], np.ndarray, np.ndarray]:
    groups, normals, steps = zip(*blocks, strict=True)
    if len(groups) == 1:
        return [groups[0]], normals[0], steps[0]
    return list(groups), np.concatenate(normals, axis=1), np.concatenate(steps, axis=1)
