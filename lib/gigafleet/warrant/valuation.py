"""What a warrant is worth: the market of a day, the dates of deliveries, the value of each tranche.

All values here are risk-neutral. Probabilities of vesting, which need an assumed growth of the share price, are in
:mod:`gigafleet.warrant.vesting`.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gigafleet import catalog, rollout, uncertainty
from gigafleet.errors import require, unknown
from gigafleet.warrant.closed_form import tranche_value
from gigafleet.warrant.contract import DAYS_PER_YEAR, Warrant, check_warrant, of_deal, years_between
from gigafleet.warrant.readings import TOUCHES, check_market

DAYS = ("grant", "day_after", "latest")
STALE_DAYS = 31  # a close older than this does not stand for a day
NEAR_DAYS = 7  # a price so many days before a grant counts as its price
RATE_CHANGES = "2026-04-01"  # from here on the later of the two assumed rates


@dataclass(frozen=True)
class Market:
    """The figures of a day that a valuation needs.

    Parameters
    ----------
    date
        Day of valuation, ``YYYY-MM-DD``.
    spot_usd
        Close of ``price_date``. [USD]
    volatility
        Long-dated. [share]
    rate
        To about the warrant's expiry. [share/year]
    highest_usd
        Highest close in the data from the grant to the day; targets up to it have been reached. [USD]
    price_date, source_id
        Where the price comes from; empty if it was given by hand.
    """

    date: str
    spot_usd: float
    volatility: float
    rate: float
    highest_usd: float
    price_date: str
    source_id: str


def prices(vendor: str = "AMD") -> pd.DataFrame:
    """Return the closes of a vendor's share in the data: ``usd`` and ``source_id``, indexed by date.

    Raises
    ------
    UnknownNameError
        If the vendor is not known, or the data have no close of its share.
    """
    rows = catalog.facts()
    closes = rows[(rows["quantity"] == "share_price_usd") & (rows["condition"] == "close")]
    rows = closes[closes["subject"] == catalog.subject_of(vendor)]
    if rows.empty:
        raise unknown("vendor with closes of its share", vendor, dict.fromkeys(closes["subject"]))
    table = rows.set_index("as_of")[["value", "source_id"]].rename(columns={"value": "usd"}).sort_index()
    return table.rename_axis("date")


def market(deal: str = "amd-openai", day: str = "grant", **given: float) -> Market:
    """Return the market on a day.

    Parameters
    ----------
    deal
        A deal with a warrant.
    day
        ``grant``: the close before the grant, or where the data have none within a week, the first after it;
        ``day_after``: the first close after the grant, which holds the jump that the deal itself caused; ``latest``:
        the newest close in the data; or a date, which takes the last close up to it.
    given
        ``spot_usd``, ``volatility`` or ``rate`` in place of the data's.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the deal or day that is not possible, or the figure out of bounds.

    >>> market("amd-openai").spot_usd, market("amd-openai", "latest").date
    (164.67, '2026-10-09')
    """
    terms, warrant = catalog.deal(deal), of_deal(deal)
    closes = prices(terms["vendor"])
    before, after = closes[closes.index <= warrant.granted], closes[closes.index > warrant.granted]
    near = len(before) and years_between(before.index[-1], warrant.granted) * DAYS_PER_YEAR <= NEAR_DAYS
    if day == "grant":
        date, row = warrant.granted, (before.iloc[-1] if near else after.iloc[0])
    elif day in DAYS:
        row = after.iloc[0] if day == "day_after" else closes.iloc[-1]
        date = row.name
    else:
        try:
            warrant.years_left(day)
        except ValueError as error:
            raise ValueError(f"day must be one of {', '.join(DAYS)}, or a date: {error}") from None
        if warrant.years_left(day) == 0:
            raise ValueError(f"day must be before expiry, {warrant.expiry}, not {day}")
        date, row = day, closes[closes.index <= day].iloc[-1]
        old = years_between(row.name, date) * DAYS_PER_YEAR
        if old > STALE_DAYS and "spot_usd" not in given:
            newest = f"the last close in the data before it is that of {row.name}"
            raise ValueError(f"day {day}: {newest}, {old:.0f} days old; give spot_usd, or a day near a close")
    for name in given:
        if name not in ("spot_usd", "volatility", "rate"):
            raise ValueError(f"market takes spot_usd, volatility and rate, not {name!r}")
    require("spot_usd", given.get("spot_usd", row["usd"]), above=0)
    check_market(1.0, given.get("volatility", 0.0), given.get("rate", 0.0), 0.0, 0.0)
    since = closes[(closes.index > warrant.granted) & (closes.index <= date)]["usd"]
    figures = {
        "spot_usd": float(row["usd"]),
        "volatility": catalog.value(terms["vendor"], "volatility_share", "long_dated"),
        "rate": catalog.value("us-treasury", "yield_share", rate_condition(date)),
    } | given
    highest = max([figures["spot_usd"], *since])
    origin = ("", "") if "spot_usd" in given else (row.name, row["source_id"])
    return Market(date, **figures, highest_usd=highest, price_date=origin[0], source_id=origin[1])


def rate_condition(date: str) -> str:
    """Return which of the assumed rates holds on a date."""
    return "at_grant_5y" if date < RATE_CHANGES else "latest_4y"


def _check_day(day: object) -> None:
    """Raise unless this is the market of a day."""
    if not isinstance(day, Market):
        raise ValueError(f"day must be a Market, such as warrant.market('amd-openai', 'grant') gives, not {day!r}")


def schedules(warrant: Warrant, date: str, inputs: pd.DataFrame, capacity_gw: float) -> np.ndarray:
    """Return when each tranche's capacity is delivered, sample by sample.

    Parameters
    ----------
    warrant
        Whose milestones.
    date
        Day of valuation.
    inputs
        Samples of a roll-out, as :func:`gigafleet.rollout.draw` gives them.
    capacity_gw
        Capacity of the deal. [GW]

    Returns
    -------
    array
        Of shape (samples, tranches): time from the day of valuation. [years]
    """
    gw = warrant.table["milestone_gw"].to_numpy()
    return rollout.milestones(gw, inputs, capacity_gw, clock=warrant.clock) + years_between(date, rollout.START_DATE)


def per_share(
    warrant: Warrant,
    day: Market,
    milestone_years: np.ndarray,
    *,
    touch: str = "ever",
    watched: str = "close",
    **given: np.ndarray,
) -> np.ndarray:
    """Return the value of a share of each tranche, for every schedule given. [USD]

    Parameters
    ----------
    warrant, day
        The terms, the market.
    milestone_years
        Of shape (..., tranches): see :func:`schedules`. [years]
    touch, watched
        See :mod:`gigafleet.warrant.readings`.
    given
        Arrays in place of the market's ``spot``, ``volatility``, ``rate``, which broadcast against
        ``milestone_years``; ``dividend_yield``.
    """
    check_warrant(warrant)
    _check_day(day)
    targets = warrant.table["target_usd"].to_numpy()
    return tranche_value(
        given.pop("spot", day.spot_usd),
        targets,
        given.pop("volatility", day.volatility),
        given.pop("rate", day.rate),
        warrant.years_left(day.date),
        strike=warrant.strike_usd,
        milestone_years=milestone_years,
        touch=touch,
        watched=watched,
        reached=targets <= day.highest_usd,
        **given,
    )


def value(
    warrant: Warrant,
    day: Market,
    milestone_years: np.ndarray,
    *,
    taken_share: object = 1.0,
    touch: str = "ever",
    watched: str = "close",
    dividend_yield: float = 0.0,
) -> pd.DataFrame:
    """Return the value of each tranche, if the capacity is taken and weighted by the chance that it is.

    Parameters
    ----------
    warrant
        The terms.
    day
        The market: see :func:`market`.
    milestone_years
        Of shape (tranches,) for known dates, or (samples, tranches) for random ones that are independent of the share
        price: time from the day of valuation, infinite for never. [years]
    taken_share
        Probability that each tranche's capacity is taken at all, of shape (tranches,). [share]
    touch, watched
        See :mod:`gigafleet.warrant.readings`. For averages see :func:`gigafleet.warrant.simulation.simulate`.
    dividend_yield
        [share/year]

    Returns
    -------
    DataFrame
        One row a tranche: ``shares_m``, ``milestone_gw``, ``target_usd``, ``years`` (median time to the delivery),
        ``in_time_share`` (probability that a delivery, if taken, comes before expiry), ``usd_per_share`` (if taken, on
        average over the dates, late ones worth nothing), ``value_busd`` (the same, all shares), ``taken_share``,
        ``weighted_busd``.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the reading that is not known, or the figure out of bounds.
    """
    check_warrant(warrant)
    _check_day(day)
    require("taken_share", taken_share, minimum=0, maximum=1)
    times = np.atleast_2d(np.asarray(milestone_years, float))
    table = warrant.table
    if times.shape[1] != len(table):
        raise ValueError(f"milestone_years must have a column a tranche, {len(table)}, not {times.shape[1]}")
    each = per_share(warrant, day, times, touch=touch, watched=watched, dividend_yield=dividend_yield).mean(axis=0)
    table = table.assign(years=np.quantile(times, 0.5, axis=0, method="lower"))
    table["in_time_share"] = (times <= warrant.years_left(day.date)).mean(axis=0)
    table["usd_per_share"] = each
    table["value_busd"] = table["usd_per_share"] * table["shares_m"] / 1e3
    table["taken_share"] = taken_share
    return table.assign(weighted_busd=table["value_busd"] * table["taken_share"])


@dataclass(frozen=True)
class Setting:
    """A warrant with its deal's roll-out: what the functions below value.

    Parameters
    ----------
    warrant, inputs, capacity_gw, binding_gw
        The terms; samples of the roll-out; capacity of the deal and the part that binds. [GW]
    """

    warrant: Warrant
    inputs: pd.DataFrame
    capacity_gw: float
    binding_gw: float

    @property
    def taken_share(self) -> np.ndarray:
        """Probability of each tranche's capacity, averaged over the samples. [share]"""
        return self.taken_shares.mean(axis=0)

    @property
    def taken_shares(self) -> np.ndarray:
        """The same, sample by sample."""
        gw, go_on = self.warrant.table["milestone_gw"].to_numpy(), self.inputs["go_on_share"].to_numpy()[:, None]
        return rollout.delivered_probability(gw, go_on, self.binding_gw)

    def times(self, day: Market) -> np.ndarray:
        """Return the time from a day to each delivery, sample by sample. [years]"""
        _check_day(day)
        return schedules(self.warrant, day.date, self.inputs, self.capacity_gw)

    def value(self, day: Market, touch: str = "ever", watched: str = "close") -> pd.DataFrame:
        """Return :func:`value` on a day under a reading."""
        return value(self.warrant, day, self.times(day), taken_share=self.taken_share, touch=touch, watched=watched)


