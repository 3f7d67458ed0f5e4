"""Tables on a warrant as the notebooks show them."""

import numpy as np
import pandas as pd

from gigafleet import catalog, earnings, payers, rollout, uncertainty
from gigafleet.tell import between, number, ranged
from gigafleet.vesting_views import (
    GROWTH_NAMES,
    by_quarter,
    common,
    dilution_text,
    growth_cases,
    path_ranges,
    share_above,
    to_quarter_end,
    vest,
    vest_each,
    vest_paths,
    vested_text,
)
from gigafleet.warrant import closed_form, valuation
from gigafleet.warrant.contract import Warrant
from gigafleet.warrant.readings import TOUCHES
from gigafleet.warrant.simulation import IndexThreshold, simulate
from gigafleet.warrant_terms import by_dates, flows, known_and_redacted, own_dates, tranches, with_range

__all__ = [  # what other modules hold for this one
    "GROWTH_NAMES",
    "by_dates",
    "by_quarter",
    "dilution_text",
    "flows",
    "growth_cases",
    "known_and_redacted",
    "own_dates",
    "path_ranges",
    "share_above",
    "to_quarter_end",
    "tranches",
    "vest",
    "vest_each",
    "vest_paths",
    "vested_text",
    "with_range",
]

TOUCH_NAMES = {
    "ever": "a target counts whenever it is reached before expiry",
    "from_milestone": "a target counts from the milestone on",
    "at_milestone": "a target counts on the day of the milestone",
}
TOUCH_LABELS = {
    "ever": "target counts at any time",
    "from_milestone": "from the milestone on",
    "at_milestone": "on the day of the milestone",
}
ASSUMED = "The tranche table is assumed"
LONG_YEARS = 4.0  # maturity at which the long-dated volatility stands
SHOWN = 6  # tranches that a chart shows apart
VOLATILITIES = (0.35, 0.45, 0.55, 0.65, 0.75, 0.85)
TARGETS_USD = (200, 250, 300, 400, 500, 600)


def totals(what: valuation.Setting, days: dict[str, valuation.Market], watched: str) -> pd.DataFrame:
    """Return the value by day and reading, if all is taken: one row each, one column a tranche. [billion USD]

    Expected over the dates of deliveries, with volatility and rate at the day's values.
    """
    shares = what.warrant.table["shares_m"] / 1e3
    table = valuation.by_reading(what, days, watched)
    rows = {f"{day}: {TOUCH_LABELS[touch]}": table[day, touch] * shares for day in days for touch in TOUCHES}
    wide = pd.DataFrame(rows).T
    parts = wide.iloc[:, :SHOWN].rename(columns=lambda i: f"tranche {i}")
    return parts.assign(later=wide.iloc[:, SHOWN:].sum(axis=1)) if wide.shape[1] > SHOWN else parts


def totals_ends(
    what: valuation.Setting, days: dict[str, valuation.Market], watched: str, n: int = 256, seed: int = 0
) -> dict[str, pd.Series]:
    """Return ``low`` and ``high``, the ends of the 90 % interval of each row's sum in :func:`totals`. [billion USD]

    Each sample of the roll-out has its own dates, with one of ``n`` samples of volatility and rate: see
    :func:`gigafleet.warrant_terms.by_dates`.
    """
    rows = {}
    for name, day in days.items():
        market = valuation.market_samples(what.warrant.name, day, n, seed)
        for touch in TOUCHES:
            rows[f"{name}: {TOUCH_LABELS[touch]}"] = by_dates(what, day, market, touch=touch, watched=watched)
    return pd.DataFrame(rows).T[["low", "high"]].to_dict("series")


def jump(warrant: Warrant, grant: valuation.Market) -> str:
    """Return what a reader must know of the price that stands for a grant: whether it holds the deal's own jump."""
    if grant.price_date and grant.price_date <= warrant.granted:
        return "; a later close holds the jump that the deal itself caused"
    return ", the first after it in the data, which may hold a jump that the deal itself caused" * bool(
        grant.price_date
    )


def range_of_ends(ends: dict[str, pd.Series], day: str) -> tuple[float, float]:
    """Return the lowest low and the highest high over the readings of a day, from :func:`totals_ends`. [billion USD]"""
    low, high = (ends[end][ends[end].index.str.startswith(f"{day}: ")] for end in ("low", "high"))
    return float(low.min()), float(high.max())


