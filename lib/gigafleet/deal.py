"""The deal in one vectorised call: from gigawatts to accelerators, compute, energy, carbon and cost.

A point estimate is the same call with one row. The roll-out, AMD's revenue and the warrant join the chain in later
versions.
"""

import numpy as np
import pandas as pd

from gigafleet import catalog, cost, power, uncertainty
from gigafleet.errors import require, unknown

PRICE_BASES = ("hyperscaler", "rumour")

SPECIFICATIONS = {
    "bf16_tflops": "bf16_eflops",
    "fp8_tflops": "fp8_eflops",
    "fp4_tflops": "fp4_eflops",
    "memory_gb": "memory_pb",
}

INPUTS = [
    "it_kw",
    *cost.COMMON,
    "usd_per_mwh",
    "g_co2_per_kwh",
    *SPECIFICATIONS,
    "accelerators_per_system",
    "system_price_usd",
]
# A published figure -> the answer that it is held against.
PUBLISHED = {
    "accelerators_count": "accelerators",
    "site_cost_busd_per_gw": "capex_busd_per_gw",
    "annual_cost_busd_per_gw": "tco_busd_per_gw_year",
    "content_busd_per_gw": "system_busd_per_gw",
}
READINGS = {"facility": "at the meter", "it": "at the IT"}
CORRELATED = (("annual_pue", "peak_pue"),)

UNITS = {
    "capacity_gw": "GW",
    "accelerators": "",
    "racks": "",
    "bf16_eflops": "EFLOP/s",
    "fp8_eflops": "EFLOP/s",
    "fp4_eflops": "EFLOP/s",
    "memory_pb": "PB",
    "it_gw": "GW",
    "facility_gw": "GW",
    "average_gw": "GW",
    "twh_per_year": "TWh/yr",
    "mt_co2_per_year": "Mt/yr",
    "capex_busd": "billion USD",
    "capex_busd_per_gw": "billion USD/GW",
    "system_busd_per_gw": "billion USD/GW",
    "cost_busd_per_year": "billion USD/yr",
    "tco_busd_per_gw_year": "billion USD/GW/yr",
    "usd_per_accelerator_hour": "USD/h",
}
NAMES = {
    "capacity_gw": "contracted capacity",
    "accelerators": "accelerators",
    "racks": "racks",
    "bf16_eflops": "dense BF16 compute",
    "fp8_eflops": "dense FP8 compute",
    "fp4_eflops": "dense FP4 compute",
    "memory_pb": "high-bandwidth memory",
    "it_gw": "IT power",
    "facility_gw": "power at the meter, hottest hour",
    "average_gw": "power at the meter, average",
    "twh_per_year": "electricity",
    "mt_co2_per_year": "carbon dioxide",
    "capex_busd": "capital",
    "capex_busd_per_gw": "capital per GW",
    "system_busd_per_gw": "of it racks or servers, per GW",
    "cost_busd_per_year": "cost a year",
    "tco_busd_per_gw_year": "cost per GW and year",
    "usd_per_accelerator_hour": "cost of an accelerator-hour",
}


def price_basis(system: str) -> str:
    """Return the basis on which a system's price is known: the first of :data:`PRICE_BASES`, or an empty text."""
    rows = catalog.facts()
    rows = rows[(rows["subject"] == system) & (rows["quantity"] == "price_usd")]
    return next((basis for basis in PRICE_BASES if basis in set(rows["condition"])), "")


def ranges(deal: str = "amd-openai", region: str = "us") -> pd.DataFrame:
    """Return every input of :func:`evaluate` with its range and source.

    Parameters
    ----------
    deal
        A deal of ``deals.yaml``.
    region
        A region, for the price of electricity and the carbon intensity.

    Returns
    -------
    DataFrame
        Indexed by input, as :func:`gigafleet.catalog.ranges` gives it. An input that no source gives has no row.

    Raises
    ------
    UnknownNameError
        Naming the deal or region that is not known.
    """
    terms = catalog.deal(deal)
    region = catalog.find(region, "region")
    where = {"it_kw": (terms["accelerator"], "all_in_kw"), **cost.COMMON}
    where |= {"usd_per_mwh": (region, "usd_per_mwh"), "g_co2_per_kwh": (region, "g_co2_per_kwh")}
    where |= {name: (terms["accelerator"], name) for name in SPECIFICATIONS}
    if terms["system"]:
        where["accelerators_per_system"] = (terms["system"], "accelerators_per_system")
        if basis := price_basis(terms["system"]):
            where["system_price_usd"] = (terms["system"], "price_usd", basis)
    return catalog.ranges({name: place for name, place in where.items() if catalog.has(*place)})


