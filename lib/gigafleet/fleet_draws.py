"""Draws of a fleet mix: every input that has a range varies, as scenarios of one mix.

What is asked for stands still, because it is the question: the work, which is counted against a gigawatt of the
reference at the values of all inputs, its kinds and their shares of time, the power there is, and the supply. What is
given in place of a figure in the data stands still, too.
"""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, deal, fleet_figures, fleet_inputs, fleet_views, power, uncertainty
from gigafleet.deal import ERROR, ERROR_RANGE
from gigafleet.distributions import ends, within_band
from gigafleet.errors import unknown
from gigafleet.tell import INPUT_NAMES

COMMON = 0.5  # share of the variance of an error of throughput that all work of an accelerator has in common
POWER = ("it_kw", "peak_pue", "annual_pue", "busy_share", "idle_share")
# Group of inputs -> the last word of their names; what is in no other is the last.
GROUPS = {
    "throughput": (ERROR,),
    "power and use": (*POWER, *(f"active_share_{phase}" for phase in power.PHASES)),
    "prices and capital": (),
}


def ranges(names: list[str], kinds: pd.DataFrame, regions: Iterable[str], **chosen) -> pd.DataFrame:
    """Return every input that is drawn, with its range.

    Parameters
    ----------
    names
        Short names of accelerators.
    kinds
        From :func:`gigafleet.fleet_inputs.workloads`.
    regions
        For electricity and carbon.
    chosen
        What stands at a number instead, as in :func:`gigafleet.fleet_figures.ranges`.

    Returns
    -------
    DataFrame
        As there, but what is a region's own is named ``<region> <input>``; and for every accelerator and kind of work
        ``<accelerator> <workload> throughput_error``, how far throughput is off, in units of its band (standard
        normal). Shares of time have no range here: they belong to the work that is asked for.
    """
    each = {region: fleet_figures.ranges(names, region, **chosen) for region in regions}
    own = [table.loc[list(fleet_figures.BY_REGION)].rename(index=f"{r} {{}}".format) for r, table in each.items()]
    known = next(iter(each.values())).drop(list(fleet_figures.BY_REGION))
    for phase in power.PHASES:
        known.loc[f"time_share_{phase}", ["low", "high"]] = known.loc[f"time_share_{phase}", "value"]
    errors = [error for name in names for error in _errors(name, kinds)]
    return pd.concat([known, *own, pd.DataFrame(ERROR_RANGE, index=errors)])


def _errors(name: str, kinds: pd.DataFrame) -> list[str]:
    """Return the names of an accelerator's errors of throughput."""
    return [f"{name} {kind} {ERROR}" for kind in kinds.index]