def in_time_busd(
    what: valuation.Setting, day: valuation.Market, watched: str, market: pd.DataFrame | None = None, seed: int = 0
) -> pd.Series:
    """Return the value if every milestone came at once and targets counted ever: what no sample of the same volatility
    and rate can pass.

    Parameters
    ----------
    what, day, watched
        As in :func:`gigafleet.warrant.valuation.value`.
    market
        Samples of ``volatility`` and ``rate``; None draws them as :func:`own_dates` does, by ``seed``.

    Returns
    -------
    Series
        One a sample, with its index. [billion USD]
    """
    market = valuation.market_samples(what.warrant.name, day, seed=seed) if market is None else market
    axes = {name: market[name].to_numpy()[:, None] for name in ("volatility", "rate")}
    now = np.zeros((1, len(what.warrant.table)))
    each = valuation.per_share(what.warrant, day, now, touch="ever", watched=watched, **axes)
    return pd.Series(each @ what.warrant.table["shares_m"].to_numpy() / 1e3, market.index)


def tranches_text(
    what: valuation.Setting, day: valuation.Market, own: pd.DataFrame, *, touch: str, watched: str
) -> pd.DataFrame:
    """Return :meth:`gigafleet.warrant.valuation.Setting.value` as text, with 90 % intervals in brackets.

    Parameters
    ----------
    what, day, touch, watched
        As there.
    own
        Samples of the same from :func:`own_dates`: the intervals of values are theirs.

    Returns
    -------
    DataFrame
        Its columns. The chance of a delivery in time is that over all samples, which leaves no interval.
    """
    middle, taken = what.value(day, touch, watched), what.taken_shares
    busd = own[[f"tranche_{i}" for i in middle.index]].to_numpy()
    samples = {"years": what.times(day), "taken_share": taken, "value_busd": busd, "weighted_busd": busd * taken}
    samples["usd_per_share"] = 1e3 * busd / middle["shares_m"].to_numpy()
    low, high = middle.copy(), middle.copy()
    for name, drawn in samples.items():
        low[name], high[name] = np.quantile(drawn, [0.05, 0.95], axis=0)
    same = low.map(number) == high.map(number)
    return ranged(middle, low.mask(same, middle), high.mask(same, middle))


def heat(what: valuation.Setting, day: valuation.Market, touch: str, watched: str) -> pd.DataFrame:
    """Return the value of a share that vests with the last milestone, over the spot [%]: rows target, columns
    volatility; over the dates of that milestone that fall before expiry."""
    each = _last_tranche(what, day, np.array(VOLATILITIES), day.rate, touch, watched)
    return pd.DataFrame(each, [f"{t} USD" for t in TARGETS_USD], [f"{100 * v:.0f} %" for v in VOLATILITIES])


def heat_ends(what: valuation.Setting, day: valuation.Market, touch: str, watched: str, seed: int = 0) -> pd.DataFrame:
    """Return the 90 % interval of each row of :func:`heat` over samples of volatility and rate: ``low``, ``median``,
    ``high``. [%]"""
    market = valuation.market_samples(what.warrant.name, day, seed=seed)
    each = _last_tranche(what, day, market["volatility"].to_numpy(), market["rate"].to_numpy(), touch, watched)
    return uncertainty.interval(pd.DataFrame(each.T, columns=[f"{t} USD" for t in TARGETS_USD]))


def _last_tranche(
    what: valuation.Setting, day: valuation.Market, volatility: np.ndarray, rate: object, touch: str, watched: str
) -> np.ndarray:
    """Return the value of a share that vests with the last milestone, if before expiry, over the spot [%]: one row a
    target of :data:`TARGETS_USD`, one column a volatility, each with its rate or all with one."""
    years = what.warrant.years_left(day.date)
    times = what.times(day)[:, -1]
    times = times[times <= years][:256]
    each = closed_form.tranche_value(
        day.spot_usd,
        np.array(TARGETS_USD, float)[:, None, None],
        volatility[:, None],
        np.broadcast_to(rate, volatility.shape)[:, None],
        years,
        strike=what.warrant.strike_usd,
        milestone_years=times if len(times) else np.array([years]),
        touch=touch,
        watched=watched,
    )
    return 100 * each.mean(axis=2) / day.spot_usd