def correlations() -> dict[tuple[str, str], float]:
    """Return the rank correlations of inputs, from the data."""
    return {pair: catalog.value("ai-datacenter", "rank_correlation", " with ".join(pair)) for pair in CORRELATED}


def evaluate(
    inputs: pd.DataFrame | None = None,
    deal: str = "amd-openai",
    n: int = 1,
    seed: int = 0,
    *,
    capacity_gw: float | None = None,
    capacity_basis: str = "facility",
    region: str = "us",
) -> pd.DataFrame:
    """Return the headline answers of a deal, one row a sample.

    Parameters
    ----------
    inputs
        Inputs, one row a sample; an input that is left out stands at its value in the data. None draws all of them.
    deal
        A deal of ``deals.yaml``.
    n
        Samples, a power of two; 1 gives the point estimate. Not used where ``inputs`` are given.
    seed
        The same seed gives the same samples.
    capacity_gw
        Capacity; the deal's own if None. [GW]
    capacity_basis
        What the gigawatts count: ``facility`` (at the meter, in the hottest hour) or ``it``.
    region
        Where the accelerators stand, for electricity and carbon.

    Returns
    -------
    DataFrame
        Columns as in :data:`UNITS`; NaN where a figure that they need is not known (a price, say).

    Raises
    ------
    UnknownNameError, ValueError
        Naming the deal, region, basis or input that is not known, or the figure out of bounds.
    """
    if capacity_basis not in power.BASES:
        raise unknown("capacity_basis", capacity_basis, power.BASES)
    capacity_gw = catalog.deal(deal)["public"]["capacity_gw"] if capacity_gw is None else capacity_gw
    require("capacity_gw", capacity_gw, above=0)
    table = ranges(deal, region)
    if inputs is None:
        drawn = uncertainty.sample(table, n, seed, correlations())
    else:
        for name in inputs.columns.difference(table.index):
            raise unknown("input", name, table.index)
        values = uncertainty.prepare(table)["value"]
        drawn = inputs.assign(**{name: values[name] for name in table.index.difference(inputs.columns)})
    return _answers(drawn.reindex(columns=INPUTS), capacity_gw, capacity_basis)


def _answers(drawn: pd.DataFrame, capacity_gw: float, capacity_basis: str) -> pd.DataFrame:
    it_kw = drawn["it_kw"]
    accelerators = power.accelerators(capacity_gw, it_kw, drawn["peak_pue"], basis=capacity_basis)
    arguments = cost.arguments(drawn, it_kw)
    draw = {name: arguments[name] for name in ("busy_share", "active_share", "idle_share")}
    energy_mwh = accelerators * power.energy_mwh(power.average_draw_kw(it_kw, **draw), drawn["annual_pue"])
    price_usd = drawn["system_price_usd"] / drawn["accelerators_per_system"]
    capital = {name: arguments[name] for name in ("facility_usd_per_kw", "network_usd", "storage_usd_per_kw")}
    capex_busd = accelerators * cost.capex_usd(price_usd, it_kw, **capital) / 1e9
    usd_per_h = cost.tco_per_accelerator_hour(price_usd, it_kw, **arguments)
    cost_busd = accelerators * usd_per_h * power.HOURS_PER_YEAR / 1e9
    it_gw = accelerators * it_kw / 1e6
    answers = {
        "capacity_gw": capacity_gw + 0 * accelerators,
        "accelerators": accelerators,
        "racks": accelerators / drawn["accelerators_per_system"],
        **{answer: accelerators * drawn[name] / 1e6 for name, answer in SPECIFICATIONS.items()},
        "it_gw": it_gw,
        "facility_gw": it_gw * drawn["peak_pue"],
        "average_gw": energy_mwh / power.HOURS_PER_YEAR / 1e3,
        "twh_per_year": energy_mwh / 1e6,
        "mt_co2_per_year": power.carbon_t(energy_mwh, drawn["g_co2_per_kwh"]) / 1e6,
        "capex_busd": capex_busd,
        "capex_busd_per_gw": capex_busd / capacity_gw,
        "system_busd_per_gw": accelerators * price_usd / 1e9 / capacity_gw,
        "cost_busd_per_year": cost_busd,
        "tco_busd_per_gw_year": cost_busd / capacity_gw,
        "usd_per_accelerator_hour": usd_per_h,
    }
    return pd.DataFrame(answers)[list(UNITS)]


