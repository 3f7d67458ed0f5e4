"""Closed forms for shares that vest when a share price is reached.

The share follows a geometric Brownian motion with constant volatility, rate and dividend yield. A tranche that has
vested holds a call on the share, at a strike that is almost nothing for AMD's warrants. It is valued as held to expiry,
which is best where the share pays no dividend.

All functions take numbers, NumPy arrays, Series or DataArrays, broadcast them, and return the same type.

Sources: Reiner and Rubinstein, "Breaking down the barriers", Risk 4 (1991); Heynen and Kat, "Partial barrier options",
Journal of Financial Engineering 3 (1994); Haug, "The Complete Guide to Option Pricing Formulas" (2007). The bivariate
normal distribution comes from Owen's T function, Annals of Mathematical Statistics 27 (1956).
"""

import functools
import inspect
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, ndtr, owens_t

from gigafleet.errors import require
from gigafleet.warrant.readings import check_market, check_reading, watched_target

FAR = 40.0  # standard deviations beyond which a normal probability is 0 or 1
NEVER = 700.0  # the logarithm of a price that is not reached in any year
STEEP = 15.0  # exponent from which the reflected term is integrated instead, as its closed form loses digits
BLOCK = 2**14  # elements that are worked on at a time
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
PANELS = 24


def _typed(function: Callable) -> Callable:
    """Let a function of arrays take numbers, Series and DataArrays too, and return what it was given."""
    words = {"touch", "watched"}

    @functools.wraps(function)
    def wrapped(*args: object, **kwargs: object) -> object:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        values = bound.arguments
        numbers = {name: value for name, value in values.items() if name not in words}
        if any(type(value).__name__ == "DataArray" for value in numbers.values()):
            import xarray as xr

            arrays = xr.broadcast(*[xr.DataArray(value) for value in numbers.values()])
            result = function(**values | {n: a.to_numpy() for n, a in zip(numbers, arrays, strict=True)})
            return xr.DataArray(result, arrays[0].coords, arrays[0].dims)
        series = [value for value in numbers.values() if isinstance(value, pd.Series)]
        for other in series:
            if not other.index.equals(series[0].index):
                raise ValueError(f"{function.__name__} needs Series with one index, not {other.index[:3].tolist()} ...")
        result = _in_blocks(function, {name: np.asarray(value) for name, value in numbers.items()}, values)
        if series:
            return pd.Series(result, series[0].index)
        return float(result) if np.ndim(result) == 0 else result

    return wrapped


def _in_blocks(function: Callable, numbers: dict[str, np.ndarray], values: dict) -> object:
    """Call a function on large arrays block by block, which keeps its intermediate results in the processor's cache."""
    shape = np.broadcast_shapes(*[value.shape for value in numbers.values()])
    size = int(np.prod(shape))
    if size <= BLOCK:
        return function(**values | numbers)
    flat = {n: np.broadcast_to(x, shape).reshape(-1) if x.ndim else x for n, x in numbers.items()}
    result = np.empty(size)
    for start in range(0, size, BLOCK):
        part = {name: x[start : start + BLOCK] if x.ndim else x for name, x in flat.items()}
        result[start : start + BLOCK] = function(**values | part)
    return result.reshape(shape)


