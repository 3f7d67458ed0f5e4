"""What becomes of gigawatts that arrive: limits of supply and of sites hold them back, and age retires them.

Arithmetic on tables of dims (sample, quarter, generation). Nothing is lost: what is held back waits, and what was in
service and is not any more is retired.
"""

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet.errors import require, unknown

DIMS = ("sample", "quarter", "generation")
PER_YEAR = 4


def _each(name: str, value, table: xr.DataArray, **bounds) -> xr.DataArray:
    """Return a number, or numbers by generation, quarter or sample, over the dims of a table."""
    if isinstance(value, dict):
        for generation in value:
            if generation not in table.indexes["generation"]:
                raise unknown(f"generation in {name}", generation, table.indexes["generation"])
        start = pd.Series(np.inf, table.indexes["generation"])
        value = xr.DataArray(start.where(~start.index.isin(list(value)), start.index.map(value)).astype(float))
    require(name, value, **bounds)
    value = xr.DataArray(value)
    for dim in value.dims:
        if dim not in table.dims:
            raise unknown(f"dimension of {name}", dim, table.dims)
        if dim in value.coords and not value.indexes[dim].equals(table.indexes.get(dim, value.indexes[dim])):
            known, given = [list(map(str, x.indexes[dim])) for x in (table, value)]
            if strange := [label for label in given if label not in known]:
                raise unknown(f"{dim} in {name}", strange[0], known)
            raise ValueError(f"{name} lacks the {dim} {next(label for label in known if label not in given)!r}")
        if value.sizes[dim] != table.sizes[dim]:
            raise ValueError(f"{name} has {value.sizes[dim]} along {dim!r}, not {table.sizes[dim]}")
    return value + xr.zeros_like(table)


def limited(gigawatts: xr.DataArray, most_gw) -> xr.DataArray:
    """Return a schedule under a limit of supply; what it holds back comes later, as fast as the limit lets it.

    Parameters
    ----------
    gigawatts
        Of each quarter, dims (sample, quarter, generation). [GW]
    most_gw
        Most of a generation in a quarter: a number, generation -> number (those not named have no limit), or a
        DataArray over some of the dims. [GW]

    Returns
    -------
    DataArray
        Of the same dims [GW]. Its sum to any quarter is at most that of the schedule.
    """
    table = gigawatts.transpose(*DIMS)
    limit = _each("most_gw", most_gw, table, minimum=0).transpose(*DIMS).to_numpy()
    waiting, out = np.zeros(table.shape[::2]), np.empty(table.shape)
    for q, came in enumerate(table.to_numpy().transpose(1, 0, 2)):
        waiting = waiting + came
        out[:, q] = np.minimum(waiting, limit[:, q])
        waiting = waiting - out[:, q]
    return table.copy(data=out)


def delayed(gigawatts: xr.DataArray, years) -> xr.DataArray:
    """Return a schedule that comes later: what comes in a quarter comes evenly over it.

    Parameters
    ----------
    gigawatts
        Of each quarter, dims (sample, quarter, generation). [GW]
    years
        Delay, a number or a DataArray over sample. [years]
    """
    table = gigawatts.transpose(*DIMS)
    offset = _each("years", years, table, minimum=0).isel(quarter=0).transpose("sample", ...).to_numpy() * PER_YEAR
    samples, quarters, generations = table.shape
    whole = np.concatenate([np.zeros((samples, 1, generations)), np.cumsum(table.to_numpy(), axis=1)], axis=1)
    ends = np.stack([_at(whole, q - offset) for q in range(quarters + 1)], axis=1)
    return table.copy(data=np.diff(ends, axis=1))


def service(energized: xr.DataArray, life_years, site_gw=np.inf) -> xr.Dataset:
    """Return what is in service quarter by quarter.

    Parameters
    ----------
    energized
        Gigawatts that are ready for service in each quarter, dims (sample, quarter, generation), older generations
        first. [GW]
    life_years
        Years in service: a number, generation -> number, or a DataArray over sample or generation; at least a quarter.
        [years]
    site_gw
        Power of the sites at the end of each quarter, which must not fall: a number, or numbers by quarter or sample.
        What finds no room waits; older generations enter first. [GW]

    Returns
    -------
    Dataset
        Of the same dims [GW]: ``energized`` and ``retired`` of each quarter, ``in_service`` and ``waiting`` at its end,
        and ``average``, in service over the quarter on average.

    Notes
    -----
    What comes in a quarter comes evenly over it, and leaves as evenly: retired(t) is energized(t - life), cumulative,
    and ``in_service = energized - retired``, cumulative, to rounding.
    """
    table = energized.transpose(*DIMS)
    life = _each("life_years", life_years, table, minimum=1 / PER_YEAR).isel(quarter=0).transpose("sample", ...)
    offset = life.to_numpy() * PER_YEAR
    sites = np.minimum(_each("site_gw", site_gw, table, minimum=0).isel(generation=0), 1e6)
    sites = sites.transpose("sample", "quarter").to_numpy()
    if (np.diff(sites, axis=1) < 0).any():
        raise ValueError("site_gw must not fall from one quarter to the next: sites are not taken away")
    ready = np.cumsum(table.to_numpy(), axis=1)
    samples, quarters, generations = ready.shape
    came, gone = (np.zeros((samples, quarters + 1, generations)) for _ in range(2))
    for q in range(1, quarters + 1):
        gone[:, q] = _at(came, q - offset)
        room = sites[:, q - 1] - (came[:, q - 1] - gone[:, q]).sum(axis=1)
        for g in range(generations):
            enters = np.clip(room, 0, ready[:, q - 1, g] - came[:, q - 1, g])
            came[:, q, g] = came[:, q - 1, g] + enters
            room = room - enters
    inside = came - gone
    found = {
        "energized": np.diff(came, axis=1),
        "retired": np.diff(gone, axis=1),
        "in_service": inside[:, 1:],
        "waiting": ready - came[:, 1:],
        "average": (inside[:, 1:] + inside[:, :-1]) / 2,
    }
    return xr.Dataset({name: table.copy(data=values).assign_attrs(units="GW") for name, values in found.items()})


def _at(cumulative: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return cumulative amounts at places along their second axis, in between by straight line, 0 before the start."""
    low = np.floor(np.maximum(place, 0)).astype(int)[:, None]
    last = cumulative.shape[1] - 1
    below, above = (np.take_along_axis(cumulative, np.minimum(low + step, last), axis=1)[:, 0] for step in (0, 1))
    return below + (above - below) * np.maximum(place - low[:, 0], 0)
