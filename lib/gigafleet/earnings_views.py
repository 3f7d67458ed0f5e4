"""Tables of the deals' earnings as the notebooks show them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, deal, earnings, revenue, rollout, scenarios, uncertainty
from gigafleet.tell import number, spans

TOUCH_WORDS = {
    "ever": "whenever it is reached before expiry",
    "from_milestone": "from the milestone on",
    "at_milestone": "on the day of the milestone",
}
READINGS = {"facility": "at the meter", "it": "at the IT equipment"}


def bands(tables: dict[str, xr.DataArray], over: str = "year") -> dict[str, pd.DataFrame]:
    """Return the intervals of several lines as frames ``low``, ``median``, ``high``, one column a line.

    Parameters
    ----------
    tables
        Name of the line -> its samples, of dims (sample, over).
    over
        ``year`` or ``quarter``.
    """
    each = {name: earnings.intervals(table, over) for name, table in tables.items()}
    return {end: pd.DataFrame({name: band[end] for name, band in each.items()}) for end in ("low", "median", "high")}


def total_share(projection: earnings.Projection, line: str = "contra_busd") -> pd.DataFrame:
    """Return a line over gross revenue, all years, by buyer: ``low``, ``median``, ``high`` [share]."""
    sums = projection.deals.sum("quarter")
    shares = (sums[line] / sums["gross_revenue_busd"]).transpose("sample", "deal").to_pandas()
    return uncertainty.interval(shares.rename(columns=earnings.buyers(shares.columns)))


def clocks(inputs: pd.DataFrame, name: str, of: str, end: str) -> tuple[dict[str, xr.DataArray], np.ndarray]:
    """Return a deal's cumulative gigawatts on each clock, and when its first and its last are delivered.

    Parameters
    ----------
    inputs, name
        Samples and scenario, as :func:`gigafleet.earnings.evaluate` takes them.
    of
        A deal.
    end
        Last quarter.

    Returns
    -------
    dict, array
        Clock -> DataArray (sample, quarter) [GW]; dates of shape (samples, 2) as calendar years with their fraction.
    """
    known = earnings.ranges([of])
    ramp = earnings.of_one(scenarios.applied(inputs[list(known.index)], name, known), of)
    capacity_gw, stop_gw = float(catalog.deal(of)["public"]["capacity_gw"]), earnings.scenario(name).stop_gw
    plan = {"capacity_gw": capacity_gw, "stop_gw": stop_gw, "end": end}
    tables = {c: rollout.schedule(ramp, clock=c, **plan).sum("generation").cumsum("quarter") for c in rollout.CLOCKS}
    quarters = rollout.quarters(end)
    tables = {clock: table.assign_coords(quarter=quarters) for clock, table in tables.items()}
    ends = [1.0, min(capacity_gw, stop_gw or capacity_gw)]
    return tables, 2026.5 + rollout.milestones(ends, ramp, capacity_gw, stop_gw=stop_gw)


def generations(inputs: pd.DataFrame, name: str, of: str, end: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a deal's mean gigawatts by quarter, one column a generation, and the 90 % interval of their sum; quarters
    with shipments only. [GW]"""
    known = earnings.ranges([of])
    ramp = earnings.of_one(scenarios.applied(inputs[list(known.index)], name, known), of)
    capacity_gw = float(catalog.deal(of)["public"]["capacity_gw"])
    table = rollout.schedule(ramp, capacity_gw, stop_gw=earnings.scenario(name).stop_gw, end=end)
    mean = table.mean("sample").to_pandas().rename_axis(columns=None)
    ends = earnings.intervals(table.sum("generation"), "quarter").set_axis(mean.index)
    shown = mean.sum(axis=1) > 0.01 * mean.to_numpy().max()
    return mean[shown], ends[shown]


