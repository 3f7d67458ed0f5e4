"""The deals joined to the vendor's results: roll-out, revenue, contra-revenue and share count, scenario by scenario.

One table of samples holds all inputs. What is the deal's own (the dates of its ramp, the chance that it goes on) has a
column a deal; what serves all deals (delay, the next generation, prices, margins) has one, so the deals move together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, revenue, rollout, uncertainty
from gigafleet.errors import require, unknown
from gigafleet.warrant import accounting, valuation
from gigafleet.warrant.contract import of_deal, years_between

MARKET = {"volatility": ("AMD", "volatility_share", "long_dated")}


@dataclass(frozen=True)
class Scenario:
    """What a scenario changes.

    Parameters
    ----------
    title
        In words.
    add
        Input -> what is added to it.
    ends
        Input -> ``low`` or ``high``: it stands at that end of its range.
    stop_gw
        Deliveries of each deal end with so many gigawatts. [GW]
    """

    title: str
    add: dict[str, float] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    stop_gw: float | None = None


SCENARIOS = {
    "base": Scenario("base"),
    "late": Scenario("a year late", add={"delay_years": 1.0}),
    "first_gw": Scenario("first gigawatt only", stop_gw=1.0),
    "fast": Scenario("fast", ends=dict.fromkeys(("first_gw_years", "later_gw_years", "delay_years"), "low")),
    "bear": Scenario(
        "bear on price",
        ends={
            "content_mi455x_busd_per_gw": "low",
            "content_mi500_busd_per_gw": "low",
            "erosion_share_per_year": "high",
            "first_margin_share": "low",
            "mature_margin_share": "low",
        },
    ),
}


@dataclass(frozen=True)
class Projection:
    """The result of :func:`evaluate`.

    Parameters
    ----------
    deals
        The variables of :data:`gigafleet.revenue.LINES` and ``shipped_gw``, ``delivered_gw``, of dims (deal, sample,
        quarter). [billion USD, GW]
    base
        The same lines for the business without the deals, of dims (sample, quarter). [billion USD]
    warrant_shares_m
        Warrant shares vested if the share price meets every target, of dims (sample, quarter). [million]
    """

    deals: xr.Dataset
    base: xr.Dataset
    warrant_shares_m: xr.DataArray


def scenario(name: str) -> Scenario:
    """Return a scenario of :data:`SCENARIOS`; an unknown name is an error that suggests the nearest."""
    if name not in SCENARIOS:
        raise unknown("scenario", name, SCENARIOS)
    return SCENARIOS[name]


def _own(name: str) -> bool:
    return rollout.INPUTS[name][0] is None


def ranges(deals: Iterable[str]) -> pd.DataFrame:
    """Return all inputs with their ranges; those of one deal alone are named ``<deal> <input>``."""
    deals = list(deals)
    if not deals:
        raise ValueError(f"at least one deal must be on; known: {', '.join(rollout.deals())}")
    parts = [rollout.ranges(deals[0])]
    parts[0] = parts[0][[not _own(name) for name in parts[0].index]]
    for deal in deals:
        own = rollout.ranges(deal)
        own = own[[_own(name) for name in own.index]]
        parts.append(own.rename(index=lambda name, deal=deal: f"{deal} {name}"))
    return pd.concat([*parts, revenue.ranges(), catalog.ranges(MARKET)])


def draw(deals: Iterable[str], n: int = 1, seed: int = 0) -> pd.DataFrame:
    """Return samples of all inputs; ``n=1`` gives their values. Arguments as :func:`evaluate`."""
    return uncertainty.sample(ranges(deals), n, seed)


def of_one(inputs: pd.DataFrame, deal: str) -> pd.DataFrame:
    """Return the inputs of one deal's roll-out, as :func:`gigafleet.rollout.draw` names them."""
    return pd.DataFrame({name: inputs[f"{deal} {name}" if _own(name) else name] for name in rollout.INPUTS})