def monte_carlo(
    what: valuation.Setting, days: dict[str, valuation.Market], touch: str, n_paths: int = 2**14, seed: int = 0
) -> pd.DataFrame:
    """Return the value of the whole warrant, if taken, under readings that have no closed form, on several days.

    A single close in the past does not tell what an average or an index did, so for these nothing is taken as reached
    before the day.

    Returns
    -------
    DataFrame
        One row a case; for each day ``<day>``: value with its standard error, as text [billion USD], and
        ``change, <day>``: over the first case [%].
    """
    plan = {"touch": touch, "n_paths": n_paths, "seed": seed}
    vendor = catalog.deal(what.warrant.name)["vendor"]
    together = catalog.value(what.warrant.name, "rank_correlation", "deliveries with share price")
    correlation = catalog.value(vendor, "correlation_ratio", "soxx_monthly")
    index = IndexThreshold(catalog.value("chip-index", "volatility_share", "long_dated"), correlation, margin=0.0)
    table = pd.DataFrame()
    for name, day in days.items():
        cases = {
            "daily closes": {},
            "average of 20 closes": {"watched": "n_day_average", "reached": None},
            "only on days ahead of a chip index since this day": {"index": index, "reached": None},
            f"deliveries early when the price is high (rank correlation {together:g})": {
                "delivery_correlation": together
            },
            "volatility by maturity": {"volatility": term_structure(vendor, day.volatility)},
        }
        shared = common(what, day, None) | plan | {"rate": day.rate}
        rows = {case: simulate(what.warrant, **shared | changed).loc["all"] for case, changed in cases.items()}
        found = pd.DataFrame(rows).T.astype(float)
        errors = found["standard_error_busd"].map(lambda x: number(x, 1) if x >= 1e-3 else "0.000")
        table[name] = found["value_busd"].map(lambda x: number(x, 4)) + "\u00a0±\u00a0" + errors
        table[f"change, {name}"] = 100 * (found["value_busd"] / found["value_busd"].iloc[0] - 1).round(4)
    return table


def term_structure(vendor: str, long_dated: float) -> pd.Series:
    """Return the vendor's implied volatilities by maturity [years], and the long-dated one at four years.

    An implied one that leaves less than no variance for the time after it is left out.
    """
    facts = catalog.facts()
    rows = facts[facts["subject"].eq(vendor) & facts["condition"].str.startswith("implied_") & facts["preferred"]]
    rows = rows[rows["quantity"] == "volatility_share"]
    years = rows["condition"].str.extract(r"(\d+)")[0].astype(float).to_numpy() / 365
    known = pd.Series(rows["value"].to_numpy(), years).sort_index()
    far = pd.Series({LONG_YEARS: long_dated})
    return pd.concat([known[known**2 * known.index < long_dated**2 * LONG_YEARS], far])


def range_of_readings(totals_table: pd.DataFrame, day: str) -> tuple[float, float]:
    """Return the least and the most over the readings of a day, from :func:`totals`. [billion USD]"""
    sums = totals_table[totals_table.index.str.startswith(f"{day}: ")].sum(axis=1)
    return float(sums.min()), float(sums.max())


def price_text(day: valuation.Market) -> str:
    """Return where the price of a day comes from."""
    return f"the close of {day.price_date}" if day.price_date else "a price given by hand"


def side_by_side(deals: list[str], n: int, seed: int, touch: str, watched: str) -> pd.DataFrame:
    """Return the warrants of several deals through the same code, at their grants and at the newest price.

    Returns
    -------
    DataFrame
        One column a buyer, text: spot at grant, value at grant and latest (if taken, and weighted), rebate. Medians,
        with the 90 % interval in brackets; each sample has its own dates.
    """
    columns = {}
    for deal in deals:
        what, rows = valuation.setting(deal, n, seed), {}
        for label, name in {"grant": "at the grant", "latest": "at the newest price"}.items():
            day = valuation.market(deal, label)
            drawn = own_dates(what, day, touch=touch, watched=watched, seed=seed)
            inside = uncertainty.interval(drawn)
            rows[f"price of the share {name} [USD]"] = f"{number(day.spot_usd, 5)} ({day.price_date})"
            for column, words in {"value_busd": "if taken", "weighted_busd": "weighted"}.items():
                rows[f"value {name}, {words} [billion USD]"] = with_range(inside.loc[column])
            if label == "grant":
                back = payers.rebate(drawn, gross_busd(what, seed), what.capacity_gw, paired=True)
                rows["rebate per GW [billion USD]"] = with_range(back.loc["busd_per_gw"])
                rows["rebate of the bill [%]"] = with_range(100 * back.loc["share"])
        columns[catalog.deal(deal)["buyer"]] = rows
    return pd.DataFrame(columns)