def breakdown(
    deal: str = "amd-openai", *, capacity_gw: float | None = None, capacity_basis: str = "facility", region: str = "us"
) -> pd.DataFrame:
    """Return what the money goes to, at the point estimate. Arguments and errors as :func:`evaluate`.

    Returns
    -------
    DataFrame
        One row a part of the cost: ``capex_busd`` [billion USD] and ``cost_busd_per_year`` [billion USD/yr]. NaN
        without a price.
    """
    answers = evaluate(None, deal, capacity_gw=capacity_gw, capacity_basis=capacity_basis, region=region).iloc[0]
    point = uncertainty.prepare(ranges(deal, region))["value"].reindex(INPUTS)
    arguments = cost.arguments(point, point["it_kw"])
    price_usd = point["system_price_usd"] / point["accelerators_per_system"]
    if not price_usd > 0:
        return pd.DataFrame(index=list(cost.PARTS), columns=["capex_busd", "cost_busd_per_year"], dtype=float)
    capital = {name: arguments[name] for name in ("facility_usd_per_kw", "network_usd", "storage_usd_per_kw")}
    parts = {
        "capex_busd": cost.capex_parts_usd(price_usd, point["it_kw"], **capital),
        "cost_busd_per_year": cost.parts_per_accelerator_hour(price_usd, point["it_kw"], **arguments),
    }
    table = pd.DataFrame(parts, index=list(cost.PARTS)) * answers["accelerators"] / 1e9
    return table.assign(cost_busd_per_year=table["cost_busd_per_year"] * power.HOURS_PER_YEAR)


def press_count(deal: str, capacity_gw: float) -> tuple[float, float] | None:
    """Return the lowest and highest number of accelerators that the press gives for a deal; None at another
    capacity."""
    if capacity_gw != catalog.deal(deal)["public"]["capacity_gw"] or not catalog.has(
        deal, "accelerators_count", "press"
    ):
        return None
    low, high = (catalog.value(deal, "accelerators_count", "press", case) for case in ("low", "high"))
    return low, high


def by_level(
    deal: str = "amd-openai", n: int = 4096, seed: int = 0, *, capacity_gw: float | None = None
) -> pd.DataFrame:
    """Return how many accelerators a capacity would feed if it counted power at each level.

    Parameters
    ----------
    deal, n, seed, capacity_gw
        As in :func:`evaluate`.

    Returns
    -------
    DataFrame
        One row a level of :data:`gigafleet.power.LEVELS` that a source gives: ``value`` (median), ``low``, ``high``
        (90 % interval).
    """
    terms = catalog.deal(deal)
    capacity_gw = terms["public"]["capacity_gw"] if capacity_gw is None else capacity_gw
    require("capacity_gw", capacity_gw, above=0)
    where = {"chip": (terms["accelerator"], "tdp_w"), "rack": (terms["accelerator"], "all_in_kw", "rack")}
    where |= {"it": (terms["accelerator"], "all_in_kw"), "peak_pue": cost.COMMON["peak_pue"]}
    drawn = uncertainty.sample(catalog.ranges({k: place for k, place in where.items() if catalog.has(*place)}), n, seed)
    drawn = drawn.assign(**({"chip": drawn["chip"] / 1000} if "chip" in drawn else {}))
    drawn["facility"] = drawn["it"] * drawn["peak_pue"]
    levels = [level for level in power.LEVELS if level in drawn]
    counts = capacity_gw * power.accelerators_per_gw(drawn[levels])
    return uncertainty.interval(counts).rename(columns={"median": "value"})[["value", "low", "high"]]


