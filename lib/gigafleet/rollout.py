"""The roll-out of a deal, quarter by quarter: gigawatts shipped, delivered and energized, by generation.

Public are the start (the second half of 2026), the gigawatts that bind and those of the whole deal. When the first
gigawatt is complete, how long the rest takes, the shape of the ramp, delay and slip are assumptions with ranges; the
ramp itself is in :mod:`gigafleet.ramp`. A million sampled schedules are one call.

Three clocks run behind one another: shipped (the vendor's revenue), delivered (the warrant's milestones) and energized
(work and power). Time is counted in years from July 1, 2026, the first day of 2026Q3.
"""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, uncertainty
from gigafleet.errors import require, unknown
from gigafleet.ramp import BOUNDS as RAMP_BOUNDS
from gigafleet.ramp import LIMIT, cumulative_gw, milestone_years

START_DATE = "2026-07-01"
FIRST_QUARTER = "2026Q3"
LAST_QUARTER = "2036Q4"
CLOCKS = ("shipped", "delivered", "energized")
GENERATIONS = ("MI455X", "MI500")  # the second is an assumption
FIRST_GENERATION_GW = 1.0  # public in each deal: the first gigawatt is of the MI450 series
CHUNK = 2**16  # samples that are worked on at a time

# Input -> (subject, quantity); a subject of None is the deal's own.
INPUTS = {
    "start_years": (None, "ramp_start_years"),
    "first_gw_years": (None, "first_gw_years"),
    "later_gw_years": (None, "later_gw_years"),
    "ramp_shape_ratio": ("instinct-rollout", "ramp_shape_ratio"),
    "delay_years": ("instinct-rollout", "delay_years"),
    "slip_share": ("instinct-rollout", "slip_share"),
    "next_generation_years": ("instinct-rollout", "next_generation_years"),
    "handover_years": ("instinct-rollout", "handover_years"),
    "delivery_lag_years": ("instinct-rollout", "delivery_lag_years"),
    "energized_lag_years": ("instinct-rollout", "energized_lag_years"),
    "go_on_share": (None, "go_on_share"),
}
BOUNDS = {
    **RAMP_BOUNDS,
    "next_generation_years": {"minimum": 0, "maximum": LIMIT},
    "handover_years": {"minimum": 0, "maximum": LIMIT},
    "delivery_lag_years": {"minimum": 0, "maximum": LIMIT},
    "energized_lag_years": {"minimum": 0, "maximum": LIMIT},
    "go_on_share": {"minimum": 0, "maximum": 1},
}
RAMP = ("start_years", "first_gw_years", "later_gw_years", "ramp_shape_ratio", "delay_years", "slip_share")


def quarters(end: str = LAST_QUARTER) -> list[str]:
    """Return the quarters from 2026Q3 to the last one asked for.

    >>> quarters("2027Q1")
    ['2026Q3', '2026Q4', '2027Q1']
    """
    match = re.fullmatch(r"(20\d\d)Q([1-4])", end) if isinstance(end, str) else None
    if not match or not FIRST_QUARTER <= end <= LAST_QUARTER:
        raise ValueError(f"end must be a quarter from {FIRST_QUARTER} to {LAST_QUARTER}, not {end!r}")
    return [str(quarter) for quarter in pd.period_range(FIRST_QUARTER, end, freq="Q")]


def deals() -> list[str]:
    """Return the deals that have a roll-out: those whose ramp is in the data."""
    return [name for name in catalog.deals() if catalog.has(name, "first_gw_years")]


def ranges(deal: str = "amd-openai") -> pd.DataFrame:
    """Return the inputs of a deal's roll-out with their ranges, as :func:`gigafleet.catalog.ranges` gives them."""
    name = catalog.deal(deal)["id"]
    if not catalog.has(name, "first_gw_years"):
        raise unknown("deal with a roll-out", deal, deals())
    return catalog.ranges({key: (subject or name, quantity) for key, (subject, quantity) in INPUTS.items()})


def draw(deal: str = "amd-openai", n: int = 1, seed: int = 0, **fixed: float) -> pd.DataFrame:
    """Return samples of the inputs of a deal's roll-out; ``n=1`` gives their values.

    Parameters
    ----------
    deal
        A deal of :func:`deals`.
    n
        Samples, a power of two.
    seed
        The same seed gives the same samples.
    fixed
        Inputs of :data:`INPUTS` that stand at a number instead.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the deal or input that is not known, or the number out of bounds.
    """
    known = ranges(deal)
    for name in fixed:
        if name not in INPUTS:
            raise unknown("input of a roll-out", name, INPUTS)
    return uncertainty.sample(known, n, seed).assign(**fixed).pipe(checked)


def checked(inputs: Mapping) -> Mapping:
    """Return the inputs of a roll-out if all are there and within :data:`BOUNDS`; else raise, naming the first."""
    for name in INPUTS:
        if name not in inputs:
            raise ValueError(f"inputs of a roll-out need a column {name!r}; they have {list(inputs)}")
        require(name, inputs[name], **BOUNDS[name])
    return inputs


