"""The deals joined to the vendor's results: roll-out, revenue, contra-revenue and share count, scenario by scenario.

One table of samples holds all inputs. What is the deal's own (the dates of its ramp, the chance that it goes on) has a
column a deal; what serves all deals (delay, the next generation, prices, margins) has one, so the deals move together.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, revenue, rollout, scenarios, uncertainty
from gigafleet.errors import require, unknown
from gigafleet.scenarios import SCENARIOS, scenario
from gigafleet.warrant import accounting, valuation
from gigafleet.warrant.contract import of_deal, years_between
from gigafleet.warrant.readings import check_reading

MARKET = {"volatility": ("AMD", "volatility_share", "long_dated")}
CONTRA_CLOCKS = ("shipped", "delivered")


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


def _own(name: str) -> bool:
    return rollout.INPUTS[name][0] is None


def _ids(deals: str | Iterable[str]) -> list[str]:
    """Return the deals by id; a text is one deal."""
    return [catalog.deal(deal)["id"] for deal in ([deals] if isinstance(deals, str) else deals)]


def ranges(deals: str | Iterable[str]) -> pd.DataFrame:
    """Return all inputs with their ranges; those of one deal alone are named ``<deal> <input>``."""
    deals = _ids(deals)
    if not deals or len(set(deals)) < len(deals):
        raise ValueError(f"at least one deal must be on, each once, not {deals}; known: {', '.join(rollout.deals())}")
    parts = [rollout.ranges(deals[0])]
    parts[0] = parts[0][[not _own(name) for name in parts[0].index]]
    for deal in deals:
        own = rollout.ranges(deal)
        own = own[[_own(name) for name in own.index]]
        parts.append(own.rename(index=lambda name, deal=deal: f"{deal} {name}"))
    return pd.concat([*parts, revenue.ranges(), catalog.ranges(MARKET)])


def draw(deals: str | Iterable[str], n: int = 1, seed: int = 0, **fixed: float) -> pd.DataFrame:
    """Return samples of all inputs; ``n=1`` gives their values.

    Parameters
    ----------
    deals, n, seed
        As in :func:`evaluate`.
    fixed
        Inputs of :data:`gigafleet.rollout.INPUTS` or :data:`gigafleet.revenue.INPUTS` that stand at a number, for all
        deals; None is left as drawn.
    """
    fixed = {name: number for name, number in fixed.items() if number is not None}
    known = {**rollout.INPUTS, **revenue.INPUTS, **MARKET}
    for name in fixed:
        if name not in known:
            raise unknown("input", name, known)
    drawn = uncertainty.sample(ranges(deals), n, seed)
    return drawn.assign(**{column: fixed[plain] for column in drawn if (plain := column.split(" ")[-1]) in fixed})


def of_one(inputs: pd.DataFrame, deal: str) -> pd.DataFrame:
    """Return the inputs of one deal's roll-out, as :func:`gigafleet.rollout.draw` names them."""
    return pd.DataFrame({name: inputs[f"{deal} {name}" if _own(name) else name] for name in rollout.INPUTS})


