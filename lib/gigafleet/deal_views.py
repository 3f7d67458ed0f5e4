"""The deal's answers as tables and pictures: the chain, what moves each headline, and deals side by side."""

import functools

import numpy as np
import pandas as pd

from gigafleet import catalog, deal, uncertainty
from gigafleet.tell import between, input_name, number

THIN = 1.0  # width of an arrow of goods without a price, as if it carried so many billion USD
# Headlines that are taken apart, and what they are called in a narrow column.
HEADLINES = {
    "accelerators": "accelerators",
    "twh_per_year": "electricity",
    "mt_co2_per_year": "carbon",
    "capex_busd": "capital",
    "cost_busd_per_year": "cost a year",
    "tokens_tn_per_day": "tokens a day",
    "usd_per_million_tokens": "cost of a token",
    "gross_revenue_busd": "vendor's revenue",
    "net_income_busd": "vendor's income",
    "warrant_grant_busd": "warrant at grant",
}


def words(name: str) -> str:
    """Return the name of an input of the deal in words; its rate is that of the owner's capital."""
    return "cost of capital" if name == "rate" else input_name(name)


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


def swing_matrix(tables: dict[str, pd.DataFrame], most: int = 14) -> pd.DataFrame:
    """Return the swings of :func:`swings` over the headline's value: a row an input, the two that move each
    headline most and others that move one much. [%]"""
    parts = {HEADLINES[column]: 100 * t["swing"] / t["value"].abs() for column, t in tables.items()}
    table = pd.DataFrame(parts)
    leading = [name for column in table for name in table[column].nlargest(2).index]
    others = table.max(axis=1).sort_values(ascending=False).index
    chosen = list(dict.fromkeys([*leading, *others]))[: max(most, len(set(leading)))]
    table = table.loc[table.loc[chosen].max(axis=1).sort_values(ascending=False).index]
    return table.set_axis([words(name) for name in table.index]).round(6)


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
    """Return one kind of Sobol index as shares, a row an input, a column a headline, the largest first. [%]"""
    table = 100 * found[index].unstack("answer").clip(lower=0)
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
        for answer in ("capacity_gw", *HEADLINES, "rebate_percent", "dilution_percent"):
            low, middle, high = ends.loc[answer, ["low", "median", "high"]]
            text = "" if number(low) == number(high) else f" ({between(low, high)})"
            cells[deal.LABELS[answer]] = f"{number(middle)}{text}" if np.isfinite(middle) else "–"
        columns[f"{terms['buyer']}, {terms['vendor']}"] = cells
    return pd.DataFrame(columns)


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
        return f"{number(mid[answer])} {unit}" if np.isfinite(mid[answer]) else ""

    buyer, vendor = terms["buyer"], terms["vendor"]
    boxes = {
        buyer: (0.12, 0.64, said("capacity_gw", "GW")),
        vendor: (0.88, 0.64, ""),
        "Fleet": (0.5, 0.32, f"{number(mid['accelerators'])} {terms['accelerator']}"),
        "Grid": (0.12, 0.06, said("mt_co2_per_year", "Mt CO2 a year")),
        "Work": (0.88, 0.06, said("usd_per_million_tokens", "USD per million tokens of answers")),
    }
    racks_busd = mid["system_busd_per_gw"] * mid["capacity_gw"]
    rows = [
        (buyer, "Fleet", mid["capex_busd"], f"capital {said('capex_busd', 'billion USD')}", "cash"),
        (buyer, vendor, mid["gross_revenue_busd"], f"bill {said('gross_revenue_busd', 'billion USD')}", "cash"),
        (vendor, buyer, mid["warrant_grant_busd"], f"warrant {said('warrant_grant_busd', 'billion USD')}", "shares"),
        (vendor, "Fleet", racks_busd, said("racks", terms["system"] or "racks"), "goods"),
        ("Grid", "Fleet", THIN, said("twh_per_year", "TWh a year"), "goods"),
        ("Fleet", "Work", THIN, said("tokens_tn_per_day", "trillion tokens a day"), "goods"),
    ]
    arrows = pd.DataFrame(rows, columns=["start", "end", "value", "label", "kind"])
    nodes = pd.DataFrame.from_dict(boxes, orient="index", columns=["x", "y", "text"])
    arrows["value"] = arrows["value"].mask(arrows["kind"].eq("goods"), arrows["value"].fillna(THIN))
    return nodes, arrows.dropna(subset="value")
