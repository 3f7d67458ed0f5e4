"""What the tranches of a warrant pay on random paths, in shares; the part of the simulation that meets every path."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gigafleet.errors import require
from gigafleet.warrant import paths

CONTROL_DAYS = 10  # between the prices that the control variate of a daily walk takes into account
SAME = 1e-9  # times [years] and log prices that differ by less are the same
Place = tuple[np.ndarray | float, np.ndarray | float, np.ndarray | float]  # time, log price, total variance


@dataclass(frozen=True)
class IndexThreshold:
    """A further condition: the share must have outperformed an index on the day on which its price counts.

    The index is lognormal and reinvests its dividends; both returns start at the valuation date.

    Parameters
    ----------
    volatility
        Of the index in a year. [share]
    correlation
        Of the daily log returns of index and share.
    margin
        The share's return must exceed (1 + margin) times that of the index; -1 always holds.
    level
        The share's return over that of the index up to the valuation date.
    """

    volatility: float
    correlation: float
    margin: float
    level: float = 1.0

    def __post_init__(self) -> None:
        require("volatility of the index", self.volatility, minimum=0, maximum=10)
        require("correlation with the index", self.correlation, minimum=-1, maximum=1)
        require("margin over the index", self.margin, minimum=-1)
        require("level over the index", self.level, above=0)


@dataclass(frozen=True)
class Case:
    """What a pass needs to know. Prices are over spot; there is one row a tranche in every array by tranche.

    ``targets`` are logs, ``reached`` whether they were before the valuation date; ``control`` are those of the control
    variate, or None. ``schedules`` are sorted, one a row. ``carry`` is r - q, ``rate`` r. ``days`` are the times of
    daily closes [years], empty where a few dates are enough.
    """

    targets: np.ndarray
    reached: np.ndarray
    control: np.ndarray | None
    schedules: np.ndarray
    strike: float
    carry: float
    rate: float
    clock: paths.Clock
    days: np.ndarray
    touch: str
    watched: str
    window_days: int
    index: IndexThreshold | None
    delivery_correlation: float

    @property
    def years(self) -> float:
        return float(self.clock.times[-1])

    @cached_property
    def walker(self) -> paths.DailyWalk:
        return paths.DailyWalk.of(self.clock.at(self.days))

    @property
    def dimensions(self) -> tuple[int, int]:
        """Normals that a path needs from the Sobol sequence, and further ones."""
        random = int(len(self.schedules) > 1)
        if len(self.days):
            walks = 1 + (self.index is not None)
            return walks * len(self.walker.rows) + random, walks * len(self.days)
        starts = 0 if self.touch == "ever" else self.schedules.shape[1]
        return 1 + random + starts + len(self.clock.times) - 2, 0

    def payoffs(self, normals: np.ndarray, steps: np.ndarray) -> list[np.ndarray]:
        """Return the payoff in shares of each tranche (row) on each path (column) and, if asked for, its control."""
        daily = len(self.days) > 0
        first = len(self.walker.rows) if daily else 1
        walk = self.walker(normals[:first], steps[: len(self.days)]) if daily else None
        end = walk[-1] / np.sqrt(max(self.clock.end, paths.TINY)) if daily else normals[0]
        schedule, rest = self.schedules.T, normals[first:]
        if len(self.schedules) > 1:
            # The copula is one under the risk-neutral measure, where the walk at its end is higher by sqrt(variance)
            own, rest = rest[0], rest[1:]
            risk_neutral = end + np.sqrt(self.clock.end)
            schedule = paths.draw_schedules(self.schedules, self.delivery_correlation, risk_neutral, own)
        if daily:
            price, touched, control = self._daily(walk, rest, steps[len(self.days) :], schedule)
        else:
            price, touched, control = self._few_dates(end, rest, schedule)
        if self.touch != "at_milestone":
            touched = np.where(self.reached & ((self.touch == "ever") | (schedule <= 0)), 1.0, touched)
        paid = np.maximum(1 - self.strike * np.exp(-price), 0)
        vested = paid * touched * (schedule <= self.years + SAME)
        return [vested] if control is None else [vested, paid * control]

    def _log_price(self, walk: np.ndarray, times: np.ndarray | float) -> np.ndarray:
        """Return the log of price over spot under the share measure."""
        return walk + (self.carry * times + self.clock.at(times) / 2)

    def _few_dates(self, end: np.ndarray, rest: np.ndarray, schedule: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return log price at expiry, and touch and control by tranche, stepping at milestones and knots only."""
        start_times = np.minimum(schedule, self.years)[: 0 if self.touch == "ever" else None]
        knots = self.clock.times[1:-1]
        times = np.concatenate([start_times, np.broadcast_to(knots[:, None], (len(knots), start_times.shape[1]))])
        walk = paths.walk_at(end, self.clock.end, rest, self.clock.at(times))
        prices = self._log_price(walk, times)
        origin = (0.0, 0.0, 0.0)
        last = (self.years, self._log_price(np.sqrt(self.clock.end) * end, self.years), self.clock.end)
        start, starts = origin, len(start_times)
        if starts:
            start = (start_times, prices[:starts], self.clock.at(start_times))
        if self.touch == "at_milestone":
            touched = start[1] >= self.targets
        else:
            shifts = self.clock.shifts if self.watched == "close" else np.zeros(len(knots) + 1)
            places = [start]
            for time, price in zip(knots, prices[starts:], strict=True):
                late = time > start[0]
                variance = np.where(late, self.clock.at(time), start[2])
                places.append((np.maximum(time, start[0]), np.where(late, price, start[1]), variance))
            touched = _touched(self.targets, [*places, last], shifts)
        control = None
        if self.control is not None:
            control = _touched(self.control, [origin, *([start] if starts else []), last])
        return last[1], touched, control

    def _daily(
        self, walk: np.ndarray, rest: np.ndarray, steps: np.ndarray, schedule: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Return log price at expiry, and touch and control by tranche, from every daily close."""
        index = None if self.index is None else self._index(walk, rest, steps)
        variance = self.clock.at(self.days)
        walk += (self.carry * self.days + variance / 2)[:, None]
        if self.watched == "close" or self.window_days == 1:
            watched, targets = np.concatenate([np.zeros((1, walk.shape[1])), walk]), self.targets
        else:
            watched, targets = _average(walk, self.window_days), np.exp(self.targets)
        if index is not None:
            margin = np.log(max(1 + self.index.margin, paths.TINY)) + SAME - np.log(self.index.level)
            watched[1:][walk - index <= margin] = -np.inf
            watched[0] = watched[0] if margin < 0 else -np.inf
        if self.touch == "ever":
            touched = watched.max(axis=0) >= targets
        else:
            if self.touch == "from_milestone":
                watched = np.maximum.accumulate(watched[::-1], axis=0)[::-1]
            rows = np.minimum(np.searchsorted(self.days, schedule - SAME) + 1, len(self.days))
            rows = np.where(schedule <= SAME, 0, rows)
            touched = (watched[rows[:, 0]] if rows.shape[1] == 1 else np.take_along_axis(watched, rows, 0)) >= targets
        control = None
        if self.control is not None:
            rows = np.append(np.arange(CONTROL_DAYS, len(self.days) - 1, CONTROL_DAYS), len(self.days) - 1)
            places = [(self.days[row], walk[row], variance[row]) for row in rows]
            control = _touched(self.control, [(0.0, 0.0, 0.0), *places])
        return walk[-1], touched, control

    def _index(self, walk: np.ndarray, rest: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the log return of the index, one row a day, under the share measure."""
        times = np.diff(self.days, prepend=0.0)
        spread = np.sqrt(np.maximum(np.diff(self.clock.at(self.days), prepend=0.0), 0))
        own = paths.DailyWalk.of(self.days)(rest, steps)
        common = np.diff(walk, axis=0, prepend=0.0)
        common *= np.where(spread > 0, np.sqrt(times) / np.maximum(spread, paths.TINY), 0)[:, None]
        np.cumsum(common, axis=0, out=common)
        volatility, correlation = self.index.volatility, self.index.correlation
        drift = np.cumsum(self.rate * times + volatility * correlation * spread * np.sqrt(times))
        common *= correlation * volatility
        own *= np.sqrt(1 - correlation**2) * volatility
        return common + own + (drift - volatility**2 / 2 * self.days)[:, None]


def _touched(barrier: np.ndarray, places: list[Place], shifts: np.ndarray | None = None) -> np.ndarray:
    """Return the probability that a log barrier is touched between the first place and the last, given all of them.

    ``shifts`` has one number a step where only daily closes are watched: how far each raises the barrier. The first
    place is then a close itself.
    """
    shifts = np.zeros(len(places) - 1) if shifts is None else shifts
    untouched = places[0][1] < barrier
    for (time, price, variance), (next_time, next_price, next_variance), shift in zip(
        places[:-1], places[1:], shifts, strict=True
    ):
        raised = barrier + shift
        touch = paths.touch_in_step(raised - price, raised - next_price, next_variance - variance)
        untouched = untouched * (1 - touch * (next_time > time))
    return 1 - untouched


def _average(prices: np.ndarray, days: int) -> np.ndarray:
    """Return averages of the last closes over spot, from logs, one row a day from the first on."""
    closes = np.concatenate([np.ones((days, prices.shape[1])), np.exp(prices)])
    np.cumsum(closes, axis=0, out=closes)
    closes[days:] -= closes[:-days].copy()
    return closes[days - 1 :] / days
