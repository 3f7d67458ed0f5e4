"""What a deal brings its vendor and gives its buyer in shares, by calendar year and in closed forms.

The quarterly tables of :mod:`gigafleet.earnings` say the same in more detail. Here a year is one step, so that a
million samples take seconds: gigawatts of a year come from the ramp's closed form, and their price and margin are those
of the middle of the year. Each sample has its own dates, so a tranche counts in full or, where its gigawatts come after
the warrant's expiry, not at all.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from gigafleet import catalog, revenue, rollout
from gigafleet.errors import require
from gigafleet.kept import while_data_last
from gigafleet.warrant import valuation
from gigafleet.warrant.closed_form import _touches, tranche_value
from gigafleet.warrant.contract import Warrant, of_deal, years_between
from gigafleet.warrant.readings import BOUNDS, watched_target

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
MARKET = {"volatility": BOUNDS["volatility"], **{f"rate_{day}": BOUNDS["rate"] for day in DAYS}}
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


class Vesting(NamedTuple):
    """What a warrant needs besides the samples: its terms, milestones [GW] and shares [million] by tranche; for each of
    :data:`DAYS` the arguments of :func:`gigafleet.warrant.closed_form.tranche_value` for the tranches that differ in
    worth, and which of these each tranche is; the shares outstanding [million]."""

    warrant: Warrant
    gw: np.ndarray
    shares_m: np.ndarray
    days: dict[str, tuple[dict, np.ndarray]]
    outstanding_m: float


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


def answers(inputs: dict[str, np.ndarray], deal: str, capacity_gw: object) -> dict[str, object]:
    """Return the columns of :data:`UNITS`, sample by sample; NaN where the deal has no roll-out, or no warrant.

    Parameters
    ----------
    inputs
        Samples of :func:`ranges`; others are not looked at.
    deal
        A deal.
    capacity_gw
        Capacity, a number or one a sample. [GW]
    """
    terms = catalog.deal(deal)
    found = dict.fromkeys(UNITS, np.nan)
    if terms["id"] not in rollout.deals():
        return found
    rollout.checked(inputs)
    revenue.checked(inputs)
    for name in [name for name in inputs if name in MARKET]:
        require(name, inputs[name], **MARKET[name])
    capacity = np.asarray(capacity_gw, float)
    shipped = rollout.between(inputs, capacity[..., None], EDGES).T  # by generation, year, sample
    in_year = shipped[0] + shipped[1]
    ends = in_year.cumsum(axis=0)
    gross, margin = _gross(inputs, shipped), _margin(inputs)
    taken = rollout.expected_gw(ends, inputs["go_on_share"], rollout.binding_gw(terms["id"]))
    weight = np.diff(taken, axis=0, prepend=0) / np.maximum(in_year, 1e-12)
    contra, shares_m = np.zeros_like(gross), 0.0
    if terms["warrant"]:
        warrant, contra, shares_m = _warrant(inputs, terms["id"], capacity, ends)
        found |= warrant
    profit, running = gross * margin - contra, gross * inputs["deal_opex_share"]
    net = (profit - running) * (1 - inputs["tax_share"])
    billed = gross.sum(axis=0)
    found |= {
        "gross_revenue_busd": billed,
        "expected_revenue_busd": (gross * weight).sum(axis=0),
        "best_year_busd": gross.max(axis=0),
        "gross_profit_busd": profit.sum(axis=0),
        "contra_busd": contra.sum(axis=0),
        "net_income_busd": net.sum(axis=0),
        "eps_2028_usd": revenue.eps_usd(net[YEARS.index(EPS_YEAR)], revenue.diluted_shares_m(shares_m)),
    }
    if terms["warrant"]:
        found["rebate_busd_per_gw"] = found["warrant_grant_busd"] / capacity
        found["rebate_percent"] = 100 * found["warrant_grant_busd"] / billed
    return found


def _gross(inputs: dict[str, np.ndarray], shipped: np.ndarray) -> np.ndarray:
    """Return revenue before contra-revenue, one row a year, one column a sample. [billion USD]"""
    log_keeps = np.log1p(-inputs["erosion_share_per_year"])
    later = inputs["next_generation_years"] + inputs["delay_years"]
    since = np.maximum(MIDDLES[:, None] - later, 0)
    first = shipped[0] * inputs["content_mi455x_busd_per_gw"] * np.exp(log_keeps * MIDDLES[:, None])
    return first + shipped[1] * inputs["content_mi500_busd_per_gw"] * np.exp(log_keeps * since)


def _margin(inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the gross margin before contra-revenue, one row a year, one column a sample. [share]"""
    path = np.clip(MIDDLES[:, None] / inputs["margin_maturity_years"], 0, 1)
    first = inputs["first_margin_share"]
    return first + (inputs["mature_margin_share"] - first) * path


