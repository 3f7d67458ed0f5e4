"""The roll-out in service: fleet, power, energy, carbon, money and work, quarter by quarter.

The gigawatts of :mod:`gigafleet.rollout` become accelerators at the power of their generation, live as long as
:mod:`gigafleet.fleet_life` lets them, and draw, cost and work as :mod:`gigafleet.power`, :mod:`gigafleet.cost` and
:mod:`gigafleet.performance` have it. Of MI500 nothing is published: its power, price and work are those of MI455X times
ratios that are assumptions, or an analyst's.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, cost, deal, fleet_inputs, fleet_life, power, revenue, rollout, scenarios, uncertainty
from gigafleet.architectures import arithmetic
from gigafleet.distributions import within_band
from gigafleet.errors import require, unknown

HOURS = power.HOURS_PER_YEAR / 4
PHYSICAL = ("base", "late", "first_gw", "fast")  # the scenarios that move gigawatts, not only prices
CAPITAL = ("system", "network", "storage", "facility")
# Input -> (subject, quantity, condition).
INPUTS = {
    "work_per_kw_ratio": ("instinct-rollout", "work_per_kw_ratio", "mi500"),
    "it_kw_ratio": ("instinct-rollout", "it_kw_ratio", "mi500"),
    "content_mi455x_busd_per_gw": revenue.INPUTS["content_mi455x_busd_per_gw"],
    "content_mi500_busd_per_gw": revenue.INPUTS["content_mi500_busd_per_gw"],
    "grid_decline_share_per_year": ("us", "grid_co2_decline_share_per_year", "path"),
}
BY_REGION = ("usd_per_mwh", "g_co2_per_kwh")
UNITS = {
    "peak_gw": "GW",
    "average_gw": "GW",
    "twh": "TWh",
    "mt_co2": "Mt",
    "capex_busd": "billion USD",
    "opex_busd": "billion USD",
    "cost_busd": "billion USD",
    "tokens_tn": "trillion tokens",
    "training_yflop": "10^24 FLOP",
    "usd_per_million_tokens": "USD per million tokens",
}


def region_shares(regions: str | Iterable[str] | dict[str, float]) -> dict[str, float]:
    """Return region -> share of the accelerators there. Names alone stand for equal shares.

    >>> region_shares("us"), region_shares(["texas", "virginia"])
    ({'us': 1.0}, {'texas': 0.5, 'virginia': 0.5})
    """
    if isinstance(regions, str):
        regions = [regions]
    given = dict(regions) if isinstance(regions, dict) else dict.fromkeys(regions, 1.0)
    if not given:
        raise ValueError("regions must name at least one")
    shares = {}
    for name, share in given.items():
        require(f"share of {name}", share, minimum=0)
        place = catalog.place(name)
        shares[place] = shares.get(place, 0.0) + float(share)
    total = sum(shares.values())
    require("sum of the regions' shares", total, above=0)
    return {name: share / total for name, share in shares.items()}


def ranges(of: str = "amd-openai", regions="us") -> pd.DataFrame:
    """Return every input with its range; what is a region's own is named ``<region> <input>``."""
    shares = region_shares(regions)
    first = next(iter(shares))
    common = deal.physical_ranges(of, first).drop(list(BY_REGION))
    own = catalog.ranges({f"{name} {quantity}": (name, quantity) for name in shares for quantity in BY_REGION})
    return pd.concat([rollout.ranges(of), common, catalog.ranges(INPUTS), own])


def draw(
    of: str = "amd-openai",
    n: int = 1,
    seed: int = 0,
    regions="us",
    more: pd.DataFrame | None = None,
    **fixed: float | None,
) -> pd.DataFrame:
    """Return samples of all inputs; ``n=1`` gives their values.

    Parameters
    ----------
    of
        A deal of :func:`gigafleet.rollout.deals`.
    n, seed
        As :func:`gigafleet.uncertainty.sample`.
    regions
        As :func:`region_shares`.
    more
        Further inputs that are drawn with them, as :func:`ranges` gives them.
    fixed
        Inputs that stand at a number instead; None is left as drawn.
    """
    known = ranges(of, regions) if more is None else pd.concat([ranges(of, regions), more])
    for name in fixed:
        if name not in known.index:
            raise unknown("input", name, known.index)
    drawn = uncertainty.sample(known, n, seed, deal.correlations())
    drawn = drawn.assign(**{k: v for k, v in fixed.items() if v is not None})
    return drawn.assign(network_usd=deal.network_usd(drawn))