def _scaled(exponent: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """Return exp(exponent) times the normal distribution at x, or its difference between x and y; the factors may be
    huge and tiny."""
    if np.max(exponent, initial=0) < 30:
        return np.exp(exponent) * (ndtr(x) if y is None else ndtr(x) - ndtr(y))
    first = np.exp(exponent + log_ndtr(x))
    return first if y is None else first - np.exp(exponent + log_ndtr(y))


def _both_below(x: np.ndarray, y: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Return the probability that two correlated standard normals lie below x and y."""
    x, y = np.clip(x, -FAR, FAR), np.clip(y, -FAR, FAR)
    x, y = np.where(x == 0, 1e-300, x), np.where(y == 0, 1e-300, y)
    root = np.sqrt((1 - correlation) * (1 + correlation))
    total = (ndtr(x) + ndtr(y)) / 2 - owens_t(x, (y - correlation * x) / (x * root))
    total -= owens_t(y, (x - correlation * y) / (y * root))
    return np.clip(total - np.where(x * y < 0, 0.5, 0.0), 0, 1)


def _touches(high: np.ndarray, low: np.ndarray, drift: np.ndarray, sigma: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Return the probability that a Brownian motion reaches ``high`` and ends above ``low``, which is not above it.

    The motion begins at 0 with the given drift. Volatility and years are above 0.
    """
    spread, moved = sigma * np.sqrt(years), drift * years
    beyond = ndtr((moved - high) / spread)
    back = _scaled(2 * drift * high / sigma**2, (-high - moved) / spread, (low - 2 * high - moved) / spread)
    return beyond + np.maximum(back, 0)


def _stays_below(
    high: np.ndarray,
    low: np.ndarray,
    drift: np.ndarray,
    sigma: np.ndarray,
    start: np.ndarray,
    years: np.ndarray,
    first_high: np.ndarray | None = None,
) -> np.ndarray:
    """Return the probability that a Brownian motion stays below ``high`` from ``start`` on, and ends above ``low``.

    As :func:`_touches`; start is from 0 to years. At the start itself it stays below ``first_high``, if given.
    """
    first_high = high if first_high is None else first_high
    low = np.minimum(low, high)
    spread = sigma * np.sqrt(years)
    above = ndtr((drift * years - low) / spread)
    at_once = np.where(high > 0, np.clip(above - _touches(high, low, drift, sigma, years), 0, 1), 0)
    if not np.any(start > 0):
        return at_once
    tilt = 2 * drift * high / sigma**2
    end = (high - drift * years) / spread, (low - drift * years) / spread
    mirrored = (-high - drift * years) / spread, (low - 2 * high - drift * years) / spread
    first = np.where(start > 0, start, years / 2)  # a stand-in where the answer is at_once
    correlation = np.minimum(np.sqrt(first / years), 1 - 1e-12)
    here, back = ((first_high - sign * drift * first) / (sigma * np.sqrt(first)) for sign in (1, -1))
    direct = _both_below(here, end[0], correlation) - _both_below(here, end[1], correlation)
    with np.errstate(over="ignore", invalid="ignore"):
        turned = _both_below(back, mirrored[0], -correlation) - _both_below(back, mirrored[1], -correlation)
        later = direct - np.exp(tilt) * turned
    later = np.clip(later, 0, 1)
    steep = tilt > STEEP
    if np.any(steep):
        later = np.where(steep, _integrated(high, low, drift, sigma, first, years, first_high), later)
    return np.where(start > 0, later, at_once)


def _integrated(
    high: np.ndarray,
    low: np.ndarray,
    drift: np.ndarray,
    sigma: np.ndarray,
    start: np.ndarray,
    years: np.ndarray,
    first_high: np.ndarray,
) -> np.ndarray:
    """Return :func:`_stays_below` by Gauss-Legendre panels over where the motion is at ``start``, split at ``low``."""
    root = sigma * np.sqrt(start)
    rest = np.maximum(years - start, 1e-12 * years)
    top = np.clip((first_high - drift * start) / root, -9, 9)
    kink = np.clip((low - drift * years) / root, -9, top)
    steps = (np.arange(PANELS)[:, None] + (NODES + 1) / 2).ravel() / PANELS
    # Both ends of a stretch may hold a step that is as narrow as the time left: the nodes crowd there.
    steps, weights = steps**2 * (3 - 2 * steps), np.tile(WEIGHTS / 2, PANELS) / PANELS * 6 * steps * (1 - steps)
    total = np.zeros(np.broadcast_shapes(high.shape, top.shape, kink.shape))
    for begin, end in ((np.full_like(top, -9.0), kink), (kink, top)):
        for step, weight in zip(steps, weights, strict=True):
            z = begin + step * (end - begin)
            x = drift * start + z * root
            inside = _stays_below(high - x, low - x, drift, sigma, np.zeros_like(x), rest)
            total += weight * (end - begin) * inside * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return total


@_typed
def call(
    spot: object, strike: object, volatility: object, rate: object, years: object, dividend_yield: object = 0.0
) -> object:
    """Return the value of a European call (Black, Scholes and Merton).

    Parameters
    ----------
    spot, strike
        Price of the share; price at which it may be bought. [USD]
    volatility
        In a year. [share]
    rate, dividend_yield
        Continuous. [share/year]
    years
        To expiry. [years]

    Returns
    -------
    float, array, Series or DataArray
        [USD]

    Raises
    ------
    ValueError
        Naming the figure out of bounds.

    >>> round(call(60.0, 65.0, 0.30, 0.08, 0.25), 4)
    2.1334
    """
    check_market(spot, volatility, rate, years, dividend_yield)
    require("strike", strike, minimum=0)
    spread = np.maximum(volatility * np.sqrt(years), 1e-12)
    with np.errstate(divide="ignore", over="ignore"):
        d1 = (np.log(spot / strike) + (rate - dividend_yield) * years) / spread + spread / 2
    share = spot * np.exp(-dividend_yield * years) * ndtr(d1)
    return share - strike * np.exp(-rate * years) * ndtr(d1 - spread)


@_typed
def touch_probability(spot: object, target: object, drift: object, volatility: object, years: object) -> object:
    """Return the probability that a share price reaches a target within a time.

    Parameters
    ----------
    spot, target
        [USD]
    drift
        Expected growth of the price: the rate less the dividend yield under the risk-neutral measure, an assumption
        under the physical one. [share/year]
    volatility
        In a year. [share]
    years
        [years]

    Returns
    -------
    float, array, Series or DataArray
        1 where the target is not above the spot.

    >>> round(touch_probability(164.67, 600.0, 0.037, 0.55, 5.0), 6)
    0.169708
    """
    check_market(spot, volatility, drift, years, 0.0)
    require("target", target, minimum=0)
    sigma, span = np.maximum(volatility, 1e-9), np.maximum(years, 1e-12)
    with np.errstate(divide="ignore"):
        high = np.log(target / spot)
    return np.where(high > 0, _touches(np.maximum(high, 0), -NEVER, drift - sigma**2 / 2, sigma, span), 1.0)


@_typed
def one_touch_share(
    spot: object, target: object, volatility: object, rate: object, years: object, dividend_yield: object = 0.0
) -> object:
    """Return the value of one share that is received when its price reaches a target within a time.

    Parameters
    ----------
    spot, target
        [USD]
    volatility
        In a year. [share]
    rate, dividend_yield
        Continuous. With a dividend yield, a share at the touch and a share at expiry differ. [share/year]
    years
        [years]

    Returns
    -------
    float, array, Series or DataArray
        ``target`` times the expectation of exp(-rate x time of the touch): an asset-at-hit option (Rubinstein and
        Reiner, "Unscrambling the binary code", Risk 4, 1991). The spot where the target is not above it. [USD]

    Raises
    ------
    ValueError
        Naming the figure out of bounds; or if a negative rate leaves the expectation infinite in the formula.

    >>> round(one_touch_share(203.71, 600.0, 0.55, 0.037, 5.0), 4)
    131.8574
    """
    check_market(spot, volatility, rate, years, dividend_yield)
    require("target", target, minimum=0)
    sigma, span = np.maximum(volatility, 1e-6), np.maximum(years, 1e-12)
    met = target <= spot
    high = np.log(np.where(met, 1.0, target / spot))
    nu = (rate - dividend_yield) / sigma**2 - 0.5
    square = nu**2 + 2 * rate / sigma**2
    require("(rate - dividend_yield - volatility^2/2)^2 + 2 rate volatility^2", square, minimum=0)
    root, spread = np.sqrt(square), sigma * np.sqrt(span)
    slope = root * sigma**2 * span
    with np.errstate(over="ignore"):
        near = _scaled(high * (nu - root), (slope - high) / spread)
        value = target * (near + _scaled(high * (nu + root), (-slope - high) / spread))
    return np.where(met, spot, value)


@_typed
def tranche_value(
    spot: object,
    target: object,
    volatility: object,
    rate: object,
    years: object,
    *,
    strike: object = 0.0,
    milestone_years: object = 0.0,
    dividend_yield: object = 0.0,
    touch: str = "ever",
    watched: str = "intraday",
    reached: object = False,
) -> object:
    """Return the value of one warrant share of a tranche that vests with a delivery and a share price.

    The delivery's date is known, or independent of the share price: average over its dates then.

    Parameters
    ----------
    spot, target
        Price of the share; price to be reached, 0 for none. [USD]
    volatility
        In a year. [share]
    rate, dividend_yield
        Continuous. [share/year]
    years
        To expiry. [years]
    strike
        [USD]
    milestone_years
        Time to the delivery; infinite if it never comes, 0 or less if it has come. [years]
    touch
        What counts: see :data:`gigafleet.warrant.readings.TOUCHES`.
    watched
        ``intraday`` or ``close``: see :data:`gigafleet.warrant.readings.WATCHES`. The shift for closes is an
        approximation. On the day of the milestone the price is looked at once, against the target as it is.
    reached
        Whether the target was reached before today; it counts for ``ever``, and for ``from_milestone`` once the
        milestone has passed. A spot at or above the target has reached it.

    Returns
    -------
    float, array, Series or DataArray
        0 where the milestone comes after expiry. [USD]

    Raises
    ------
    UnknownNameError, ValueError
        Naming the reading that is not known, or the figure out of bounds.

    >>> round(tranche_value(164.67, 300.0, 0.55, 0.037, 5.0, strike=0.01), 4)
    136.8455
    """
    check_reading(touch, watched, ("intraday", "close"))
    check_market(spot, volatility, rate, years, dividend_yield)
    require("target", target, minimum=0)
    require("strike", strike, minimum=0)
    require("milestone_years", milestone_years)
    if np.asarray(reached).dtype != bool:
        raise ValueError(f"reached must be True or False, not {reached!r}")
    arrays = (spot, target, volatility, rate, years, strike, milestone_years, dividend_yield, reached)
    spot, target, volatility, rate, years, strike, milestone, dividend_yield, reached = np.broadcast_arrays(*arrays)
    span, sigma = np.maximum(years, 1e-12), np.maximum(volatility, 1e-9)
    start = np.zeros(spot.shape) if touch == "ever" else np.clip(milestone, 0, span)
    met = (spot >= target) | (np.asarray(reached, bool) & (touch != "at_milestone"))
    met &= start == 0
    levels = target, strike, target if touch == "at_milestone" else watched_target(target, volatility, watched)
    with np.errstate(divide="ignore", over="ignore"):
        first_high, low, high = (np.clip(np.log(level / spot), -NEVER, NEVER) for level in levels)
    plain, parts = met | ((low > high) & (start == 0) & (touch != "at_milestone")), []
    for half in (0.5, -0.5):  # the measure of the share, that of money
        drift = rate - dividend_yield + half * sigma**2
        if touch == "at_milestone":
            vests = _above_at(high, low, drift, sigma, start, span)
        elif np.any(start > 0):
            ends = ndtr((drift * span - low) / (sigma * np.sqrt(span)))
            vests = np.maximum(ends - _stays_below(high, low, drift, sigma, start, span, first_high), 0)
        else:
            vests = 0.0 if np.all(plain) else _touches(high, low, drift, sigma, span)
        if np.any(plain):
            ends = ndtr((drift * span - low) / (sigma * np.sqrt(span)))
            vests = np.where(plain, ends, vests)
        parts.append(vests)
    value = spot * np.exp(-dividend_yield * span) * parts[0] - strike * np.exp(-rate * span) * parts[1]
    return np.where(milestone <= years, np.maximum(value, 0), 0.0)


def _above_at(
    high: np.ndarray, low: np.ndarray, drift: np.ndarray, sigma: np.ndarray, start: np.ndarray, years: np.ndarray
) -> np.ndarray:
    """Return the probability that a Brownian motion is at or above ``high`` at ``start``, and ends above ``low``."""
    first = np.where(start > 0, start, years / 2)
    at_start = (drift * first - high) / (sigma * np.sqrt(first))
    at_end = (drift * years - low) / (sigma * np.sqrt(years))
    both = _both_below(at_start, at_end, np.minimum(np.sqrt(first / years), 1 - 1e-12))
    return np.where(start > 0, both, (high <= 0) * ndtr(at_end))
