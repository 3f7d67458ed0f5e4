"""What a plan of purchases needs from the other models: generations, their work, power and money, by quarter.

A deal's roll-out says how many gigawatts must have been delivered by when, and what work is asked for: a share of what
the roll-out itself could do. The plan then chooses generations and regions.
"""

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import cost, fleet, fleet_inputs, operation, power, rollout
from gigafleet.errors import require

GENERATIONS = ("MI355X", "MI455X", "MI500")
COUNTED = rollout.GENERATIONS  # those that the deal's gigawatts are of
END = "2031Q4"


def inputs(
    of: str = "amd-openai",
    *,
    regions="us",
    work: float = 0.9,
    most_gw_per_quarter: float = 0.8,
    site_gw: float | None = None,
    next_generation_years: float | None = None,
    rate: float | None = None,
    milestones: bool = True,
    name: str = "base",
    delay_years: float | None = None,
    capacity_basis: str = "facility",
    most_gw: float | None = None,
    room_gw: float | None = None,
    end: str = END,
) -> dict:
    """Return the arguments of :func:`gigafleet.fleet.plan_purchases` for a deal, at the values of all inputs.

    Parameters
    ----------
    of
        A deal of :func:`gigafleet.rollout.deals`.
    regions
        Regions that accelerators can go to, one or several; for electricity and carbon.
    work
        Work that is asked for, over what the deal's own roll-out does in the same quarter. [share]
    most_gw_per_quarter
        Most of a generation that can be bought in a quarter. [GW]
    site_gw
        Power of each region's sites; None for no limit. [GW]
    next_generation_years
        When MI500 is on offer, in years from July 2026; None as in the data. What work is asked for does not move with
        it. [years]
    rate
        Discount rate, and cost of the capital in the facility; None as in the data. [share/year]
    milestones
        Whether the deal's gigawatts must have been bought when its roll-out delivers them.
    name, delay_years, capacity_basis, most_gw, room_gw
        The roll-out behind milestones and work, as :func:`gigafleet.operation.evaluate` takes them (``room_gw`` is its
        ``site_gw``).
    end
        Last quarter of the plan.
    """
    require("work", work, above=0)
    require("most_gw_per_quarter", most_gw_per_quarter, above=0)
    places = list(operation.region_shares(regions))
    if site_gw is not None:
        require("site_gw", site_gw, above=0)
    point = operation.draw(of, regions=places, rate=rate, delay_years=delay_years)
    settings = {"capacity_basis": capacity_basis, "most_gw": most_gw, "site_gw": room_gw}
    found = operation.evaluate(point, of, name, regions=places, end=end, **settings).isel(sample=0)
    one = point.iloc[0]
    each, names = _generations(one), list(GENERATIONS)
    asked = found["tokens_tn"].transpose("quarter", "workload") * 1e12 / (operation.HOURS * 3600)
    later = one["next_generation_years"] if next_generation_years is None else next_generation_years
    require("next_generation_years", later, minimum=0)
    opens = {"MI355X": 0.0, "MI455X": one["start_years"], "MI500": later}
    first = xr.DataArray([np.ceil(4 * opens[name]) for name in names], {"accelerator": names}, "accelerator")
    number = xr.DataArray(np.arange(found.sizes["quarter"]), {"quarter": found["quarter"]}, "quarter")
    supply = most_gw_per_quarter * 1e6 / each["provisioned_kw"] * (number >= first)
    price = xr.DataArray([one[f"{place} usd_per_mwh"] for place in places], {"region": places}, "region")
    today = xr.DataArray([one[f"{place} g_co2_per_kwh"] for place in places], {"region": places}, "region")
    since = xr.DataArray([operation.years_since(place) for place in places], {"region": places}, "region")
    grid = power.grid_g_co2_per_kwh(today, one["grid_decline_share_per_year"], since + (number + 0.5) / 4)
    per_kw = 1.0 if capacity_basis == "facility" else 1 / one["peak_pue"]
    counted = per_kw * each["provisioned_kw"] * each["provisioned_kw"]["accelerator"].isin(COUNTED)
    reached = found["delivered_gw"].sum("generation").cumsum("quarter") * 1e6
    return {
        **{name: each[name] for name in ("throughput", "power_kw", "price_usd", "upkeep_usd_per_h", "provisioned_kw")},
        "life_quarters": round(4 * one["it_life_years"]),
        "rate": float(one["rate"]),
        "demand": work * asked,
        "supply": supply.transpose("quarter", "accelerator"),
        "usd_per_mwh": price,
        "carbon_kg_per_kwh": grid / 1000,
        "counted_kw": counted,
        "milestones_kw": reached * (1 - 1e-9) if milestones else None,
        "site_kw": None if site_gw is None else xr.full_like(price, 1e6 * site_gw),
    }