def setting(deal: str = "amd-openai", n: int = 1024, seed: int = 0, tranches: object = None, **fixed: float) -> Setting:
    """Return the warrant and the roll-out of a deal. Arguments as :func:`gigafleet.rollout.draw`."""
    warrant, inputs = of_deal(deal, tranches), rollout.draw(deal, n, seed, **fixed)
    return Setting(warrant, inputs, float(catalog.deal(deal)["public"]["capacity_gw"]), rollout.binding_gw(deal))


def by_reading(what: Setting, days: dict[str, Market], watched: str = "close") -> pd.DataFrame:
    """Return the value of a share of each tranche, if its capacity is taken, on several days under each reading.

    Returns
    -------
    DataFrame
        One row a tranche; columns (name of the day, touch) [USD].
    """
    columns = {
        (name, touch): what.value(day, touch, watched)["usd_per_share"]
        for name, day in days.items()
        for touch in TOUCHES
    }
    return pd.DataFrame(columns)


def uncertain(
    what: Setting,
    day: Market,
    *,
    touch: str = "ever",
    watched: str = "close",
    n: int = 256,
    seed: int = 0,
    drawn: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return samples of the warrant's value over the ranges of volatility, rate and the chance of deliveries.

    Each is the mean over the roll-out's dates, which a value averages, so these dates add no width.

    Parameters
    ----------
    what, day, touch, watched
        As in :func:`value`.
    n
        Samples, a power of two.
    seed
        The same seed gives the same samples.
    drawn
        Samples of ``volatility``, ``rate`` and ``go_on_share`` in place of drawn ones.

    Returns
    -------
    DataFrame
        ``volatility``, ``rate``, ``go_on_share``, ``value_busd`` (if all is taken), ``weighted_busd``, and
        ``tranche_1`` ... [billion USD, if taken]; indexed as ``drawn``.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the reading that is not known, the column that ``drawn`` lacks, or the figure out of bounds.
    """
    _check_day(day)
    drawn = market_samples(what.warrant.name, day, n, seed) if drawn is None else drawn
    for name in ("volatility", "rate", "go_on_share"):
        if name not in drawn:
            raise ValueError(f"drawn needs a column {name!r}; it has {list(drawn.columns)}")
    if drawn.empty:
        raise ValueError("drawn needs at least one row, not none")
    times = what.times(day)[: max(64, (2**20 if touch == "ever" else 2**18) // len(drawn))]
    axes = {name: drawn[name].to_numpy()[:, None, None] for name in ("volatility", "rate")}
    each = per_share(what.warrant, day, times, touch=touch, watched=watched, **axes).mean(axis=1)
    busd = each * what.warrant.table["shares_m"].to_numpy() / 1e3
    gw = what.warrant.table["milestone_gw"].to_numpy()
    taken = rollout.delivered_probability(gw, drawn["go_on_share"].to_numpy()[:, None], what.binding_gw)
    parts = {f"tranche_{i}": column for i, column in zip(what.warrant.table.index, busd.T, strict=True)}
    return drawn.assign(value_busd=busd.sum(axis=1), weighted_busd=(busd * taken).sum(axis=1), **parts)


def market_samples(deal: str, day: Market, n: int = 256, seed: int = 0) -> pd.DataFrame:
    """Return ``n`` samples, a power of two, of volatility, rate and chance of deliveries: see :func:`market_ranges`.

    >>> market_samples("amd-openai", market(), 4).columns.tolist()
    ['volatility', 'rate', 'go_on_share']
    """
    return uncertainty.sample(market_ranges(deal, day), n, seed)


def market_ranges(deal: str, day: Market) -> pd.DataFrame:
    """Return the ranges of ``volatility``, ``rate`` and ``go_on_share`` on a day, as :func:`gigafleet.catalog.ranges`
    gives them; a figure given by hand keeps its range's width, in proportion."""
    ranges = catalog.ranges(
        {
            "volatility": (catalog.deal(deal)["vendor"], "volatility_share", "long_dated"),
            "rate": ("us-treasury", "yield_share", rate_condition(day.date)),
            "go_on_share": (deal, "go_on_share"),
        }
    )
    for name, middle in {"volatility": day.volatility, "rate": day.rate}.items():
        ranges.loc[name, ["low", "value", "high"]] *= middle / ranges.loc[name, "value"]
    return ranges


def moved(day: Market, **changes: float) -> Market:
    """Return a market with some figures changed, such as ``volatility=0.7``."""
    _check_day(day)
    return replace(day, **changes)
