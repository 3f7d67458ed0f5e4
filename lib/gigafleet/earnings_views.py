"""Tables of the deals' earnings as the notebooks show them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, deal, earnings, power, revenue, rollout, scenarios, uncertainty
from gigafleet.tell import between, number, ranged, spans, when

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


def generations(inputs: pd.DataFrame, name: str, of: str, end: str) -> xr.DataArray:
    """Return samples of a deal's gigawatts by quarter and generation, of dims (sample, quarter, generation). [GW]

    Arguments as :func:`clocks`.
    """
    known = earnings.ranges([of])
    ramp = earnings.of_one(scenarios.applied(inputs[list(known.index)], name, known), of)
    capacity_gw = float(catalog.deal(of)["public"]["capacity_gw"])
    return rollout.schedule(ramp, capacity_gw, stop_gw=earnings.scenario(name).stop_gw, end=end)


def generation_bands(mix: xr.DataArray) -> dict[str, pd.DataFrame]:
    """Return the intervals of :func:`generations` as :func:`bands`, one column a generation."""
    return bands({str(one): mix.sel(generation=one, drop=True) for one in mix["generation"].to_numpy()}, "quarter")


def overtaking(mix: xr.DataArray) -> str:
    """Return in words when the second generation of :func:`generations` outweighs the first, in 90 % of the samples."""
    first, second = (mix.sel(generation=one).to_numpy() for one in mix["generation"].to_numpy())
    ahead, (old, new) = second > first, mix["generation"].to_numpy()
    starts = 2026.5 + np.where(ahead.any(axis=1), ahead.argmax(axis=1), np.inf) / 4
    low, high = np.quantile(starts, [0.05, 0.95], method="inverted_cdf")
    if np.isfinite(high):
        return f"{new} first outweighs {old} in {between_quarters(low, high)}, in 90 % of samples"
    never = number(100 * np.isinf(starts).mean(), 2)
    if np.isfinite(low):
        return f"{new} first outweighs {old} in {when(low)} or later, in {never} % of samples in no quarter"
    return f"{old} serves most of it in every quarter" + (f", in {never} % of samples" if ahead.any() else "")


def between_quarters(low: float, high: float) -> str:
    """Return two points in time as quarters, one where they are the same.

    >>> between_quarters(2027.6, 2028.0), between_quarters(2027.6, 2027.7)
    ('2027Q3 to 2028Q1', '2027Q3')
    """
    return " to ".join(dict.fromkeys([when(low), when(high)]))


def best_text(best: pd.Series) -> str:
    """Return how often each year is the best, as text; years with less than a tenth of the samples are left out.

    >>> best_text(pd.Series([2029, 2028, 2029, 2029])), best_text(pd.Series([2029]))
    ('2029 (75 % of samples) or 2028 (25 %)', '2029 (all samples)')
    """
    shares = 100 * best.value_counts(normalize=True)
    if len(shares) == 1:
        return f"{shares.index[0]} (all samples)"
    kept = shares[shares >= min(10, shares.max())]
    told = [f"{year} ({number(share, 2)} %)" for year, share in kept.items()]
    told[0] = told[0].replace("%", "% of samples")
    return " or ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def by_buyer(projection: earnings.Projection, last: int, line: str = "gross_revenue_busd") -> pd.DataFrame:
    """Return the mean of a line by year up to a last one, one column a buyer; years that matter, with a hundredth of
    the best one or more."""
    table = rollout.by_year(projection.deals[line].mean("sample")).transpose("year", "deal").to_pandas()
    table = table.rename(columns=earnings.buyers(table.columns)).rename_axis(columns=None)
    return table[table.sum(axis=1) > 0.01 * table.sum(axis=1).max()].loc[:last]


def content(n: int, seed: int) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return revenue per gigawatt from accelerators times price, on both readings, and as analysts put it.

    Returns
    -------
    DataFrame, dict
        ``value``, ``low``, ``high`` by whose figure it is [billion USD/GW]: of accelerators times price the median and
        the 90 % interval, of analysts the range that they give; intervals of :func:`gigafleet.revenue.bottom_up` as
        :func:`gigafleet.uncertainty.intervals`, one row a reading.
    """
    count = deal.physical_ranges("amd-openai").loc[["it_kw", "peak_pue"]]
    drawn = uncertainty.sample(pd.concat([count, catalog.ranges(revenue.BOTTOM_UP)]), n, seed)
    priced = [drawn[name] for name in revenue.BOTTOM_UP]
    below = {}
    for basis, name in READINGS.items():
        counted = power.accelerators(1.0, drawn["it_kw"], drawn["peak_pue"], basis=basis)
        below[name] = revenue.bottom_up(counted, *priced)
    below = uncertainty.intervals(below)
    ours = {end: table["accelerators_busd_per_gw"] for end, table in below.items()}
    ours = pd.DataFrame(ours).rename(columns={"median": "value"})
    ours.index = "accelerators × price, " + ours.index
    rows = catalog.provenance("amd-openai", "content_busd_per_gw").query("condition != 'announced_floor'")
    middles = rows["value"].isna().map({True: ", middle of its range", False: ""})
    rows.index = (
        rows["publisher"].str.split(",").str[0] + rows["condition"].map({"mi500": ", MI500"}).fillna("") + middles
    )
    theirs = rows[["low", "high"]].assign(value=rows["value"].fillna(rows[["low", "high"]].mean(axis=1)))
    return pd.concat([ours, theirs]), below


