"""What a fleet mix needs, from the other models: the work to be done, what each accelerator does of it, its power and
its cost.

Nobody publishes what a buyer's accelerators do. Work is therefore counted against a reference: one unit is what a
gigawatt of the reference accelerator does in a year when it spends its busy time as ``data/workloads.csv`` says.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import active_power, catalog, comparison, cost, performance, power, serving
from gigafleet.architectures import llms
from gigafleet.errors import require, unknown
from gigafleet.tables import resource

REFERENCE = "MI355X"
REQUESTS = 16.0  # prompts that are read at once


def workloads(chosen: Iterable[str] | None = None, training_share: float | None = None) -> pd.DataFrame:
    """Return the kinds of work, indexed by ``workload``, with time shares that add up to one.

    Parameters
    ----------
    chosen
        Workloads; those that are on by default if None.
    training_share
        Share of busy time that training takes, the rest in the same proportions; as in the data if None.

    Raises
    ------
    UnknownNameError
        With the workloads there are.
    """
    table = resource("workloads").set_index("workload")
    names = list(table.index[table["on"]]) if chosen is None else list(dict.fromkeys(chosen))
    for name in names:
        if name not in table.index:
            raise unknown("workload", name, table.index)
    if not names:
        raise ValueError(f"workloads must name at least one of {', '.join(table.index)}")
    table = table.loc[names]
    share, trains = table["time_share"] / table["time_share"].sum(), table["phase"].eq("training")
    if training_share is not None:
        require("training_share", training_share, minimum=0, maximum=1)
        for group, whole in ((trains, training_share), (~trains, 1 - training_share)):
            if whole > 0 and not group.any():
                raise ValueError(f"training_share is {training_share:g}, but no such work is among {', '.join(names)}")
            share[group] *= whole / (share[group].sum() or 1.0)
    return table.assign(time_share=share)


def throughput(accelerators: list[str], work: pd.DataFrame) -> xr.Dataset:
    """Return what accelerators do of every kind of work, and what they draw meanwhile.

    Parameters
    ----------
    accelerators
        Names, as people write them.
    work
        From :func:`workloads`.

    Returns
    -------
    Dataset
        Dims accelerator, workload: ``tokens_per_s``, ``low``, ``high`` (90 % band) [tokens/s], NaN where the work
        cannot be done as asked; ``chip_share`` [share of TDP] and ``it_kw`` under load [kW].
    """
    names = list(dict.fromkeys(catalog.find(name) for name in accelerators))
    parts = [_one(names, row) for _, row in work.iterrows()]
    return xr.concat(parts, pd.Index(work.index, name="workload")).transpose("accelerator", "workload")


def _one(names: list[str], row: pd.Series) -> xr.Dataset:
    """Return the throughput and power of accelerators at one kind of work."""
    settings = {name: row[name] for name in ("number_format", "prompt_tokens", "output_tokens")}
    if row["phase"] == "decode" and row["interactivity"] > 0:
        found = serving.at_interactivity(names, row["llm"], row["interactivity"], phase="decode", **settings)
        found = found.isel(interactivity=0, drop=True)
        load = (found["requests"] / found["instance"]).fillna(1.0).to_numpy()
    else:
        requests = REQUESTS if row["phase"] != "training" else 1.0
        found = performance.throughput(names, [row["llm"]], requests, phase=row["phase"], **settings)
        found = found.isel(llm=0, batch=0, drop=True)
        load = requests / found["instance"].to_numpy()
    experts = bool(llms().loc[row["llm"], "experts"] > 0)
    drawn = active_power.draws(names, row["phase"], load, experts)
    kept = found[["tokens_per_s", "low", "high"]]
    for name in ("chip_share", "it_kw"):
        kept[name] = ("accelerator", drawn[name].to_numpy())
    return kept


def costs(
    accelerators: list[str], region: str = "us", owned: Iterable[str] = (), **chosen: float | None
) -> pd.DataFrame:
    """Return price, cost and power of accelerators, one set of common inputs for all.

    Parameters
    ----------
    accelerators
        Names, as people write them.
    region
        For the price of electricity.
    owned
        Those that are paid for: their capital is sunk, what remains is energy, upkeep and staff.
    chosen
        Inputs of :data:`gigafleet.cost.COMMON` or ``usd_per_mwh`` that stand at a number instead; None leaves one as it
        is.

    Returns
    -------
    DataFrame
        Indexed by accelerator: ``price_usd``, ``basis`` of the price, ``usd_per_h``, ``nameplate_kw``.

    Raises
    ------
    ValueError
        Naming accelerators without IT power or a price on any basis.
    """
    common = cost.common_ranges(region)["value"]
    for name, value in chosen.items():
        if name not in common.index:
            raise unknown("common input", name, common.index)
        if value is not None:
            common[name] = value
    owned = {catalog.find(name) for name in owned}
    table = catalog.accelerators()
    bases = {basis: comparison.prices(basis) for basis in ("hyperscaler", "analyst_rack", "rumour")}
    rows = {}
    for name in accelerators:
        basis = next((b for b, prices in bases.items() if name in prices.index), None)
        if pd.isna(table.loc[name, "all_in_kw"]):
            raise ValueError(f"{name} has no IT power in the data")
        if basis is None:
            raise ValueError(f"{name} has no price in the data, on any of {', '.join(bases)}")
        rows[name] = (bases[basis].loc[name, "value"], basis, table.loc[name, "all_in_kw"])
    out = pd.DataFrame.from_dict(rows, orient="index", columns=["price_usd", "basis", "nameplate_kw"])
    known = cost.arguments(common, out["nameplate_kw"])
    parts = cost.waterfall(out["price_usd"], out["nameplate_kw"], **known)
    running = parts[["energy", "maintenance", "staff"]].sum(axis=1)
    out["usd_per_h"] = running.where(out.index.isin(owned), parts["total"])
    return out.rename_axis("accelerator")


def inputs(
    accelerators: list[str],
    *,
    work: float = 1.0,
    workloads_on: Iterable[str] | None = None,
    training_share: float | None = None,
    capacity_gw: float | None = 1.0,
    region: str = "us",
    reference: str = REFERENCE,
    supply: dict[str, float] | None = None,
    owned: Iterable[str] = (),
    software: dict[str, float] | None = None,
    it_kw: dict[str, float] | None = None,
    annual_pue: float | None = None,
    peak_pue: float | None = None,
    usd_per_mwh: float | None = None,
    rate: float | None = None,
    busy_share: float | None = None,
    done: xr.Dataset | None = None,
) -> dict:
    """Return the arguments of :func:`gigafleet.fleet.optimize` for a fleet.

    Parameters
    ----------
    accelerators
        Names, as people write them.
    work
        Work that is asked for: 1 is what a facility gigawatt of the reference does.
    workloads_on, training_share
        Kinds of work and the share of training, as :func:`workloads`.
    capacity_gw
        Power of the facility in the hottest hour; None for no limit. [GW]
    region
        For electricity and carbon.
    reference
        Accelerator that work is counted against.
    supply
        Accelerators there are, by name; those not named are not limited.
    owned
        Accelerators that are paid for.
    software
        Factor on the throughput of accelerators, for better or worse software.
    it_kw
        IT power of accelerators, in place of that in the data. [kW]
    annual_pue, peak_pue, usd_per_mwh, rate, busy_share
        In place of those in the data.
    done
        From :func:`throughput` for these accelerators, the reference and the same work, if it is there already.

    Returns
    -------
    dict
        ``throughput``, ``power_kw``, ``cost_usd_per_h``, ``demand``, ``provisioned_kw``, ``carbon_kg_per_kwh``,
        ``power_cap_kw`` and ``supply``, as labeled arrays.
    """
    require("work", work, above=0)
    names = list(dict.fromkeys(catalog.find(name) for name in accelerators))
    kinds = workloads(workloads_on, training_share)
    every = [*names, *([] if catalog.find(reference) in names else [catalog.find(reference)])]
    done = throughput(every, kinds) if done is None else done
    data = {
        name: catalog.value("ai-datacenter", name) for name in ("annual_pue", "peak_pue", "busy_share", "idle_share")
    }
    given = {"annual_pue": annual_pue, "peak_pue": peak_pue, "busy_share": busy_share}
    data |= {name: value for name, value in given.items() if value is not None}
    require("annual_pue", data["annual_pue"], minimum=1)
    require("peak_pue", data["peak_pue"], minimum=1)
    require("busy_share", data["busy_share"], above=0, maximum=1)
    rate_of = done["tokens_per_s"] * data["busy_share"]
    reference = catalog.find(reference)
    base = rate_of.sel(accelerator=reference, drop=True)
    if bool(base.isnull().any()):
        raise ValueError(f"the reference {reference} cannot do {base.indexes['workload'][base.isnull().to_numpy()][0]}")
    nameplate = catalog.accelerators().loc[every, "all_in_kw"].rename_axis("accelerator")
    many = power.accelerators_per_gw(nameplate[reference], data["peak_pue"])
    demand = work * many * base * xr.DataArray(kinds["time_share"])
    rate_of, done = rate_of.sel(accelerator=names), done.sel(accelerator=names)
    nameplate = nameplate[names]
    for key, factors in (("software", software), ("it_kw", it_kw), ("supply", supply)):
        for name, value in (factors or {}).items():
            if catalog.find(name) not in names:
                raise unknown(f"accelerator in {key}", name, names)
            require(f"{key} of {name}", value, minimum=0) if key == "supply" else require(
                f"{key} of {name}", value, above=0
            )
    factor = pd.Series(1.0, pd.Index(names, name="accelerator"))
    for name, value in (software or {}).items():
        factor[catalog.find(name)] = value
    active = done["it_kw"]
    for name, value in (it_kw or {}).items():
        short = catalog.find(name)
        active = active.where(active["accelerator"] != short, active * value / nameplate[short])
        nameplate[short] = value
    idle = data["idle_share"] * xr.DataArray(nameplate)
    drawn = idle + (active - idle) * data["busy_share"]
    money = costs(
        names, region, owned, annual_pue=annual_pue, usd_per_mwh=usd_per_mwh, rate=rate, busy_share=busy_share
    )
    limit = pd.Series(np.inf, pd.Index(names, name="accelerator"))
    for name, value in (supply or {}).items():
        limit[catalog.find(name)] = value
    place = catalog.place(region)
    return {
        "throughput": rate_of * xr.DataArray(factor),
        "power_kw": drawn * data["annual_pue"],
        "cost_usd_per_h": xr.DataArray(money["usd_per_h"]),
        "demand": demand,
        "provisioned_kw": xr.DataArray(nameplate) * data["peak_pue"],
        "carbon_kg_per_kwh": catalog.value(place, "g_co2_per_kwh") / 1000,
        "power_cap_kw": None if capacity_gw is None else 1e6 * capacity_gw,
        "supply": xr.DataArray(limit),
    }
