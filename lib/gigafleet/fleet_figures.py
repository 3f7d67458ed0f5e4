"""The inputs of a fleet mix that have a range, and what follows from them: throughput, power, cost and carbon of an
accelerator.

An input is a number, or draws of it along ``scenario``: predictions and draws go through the same arithmetic.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, comparison, cost, power
from gigafleet.errors import require, unknown
from gigafleet.kept import while_data_last

BASES = ("hyperscaler", "analyst_rack", "rumour")  # bases of a price; the first on which there is one counts
BY_REGION = ("usd_per_mwh", "g_co2_per_kwh")
BOUNDS = {"annual_pue": {"minimum": 1}, "peak_pue": {"minimum": 1}, "busy_share": {"above": 0, "maximum": 1}}
ENDS = ["low", "value", "high"]


def ranges(
    accelerators: list[str], region: str = "us", it_kw: dict[str, float] | None = None, **chosen: float | None
) -> pd.DataFrame:
    """Return the inputs of a fleet but for its throughput, with their ranges and sources.

    Parameters
    ----------
    accelerators
        Short names.
    region
        For electricity and carbon.
    it_kw
        IT power of accelerators, in place of that in the data. [kW]
    chosen
        Inputs of :data:`gigafleet.cost.COMMON`, ``usd_per_mwh`` or ``g_co2_per_kwh`` that stand at a number instead;
        None leaves one as it is.

    Returns
    -------
    DataFrame
        Indexed by input, as :func:`gigafleet.catalog.ranges` gives it: those that serve all, and ``<accelerator>
        it_kw`` [kW] and ``<accelerator> price_usd`` [USD]. What is given stands: low = value = high.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the input that is not known or out of bounds, or accelerators without IT power or a price on any basis.
    """
    place, price = catalog.place(region), prices(accelerators)
    common = cost.COMMON | {name: (place, name) for name in BY_REGION}
    known = catalog.ranges(common | {f"{name} it_kw": (name, "all_in_kw") for name in accelerators})
    known["value"] = known["value"].fillna(np.sqrt(known["low"] * known["high"]))
    for name, value in chosen.items():
        if name not in common:
            raise unknown("common input", name, common)
        if value is not None:
            require(name, value, **BOUNDS.get(name, {}))
            known.loc[name, ENDS] = value
    start = known.loc[[f"{name} it_kw" for name in accelerators], "value"].set_axis(accelerators)
    for name, value in given("it_kw", it_kw, start, above=0)[list(map(catalog.find, it_kw or {}))].items():
        known.loc[f"{name} it_kw", ENDS] = value
    kind = [catalog.preferred(row["system"], "price_usd", row["basis"])["kind"] for _, row in price.iterrows()]
    price = price[[*ENDS, "range_kind", "source_id"]].assign(unit="USD", kind=kind)
    return pd.concat([known, price.rename(index="{} price_usd".format)])


def prices(accelerators: list[str]) -> pd.DataFrame:
    """Return prices as :func:`gigafleet.comparison.prices`, each on the first ``basis`` of :data:`BASES` it has."""
    known = _prices()
    for name in accelerators:
        if pd.isna(catalog.accelerators().loc[name, "all_in_kw"]):
            raise ValueError(f"{name} has no IT power in the data")
        if name not in known.index:
            raise ValueError(f"{name} has no price in the data, on any of {', '.join(BASES)}")
    return known.loc[accelerators]


@while_data_last
def _prices() -> pd.DataFrame:
    known = pd.concat([comparison.prices(basis).assign(basis=basis) for basis in BASES])
    return known[~known.index.duplicated()]


def given(key: str, values: dict[str, float] | None, start: pd.Series, **bounds: float) -> pd.Series:
    """Return a figure of every accelerator, with those that are given in its place."""
    out = start.astype(float).rename_axis("accelerator")
    for name, value in (values or {}).items():
        short = catalog.find(name)
        if short not in out.index:
            raise unknown(f"accelerator in {key}", name, out.index)
        require(f"{key} of {short}", value, **bounds)
        out[short] = value
    return out


def each(values: dict, names: list[str], key: str) -> xr.DataArray:
    """Return an input that every accelerator has its own of, dims accelerator and those of the values."""
    return _stacked([values[f"{name} {key}"] for name in names], "accelerator", names)


def _stacked(figures: list, dim: str, labels: Iterable[str]) -> xr.DataArray:
    """Return numbers or arrays along a new dimension."""
    return xr.concat(xr.broadcast(*map(xr.DataArray, figures)), dim).assign_coords({dim: list(labels)})


def usd_per_h(values: dict, names: list[str], owned: Iterable[str]) -> xr.DataArray:
    """Return the cost of accelerators: of those that are owned only what is paid as it comes. [USD/h]"""
    owned = {catalog.find(name) for name in owned}
    bought = xr.DataArray([float(name not in owned) for name in names], {"accelerator": names}, "accelerator")
    it_kw = each(values, names, "it_kw")
    parts = cost.parts_per_accelerator_hour(each(values, names, "price_usd"), it_kw, **cost.arguments(values, it_kw))
    return sum(usd if part in cost.RUNNING else usd * bought for part, usd in parts.items())


def idle_kw(values: dict, names: list[str]) -> xr.DataArray:
    """Return what an accelerator that is on and idle draws at the facility, dims accelerator and those of the values.
    [kW]"""
    return each(values, names, "it_kw") * values["idle_share"] * values["annual_pue"]


def figures(
    values: dict,
    names: list[str],
    kinds: pd.DataFrame,
    done: xr.Dataset,
    owned: Iterable[str] = (),
    software: dict[str, float] | None = None,
) -> dict:
    """Return what of :func:`gigafleet.fleet_inputs.inputs` follows from the inputs that have a range.

    Parameters
    ----------
    values
        Input of :func:`ranges` -> number, or draws of it along ``scenario``.
    names
        Short names of accelerators.
    kinds, done
        From :func:`gigafleet.fleet_inputs.workloads` and :func:`gigafleet.fleet_inputs.throughput`; ``tokens_per_s``
        may have draws along ``scenario``, too.
    owned, software
        As in :func:`gigafleet.fleet_inputs.inputs`.

    Returns
    -------
    dict
        ``throughput``, ``power_kw``, ``cost_usd_per_h``, ``provisioned_kw`` and ``carbon_kg_per_kwh``.

    Notes
    -----
    Draw under load goes with IT power, and with the share of it that the phase of the work takes (``active_share``)
    over that in the data; it ends at the IT power.
    """
    factor = given("software", software, pd.Series(1.0, names), above=0).to_xarray()
    done, it_kw = done.sel(accelerator=names), each(values, names, "it_kw")
    nameplate = catalog.accelerators().loc[names, "all_in_kw"].rename_axis("accelerator").to_xarray()
    usual = {phase: catalog.value("ai-datacenter", "active_share", phase) for phase in power.PHASES}
    more = _stacked(
        [values[f"active_share_{phase}"] / usual[phase] for phase in kinds["phase"]], "workload", kinds.index
    )
    active = np.minimum(done["it_kw"] * (it_kw / nameplate) * more, it_kw)
    idle = values["idle_share"] * it_kw
    return {
        "throughput": done["tokens_per_s"] * values["busy_share"] * factor,
        "power_kw": (idle + (active - idle) * values["busy_share"]) * values["annual_pue"],
        "cost_usd_per_h": usd_per_h(values, names, owned),
        "provisioned_kw": it_kw * values["peak_pue"],
        "carbon_kg_per_kwh": values["g_co2_per_kwh"] / 1000,
    }
