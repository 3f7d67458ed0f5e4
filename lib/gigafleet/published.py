"""Published figures about a deal and about a gigawatt, beside our own answers."""

import numpy as np
import pandas as pd

from gigafleet import catalog

# A published figure (quantity, condition) -> the answer that it is held against, and the readings at which it counts
# its gigawatts. Figures for other generations, lives or years are not compared.
PUBLISHED = {
    ("accelerators_count", "press"): ("accelerators", ("facility", "it")),
    ("accelerators_count", "announced"): ("accelerators", ("facility", "it")),
    ("site_cost_busd_per_gw", "all_in_it"): ("capex_busd_per_gw", ("it",)),
    ("site_cost_busd_per_gw", "all_in"): ("capex_busd_per_gw", ("facility", "it")),
    ("annual_cost_busd_per_gw", "life_5y"): ("tco_busd_per_gw_year", ("it",)),
    ("content_busd_per_gw", "components"): ("system_busd_per_gw", ("facility", "it")),
    ("content_busd_per_gw", "systems"): ("system_busd_per_gw", ("facility", "it")),
    ("content_busd_per_gw", "announced_floor"): ("system_busd_per_gw", ("facility", "it")),
    ("site_servers_busd_per_gw", "it"): ("system_busd_per_gw", ("it",)),
    ("deal_value_busd", "hardware"): ("gross_revenue_busd", ("facility", "it")),
    ("warrant_headline_busd", "at_213_usd"): ("warrant_grant_busd", ("facility", "it")),
    ("warrant_headline_busd", "at_600_usd"): ("warrant_latest_busd", ("facility", "it")),
    ("warrant_headline_busd", "held_to_end"): ("warrant_latest_busd", ("facility", "it")),
}
OF_THE_WHOLE = ("accelerators", "gross_revenue_busd", "warrant_grant_busd", "warrant_latest_busd")
FLOORS = ("announced_floor",)  # conditions of figures that say "more than"
READINGS = {"facility": "at the meter", "it": "at the IT"}


def press_count(deal: str, capacity_gw: float) -> tuple[float, float] | None:
    """Return the lowest and highest number of accelerators that the press gives for a deal; None at another
    capacity."""
    if capacity_gw != catalog.deal(deal)["public"]["capacity_gw"] or not catalog.has(
        deal, "accelerators_count", "press"
    ):
        return None
    low, high = (catalog.value(deal, "accelerators_count", "press", case) for case in ("low", "high"))
    return low, high


def compare(deal: str, readings: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return published figures about a deal and about a gigawatt in general beside our answers.

    Parameters
    ----------
    deal
        A deal of ``deals.yaml``.
    readings
        Reading of the gigawatts (``facility``, ``it``) -> intervals of the answers, as
        :func:`gigafleet.uncertainty.interval` gives them.

    Returns
    -------
    DataFrame
        One row a figure of :data:`PUBLISHED` that we have an answer for (what is of the whole deal only at the deal's
        own capacity): ``answer``, ``unit``, ``condition``, ``published_low``, ``published_high`` (infinite for "more
        than"), ``source``, ``as_of``, ``note``; ``median``, ``low`` and ``high`` of each reading, NaN where the
        figure counts at another level; ``agrees``: the readings whose 90 % interval overlaps the figure; ``stands``:
        how far it lies from our nearest end.
    """
    terms = catalog.deal(deal)
    rows = catalog.facts()
    rows = rows[rows["subject"].isin([terms["id"], terms["vendor"], "gigawatt-site"])]
    keys = pd.Series(list(zip(rows["quantity"], rows["condition"], strict=True)), rows.index)
    rows, keys = rows[keys.isin(list(PUBLISHED))], keys[keys.isin(list(PUBLISHED))]
    table = rows[["condition", "unit", "as_of", "note"]].assign(
        answer=keys.map(lambda key: PUBLISHED[key][0]),
        published_low=rows["low"].fillna(rows["value"]),
        published_high=rows["high"].fillna(rows["value"]).mask(rows["condition"].isin(FLOORS), np.inf),
        source=rows["source_id"].map(catalog.sources()["publisher"]),
        source_id=rows["source_id"],
    )
    own = all(x.loc["capacity_gw", "median"] == terms["public"]["capacity_gw"] for x in readings.values())
    known = [x["median"].reindex(table["answer"]).notna().to_numpy() for x in readings.values()]
    table = table[np.logical_and.reduce(known) & (own | ~table["answer"].isin(OF_THE_WHOLE))]
    agrees = {reading: pd.Series("", table.index) for reading in readings}
    for reading, intervals in readings.items():
        counts = keys[table.index].map(lambda key, reading=reading: reading in PUBLISHED[key][1])
        ours = intervals.loc[table["answer"]].set_index(table.index).where(counts, axis=0)
        table = table.join(ours.add_prefix(f"{reading}_"))
        overlaps = (ours["low"] <= table["published_high"]) & (ours["high"] >= table["published_low"])
        agrees[reading] = overlaps.map({True: READINGS[reading], False: ""})
    joined = [" and ".join(filter(None, row)) or "neither" for row in zip(*agrees.values(), strict=True)]
    return table.assign(agrees=joined, stands=_stands(table)).reset_index(drop=True)


def _stands(table: pd.DataFrame) -> list[str]:
    """Return how far each published figure lies from our nearest end, over the readings at which it counts."""
    told = []
    for _, row in table.iterrows():
        gaps = []
        for reading in READINGS:
            low, high = row[f"{reading}_low"], row[f"{reading}_high"]
            if row["published_low"] > high:
                gaps.append(row["published_low"] / high - 1)
            elif row["published_high"] < low:
                gaps.append(row["published_high"] / low - 1)
            elif np.isfinite(low):
                gaps.append(0.0)
        gap = min(gaps, key=abs, default=0.0)
        told.append("inside" if gap == 0 else f"{100 * abs(gap):.2g} % {'above' if gap > 0 else 'below'}")
    return told


def beside(answer: str, table: pd.DataFrame, readings: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return our intervals of one answer and the published figures below them, for a chart.

    Parameters
    ----------
    answer
        A name of :data:`gigafleet.deal.UNITS`.
    table
        From :func:`compare`.
    readings
        As for :func:`compare`.

    Returns
    -------
    DataFrame
        Indexed by whose figure it is: ``value``, ``low``, ``high``; a published range has its middle as value.
    """
    ours = pd.DataFrame({f"ours, {READINGS[reading]}": x.loc[answer] for reading, x in readings.items()}).T
    rows = table[table["answer"] == answer]
    ends = rows[["published_low", "published_high"]].replace(np.inf, np.nan)
    theirs = pd.DataFrame({"low": ends["published_low"], "median": ends.mean(axis=1), "high": ends["published_high"]})
    theirs.index = rows["source"] + ", " + rows["as_of"].str[:7]
    return pd.concat([ours, theirs]).rename(columns={"median": "value"})[["value", "low", "high"]]
