"""Answers about a fleet mix as tables: its worth, the frontier, prices of limits, and break-evens."""

import functools
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, fleet, fleet_inputs, fleet_problem
from gigafleet.errors import require
from gigafleet.tell import number

DROPPED = 0.005  # share of the fleet's power below which a generation counts as out of the mix
MW_PER_KW = 1e-3
# Objective -> unit of its yearly amount, and how much of that one of the objective is; of the most work, as it stands.
YEARLY = {"energy": ("MWh a year", 8.76), "cost": ("USD a year", 8760), "carbon": ("t a year", 8.76)}
# Limit -> unit that its price is told for, and how many units of the limit that is.
PER = {"demand": ("token/s", 1), "power": ("MW", 1000), "supply": ("accelerator", 1), "budget": ("million USD", 1e6)}


def shares(mix: fleet.Mix, provisioned_kw: xr.DataArray) -> xr.DataArray:
    """Return the share of the provisioned power of a mix that every accelerator takes, dims scenario, accelerator."""
    used = mix.assignment * provisioned_kw
    used = used.sum([dim for dim in used.dims if dim not in ("scenario", "accelerator")], skipna=False)
    return used / used.sum("accelerator", skipna=False)


def who_does_what(mix: fleet.Mix, arguments: dict, scenario=None) -> pd.DataFrame:
    """Return the share of every kind of work that each accelerator does. [%]"""
    chosen = mix.assignment.isel(scenario=0) if scenario is None else mix.assignment.sel(scenario=scenario)
    done = chosen * arguments["throughput"].fillna(0)
    return (100 * done / done.sum("accelerator")).to_pandas().round(6)


def compare(arguments: dict, objective: str = "energy", bought: pd.Series | xr.DataArray | None = None) -> pd.DataFrame:
    """Return the best mix beside what else could be done.

    Parameters
    ----------
    arguments
        From :func:`gigafleet.fleet_inputs.inputs`.
    objective
        ``energy``, ``cost`` or ``carbon``.
    bought
        Full cost of accelerators of which some are owned: what goes beyond the supply of these is bought at it [USD/h].
        By accelerator, with ``scenario`` where it is drawn. Without it every accelerator beyond the supply costs what
        those within cost.

    Returns
    -------
    DataFrame
        Rows: the mix; the mix without limits of supply; every accelerator alone, without limits of supply; an even
        split of power among the accelerators that there are, without limits of supply. Columns: ``energy`` [MW],
        ``cost`` [USD/h], ``carbon`` [t/h], ``power`` [MW], ``accelerators`` and ``supply``: whether the supply there is
        would be enough. NaN where the work cannot be done.
    """
    supply = arguments["supply"]
    rows = {label: _row(case, objective, supply) for label, case in cases(arguments, bought).items()}
    table = pd.DataFrame(rows).T
    return table.astype(dict.fromkeys(table.columns.drop("supply"), float))


def cases(arguments: dict, bought: pd.Series | xr.DataArray | None = None) -> dict[str, dict]:
    """Return the arguments of the mix and of what else could be done, by the rows of :func:`compare`."""
    supply = arguments["supply"]
    names = list(arguments["throughput"].indexes["accelerator"])
    free = _free(arguments, bought)
    labels = list(free["throughput"].indexes["accelerator"])
    found = {"the mix": arguments, "without limits of supply": free}
    for name in names:
        own = [label.split(",")[0] == name for label in labels]
        found[f"{name} alone"] = free | {"supply": free["supply"].where(own, 0.0)}
    there = [name for name in names if supply.sel(accelerator=name).item() > 0]
    even = pd.Series(1 / len(there) - 1e-9, pd.Index(there, name="vendor"))
    found["an even split of power"] = free | {
        "least_shares": even,
        "vendors": {label: label.split(",")[0] for label in labels},
    }
    return found