def plug_table(seed: int) -> tuple[pd.DataFrame, float]:
    """Return Amazon's warrant on Plug Power: assumed inputs and the value that they imply beside the published one.

    Returns
    -------
    DataFrame, float
        Text, with the ends of the value in ``attrs["value"]``; the published value [USD].
    """
    drawn = uncertainty.interval(payers.plug_amazon(seed=seed))
    published = catalog.value("plug-amazon-2022", "warrant_fair_value_usd")
    names = {
        "spot": "price of the share at the grant [USD], assumed",
        "volatility": "volatility [share], assumed",
        "rate": "risk-free rate [share/year], assumed",
        "usd_per_share": "value of a warrant share [USD], implied",
    }
    rows = {
        "strike [USD], published": number(catalog.value("plug-amazon-2022", "strike_usd", "first_part"), 6),
        "time to expiry [years], taken from the vesting": number(catalog.value("plug-amazon-2022", "vesting_years")),
        **{text: between(drawn.loc[key, "low"], drawn.loc[key, "high"]) for key, text in names.items()},
        "value of a warrant share [USD], published": number(published, 4),
    }
    table = pd.DataFrame({"figure": rows})
    table.attrs["value"] = tuple(drawn.loc["usd_per_share", ["low", "high"]])
    return table, published


def gross_busd(what: valuation.Setting, seed: int = 0) -> np.ndarray:
    """Return what is paid for all gigawatts of a deal, before the warrant: one a sample of its roll-out, at the dates
    of that sample, with prices drawn on their own. [billion USD]"""
    deal = what.warrant.name
    drawn = earnings.draw(deal, len(what.inputs), seed)
    order = np.random.default_rng([seed, 1]).permutation(len(drawn))  # rows of one seed move together
    names = {name: f"{deal} {name}" if f"{deal} {name}" in drawn else name for name in rollout.INPUTS}
    dates = {column: what.inputs[name].to_numpy() for name, column in names.items()}
    paid = earnings.evaluate(drawn.iloc[order].reset_index(drop=True).assign(**dates), deals=deal)
    return earnings.whole(paid)["gross_revenue_busd"].to_numpy()


def swings(
    what: valuation.Setting, day: valuation.Market, *, touch: str, watched: str, draws: int = 256
) -> pd.DataFrame:
    """Return how the weighted value moves with one input at a time: volatility, rate, the chance of deliveries, dates.

    A date that does not move keeps its draws, because a value averages over them; the others stand at their values.

    Returns
    -------
    DataFrame
        As :func:`gigafleet.uncertainty.tornado`. [billion USD]
    """
    name, vendor = what.warrant.name, catalog.deal(what.warrant.name)["vendor"]
    rate = ("us-treasury", "yield_share", valuation.rate_condition(day.date))
    places = {"volatility": (vendor, "volatility_share", "long_dated"), "rate": rate}
    ramp = rollout.ranges(name).loc[["first_gw_years", "later_gw_years", "delay_years", "slip_share", "go_on_share"]]
    ranges = pd.concat([catalog.ranges(places), ramp])
    plan = what.inputs.iloc[:draws].assign(go_on_share=ramp.loc["go_on_share", "value"])

    def answer(moved: str, number_at: float) -> float:
        plans = plan.assign(**{moved: number_at}) if moved in ramp.index else plan
        setting = valuation.Setting(what.warrant, plans, what.capacity_gw, what.binding_gw)
        market = valuation.moved(day, **({moved: number_at} if moved in places else {}))
        return setting.value(market, touch, watched)["weighted_busd"].sum()

    middle = answer("", np.nan)
    rows = {input_: [answer(input_, row["low"]), answer(input_, row["high"])] for input_, row in ranges.iterrows()}
    table = pd.DataFrame(rows, index=["low", "high"]).T.assign(value=middle)
    table = table.assign(swing=(table["high"] - table["low"]).abs())
    table = table.assign(input_low=ranges["low"], input_high=ranges["high"])
    return table.sort_values("swing", ascending=False, kind="stable")


def used_sources(deal: str, days: list[valuation.Market]) -> list[str]:
    """Return the sources behind a deal's warrant, the prices of some days and the content of a gigawatt."""
    terms = catalog.deal(deal)
    used = {*terms["public"]["sources"], *terms["warrant"]["public"]["sources"]}
    used |= {day.source_id for day in days if day.source_id}
    facts = catalog.facts()
    own = facts["subject"].eq(deal) & facts["quantity"].str.contains("warrant|rebate|content|years|go_on|correlation")
    market = facts["subject"].eq(terms["vendor"]) & facts["quantity"].isin(
        ["volatility_share", "shares_outstanding_m", "correlation_ratio", "share_drift_share"]
    )
    other = facts["subject"].eq("plug-amazon-2022") | facts["quantity"].eq("site_cost_busd_per_gw")
    return sorted(used | set(facts[(own | market | other) & facts["preferred"]]["source_id"]))