def evaluate(
    inputs: pd.DataFrame | None = None,
    of: str = "amd-openai",
    name: str = "base",
    *,
    n: int = 1024,
    seed: int = 0,
    regions="us",
    capacity_basis: str = "facility",
    most_gw=None,
    site_gw=None,
    life_years=None,
    stops: bool = False,
    software_gain_share_per_year: float = 0.0,
    end: str = rollout.LAST_QUARTER,
) -> xr.Dataset:
    """Return what a deal's roll-out is in service, quarter by quarter.

    Parameters
    ----------
    inputs
        Samples, as :func:`draw` gives them; None draws them.
    of
        A deal of :func:`gigafleet.rollout.deals`.
    name
        A scenario of :data:`PHYSICAL`.
    n, seed
        As :func:`gigafleet.uncertainty.sample`. Not used where ``inputs`` are given.
    regions
        As :func:`region_shares`.
    capacity_basis
        What the deal's gigawatts count: ``facility`` (at the meter, in the hottest hour) or ``it``.
    most_gw
        Limit of supply by quarter and generation, as :func:`gigafleet.fleet_life.limited`; None for none. [GW]
    site_gw
        Power of the sites, as :func:`gigafleet.fleet_life.service`, counted as the deal counts; None for none. [GW]
    life_years
        Years in service, as :func:`gigafleet.fleet_life.service`, such as one a generation; None takes those of the
        inputs. [years]
    stops
        Whether a sample ends where its buyer stops, drawn by the chance that each further gigawatt is taken; else all
        gigawatts are.
    software_gain_share_per_year
        By how much throughput grows a year on the same hardware, from July 2026 on. [share/year]
    end
        Last quarter.

    Returns
    -------
    Dataset
        Dims sample, quarter, generation: ``shipped_gw``, ``delivered_gw``, ``energized_gw``, ``retired_gw`` of each
        quarter, ``in_service_gw`` and ``waiting_gw`` at its end [GW], ``accelerators`` in service at its end. Dims
        sample, quarter: ``peak_gw`` (at the meter, hottest hour, end of the quarter), ``average_gw`` [GW], ``twh``,
        ``cost_busd`` (capital by annuity, energy, upkeep and staff of what is in service, and all but energy of what
        waits for room) [billion USD],
        ``training_yflop`` [10^24 FLOP]. With ``region``: ``mt_co2`` [Mt]. With ``part``: ``capex_busd`` (when it is
        delivered), ``opex_busd`` [billion USD]. With ``workload``: ``tokens_tn`` on offer [trillion tokens],
        ``usd_per_million_tokens``.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the deal, scenario, region, quarter or input that is not known, or the figure out of bounds.

    Notes
    -----
    Work is on offer in the proportions of ``data/workloads.csv``: a share of busy time goes to each kind. A retired
    accelerator is not replaced. The grid's intensity falls from the year that its figure is of.
    """
    if name not in PHYSICAL:
        raise unknown("scenario", name, PHYSICAL)
    if capacity_basis not in power.BASES:
        raise unknown("capacity_basis", capacity_basis, power.BASES)
    require("software_gain_share_per_year", software_gain_share_per_year, minimum=-0.5, maximum=5)
    terms, shares = catalog.deal(of), region_shares(regions)
    known = ranges(of, regions)
    inputs = draw(of, n, seed, regions) if inputs is None else inputs
    for missing in known.index.difference(inputs.columns):
        raise ValueError(f"inputs need a column {missing!r}; draw them for the same deal and regions")
    inputs = scenarios.applied(inputs, name, known)
    gigawatts = _gigawatts(inputs, terms, name, seed, stops, most_gw, site_gw, life_years, end)
    each = _generations(inputs, terms["accelerator"], shares, capacity_basis)
    found = {f"{k}_gw": v for k, v in gigawatts.items() if k != "average"}
    found["accelerators"] = gigawatts["in_service"] * each["per_gw"]
    found |= _power_and_carbon(inputs, gigawatts, each, shares)
    found |= _money(gigawatts, each)
    first = fleet_inputs.of_default_work(terms["accelerator"])
    found |= _work(inputs, gigawatts, each, first, software_gain_share_per_year, found["cost_busd"])
    for key, unit in UNITS.items():
        found[key] = found[key].assign_attrs(units=unit)
    return xr.Dataset(found)