def published(deal: str, readings: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return published figures about a deal and about a gigawatt in general beside our answers.

    Parameters
    ----------
    deal
        A deal of ``deals.yaml``.
    readings
        Reading of the gigawatts (``facility``, ``it``) -> intervals of the answers, as
        :func:`gigafleet.uncertainty.interval` gives them.

    Returns
    -------
    DataFrame
        One row a figure that we have an answer for (a count of accelerators only at the deal's own capacity):
        ``answer``, ``unit``, ``condition``, ``published_low``, ``published_high``, ``source``, ``as_of``; for each
        reading its ``median``, ``low`` and ``high``; ``agrees``: the readings whose 90 % interval overlaps the
        published figure.
    """
    rows = catalog.facts()
    rows = rows[
        rows["subject"].isin([catalog.deal(deal)["id"], "gigawatt-site"]) & rows["quantity"].isin(list(PUBLISHED))
    ]
    table = rows[["condition", "unit", "as_of", "note"]].assign(
        answer=rows["quantity"].map(PUBLISHED),
        published_low=rows["low"].fillna(rows["value"]),
        published_high=rows["high"].fillna(rows["value"]),
        source=rows["source_id"].map(catalog.sources()["publisher"]),
    )
    capacity_gw = catalog.deal(deal)["public"]["capacity_gw"]
    if any(intervals.loc["capacity_gw", "median"] != capacity_gw for intervals in readings.values()):
        table = table[table["answer"] != "accelerators"]  # a count belongs to the deal's own capacity
    known = [intervals["median"].reindex(table["answer"]).notna().to_numpy() for intervals in readings.values()]
    table = table[np.logical_and.reduce(known)]
    agrees = pd.Series("", table.index)
    for reading, intervals in readings.items():
        ours = intervals.loc[table["answer"]].set_index(table.index)
        table = table.join(ours.add_prefix(f"{reading}_"))
        overlaps = (ours["low"] <= table["published_high"]) & (ours["high"] >= table["published_low"])
        agrees += overlaps.map({True: f" {reading}", False: ""})
    return table.assign(agrees=agrees.str.strip().str.replace(" ", " and ").replace("", "neither")).reset_index(
        drop=True
    )


def beside(answer: str, table: pd.DataFrame, readings: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return our intervals of one answer and the published figures below them, for a chart.

    Parameters
    ----------
    answer
        A name of :data:`UNITS`.
    table
        From :func:`published`.
    readings
        As for :func:`published`.

    Returns
    -------
    DataFrame
        Indexed by whose figure it is: ``value``, ``low``, ``high``; a published range has its middle as value.
    """
    ours = pd.DataFrame({f"ours, {READINGS[reading]}": x.loc[answer] for reading, x in readings.items()}).T
    rows = table[table["answer"] == answer]
    ends = rows[["published_low", "published_high"]]
    theirs = pd.DataFrame({"low": ends["published_low"], "median": ends.mean(axis=1), "high": ends["published_high"]})
    theirs.index = rows["source"] + ", " + rows["condition"].str.replace("_", " ") + ", " + rows["as_of"].str[:7]
    return pd.concat([ours, theirs]).rename(columns={"median": "value"})[["value", "low", "high"]]


def by_region(answers: pd.DataFrame, regions: pd.DataFrame, level: float = 0.9) -> pd.DataFrame:
    """Return carbon and the electricity bill of the same energy in several regions.

    Parameters
    ----------
    answers
        Samples from :func:`evaluate`.
    regions
        As :func:`gigafleet.catalog.regions` gives it: ``g_co2_per_kwh``, ``g_co2_per_kwh_marginal``, ``usd_per_mwh``.
    level
        Probability inside the interval, which is that of the energy; the grid's intensity has none.

    Returns
    -------
    DataFrame
        One row a region: ``mt_co2`` (median, at the grid's average intensity), ``mt_co2_low``, ``mt_co2_high``,
        ``mt_co2_marginal`` (median, at the marginal intensity) [Mt/yr] and ``electricity_busd`` [billion USD/yr]; NaN
        where no source gives the figure.
    """
    mwh = uncertainty.interval(answers["twh_per_year"] * 1e6, level)
    average = regions["g_co2_per_kwh"]
    table = {
        "mt_co2": power.carbon_t(mwh["median"], average) / 1e6,
        "mt_co2_low": power.carbon_t(mwh["low"], average) / 1e6,
        "mt_co2_high": power.carbon_t(mwh["high"], average) / 1e6,
        "mt_co2_marginal": power.carbon_t(mwh["median"], regions["g_co2_per_kwh_marginal"]) / 1e6,
        "electricity_busd": mwh["median"] * regions["usd_per_mwh"] / 1e9,
    }
    return pd.DataFrame(table, index=regions.index)
