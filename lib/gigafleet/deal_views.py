"""The deal's answers as tables and pictures: the chain, what moves each headline, and deals side by side."""

import functools

import numpy as np
import pandas as pd

from gigafleet import catalog, cost, deal, operation, operation_views, power, rollout, tell, uncertainty
from gigafleet.tell import between, input_name, number

THIN = 1.0  # width of an arrow of goods without a price, as if it carried so many billion USD
# Headlines that are taken apart, and what they are called in a narrow column.
HEADLINES = {
    "accelerators": "accelerators",
    "fp4_eflops": "compute",
    "twh_per_year": "electricity",
    "mt_co2_per_year": "carbon",
    "capex_busd": "capital",
    "cost_busd_per_year": "cost a year",
    "tokens_tn_per_day": "tokens a day",
    "usd_per_million_tokens": "cost of a token",
    "gross_revenue_busd": "vendor's revenue",
    "gross_profit_busd": "vendor's profit",
    "net_income_busd": "vendor's income",
    "eps_2028_usd": "EPS of 2028",
    "warrant_grant_busd": "warrant at grant",
    "rebate_percent": "rebate",
}
LEVELS = {
    "chip": "chip TDP alone",
    "rack": "rack nameplate",
    "it": "IT, with network",
    "facility": "meter, hottest hour",
}
LEVEL_INPUTS = {"chip": "TDP of the chip", "rack": "power of the rack", "it": "IT power", "peak_pue": "PUE"}
KINDS = {
    "analyst": "analysts",
    "press": "press",
    "measured": "measured",
    "filing": "filings",
    "datasheet": "datasheets",
    "vendor-announcement": "the vendor",
    "assumption": "assumptions",
}


def words(name: str) -> str:
    """Return the name of an input of the deal in words; its rate is that of the owner's capital."""
    return "cost of capital" if name == "rate" else input_name(name)


def by_kind(kinds: pd.Series, rest: tuple[str, ...] = ()) -> str:
    """Return who says what, as text: inputs by the kind of their source, in the order of :data:`KINDS`.

    Parameters
    ----------
    kinds
        Indexed by input, in words: a kind, as :func:`gigafleet.deal.ranges` gives it.
    rest
        Kinds whose inputs are called "the rest" and not named.

    >>> by_kind(pd.Series({"PUE": "assumption", "price of electricity": "press"}))
    'price of electricity: press; PUE: assumptions'
    """
    there = [kind for kind in KINDS if (kinds == kind).any()]
    said = [f"{tell.listed(kinds.index[kinds == kind])}: {KINDS[kind]}" for kind in there if kind not in rest]
    last = [KINDS[kind] for kind in there if kind in rest]
    return "; ".join([*said, *([f"the rest: {tell.listed(last)}"] if last else [])])


def cost_kinds(name: str, region: str = "us") -> pd.Series:
    """Return the kinds of the sources of what a deal's cost rests on, by input in words; the network per kW only
    where the accelerator's own is not known."""
    known = deal.physical_ranges(name, region)
    own = "network_usd" in known.index
    left_out = [
        *deal.SPECIFICATIONS,
        "accelerators_per_system",
        "g_co2_per_kwh",
        deal.ERROR,
        *(["network_usd_per_kw"] if own else []),
    ]
    return known.drop(index=left_out, errors="ignore")["kind"].rename(index=words)


def off_median(name: str, tables: dict[str, pd.DataFrame], ends: pd.DataFrame) -> tuple[str, float, str]:
    """Return the headline that lies furthest from its median with all inputs at their values, what it is there, and
    the inputs whose value is an end of their range, which the samples move to one side only, as text.

    Parameters
    ----------
    name
        The deal.
    tables
        From :func:`swings`.
    ends
        Intervals of the deal's answers, as :func:`gigafleet.uncertainty.interval` gives them.
    """
    points = pd.Series({column: table["value"].iloc[0] for column, table in tables.items()})
    furthest = (points / ends.loc[points.index, "median"] - 1).abs().idxmax()
    known = deal.ranges(name)
    at_an_end = (known["value"] == known["low"]) | (known["value"] == known["high"])
    moved = [words(one) for one in known.index[at_an_end & (known["low"] < known["high"])]]
    return furthest, points[furthest], tell.listed(moved) if moved else ""


def _function(name: str, settings: dict):
    return lambda cases: deal.evaluate(cases, name, **settings)


