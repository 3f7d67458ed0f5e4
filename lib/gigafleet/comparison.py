"""Accelerators side by side on paper: per accelerator, per rack, per megawatt of IT, per dollar on one price basis.

A ratio of two accelerators carries the ranges of both, so that a reader sees which differences are real. A price that
a source gives without a range has none: no bar is not certainty.
"""

import numpy as np
import pandas as pd

from gigafleet import catalog, check, cost, power, uncertainty
from gigafleet.errors import unknown
from gigafleet.tell import input_name, number

FORMATS = ("bf16", "fp8", "fp4")
METRICS = {
    "per_accelerator": "PFLOP/s per accelerator",
    "per_it_mw": "PFLOP/s per MW of IT",
    "memory_per_it_mw": "TB of memory per MW of IT",
    "bandwidth_per_it_mw": "PB/s of memory bandwidth per MW of IT",
    "per_musd": "PFLOP/s per million USD of servers or racks",
}


def prices(basis: str = "hyperscaler") -> pd.DataFrame:
    """Return the price of an accelerator with its share of the server or rack, on one basis.

    Parameters
    ----------
    basis
        A condition of ``price_usd``: ``hyperscaler``, ``analyst_rack``, ``oem``, ``reseller``, ``asp`` or ``rumour``.

    Returns
    -------
    DataFrame
        Indexed by accelerator: ``value``, ``low``, ``high`` [USD], ``range_kind``, ``system``, ``as_of``,
        ``source_id``. Prices of systems only: the host is in all of them, and in a rack's its scale-up switches too.

    Raises
    ------
    UnknownNameError
        Naming the bases there are.
    """
    known = catalog.quantities().loc["price_usd", "conditions"]
    if basis not in known:
        raise unknown("price basis", basis, known)
    systems = catalog.systems()
    rows = catalog.facts()
    rows = rows[(rows["quantity"] == "price_usd") & (rows["condition"] == basis) & rows["preferred"]]
    rows = rows[rows["subject"].isin(systems.index)].rename(columns={"subject": "system"})
    rows["accelerator"] = rows["system"].map(systems["accelerator"])
    ends = ["value", "low", "high"]
    rows[ends] = rows[ends].div(rows["system"].map(systems["accelerators_per_system"]), axis=0)
    rows["value"] = uncertainty.prepare(rows[[*ends, "range_kind"]])["value"]
    return rows.drop_duplicates("accelerator").set_index("accelerator")[
        [*ends, "range_kind", "system", "as_of", "source_id"]
    ]


