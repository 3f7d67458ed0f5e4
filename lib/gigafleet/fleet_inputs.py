"""What a fleet mix needs, from the other models: the work to be done, what each accelerator does of it, its power and
its cost.

Nobody publishes what a buyer's accelerators do. Work is therefore counted against a reference: one unit is what a
gigawatt of the reference accelerator does in a year when it spends its busy time as ``data/workloads.csv`` says.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import active_power, catalog, fleet_figures, performance, power, serving
from gigafleet.architectures import llms
from gigafleet.errors import require, unknown
from gigafleet.kept import while_data_last
from gigafleet.tables import resource

REFERENCE = "MI355X"
REQUESTS = 16.0  # prompts that are read at once
# Arguments of a fleet's inputs that stand in place of figures in the data.
CHOSEN = ("it_kw", "annual_pue", "peak_pue", "usd_per_mwh", "rate", "busy_share")


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


def drawn_shares(inputs: Mapping) -> dict[str, object]:
    """Return the share of busy time of each kind of work, sample by sample: those of the phases as drawn, split within
    a phase as ``data/workloads.csv`` has it.

    Parameters
    ----------
    inputs
        Samples with ``time_share_training``, ``time_share_prefill`` and ``time_share_decode``, as columns or arrays.
    """
    phases = {phase: inputs[f"time_share_{phase}"] for phase in power.PHASES}
    total = sum(phases.values())
    return {name: phases[phase] / total * share for name, (phase, share) in _within_phases().items()}


@while_data_last
def _within_phases() -> dict[str, tuple[str, float]]:
    """Return the phase of each kind of work that is on by default, and its share of the phase's time."""
    kinds = workloads()
    within = kinds["time_share"] / kinds.groupby("phase")["time_share"].transform("sum")
    return {name: (kinds.loc[name, "phase"], share) for name, share in within.items()}


@while_data_last
def of_default_work(accelerator: str) -> xr.Dataset:
    """Return :func:`throughput` of one accelerator at the work that is on by default, without its dim."""
    return throughput([accelerator], workloads()).isel(accelerator=0, drop=True)


@while_data_last
def default_bands(accelerator: str) -> dict[str, tuple[float, float, float]]:
    """Return workload -> throughput of :func:`of_default_work`, its value, low and high. [tokens/s]"""
    first = of_default_work(accelerator)
    bands = zip(*(first[key].to_numpy().tolist() for key in ("tokens_per_s", "low", "high")), strict=True)
    return dict(zip(first["workload"].to_numpy().tolist(), bands, strict=True))


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
        As in :func:`gigafleet.fleet_figures.ranges`.

    Returns
    -------
    DataFrame
        Indexed by accelerator: ``price_usd``, ``basis`` of the price, ``usd_per_h``, ``nameplate_kw``.

    Raises
    ------
    ValueError
        Naming accelerators without IT power or a price on any basis.
    """
    names = list(dict.fromkeys(catalog.find(name) for name in accelerators))
    values = fleet_figures.ranges(names, region, **chosen)["value"].to_dict()
    each = {key: fleet_figures.each(values, names, key).to_series() for key in ("price_usd", "it_kw")}
    return pd.DataFrame(
        {
            "price_usd": each["price_usd"],
            "basis": fleet_figures.prices(names)["basis"],
            "nameplate_kw": each["it_kw"],
            "usd_per_h": fleet_figures.usd_per_h(values, names, owned).to_series(),
        }
    ).rename_axis("accelerator")


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
    annual_pue: float | xr.DataArray | None = None,
    peak_pue: float | xr.DataArray | None = None,
    usd_per_mwh: float | xr.DataArray | None = None,
    rate: float | xr.DataArray | None = None,
    busy_share: float | xr.DataArray | None = None,
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
        In place of those in the data; one number, or one for each ``scenario``.
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
    if not names:
        raise ValueError("accelerators must name at least one")
    for name in owned:
        if catalog.find(name) not in names:
            raise unknown("accelerator in owned", name, names)
    kinds = workloads(workloads_on, training_share)
    chosen = {"annual_pue": annual_pue, "peak_pue": peak_pue, "busy_share": busy_share}
    chosen |= {"usd_per_mwh": usd_per_mwh, "rate": rate}
    each = {name: value for name, value in chosen.items() if isinstance(value, xr.DataArray)}
    for name, value in each.items():
        require(name, value, **fleet_figures.BOUNDS.get(name, {}))
    alike = {name: value for name, value in chosen.items() if name not in each}
    values = fleet_figures.ranges(names, region, it_kw, **alike)["value"].to_dict() | each
    reference = catalog.find(reference)
    done = throughput([*names, reference], kinds) if done is None else done
    return fleet_figures.figures(values, names, kinds, done, owned, software) | {
        "demand": work * _of_a_gigawatt(reference, values, done) * kinds["time_share"].to_xarray(),
        "power_cap_kw": None if capacity_gw is None else 1e6 * capacity_gw,
        "supply": fleet_figures.given("supply", supply, pd.Series(np.inf, names), minimum=0).to_xarray(),
    }


def _of_a_gigawatt(reference: str, values: dict, done: xr.Dataset) -> xr.DataArray:
    """Return what a gigawatt of the reference does of every kind of work in all its busy time. [tokens/s]"""
    base = done["tokens_per_s"].sel(accelerator=reference, drop=True)
    if bool(base.isnull().any()):
        raise ValueError(f"the reference {reference} cannot do {base.indexes['workload'][base.isnull().to_numpy()][0]}")
    base = base * values["busy_share"]
    nameplate_kw = catalog.accelerators().loc[reference, "all_in_kw"]
    return power.accelerators_per_gw(nameplate_kw, values["peak_pue"]) * base
