"""What a plan of purchases needs from the other models: generations, their work, power and money, by quarter; and what
the plans answer, over draws of all inputs.

A deal's roll-out says how many gigawatts must have been delivered by when, and what work is asked for: a share of what
the roll-out itself could do. The plan then chooses generations and regions. Each draw has a plan of its own, made as if
all of its inputs were known from the start.
"""

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, cost, deal, fleet, fleet_inputs, fleet_life, operation, power, rollout, uncertainty
from gigafleet.distributions import within_band
from gigafleet.errors import require

GENERATIONS = ("MI355X", "MI455X", "MI500")
COUNTED = rollout.GENERATIONS  # those that the deal's gigawatts are of
END = "2031Q4"
# Inputs of the generation before the deal's, beside those of the roll-out.
EARLIER_KW, EARLIER_ERROR = f"{GENERATIONS[0]} it_kw", f"{GENERATIONS[0]} {deal.ERROR}"
TOTALS = {"cost": 1e9, "capital": 1e9, "energy": 1e6, "carbon": 1e6}  # total -> our unit over that of the plan


def ranges() -> pd.DataFrame:
    """Return the inputs that a plan has beside those of :func:`gigafleet.operation.ranges`, with their ranges: IT power
    and error of throughput of the generation before the deal's. Its price has no range in the data."""
    error = pd.DataFrame({"low": -1.645, "value": 0.0, "high": 1.645, "unit": "", "kind": "model"}, [EARLIER_ERROR])
    return pd.concat([catalog.ranges({EARLIER_KW: (GENERATIONS[0], "all_in_kw")}), error])


def draw(of: str = "amd-openai", n: int = 1, seed: int = 0, regions="us", **fixed: float | None) -> pd.DataFrame:
    """Return samples of all inputs of a plan; arguments and errors as :func:`gigafleet.operation.draw`."""
    return operation.draw(of, n, seed, regions, more=ranges(), **fixed)


def inputs(
    drawn: pd.DataFrame | None = None,
    of: str = "amd-openai",
    *,
    regions="us",
    work: float = 0.9,
    next_generation_years: float | None = None,
    sooner_years: float = 0.0,
    milestones: bool = True,
    name: str = "base",
    capacity_basis: str = "facility",
    most_gw: float | None = None,
    site_gw: float | None = None,
    software_gain_share_per_year: float = 0.0,
    end: str = END,
) -> dict:
    """Return the arguments of :func:`gigafleet.fleet.plan_purchases` for a deal.

    Parameters
    ----------
    drawn
        Samples, as :func:`draw` gives them for the same deal and regions; each is a scenario of the plan. None takes
        the values of all inputs, without the dimension scenario.
    of
        A deal of :func:`gigafleet.rollout.deals`.
    regions
        Regions that accelerators can go to, as :func:`gigafleet.operation.region_shares`; the shares are those of the
        sites, where these have a limit.
    work
        Work that is asked for, over what the deal's own roll-out does in the same quarter. [share]
    next_generation_years, sooner_years
        When MI500 is on offer, in years from July 2026, None as drawn; and how much sooner than that. What work is
        asked for does not move with them. [years]
    milestones
        Whether the deal's gigawatts must have been bought when its roll-out delivers them, or where sites have a limit,
        when there is room for them.
    name, capacity_basis
        The roll-out behind milestones and work, as :func:`gigafleet.operation.evaluate` takes them.
    most_gw, site_gw
        Most of a generation that the roll-out ships, and the plan buys, in a quarter; power of the sites of both, in
        all regions. Both as the deal counts; None for no limit. [GW]
    software_gain_share_per_year
        By how much throughput grows a year on the same hardware, in the roll-out and in the plan. [share/year]
    end
        Last quarter of the plan.
    """
    require("work", work, above=0)
    places, point = operation.region_shares(regions), drawn is None
    drawn = draw(of, regions=places) if point else drawn
    for missing in ranges().index.difference(drawn.columns):
        raise ValueError(f"drawn needs a column {missing!r}, as purchases.draw gives it")
    settings = {"capacity_basis": capacity_basis, "most_gw": most_gw, "site_gw": site_gw}
    settings["software_gain_share_per_year"] = software_gain_share_per_year
    found = operation.evaluate(drawn, of, name, regions=places, end=end, **settings)
    found = found.assign_coords(sample=np.arange(len(drawn)))
    each, number = _generations(drawn), _number(found)
    later = drawn["next_generation_years"] if next_generation_years is None else next_generation_years
    for key, years in (("next_generation_years", later), ("sooner_years", sooner_years)):
        require(key, years, minimum=0)
    opens = _opens(drawn, np.maximum(later - sooner_years, 0))
    meter = _column(drawn, "peak_pue") if capacity_basis == "it" else 1.0  # at the meter, of what the deal counts
    life = (4 * _column(drawn, "it_life_years")).round().clip(min=1)
    most = np.inf if most_gw is None else most_gw
    gain = (1 + software_gain_share_per_year) ** operation.years_of(found)
    counts = each["provisioned_kw"]["accelerator"].isin(COUNTED)
    arguments = each | {
        "throughput": each["throughput"] * gain,
        "life_quarters": life,
        "rate": _column(drawn, "rate"),
        "demand": work * found["tokens_tn"].rename(sample="scenario") * 1e12 / (operation.HOURS * 3600),
        "supply": xr.where(number >= opens, most * 1e6 * meter / each["provisioned_kw"], 0.0),
        **_places(drawn, places, number),
        "site_kw": None if site_gw is None else site_gw * 1e6 * meter * _shares(places),
        "counted_kw": each["provisioned_kw"] / meter * counts,
        "milestones_kw": _reached_kw(found["delivered_gw"], life, site_gw) if milestones else None,
    }
    return {name: _first(value) if point else value for name, value in arguments.items()}


