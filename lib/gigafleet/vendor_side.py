"""What a deal brings its vendor and gives its buyer in shares, by calendar year and in closed forms.

The quarterly tables of :mod:`gigafleet.earnings` say the same in more detail. Here a year is one step, so that a
million samples take seconds: gigawatts of a year come from the ramp's closed form, and their price and margin are those
of the middle of the year. Each sample has its own dates, so a tranche counts in full or, where its gigawatts come after
the warrant's expiry, not at all.
"""

import numpy as np
import pandas as pd

from gigafleet import catalog, revenue, rollout
from gigafleet.warrant import valuation
from gigafleet.warrant.contract import of_deal, years_between

EDGES = np.array([0.0, *np.arange(0.5, 11)])  # July 1, 2026; then January 1 of 2027 to 2037, in years
MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2
YEARS = list(range(2026, 2037))
EPS_YEAR = 2028
REVENUE = (
    "content_mi455x_busd_per_gw",
    "content_mi500_busd_per_gw",
    "erosion_share_per_year",
    "first_margin_share",
    "mature_margin_share",
    "margin_maturity_years",
    "deal_opex_share",
    "tax_share",
)
DAYS = ("grant", "latest")
UNITS = {
    "gross_revenue_busd": "billion USD",
    "expected_revenue_busd": "billion USD",
    "best_year_busd": "billion USD",
    "gross_profit_busd": "billion USD",
    "contra_busd": "billion USD",
    "net_income_busd": "billion USD",
    "eps_2028_usd": "USD",
    "warrant_grant_busd": "billion USD",
    "warrant_latest_busd": "billion USD",
    "warrant_weighted_busd": "billion USD",
    "rebate_busd_per_gw": "billion USD/GW",
    "rebate_percent": "%",
    "dilution_percent": "%",
}
NAMES = {
    "gross_revenue_busd": "vendor's revenue, all years, if all is taken",
    "expected_revenue_busd": "the same, weighted by the chance that it is taken",
    "best_year_busd": "vendor's revenue in its best calendar year",
    "gross_profit_busd": "vendor's gross profit, less the warrant",
    "contra_busd": "contra-revenue for the warrant",
    "net_income_busd": "vendor's net income from the deal",
    "eps_2028_usd": f"added to earnings per share of {EPS_YEAR}",
    "warrant_grant_busd": "warrant at its grant, if all is taken",
    "warrant_latest_busd": "warrant at the newest share price, if all is taken",
    "warrant_weighted_busd": "the same, weighted by the chance that it is taken",
    "rebate_busd_per_gw": "rebate by the warrant at its grant, per GW",
    "rebate_percent": "rebate over the bill",
    "dilution_percent": "dilution if all that is earned vests",
}


def ranges(deal: str) -> pd.DataFrame:
    """Return the inputs of a deal's roll-out, revenue and warrant with their ranges; no rows for a deal without a
    roll-out."""
    name = catalog.deal(deal)["id"]
    if name not in rollout.deals():
        return pd.DataFrame(columns=["low", "value", "high"])
    parts = [rollout.ranges(name), catalog.ranges({key: revenue.INPUTS[key] for key in REVENUE})]
    if catalog.deal(name)["warrant"]:
        market = {"volatility": (catalog.deal(name)["vendor"], "volatility_share", "long_dated")}
        for day in DAYS:
            condition = valuation.rate_condition(valuation.market(name, day).date)
            market[f"rate_{day}"] = ("us-treasury", "yield_share", condition)
        parts.append(catalog.ranges(market))
    return pd.concat(parts)


