"""The ramp of a deal: gigawatts over time, and the date of a gigawatt, both as closed forms.

The ramp is the distribution function of Kumaraswamy (Journal of Hydrology 46, 1980), g(x) = G (1 - (1 - x^a)^b), with
x the elapsed share of the time from the start to the last gigawatt. Its b is the shape (1 stops abruptly, more makes
more of an S); its a follows from the date of the first gigawatt.
"""

import numpy as np

from gigafleet.errors import require

LIMIT = 100  # of durations [years], and of what is a multiple; none is infinite
BOUNDS = {
    "start_years": {"minimum": 0, "maximum": LIMIT},
    "first_gw_years": {"above": 0, "maximum": LIMIT},
    "later_gw_years": {"above": 0, "maximum": LIMIT},
    "ramp_shape_ratio": {"minimum": 1, "maximum": LIMIT},
    "delay_years": {"maximum": LIMIT},
    "slip_share": {"above": -1, "maximum": LIMIT},
}
LARGEST_GW = 1e4  # more than all the power plants of the world


def _exponent(capacity_gw: object, first: object, total: object, shape: object) -> object:
    """Return the Kumaraswamy a that puts the first gigawatt at its date; 1 where the deal holds no more than one."""
    part = 1 / np.maximum(capacity_gw, 1.0)
    whole = part >= 1
    part, share = np.where(whole, 0.5, part), np.where(whole, 0.5, first / np.maximum(total, first))
    return np.where(whole, 1.0, np.log(-np.expm1(np.log1p(-part) / shape)) / np.log(share))


def _times(
    capacity_gw: object,
    start_years: object,
    first_gw_years: object,
    later_gw_years: object,
    delay_years: object,
    slip_share: object,
) -> tuple[object, object, object]:
    """Return the start, the time from it to the first gigawatt and the time from it to the last [years]."""
    for name, value in {
        "start_years": start_years,
        "first_gw_years": first_gw_years,
        "later_gw_years": later_gw_years,
        "delay_years": delay_years,
        "slip_share": slip_share,
    }.items():
        require(name, value, **BOUNDS[name])
    require("capacity_gw", capacity_gw, above=0, maximum=LARGEST_GW)
    first = first_gw_years + delay_years
    require("first_gw_years with delay_years", first, above=0)
    later = later_gw_years * (1 + slip_share)
    return start_years, first, np.where(np.asarray(capacity_gw) > 1, first + later, first)


def cumulative_gw(
    years: object,
    capacity_gw: object,
    *,
    start_years: object,
    first_gw_years: object,
    later_gw_years: object,
    ramp_shape_ratio: object,
    delay_years: object = 0.0,
    slip_share: object = 0.0,
) -> object:
    """Return the gigawatts shipped by a time.

    Parameters
    ----------
    years
        Time since July 1, 2026. [years]
    capacity_gw
        Capacity of the deal. A deal of one gigawatt or less is complete at ``first_gw_years``. [GW]
    start_years
        Time from July 1, 2026 to the start of the ramp. [years]
    first_gw_years
        Time from the start to the first gigawatt, as planned. [years]
    later_gw_years
        Time from the first to the last gigawatt, as planned. [years]
    ramp_shape_ratio
        At least 1; larger slows more toward the end. [ratio]
    delay_years
        Added to the first gigawatt and all after it. [years]
    slip_share
        By which the time after the first gigawatt grows. [share]

    Returns
    -------
    array
        All arguments broadcast. [GW]

    Raises
    ------
    ValueError
        Naming the argument out of bounds.

    >>> plan = {"start_years": 0.0, "first_gw_years": 1.0, "later_gw_years": 3.0, "ramp_shape_ratio": 1.6}
    >>> cumulative_gw([0.0, 1.0, 4.0, 9.0], 6.0, **plan).round(9).tolist()
    [0.0, 1.0, 6.0, 6.0]
    """
    require("ramp_shape_ratio", ramp_shape_ratio, **BOUNDS["ramp_shape_ratio"])
    start, first, total = _times(capacity_gw, start_years, first_gw_years, later_gw_years, delay_years, slip_share)
    a = _exponent(capacity_gw, first, total, ramp_shape_ratio)
    x = np.clip((np.asarray(years, float) - start) / total, 0, 1)
    return capacity_gw * (1 - (1 - x**a) ** ramp_shape_ratio)


def milestone_years(
    gw: object,
    capacity_gw: object,
    *,
    start_years: object,
    first_gw_years: object,
    later_gw_years: object,
    ramp_shape_ratio: object,
    delay_years: object = 0.0,
    slip_share: object = 0.0,
) -> object:
    """Return when so many gigawatts have been shipped: the inverse of :func:`cumulative_gw`.

    Parameters
    ----------
    gw
        Cumulative capacity. [GW]

    The other arguments and errors are those of :func:`cumulative_gw`.

    Returns
    -------
    array
        Time since July 1, 2026, infinite for more than the deal holds. [years]
    """
    require("gw", gw, minimum=0)
    require("ramp_shape_ratio", ramp_shape_ratio, **BOUNDS["ramp_shape_ratio"])
    start, first, total = _times(capacity_gw, start_years, first_gw_years, later_gw_years, delay_years, slip_share)
    a = _exponent(capacity_gw, first, total, ramp_shape_ratio)
    part = np.asarray(gw, float) / capacity_gw
    x = (1 - (1 - np.minimum(part, 1)) ** (1 / np.asarray(ramp_shape_ratio))) ** (1 / a)
    return np.where(part > 1, np.inf, start + total * x)