def _ramp(inputs: Mapping) -> dict[str, np.ndarray]:
    """Return the inputs of the ramp, to broadcast against a column of times."""
    return {name: np.asarray(inputs[name], float) for name in RAMP}


def milestones(
    gw: np.ndarray, inputs: Mapping, capacity_gw: object, *, clock: str = "delivered", stop_gw: object = None
) -> np.ndarray:
    """Return when each milestone of a deal is reached, sample by sample.

    Parameters
    ----------
    gw
        Milestones, cumulative, of shape (milestones,). [GW]
    inputs
        Samples, as :func:`draw` gives them, or a dict of arrays.
    capacity_gw
        Capacity of the deal, a number or a column of samples. [GW]
    clock
        One of :data:`CLOCKS`.
    stop_gw
        Deliveries end with so many gigawatts, one number or one a sample; None for all of them. [GW]

    Returns
    -------
    array
        Of shape (samples, milestones), infinite where it is never reached. Years since July 1, 2026. [years]
    """
    gw = np.atleast_1d(np.asarray(gw, float))[:, None]
    capacity_gw = np.asarray(capacity_gw, float).T
    times = milestone_years(gw, capacity_gw, **_ramp(checked(inputs))) + _lag(inputs, clock)
    if stop_gw is None:
        return times.T
    require("stop_gw", stop_gw, minimum=0)
    return np.where(gw > np.asarray(stop_gw, float), np.inf, times).T


def _lag(inputs: Mapping, clock: str) -> object:
    """Return by how much a clock is behind the first, sample by sample. [years]"""
    if clock not in CLOCKS:
        raise unknown("clock", clock, CLOCKS)
    lags = ("delivery_lag_years", "energized_lag_years")[: CLOCKS.index(clock)]
    return sum(np.asarray(inputs[lag], float) for lag in lags)


def schedule(
    inputs: pd.DataFrame,
    capacity_gw: float,
    *,
    clock: str = "shipped",
    stop_gw: object = None,
    end: str = LAST_QUARTER,
) -> xr.DataArray:
    """Return the gigawatts of each quarter by generation.

    The generation that follows takes over linearly in the gigawatts that fall into its handover, so that the same
    gigawatt is of the same generation on every clock. The first gigawatt is of the first generation whatever the dates,
    and a delay of the deal delays the next generation by as much.

    Parameters
    ----------
    inputs
        Samples, as :func:`draw` gives them.
    capacity_gw
        Capacity of the deal. [GW]
    clock
        ``shipped``, ``delivered`` or ``energized``.
    stop_gw
        Deliveries end with so many gigawatts, one number or one a sample; None for all of them. [GW]
    end
        Last quarter, up to 2036Q4.

    Returns
    -------
    DataArray
        Of dims (sample, quarter, generation) [GW]. Sums over quarters and generations close: they are the cumulative
        gigawatts at the end of the last quarter.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the clock or quarter that is not known, or the input out of bounds.
    """
    names = quarters(end)
    edges = np.arange(len(names) + 1) / 4
    stops = np.broadcast_to(np.inf if stop_gw is None else np.asarray(stop_gw, float), len(inputs))
    require("stop_gw", stops, minimum=0)
    _lag(inputs.iloc[:1], clock)
    gigawatts = np.empty((len(inputs), len(names), len(GENERATIONS)))
    for i in range(0, len(inputs), CHUNK):
        rows = inputs.iloc[i : i + CHUNK]
        checked(rows)
        gigawatts[i : i + CHUNK] = between(rows, capacity_gw, edges, clock=clock, stop_gw=stops[i : i + CHUNK, None])
    coords = {"quarter": names, "generation": list(GENERATIONS)}
    attrs = {"units": "GW", "clock": clock}
    return xr.DataArray(gigawatts, coords, dims=("sample", "quarter", "generation"), name="gw", attrs=attrs)


def between(
    inputs: Mapping, capacity_gw: object, edges: np.ndarray, *, clock: str = "shipped", stop_gw: object = np.inf
) -> np.ndarray:
    """Return the gigawatts between dates, by generation, as :func:`schedule` has them by quarter.

    Parameters
    ----------
    inputs
        Samples, as :func:`draw` gives them, or a dict of arrays.
    capacity_gw
        Capacity of the deal, a number or a column of samples. [GW]
    edges
        Dates, rising, in years from July 1, 2026. [years]
    clock, stop_gw
        As in :func:`schedule`; ``stop_gw`` a number or a column of samples.

    Returns
    -------
    array
        Of shape (samples, edges less one, generations). [GW]
    """
    first = np.asarray(inputs["next_generation_years"], float) + np.asarray(inputs["delay_years"], float)
    dates = np.empty((len(edges) + 2, len(first)))  # one column a sample, which is quicker than one row
    dates[:-2] = np.asarray(edges, float)[:, None] - _lag(inputs, clock)
    dates[-2:] = first, first + np.asarray(inputs["handover_years"], float)
    capacity_gw, stops = np.asarray(capacity_gw, float).T, np.asarray(stop_gw, float).T
    total = np.minimum(cumulative_gw(dates, capacity_gw, **_ramp(inputs)), stops)
    total, opens, ends = total[:-2], np.minimum(np.maximum(total[-2], FIRST_GENERATION_GW), stops), total[-1]
    width = np.maximum(ends - opens, 0)
    beyond = total - opens
    inside = np.minimum(np.maximum(beyond, 0), width)
    newer = inside**2 / np.maximum(2 * width, 1e-300) + np.maximum(beyond - width, 0)
    by_generation = np.stack([total - newer, newer])
    return np.maximum(np.diff(by_generation, axis=1), 0).T  # below 0 are differences of rounding