def evaluate(
    inputs: pd.DataFrame | None = None,
    name: str = "base",
    deals: str | Iterable[str] = ("amd-openai",),
    *,
    n: int = 1024,
    seed: int = 0,
    weighted: bool = False,
    touch: str = "ever",
    contra_clock: str = "shipped",
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
        Those that count, of :func:`gigafleet.rollout.deals`; a text is one deal.
    n, seed
        As :func:`gigafleet.uncertainty.sample`. Not used where ``inputs`` are given.
    weighted
        Whether gigawatts that do not bind count by the probability that they are taken; else all of them are.
    touch
        Reading of the warrants' price condition, for their fair value: see
        :data:`gigafleet.warrant.readings.TOUCHES`.
    contra_clock
        Whether contra-revenue is recognized as gigawatts are ``shipped``, with their revenue, or ``delivered``, as the
        milestones are. The latter comes later, and to the same by the warrants' expiry if all gigawatts are taken.
    end
        Last quarter.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the scenario, deal, clock or quarter that is not known, or the input out of bounds.
    """
    deals = _ids(deals)
    known, chosen = ranges(deals), scenario(name)
    check_reading(touch, "close")
    if contra_clock not in CONTRA_CLOCKS:
        raise unknown("contra_clock", contra_clock, CONTRA_CLOCKS)
    inputs = draw(deals, n, seed) if inputs is None else inputs
    for missing in known.index.difference(inputs.columns):
        raise ValueError(f"inputs need a column {missing!r}; draw them for the same deals, {', '.join(deals)}")
    inputs = revenue.checked(scenarios.applied(inputs[known.index], name, known))
    parts, shares = {}, 0.0
    for deal in deals:
        parts[deal], vested = _one(inputs, deal, chosen.stop_gw, weighted, touch, contra_clock, end)
        shares = shares + vested
    joined = xr.concat(list(parts.values()), pd.Index(deals, name="deal"))
    return Projection(joined, revenue.base_business(inputs, rollout.quarters(end)), shares)


def _one(
    inputs: pd.DataFrame,
    deal: str,
    stop_gw: float | None,
    weighted: bool,
    touch: str,
    contra_clock: str,
    end: str,
) -> tuple[xr.Dataset, xr.DataArray]:
    """Return one deal's lines, and its warrant shares that have vested if every target is met."""
    ramp, capacity_gw = of_one(inputs, deal), float(catalog.deal(deal)["public"]["capacity_gw"])
    plan = {"capacity_gw": capacity_gw, "stop_gw": stop_gw, "end": end}
    tables = {clock: rollout.schedule(ramp, clock=clock, **plan) for clock in CONTRA_CLOCKS}
    shares = dict.fromkeys(tables, 1.0)
    if weighted:
        shares = {clock: rollout.weights(ramp, table, rollout.binding_gw(deal)) for clock, table in tables.items()}
    gross = revenue.gross_revenue_busd(tables["shipped"], inputs, ramp) * shares["shipped"]
    contra, vested = _warrant(inputs, ramp, deal, tables[contra_clock], stop_gw, weighted, touch)
    lines = revenue.statement(gross, inputs, contra * shares[contra_clock])
    for clock, table in tables.items():
        lines[f"{clock}_gw"] = table.sum("generation") * shares[clock]
    return lines.transpose("sample", "quarter"), vested


def _warrant(
    inputs: pd.DataFrame,
    ramp: pd.DataFrame,
    deal: str,
    gigawatts: xr.DataArray,
    stop_gw: float | None,
    weighted: bool,
    touch: str,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return contra-revenue by quarter, if all is taken [billion USD], and vested shares [million]; 0 without any.

    Contra-revenue is spread over the gigawatts given, those shipped or those delivered; a tranche counts where its
    gigawatts are delivered before the warrant ends, on either clock.
    """
    cumulative = gigawatts.sum("generation").cumsum("quarter").assign_coords(quarter=gigawatts["quarter"])
    if catalog.deal(deal)["warrant"] is None:
        return 0 * cumulative, 0 * cumulative
    warrant, day = of_deal(deal), valuation.market(deal, "grant")
    table, before = warrant.table, years_between(day.date, rollout.START_DATE)
    capacity_gw = float(catalog.deal(deal)["public"]["capacity_gw"])
    times = before + rollout.milestones(table["milestone_gw"], ramp, capacity_gw, clock=warrant.clock, stop_gw=stop_gw)
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
        shares without them; ``eps_before_contra_usd``: as ``eps_usd``, before contra-revenue. 2026 is its second half.
    """
    years = rollout.by_year(projection.deals.sum("deal"))
    base = rollout.by_year(projection.base)
    quarters = projection.warrant_shares_m["quarter"].str.slice(0, 4).astype(int)
    labeled = projection.warrant_shares_m.assign_coords(year=("quarter", quarters.to_numpy()))
    with_warrant = revenue.diluted_shares_m(labeled.groupby("year").mean())
    plain = revenue.diluted_shares_m(0 * with_warrant)
    total = years["net_income_busd"] + base["net_income_busd"]
    before_contra = years["net_income_before_contra_busd"] + base["net_income_busd"]
    extra = {
        "base_revenue_busd": base["revenue_busd"],
        "total_revenue_busd": years["revenue_busd"] + base["revenue_busd"],
        "shares_m": plain,
        "shares_with_warrant_m": with_warrant,
        "eps_increment_usd": revenue.eps_usd(years["net_income_busd"], with_warrant),
        "eps_base_usd": revenue.eps_usd(base["net_income_busd"], plain),
        "eps_usd": revenue.eps_usd(total, with_warrant),
        "eps_before_contra_usd": revenue.eps_usd(before_contra, with_warrant),
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


def buyers(deals: str | Iterable[str]) -> dict[str, str]:
    """Return deal -> the buyer's name."""
    return {deal: catalog.deal(deal)["buyer"] for deal in _ids(deals)}


def stacked(projection: Projection, line: str = "revenue_busd") -> pd.DataFrame:
    """Return means of a line by quarter: the base business, then one column a buyer. [billion USD]

    Means, and not medians, because the parts then add up.
    """
    parts = projection.deals[line].mean("sample").transpose("quarter", "deal").to_pandas()
    table = parts.rename(columns=buyers(parts.columns)).rename_axis(columns=None)
    table.insert(0, "base business", projection.base[line].mean("sample").to_pandas())
    return table


def history_busd(line: str = "revenue_musd") -> pd.Series:
    """Return a line of AMD's reported quarters; quarters that lack it are left out. [billion USD]"""
    return (catalog.amd_quarters()[line] / 1e3).dropna()


def reported_busd(year: int) -> float:
    """Return the revenue of the quarters of a year that AMD reported before the roll-out starts. [billion USD]"""
    quarters = history_busd()
    return float(quarters[quarters.index.str.startswith(str(year)) & (quarters.index < rollout.FIRST_QUARTER)].sum())


def consensus(years: xr.Dataset) -> pd.DataFrame:
    """Return our total beside what analysts expect, who have these deals in their figures already.

    Parameters
    ----------
    years
        From :func:`by_year`.

    Returns
    -------
    DataFrame
        One row a figure: ``published``, ``published_low``, ``published_high`` (NaN without a range), ``as_of``,
        ``source``; ``low``, ``median``, ``high`` of ours; ``unit``. Revenue of 2026 holds the quarters that AMD has
        reported; earnings of 2026 are left out, as those of its first half are not in the data.
    """
    answers = {
        ("revenue_consensus_busd", 2026): years["total_revenue_busd"].sel(year=2026) + reported_busd(2026),
        ("revenue_consensus_busd", 2027): years["total_revenue_busd"].sel(year=2027),
        ("eps_consensus_usd", 2027): years["eps_usd"].sel(year=2027),
    }
    names = {"revenue_consensus_busd": ("revenue", "billion USD"), "eps_consensus_usd": ("earnings per share", "USD")}
    rows = {}
    for (quantity, year), samples in answers.items():
        published = catalog.provenance("AMD", quantity).query("condition == @label", local_dict={"label": str(year)})
        best = published.iloc[0]
        ours = uncertainty.interval(samples.to_numpy())
        name, unit = names[quantity]
        rows[f"{name} {year}"] = {
            "published": best["value"],
            "published_low": best["low"],
            "published_high": best["high"],
            "as_of": best["as_of"],
            "source": best["source"],
            **ours.to_dict(),
            "unit": unit,
        }
    return pd.DataFrame(rows).T.infer_objects()


def discounted_busd(projection: Projection, line: str = "net_income_busd") -> np.ndarray:
    """Return a line of all deals and quarters at its value on July 1, 2026, sample by sample. [billion USD]

    Discounted at the cost of AMD's equity that an analyst's cash-flow model takes, from the middle of each quarter.
    """
    total = projection.deals[line].sum("deal").transpose("sample", "quarter")
    years = 0.125 + np.arange(total.sizes["quarter"]) / 4
    return total.to_numpy() @ (1 + catalog.value("AMD", "cost_of_equity_share", "dcf_note")) ** -years


def best_year(line: xr.DataArray) -> pd.Series:
    """Return the year that has most of a line of :func:`by_year`, sample by sample."""
    return line.idxmax("year").to_pandas().astype(int).rename("best_year")


def compare(
    inputs: pd.DataFrame, deals: str | Iterable[str], *, touch: str = "ever"
) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the scenarios side by side, each if all is taken and weighted by the chance that it is.

    Parameters
    ----------
    inputs
        Samples, as :func:`draw` gives them. Row by row they are the same in all scenarios, so that these can be
        subtracted.
    deals, touch
        As in :func:`evaluate`.

    Returns
    -------
    dict
        (scenario, way of counting) -> DataFrame with one row a sample: ``shipped_gw``, ``gross_revenue_busd``,
        ``contra_busd``, ``net_income_busd`` of all years, ``discounted_busd`` (net income); ``best_year``, the
        sample's own; and of the year that is the best in most samples ``revenue_busd`` (net) and ``eps_increment_usd``.
    """
    found = {}
    for name, chosen in SCENARIOS.items():
        for weighted in (False, True):
            projection = evaluate(inputs, name, deals, weighted=weighted, touch=touch)
            years = by_year(projection)
            best = best_year(years["gross_revenue_busd"])
            most = years.sel(year=best.mode().iloc[0])
            total = whole(projection)[["shipped_gw", "gross_revenue_busd", "contra_busd", "net_income_busd"]]
            found[chosen.title, "weighted" if weighted else "all taken"] = total.assign(
                discounted_busd=discounted_busd(projection),
                best_year=best,
                **{line: most[line].to_numpy() for line in ("revenue_busd", "eps_increment_usd")},
            )
    return found


def tornado(deals: str | Iterable[str], name: str = "base", *, touch: str = "ever", **fixed: float) -> pd.DataFrame:
    """Return how the discounted net income of the deals moves with each input that is not fixed.

    See :func:`gigafleet.uncertainty.tornado`.
    """
    known = fixed_ranges(deals, **fixed)
    return uncertainty.tornado(lambda x: discounted_busd(evaluate(x, name, deals, touch=touch)), known)


def fixed_ranges(deals: str | Iterable[str], **fixed: float) -> pd.DataFrame:
    """Return :func:`ranges` with inputs that stand at a number in place of their range; None is left as it is."""
    known = ranges(deals)
    for column in known.index:
        number = fixed.get(column.split(" ")[-1])
        if number is not None:
            known.loc[column, ["low", "value", "high"]] = float(number)
            known.loc[column, ["kind", "note"]] = "given", "A parameter of this report"
    return known
