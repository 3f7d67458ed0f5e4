"""What the gigawatts bring to the vendor: revenue, gross profit, earnings per share.

AMD sells components of a rack and no completed racks, so its revenue is its content per gigawatt. The functions here
are plain arithmetic on xarray tables with the dims ``sample`` and ``quarter`` (and ``deal``, ``generation``);
contra-revenue comes in as an argument. Margins and earnings are non-GAAP, as AMD guides to them; other income is left
out.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, rollout, uncertainty
from gigafleet.errors import require, unknown

INPUTS = {
    "content_mi455x_busd_per_gw": ("amd-openai", "content_busd_per_gw", "components"),
    "content_mi500_busd_per_gw": ("amd-openai", "content_busd_per_gw", "mi500"),
    "erosion_share_per_year": ("instinct-rollout", "content_erosion_share_per_year"),
    "first_margin_share": ("instinct-rollout", "deal_gross_margin_share", "first_year"),
    "mature_margin_share": ("instinct-rollout", "deal_gross_margin_share", "mature"),
    "margin_maturity_years": ("instinct-rollout", "margin_maturity_years"),
    "deal_opex_share": ("instinct-rollout", "deal_opex_share"),
    "base_revenue_busd": ("AMD", "revenue_guidance_busd", "2026q3"),
    "base_growth_share_per_year": ("AMD", "base_growth_share_per_year"),
    "base_margin_share": ("AMD", "base_gross_margin_share"),
    "base_opex_growth_share_per_year": ("AMD", "base_opex_growth_share_per_year"),
    "tax_share": ("AMD", "tax_rate_share"),
}
BOUNDS = {
    "content_mi455x_busd_per_gw": {"above": 0},
    "content_mi500_busd_per_gw": {"above": 0},
    "erosion_share_per_year": {"minimum": -1, "maximum": 0.99},
    "first_margin_share": {"minimum": -1, "maximum": 1},
    "mature_margin_share": {"minimum": -1, "maximum": 1},
    "margin_maturity_years": {"above": 0},
    "deal_opex_share": {"minimum": 0, "maximum": 1},
    "base_revenue_busd": {"above": 0},
    "base_growth_share_per_year": {"above": -1},
    "base_margin_share": {"minimum": -1, "maximum": 1},
    "base_opex_growth_share_per_year": {"above": -1},
    "tax_share": {"minimum": 0, "maximum": 1},
}
BOTTOM_UP = {
    "price_usd": ("MI455X", "price_usd", "rumour"),
    "content_busd_per_gw": ("amd-openai", "content_busd_per_gw", "components"),
}
LINES = {
    "gross_revenue_busd": "revenue before contra-revenue",
    "contra_busd": "contra-revenue",
    "revenue_busd": "revenue",
    "gross_profit_busd": "gross profit",
    "opex_busd": "operating cost",
    "operating_busd": "operating income",
    "net_income_busd": "net income",
    "net_income_before_contra_busd": "net income before contra-revenue",
}


def ranges() -> pd.DataFrame:
    """Return the inputs with their ranges, as :func:`gigafleet.catalog.ranges` gives them."""
    return catalog.ranges(INPUTS)


def draw(n: int = 1, seed: int = 0, **fixed: float) -> pd.DataFrame:
    """Return samples of the inputs; ``n=1`` gives their values. ``fixed`` inputs stand at a number instead.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the input that is not known, or the number out of bounds.
    """
    for name in fixed:
        if name not in INPUTS:
            raise unknown("input of revenue", name, INPUTS)
    return checked(uncertainty.sample(ranges(), n, seed).assign(**fixed))


def checked(inputs: Mapping) -> Mapping:
    """Return the inputs if those there are lie within :data:`BOUNDS`; else raise, naming the first that does not."""
    for name, bounds in BOUNDS.items():
        if name in inputs:
            require(name, inputs[name], **bounds)
    return inputs


def _column(inputs: pd.DataFrame, name: str) -> xr.DataArray:
    return xr.DataArray(inputs[name].to_numpy(float), dims="sample")


def _middles(quarter: xr.DataArray) -> xr.DataArray:
    """Return the middle of each quarter, counted from July 1, 2026. [years]"""
    names = quarter.to_numpy()
    years = [int(q[:4]) - 2026 + (int(q[-1]) - 1) / 4 - 0.5 + 0.125 for q in names]
    return xr.DataArray(years, {"quarter": names}, dims="quarter")


def gross_revenue_busd(gigawatts: xr.DataArray, inputs: pd.DataFrame, rollout_inputs: pd.DataFrame) -> xr.DataArray:
    """Return the revenue of each quarter before contra-revenue: gigawatts shipped times content per gigawatt.

    Parameters
    ----------
    gigawatts
        Shipped, of dims (sample, quarter, generation) and others. [GW]
    inputs
        As :func:`draw` gives them.
    rollout_inputs
        As :func:`gigafleet.rollout.draw` gives them: the price of a generation falls from its first shipments on.

    Returns
    -------
    DataArray
        Without ``generation``. [billion USD]
    """
    first = {
        rollout.GENERATIONS[0]: xr.zeros_like(_column(rollout_inputs, "next_generation_years")),
        rollout.GENERATIONS[1]: _column(rollout_inputs, "next_generation_years")
        + _column(rollout_inputs, "delay_years"),
    }
    content = dict(zip(rollout.GENERATIONS, ("content_mi455x_busd_per_gw", "content_mi500_busd_per_gw"), strict=True))
    keeps = 1 - _column(inputs, "erosion_share_per_year")
    middles = _middles(gigawatts["quarter"])
    return sum(
        gigawatts.sel(generation=generation, drop=True)
        * _column(inputs, content[generation])
        * keeps ** np.maximum(middles - since, 0)
        for generation, since in first.items()
    )


def _lines(
    gross_busd: xr.DataArray,
    contra_busd: object,
    profit_busd: xr.DataArray,
    opex_busd: xr.DataArray,
    inputs: pd.DataFrame,
) -> xr.Dataset:
    """Return the variables of :data:`LINES` from revenue, contra-revenue, gross profit and operating cost.

    Gross profit is after contra-revenue. [billion USD]
    """
    operating, keeps = profit_busd - opex_busd, 1 - _column(inputs, "tax_share")
    lines = {
        "gross_revenue_busd": gross_busd,
        "contra_busd": contra_busd + 0 * gross_busd,
        "revenue_busd": gross_busd - contra_busd,
        "gross_profit_busd": profit_busd,
        "opex_busd": opex_busd,
        "operating_busd": operating,
        "net_income_busd": operating * keeps,
        "net_income_before_contra_busd": (operating + contra_busd) * keeps,
    }
    return xr.Dataset(lines)


def statement(gross_busd: xr.DataArray, inputs: pd.DataFrame, contra_busd: object = 0.0) -> xr.Dataset:
    """Return what the deals add to each line of the vendor's results.

    Parameters
    ----------
    gross_busd
        Revenue before contra-revenue, of dims (..., sample, quarter). [billion USD]
    inputs
        As :func:`draw` gives them.
    contra_busd
        Contra-revenue, which lowers revenue and gross profit alike. [billion USD]

    Returns
    -------
    Dataset
        The variables of :data:`LINES`. [billion USD]
    """
    path = (_middles(gross_busd["quarter"]) / _column(inputs, "margin_maturity_years")).clip(0, 1)
    first, mature = _column(inputs, "first_margin_share"), _column(inputs, "mature_margin_share")
    profit = gross_busd * (first + (mature - first) * path) - contra_busd
    return _lines(gross_busd, contra_busd, profit, gross_busd * _column(inputs, "deal_opex_share"), inputs)


def base_business(inputs: pd.DataFrame, quarters: list[str]) -> xr.Dataset:
    """Return the vendor's results without the deals: its guidance for 2026Q3, grown.

    It is an assumption, stated as one: revenue and operating cost that AMD guides to for 2026Q3, each with its growth.
    The guidance holds the first shipments of the deals, so the base is high by these. Accelerators that AMD sold before
    the deals are in it.

    Returns
    -------
    Dataset
        The variables of :data:`LINES`, of dims (sample, quarter), without contra-revenue. [billion USD]
    """
    since = _middles(xr.DataArray(quarters, {"quarter": quarters}, dims="quarter")) - 0.125  # from 2026Q3
    revenue = _column(inputs, "base_revenue_busd") * (1 + _column(inputs, "base_growth_share_per_year")) ** since
    opex = catalog.value("AMD", "opex_guidance_busd", "2026q3")
    opex = opex * (1 + _column(inputs, "base_opex_growth_share_per_year")) ** since
    lines = _lines(revenue, 0.0, revenue * _column(inputs, "base_margin_share"), opex, inputs)
    return lines.transpose("sample", "quarter")


def diluted_shares_m(warrant_shares_m: object = 0.0) -> object:
    """Return the diluted shares: those that AMD guides to, held flat, plus vested warrant shares. [million]"""
    return catalog.value("AMD", "diluted_shares_guidance_m") + warrant_shares_m


def eps_usd(net_income_busd: object, shares_m: object) -> object:
    """Return earnings per share of a quarter or a year. [USD]

    >>> eps_usd(1.66, 1660.0)
    1.0
    """
    require("shares_m", shares_m, above=0)
    return 1e3 * net_income_busd / shares_m


def bottom_up(accelerators_per_gw: object, price_usd: object, content_busd_per_gw: object) -> pd.DataFrame:
    """Return accelerators per gigawatt times price beside the content per gigawatt, and the gap, sample by sample.

    Parameters
    ----------
    accelerators_per_gw, price_usd, content_busd_per_gw
        Samples drawn in one table, so that they move apart; ranges of the last two: :data:`BOTTOM_UP`.

    Returns
    -------
    DataFrame
        One row a sample: ``accelerators_per_gw``; ``accelerators_busd_per_gw``: accelerators times price;
        ``gap_busd_per_gw``: content less that; ``network_busd_per_gw``: the part of the content that JPMorgan gives to
        attached network [billion USD/GW]; ``price_needed_usd``: at which accelerators alone make the content.

    >>> bottom_up([250e3], [40e3], [17.5])[["gap_busd_per_gw", "price_needed_usd"]].iloc[0].tolist()
    [7.5, 70000.0]
    """
    count, price, content = (np.asarray(x, float) for x in (accelerators_per_gw, price_usd, content_busd_per_gw))
    columns = {
        "accelerators_per_gw": count,
        "accelerators_busd_per_gw": count * price / 1e9,
        "gap_busd_per_gw": content - count * price / 1e9,
        "network_busd_per_gw": catalog.value("AMD", "network_attach_share", "helios") * content,
        "price_needed_usd": 1e9 * content / count,
    }
    return pd.DataFrame(columns)