def _free(arguments: dict, bought: pd.Series | xr.DataArray | None) -> dict:
    """Return the arguments without limits of supply; what goes beyond it is a further accelerator at its full cost."""
    names = list(arguments["throughput"].indexes["accelerator"])
    if bought is None:
        return arguments | {"supply": xr.full_like(arguments["supply"], np.inf)}
    labels = [f"{name}, bought" for name in names]
    full = (bought if isinstance(bought, xr.DataArray) else bought.rename_axis("accelerator").to_xarray()).astype(float)
    out = {}
    for key, value in arguments.items():
        if not isinstance(value, xr.DataArray) or "accelerator" not in value.dims:
            out[key] = value
            continue
        more = value.assign_coords(accelerator=labels)
        if key == "supply":
            more = xr.full_like(more, np.inf)
        elif key == "cost_usd_per_h":
            more = full.sel(accelerator=names).assign_coords(accelerator=labels)
        out[key] = xr.concat([value, more], "accelerator")
    return out


def _row(case: dict, objective: str, supply: xr.DataArray) -> dict:
    """Return the totals of a mix; NaN where there is none."""
    try:
        mix = fleet.optimize(**case, objective=objective)
    except fleet.InfeasibleError:
        return dict.fromkeys(("energy", "cost", "carbon", "power", "accelerators", "supply"), np.nan)
    owned = mix.assignment.sum("workload").isel(scenario=0).to_series()
    owned = owned.groupby([label.split(",")[0] for label in owned.index]).sum()
    there = supply.to_series()[owned.index]
    totals = {name: mix.totals[name].item() for name in ("energy", "cost", "carbon", "power")}
    return {
        "energy": totals["energy"] * MW_PER_KW,
        "cost": totals["cost"],
        "carbon": totals["carbon"] * 1e-3,
        "power": totals["power"] * MW_PER_KW,
        "accelerators": owned.sum(),
        "supply": bool((owned <= there * (1 + 1e-6) + 1e-6).all()),
    }


def frontier(arguments: dict, one: str = "energy", other: str = "cost", points: int = 21) -> pd.DataFrame:
    """Return the trade of one objective against another: the least of the second for every limit on the first.

    Parameters
    ----------
    arguments
        From :func:`gigafleet.fleet_inputs.inputs`.
    one, other
        Two of ``energy``, ``cost`` and ``carbon``.
    points
        Points from the least of the first to where a further rise no longer lowers the second.

    Returns
    -------
    DataFrame
        Indexed by the first total, the column of the second, in the units of :class:`gigafleet.fleet.Mix`, and the
        share of the power that each accelerator takes.
    """
    require("points", points, minimum=2)
    low = fleet.optimize(**arguments, objective=one).totals[one].item()
    high = fleet.optimize(**arguments, objective=other).totals[one].item()
    grid = pd.Index(np.linspace(low * (1 + 1e-9), max(high, low * (1 + 1e-6)), points), name="scenario")
    caps = xr.DataArray(grid.to_numpy(), {"scenario": grid}, "scenario")
    mix = fleet.optimize(**arguments, objective=other, limits={one: caps})
    table = pd.DataFrame(
        {other: mix.totals[other].to_pandas().to_numpy()}, pd.Index(mix.totals[one].to_numpy(), name=one)
    )
    parts = shares(mix, arguments["provisioned_kw"]).transpose("scenario", "accelerator").to_pandas()
    return table.join(parts.set_axis(table.index))


def prices(mix: fleet.Mix) -> pd.DataFrame:
    """Return what one more of each limit would gain, by limit and label.

    Returns
    -------
    DataFrame
        Columns ``limit``, ``of`` (workload or accelerator), ``gain`` (how much the objective falls, or the work rises,
        for one more unit of the limit; for demand how much it rises) and ``unit``, such as MWh a year per MW. Limits
        that do not bind are left out.
    """
    one = gains(mix).iloc[0]
    one = one[one.abs() > 1e-12]
    return one.rename("gain").reset_index()[["limit", "of", "gain", "unit"]]


