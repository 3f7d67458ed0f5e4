"""Value of a warrant by simulation, for what closed forms leave out: averages, index thresholds, random deliveries.

:func:`simulate` gives risk-neutral values. :func:`vesting` gives vesting and dilution under an assumed growth of the
share price, and no value; the two are never mixed.

The value E^Q[exp(-r T) max(S_T - K, 0) 1{vested}] is taken under the measure whose unit of account is the share:
S_0 exp(-q T) E^S[max(1 - K / S_T, 0) 1{vested}], under which the log price drifts by r - q + volatility^2 / 2. What is
averaged lies between 0 and 1, so few paths go far. Whether the target was touched between two dates of a path is not
drawn but replaced by its probability given the prices on both (Brownian bridge): exact for watching at every moment.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from gigafleet.errors import require, require_whole, unknown
from gigafleet.warrant import closed_form, paths
from gigafleet.warrant.contract import Warrant, check_warrant
from gigafleet.warrant.payoffs import Case, IndexThreshold
from gigafleet.warrant.readings import SHIFT, TRADING_DAYS, check_market, check_reading
from gigafleet.warrant.vesting import Vesting, vesting

__all__ = ["IndexThreshold", "Vesting", "simulate", "vesting"]

METHODS = ("sobol", "antithetic")
AVERAGE_SHIFT = (
    0.65  # of the control's target for an average, in volatilities over its window: by trial, for less error
)
NO_VARIANCE = 1e-24


def simulate(
    warrant: Warrant,
    *,
    spot: float,
    volatility: float | pd.Series,
    rate: float,
    years: float,
    milestone_years: object,
    dividend_yield: float = 0.0,
    touch: str = "ever",
    watched: str = "close",
    window_days: int = 20,
    reached: object = None,
    index: IndexThreshold | None = None,
    delivery_correlation: float = 0.0,
    n_paths: int = 2**16,
    seed: int = 0,
    method: str = "sobol",
    scramblings: int = 16,
    chunk_paths: int = 2**14,
    control: bool = False,
) -> pd.DataFrame:
    """Return the risk-neutral value of a warrant's tranches, each with its standard error.

    Parameters
    ----------
    warrant
        Its strike, shares and targets count; its dates do not.
    spot
        Share price on the valuation date. [USD]
    volatility
        In a year [share], or implied volatilities as a Series by maturity [years]; see
        :func:`gigafleet.warrant.paths.clock`.
    rate, dividend_yield
        Risk-free rate and dividend yield, continuous, in a year. [share]
    years
        From the valuation date to expiry. [years]
    milestone_years
        From the valuation date until each tranche's milestone [years]: one number a tranche, or one row a scenario of
        deliveries, of which each path draws one with equal weight. ``inf`` is never, 0 or less is already delivered.
        Dates are simulated as they are, on no grid, unless every day is simulated: then the next close counts.
    touch, watched
        See :data:`gigafleet.warrant.readings.TOUCHES` and :data:`~gigafleet.warrant.readings.WATCHES`. ``close`` steps
        at a few dates and shifts the target for watching once a day, unless an index asks for every day.
    window_days
        Closes in an average; closes before the valuation date are taken as equal to spot. 1 is the close itself, day by
        day instead of by the shift. [trading days]
    reached
        Whether each tranche's target was reached before the valuation date. It counts for ``ever``, and for
        ``from_milestone`` where the milestone has passed.
    index
        Further condition on the days that count.
    delivery_correlation
        Rank correlation of early delivery with the share price at expiry, under the risk-neutral measure (Gaussian
        copula). Where it is positive, high prices come with schedules whose mean milestone is early. With
        ``at_milestone`` that may lower a value, as an early milestone leaves the price less time to rise.
    n_paths
        With ``sobol``: scramblings times a power of two. With ``antithetic``: an even number.
    seed
        The same seed gives the same answer, whatever ``chunk_paths``.
    method
        ``sobol``: independent scramblings of a Sobol sequence, standard error from the scatter of their means.
        ``antithetic``: pseudo-random normals and their mirror images, standard error from the scatter of pair means.
    scramblings
        At least 16.
    chunk_paths
        Paths held in memory at once, at least 4096; 256 are where every day is simulated.
    control
        Whether to use the closed-form value of the target touched ``ever``, watched ``intraday``, as a control variate.
        Its coefficient is estimated for each group of paths from the other groups, which leaves no bias. In the reading
        that it is the value of, no error is left, as the answer is then the closed form.

    Returns
    -------
    DataFrame
        Indexed by tranche, with a last row ``all`` for the whole book: ``shares_m`` [million], ``milestone_gw``,
        ``target_usd``, ``usd_per_share``, ``standard_error_usd``, ``value_busd``, ``standard_error_busd``. The error of
        ``all`` takes in that the tranches share their paths.

    Raises
    ------
    ValueError
        On the first figure that is not possible, before any path is drawn.

    Examples
    --------
    >>> from gigafleet.warrant import contract
    >>> book = contract.of_deal("amd-openai")
    >>> market = {"spot": 164.67, "volatility": 0.55, "rate": 0.037, "years": 5.0}
    >>> values = simulate(book, **market, milestone_years=[1, 1.5, 2, 2.5, 3, 3.5], watched="intraday")
    >>> values["usd_per_share"].round(3).tolist()[-2:]
    [92.308, 119.55]
    """
    check_warrant(warrant)
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    require_whole("scramblings", scramblings, minimum=16)
    require_whole("seed", seed, minimum=0)
    require("chunk_paths", chunk_paths, minimum=paths.COARSE_BLOCK)
    _check_paths(n_paths, method, scramblings)
    _check_market(spot, rate, years, dividend_yield, touch, watched, window_days, index)
    require("delivery_correlation", delivery_correlation, minimum=-1, maximum=1)
    table = warrant.table
    clock = paths.clock(volatility, years)
    if index is not None and clock.variance[1:].min() <= 0:
        raise ValueError("volatility must be above 0 where the share is compared with an index")
    targets = np.log(np.maximum(table["target_usd"].to_numpy() / spot, paths.TINY))
    daily = index is not None or watched == "n_day_average"
    case = Case(
        targets=targets[:, None],
        reached=paths.check_reached(reached, len(table)),
        control=None,
        schedules=paths.check_schedules(milestone_years, len(table)),
        strike=warrant.strike_usd / spot,
        carry=rate - dividend_yield,
        rate=rate,
        clock=clock,
        days=paths.trading_days(years) if daily else np.empty(0),
        touch=touch,
        watched=watched,
        window_days=int(window_days),
        index=index,
        delivery_correlation=delivery_correlation,
    )
    draws = paths.Draws(*case.dimensions, int(n_paths), method, int(scramblings), int(seed))
    known = None
    if control:
        least = 2 * draws.block if method == "antithetic" else 0  # two groups, to take each slope from the other
        require("n_paths with control", n_paths, minimum=least)
        case, known = _with_control(case, dividend_yield)
    weights = table["shares_m"].to_numpy() / table["shares_m"].sum()
    mean, error = _estimate(case, draws, weights, known, int(chunk_paths))
    share = spot * np.exp(-dividend_yield * years)  # what a share at expiry is worth today
    return _as_table(table, mean * share, error * share)


def _check_paths(n_paths: int, method: str, scramblings: int) -> None:
    """Raise unless the number of paths suits the method."""
    require_whole("n_paths", n_paths, minimum=2 * scramblings if method == "sobol" else 64)
    if method == "antithetic" and n_paths % 2:
        raise ValueError(f"n_paths must be even for antithetic pairs, not {n_paths}")
    points = n_paths / scramblings
    if method == "sobol" and np.log2(points) % 1:
        below = int(scramblings * 2 ** np.floor(np.log2(points)))
        raise ValueError(
            f"n_paths must be scramblings ({scramblings}) times a power of two for sobol, not {n_paths}; "
            f"try {below} or {2 * below}"
        )


def _check_market(
    spot: float,
    rate: float,
    years: float,
    dividend_yield: float,
    touch: str,
    watched: str,
    window_days: int,
    index: IndexThreshold | None,
) -> None:
    """Raise unless market and reading are possible together."""
    for name, number in {"spot": spot, "rate": rate, "years": years, "dividend_yield": dividend_yield}.items():
        if np.ndim(number):
            raise ValueError(f"{name} must be one number, not {number!r}")
    check_market(spot, 0.0, rate, years, dividend_yield)
    require("years", years, above=0)
    check_reading(touch, watched)
    require_whole("window_days", window_days, minimum=1, maximum=TRADING_DAYS)
    if index is not None and not isinstance(index, IndexThreshold):
        raise ValueError(f"index must be an IndexThreshold or None, not {index!r}")
    if index is not None and watched == "intraday":
        raise ValueError("an index is compared at daily closes: watched must be close or n_day_average, not intraday")


def _with_control(case: Case, dividend_yield: float) -> tuple[Case, np.ndarray]:
    """Return the case with the log targets of its control, and what the control is worth in shares."""
    if len(case.clock.times) > 2:
        raise ValueError("control needs one volatility, as its closed form does, not a term structure")
    volatility = np.sqrt(case.clock.end / case.years)
    raised = 0.0 if case.watched == "intraday" else SHIFT * volatility / np.sqrt(TRADING_DAYS)
    if case.watched == "n_day_average":
        raised = AVERAGE_SHIFT * volatility * np.sqrt(case.window_days / TRADING_DAYS)
    targets = case.targets + np.where(case.targets > 0, raised, 0)
    per_share = closed_form.tranche_value(
        1.0,
        np.exp(targets[:, 0]),
        volatility,
        case.rate,
        case.years,
        strike=case.strike,
        dividend_yield=dividend_yield,
    )
    return replace(case, control=targets), per_share * np.exp(dividend_yield * case.years)


def _estimate(
    case: Case, draws: paths.Draws, weights: np.ndarray, known: np.ndarray | None, chunk_paths: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error of the payoff in shares, by tranche and in a last row of the whole book."""
    paired = draws.method == "antithetic"
    sums: dict[int, np.ndarray] = {}
    for groups, normals, steps in draws.passes(chunk_paths):
        kinds = [np.vstack([payoff, weights @ payoff]) for payoff in case.payoffs(normals, steps)]
        kinds = [kind.reshape(len(kind), len(groups), -1) for kind in kinds]
        if paired:
            kinds = [(k[..., : k.shape[2] // 2] + k[..., k.shape[2] // 2 :]) / 2 for k in kinds]
        own, other = kinds[0], kinds[-1]
        moments = [own, other, *([own * own, own * other, other * other] if paired else [])]
        blocks = np.stack([moment.sum(axis=2) for moment in moments])
        for place, group in enumerate(groups):
            count = np.full_like(blocks[:1, :, place], own.shape[2])
            sums[group] = sums.get(group, 0.0) + np.concatenate([count, blocks[:, :, place]])
    table = np.stack(list(sums.values()))  # group, moment, tranche
    count, means = table[:, 0], table[:, 1] / table[:, 0]
    total = count.sum(axis=0)
    slope = np.zeros_like(means)
    if known is not None:
        known = np.append(known, weights @ known)
        slope = _slopes(table, paired)
        means = means - slope * (table[:, 2] / count - known)
    mean = (means * count).sum(axis=0) / total
    if not paired:
        return mean, means.std(axis=0, ddof=1) / np.sqrt(len(means))
    first = table.sum(axis=0) / total  # of pairs: own, control, and their squares and product
    slope = (slope * count).sum(axis=0) / total
    variance = first[3] - first[1] ** 2
    if known is not None:
        variance += slope**2 * (first[5] - first[2] ** 2) - 2 * slope * (first[4] - first[1] * first[2])
    return mean, np.sqrt(np.maximum(variance, 0) / (total - 1))


def _slopes(table: np.ndarray, paired: bool) -> np.ndarray:
    """Return for each group the slope of payoff on control in the other groups."""
    if paired:
        rest = table.sum(axis=0) - table
        own, control, _, product, square = np.moveaxis(rest[:, 1:] / rest[:, :1], 1, 0)
        covariance, variance = product - own * control, square - control**2
    else:
        own, control = table[:, 1] / table[:, 0], table[:, 2] / table[:, 0]
        groups = len(own)
        others = (1 - np.eye(groups))[:, :, None]
        centered = [kind - (others * kind).sum(axis=1, keepdims=True) / (groups - 1) for kind in (own, control)]
        covariance = (others * centered[0] * centered[1]).sum(axis=1)
        variance = (others * centered[1] ** 2).sum(axis=1)
    return np.where(variance > NO_VARIANCE, covariance / np.maximum(variance, NO_VARIANCE), 0.0)


def _as_table(table: pd.DataFrame, usd: np.ndarray, error_usd: np.ndarray) -> pd.DataFrame:
    """Return the tranches and the whole book with values and standard errors."""
    whole = pd.DataFrame({"shares_m": table["shares_m"].sum()}, index=["all"])
    result = pd.concat([table.astype(float), whole])
    result.index.name = table.index.name
    result["usd_per_share"], result["standard_error_usd"] = usd, error_usd
    for column, from_usd in (("value_busd", usd), ("standard_error_busd", error_usd)):
        result[column] = from_usd * result["shares_m"] / 1e3
    return result