def owner_costs(
    accelerators: list[str],
    region: str = "us",
    rate: float | None = None,
    it_life_years: float | None = None,
    n: int = 4096,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the hourly cost of owning accelerators beside the published one.

    One set of rate, lives, network, facility, PUE and energy serves all of them; only price and power differ.

    Parameters
    ----------
    accelerators
        Names, as people write them. Those without a hyperscaler price or an IT power are left out.
    region
        A region, for the price of electricity.
    rate, it_life_years
        Cost of capital [share/year] and life [years]; the figures in the data if None.
    n, seed
        Samples for the interval, as in :func:`gigafleet.uncertainty.sample`.

    Returns
    -------
    DataFrame
        Indexed by accelerator: the parts of :data:`gigafleet.cost.PARTS` and ``total`` at the values of all inputs,
        ``low`` and ``high`` of the total (90 % interval) [USD/h], ``published`` (SemiAnalysis, hyperscaler that owns
        its data centers) [USD/h] and ``difference`` of the total from it [share]; ``busd_per_gw``, the total of a
        gigawatt of IT, with ``busd_per_gw_low`` and ``busd_per_gw_high`` [billion USD/year].
    """
    table, price = catalog.accelerators(), prices()
    names = dict.fromkeys(catalog.find(name) for name in accelerators)
    names = [name for name in names if name in price.index and pd.notna(table.loc[name, "all_in_kw"])]
    common = cost.common_ranges(region)
    for name, chosen in {"rate": rate, "it_life_years": it_life_years}.items():
        if chosen is not None:
            common.loc[name, ["low", "value", "high"]] = chosen
    it_kw, price_usd = table.loc[names, "all_in_kw"], price.loc[names, "value"]
    costs = cost.waterfall(price_usd, it_kw, **cost.arguments(common["value"], it_kw))
    costs["busd_per_gw"] = cost.tco_busd_per_gw_year(costs["total"], it_kw)
    if names:
        kw = catalog.ranges({f"{name} kW": (name, "all_in_kw") for name in names})
        usd = price.loc[names].set_axis([f"{name} USD" for name in names])
        drawn = uncertainty.sample(pd.concat([common, kw, usd]), n, seed)
        inputs = {name: drawn[[name]].to_numpy() for name in common.index}  # samples down, accelerators across
        kw, usd = drawn[kw.index].to_numpy(), drawn[usd.index].to_numpy()
        totals = cost.tco_per_accelerator_hour(usd, kw, **cost.arguments(inputs, kw))
        yearly = cost.tco_busd_per_gw_year(totals, kw)
        for ends, amounts in ((["low", "high"], totals), (["busd_per_gw_low", "busd_per_gw_high"], yearly)):
            found = uncertainty.interval(pd.DataFrame(amounts, columns=names))
            costs[ends] = found[["low", "high"]]
    costs["published"] = table.loc[names, "owner_cost_usd_per_h"]
    costs["difference"] = costs["total"] / costs["published"] - 1
    yearly = ["busd_per_gw", "busd_per_gw_low", "busd_per_gw_high"]
    return costs.reindex(columns=[*cost.PARTS, "total", "low", "high", "published", "difference", *yearly])


def _inputs(accelerators: list[str], number_format: str) -> pd.DataFrame:
    """Return the ranges behind the metrics, indexed by (accelerator, input)."""
    price = prices()
    rows = {}
    for name in accelerators:
        wanted = {
            "tflops": f"{number_format}_tflops",
            "memory_gb": "memory_gb",
            "memory_tb_s": "memory_tb_s",
            "it_kw": "all_in_kw",
        }
        found = catalog.ranges({key: (name, q) for key, q in wanted.items() if catalog.has(name, q)})
        rows |= {(name, key): row for key, row in found.iterrows()}
        if name in price.index:
            rows[name, "price_usd"] = pd.concat([price.loc[name], pd.Series({"unit": "USD"})])
    frame = pd.DataFrame(rows).T[["low", "value", "high", "range_kind", "unit"]]
    return uncertainty.prepare(frame.assign(range_kind=frame["range_kind"].fillna("")))


def _metrics(x: dict[str, pd.Series]) -> dict[str, object]:
    """Return the metrics from the inputs of one accelerator; those whose inputs are absent are left out."""
    found = {}
    if "tflops" in x:
        found["per_accelerator"] = x["tflops"] / 1000
        if "price_usd" in x:
            found["per_musd"] = x["tflops"] / 1000 / (x["price_usd"] / 1e6)
    if "it_kw" in x:
        per_mw = power.accelerators_per_gw(x["it_kw"]) / 1000
        found |= {"per_it_mw": per_mw * x["tflops"] / 1000} if "tflops" in x else {}
        found |= {"memory_per_it_mw": per_mw * x["memory_gb"] / 1000} if "memory_gb" in x else {}
        found |= {"bandwidth_per_it_mw": per_mw * x["memory_tb_s"] / 1000} if "memory_tb_s" in x else {}
    return found


def samples(accelerators: list[str], number_format: str = "fp8", n: int = 4096, seed: int = 0) -> pd.DataFrame:
    """Return samples of every metric of every accelerator, from the ranges of power and price.

    Parameters
    ----------
    accelerators
        Names, as people write them.
    number_format
        ``bf16``, ``fp8`` or ``fp4``; an accelerator without it has no compute metrics.
    n, seed
        As in :func:`gigafleet.uncertainty.sample`.

    Returns
    -------
    DataFrame
        One row a sample, columns (accelerator, metric) with the metrics of :data:`METRICS`.
    """
    if number_format not in FORMATS:
        raise unknown("format", number_format, FORMATS)
    names = list(dict.fromkeys(catalog.find(name) for name in accelerators))
    drawn = uncertainty.sample(_inputs(names, number_format), n, seed)
    drawn.columns = pd.MultiIndex.from_tuples(drawn.columns)
    columns = {}
    for name in names:
        inputs = {key: drawn[name, key] for key in drawn[name].columns} if name in drawn.columns else {}
        columns |= {(name, metric): values for metric, values in _metrics(inputs).items()}
    return pd.DataFrame(columns)


def _values(drawn: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the samples of one metric, one column an accelerator that has it."""
    return drawn.loc[:, drawn.columns.get_level_values(1) == name].droplevel(1, axis=1)


def metric(drawn: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return median and 90 % interval of one metric: a row an accelerator, columns value, low, high and vendor, for a
    chart.

    Raises
    ------
    UnknownNameError
        Naming the metrics there are.
    """
    if name not in METRICS:
        raise unknown("metric", name, METRICS)
    table = uncertainty.interval(_values(drawn, name)).rename(columns={"median": "value"})
    return table.assign(vendor=catalog.subjects("accelerator")["vendor"].reindex(table.index))


def pairs(drawn: pd.DataFrame, amd: list[str], nvidia: list[str], name: str) -> pd.DataFrame:
    """Return AMD over NVIDIA for every pair on one metric.

    Parameters
    ----------
    drawn
        From :func:`samples`.
    amd, nvidia
        Short names; pairs of which one lacks the metric are left out.
    name
        One of :data:`METRICS`.

    Returns
    -------
    DataFrame
        Indexed by (amd, nvidia): ``low``, ``median``, ``high`` of the ratio and ``verdict``: ``AMD ahead`` or
        ``NVIDIA ahead`` where the 90 % interval lies on one side of 1, ``not distinguishable`` where it holds 1, ``no
        range known`` where it is a point.
    """
    if name not in METRICS:
        raise unknown("metric", name, METRICS)
    values = _values(drawn, name)
    ratios = {(a, b): values[a] / values[b] for a in amd for b in nvidia if a in values and b in values}
    if not ratios:
        return pd.DataFrame(columns=["low", "median", "high", "verdict"])
    table = uncertainty.interval(pd.DataFrame(ratios))
    table["verdict"] = "not distinguishable"
    table.loc[table["low"] > 1, "verdict"] = "AMD ahead"
    table.loc[table["high"] < 1, "verdict"] = "NVIDIA ahead"
    table.loc[table["high"] - table["low"] < 1e-9, "verdict"] = "no range known"
    return table


def flips(amd: str, nvidia: str, name: str, number_format: str = "fp8") -> pd.DataFrame:
    """Return which input, within its range, turns AMD over NVIDIA on a metric to the other side of 1.

    Parameters
    ----------
    amd, nvidia
        Names, as people write them.
    name
        One of :data:`METRICS`.
    number_format
        As in :func:`samples`.

    Returns
    -------
    DataFrame
        As :func:`gigafleet.uncertainty.flips` gives it, indexed by "accelerator input", with the input's ``unit``;
        empty where one of the two lacks the metric.
    """
    if name not in METRICS:
        raise unknown("metric", name, METRICS)
    names = [catalog.find(amd), catalog.find(nvidia)]
    known = _inputs(names, number_format)
    known.index = [" ".join(pair) for pair in known.index]

    def ratio(cases: pd.DataFrame) -> pd.Series:
        x = [{key.split(" ", 1)[1]: cases[key] for key in cases if key.split(" ", 1)[0] == n} for n in names]
        found = [_metrics(each).get(name, np.nan) for each in x]
        return found[0] / found[1] + 0 * cases.iloc[:, 0]

    table = uncertainty.flips(ratio, known, 1.0).assign(unit=known["unit"])
    return table[table["answer"].notna()]


def in_words(name: str) -> str:
    """Return an "accelerator input" of :func:`flips` in words.

    >>> in_words("VR200 it_kw")
    'IT power of an accelerator (VR200)'
    """
    accelerator, _, plain = name.partition(" ")
    return f"{input_name(plain)} ({accelerator})"


def flip_text(found: pd.DataFrame, amd: str, nvidia: str) -> str:
    """Return in a sentence what would make two accelerators change places, from :func:`flips`."""
    turns = found.dropna(subset="break_even")
    if turns.empty:
        return f"No single input within its range makes {amd} and {nvidia} change places."
    name, row = turns.index[0], turns.iloc[0]
    return (
        f"{amd} and {nvidia} change places if {in_words(name)} were "
        f"{number(row['break_even'])} {row['unit']} instead of {number(row['value'])}."
    )


def per_watt(number_format: str = "fp8", case: str = "mid", peak_pue: float = 1.0) -> pd.DataFrame:
    """Return paper throughput per watt of every accelerator at each power level.

    Parameters
    ----------
    number_format
        ``bf16``, ``fp8`` or ``fp4``.
    case
        ``mid``, or ``low`` or ``high`` efficiency, from the other end of the power's range.
    peak_pue
        For the facility level. [ratio]

    Returns
    -------
    DataFrame
        Indexed by accelerator, columns as in :data:`gigafleet.power.LEVELS`; NaN where a figure is absent. [TFLOP/s
        per W]
    """
    if number_format not in FORMATS:
        raise unknown("format", number_format, FORMATS)
    other = {"low": "high", "mid": "mid", "high": "low"}
    if case not in other:
        raise unknown("case", case, other)
    table = catalog.accelerators()
    kw = power.levels_kw(catalog.accelerators(other[case]), catalog.systems(other[case]), peak_pue)
    return (1 / kw).mul(table[f"{number_format}_tflops"] / 1000, axis=0)


def power_levels(accelerators: list[str], n: int = 2**13, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Return the power of some accelerators at every level, with the data's peak PUE. [kW]

    Parameters
    ----------
    accelerators
        Names, as people write them.
    n, seed
        Samples of IT power and PUE, as :func:`gigafleet.uncertainty.sample`.

    Returns
    -------
    dict
        ``low``, ``mid`` and ``high``, each as :func:`gigafleet.power.levels_kw` gives it: each figure's own range, and
        of the facility the 90 % interval of IT power times PUE. ``mid`` has in its ``attrs["midpoints"]`` the cells
        whose source gives a range only.
    """
    names, found = list(dict.fromkeys(catalog.find(name) for name in accelerators)), {}
    for case in catalog.CASES:
        table = catalog.accelerators(case).loc[names]
        pue = catalog.value("ai-datacenter", "peak_pue", case=case)
        found[case] = power.levels_kw(table, catalog.systems(case), pue)
    columns = {"tdp_w": "chip", "all_in_kw_rack": "rack", "all_in_kw": "it"}
    ends_only = [(name, columns[column]) for name, column in table.attrs["midpoints"] if column in columns]
    found["mid"].attrs["midpoints"] = ends_only
    known = list(found["mid"].index[found["mid"]["it"].notna()])
    where = {name: (name, "all_in_kw") for name in known} | {"peak_pue": ("ai-datacenter", "peak_pue")}
    drawn = uncertainty.sample(catalog.ranges(where), n, seed)
    ends = uncertainty.interval(drawn[known].mul(drawn["peak_pue"], axis=0))
    for end in ("low", "high"):
        found[end].loc[known, "facility"] = ends[end]
    return found


def bytes_per_kflop(number_format: str = "fp8") -> pd.Series:
    """Return memory traffic for every thousand operations at peak, by accelerator. [bytes per 1,000 FLOP]"""
    if number_format not in FORMATS:
        raise unknown("format", number_format, FORMATS)
    table = catalog.accelerators()
    return 1000 * table["memory_tb_s"] / table[f"{number_format}_tflops"]


def racks(accelerators: list[str], number_format: str = "fp8") -> pd.DataFrame:
    """Return the racks that hold some accelerators: power with its range, compute, memory, links, and compute per kW.

    Parameters
    ----------
    accelerators
        Names, as people write them.
    number_format
        ``bf16``, ``fp8`` or ``fp4``.

    Returns
    -------
    DataFrame
        Indexed by system, the most compute per kW first: ``name``, ``vendor`` of the accelerators,
        ``accelerators_per_system``, ``rack_kw`` with ``_low`` and ``_high`` [kW], ``pflops`` [PFLOP/s], ``memory_tb``
        [TB], ``bandwidth_pb_s`` [PB/s], ``scale_up_tb_s`` [TB/s], and compute over the power of the rack: ``value``,
        ``low``, ``high`` [PFLOP/s per kW].
    """
    if number_format not in FORMATS:
        raise unknown("format", number_format, FORMATS)
    names = [catalog.find(name) for name in accelerators]
    low, mid, high = (catalog.systems(case) for case in catalog.CASES)
    mid = mid[mid["accelerator"].isin(names) & mid["rack_kw"].notna()]
    inside = catalog.accelerators().loc[mid["accelerator"]].set_index(mid.index)
    table = mid[["name", "accelerators_per_system", "rack_kw", "memory_tb", "scale_up_tb_s"]].assign(
        vendor=inside["vendor"],
        rack_kw_low=low.loc[mid.index, "rack_kw"],
        rack_kw_high=high.loc[mid.index, "rack_kw"],
        pflops=mid["accelerators_per_system"] * inside[f"{number_format}_tflops"] / 1000,
        bandwidth_pb_s=mid["accelerators_per_system"] * inside["memory_tb_s"] / 1000,
    )
    for end, kw in (("value", "rack_kw"), ("low", "rack_kw_high"), ("high", "rack_kw_low")):
        table[end] = table["pflops"] / table[kw]
    mixed = list(check.exceptions("power_adds_up"))  # racks that hold more than one kind of accelerator
    return table.drop(index=mixed, errors="ignore").sort_values("value", ascending=False, kind="stable")
