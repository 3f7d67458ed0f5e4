"""When the tranches of a warrant vest and how many shares that issues, if the share price grows as assumed.

Nothing here is a value: growth is an assumption about the world, and no figure is discounted. Values are risk-neutral
and come from :mod:`gigafleet.warrant.closed_form` and :func:`gigafleet.warrant.simulation.simulate`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gigafleet.errors import require, require_whole
from gigafleet.warrant import paths
from gigafleet.warrant.contract import Warrant, check_warrant
from gigafleet.warrant.readings import SHIFT, TRADING_DAYS, check_market, check_reading

QUARTER = 0.25


@dataclass(frozen=True)
class Vesting:
    """Simulated share prices and vesting dates, at quarter ends.

    Parameters
    ----------
    tranches
        The warrant's table: ``shares_m``, ``milestone_gw``, ``target_usd``.
    strike_usd
        [USD]
    years
        The valuation date (0), each quarter end after it, and the expiry. [years]
    price_usd
        One row a path, one column a date. [USD]
    vested_at
        One row a path, one column a tranche: the column of ``years`` by which it vests, -1 if it never does.
    """

    tranches: pd.DataFrame
    strike_usd: float
    years: np.ndarray
    price_usd: np.ndarray
    vested_at: np.ndarray

    def _vested(self) -> np.ndarray:
        """Return whether a tranche has vested: path, tranche, date."""
        return (self.vested_at[:, :, None] >= 0) & (self.vested_at[:, :, None] <= np.arange(len(self.years)))

    @property
    def _dates(self) -> pd.Index:
        return pd.Index(self.years, name="years")

    def probability(self) -> pd.DataFrame:
        """Return the probability that each tranche (row) has vested by each date (column). [share]"""
        return pd.DataFrame(self._vested().mean(axis=0), self.tranches.index, self._dates)

    def shares_issued_m(self) -> pd.DataFrame:
        """Return the shares vested on each path (row) by each date (column). [million]"""
        shares = self.tranches["shares_m"].to_numpy()
        return pd.DataFrame(np.einsum("ptd,t->pd", self._vested(), shares), columns=self._dates).rename_axis("path")

    def fan(self, level: float = 0.9) -> pd.DataFrame:
        """Return the fan of shares vested by date: ``low``, ``p25``, ``median``, ``p75``, ``high``. [million]

        Parameters
        ----------
        level
            Probability between ``low`` and ``high``.
        """
        return _fan(self.shares_issued_m(), level)

    def price_fan(self, level: float = 0.9) -> pd.DataFrame:
        """Return the fan of the share price by date, as :meth:`fan`. [USD]"""
        return _fan(pd.DataFrame(self.price_usd, columns=self._dates), level)

    def proceeds_busd(self) -> pd.DataFrame:
        """Return what each tranche (column) fetches on each path (row), undiscounted. [billion USD]

        Its shares are sold at the price on the date by which they vest, less the strike; nothing if that is higher.
        """
        price = np.take_along_axis(self.price_usd, np.maximum(self.vested_at, 0), axis=1)
        gain = np.maximum(price - self.strike_usd, 0) * (self.vested_at >= 0)
        busd = gain * self.tranches["shares_m"].to_numpy() / 1e3
        return pd.DataFrame(busd, columns=self.tranches.index).rename_axis("path")


def _fan(draws: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return quantiles of each column."""
    require("level", level, above=0, maximum=1)
    quantiles = draws.quantile([(1 - level) / 2, 0.25, 0.5, 0.75, (1 + level) / 2]).T
    quantiles.columns = ["low", "p25", "median", "p75", "high"]
    return quantiles