def answers(inputs: pd.DataFrame, deal: str, capacity_gw: object) -> dict[str, np.ndarray]:
    """Return the columns of :data:`UNITS`, sample by sample; NaN where the deal has no roll-out, or no warrant.

    Parameters
    ----------
    inputs
        Samples of :func:`ranges`.
    deal
        A deal.
    capacity_gw
        Capacity, a number or one a sample. [GW]
    """
    terms = catalog.deal(deal)
    found = {name: np.full(len(inputs), np.nan) for name in UNITS}
    if terms["id"] not in rollout.deals():
        return found
    revenue.checked(inputs)
    capacity = np.broadcast_to(np.asarray(capacity_gw, float), len(inputs))[:, None]
    shipped = rollout.between(inputs, capacity, EDGES)
    ends = shipped.sum(axis=2).cumsum(axis=1)
    gross, margin = _gross(inputs, shipped), _margin(inputs)
    taken = rollout.expected_gw(ends, inputs["go_on_share"].to_numpy(float)[:, None], rollout.binding_gw(terms["id"]))
    weight = np.diff(taken, axis=1, prepend=0) / np.maximum(shipped.sum(axis=2), 1e-12)
    contra = _warrant(inputs, terms, capacity, ends, found) if terms["warrant"] else np.zeros_like(gross)
    profit, running = gross * margin - contra, gross * _column(inputs, "deal_opex_share")
    net = (profit - running) * (1 - _column(inputs, "tax_share"))
    shares_m = revenue.diluted_shares_m(found.pop("shares_m", 0.0))
    found |= {
        "gross_revenue_busd": gross.sum(axis=1),
        "expected_revenue_busd": (gross * weight).sum(axis=1),
        "best_year_busd": gross.max(axis=1),
        "gross_profit_busd": profit.sum(axis=1),
        "contra_busd": contra.sum(axis=1),
        "net_income_busd": net.sum(axis=1),
        "eps_2028_usd": revenue.eps_usd(net[:, YEARS.index(EPS_YEAR)], shares_m),
    }
    found["rebate_busd_per_gw"] = found["warrant_grant_busd"] / capacity[:, 0]
    found["rebate_percent"] = 100 * found["warrant_grant_busd"] / found["gross_revenue_busd"]
    return {name: found[name] for name in UNITS}


def _column(inputs: pd.DataFrame, name: str) -> np.ndarray:
    return inputs[name].to_numpy(float)[:, None]


def _gross(inputs: pd.DataFrame, shipped: np.ndarray) -> np.ndarray:
    """Return revenue by year before contra-revenue. [billion USD]"""
    keeps = 1 - _column(inputs, "erosion_share_per_year")
    later = _column(inputs, "next_generation_years") + _column(inputs, "delay_years")
    since = np.maximum(MIDDLES - later, 0)
    first = shipped[..., 0] * _column(inputs, "content_mi455x_busd_per_gw") * keeps**MIDDLES
    return first + shipped[..., 1] * _column(inputs, "content_mi500_busd_per_gw") * keeps**since


def _margin(inputs: pd.DataFrame) -> np.ndarray:
    """Return the gross margin of each year before contra-revenue. [share]"""
    path = np.clip(MIDDLES / _column(inputs, "margin_maturity_years"), 0, 1)
    first = _column(inputs, "first_margin_share")
    return first + (_column(inputs, "mature_margin_share") - first) * path


def _warrant(inputs: pd.DataFrame, terms: dict, capacity: np.ndarray, ends: np.ndarray, found: dict) -> np.ndarray:
    """Fill in the warrant's columns and ``shares_m``, those earned by the end of the year of the EPS; return
    contra-revenue by year [billion USD]. A price target counts whenever it is reached (the reading ``ever``)."""
    warrant = of_deal(terms["id"])
    table, binding = warrant.table, rollout.binding_gw(terms["id"])
    gw, shares_m = table["milestone_gw"].to_numpy(float), table["shares_m"].to_numpy(float)
    delivered = rollout.milestones(gw, inputs, capacity, clock=warrant.clock)
    earned = delivered + years_between(warrant.granted, rollout.START_DATE) <= warrant.years
    taken = rollout.delivered_probability(gw, _column(inputs, "go_on_share"), binding)
    value = {}
    for day in DAYS:
        market = valuation.market(terms["id"], day)
        given = {"volatility": _column(inputs, "volatility"), "rate": _column(inputs, f"rate_{day}")}
        each = valuation.per_share(warrant, market, np.zeros((1, len(gw))), touch="ever", **given)
        value[day] = each * shares_m / 1e3 * earned
        found[f"warrant_{day}_busd"] = value[day].sum(axis=1)
    found["warrant_weighted_busd"] = (value["latest"] * taken).sum(axis=1)
    total = (shares_m * earned).sum(axis=1)
    found["dilution_percent"] = 100 * total / (catalog.value(terms["vendor"], "shares_outstanding_m") + total)
    found["shares_m"] = (shares_m * earned * (delivered <= EDGES[YEARS.index(EPS_YEAR) + 1])).sum(axis=1)
    starts = np.r_[0.0, gw[:-1]]
    done = np.clip((ends[:, :, None] - starts) / np.maximum(gw - starts, 1e-9), 0, 1)
    return np.diff(np.einsum("nyk,nk->ny", done, value["grant"]), axis=1, prepend=0)