def _gigawatts(inputs, terms, name, seed, stops, most_gw, site_gw, life_years, end) -> dict[str, xr.DataArray]:
    """Return gigawatts by quarter and generation: on every clock, retired, in service and waiting."""
    capacity_gw = float(terms["public"]["capacity_gw"])
    stop_gw = scenarios.scenario(name).stop_gw
    if stops:
        drawn = rollout.draw_stops(inputs, capacity_gw, rollout.binding_gw(terms["id"]), seed)
        stop_gw = np.minimum(drawn, np.inf if stop_gw is None else stop_gw)
    plan = {"capacity_gw": capacity_gw, "stop_gw": stop_gw, "end": end}
    if most_gw is None:
        clocks = {clock: rollout.schedule(inputs, clock=clock, **plan) for clock in rollout.CLOCKS}
    else:  # supply holds back what is shipped; what follows comes as much later as ever
        clocks = {"shipped": fleet_life.limited(rollout.schedule(inputs, clock="shipped", **plan), most_gw)}
        for before, after, lag in (("shipped", "delivered", "delivery"), ("delivered", "energized", "energized")):
            years = xr.DataArray(inputs[f"{lag}_lag_years"].to_numpy(float), dims="sample")
            clocks[after] = fleet_life.delayed(clocks[before], years)
    life = xr.DataArray(inputs["it_life_years"].to_numpy(float), dims="sample") if life_years is None else life_years
    inside = fleet_life.service(clocks["energized"], life, np.inf if site_gw is None else site_gw)
    return clocks | dict(inside.data_vars)


def _table(columns: dict, dim: str = "generation") -> xr.DataArray:
    """Return columns of samples as a table of dims (sample, dim)."""
    values = np.column_stack([np.asarray(v, float) for v in columns.values()])
    return xr.DataArray(values, {dim: list(columns)}, ("sample", dim))


def _generations(inputs: pd.DataFrame, chip: str, shares: dict, capacity_basis: str) -> dict[str, xr.DataArray]:
    """Return what an accelerator of each generation is, of dims (sample, generation): power, accelerators per GW,
    capital and running cost by part; for the later one from the ratios."""
    price = inputs["system_price_usd"] / inputs["accelerators_per_system"]
    dearer = inputs["content_mi500_busd_per_gw"] / inputs["content_mi455x_busd_per_gw"]
    size = inputs["it_kw_ratio"]
    usd_per_mwh = sum(share * inputs[f"{region} usd_per_mwh"] for region, share in shares.items())
    common = cost.arguments(inputs.assign(usd_per_mwh=usd_per_mwh), inputs["it_kw"])
    assets = ("facility_usd_per_kw", "storage_usd_per_kw")
    kw, capital, hourly = {}, {}, {}
    for generation, ratio, more in zip(rollout.GENERATIONS, (1.0, size), (1.0, dearer), strict=True):
        kw[generation] = inputs["it_kw"] * ratio
        own = common | {"network_usd": common["network_usd"] * ratio}
        asked = {asset: own[asset] for asset in (*assets, "network_usd")}
        capital[generation] = cost.capex_parts_usd(price * ratio * more, kw[generation], **asked)
        hourly[generation] = cost.parts_per_accelerator_hour(price * ratio * more, kw[generation], **own)
    pue = _table(dict.fromkeys(kw, inputs["peak_pue"]))
    it_kw = _table(kw)
    found = {"it_kw": it_kw, "meter_kw": it_kw * pue}
    found["per_gw"] = 1e6 / (found["meter_kw"] if capacity_basis == "facility" else it_kw)
    draws = power.average_draw_kw(1.0, *(common[k] for k in ("busy_share", "active_share", "idle_share")))
    found["average_kw"] = it_kw * _table(dict.fromkeys(kw, draws)) * _table(dict.fromkeys(kw, inputs["annual_pue"]))
    for key, parts, by in (("capital_usd", CAPITAL, capital), ("running_usd_per_h", cost.RUNNING, hourly)):
        tables = [_table({g: by[g][part] for g in kw}) for part in parts]
        found[key] = xr.concat(tables, pd.Index(parts, name="part"))
    found["usd_per_h"] = _table({g: sum(hourly[g].values()) for g in kw})
    return found


