"""What a warrant does to the books: dilution, contra-revenue, rebate.

Equity given to a customer is consideration payable to a customer: it reduces revenue (ASC 606), at its fair value on
the day of the grant (ASC 718). A share-price target is a market condition and goes into that fair value, which is never
corrected if the target is missed. A delivery milestone is a performance condition and decides when, and whether, the
value is recognized.
"""

import numpy as np
import pandas as pd

from gigafleet.errors import require
from gigafleet.warrant.contract import Warrant


def dilution(shares_m: object, outstanding_m: object, price_usd: object, strike_usd: object = 0.01) -> pd.DataFrame:
    """Return by how much a warrant dilutes the holders of the shares that are out.

    Parameters
    ----------
    shares_m
        Warrant shares issued; a number or one a row. [million]
    outstanding_m
        Shares outstanding before. [million]
    price_usd, strike_usd
        Price of the share, at or above the strike; strike of the warrant. [USD]

    Returns
    -------
    DataFrame
        ``shares_m``; ``basic_share``: new over old shares; ``post_issue_share``: new over all shares; ``net_shares_m``
        and ``treasury_share``: new shares less those that the strike's payment buys back, and the same over all
        (treasury stock method); ``cost_busd``: what the issue takes from the old holders at a price that does not know
        of it, as before the announcement. A price that knows has the dilution in it, and they give up the new shares at
        that price, less the strike. [share, million, billion USD]

    Raises
    ------
    ValueError
        Naming the figure out of bounds, or if Series have different indexes.

    >>> dilution(160.0, 1630.0, 600.0)[["post_issue_share", "net_shares_m"]].round(6).iloc[0].tolist()
    [0.089385, 159.997333]
    """
    require("shares_m", shares_m, minimum=0)
    require("outstanding_m", outstanding_m, above=0)
    require("strike_usd", strike_usd, minimum=0)
    require("price_usd", price_usd, minimum=float(np.max(strike_usd)))
    series = [x for x in (shares_m, outstanding_m, price_usd, strike_usd) if isinstance(x, pd.Series)]
    for other in series:
        if not other.index.equals(series[0].index):
            first, second = series[0].index.tolist()[:3], other.index.tolist()[:3]
            raise ValueError(f"dilution needs Series with one index, not {first} ... and {second} ...")
    new, old = np.atleast_1d(np.asarray(shares_m, float)), np.asarray(outstanding_m, float)
    price, strike = np.asarray(price_usd, float), np.asarray(strike_usd, float)
    net = new * (1 - strike / np.maximum(price, 1e-300))
    columns = {
        "shares_m": new,
        "basic_share": new / old,
        "post_issue_share": new / (old + new),
        "net_shares_m": net,
        "treasury_share": net / (old + net),
        "cost_busd": old * new / (old + new) * (price - strike) / 1e3,
    }
    shape = np.broadcast_shapes(new.shape, old.shape, price.shape, strike.shape)
    index = series[0].index if series else pd.RangeIndex(shape[0])
    return pd.DataFrame({name: np.broadcast_to(column, shape) for name, column in columns.items()}, index)


def diluted_value_per_warrant_share(value_usd: object, shares_m: object, outstanding_m: object) -> object:
    """Return the value of a warrant share when the issue itself dilutes (Hull, "Options, Futures, and Other
    Derivatives", on warrants): ``value x N / (N + M)``. [USD]

    It holds before the market knows of the warrant. A price after the announcement has the dilution in it already.
    Published for a share at 40 USD, a strike of 60, five years, 3 % and 30 %: 5.8669.

    >>> from gigafleet.warrant.closed_form import call
    >>> round(diluted_value_per_warrant_share(call(40.0, 60.0, 0.3, 0.03, 5.0), 0.2, 1.0), 4)
    5.8669
    """
    require("outstanding_m", outstanding_m, above=0)
    require("shares_m", shares_m, minimum=0)
    return value_usd * outstanding_m / (outstanding_m + shares_m)


def recognized_busd(warrant: Warrant, fair_value_usd: object, gw: object, counts: object = None) -> object:
    """Return the contra-revenue recognized with so many gigawatts.

    Each tranche's fair value at grant is spread evenly over the gigawatts between the milestone before it and its own.
    Contra-revenue follows the revenue that earns it, so the gigawatts are those shipped, which are revenue. With those
    delivered, which are the milestones, it comes later.

    Parameters
    ----------
    warrant
        The terms.
    fair_value_usd
        Fair value at grant of a share of each tranche: one figure a tranche, each a number or a DataArray. [USD]
    gw
        Cumulative, on one clock; a number, an array or a DataArray. [GW]
    counts
        Whether each tranche is earned at all (its milestone comes before expiry), one a tranche; all if None. The
        accounts are taken to have judged that rightly from the start.

    Returns
    -------
    as ``gw``
        Cumulative. [billion USD]

    Raises
    ------
    ValueError
        If there is not one fair value a tranche, or a figure is negative or no number.

    >>> from gigafleet.warrant.contract import of_deal
    >>> round(float(recognized_busd(of_deal("amd-openai"), [150, 136, 122, 107, 84, 44], 1.5)), 3)
    5.813
    """
    table = warrant.table
    counts = [True] * len(table) if counts is None else counts
    if len(fair_value_usd) != len(table) or len(counts) != len(table):
        given = f"{len(fair_value_usd)} and {len(counts)}"
        raise ValueError(f"fair_value_usd and counts must have one figure a tranche, {len(table)}, not {given}")
    require("gw", gw, minimum=0)
    total, before = 0.0 * gw, 0.0
    for fair, earned, (_, row) in zip(fair_value_usd, counts, table.iterrows(), strict=True):
        require("fair_value_usd", fair, minimum=0)
        width = row["milestone_gw"] - before
        done = (gw - before) / width if width > 0 else (gw >= before) * 1.0
        total = total + fair * earned * row["shares_m"] / 1e3 * np.minimum(np.maximum(done, 0.0), 1.0)
        before = row["milestone_gw"]
    return total