def applied(inputs: pd.DataFrame, name: str, known: pd.DataFrame) -> pd.DataFrame:
    """Return the inputs as a scenario changes them."""
    chosen, changed = scenario(name), inputs.copy()
    for column in changed:
        plain = column.split(" ")[-1]
        if plain in chosen.ends:
            changed[column] = known.loc[column, chosen.ends[plain]]
        changed[column] = changed[column] + chosen.add.get(plain, 0.0)
    return changed


def evaluate(
    inputs: pd.DataFrame | None = None,
    name: str = "base",
    deals: Iterable[str] = ("amd-openai",),
    *,
    n: int = 1024,
    seed: int = 0,
    weighted: bool = False,
    touch: str = "ever",
    end: str = rollout.LAST_QUARTER,
) -> Projection:
    """Return what deals bring to the vendor, quarter by quarter.

    Parameters
    ----------
    inputs
        Samples, as :func:`draw` gives them; None draws them.
    name
        A scenario of :data:`SCENARIOS`.
    deals
        Those that count, of :func:`gigafleet.rollout.deals`.
    n, seed
        As :func:`gigafleet.uncertainty.sample`. Not used where ``inputs`` are given.
    weighted
        Whether gigawatts that do not bind count by the probability that they are taken; else all of them are.
    touch
        Reading of the warrants' price condition, for their fair value: see
        :data:`gigafleet.warrant.readings.TOUCHES`.
    end
        Last quarter.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the scenario, deal or quarter that is not known, or the input out of bounds.
    """
    deals = [catalog.deal(deal)["id"] for deal in deals]
    known, chosen = ranges(deals), scenario(name)
    inputs = applied(draw(deals, n, seed) if inputs is None else inputs, name, known)
    parts, shares = {}, 0.0
    for deal in deals:
        parts[deal], vested = _one(inputs, deal, chosen.stop_gw, weighted, touch, end)
        shares = shares + vested
    joined = xr.concat(list(parts.values()), pd.Index(deals, name="deal"))
    return Projection(joined, revenue.base_business(inputs, rollout.quarters(end)), shares)


def _one(
    inputs: pd.DataFrame, deal: str, stop_gw: float | None, weighted: bool, touch: str, end: str
) -> tuple[xr.Dataset, xr.DataArray]:
    """Return one deal's lines, and its warrant shares that have vested if every target is met."""
    ramp, capacity_gw = of_one(inputs, deal), float(catalog.deal(deal)["public"]["capacity_gw"])
    plan = {"capacity_gw": capacity_gw, "stop_gw": stop_gw, "end": end}
    shipped, delivered = (rollout.schedule(ramp, clock=clock, **plan) for clock in ("shipped", "delivered"))
    taken = {"shipped": 1.0, "delivered": 1.0}
    if weighted:
        binding_gw = rollout.binding_gw(deal)
        taken = {
            name: rollout.weights(ramp, table, binding_gw)
            for name, table in zip(taken, (shipped, delivered), strict=True)
        }
    gross = revenue.gross_revenue_busd(shipped, inputs, ramp) * taken["shipped"]
    contra, vested = _warrant(inputs, ramp, deal, delivered, stop_gw, weighted, touch)
    lines = revenue.statement(gross, inputs, contra * taken["delivered"])
    lines["shipped_gw"] = shipped.sum("generation") * taken["shipped"]
    lines["delivered_gw"] = delivered.sum("generation") * taken["delivered"]
    return lines.transpose("sample", "quarter"), vested