def _first(value: xr.DataArray | None) -> xr.DataArray | None:
    """Return an input of the first scenario, without that dimension."""
    return value if value is None else value.isel(scenario=0, drop=True, missing_dims="ignore")


def _column(drawn: pd.DataFrame, name: str) -> xr.DataArray:
    """Return an input by scenario."""
    return xr.DataArray(drawn[name].to_numpy(float), {"scenario": np.arange(len(drawn))}, "scenario")


def _by(dim: str, columns: dict) -> xr.DataArray:
    """Return columns of samples as a table of dims (scenario, dim)."""
    values = np.column_stack([np.asarray(column, float) for column in columns.values()])
    return xr.DataArray(values, {"scenario": np.arange(len(values)), dim: list(columns)}, ("scenario", dim))


def _number(found: xr.Dataset) -> xr.DataArray:
    """Return the number of each quarter from the first on."""
    return xr.DataArray(np.arange(found.sizes["quarter"]), {"quarter": found["quarter"]}, "quarter")


def _opens(drawn: pd.DataFrame, later) -> xr.DataArray:
    """Return the number of the quarter from which a generation is on offer: that in which its time falls, as the
    roll-out ships in it, too."""
    none = 0.0 * drawn["start_years"]
    years = dict(zip(GENERATIONS, (none, drawn["start_years"], none + later), strict=True))
    return np.floor(4 * _by("accelerator", years) + 1e-9)


def _reached_kw(delivered: xr.DataArray, life_quarters: xr.DataArray, site_gw: float | None) -> xr.DataArray:
    """Return the milestones: what has been delivered and found room on the sites, at the lives of the plan. [kW]"""
    life = (life_quarters / fleet_life.PER_YEAR).rename(scenario="sample")
    placed = fleet_life.service(delivered, life, np.inf if site_gw is None else site_gw)["energized"]
    return placed.rename(sample="scenario").sum("generation").cumsum("quarter") * 1e6 * (1 - 1e-9)


def _shares(places: dict[str, float]) -> xr.DataArray:
    """Return the shares of the regions."""
    return xr.DataArray(list(places.values()), {"region": list(places)}, "region")


def _places(drawn: pd.DataFrame, places: dict[str, float], number: xr.DataArray) -> dict:
    """Return price and carbon of electricity by region."""
    price, today = (
        _by("region", {place: drawn[f"{place} {quantity}"] for place in places}) for quantity in operation.BY_REGION
    )
    since = xr.DataArray([operation.years_since(place) for place in places], {"region": list(places)}, "region")
    decline = _column(drawn, "grid_decline_share_per_year")
    return {
        "usd_per_mwh": price,
        "carbon_kg_per_kwh": power.grid_g_co2_per_kwh(today, decline, since + (number + 0.5) / 4) / 1000,
    }


def _generations(drawn: pd.DataFrame) -> dict[str, xr.DataArray]:
    """Return throughput, power, price and upkeep of every generation by scenario; those of MI500 from MI455X by ratios,
    as :mod:`gigafleet.operation` has them.

    The facility outlives accelerators: it is not in the price but, as an annuity, in the upkeep.
    """
    size = drawn["it_kw_ratio"]
    dearer = drawn["content_mi500_busd_per_gw"] / drawn["content_mi455x_busd_per_gw"]
    earlier = 0.0 * size + fleet_inputs.costs([GENERATIONS[0]])["price_usd"].iloc[0]
    system = drawn["system_price_usd"] / drawn["accelerators_per_system"]
    site_network = drawn["network_usd_per_kw"] * drawn[EARLIER_KW]
    rows = {  # IT power, price of the system, network
        GENERATIONS[0]: (drawn[EARLIER_KW], earlier, site_network),
        GENERATIONS[1]: (drawn["it_kw"], system, drawn["network_usd"]),
        GENERATIONS[2]: (size * drawn["it_kw"], size * dearer * system, size * drawn["network_usd"]),
    }
    price, upkeep = {}, {}
    for generation, (it_kw, usd, network) in rows.items():
        known = cost.arguments(drawn.assign(usd_per_mwh=0.0, network_usd=network), it_kw)
        parts = cost.parts_per_accelerator_hour(usd, it_kw, **known)
        price[generation] = usd + network + it_kw * drawn["storage_usd_per_kw"]
        upkeep[generation] = parts["facility"] + parts["maintenance"] + parts["staff"]
    it_kw = _by("accelerator", {generation: row[0] for generation, row in rows.items()})
    return _work(drawn, it_kw) | {
        "provisioned_kw": it_kw * _column(drawn, "peak_pue"),
        "price_usd": _by("accelerator", price),
        "upkeep_usd_per_h": _by("accelerator", upkeep),
    }


