"""A warrant's terms and parties, as the notebooks show them: what is public, what is assumed, who pays whom."""

import numpy as np
import pandas as pd

from gigafleet import catalog, uncertainty
from gigafleet.tell import number
from gigafleet.warrant import valuation
from gigafleet.warrant.contract import Warrant, of_deal, spread_targets


def tranches(deal: str, number_of: int | None, first_target_usd: float | None) -> tuple | None:
    """Return other tranches than the assumed ones, evenly spread from the first gigawatt to the last; None where
    neither number nor target is given."""
    if number_of is None and first_target_usd is None:
        return None
    warrant = of_deal(deal)
    table, final = warrant.table, catalog.deal(deal)["warrant"]["public"]["final_target_usd"]
    first = table["target_usd"].iloc[0] if first_target_usd is None else first_target_usd
    first_gw, last_gw = table["milestone_gw"].iloc[[0, -1]]
    return spread_targets(warrant.shares, number_of or len(table), last_gw, first, final, first_gw)


def known_and_redacted(warrant: Warrant) -> pd.DataFrame:
    """Return what of a warrant's terms is public, what is assumed here and what is kept back: ``what``, ``status``."""
    public, table = catalog.deal(warrant.name)["warrant"]["public"], warrant.table
    rows = {
        "shares": (f"{number(public['shares'])}", "public"),
        "strike": (f"{public['strike_usd']} USD a share", "public"),
        "expiry": (public["expiry"], "public"),
        "first vesting": (public["first_vesting"], "public"),
        "full vesting": (f"with {number(table['milestone_gw'].iloc[-1])} GW", "public"),
        "last price target": (f"{number(public['final_target_usd'])} USD", "public"),
        "number of tranches": (f"{len(table)}", "assumed"),
        "shares of each tranche": (
            ", ".join(dict.fromkeys(number(x) for x in table["shares_m"])) + " million",
            "assumed",
        ),
        "milestones": (", ".join(number(x) for x in table["milestone_gw"]) + " GW", "assumed but for the last"),
        "price targets": (", ".join(number(x) for x in table["target_usd"]) + " USD", "assumed but for the last"),
        "how the price is measured": ("closes; other ways are simulated", "redacted"),
        "a target met before its milestone": ("three readings", "redacted"),
        "further stock performance threshold": ("taken as met; one against an index is simulated", "redacted"),
        "technical and commercial conditions": ("taken as met", "redacted"),
        "change of control, limits on ownership": ("left out", "not found either way"),
    }
    return pd.DataFrame(rows, index=["what", "status"]).T


def own_dates(
    what: valuation.Setting,
    day: valuation.Market,
    market: pd.DataFrame | None = None,
    *,
    touch: str,
    watched: str,
    seed: int = 0,
) -> pd.DataFrame:
    """Return samples of a warrant's value where every one has its own dates of deliveries.

    :func:`gigafleet.warrant.valuation.uncertain` averages over these dates, so that its interval does not hold them.

    Parameters
    ----------
    what, day, touch, watched
        As in :func:`gigafleet.warrant.valuation.uncertain`.
    market
        Samples of ``volatility`` and ``rate``, which are drawn without regard to the dates; None draws them as there.
    seed
        Of what is drawn where ``market`` is None.

    Returns
    -------
    DataFrame
        One row a sample of the roll-out, in its order: ``volatility``, ``rate``, ``value_busd`` (if all is taken),
        ``weighted_busd`` (by the sample's own chance of deliveries), and ``tranche_1`` ... [billion USD, if taken].
    """
    times, table = what.times(day), what.warrant.table
    market = valuation.market_samples(what.warrant.name, day, seed=seed) if market is None else market
    rows = np.random.default_rng(0).integers(len(market), size=len(times))
    given = market[["volatility", "rate"]].iloc[rows].reset_index(drop=True)
    axes = {name: column.to_numpy()[:, None] for name, column in given.items()}
    each = valuation.per_share(what.warrant, day, times, touch=touch, watched=watched, **axes)
    busd = each * table["shares_m"].to_numpy() / 1e3
    parts = {f"tranche_{i}": column for i, column in zip(table.index, busd.T, strict=True)}
    return given.assign(value_busd=busd.sum(axis=1), weighted_busd=(busd * what.taken_shares).sum(axis=1), **parts)


def by_dates(
    what: valuation.Setting, day: valuation.Market, market: pd.DataFrame, *, touch: str, watched: str
) -> pd.Series:
    """Return ``low``, ``median`` and ``high`` of the value, if all is taken, in :func:`own_dates`. [billion USD]"""
    return uncertainty.interval(own_dates(what, day, market, touch=touch, watched=watched)["value_busd"])


def with_range(row: pd.Series, digits: int = 3) -> str:
    """Return a median with its interval in brackets, or alone where the interval has no width."""
    ends = [number(row[end], digits) for end in ("low", "high")]
    return number(row["median"], digits) + (f" ({' to '.join(ends)})" if ends[0] != ends[1] else "")


def flows(deal: str, bill_busd: pd.Series, value_busd: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return who pays whom, as nodes and arrows for :func:`gigafleet.plots.flow`.

    Parameters
    ----------
    deal
        A deal with a warrant.
    bill_busd
        What is paid for the gigawatts, undiscounted: ``low``, ``median``, ``high``. [billion USD]
    value_busd
        Risk-neutral value of the warrant: the same. [billion USD]
    """
    terms = catalog.deal(deal)
    vendor, buyer, others = terms["vendor"], terms["buyer"], f"{terms['vendor']}'s other holders"
    nodes = {
        vendor: (0.0, 0.5, "issues the warrant"),
        buyer: (1.0, 0.5, "uses the gigawatts"),
        others: (0.25, 0.0, "are diluted"),
        "Share market": (0.75, 0.0, "if vested shares are sold"),
    }
    payer = buyer
    arrows = [
        (vendor, buyer, value_busd["median"], f"warrant worth {with_range(value_busd)} bn USD", "shares"),
        (others, vendor, np.nan, "dilution", "shares"),
        ("Share market", buyer, np.nan, "price of the shares sold", "cash"),
    ]
    if buyer == "OpenAI":  # its warrant names authorized purchasers
        payer = "Authorized purchasers"
        nodes[payer] = (0.5, 1.0, "clouds and their lenders, not named")
        arrows.append((buyer, payer, np.nan, "rent, not public", "cash"))
    bill = f"{with_range(bill_busd)} bn USD for {number(terms['public']['capacity_gw'])} GW"
    arrows.insert(0, (payer, vendor, bill_busd["median"], bill, "cash"))
    table = pd.DataFrame(arrows, columns=["start", "end", "value", "label", "kind"])
    return pd.DataFrame(nodes, index=["x", "y", "text"]).T, table