def published_span(name: str) -> str:
    """Return the range of an input of :data:`gigafleet.revenue.BOTTOM_UP` as it is published, as text."""
    return between(*(catalog.value(*revenue.BOTTOM_UP[name], end) for end in ("low", "high")))


def content_text(below: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the intervals of :func:`content` as text, under readable names, beside what is published."""
    names = {
        "accelerators_per_gw": "accelerators per GW",
        "accelerators_busd_per_gw": "accelerators [billion USD/GW]",
        "gap_busd_per_gw": "gap [billion USD/GW]",
        "network_busd_per_gw": "of it network [billion USD/GW]",
        "price_needed_usd": "price that closes it [USD]",
    }
    text = ranged(below["median"], below["low"], below["high"])[list(names)].rename(columns=names)
    text.insert(1, "price of one, rumored [USD]", published_span("price_usd"))
    text.insert(3, "analysts' content [billion USD/GW]", published_span("content_busd_per_gw"))
    return text


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


def compare_text(cases: dict[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """Return :func:`gigafleet.earnings.compare` as text, under readable names: medians and 90 % intervals."""
    names = {
        "shipped_gw": "shipped [GW]",
        "gross_revenue_busd": "gross revenue [billion USD]",
        "contra_busd": "contra-revenue",
        "net_income_busd": "net income",
        "discounted_busd": "net income, discounted",
        "best_year": "best year",
        "revenue_busd": "net revenue in it",
        "eps_increment_usd": "earnings per share in it, deals [USD]",
    }
    ends = {end: table.round(9) for end, table in uncertainty.intervals(cases).items()}  # 14 GW, however they add up
    text = ranged(ends["median"], ends["low"], ends["high"])
    shares = {key: samples["best_year"].value_counts(normalize=True) for key, samples in cases.items()}
    text["best_year"] = [f"{one.index[0]}, in {number(100 * one.iloc[0], 2)} %" for one in shares.values()]
    text = text[list(names)].rename(columns=names)
    text.insert(0, "gigawatts", text.index.get_level_values(1))
    return text.set_index(text.index.get_level_values(0).rename("scenario"))


def change(samples: pd.Series) -> str:
    """Return a difference of samples in words, with its 90 % interval and, where that holds both, its open sign.

    >>> change(pd.Series([2.0, 2.0])), change(pd.Series([-3.0])), change(pd.Series([0.0]))
    ('rises by 2 billion USD', 'falls by 3 billion USD', 'stays the same')
    >>> change(pd.Series([-1.0, 2.0]))
    'changes by -0.85 to +1.85 billion USD, its sign open'
    """
    low, _, high = uncertainty.interval(samples)
    if low < 0 < high:
        return f"changes by {number(low)} to +{number(high)} billion USD, its sign open"
    if low == high == 0:
        return "stays the same"
    ends = between(low, high) if high > 0 else between(-high, -low)
    return f"{'rises' if high > 0 else 'falls'} by {ends} billion USD"


def by_year_text(years: xr.Dataset, last: int) -> pd.DataFrame:
    """Return revenue and earnings per share by year with their 90 % intervals, as text, up to a year."""
    lines = {
        "gross_revenue_busd": "gross revenue, deals [billion USD]",
        "contra_busd": "contra-revenue [billion USD]",
        "base_revenue_busd": "revenue without the deals [billion USD]",
        "total_revenue_busd": "revenue, all AMD [billion USD]",
        "eps_increment_usd": "earnings per share, deals [USD]",
        "eps_usd": "earnings per share, all AMD [USD]",
    }
    return _ranged({name: years[line] for line, name in lines.items()}).loc[2027:last]


def _ranged(tables: dict[str, xr.DataArray], digits: int = 3) -> pd.DataFrame:
    """Return samples by year as text: medians and 90 % intervals, one column a name."""
    band = bands(tables)
    return ranged(band["median"], band["low"], band["high"], digits)


def buyers_text(projection: earnings.Projection, last: int) -> pd.DataFrame:
    """Return what each buyer takes by year, with 90 % intervals, as text, up to a year."""
    lines = {"gross_revenue_busd": "gross revenue [billion USD]", "shipped_gw": "shipped [GW]"}
    tables = {}
    for line, name in lines.items():
        years = rollout.by_year(projection.deals[line])
        for one, buyer in earnings.buyers(years["deal"].to_numpy()).items():
            tables[f"{buyer}, {name}"] = years.sel(deal=one, drop=True)
    return _ranged(tables).loc[:last]


def shares_text(years: xr.Dataset, last: int) -> pd.DataFrame:
    """Return diluted shares and earnings per share without and with warrant shares by year, and the difference that
    these make sample by sample, with 90 % intervals, as text, up to a year."""
    counts = {"shares_m": "diluted shares [million]", "shares_with_warrant_m": "with vested warrant shares [million]"}
    without = years["eps_without_warrant_shares_usd"]
    each = {
        "earnings per share, without warrant shares [USD]": without,
        "with them [USD]": years["eps_usd"],
        "difference [USD]": years["eps_usd"] - without,
    }
    found = [_ranged({name: years[line] for line, name in counts.items()}, 4), _ranged(each)]
    return pd.concat(found, axis=1).loc[2027:last]


def by_clock(projections: dict[str, earnings.Projection], last: int) -> dict[str, pd.DataFrame]:
    """Return contra-revenue and net revenue of the deals by year on several clocks.

    Parameters
    ----------
    projections
        Name of the clock -> the projection with its contra-revenue on that clock.
    last
        Last year that has a row of its own.

    Returns
    -------
    dict
        ``mean``, as means add up, and the ends ``low`` and ``high`` of the 90 % interval: frames with one row a year,
        from the second half of 2026 on, and ``all years``, with those after the last one; one column a line and clock.
        [billion USD]
    """
    found = {"mean": {}, "low": {}, "high": {}}
    for line, name in {"contra_busd": "contra-revenue", "revenue_busd": "net revenue"}.items():
        for clock, projection in projections.items():
            years = rollout.by_year(projection.deals[line].sum("deal")).transpose("sample", "year").to_pandas()
            shown = years.loc[:, :last].assign(**{"all years": years.sum(axis=1)})
            ends = uncertainty.interval(shown).assign(mean=shown.mean())
            for end, table in found.items():
                table[f"{name}, {clock} [billion USD]"] = ends[end]
    return {end: pd.DataFrame(table) for end, table in found.items()}


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