def by_buyer(projection: earnings.Projection, last: int, line: str = "gross_revenue_busd") -> pd.DataFrame:
    """Return the mean of a line by year up to a last one, one column a buyer; years that matter, with a hundredth of
    the best one or more."""
    table = rollout.by_year(projection.deals[line].mean("sample")).transpose("year", "deal").to_pandas()
    table = table.rename(columns=earnings.buyers(table.columns)).rename_axis(columns=None)
    return table[table.sum(axis=1) > 0.01 * table.sum(axis=1).max()].loc[:last]


def content(n: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return revenue per gigawatt from accelerators times price, on both readings, and as analysts put it.

    Returns
    -------
    DataFrame, DataFrame
        ``value``, ``low``, ``high`` by whose figure it is [billion USD/GW]; :func:`gigafleet.revenue.bottom_up`.
    """
    counts = {
        name: deal.evaluate(n=n, seed=seed, capacity_gw=1.0, capacity_basis=basis)["accelerators"]
        for basis, name in READINGS.items()
    }
    below = revenue.bottom_up(pd.DataFrame({name: uncertainty.interval(x) for name, x in counts.items()}).T)
    ours = below[["low", "high"]].assign(value=below[["low", "high"]].mean(axis=1))
    ours.index = "accelerators × price, " + below.index
    rows = catalog.provenance("amd-openai", "content_busd_per_gw").query("condition != 'announced_floor'")
    middles = rows["value"].isna().map({True: ", middle of its range", False: ""})
    rows.index = (
        rows["publisher"].str.split(",").str[0] + rows["condition"].map({"mi500": ", MI500"}).fillna("") + middles
    )
    theirs = rows[["low", "high"]].assign(value=rows["value"].fillna(rows[["low", "high"]].mean(axis=1)))
    return pd.concat([ours, theirs]), below


def content_text(below: pd.DataFrame) -> pd.DataFrame:
    """Return :func:`gigafleet.revenue.bottom_up` as text, under readable names."""
    return pd.DataFrame(
        {
            "accelerators per GW": below["accelerators_per_gw"].map(number),
            "price of one, rumored [USD]": spans(below["price_low_usd"], below["price_high_usd"]),
            "accelerators [billion USD/GW]": spans(below["low"], below["high"]),
            "analysts' content [billion USD/GW]": spans(below["content_low"], below["content_high"]),
            "gap [billion USD/GW]": spans(below["gap_low"], below["gap_high"]),
            "of it network [billion USD/GW]": spans(below["network_low"], below["network_high"]),
            "price that closes it [USD]": below["price_needed_usd"].map(number),
        }
    )


def bridge(projection: earnings.Projection) -> pd.DataFrame:
    """Return the steps from gross revenue to net income over all years.

    Returns
    -------
    DataFrame
        One row a step or subtotal, in billion USD: ``step``, the mean, NaN where a subtotal stands; ``low`` and
        ``high``, the 90 % interval of the step, or of the subtotal, over the samples.
    """
    each = earnings.whole(projection)
    samples = {
        "gross revenue": each["gross_revenue_busd"],
        "contra-revenue": -each["contra_busd"],
        "net revenue": each["revenue_busd"],
        "cost of sales": each["gross_profit_busd"] - each["revenue_busd"],
        "gross profit": each["gross_profit_busd"],
        "operating cost": each["operating_busd"] - each["gross_profit_busd"],
        "tax": each["net_income_busd"] - each["operating_busd"],
        "net income": each["net_income_busd"],
    }
    table = uncertainty.interval(pd.DataFrame(samples))[["low", "high"]]
    step = pd.DataFrame(samples).mean()
    step[["net revenue", "gross profit", "net income"]] = np.nan
    return table.assign(step=step)


def consensus_text(expected: pd.DataFrame) -> pd.DataFrame:
    """Return :func:`gigafleet.earnings.consensus` as text, under readable names."""
    ours = expected["median"].map(number) + " (" + spans(expected["low"], expected["high"]) + ")"
    return pd.DataFrame(
        {
            "analysts' mean": expected["published"].map(number),
            "lowest to highest": spans(expected["published_low"], expected["published_high"]),
            "ours, all AMD": ours,
            "unit": expected["unit"],
            "as of": expected["as_of"],
        }
    )


def compare_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return :func:`gigafleet.earnings.compare` as text, under readable names."""
    gross = table["gross_revenue_busd"].map(number) + " (" + spans(table["gross_low"], table["gross_high"]) + ")"
    text = pd.DataFrame(
        {
            "gigawatts": table.index.get_level_values("gigawatts"),
            "shipped [GW]": table["shipped_gw"].map(number),
            "gross revenue [billion USD]": gross,
            "contra-revenue": table["contra_busd"].map(number),
            "net income": table["net_income_busd"].map(number),
            "net income, discounted": table["discounted_busd"].map(number),
            "best year": table["best_year"].astype(int).astype(str),
            "net revenue in it": table["revenue_busd"].map(number),
            "earnings per share in it, deals [USD]": table["eps_increment_usd"].map(number),
        }
    )
    return text.set_index(table.index.get_level_values("scenario"))


def by_year_text(years: xr.Dataset, last: int) -> pd.DataFrame:
    """Return revenue and earnings per share by year with their 90 % intervals, as text, up to a year."""
    lines = {
        "gross_revenue_busd": "gross revenue, deals [billion USD]",
        "contra_busd": "contra-revenue [billion USD]",
        "total_revenue_busd": "revenue, all AMD [billion USD]",
        "eps_increment_usd": "earnings per share, deals [USD]",
        "eps_usd": "earnings per share, all AMD [USD]",
    }
    table = {}
    for line, name in lines.items():
        band = earnings.intervals(years[line]).loc[2027:last]
        table[name] = band["median"].map(number) + " (" + spans(band["low"], band["high"]) + ")"
    return pd.DataFrame(table)


def by_clock(projections: dict[str, earnings.Projection], last: int) -> pd.DataFrame:
    """Return contra-revenue and net revenue of the deals by year on several clocks, as means.

    Parameters
    ----------
    projections
        Name of the clock -> the projection with its contra-revenue on that clock.
    last
        Last year that has a row of its own.

    Returns
    -------
    DataFrame
        One row a year, from the second half of 2026 on, and ``all years``, with those after the last one; one column a
        line and clock. [billion USD]
    """
    table = {}
    for line, name in {"contra_busd": "contra-revenue", "revenue_busd": "net revenue"}.items():
        for clock, projection in projections.items():
            years = rollout.by_year(projection.deals[line].sum("deal").mean("sample")).to_pandas()
            table[f"{name}, {clock} [billion USD]"] = pd.concat(
                [years.loc[:last], pd.Series({"all years": years.sum()})]
            )
    return pd.DataFrame(table)


def cash_bands(cash: pd.DataFrame, payments: str, flow: str) -> dict[str, pd.DataFrame]:
    """Return :func:`gigafleet.payers.buyer_cash` as frames ``low``, ``median``, ``high`` with two named lines; the
    projected cash flow has no range."""
    projected = {"low": np.nan, "median": cash["cash_flow_busd"], "high": np.nan}
    return {end: pd.DataFrame({payments: cash[end], flow: line}) for end, line in projected.items()}


def used_sources(deals: Iterable[str]) -> list[str]:
    """Return the sources behind the earnings of some deals, the buyers' cash and Oracle's order."""
    used = set(earnings.ranges(deals)["source_id"]) | set(catalog.amd_quarters()["source_id"])
    for name in deals:
        terms = catalog.deal(name)
        used |= {*terms["public"]["sources"], *(terms["warrant"] or {"public": {"sources": []}})["public"]["sources"]}
    facts = catalog.facts()
    buyer = facts["subject"].eq("OpenAI") & facts["quantity"].str.contains("cash_flow|commitments|capex")
    vendor = facts["subject"].eq("AMD") & facts["quantity"].str.contains("consensus|guidance|diluted|price_usd")
    priced = facts["quantity"].eq("content_busd_per_gw") | (facts["subject"].eq("MI455X") & vendor)
    clouds = facts["subject"].eq("amd-oracle")
    return sorted(used | set(facts[buyer | clouds | (vendor & facts["preferred"]) | priced]["source_id"]))