def gains(mix: fleet.Mix) -> pd.DataFrame:
    """Return what one more of each limit would gain, for every scenario.

    Returns
    -------
    DataFrame
        Indexed by scenario, columns ``limit``, ``of``, ``unit``; as :func:`prices`, limits that do not bind at 0. NaN
        where there is no solution.
    """
    columns, (amount, times) = {}, yearly(mix)
    sign = 1.0 if mix.objective.attrs["units"] == fleet_problem.OBJECTIVES["work"] else -1.0
    for name, price in mix.shadow_prices.data_vars.items():
        if name == "demand" and sign > 0:
            continue
        unit, size = PER[name]
        table = price.transpose("scenario", ...).to_pandas()
        table = table.to_frame("") if isinstance(table, pd.Series) else table
        for label in table:
            gain = (1.0 if name == "demand" else sign) * times * size
            columns[name, label, f"{amount} per {unit}"] = gain * table[label]
    return pd.DataFrame(columns).rename_axis(columns=["limit", "of", "unit"])


def in_words(found: pd.DataFrame) -> str:
    """Return the largest price of every limit in a sentence each; ``found`` as :func:`prices` gives it, ``of`` in
    words, with the ends of an interval as ``range`` where there is one."""
    verbs = {"demand": "takes", "supply": "saves", "power": "saves", "budget": "saves"}
    said = []
    for limit, rows in found.groupby("limit", sort=False):
        top = rows.loc[rows["gain"].idxmax()]
        amount, _, unit = top["unit"].partition(" per ")
        what = {"demand": f"{unit} of {top['of'].lower()}", "supply": top["of"]}.get(limit, unit)
        within = f" ({top['range']})" if "range" in top else ""
        said.append(f"One more {what} {verbs[limit]} {number(top['gain'])}{within} {amount}.")
    return " ".join(said)


def yearly(mix: fleet.Mix) -> tuple[str, float]:
    """Return the unit of a mix's objective by year, and how much of it one of the objective is."""
    unit = mix.objective.attrs["units"]
    return next((YEARLY[k] for k in YEARLY if fleet_problem.OBJECTIVES[k] == unit), (unit, 1.0))


def across(settings: dict, accelerators: list[str], capacity_gw: dict[str, float]) -> dict:
    """Return the arguments of a mix over several regions: the work may be done in any, at the region's electricity and
    carbon.

    Parameters
    ----------
    settings
        Arguments of :func:`gigafleet.fleet_inputs.inputs` that serve all regions.
    accelerators
        Names, as people write them.
    capacity_gw
        Region -> power of its sites in the hottest hour. [GW]
    """
    cases = {r: settings | {"region": r, "capacity_gw": gw} for r, gw in capacity_gw.items()}
    return joined({r: fleet_inputs.inputs(accelerators, **case) for r, case in cases.items()})


def joined(cases: dict[str, dict]) -> dict:
    """Return the arguments of a mix over several regions from those of each; they differ in cost, carbon and power."""
    if not cases:
        raise ValueError("capacity_gw must name at least one region")
    index, out = pd.Index(list(cases), name="region"), dict(next(iter(cases.values())))
    for name in ("cost_usd_per_h", "carbon_kg_per_kwh", "power_cap_kw"):
        out[name] = xr.concat(xr.broadcast(*(xr.DataArray(one[name]) for one in cases.values())), index)
    return out


def sweep(settings: Iterable[dict], labels: Iterable, accelerators: list[str], objective: str = "cost") -> pd.DataFrame:
    """Return the share of power of each accelerator in the best mix, for one setting after another, in one solve.

    Parameters
    ----------
    settings
        Arguments of :func:`gigafleet.fleet_inputs.inputs`, one a scenario.
    labels
        What to call the scenarios.
    accelerators
        Names, as people write them.
    objective
        As in :func:`gigafleet.fleet.optimize`.

    Returns
    -------
    DataFrame
        Indexed by label, a column an accelerator; NaN where there is no mix.
    """
    return _shares(stacked([fleet_inputs.inputs(accelerators, **one) for one in settings], labels), objective)


def _shares(arguments: dict, objective: str) -> pd.DataFrame:
    """Return the share of power of each accelerator in the best mixes, one row a scenario."""
    mix = fleet.optimize(**arguments, objective=objective)
    return shares(mix, arguments["provisioned_kw"]).transpose("scenario", "accelerator").to_pandas()