def _generations(one: pd.Series) -> dict[str, xr.DataArray]:
    """Return throughput, power, price and upkeep of every generation; those of MI500 from MI455X by ratios.

    The facility outlives accelerators: it is not in the price but, as an annuity, in the upkeep.
    """
    names, last, size = list(GENERATIONS[:-1]), GENERATIONS[-1], one["it_kw_ratio"]
    mixed, costs = fleet_inputs.inputs(names, capacity_gw=None), fleet_inputs.costs(names)
    it_kw = costs["nameplate_kw"]
    known = cost.arguments(one.drop("network_usd").to_dict() | {"usd_per_mwh": 0.0}, it_kw)
    assets = {name: known[name] for name in ("facility_usd_per_kw", "network_usd", "storage_usd_per_kw")}
    capital = cost.capex_parts_usd(costs["price_usd"], it_kw, **assets)
    beside = capital["network"] + capital["storage"]
    dearer = one["content_mi500_busd_per_gw"] / one["content_mi455x_busd_per_gw"]
    later = size * (dearer * capital["system"] + beside).iloc[-1]
    price = pd.concat([capital["system"] + beside, pd.Series({last: later})])
    upkeep = cost.waterfall(costs["price_usd"], it_kw, **known)[["facility", "maintenance", "staff"]].sum(axis=1)
    return {
        "throughput": _with_last(mixed["throughput"], last, size * one["work_per_kw_ratio"]),
        "power_kw": _with_last(mixed["power_kw"], last, size),
        "provisioned_kw": _with_last(mixed["provisioned_kw"], last, size),
        "price_usd": price.rename_axis("accelerator").to_xarray(),
        "upkeep_usd_per_h": _with_last(upkeep.rename_axis("accelerator").to_xarray(), last, size),
    }


def _with_last(table: xr.DataArray, name: str, ratio: float) -> xr.DataArray:
    """Return a table with one more accelerator: the last one times a ratio."""
    more = (table.isel(accelerator=[-1]) * ratio).assign_coords(accelerator=[name])
    return xr.concat([table, more], "accelerator")


def bought_gw(plan: fleet.Plan, arguments: dict) -> pd.DataFrame:
    """Return the gigawatts that a plan buys by quarter, one column a generation. [GW]"""
    kw = plan.purchases * arguments["provisioned_kw"]
    table = (kw.sum([dim for dim in kw.dims if dim not in ("quarter", "accelerator")]) / 1e6).to_pandas()
    return table.rename_axis(columns=None).round(9)


def compare(cases: dict[str, dict]) -> pd.DataFrame:
    """Return several plans side by side, a row a plan.

    Returns
    -------
    DataFrame
        ``cost`` (discounted, less what is left) [billion USD], ``capital`` [billion USD], ``energy`` [TWh], ``carbon``
        [Mt], and the gigawatts of each generation [GW]; NaN where no plan will do.
    """
    rows = {}
    for label, arguments in cases.items():
        try:
            plan = fleet.plan_purchases(**arguments)
        except fleet.InfeasibleError:
            rows[label] = {}
            continue
        sums = plan.totals.sum()
        rows[label] = {
            "cost": plan.objective.item() / 1e9,
            "capital": sums["capital"].item() / 1e9,
            "energy": sums["energy"].item() / 1e6,
            "carbon": sums["carbon"].item() / 1e6,
            **bought_gw(plan, arguments).sum().to_dict(),
        }
    return pd.DataFrame(rows).T.reindex(columns=["cost", "capital", "energy", "carbon", *GENERATIONS])
