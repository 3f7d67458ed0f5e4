"""Who pays for the gigawatts: the buyer's cash, the rebate that the warrant is, what would have to be true.

A rebate sets the warrant's risk-neutral value at the grant against the content that the buyer pays for. What vested
shares fetch when sold is another question; it needs an assumed growth of the share price and is answered by simulation.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from gigafleet import catalog, distributions, rollout, uncertainty
from gigafleet.errors import require, unknown
from gigafleet.tell import number
from gigafleet.warrant import accounting, valuation
from gigafleet.warrant.contract import of_deal, spread_targets


def buyer_cash(payments: pd.DataFrame, company: str = "OpenAI") -> pd.DataFrame:
    """Return what a buyer pays the vendor beside the cash flow that it projects, year by year.

    Parameters
    ----------
    payments
        One row a year: ``low``, ``median``, ``high``. [billion USD]
    company
        A subject with ``cash_flow_busd`` in the data.

    Returns
    -------
    DataFrame
        The payments, ``cash_flow_busd`` (projected, NaN where no source gives it) and ``payments_over_outflow``: median
        payment over the projected outflow, which holds what the buyer pays for compute already; NaN in a year without.
    """
    rows = catalog.facts()[lambda table: table["preferred"] & (table["quantity"] == "cash_flow_busd")]
    rows = rows[rows["subject"] == catalog.subject_of(company)]
    flow = rows.set_index(rows["condition"].astype(int))["value"].reindex(payments.index)
    return payments.assign(cash_flow_busd=flow, payments_over_outflow=payments["median"] / -flow.where(flow < 0))


def buyer_facts(company: str = "OpenAI") -> dict[str, str]:
    """Return figures on a buyer's means as text: commitments ``announced`` and ``in_accounts``, ``projected`` (the sum
    of its yearly cash flows from 2026 on) and ``newer`` (a later sum) [billion USD], ``capex_musd`` of a quarter.

    Raises
    ------
    UnknownNameError
        If the company is not known, or the data have no projection of its cash flow.
    """
    flows = catalog.facts()[lambda table: table["preferred"] & (table["quantity"] == "cash_flow_busd")]
    flows = flows[flows["condition"] >= "2026"]
    rows = flows[flows["subject"] == catalog.subject_of(company)]
    if rows.empty:
        raise unknown("company with a projected cash flow", company, dict.fromkeys(flows["subject"]))
    figures = {
        "announced": catalog.value(company, "compute_commitments_busd", "announced"),
        "in_accounts": catalog.value(company, "compute_commitments_busd", "in_accounts"),
        "projected": float(rows["value"].sum()),
        "newer": catalog.value(company, "cumulative_cash_flow_busd", "2026_2030"),
        "capex_musd": 1e3 * catalog.value(company, "capex_busd", "2026q1"),
    }
    return {name: number(figure) for name, figure in figures.items()}


def _shuffled(samples: object, n: int) -> np.ndarray:
    """Return n samples in another order: those drawn from two tables with one seed move together, row by row."""
    return np.random.default_rng(0).permutation(np.resize(np.asarray(samples, float), n))


def _check_samples(name: str, samples: object) -> None:
    """Raise unless there is at least one sample and all are above 0."""
    if not np.size(samples):
        raise ValueError(f"{name} must have at least one sample, not none")
    require(name, samples, above=0)


def rebate(valued: pd.DataFrame, content_busd: np.ndarray, capacity_gw: float, *, paired: bool = False) -> pd.DataFrame:
    """Return the rebate that a warrant is: per gigawatt, and as a share of what the buyer pays.

    Parameters
    ----------
    valued
        Samples with ``value_busd``, such as :func:`gigafleet.warrant_terms.own_dates` gives.
    content_busd
        What the buyer pays for all gigawatts, sample by sample. [billion USD]
    capacity_gw
        [GW]
    paired
        Whether the two have the same rows, with the same dates of deliveries; else they are drawn on their own.

    Returns
    -------
    DataFrame
        Rows ``busd_per_gw`` and ``share``; ``low``, ``median``, ``high``.

    Raises
    ------
    ValueError
        If a content is not above 0, there is none, or a pair lacks its other half.
    """
    _check_samples("content_busd", content_busd)
    value = valued["value_busd"].to_numpy()
    if paired and np.shape(content_busd) != value.shape:
        raise ValueError(f"content_busd must have one sample for each of {len(value)} values, as they are paired")
    content = np.asarray(content_busd, float) if paired else _shuffled(content_busd, len(value))
    return uncertainty.interval(pd.DataFrame({"busd_per_gw": value / capacity_gw, "share": value / content}))


def break_even_volatility(
    what: valuation.Setting, day: valuation.Market, value_busd: float, *, touch: str = "ever", watched: str = "close"
) -> float:
    """Return the volatility at which the warrant is worth so much, if all is delivered; NaN if none does. [share]

    Parameters
    ----------
    what, day, touch, watched
        As in :func:`gigafleet.warrant.valuation.value`.
    value_busd
        [billion USD]
    """
    require("value_busd", value_busd, above=0)
    low, high = 0.01, 3.0

    def excess(volatility: float) -> float:
        moved = valuation.moved(day, volatility=volatility)
        return what.value(moved, touch, watched)["value_busd"].sum() - value_busd

    if excess(low) * excess(high) > 0:
        return np.nan
    return float(brentq(excess, low, high, xtol=1e-6))


def volatility_for_the_hint(
    what: valuation.Setting, day: valuation.Market, *, touch: str = "ever", watched: str = "close"
) -> pd.DataFrame:
    """Return at which volatility the warrant would be worth the share of content that AMD named.

    Returns
    -------
    DataFrame
        ``low``, ``median``, ``high`` over the range of content, at its value and at the ends of its 90 % interval; rows
        ``limit_busd``: the share of the content of all gigawatts [billion USD]; ``volatility``: where the value, over
        the dates of deliveries and at the day's rate, is that; NaN if none is. [share]
    """
    hint = catalog.value("amd-openai", "warrant_effect_share", "of_content")
    content = catalog.ranges({"content": ("amd-openai", "content_busd_per_gw", "components")})
    limits = hint * what.capacity_gw * distributions.ends(distributions.prepare(content)).loc["content"]
    limits = limits.rename({"value": "median"})
    found = {end: break_even_volatility(what, day, x, touch=touch, watched=watched) for end, x in limits.items()}
    return pd.DataFrame({"limit_busd": limits, "volatility": pd.Series(found)}).T[["low", "median", "high"]]


def break_even_price(bill_busd: object, shares_m: float) -> object:
    """Return the share price at which so many shares pay a bill. [USD]

    >>> break_even_price(96.0, 160.0)
    600.0
    """
    require("bill_busd", bill_busd, minimum=0)
    require("shares_m", shares_m, above=0)
    return 1e3 * bill_busd / shares_m


def below_the_hint(
    what: valuation.Setting,
    day: valuation.Market,
    *,
    touch: str = "ever",
    watched: str = "close",
    n: int = 256,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what the warrant's value at the grant is over the content, under several ways to read AMD's remark.

    AMD put the effect of the warrant at less than 5 % of its content per gigawatt; market conditions alone imply more.
    Each row is a candidate for the difference.

    Returns
    -------
    DataFrame
        Indexed by the candidate: ``value_busd``, ``content_busd`` and ``share``, with every input at its value; ``low``
        and ``high``, the 90 % interval of the share over ``n`` samples of volatility, rate, chance of deliveries and
        content. Values are means over the dates of deliveries. The cost of whole sites has no range in the data.
    """
    ranges = catalog.ranges({"content": ("amd-openai", "content_busd_per_gw", "components")})
    site = catalog.value("gigawatt-site", "site_cost_busd_per_gw", "all_in")
    plan, gw, steps = {"touch": touch, "watched": watched}, what.capacity_gw, what.warrant.table["milestone_gw"]
    back = spread_targets(what.warrant.shares, 1, gw, 0, what.warrant.table["target_usd"].iloc[-1])
    late = replace(what, warrant=replace(what.warrant, tranches=back))
    drawn = valuation.uncertain(what, day, **plan, n=n, seed=seed)
    market = drawn[["volatility", "rate", "go_on_share"]]
    chance = rollout.delivered_probability(steps.to_numpy(), market["go_on_share"].to_numpy()[:, None], what.binding_gw)
    last = valuation.uncertain(late, day, **plan, drawn=market)["value_busd"]
    content = np.random.default_rng(seed).permutation(uncertainty.sample(ranges, n, seed)["content"])
    table, later = what.value(day, **plan), late.value(day, **plan)["value_busd"].sum()
    first, whole, each = table["value_busd"].iloc[0], table["value_busd"].sum(), np.diff(steps, prepend=0)
    taken, middle = what.taken_share @ each, ranges.loc["content", "value"]
    firsts, wholes = drawn[f"tranche_{table.index[0]}"], drawn["value_busd"]
    rows = {  # value, gigawatts and content per gigawatt, each at its value and in samples
        "all tranches, over all gigawatts": (whole, wholes, gw, gw),
        "both weighted by the chance of delivery": (
            table["weighted_busd"].sum(),
            drawn["weighted_busd"],
            taken,
            chance @ each,
        ),
        "first tranche, over the first gigawatt": (first, firsts, steps.iloc[0], steps.iloc[0]),
        "first tranche alone, over all gigawatts": (first, firsts, gw, gw),
        "all shares in the last tranche, over all gigawatts": (later, last, gw, gw),
    }
    found = {}
    for name, (busd, samples, over, over_samples) in rows.items():
        ends = uncertainty.interval(samples / (content * over_samples))[["low", "high"]]
        found[name] = [busd, middle * over, busd / (middle * over), *ends]
    ends = uncertainty.interval(wholes / (site * gw))[["low", "high"]]
    found["all tranches, over the cost of whole sites"] = [whole, site * gw, whole / (site * gw), *ends]
    return pd.DataFrame(found, index=["value_busd", "content_busd", "share", "low", "high"]).T