@while_data_last
def _vesting(deal: str) -> Vesting:
    """Return what the warrant of a deal needs besides the samples."""
    terms, warrant = catalog.deal(deal), of_deal(deal)
    table = warrant.table
    gw, shares_m, targets = (table[name].to_numpy(float) for name in ("milestone_gw", "shares_m", "target_usd"))
    days = {day: _worth(warrant, targets, valuation.market(deal, day)) for day in DAYS}
    return Vesting(warrant, gw, shares_m, days, catalog.value(terms["vendor"], "shares_outstanding_m"))


def _worth(warrant: Warrant, targets: np.ndarray, day: valuation.Market) -> tuple[dict, np.ndarray]:
    """Return how a share of each tranche is valued on a day: once for those with one target, and once for all whose
    target has been reached, as :func:`gigafleet.warrant.valuation.per_share` would each."""
    reached = targets <= day.highest_usd
    _, first, which = np.unique(np.where(reached, -1.0, targets), return_index=True, return_inverse=True)
    terms = {"spot": day.spot_usd, "target": targets[first, None], "years": warrant.years_left(day.date)}
    return terms | {"strike": warrant.strike_usd, "reached": reached[first, None]}, which


def _usd_per_share(
    spot: float,
    target: np.ndarray,
    years: float,
    strike: float,
    reached: np.ndarray,
    volatility: np.ndarray,
    rate: np.ndarray,
) -> np.ndarray:
    """Return what :func:`gigafleet.warrant.closed_form.tranche_value` gives for the reading ``ever`` at daily closes,
    one row a target, one column a sample; what does not depend on the target is worked out once a sample."""
    open_targets = target[~reached]
    if years <= 0 or strike <= 0 or volatility.min(initial=1) < 1e-3 or open_targets.min(initial=np.inf) <= strike:
        given = {"volatility": volatility, "rate": rate, "years": years, "strike": strike, "reached": reached}
        return tranche_value(spot, target, **given, touch="ever", watched="close")
    high, low = np.log(watched_target(open_targets[:, None], volatility, "close") / spot), np.log(strike / spot)
    vests = np.empty((2, len(target), len(volatility)))
    for part, half in zip(vests, (0.5, -0.5), strict=True):  # the measure of the share, that of money
        drift = rate + half * volatility**2
        part[~reached[:, 0]] = _touches(high, low, drift, volatility, years)
        part[reached[:, 0]] = ndtr((drift * years - low) / (volatility * np.sqrt(years)))
    return np.maximum(spot * vests[0] - strike * np.exp(-rate * years) * vests[1], 0)


def _warrant(
    inputs: dict[str, np.ndarray], deal: str, capacity: np.ndarray, ends: np.ndarray
) -> tuple[dict, np.ndarray, np.ndarray]:
    """Return the warrant's columns, contra-revenue by year [billion USD], and the shares earned by the end of the year
    of the EPS [million]. A price target counts whenever it is reached (the reading ``ever``)."""
    vests = _vesting(deal)
    warrant, gw, shares_m = vests.warrant, vests.gw, vests.shares_m[:, None]
    delivered = rollout.milestones(gw, inputs, capacity[..., None], clock=warrant.clock).T
    earned_m = shares_m * (delivered + years_between(warrant.granted, rollout.START_DATE) <= warrant.years)
    taken = rollout.delivered_probability(gw[:, None], inputs["go_on_share"], rollout.binding_gw(deal))
    value = {}
    for day, (worth, which) in vests.days.items():
        market = {"volatility": inputs["volatility"], "rate": inputs[f"rate_{day}"]}
        value[day] = _usd_per_share(**worth, **market)[which] * earned_m / 1e3
    found = {f"warrant_{day}_busd": busd.sum(axis=0) for day, busd in value.items()}
    found["warrant_weighted_busd"] = (value["latest"] * taken).sum(axis=0)
    total = earned_m.sum(axis=0)
    found["dilution_percent"] = 100 * total / (vests.outstanding_m + total)
    by_then = delivered <= EDGES[YEARS.index(EPS_YEAR) + 1]
    contra, starts = np.zeros_like(ends), np.r_[0.0, gw[:-1]]
    for start, end, busd in zip(starts, gw, value["grant"], strict=True):
        contra += np.clip((ends - start) / max(end - start, 1e-9), 0, 1) * busd
    return found, np.diff(contra, axis=0, prepend=0), (earned_m * by_then).sum(axis=0)
