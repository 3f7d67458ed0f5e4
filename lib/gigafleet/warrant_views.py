"""Tables on a warrant as the notebooks show them."""

import numpy as np
import pandas as pd

from gigafleet import catalog, earnings, payers, rollout, uncertainty
from gigafleet.tell import between, number
from gigafleet.warrant import closed_form, valuation
from gigafleet.warrant.contract import DAYS_PER_YEAR, Warrant, years_between
from gigafleet.warrant.readings import TOUCHES
from gigafleet.warrant.simulation import IndexThreshold, simulate
from gigafleet.warrant.vesting import Vesting, vesting
from gigafleet.warrant_terms import by_dates, flows, known_and_redacted, tranches

__all__ = ["by_dates", "flows", "known_and_redacted", "tranches"]  # what another module holds for this one

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
GROWTH_NAMES = {
    "growth": "growth of the expected price, continuous [%/year]",
    "low": "vested by expiry, low end [million]",
    "median": "median",
    "high": "high end",
    "mean": "mean",
    "cost_mean_busd": "their price when vested, mean [billion USD]",
}
LONG_YEARS = 4.0  # maturity at which the long-dated volatility stands
SHOWN = 6  # tranches that a chart shows apart
VOLATILITIES = (0.35, 0.45, 0.55, 0.65, 0.75, 0.85)
TARGETS_USD = (200, 250, 300, 400, 500, 600)


def totals(what: valuation.Setting, days: dict[str, valuation.Market], watched: str) -> pd.DataFrame:
    """Return the value by day and reading, if all is taken: one row each, one column a tranche. [billion USD]"""
    shares = what.warrant.table["shares_m"] / 1e3
    table = valuation.by_reading(what, days, watched)
    rows = {f"{day}: {TOUCH_LABELS[touch]}": table[day, touch] * shares for day in days for touch in TOUCHES}
    wide = pd.DataFrame(rows).T
    parts = wide.iloc[:, :SHOWN].rename(columns=lambda i: f"tranche {i}")
    return parts.assign(later=wide.iloc[:, SHOWN:].sum(axis=1)) if wide.shape[1] > SHOWN else parts


def totals_ends(
    what: valuation.Setting, days: dict[str, valuation.Market], watched: str, n: int = 128, seed: int = 0
) -> dict[str, pd.Series]:
    """Return ``low`` and ``high``, the ends of the 90 % interval of each row's sum in :func:`totals`. [billion USD]

    Each sample of the roll-out has its own dates, with one of ``n`` samples of volatility and rate: see
    :func:`gigafleet.warrant_terms.by_dates`.
    """
    rows = {}
    for name, day in days.items():
        market = valuation.uncertain(what, day, n=n, seed=seed)
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


def in_time_busd(what: valuation.Setting, day: valuation.Market, watched: str) -> float:
    """Return the value if every milestone came at once and targets counted ever, the most possible. [billion USD]"""
    now = np.zeros(len(what.warrant.table))
    return float(valuation.value(what.warrant, day, now, touch="ever", watched=watched)["value_busd"].sum())


def heat(what: valuation.Setting, day: valuation.Market, touch: str, watched: str) -> pd.DataFrame:
    """Return the value of a share that vests with the last milestone, over the spot [%]: rows target, columns
    volatility; over the dates of that milestone that fall before expiry."""
    times = what.times(day)[:, -1:]
    times = times[times[:, 0] <= what.warrant.years_left(day.date)][:256]
    times = times if len(times) else np.array([[what.warrant.years_left(day.date)]])
    grid = np.array(TARGETS_USD, float)[:, None], np.array(VOLATILITIES)[None, :]
    each = closed_form.tranche_value(
        day.spot_usd,
        grid[0][..., None],
        grid[1][..., None],
        day.rate,
        what.warrant.years_left(day.date),
        strike=what.warrant.strike_usd,
        milestone_years=times[:, 0],
        touch=touch,
        watched=watched,
    ).mean(axis=2)
    columns = [f"{100 * v:.0f} %" for v in VOLATILITIES]
    return pd.DataFrame(100 * each / day.spot_usd, [f"{t} USD" for t in TARGETS_USD], columns)


def _common(what: valuation.Setting, day: valuation.Market, stops: np.ndarray | None) -> dict:
    """Return what simulations on a day have in common."""
    table = what.warrant.table
    times = what.times(day)
    if stops is not None:
        times = np.where(table["milestone_gw"].to_numpy() > stops[:, None], np.inf, times)
    return {
        "spot": day.spot_usd,
        "volatility": day.volatility,
        "years": what.warrant.years_left(day.date),
        "milestone_years": times,
        "reached": (table["target_usd"] <= day.highest_usd).to_numpy(),
    }


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
        common = _common(what, day, None) | plan | {"rate": day.rate}
        rows = {case: simulate(what.warrant, **common | changed).loc["all"] for case, changed in cases.items()}
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


def vest(
    what: valuation.Setting,
    day: valuation.Market,
    drift: float,
    *,
    touch: str,
    watched: str,
    stops: bool = True,
    n_paths: int = 2**14,
    seed: int = 0,
) -> Vesting:
    """Return simulated vesting from a day on, with deliveries that go with the share price.

    Parameters
    ----------
    what, day, touch, watched
        As in :func:`gigafleet.warrant.valuation.value`.
    drift
        Assumed growth of the share price. [share/year]
    stops
        Whether the buyer may stop after the gigawatts that bind; else all are taken.
    n_paths, seed
        Paths; the same seed gives the same paths.
    """
    ends = rollout.draw_stops(what.inputs, what.capacity_gw, what.binding_gw, seed) if stops else None
    together = catalog.value(what.warrant.name, "rank_correlation", "deliveries with share price")
    plan = {"drift": drift, "touch": touch, "watched": watched, "delivery_correlation": together}
    plan["first_years"] = to_quarter_end(day.date)
    return vesting(what.warrant, **_common(what, day, ends), **plan, n_paths=n_paths, seed=seed)