def correlations(names: list[str], kinds: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the rank correlations of inputs: those of the data, and between the errors of one accelerator such that
    the share :data:`COMMON` of their variance is common."""
    given = deal.correlations()
    pairs = {("annual_pue", "peak_pue"): given["annual_pue", "peak_pue"]}
    for name in names:
        errors = _errors(name, kinds)
        pairs |= {(f"{name} it_kw", error): given["it_kw", ERROR] for error in errors}
        pairs |= dict.fromkeys(combinations(errors, 2), 6 / np.pi * np.arcsin(COMMON / 2))
    return pairs


def group(name: str) -> str:
    """Return which of :data:`GROUPS` an input is in.

    >>> group("MI355X it_kw"), group("texas usd_per_mwh")
    ('power and use', 'prices and capital')
    """
    last = name.split()[-1]
    return next((key for key, members in GROUPS.items() if last in members), list(GROUPS)[-1])


def told(known: pd.DataFrame) -> pd.DataFrame:
    """Return the ranges of :func:`ranges` for readers, but for the errors of throughput and the shares of time.

    Returns
    -------
    DataFrame
        Indexed by input in words: ``value``; ``low`` and ``high``, the 90 % interval that is drawn, the same as the
        value where no range is known; ``unit``, ``kind``, ``source_id``, and ``group`` of :data:`GROUPS`.
    """
    words = INPUT_NAMES | {"rate": "cost of capital"}
    shown = [name for name in known.index if not name.endswith(ERROR) and not name.startswith("time_share")]
    table = known.loc[shown, ["unit", "kind", "source_id"]].join(ends(uncertainty.prepare(known.loc[shown])))
    of = [name.rpartition(" ") for name in shown]
    table["group"] = [group(name) for name in shown]
    return table.set_axis([f"{words[plain]} ({owner})" if owner else words[plain] for owner, _, plain in of])


def inputs(
    accelerators: list[str], n: int = 512, seed: int = 0, vary: Iterable[str] = tuple(GROUPS), **settings
) -> dict:
    """Return draws of the arguments of a mix along ``scenario``.

    Parameters
    ----------
    accelerators
        Names, as people write them.
    n, seed
        As :func:`gigafleet.uncertainty.sample`; the same seed gives the same draws, whatever varies.
    vary
        Groups of :data:`GROUPS` that vary; the inputs of the others stand at their values.
    settings
        As :func:`gigafleet.fleet_inputs.inputs`. What is given in place of a figure in the data stands still.

    Returns
    -------
    dict
        As there; ``throughput`` and what else varies with ``scenario``.

    Raises
    ------
    UnknownNameError, ValueError
        As there, for a group that is not known, or an n that is no power of two.
    """
    (found,) = _in_regions(accelerators, [settings], n, seed, vary)
    return found


def across(
    settings: dict,
    accelerators: list[str],
    capacity_gw: dict[str, float],
    n: int = 512,
    seed: int = 0,
    vary: Iterable[str] = tuple(GROUPS),
) -> dict:
    """Return draws of :func:`gigafleet.fleet_views.across`; electricity and carbon are drawn for each region.

    Arguments and errors as there and in :func:`inputs`.
    """
    each = [settings | {"region": region, "capacity_gw": gw} for region, gw in capacity_gw.items()]
    return fleet_views.joined(dict(zip(capacity_gw, _in_regions(accelerators, each, n, seed, vary), strict=True)))


def idle_kw(accelerators: list[str], n: int = 512, seed: int = 0, **settings) -> xr.DataArray:
    """Return draws of what an accelerator that is on and idle draws at the facility: those of :func:`inputs` with the
    same arguments. [kW]

    Arguments and errors as there. Dims accelerator and, where it is drawn, scenario; ``n=1`` gives the value.
    """
    names = list(dict.fromkeys(map(catalog.find, accelerators)))
    kinds = fleet_inputs.workloads(settings.get("workloads_on"), settings.get("training_share"))
    return fleet_figures.idle_kw(_values(_sampled(names, kinds, [settings], n, seed, GROUPS)), names)


def _in_regions(accelerators: list[str], settings: list[dict], n: int, seed: int, vary: Iterable[str]) -> list[dict]:
    """Return the draws of the arguments for settings that differ by region."""
    if wrong := [name for name in vary if name not in GROUPS]:
        raise unknown("group of inputs", wrong[0], GROUPS)
    if not settings:
        return []
    first = settings[0]
    kinds = fleet_inputs.workloads(first.get("workloads_on"), first.get("training_share"))
    done = first.get("done")
    if done is None:
        done = fleet_inputs.throughput([*accelerators, first.get("reference", fleet_inputs.REFERENCE)], kinds)
    starts = [fleet_inputs.inputs(accelerators, **one | {"done": done}) for one in settings]
    names = list(starts[0]["throughput"].indexes["accelerator"])
    drawn = _sampled(names, kinds, settings, n, seed, vary)
    reached = done.assign(tokens_per_s=_reached(drawn, names, kinds, done))
    found = []
    for start, one in zip(starts, settings, strict=True):
        region = one.get("region", "us")
        own = drawn.rename(columns={f"{region} {name}": name for name in fleet_figures.BY_REGION})
        more = {name: one[name] for name in ("owned", "software") if name in one}
        found.append(start | fleet_figures.figures(_values(own), names, kinds, reached, **more))
    return found


def _sampled(names, kinds, settings: list[dict], n: int, seed: int, vary: Iterable[str]) -> pd.DataFrame:
    """Return the samples of all inputs for settings that differ by region; what does not vary at its value."""
    chosen = {name: settings[0][name] for name in fleet_inputs.CHOSEN if name in settings[0]}
    known = ranges(names, kinds, [one.get("region", "us") for one in settings], **chosen)
    drawn = uncertainty.sample(known, n, seed, correlations(names, kinds))
    return drawn.assign(**known.loc[[name for name in known.index if group(name) not in vary], "value"])


def _values(drawn: pd.DataFrame) -> dict[str, object]:
    """Return the draws of every input but the errors: a number where they are all the same."""
    values = {name: drawn[name].to_numpy() for name in drawn if not name.endswith(ERROR)}
    index = {"scenario": pd.RangeIndex(len(drawn))}
    return {
        name: xr.DataArray(column, index, "scenario") if (column != column[0]).any() else column[0]
        for name, column in values.items()
    }


def _reached(drawn: pd.DataFrame, names: list[str], kinds: pd.DataFrame, done: xr.Dataset) -> xr.DataArray:
    """Return the draws of throughput from its bands; NaN where the work cannot be done. [tokens/s]"""
    columns = [error for name in names for error in _errors(name, kinds)]
    normal = drawn[columns].to_numpy().reshape(len(drawn), len(names), len(kinds))
    coords = {"scenario": pd.RangeIndex(len(drawn)), "accelerator": names, "workload": kinds.index}
    done = done.sel(accelerator=names)
    value = done["tokens_per_s"].where(done["tokens_per_s"] > 0)
    return within_band(value, done["low"], done["high"], xr.DataArray(normal, coords, list(coords)))
