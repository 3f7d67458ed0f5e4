"""When a warrant vests, as the notebooks show it: fans over paths, chances with their ranges, dilution.

Each path of a fan has its own volatility and growth from their ranges, so that the fan holds them. A chance is one
number over all paths; how far it moves with what the paths have in common is told by simulations that fix one draw of
it each, on the same random numbers.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from gigafleet import catalog, rollout, uncertainty
from gigafleet.tell import number, ranged
from gigafleet.warrant import valuation
from gigafleet.warrant.contract import DAYS_PER_YEAR, years_between
from gigafleet.warrant.vesting import Vesting, vesting

GROWTH_NAMES = {
    "growth": "growth of the expected price, continuous [%/year]",
    "low": "vested by expiry, low end [million]",
    "median": "median",
    "high": "high end",
    "mean": "mean",
    "cost_low_busd": "their price when vested, low end [billion USD]",
    "cost_mean_busd": "its mean",
    "cost_high_busd": "its high end",
}


def common(what: valuation.Setting, day: valuation.Market, stops: np.ndarray | None) -> dict:
    """Return what simulations on a day have in common; ``stops`` is with how many gigawatts a sample ends, if so."""
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


def path_ranges(what: valuation.Setting, day: valuation.Market, drift: float | None = None) -> pd.DataFrame:
    """Return the ranges of ``volatility``, ``go_on_share`` and ``drift``, as :func:`gigafleet.catalog.ranges` does.

    A drift given by hand keeps its range's width; the range moves with it. [share/year]
    """
    vendor = catalog.deal(what.warrant.name)["vendor"]
    growth = catalog.ranges({"drift": (vendor, "share_drift_share", "expected")})
    if drift is not None:
        growth[["low", "value", "high"]] += drift - growth.loc["drift", "value"]
    return pd.concat([valuation.market_ranges(what.warrant.name, day).loc[["volatility", "go_on_share"]], growth])


def vest(
    what: valuation.Setting,
    day: valuation.Market,
    drift: float | np.ndarray,
    *,
    touch: str,
    watched: str,
    volatility: np.ndarray | None = None,
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
        Assumed growth of the share price, one number or one a path. [share/year]
    volatility
        One a path; None is the day's. [share]
    stops
        Whether the buyer may stop after the gigawatts that bind; else all are taken.
    n_paths, seed
        Paths; the same seed gives the same paths.
    """
    ends = rollout.draw_stops(what.inputs, what.capacity_gw, what.binding_gw, seed) if stops else None
    together = catalog.value(what.warrant.name, "rank_correlation", "deliveries with share price")
    plan = common(what, day, ends) | {"drift": drift, "touch": touch, "watched": watched, "n_paths": n_paths}
    plan |= {} if volatility is None else {"volatility": volatility}
    first = to_quarter_end(day.date)
    return vesting(what.warrant, **plan, delivery_correlation=together, first_years=first, seed=seed)


def vest_paths(
    what: valuation.Setting,
    day: valuation.Market,
    drift: float | None = None,
    *,
    touch: str,
    watched: str,
    stops: bool = True,
    n_paths: int = 2**14,
    seed: int = 0,
) -> Vesting:
    """Return :func:`vest` where each path has its own volatility and growth, from :func:`path_ranges`.

    ``n_paths`` is a power of two.
    """
    drawn = uncertainty.sample(path_ranges(what, day, drift), n_paths, seed)
    own = {name: drawn[name].to_numpy() for name in ("drift", "volatility")}
    return vest(what, day, **own, touch=touch, watched=watched, stops=stops, n_paths=n_paths, seed=seed)


def vest_each(
    what: valuation.Setting,
    day: valuation.Market,
    drift: float | None = None,
    *,
    touch: str,
    watched: str,
    stops: bool = True,
    draws: int = 64,
    n_paths: int = 2**12,
    seed: int = 0,
) -> list[Vesting]:
    """Return one simulation for each of ``draws`` (a power of two) of :func:`path_ranges`, all on the same random
    numbers: prices, dates and stops vary within it, volatility, growth and chance of deliveries from one to the next.
    """
    plan, found = {"touch": touch, "watched": watched, "stops": stops, "n_paths": n_paths, "seed": seed}, []
    for row in uncertainty.sample(path_ranges(what, day, drift), draws, seed).itertuples():
        fixed = replace(what, inputs=what.inputs.assign(go_on_share=row.go_on_share))
        found.append(vest(fixed, valuation.moved(day, volatility=row.volatility), row.drift, **plan))
    return found


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


def vested_text(drawn: Vesting, each: list[Vesting], day: valuation.Market, step: int = 4) -> pd.DataFrame:
    """Return the probability that a tranche (row) has vested by the end of every ``step``-th quarter, as text. [%]

    In brackets the 90 % interval over the simulations of :func:`vest_each`; none where it has no width.
    """
    tables = [100 * by_quarter(one.probability().T, day).iloc[::step].T for one in (drawn, *each)]
    middle = tables[0].rename(index=lambda i: f"tranche {i}")
    low, high = (pd.DataFrame(x, middle.index, middle.columns) for x in np.quantile(tables[1:], [0.05, 0.95], axis=0))
    differs = low.map(lambda x: number(x, 2)) != high.map(lambda x: number(x, 2))
    return ranged(middle, low, high.where(differs, low), 2)


def share_above(drawn: Vesting, each: list[Vesting], usd: float) -> pd.Series:
    """Return which share of the prices at expiry is at or above a level.

    Returns
    -------
    Series
        ``value`` over all paths; ``low``, ``high``: the 90 % interval over the simulations of :func:`vest_each`.
    """
    shares = [float((one.price_usd[:, -1] >= usd).mean()) for one in (drawn, *each)]
    return pd.Series({"value": shares[0], **uncertainty.interval(pd.Series(shares[1:]))[["low", "high"]]})


def growth_cases(
    what: valuation.Setting, day: valuation.Market, *, touch: str, watched: str, seed: int
) -> pd.DataFrame:
    """Return the vesting by expiry at both ends of the range of the expected growth and at its value.

    Returns
    -------
    DataFrame
        One row a case: ``growth`` [%/year]; ``low``, ``median``, ``high``, ``mean``: shares vested [million];
        ``cost_low_busd``, ``cost_mean_busd``, ``cost_high_busd``: their price when they vest, less the strike, which
        is what the other holders give up. Each path has its own volatility.
    """
    vendor, rows = catalog.deal(what.warrant.name)["vendor"], {}
    own = uncertainty.sample(path_ranges(what, day), 2**14, seed)["volatility"].to_numpy()
    for case in catalog.CASES:
        growth = catalog.value(vendor, "share_drift_share", "expected", case)
        drawn = vest(what, day, growth, volatility=own, touch=touch, watched=watched, n_paths=len(own), seed=seed)
        ends, cost = drawn.shares_issued_m().iloc[:, -1], drawn.proceeds_busd().sum(axis=1)
        spread = uncertainty.interval(cost)
        rows[case] = {"growth": 100 * growth, **uncertainty.interval(ends), "mean": ends.mean()}
        rows[case] |= {f"cost_{name}_busd": spread[name] for name in ("low", "high")} | {"cost_mean_busd": cost.mean()}
    names = {"low": "low end of the range", "mid": "value", "high": "high end"}
    return pd.DataFrame(rows).T.rename(index=names)[list(GROWTH_NAMES)]


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