def stacked(cases: list[dict], labels: Iterable) -> dict:
    """Return the arguments of several mixes as scenarios of one."""
    index = pd.Index(list(labels), name="scenario")
    out = {}
    for name, first in cases[0].items():
        if first is None:
            out[name] = None
            continue
        values = [one[name] if isinstance(one[name], xr.DataArray) else xr.DataArray(float(one[name])) for one in cases]
        out[name] = xr.concat(values, index)
    return out


RANGES = {
    "price of electricity [USD/MWh]": ("usd_per_mwh", (10.0, 30.0, 100.0, 200.0, 400.0, 700.0, 1000.0, 2000.0)),
    "annual PUE": ("annual_pue", (1.05, 1.15, 1.3, 1.5, 2.0)),
    "share of time under load": ("busy_share", (0.3, 0.4, 0.5, 0.65, 0.8, 0.9, 1.0)),
    "throughput over its prediction": ("software", (0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)),
}


def break_evens(settings: dict, accelerators: list[str], of: str, objective: str = "cost") -> pd.DataFrame:
    """Return where accelerators leave the best mix, or enter it, as one input after another moves.

    Parameters
    ----------
    settings
        Arguments of :func:`gigafleet.fleet_inputs.inputs` that stay.
    accelerators
        Names, as people write them.
    of
        Accelerator whose throughput moves.
    objective
        As in :func:`gigafleet.fleet.optimize`.

    Returns
    -------
    DataFrame
        Indexed by input of :data:`RANGES`: ``range``; for every accelerator its share of power from one end to the
        other [%] and ``<name> enters or leaves at``, NaN where it does neither.
    """
    rows = {}
    for name, (key, values) in RANGES.items():
        along = functools.partial(_along, settings, key, of=of, accelerators=accelerators, objective=objective)
        table = along(values)
        ends = (100 * table.iloc[[0, -1]]).round().astype(int).astype(str).agg(" to ".join)
        at = {n: _refined(along, table[n]) for n in table}
        label = f"{of}'s {name}" if key == "software" else name
        rows[label] = {"range": f"{values[0]:g} to {values[-1]:g}"}
        rows[label] |= {k: v for n in table for k, v in ((n, ends[n]), (f"{n} enters or leaves at", at[n]))}
    return pd.DataFrame(rows).T


def _along(
    settings: dict, key: str, values: Iterable[float], of: str, accelerators: list[str], objective: str
) -> pd.DataFrame:
    """Return :func:`sweep` of one input, or of the throughput of an accelerator over its prediction."""
    moved = xr.DataArray(list(values), {"scenario": list(values)}, "scenario")
    if key != "software":
        return _shares(fleet_inputs.inputs(accelerators, **settings | {key: moved}), objective)
    of, factors = catalog.find(of), settings.get("software") or {}
    others = {name: factor for name, factor in factors.items() if catalog.find(name) != of}
    arguments = fleet_inputs.inputs(accelerators, **settings | {"software": others})
    rate = arguments["throughput"]
    return _shares(arguments | {"throughput": rate * moved.where(rate["accelerator"] == of, 1.0)}, objective)


def _refined(along: Callable[[Iterable[float]], pd.DataFrame], share: pd.Series) -> float:
    """Return where an accelerator leaves the mix or enters it, from finer settings around the step in which it does."""
    inside = (share > DROPPED).to_numpy()
    changes = np.flatnonzero(inside[1:] != inside[:-1])
    if not len(changes):
        return np.nan
    values = np.linspace(*share.index[changes[0] : changes[0] + 2], 33)
    return drops_out(along(values))[share.name]


def drops_out(table: pd.DataFrame) -> pd.Series:
    """Return where each accelerator leaves the mix along a sweep of numbers, or enters it: the middle between the two
    settings; NaN where it stays in or out."""
    inside = table > DROPPED
    found = {}
    for name in table:
        changes = np.flatnonzero(inside[name].to_numpy()[1:] != inside[name].to_numpy()[:-1])
        found[name] = np.mean(table.index[changes[0] : changes[0] + 2]) if len(changes) else np.nan
    return pd.Series(found)