def vesting(
    warrant: Warrant,
    *,
    spot: float,
    volatility: float | pd.Series | np.ndarray,
    drift: float | np.ndarray,
    years: float,
    milestone_years: object,
    touch: str = "ever",
    watched: str = "close",
    dividend_yield: float = 0.0,
    reached: object = None,
    delivery_correlation: float = 0.0,
    first_years: float = QUARTER,
    n_paths: int = 2**14,
    seed: int = 0,
) -> Vesting:
    """Simulate share prices that grow as assumed, and when the tranches vest.

    Prices are drawn at quarter ends, and the highest price of each quarter from the Brownian bridge between them.
    Milestones between quarter ends count from the next one on, so that a tranche vests up to a quarter late; with
    ``at_milestone`` the price of that quarter end decides.

    Parameters
    ----------
    warrant, spot, years, milestone_years, touch, reached, delivery_correlation
        As for :func:`gigafleet.warrant.simulation.simulate`.
    volatility
        In a year [share], or a Series by maturity [years], of which each quarter takes its average, or an array with
        one a path.
    drift
        Assumed growth of the price with dividends reinvested, in a year, continuous: the expectation of the price after
        t years is spot x exp((drift - dividend_yield) t). One number, or an array with one a path. [share]
    watched
        ``intraday``, or ``close`` by raising the target as if watched once a day.
    dividend_yield
        Continuous, in a year. [share]
    first_years
        To the first quarter end after the valuation date; above 0 and at most a quarter of a year. [years]
    n_paths
        Number of paths.
    seed
        The same seed gives the same paths.

    Returns
    -------
    Vesting

    Raises
    ------
    UnknownNameError, ValueError
        On the first figure that is not possible, before any path is drawn.

    Examples
    --------
    >>> from gigafleet.warrant import contract
    >>> book = contract.of_deal("amd-openai")
    >>> milestones = [1, 1.5, 2, 2.5, 3, 3.5]
    >>> flat = vesting(book, spot=164.67, volatility=0.55, drift=0.0, years=5.0, milestone_years=milestones)
    >>> flat.probability()[5.0].round(2).tolist()
    [0.65, 0.43, 0.3, 0.23, 0.17, 0.14]
    """
    check_warrant(warrant)
    if watched == "n_day_average":
        raise ValueError("vesting looks at quarter ends and cannot watch averages; simulate() values them day by day")
    check_reading(touch, watched)
    for name, number in {"spot": spot, "years": years, "dividend_yield": dividend_yield}.items():
        if np.ndim(number):
            raise ValueError(f"{name} must be one number, not {number!r}")
    check_market(spot, 0.0, 0.0, years, dividend_yield)
    require("years", years, above=0)
    require("delivery_correlation", delivery_correlation, minimum=-1, maximum=1)
    require_whole("n_paths", n_paths, minimum=1)
    require_whole("seed", seed, minimum=0)
    if np.ndim(drift) and np.shape(drift) != (n_paths,):
        raise ValueError(f"drift must be one number, or one for each of {n_paths} paths, not {drift!r}")
    require("drift", drift, minimum=-2, maximum=2)
    table = warrant.table
    schedules = paths.check_schedules(milestone_years, len(table))
    met = paths.check_reached(reached, len(table))
    require("first_years", first_years, above=0, maximum=QUARTER * 1.02)  # a quarter has up to 92 days
    grid = np.concatenate([[0.0], np.arange(first_years, years - 1e-9, QUARTER), [years]])
    variance = _variance(volatility, grid, int(n_paths))

    random = np.random.default_rng(int(seed))
    steps = np.diff(variance, axis=0)
    walk = np.zeros((len(grid), int(n_paths)))
    np.cumsum(random.standard_normal((len(steps), int(n_paths))) * np.sqrt(steps), axis=0, out=walk[1:])
    exponential = random.standard_exponential((len(steps), int(n_paths)))
    last = walk[-1] / np.sqrt(np.maximum(variance[-1], paths.TINY))
    schedule = paths.draw_schedules(schedules, delivery_correlation, last, random.standard_normal(int(n_paths)))
    walk += (drift - dividend_yield) * grid[:, None] - variance / 2

    move = np.diff(walk, axis=0)
    highest = (walk[1:] + walk[:-1] + np.sqrt(move**2 + 2 * steps * exponential)) / 2
    if watched == "close":
        span = np.diff(grid)[:, None]
        shift = SHIFT * np.sqrt(steps / span / TRADING_DAYS)
        highest = np.maximum(highest - shift, walk[1:])
    start = np.searchsorted(grid, schedule - 1e-9)
    with np.errstate(divide="ignore"):
        barriers = np.log(table["target_usd"].to_numpy() / spot)
    columns = []
    for barrier, first, before in zip(barriers, start, met[:, 0], strict=True):
        columns.append(_vested_at(walk, highest, barrier, first, touch, bool(before)))
    price = spot * np.exp(walk.T)
    return Vesting(table, warrant.strike_usd, grid, price, np.stack(columns, axis=1))


def _variance(volatility: float | pd.Series | np.ndarray, grid: np.ndarray, n_paths: int) -> np.ndarray:
    """Return the total variance of the log price: one row a date, one column for all paths or one a path."""
    if isinstance(volatility, pd.Series) or not np.ndim(volatility):
        return paths.clock(volatility, grid[-1]).at(grid)[:, None]
    if np.shape(volatility) != (n_paths,):
        raise ValueError(f"volatility must be a number, a Series by maturity, or one for each of {n_paths} paths")
    require("volatility", volatility, minimum=0, maximum=10)
    return np.asarray(volatility, float) ** 2 * grid[:, None]


def _vested_at(
    walk: np.ndarray, highest: np.ndarray, barrier: float, first: np.ndarray, touch: str, reached: bool
) -> np.ndarray:
    """Return the row by which a tranche vests on each path, -1 if never; ``first`` is the row of its milestone."""
    rows = np.arange(len(walk))[:, None]
    hit = np.concatenate([walk[:1], highest]) >= barrier  # in the step that ends at the row
    if touch == "ever":
        hit[0] |= reached
        at = np.maximum(np.where(hit.any(axis=0), hit.argmax(axis=0), len(walk)), first)
    else:
        hit = np.where(rows == first, walk >= barrier, hit & (rows > first))
        if touch == "at_milestone":
            hit &= rows == first
        elif reached:
            hit[0] |= first == 0
        at = np.where(hit.any(axis=0), hit.argmax(axis=0), len(walk))
    return np.where(at < len(walk), at, -1)