def swings(name: str = "amd-openai", region: str = "us", **settings) -> dict[str, pd.DataFrame]:
    """Return for each headline that is known how far it moves with each input: headline -> a table as
    :func:`gigafleet.uncertainty.tornado` gives it.

    Parameters
    ----------
    name, region
        The deal and where its accelerators stand.
    settings
        ``capacity_gw`` and ``capacity_basis``, as :func:`gigafleet.deal.evaluate`.
    """
    known = deal.ranges(name, region)
    evaluate, kept = _function(name, {"region": region, **settings}), {}

    def one(cases: pd.DataFrame, column: str) -> pd.Series:
        if "answers" not in kept:  # the cases are the same for every headline
            kept["answers"] = evaluate(cases)
        return kept["answers"][column]

    tables = {column: uncertainty.tornado(functools.partial(one, column=column), known) for column in HEADLINES}
    return {column: table for column, table in tables.items() if table["value"].notna().any()}


def labeled(tables: dict[str, pd.DataFrame], known: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables of :func:`swings` under readable names with the inputs' units, for
    :func:`gigafleet.panel_plots.tornados`. ``known`` are the inputs, as :func:`gigafleet.deal.ranges` gives them."""
    units = known["unit"].fillna("").replace({"ratio": "", "share": ""})
    names = {name: f"{words(name)} [{unit}]" if unit else words(name) for name, unit in units.items()}
    return {deal.LABELS[column]: t.rename(index=names) for column, t in tables.items()}


def first_movers(tables: dict[str, pd.DataFrame], columns: list[str]) -> list[str]:
    """Return what moves some headlines most, as "capital on the price of the system"; of the tables of :func:`swings`
    those that there are."""
    return [f"{HEADLINES[c]} on the {words(tables[c].index[0])}" for c in columns if c in tables]


def swing_matrix(tables: dict[str, pd.DataFrame], most: int = 14) -> pd.DataFrame:
    """Return the swings of :func:`swings` over the headline's value: a row an input, the two that move each
    headline most and others that move one much; none that moves nothing. [%]"""
    parts = {HEADLINES[column]: 100 * t["swing"] / t["value"].abs() for column, t in tables.items()}
    table = pd.DataFrame(parts).round(6)
    table = table[table.gt(0).any(axis=1)]
    leading = [name for column in table for name in table[column].nlargest(2).index]
    others = table.max(axis=1).sort_values(ascending=False).index
    chosen = list(dict.fromkeys([*leading, *others]))[: max(most, len(set(leading)))]
    table = table.loc[table.loc[chosen].max(axis=1).sort_values(ascending=False).index]
    return table.set_axis([words(name) for name in table.index])


def causes(name: str, columns: list[str], region: str = "us", n: int = 1024, seed: int = 0, **settings) -> pd.DataFrame:
    """Return Sobol indices of some headlines, on independent inputs.

    Parameters
    ----------
    name, region, settings
        As :func:`swings`.
    columns
        Headlines of :data:`HEADLINES`.
    n, seed
        As :func:`gigafleet.uncertainty.sobol`.

    Returns
    -------
    DataFrame
        One row an answer and input, as :func:`gigafleet.uncertainty.sobol`; headlines that are not known are left out.
    """
    evaluate = _function(name, {"region": region, **settings})
    found = uncertainty.sobol(lambda cases: evaluate(cases)[columns], deal.ranges(name, region), n, seed)
    return found.dropna()


def cause_matrix(found: pd.DataFrame, index: str = "total", most: int = 10) -> pd.DataFrame:
    """Return one kind of Sobol index as shares, a row an input that has any, a column a headline, the largest first.
    [%]"""
    table = (100 * found[index].unstack("answer").clip(lower=0)).round(6)
    table = table[table.gt(0).any(axis=1)]
    table = table.rename(columns=HEADLINES).rename_axis(columns=None)
    table = table.loc[table.max(axis=1).sort_values(ascending=False).index[:most]]
    return table.set_axis([words(name) for name in table.index])


def side_by_side(readings: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return headlines of several deals as text, median and 90 % interval, a column a deal.

    Parameters
    ----------
    readings
        Deal -> intervals of its answers, as :func:`gigafleet.uncertainty.interval` gives them.
    """
    columns = {}
    for name, ends in readings.items():
        terms = catalog.deal(name)
        cells = {}
        for answer in ("capacity_gw", *HEADLINES, "dilution_percent"):
            low, middle, high = ends.loc[answer, ["low", "median", "high"]]
            text = "" if number(low) == number(high) else f" ({between(low, high)})"
            cells[deal.LABELS[answer]] = f"{number(middle)}{text}" if np.isfinite(middle) else "–"
        columns[f"{terms['buyer']}, {terms['vendor']}"] = cells
    return pd.DataFrame(columns)


def clash(name: str, answers: pd.DataFrame, n: int, seed: int = 0, region: str = "us") -> float:
    """Return in which share of samples the vendor sells more in a gigawatt than the racks of it cost: 0 where either is
    not known.

    Parameters
    ----------
    name, n, seed, region
        As for :func:`gigafleet.deal.evaluate`.
    answers
        What that call gave.
    """
    content = deal.draw(name, n, seed, region).get("content_mi455x_busd_per_gw")
    return 0.0 if content is None else float((content.to_numpy() > answers["system_busd_per_gw"].to_numpy()).mean())


def course(
    name: str, capacity_gw: float, n: int, seed: int = 0, region: str = "us", capacity_basis: str = "facility"
) -> pd.DataFrame:
    """Return what the deal's roll-out comes to with both generations, as text: medians and 90 % intervals.

    No rows for a deal without a roll-out, or at another capacity than its own. Arguments as
    :func:`gigafleet.operation.evaluate`.
    """
    terms = catalog.deal(name)
    if terms["id"] not in rollout.deals() or capacity_gw != terms["public"]["capacity_gw"]:
        return pd.DataFrame()
    found = operation.evaluate(of=name, n=n, seed=seed, regions=region, capacity_basis=capacity_basis)
    ends = uncertainty.interval(operation_views.answers(found)).drop(index="full_year")
    return tell.intervals(ends, operation_views.UNITS, operation_views.NAMES)


def chain(name: str, ends: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the deal as boxes and arrows for :func:`gigafleet.flow_plots.flow`: gigawatts, goods, money and shares.

    Parameters
    ----------
    name
        A deal.
    ends
        Intervals of its answers, as :func:`gigafleet.uncertainty.interval` gives them.
    """
    terms, mid = catalog.deal(name), ends["median"]

    def said(answer: str, unit: str) -> str:
        low, high = ends.loc[answer, ["low", "high"]]
        text = "" if number(low) == number(high) else f" ({between(low, high)})"
        return f"{number(mid[answer])}{text} {unit}" if np.isfinite(mid[answer]) else ""

    buyer, vendor = terms["buyer"], terms["vendor"]
    boxes = {
        buyer: (0.12, 0.64, said("capacity_gw", "GW")),
        vendor: (0.88, 0.64, ""),
        "Fleet": (0.5, 0.32, said("accelerators", terms["accelerator"])),
        "Grid": (0.12, 0.06, said("mt_co2_per_year", "Mt CO2 a year")),
        "Work": (0.88, 0.06, said("usd_per_million_tokens", "USD per million tokens of answers")),
    }
    racks_busd = mid["system_busd_per_gw"] * mid["capacity_gw"]
    rows = [
        (buyer, "Fleet", mid["capex_busd"], f"capital {said('capex_busd', 'billion USD')}", "cash"),
        (buyer, vendor, mid["gross_revenue_busd"], f"bill {said('gross_revenue_busd', 'billion USD')}", "cash"),
        (vendor, buyer, mid["warrant_grant_busd"], f"warrant {said('warrant_grant_busd', 'billion USD')}", "shares"),
        (vendor, "Fleet", racks_busd, f"parts of {said('racks', terms['system'] or 'racks')}", "goods"),
        ("Grid", "Fleet", THIN, said("twh_per_year", "TWh a year"), "goods"),
        ("Fleet", "Work", THIN, said("tokens_tn_per_day", "trillion tokens a day"), "goods"),
    ]
    arrows = pd.DataFrame(rows, columns=["start", "end", "value", "label", "kind"])
    nodes = pd.DataFrame.from_dict(boxes, orient="index", columns=["x", "y", "text"])
    arrows["value"] = arrows["value"].mask(arrows["kind"].eq("goods"), arrows["value"].fillna(THIN))
    return nodes, arrows.dropna(subset="value")


def _level_ranges(chip: str) -> pd.DataFrame:
    """Return what the levels of :func:`by_level` are made of, with ranges and sources."""
    where = {"chip": (chip, "tdp_w"), "rack": (chip, "all_in_kw", "rack"), "it": (chip, "all_in_kw")}
    where = {name: place for name, place in where.items() if catalog.has(*place)}
    return catalog.ranges(where | {"peak_pue": cost.COMMON["peak_pue"]})


def level_kinds(name: str) -> pd.Series:
    """Return the kinds of the sources behind the levels of :func:`by_level`, by input in words."""
    return _level_ranges(catalog.deal(name)["accelerator"])["kind"].rename(index=LEVEL_INPUTS)


def by_level(
    name: str = "amd-openai", n: int = 4096, seed: int = 0, *, capacity_gw: float | None = None
) -> pd.DataFrame:
    """Return how many accelerators a capacity would feed if it counted power at each level.

    Parameters
    ----------
    name
        A deal.
    n, seed, capacity_gw
        As in :func:`gigafleet.deal.evaluate`.

    Returns
    -------
    DataFrame
        One row a level of :data:`gigafleet.power.LEVELS` that a source gives: ``value`` (median), ``low``, ``high``
        (90 % interval).
    """
    terms = catalog.deal(name)
    capacity_gw = deal.capacity(name, capacity_gw)
    drawn = uncertainty.sample(_level_ranges(terms["accelerator"]), n, seed)
    drawn = drawn.assign(**({"chip": drawn["chip"] / 1000} if "chip" in drawn else {}))
    drawn["facility"] = drawn["it"] * drawn["peak_pue"]
    levels = [level for level in power.LEVELS if level in drawn]
    counts = capacity_gw * power.accelerators_per_gw(drawn[levels])
    return uncertainty.interval(counts).rename(columns={"median": "value"})[["value", "low", "high"]]


def ends_of(table: pd.DataFrame, columns: list[str]) -> dict[str, pd.DataFrame]:
    """Return columns of a table as frames ``median``, ``low`` and ``high``, from its columns of these endings."""
    ends = {"median": "", "low": "_low", "high": "_high"}
    return {
        name: table[[f"{column}{end}" for column in columns]].set_axis(columns, axis=1) for name, end in ends.items()
    }


def bills(name: str, n: int = 4096, seed: int = 0, **settings) -> dict[str, pd.Series]:
    """Return samples of a deal's electricity bill by region, each with the region's own price and its range.

    Parameters
    ----------
    name, n, seed
        As for :func:`gigafleet.deal.evaluate`.
    settings
        ``capacity_gw`` and ``capacity_basis``, as there.

    Returns
    -------
    dict
        Region of :func:`gigafleet.catalog.complete_regions` -> bill. [billion USD/yr]
    """
    each = {}
    for region in catalog.complete_regions():
        found = deal.evaluate(deal=name, n=n, seed=seed, region=region, **settings)
        each[region] = found["energy_busd_per_gw_year"] * found["capacity_gw"]
    return each


def by_region(
    answers: pd.DataFrame, regions: pd.DataFrame, bills: dict[str, pd.Series] | None = None, level: float = 0.9
) -> pd.DataFrame:
    """Return carbon and the electricity bill of the same energy in several regions.

    Parameters
    ----------
    answers
        Samples from :func:`gigafleet.deal.evaluate`.
    regions
        As :func:`gigafleet.catalog.regions` gives it: ``g_co2_per_kwh``, ``g_co2_per_kwh_marginal``.
    bills
        Region -> samples of the bill, as :func:`bills` gives them.
    level
        Probability inside the interval. That of carbon is the energy's, as the grid's intensity has none; that of the
        bill holds the price's range, too.

    Returns
    -------
    DataFrame
        One row a region: ``mt_co2`` (median, at the grid's average intensity), ``mt_co2_low``, ``mt_co2_high``,
        ``mt_co2_marginal`` (median, at the marginal intensity) [Mt/yr] and ``electricity_busd`` [billion USD/yr], with
        ends of the same names; NaN where no source gives the figure.
    """
    mwh = uncertainty.interval(answers["twh_per_year"] * 1e6, level)
    paid = pd.DataFrame({region: uncertainty.interval(bill, level) for region, bill in (bills or {}).items()})
    table = {}
    for name, end in (("median", ""), ("low", "_low"), ("high", "_high")):
        for kind in ("", "_marginal"):
            table[f"mt_co2{kind}{end}"] = power.carbon_t(mwh[name], regions[f"g_co2_per_kwh{kind}"]) / 1e6
        table[f"electricity_busd{end}"] = (paid.loc[name] if bills else pd.Series(dtype=float)).reindex(regions.index)
    facts = catalog.facts().query(
        "quantity == 'usd_per_mwh' and condition == 'industrial' and preferred and kind == 'assumption'"
    )
    remarks = facts.set_index("subject")["note"].reindex(regions.index).fillna("")
    return pd.DataFrame(table, index=regions.index).assign(remark=remarks)