def _power_and_carbon(inputs, gigawatts, each, shares) -> dict[str, xr.DataArray]:
    """Return power, energy, and carbon by region."""
    working = gigawatts["average"] * each["per_gw"]
    average_gw = (working * each["average_kw"]).sum("generation") / 1e6
    twh = average_gw * HOURS / 1e3
    decline = xr.DataArray(inputs["grid_decline_share_per_year"].to_numpy(float), dims="sample")
    today = _table({region: share * inputs[f"{region} g_co2_per_kwh"] for region, share in shares.items()}, "region")
    since = xr.DataArray([years_since(region) for region in shares], {"region": list(shares)}, "region")
    mt = power.carbon_t(twh * 1e6, power.grid_g_co2_per_kwh(today, decline, since + years_of(twh))) / 1e6
    peak_gw = (gigawatts["in_service"] * each["per_gw"] * each["meter_kw"]).sum("generation") / 1e6
    return {"peak_gw": peak_gw, "average_gw": average_gw, "twh": twh, "mt_co2": mt}


def _money(gigawatts, each) -> dict[str, xr.DataArray]:
    """Return capital when it is delivered, running cost and whole cost of what is in service. [billion USD]"""
    bought, working = gigawatts["delivered"] * each["per_gw"], gigawatts["average"] * each["per_gw"]
    idle = gigawatts["waiting"] * each["per_gw"] * (each["usd_per_h"] - each["running_usd_per_h"].sel(part="energy"))
    return {
        "capex_busd": (bought * each["capital_usd"]).sum("generation", skipna=False).rename(part="asset") / 1e9,
        "opex_busd": (working * each["running_usd_per_h"]).sum("generation", skipna=False) * HOURS / 1e9,
        "cost_busd": (working * each["usd_per_h"] + idle).sum("generation", skipna=False) * HOURS / 1e9,
    }


def _work(inputs, gigawatts, each, first, gain, cost_busd) -> dict[str, xr.DataArray]:
    """Return tokens by kind of work, FLOPs of training, and what a million tokens costs.

    ``first`` is the throughput of the first generation by kind of work, with its band [tokens/s].
    """
    kinds = fleet_inputs.workloads()
    error, busy = (xr.DataArray(inputs[name].to_numpy(float), dims="sample") for name in (deal.ERROR, "busy_share"))
    rate = within_band(first["tokens_per_s"], first["low"], first["high"], error)
    ratios = (1 + 0 * inputs["it_kw"], inputs["it_kw_ratio"] * inputs["work_per_kw_ratio"])
    more = _table(dict(zip(rollout.GENERATIONS, ratios, strict=True)))
    average = gigawatts["average"]
    working = (average * each["per_gw"] * more).sum("generation") * (1 + gain) ** years_of(average)
    share = _table(fleet_inputs.drawn_shares(inputs), "workload")
    tokens = working * rate * busy * share * HOURS * 3600
    trains = list(kinds.index[kinds["phase"].eq("training")])
    active = arithmetic().loc[kinds.loc[trains, "llm"], "active_params"].to_numpy()
    flops = (tokens.sel(workload=trains) * xr.DataArray(6 * active, {"workload": trains}, "workload")).sum("workload")
    return {
        "tokens_tn": tokens / 1e12,
        "training_yflop": flops / 1e24,
        "usd_per_million_tokens": cost_busd * share * 1e9 / (tokens.where(tokens > 0) / 1e6),
    }


def years_since(region: str) -> float:
    """Return the time from the middle of the year that a region's intensity is of to July 2026. [years]"""
    rows = catalog.provenance(region, "g_co2_per_kwh")
    stated = rows[rows["preferred"] & rows["condition"].eq("average")]["as_of"].iloc[0]
    return 2026.0 - int(str(stated)[:4])


def years_of(table: xr.DataArray) -> xr.DataArray:
    """Return the middle of each quarter of a table, in years from July 2026."""
    return xr.DataArray((np.arange(table.sizes["quarter"]) + 0.5) / 4, {"quarter": table["quarter"]}, "quarter")
