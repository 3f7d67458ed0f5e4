"""Published figures about a deal and about a gigawatt, beside our own answers."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gigafleet import catalog, deal_views, uncertainty
from gigafleet import deal as model
from gigafleet.tell import between, number

BOTH, IT = ("facility", "it"), ("it",)


class Held(NamedTuple):
    """What a published figure is held against: the answer, the readings at which it counts its gigawatts, what it is
    to be multiplied by for the answer's unit, inputs that stand where the figure has them, and the figure (quantity,
    condition) of the same subject that it is divided by."""

    answer: str
    readings: tuple[str, ...] = BOTH
    scale: float = 1.0
    fixed: tuple[tuple[str, float], ...] = ()
    over: tuple[str, str] | None = None


# A published figure (quantity, condition) -> what it is held against.
PUBLISHED = {
    ("accelerators_count", "press"): Held("accelerators"),
    ("accelerators_count", "announced"): Held("accelerators"),
    ("site_cost_busd_per_gw", "all_in_it"): Held("capex_busd_per_gw", IT),
    ("site_cost_busd_per_gw", "all_in"): Held("capex_busd_per_gw"),
    ("annual_cost_busd_per_gw", "life_5y"): Held("tco_busd_per_gw_year", IT, fixed=(("it_life_years", 5.0),)),
    ("annual_cost_busd_per_gw", "life_3y"): Held("tco_busd_per_gw_year", IT, fixed=(("it_life_years", 3.0),)),
    ("annual_cost_busd_per_gw", "life_7y"): Held("tco_busd_per_gw_year", IT, fixed=(("it_life_years", 7.0),)),
    ("annual_opex_busd_per_gw", "all"): Held("running_busd_per_gw_year", IT),
    ("annual_opex_busd_per_gw", "energy"): Held("energy_busd_per_gw_year", IT),
    ("content_busd_per_gw", "components"): Held("system_busd_per_gw"),
    ("content_busd_per_gw", "systems"): Held("system_busd_per_gw"),
    ("content_busd_per_gw", "announced_floor"): Held("system_busd_per_gw"),
    ("site_servers_busd_per_gw", "it"): Held("system_busd_per_gw", IT),
    ("deal_value_busd", "hardware"): Held("gross_revenue_busd"),
    ("annual_revenue_busd", "run_rate"): Held("best_year_busd"),
    ("warrant_headline_busd", "at_213_usd"): Held("warrant_grant_busd"),
    ("warrant_headline_busd", "at_600_usd"): Held("warrant_latest_busd"),
    ("warrant_headline_busd", "held_to_end"): Held("warrant_latest_busd"),
    ("warrant_effect_share", "of_content"): Held("rebate_percent", scale=100),
    ("dilution_share", "openai_full"): Held("dilution_percent", scale=100),
    ("capex_busd", "guidance_2026"): Held("capex_busd_per_gw", over=("active_power_gw", "guidance_2026")),
    ("owner_cost_usd_per_h", "hyperscaler"): Held("usd_per_accelerator_hour"),
}
SITES = ("gigawatt-site", "CoreWeave")  # what is published of a gigawatt, whoever builds it
OF_THE_WHOLE = ("accelerators", "gross_revenue_busd", "best_year_busd", "warrant_grant_busd", "warrant_latest_busd")
PER_GW = ("accelerators_per_gw", "content_busd_per_gw")  # of other hardware, too
OF_A_DEAL = ("accelerators_count", "deal_value_busd")  # of other deals, too
FLOORS = ("announced_floor",)  # conditions of figures that say "more than"
CAPS = ("of_content",)  # conditions of figures that say "less than"
OF_THE_CHIP = "is the power of the chip alone; a gigawatt feeds host, network and cooling, too"
OF_A_RENT = "is a rent, with the margin of who lets it; ours is the owner's cost"
OF_AN_INPUT = "is about an input of ours"  # the reason names it, and where it stands
OF_A_SITE = "is a share of a site with GB200; ours are under what the money goes to"
# Published figures that no answer counts like, and why.
NOT_COMPARED = {
    ("accelerators_per_gw", "dies"): "counts dies; an accelerator has several, and their number is not published",
    ("customer_revenue_guidance_busd", "openai_and_others"): "covers other customers, too, without saying how much",
    ("content_busd_per_gw", "mi500"): "is of the next generation, and an input of ours",
    ("equity_rebate_share", "all_at_top_targets"): "takes every share at the top target; ours may miss it",
    ("investment_busd", "announced"): "is what is paid for a stake, not for accelerators",
    ("investment_busd", "made"): "is what was paid for a stake, not for accelerators",
    ("lease_guarantee_busd", "maximum"): "is a guarantee, and may cost nothing",
    ("margin_cost_share", "ten_percent_of_equity"): "is a rule of thumb on the margin, of no given price",
    ("site_cost_busd_per_gw", "future"): "is of a later generation, not yet sold",
    ("site_cost_share", "cpu"): OF_A_SITE,
    ("site_cost_share", "gpu"): OF_A_SITE,
    ("site_cost_share", "mechanical_electrical"): OF_A_SITE,
    ("site_cost_share", "network"): OF_A_SITE,
    ("site_cost_share", "nvidia_gross_profit"): "is the profit of another vendor",
    ("discount_to_rival_share", "vera_rubin"): "is behind an analyst's content per gigawatt, which is compared",
    ("tdp_w", "chip"): OF_THE_CHIP,
    ("rent_usd_per_h", "contract_3y"): OF_A_RENT,
    **dict.fromkeys([("price_usd", basis) for basis in ("hyperscaler", "analyst_rack", "asp", "rumour")], OF_AN_INPUT),
    **dict.fromkeys([("all_in_kw", level) for level in ("it", "rack")], OF_AN_INPUT),
    ("rack_kw", "nameplate"): OF_AN_INPUT,
    ("scale_out_network_usd", "hyperscaler"): OF_AN_INPUT,
}
# Quantity of an accelerator or a system -> the input of ours that it is about.
INPUT_OF = {
    "price_usd": "system_price_usd",
    "all_in_kw": "it_kw",
    "rack_kw": "it_kw",
    "scale_out_network_usd": "network_usd",
}
# Quantities of the terms of a deal: they go into the models and are not held against their answers.
TERMS = (
    "active_power_gw",
    "capacity_gw",
    "go_on_share",
    "warrant_shares_m",
    "warrant_target_usd",
    "warrant_tranches_count",
    "warrant_vested_m",
)
OF_ANOTHER = "is of the whole deal, for which we have no answer at this capacity"
UNKNOWN = "needs a price or dates that no source gives for this deal"
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


def compare(
    deal: str, readings: dict[str, pd.DataFrame], region: str = "us", n: int = 1024, seed: int = 0
) -> pd.DataFrame:
    """Return published figures about a deal and about a gigawatt in general beside our answers.

    Parameters
    ----------
    deal
        A deal of ``deals.yaml``.
    readings
        Reading of the gigawatts (``facility``, ``it``) -> intervals of the answers, as
        :func:`gigafleet.uncertainty.interval` gives them.
    region, n, seed
        As for :func:`gigafleet.deal.evaluate`, for figures that take an input at a value of their own, such as a life.

    Returns
    -------
    DataFrame
        One row a figure of :data:`PUBLISHED` that we have an answer for (what is of the whole deal only at the deal's
        own capacity): ``answer``, ``unit``, ``condition``, ``published`` (the middle, also where a source names an
        end), ``published_low`` (0 for "less
        than"), ``published_high`` (infinite for "more than"), ``source``, ``as_of``, ``note``; ``median``, ``low`` and
        ``high`` of each reading, NaN where the figure counts at another level; ``agrees``: the readings whose 90 %
        interval overlaps the figure; ``stands``: how far it lies from our nearest end; ``fixed``: inputs that stand
        where the figure has them, and ``fact``, its row of the facts.
    """
    terms = catalog.deal(deal)
    rows, keys = _about(terms, PUBLISHED)
    held = keys.map(PUBLISHED)
    scale = held.map(lambda one: one.scale) / _divisors(rows["subject"], held)
    middle = (rows["low"] + rows["high"]) / 2
    at_an_end = rows["value"].eq(rows["low"]) | rows["value"].eq(rows["high"])
    table = rows[["condition", "unit", "as_of", "note"]].assign(
        answer=held.map(lambda one: one.answer),
        fixed=held.map(lambda one: one.fixed),
        published=scale * rows["value"].mask(at_an_end).fillna(middle).fillna(rows["value"]),
        published_low=(scale * rows["low"].fillna(rows["value"])).mask(rows["condition"].isin(CAPS), 0.0),
        published_high=(scale * rows["high"].fillna(rows["value"])).mask(rows["condition"].isin(FLOORS), np.inf),
        source=_publisher(rows),
        source_id=rows["source_id"],
    )
    own = all(x.loc["capacity_gw", "median"] == terms["public"]["capacity_gw"] for x in readings.values())
    table["note"] = [_note(rows.loc[fact], one) for fact, one in held.items()]
    known = [x["median"].reindex(table["answer"]).notna().to_numpy() for x in readings.values()]
    table = table[np.logical_and.reduce(known) & (own | ~table["answer"].isin(OF_THE_WHOLE))]
    agrees = {reading: pd.Series("", table.index) for reading in readings}
    for reading, intervals in readings.items():
        counts = held[table.index].map(lambda one, reading=reading: reading in one.readings)
        ours = intervals.loc[table["answer"]].set_index(table.index)
        for row, one in held[table.index].items():
            if one.fixed:
                ours.loc[row] = _at(one, deal, reading, intervals.loc["capacity_gw", "median"], region, n, seed)
        ours = ours.where(counts, axis=0)
        table = table.join(ours.add_prefix(f"{reading}_"))
        overlaps = (ours["low"] <= table["published_high"]) & (ours["high"] >= table["published_low"])
        agrees[reading] = overlaps.map({True: READINGS[reading], False: ""})
    joined = [" and ".join(filter(None, row)) or "neither" for row in zip(*agrees.values(), strict=True)]
    return table.assign(agrees=joined, stands=_stands(table)).reset_index(names="fact")


def _at(one: Held, name: str, reading: str, capacity_gw: float, region: str, n: int, seed: int) -> pd.Series:
    """Return the interval of an answer with some inputs at given values."""
    drawn = model.draw(name, n, seed, region).assign(**dict(one.fixed))
    found = model.evaluate(drawn, name, capacity_gw=capacity_gw, capacity_basis=reading, region=region)
    return uncertainty.interval(found[one.answer])


def _about(terms: dict, of: dict) -> tuple[pd.DataFrame, pd.Series]:
    """Return the facts on a deal, what it buys and from whom, and a gigawatt, whose (quantity, condition) is a key, and
    these keys. Assumptions about what it buys are no published figures."""
    rows = catalog.facts()
    bought = rows["subject"].isin([terms["accelerator"], terms["system"]]) & rows["kind"].ne("assumption")
    rows = rows[rows["subject"].isin([terms["id"], terms["vendor"], *SITES]) | bought]
    keys = pd.Series(list(zip(rows["quantity"], rows["condition"], strict=True)), rows.index)
    return rows[keys.isin(list(of))], keys[keys.isin(list(of))]


def _divisors(subjects: pd.Series, held: pd.Series) -> pd.Series:
    """Return what each figure is divided by; 1 for most."""
    pairs = zip(subjects, held, strict=True)
    return pd.Series([catalog.value(subject, *one.over) if one.over else 1.0 for subject, one in pairs], held.index)


def _note(row: pd.Series, held: Held) -> str:
    """Return what a fact says of itself, with the inputs that stand where it has them, or for a figure that is divided
    by another, both."""
    if not held.over:
        units = catalog.quantities()["unit"]
        at = [f"At a {deal_views.words(name)} of {number(value)} {units[name]}. " for name, value in held.fixed]
        return "".join(at) + row["note"]
    ends = between(*row[["low", "high"]].fillna(row["value"]))
    over = catalog.preferred(row["subject"], *held.over)
    return f"{ends} {row['unit']} over {number(over['value'])} {over['unit']}. {row['note']}"


def _publisher(rows: pd.DataFrame) -> pd.Series:
    """Return who published each fact, and for one company's site whose."""
    whose = {name: f", on {name}" for name in SITES[1:]}
    return rows["source_id"].map(catalog.sources()["publisher"]) + rows["subject"].map(whose).fillna("")


def _why(row: pd.Series, terms: dict, known: pd.DataFrame) -> str:
    """Return why a figure on what a deal buys is not compared, from :data:`NOT_COMPARED` and our inputs."""
    told = NOT_COMPARED[row["quantity"], row["condition"]]
    if told != OF_AN_INPUT:
        return told
    name = INPUT_OF[row["quantity"]]
    if name not in known.index:
        return "needs a price of the whole system, which no source gives"
    ends = known.loc[name, ["low", "high"]]
    if row["quantity"] == "price_usd" and row["subject"] == terms["accelerator"]:
        each = ends / known.loc["accelerators_per_system", "value"]
        return f"is of the accelerator alone ({row['note']}); with its share of the rack we take {between(*each)} USD"
    return f"{told}, the {deal_views.words(name)}, which we take as {between(*ends)} {known.loc[name, 'unit']}"


def not_compared(name: str, compared: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the published figures on a deal and on a gigawatt that no answer of ours counts like; and with a table of
    :func:`compare` those that it lacks.

    Returns
    -------
    DataFrame
        Indexed by source: ``figure`` (text, with its unit), ``value`` (text), ``reason``, ``source_id``.
    """
    terms, known = catalog.deal(name), model.physical_ranges(name)
    rows, _ = _about(terms, NOT_COMPARED)
    told = pd.Series([_why(row, terms, known) for _, row in rows.iterrows()], rows.index)
    facts = catalog.facts()
    others = facts[facts["quantity"].isin(PER_GW) & facts["kind"].ne("assumption")]
    ours = [terms["vendor"], *SITES, *(deal["id"] for deal in catalog.deals().values())]
    others = others[~others["subject"].isin([*ours, terms["accelerator"]])]
    deals = facts[facts["quantity"].isin(OF_A_DEAL) & facts["subject"].isin(catalog.subjects("deal").index)]
    deals = deals[~deals["subject"].isin(ours)]
    names = catalog.subjects("deal")["name"]
    told = pd.concat([told, "is of " + others["subject"] + ", which this deal does not buy"])
    told = pd.concat([told, "is of another deal: " + deals["subject"].map(names)])
    rows = pd.concat([rows, others, deals])
    if compared is not None:
        held, keys = _about(terms, PUBLISHED)
        lacks = ~held.index.isin(compared["fact"])
        whole = keys[lacks].map(lambda key: PUBLISHED[key].answer in OF_THE_WHOLE)
        rows = pd.concat([rows, held[lacks]])
        told = pd.concat([told, whole.map({True: OF_ANOTHER, False: UNKNOWN})])
    titles = catalog.quantities()["title"].reindex(rows["quantity"]).to_numpy()
    bought = rows["subject"].isin([terms["accelerator"], terms["system"]])
    titles = np.where(bought, rows["subject"] + ": " + titles, titles)
    ends = zip(rows["low"].fillna(rows["value"]), rows["high"].fillna(rows["value"]), strict=True)
    table = pd.DataFrame(
        {"figure": titles, "value": [between(*pair) for pair in ends], "unit": rows["unit"].to_numpy()}
    )
    table["reason"], table["source_id"] = told.to_numpy(), rows["source_id"].to_numpy()
    return table.set_index(rows["source_id"].map(catalog.sources()["publisher"]).rename("source").to_numpy())


def reasons(table: pd.DataFrame, name: str, region: str = "us", capacity_gw: float | None = None) -> list[str]:
    """Return for each published figure why it lies outside our interval: which one input would have to stand where.

    Parameters
    ----------
    table
        From :func:`compare`.
    name, region, capacity_gw
        As for :func:`gigafleet.deal.evaluate`.

    Returns
    -------
    list of str
        Empty for a figure inside. Else the input that takes the answer, with all others at their values, to the nearest
        end of the published figure within its own range; where none does, the input that comes nearest.
    """
    known, told = model.ranges(name, region), []
    for _, row in table.iterrows():
        low, high, basis = _nearest(row)
        if row["published_low"] <= high and row["published_high"] >= low:
            told.append("")
            continue
        wanted = row["published_low"] if row["published_low"] > high else row["published_high"]

        fixed = dict(row["fixed"])

        def answer(
            cases: pd.DataFrame, column: str = row["answer"], basis: str = basis, fixed: dict = fixed
        ) -> pd.Series:
            cases = cases.assign(**fixed)
            settings = {"capacity_gw": capacity_gw, "capacity_basis": basis, "region": region}
            return model.evaluate(cases, name, **settings)[column]

        told.append(_reason(uncertainty.flips(answer, known.drop(index=list(fixed)), wanted), known, wanted))
    return told


def _nearest(row: pd.Series) -> tuple[float, float, str]:
    """Return our interval that lies nearest to a published figure, over the readings at which it counts."""
    ends = [(row[f"{reading}_low"], row[f"{reading}_high"], reading) for reading in READINGS]
    ends = [one for one in ends if np.isfinite(one[0])]
    return min(ends, key=lambda one: max(row["published_low"] - one[1], one[0] - row["published_high"], 0.0))


def _reason(found: pd.DataFrame, known: pd.DataFrame, wanted: float) -> str:
    """Return a reason from the inputs that could take an answer to a figure, the nearest first."""
    swing = (found["answer_high"] - found["answer_low"]).abs()
    if not (swing > 1e-3 * found["answer"].abs()).any():
        return "no input moves it"
    first = found.index[0]
    if np.isfinite(found.loc[first, "break_even"]):
        ends = between(*found.loc[first, ["low", "high"]])
        unit = f" {known.loc[first, 'unit']}" if known.loc[first, "unit"] else ""
        return (
            f"would take a {deal_views.words(first)} of {number(found.loc[first, 'break_even'])}{unit}; ours is {ends}"
        )
    ends = found[["answer_low", "answer_high"]]
    gap, now = (ends - wanted).abs().min(axis=1), found["answer"].iloc[0]
    best = gap.idxmin()
    if abs(now - wanted) - gap[best] < 1e-3 * abs(now):
        return f"no one input brings it nearer than {number(now)}, with all at their values"
    at = ends.loc[best].iloc[int((ends.loc[best] - wanted).abs().argmin())]
    return f"no one input reaches it; the {deal_views.words(best)} comes nearest, at {number(at)}"


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
        Indexed by whose figure it is: ``value``, ``low``, ``high``; a published range without a value has its middle.
    """
    ours = pd.DataFrame({f"ours, {READINGS[reading]}": x.loc[answer] for reading, x in readings.items()}).T
    rows = table[table["answer"] == answer]
    ends = rows[["published_low", "published_high"]].replace(np.inf, np.nan)
    theirs = pd.DataFrame({"low": ends["published_low"], "median": rows["published"], "high": ends["published_high"]})
    theirs.index = rows["source"] + ", " + rows["as_of"].str[:7]
    return pd.concat([ours, theirs]).rename(columns={"median": "value"})[["value", "low", "high"]]