def _warrant(
    inputs: pd.DataFrame,
    ramp: pd.DataFrame,
    deal: str,
    delivered: xr.DataArray,
    stop_gw: float | None,
    weighted: bool,
    touch: str,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return contra-revenue by quarter, if all is taken [billion USD], and vested shares [million]; 0 without any."""
    cumulative = delivered.sum("generation").cumsum("quarter").assign_coords(quarter=delivered["quarter"])
    if catalog.deal(deal)["warrant"] is None:
        return 0 * cumulative, 0 * cumulative
    warrant, day = of_deal(deal), valuation.market(deal, "grant")
    table, before = warrant.table, years_between(day.date, rollout.START_DATE)
    capacity_gw = float(catalog.deal(deal)["public"]["capacity_gw"])
    times = before + rollout.milestones(table["milestone_gw"], ramp, capacity_gw, stop_gw=stop_gw)
    earned = times <= warrant.years
    at = np.zeros_like(times) if touch == "ever" else np.minimum(times, warrant.years)
    fair = valuation.per_share(warrant, day, at, touch=touch, volatility=inputs["volatility"].to_numpy()[:, None])
    columns = [[xr.DataArray(rows[:, i], dims="sample") for i in range(len(table))] for rows in (fair, earned)]
    total = accounting.recognized_busd(warrant, columns[0], cumulative, columns[1])
    contra = total - total.shift(quarter=1, fill_value=0.0)
    shares = table["shares_m"].to_numpy() * earned
    if weighted:
        go_on = ramp["go_on_share"].to_numpy()[:, None]
        shares = shares * rollout.delivered_probability(table["milestone_gw"], go_on, rollout.binding_gw(deal))
    ends = before + (np.arange(cumulative.sizes["quarter"]) + 1) / 4
    vested = ((times[:, None, :] <= ends[:, None]) * shares[:, None, :]).sum(axis=2)
    return contra, xr.DataArray(vested, cumulative.coords, dims=("sample", "quarter"))


def by_year(projection: Projection) -> xr.Dataset:
    """Return the deals' lines of each calendar year, and earnings per share.

    Returns
    -------
    Dataset
        Of dims (sample, year), deals added up: the variables of :data:`gigafleet.revenue.LINES`, ``shipped_gw``,
        ``delivered_gw``; ``base_revenue_busd``, ``total_revenue_busd``; ``shares_m`` and ``shares_with_warrant_m``
        (averages of the year); ``eps_increment_usd``: the deals' net income over the shares with warrant shares;
        ``eps_base_usd``: without the deals; ``eps_usd``: in all; ``eps_without_warrant_shares_usd``: the same over the
        shares without them. 2026 is its second half.
    """
    years = rollout.by_year(projection.deals.sum("deal"))
    base = rollout.by_year(projection.base)
    quarters = projection.warrant_shares_m["quarter"].str.slice(0, 4).astype(int)
    labeled = projection.warrant_shares_m.assign_coords(year=("quarter", quarters.to_numpy()))
    with_warrant = revenue.diluted_shares_m(labeled.groupby("year").mean())
    plain = revenue.diluted_shares_m(0 * with_warrant)
    total = years["net_income_busd"] + base["net_income_busd"]
    extra = {
        "base_revenue_busd": base["revenue_busd"],
        "total_revenue_busd": years["revenue_busd"] + base["revenue_busd"],
        "shares_m": plain,
        "shares_with_warrant_m": with_warrant,
        "eps_increment_usd": revenue.eps_usd(years["net_income_busd"], with_warrant),
        "eps_base_usd": revenue.eps_usd(base["net_income_busd"], plain),
        "eps_usd": revenue.eps_usd(total, with_warrant),
        "eps_without_warrant_shares_usd": revenue.eps_usd(total, plain),
    }
    return years.assign(extra)


def intervals(table: xr.DataArray, over: str = "year", level: float = 0.9) -> pd.DataFrame:
    """Return ``low``, ``median``, ``high`` over the samples, one row an entry of the other dim."""
    require("level", level, above=0, maximum=1)
    return uncertainty.interval(table.transpose("sample", over).to_pandas(), level)


def whole(projection: Projection) -> pd.DataFrame:
    """Return the sums over all quarters and deals, one row a sample: lines [billion USD], ``shipped_gw`` [GW]."""
    return projection.deals.sum(["deal", "quarter"]).to_dataframe()[[*revenue.LINES, "shipped_gw"]]