def delivered_probability(gw: object, go_on_share: object, binding_gw: float) -> object:
    """Return the probability that the gigawatt that ends at ``gw`` is taken at all.

    Those that bind are certain. Each further gigawatt follows the one before with the same probability, so the k-th
    beyond those that bind has that probability to the power of k.

    Parameters
    ----------
    gw
        Cumulative capacity at which a gigawatt ends. [GW]
    go_on_share
        Probability of each further gigawatt, given the one before. [share]
    binding_gw
        Capacity that binds; 0 where none does. [GW]

    >>> delivered_probability(np.array([1, 2, 6]), 0.9, 1).round(4).tolist()
    [1.0, 0.9, 0.5905]
    """
    require("gw", gw, minimum=0)
    require("go_on_share", go_on_share, minimum=0, maximum=1)
    require("binding_gw", binding_gw, minimum=0)
    steps = np.ceil(np.maximum(np.asarray(gw, float) - binding_gw, 0) - 1e-9)
    return np.asarray(go_on_share, float) ** steps


def draw_stops(inputs: pd.DataFrame, capacity_gw: float, binding_gw: float, seed: int = 0) -> np.ndarray:
    """Return with how many gigawatts a buyer stops, drawn for each sample by :func:`delivered_probability`. [GW]"""
    chance = np.random.default_rng(seed).random(len(inputs))
    go_on = inputs["go_on_share"].to_numpy(float)
    with np.errstate(divide="ignore"):
        further = np.floor(np.log(chance) / np.log(np.minimum(go_on, 1 - 1e-15)))
    return np.minimum(binding_gw + np.where(go_on > 0, further, 0), capacity_gw)


def weights(inputs: pd.DataFrame, gigawatts: xr.DataArray, binding_gw: float) -> xr.DataArray:
    """Return the expected share of each quarter's gigawatts: the probability that they are taken, averaged over them.

    Parameters
    ----------
    inputs
        Samples, as :func:`draw` gives them.
    gigawatts
        From :func:`schedule`.
    binding_gw
        Capacity that binds. [GW]

    Returns
    -------
    DataArray
        Of dims (sample, quarter); 1 in a quarter without gigawatts.
    """
    total = gigawatts.sum("generation")
    ends = total.cumsum("quarter").to_numpy()
    share = inputs["go_on_share"].to_numpy(float)[:, None]
    expected = np.diff(expected_gw(ends, share, binding_gw), axis=1, prepend=0)
    ratio = np.divide(expected, total.to_numpy(), out=np.ones_like(expected), where=total.to_numpy() > 1e-12)
    return xr.DataArray(ratio, {"quarter": gigawatts["quarter"]}, dims=("sample", "quarter"))


def expected_gw(gw: np.ndarray, go_on_share: np.ndarray, binding_gw: float) -> np.ndarray:
    """Return the gigawatts to be expected of the first ``gw``: the integral of :func:`delivered_probability`. [GW]"""
    expected = np.minimum(gw, binding_gw)
    beyond = np.maximum(gw - binding_gw, 0)
    for step in range(int(np.ceil(beyond.max(initial=0) - 1e-9))):
        expected = expected + go_on_share ** (step + 1) * np.clip(beyond - step, 0, 1)
    return expected


def binding_gw(deal: str) -> float:
    """Return the capacity of a deal that binds; 0 where that is not public. [GW]"""
    return float(catalog.deal(deal)["public"]["binding_gw"] or 0)


def stack(schedules: dict[str, xr.DataArray]) -> xr.DataArray:
    """Return the schedules of several deals in one table, of dims (deal, sample, quarter, generation)."""
    if not schedules:
        raise ValueError("stack needs at least one schedule, not none")
    return xr.concat(list(schedules.values()), pd.Index(list(schedules), name="deal"))


def by_year(table: xr.DataArray) -> xr.DataArray:
    """Return the sums of the quarters of each calendar year, with dim ``year`` in place of ``quarter``."""
    years = table["quarter"].str.slice(0, 4).astype(int)
    return table.assign_coords(year=("quarter", years.to_numpy())).groupby("year").sum()