def to_quarter_end(date: str) -> float:
    """Return the time from a date to the end of its calendar quarter, or of the next one on its last day. [years]"""
    end = pd.Period(date, "Q").end_time.date().isoformat()
    if end == date:
        end = (pd.Period(date, "Q") + 1).end_time.date().isoformat()
    return years_between(date, end)


def by_quarter(table: pd.DataFrame, day: valuation.Market) -> pd.DataFrame:
    """Return a table with the dates of a simulation in its index as one with calendar quarters.

    The day itself is left out; the last row, the expiry, stands for its quarter. See :func:`to_quarter_end`.
    """
    dates = pd.Timestamp(day.date) + pd.to_timedelta((table.index.to_numpy() * DAYS_PER_YEAR).round(), "D")
    first = dates[1].to_period("Q")
    names = [str(first + i) for i in range(len(dates) - 2)] + [str(dates[-1].to_period("Q"))]
    return table.iloc[1:].set_axis(pd.Index(names, name="quarter")).groupby(level=0).last()


def range_of_readings(totals_table: pd.DataFrame, day: str) -> tuple[float, float]:
    """Return the least and the most over the readings of a day, from :func:`totals`. [billion USD]"""
    sums = totals_table[totals_table.index.str.startswith(f"{day}: ")].sum(axis=1)
    return float(sums.min()), float(sums.max())


def price_text(day: valuation.Market) -> str:
    """Return where the price of a day comes from."""
    return f"the close of {day.price_date}" if day.price_date else "a price given by hand"


def dilution_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return :func:`gigafleet.payers.issued` as text, shares in percent, under readable names."""
    shares = 100 * table[["basic_share", "post_issue_share", "treasury_share"]]
    return pd.DataFrame(
        {
            "new shares [million]": table["shares_m"].map(number),
            "over shares before [%]": shares["basic_share"].map(number),
            "over shares after [%]": shares["post_issue_share"].map(number),
            "net shares, treasury method [million]": table["net_shares_m"].map(lambda x: number(x, 6)),
            "treasury method [%]": shares["treasury_share"].map(number),
        }
    )


def growth_cases(
    what: valuation.Setting, day: valuation.Market, *, touch: str, watched: str, seed: int
) -> pd.DataFrame:
    """Return the vesting by expiry at both ends of the range of the expected growth and at its value.

    Returns
    -------
    DataFrame
        One row a case: ``growth`` [%/year]; ``low``, ``median``, ``high``, ``mean``: shares vested [million];
        ``cost_mean_busd``: their price when they vest, less the strike, which is what the other holders give up.
    """
    vendor, rows = catalog.deal(what.warrant.name)["vendor"], {}
    for case in catalog.CASES:
        growth = catalog.value(vendor, "share_drift_share", "expected", case)
        drawn = vest(what, day, growth, touch=touch, watched=watched, seed=seed)
        ends = drawn.shares_issued_m().iloc[:, -1]
        cost = drawn.proceeds_busd().sum(axis=1).mean()
        rows[case] = {"growth": 100 * growth, **uncertainty.interval(ends), "mean": ends.mean(), "cost_mean_busd": cost}
    names = {"low": "low end of the range", "mid": "value", "high": "high end"}
    return pd.DataFrame(rows).T.rename(index=names)


def side_by_side(deals: list[str], n: int, seed: int, touch: str, watched: str) -> pd.DataFrame:
    """Return the warrants of several deals through the same code, at their grants and at the newest price.

    Returns
    -------
    DataFrame
        One column a buyer, text: spot at grant, value at grant and latest (if taken, each sample with its own dates;
        weighted, averaged over them), rebate.
    """
    columns = {}
    for deal in deals:
        what, bill = valuation.setting(deal, n, seed), gross_busd(deal, n, seed)
        rows = {}
        for label, name in {"grant": "at the grant", "latest": "at the newest price"}.items():
            day = valuation.market(deal, label)
            drawn = valuation.uncertain(what, day, touch=touch, watched=watched, seed=seed)
            inside = uncertainty.interval(drawn)
            inside.loc["value_busd"] = by_dates(what, day, drawn, touch=touch, watched=watched)
            rows[f"price of the share {name} [USD]"] = f"{number(day.spot_usd, 5)} ({day.price_date})"
            for column, words in {"value_busd": "if taken", "weighted_busd": "weighted"}.items():
                row = inside.loc[column]
                ends = f" ({between(row['low'], row['high'])})" if number(row["low"]) != number(row["high"]) else ""
                text = f"{number(row['median'])}{ends}"
                rows[f"value {name}, {words} [billion USD]"] = text
            if label == "grant":
                back = payers.rebate(drawn, bill, what.capacity_gw)
                for key, words, scale in (
                    ("busd_per_gw", "per GW [billion USD]", 1),
                    ("share", "of the bill [%]", 100),
                ):
                    rows[f"rebate {words}"] = between(scale * back.loc[key, "low"], scale * back.loc[key, "high"])
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


def gross_busd(deal: str, n: int, seed: int) -> np.ndarray:
    """Return samples of what is paid for all gigawatts of a deal, before the warrant. [billion USD]"""
    return earnings.whole(earnings.evaluate(deals=[deal], n=n, seed=seed))["gross_revenue_busd"].to_numpy()


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