def market_conditions(what: valuation.Setting, day: valuation.Market, *, watched: str = "close") -> tuple[float, float]:
    """Return the least and the most that price targets alone leave of the warrant, over the content. [share]

    Deliveries are taken as certain and in time. Least: every share at the last target, at the low end of volatility,
    over the high end of content. Most: no targets at all, over the low end. ``watched`` is how the price is watched,
    as for the values that these bound: see :data:`gigafleet.warrant.readings.WATCHES`.
    """
    vendor, shares = catalog.deal(what.warrant.name)["vendor"], what.warrant.shares / 1e9
    low = catalog.value(vendor, "volatility_share", "long_dated", "low")
    years, last = what.warrant.years_left(day.date), what.warrant.table["target_usd"].iloc[-1]
    case = {"volatility": low, "rate": day.rate, "years": years, "strike": what.warrant.strike_usd}
    case["watched"] = watched
    least, most = (float(valuation.tranche_value(day.spot_usd, target, **case)) for target in (last, 0.0))
    content = [catalog.value("amd-openai", "content_busd_per_gw", "components", end) for end in ("high", "low")]
    return least * shares / (content[0] * what.capacity_gw), most * shares / (content[1] * what.capacity_gw)


def bill_paid(proceeds_busd: pd.Series, bill_busd: np.ndarray) -> pd.Series:
    """Return which share of a bill the sale of vested shares could pay: ``low``, ``median``, ``high``, and ``all``: the
    probability that it pays all of it.

    Parameters
    ----------
    proceeds_busd
        One a path: see :meth:`gigafleet.warrant.vesting.Vesting.proceeds_busd`. [billion USD]
    bill_busd
        Samples of the bill, drawn on their own. [billion USD]
    """
    _check_samples("bill_busd", bill_busd)
    if not len(proceeds_busd):
        raise ValueError("proceeds_busd must have at least one path, not none")
    share = proceeds_busd / _shuffled(bill_busd, len(proceeds_busd))
    return pd.concat([uncertainty.interval(share), pd.Series({"all": float((share >= 1).mean())})])