def _work(drawn: pd.DataFrame, it_kw: xr.DataArray) -> dict[str, xr.DataArray]:
    """Return throughput and average draw of every generation by scenario and workload: each prediction within its band
    by one error for all work, and each draw under load as its phase's is drawn."""
    kinds, names = fleet_inputs.workloads(), list(GENERATIONS)
    busy, idle = _column(drawn, "busy_share"), _column(drawn, "idle_share")
    done = [fleet_inputs.of_default_work(name) for name in names[:-1]]
    rates = [
        within_band(one["tokens_per_s"].where(one["tokens_per_s"] > 0), one["low"], one["high"], _column(drawn, error))
        for one, error in zip(done, (EARLIER_ERROR, deal.ERROR), strict=True)
    ]
    rates.append(rates[-1] * _column(drawn, "it_kw_ratio") * _column(drawn, "work_per_kw_ratio"))
    nameplate = catalog.accelerators().loc[names[:-1], "all_in_kw"]
    loads = [one["it_kw"] / kw for one, kw in zip(done, nameplate, strict=True)]
    axis = pd.Index(names, name="accelerator")
    loads = xr.concat([*loads, loads[-1]], axis)
    middle = catalog.ranges(cost.COMMON)["value"]
    more = {kind: drawn[f"active_share_{p}"] / middle[f"active_share_{p}"] for kind, p in kinds["phase"].items()}
    active = np.minimum(loads * _by("workload", more), 1.0)
    average = power.average_draw_kw(1.0, *xr.broadcast(busy, active, idle))
    return {
        "throughput": xr.concat(rates, axis) * busy,
        "power_kw": it_kw * average * _column(drawn, "annual_pue"),
    }


def plan(arguments: dict) -> xr.Dataset:
    """Return what the plans of least cost buy, and what they take.

    Parameters
    ----------
    arguments
        From :func:`inputs`.

    Returns
    -------
    Dataset
        By ``sample``: ``cost`` (discounted, less what is left), ``capital`` [billion USD], ``energy`` [TWh], ``carbon``
        [Mt]; by sample, ``quarter`` and ``generation``: ``bought_gw`` at the meter, hottest hour [GW]. NaN in a sample
        that no plan will do for.
    """
    each = arguments["provisioned_kw"]
    empty = 0.0 * arguments["supply"]
    try:
        best = fleet.plan_purchases(**arguments)
        sums = best.totals.sum("quarter", skipna=False).assign(cost=best.objective)
        bought = best.purchases.sum([dim for dim in best.purchases.dims if dim not in empty.dims], skipna=False)
    except fleet.InfeasibleError:
        sums = dict.fromkeys(TOTALS, np.nan * empty.sum(["quarter", "accelerator"]))
        bought = np.nan * empty
    found = {name: sums[name] / unit for name, unit in TOTALS.items()} | {"bought_gw": (bought * each / 1e6).round(9)}
    names = {"scenario": "sample", "accelerator": "generation"}
    table = xr.Dataset(found).rename({k: v for k, v in names.items() if k in empty.dims})
    return table if "sample" in table.dims else table.expand_dims("sample")


def answers(plans: xr.Dataset) -> pd.DataFrame:
    """Return the totals of :func:`plan`, one row a sample: those of :data:`TOTALS`, the gigawatts of each generation,
    and of ``all``."""
    gigawatts = plans["bought_gw"].sum("quarter", skipna=False).transpose("sample", "generation").to_pandas()
    gigawatts = gigawatts.rename_axis(columns=None).assign(all=gigawatts.sum(axis=1, skipna=False))
    return plans[list(TOTALS)].to_dataframe()[list(TOTALS)].join(gigawatts)


def saved(plans: xr.Dataset, others: xr.Dataset) -> pd.Series:
    """Return how much less other plans of the same samples cost, sample by sample; NaN where one of the two has none.
    [billion USD]"""
    return answers(plans)["cost"] - answers(others)["cost"]


def compare(plans: dict[str, xr.Dataset]) -> dict[str, pd.DataFrame]:
    """Return several plans side by side.

    Parameters
    ----------
    plans
        Name -> from :func:`plan`.

    Returns
    -------
    dict
        ``low``, ``median`` and ``high`` (5, 50 and 95 % of the samples that have a plan): frames with a row a name and
        columns of :func:`answers`; ``cannot``: a Series of how many samples have none.
    """
    tables = {name: answers(one) for name, one in plans.items()}
    cannot = {name: int(table["cost"].isna().sum()) for name, table in tables.items()}
    return uncertainty.intervals(tables) | {"cannot": pd.Series(cannot)}