def paid_in_full(proceeds_busd: list[pd.Series], bill_busd: np.ndarray) -> pd.Series:
    """Return ``low``, ``median``, ``high`` of the probability that sales pay all of a bill, over several simulations:
    see :func:`bill_paid`. [share]"""
    return uncertainty.interval(pd.Series([bill_paid(one, bill_busd)["all"] for one in proceeds_busd]))


def plug_amazon(n: int = 4096, seed: int = 0) -> pd.DataFrame:
    """Return samples of the fair value of Amazon's warrant on Plug Power of 2022, at its grant, with the inputs.

    Its price of the share, its volatility and its rate are not in the sources read; they are assumptions with ranges.
    The first part of the shares has a strike near the price of the day and no price target, so each share is a call.

    Returns
    -------
    DataFrame
        ``spot``, ``volatility``, ``rate`` and ``usd_per_share``.
    """
    name = "plug-amazon-2022"
    keys = {"spot": "spot_usd", "volatility": "volatility_share", "rate": "yield_share"}
    drawn = uncertainty.sample(catalog.ranges({key: (name, q, "at_grant") for key, q in keys.items()}), n, seed)
    years, strike = catalog.value(name, "vesting_years"), catalog.value(name, "strike_usd", "first_part")
    each = valuation.tranche_value(drawn["spot"], 0.0, drawn["volatility"], drawn["rate"], years, strike=strike)
    return drawn.assign(usd_per_share=each)


def issued(deal: str, shares_m: dict[str, float], price_usd: float) -> pd.DataFrame:
    """Return the dilution by so many shares of a deal's warrant, and of all warrants on the same vendor together.

    Parameters
    ----------
    deal
        A deal with a warrant.
    shares_m
        Case -> warrant shares issued. [million]
    price_usd
        [USD]

    Returns
    -------
    DataFrame
        As :func:`gigafleet.warrant.accounting.dilution`, one row a case, and one for each other warrant on the vendor
        added in full.
    """
    if not shares_m:
        raise ValueError("shares_m must have at least one case, not none")
    deal, vendor = catalog.deal(deal)["id"], catalog.deal(deal)["vendor"]
    cases, total = dict(shares_m), max(shares_m.values())
    for name, terms in catalog.deals().items():
        if terms["vendor"] == vendor and terms["warrant"] and name != deal:
            total = total + terms["warrant"]["public"]["shares"] / 1e6
            cases[f"with all of {terms['buyer']}'s"] = total
    outstanding = catalog.value(vendor, "shares_outstanding_m")
    return accounting.dilution(pd.Series(cases), outstanding, price_usd, of_deal(deal).strike_usd)
