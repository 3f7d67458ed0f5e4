"""Measured throughput of accelerators side by side: beside the model, per kilowatt and dollar, over the paper peak, and
over rounds of software."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from gigafleet import calibration, catalog, roofline, uncertainty
from gigafleet.architectures import benchmarks, find_llm
from gigafleet.errors import unknown
from gigafleet.tables import resource

SCENARIOS = ("offline", "server", "interactive", "training")
DRAWS = 4096
FEWEST = 3  # results below which a share of the peak is not shown


def flops_per_token(x: pd.DataFrame) -> pd.Series:
    """Return the FLOPs of the model behind a counted token: trained, or decoded with its share of the prompt."""
    decode = 2 * x["active_params"] + x["attention_flops"] * roofline.context_tokens(x)
    serves = decode + roofline.prompt_flops(x) / x["output_tokens"]
    trains = roofline.training_flops_per_token(x, x["adapters"].to_numpy())
    return serves.where(~x["training"], trains)


def paper_shares(by: str = "accelerator") -> pd.DataFrame:
    """Return what share of the paper's dense peak measured results reach.

    Parameters
    ----------
    by
        ``accelerator``, ``generation`` or ``vendor``.

    Returns
    -------
    DataFrame
        Indexed by (group, work) with work ``training`` or ``offline`` (inference at full load): ``value`` (median),
        ``low`` and ``high`` (5th and 95th percentile) [share of the peak of the format that computes], ``rows``,
        ``vendor``. Groups of fewer than three results are left out. Decoding is held back by memory bandwidth, so a low
        share is no fault.
    """
    if by not in ("accelerator", "generation", "vendor"):
        raise unknown("group", by, ("accelerator", "generation", "vendor"))
    x = calibration.usable(benchmarks())
    x = x[x["stated_format"].ne("") & x["scenario"].isin(["offline", "training"])]
    share = np.exp(x["measured"]) * flops_per_token(x) / x["peak_flops"]
    groups = share.groupby([x[by], x["scenario"]])
    table = groups.quantile([0.05, 0.5, 0.95]).unstack().set_axis(["low", "value", "high"], axis=1)
    table["rows"] = groups.size()
    table["vendor"] = x["vendor"].groupby([x[by], x["scenario"]]).first()
    return table.rename_axis([by, "work"])[table["rows"] >= FEWEST]


def side_by_side(accelerators: Iterable[str], llm: str, scenario: str = "offline") -> pd.DataFrame:
    """Return a MLPerf result of each accelerator on a model, beside its prediction.

    It is the submission that the rule of ``benchmarks/draw.py`` takes, which looks at no throughput; of those in
    several formats the fastest.

    Parameters
    ----------
    accelerators, llm
        Names, as people write them.
    scenario
        One of :data:`SCENARIOS`; results of different scenarios do not compare.

    Returns
    -------
    DataFrame
        Indexed by accelerator, of those that have a result in ``data/benchmarks.csv``, the highest first: ``vendor``,
        ``number_format``, ``source``, ``year``, ``measured``, ``predicted`` by a fit that saw no result of the
        accelerator on the model, ``low`` and ``high`` (90 % band) [tokens/s], ``per_it_kw`` (measured, over the IT
        nameplate, with ``per_it_kw_low`` and ``per_it_kw_high`` from its range) [tokens/s per kW], ``per_usd``
        (measured, over the published cost of ownership of a hyperscaler) [million tokens/USD], ``paper_share`` (share
        of the dense peak of the format).

    Raises
    ------
    UnknownNameError
        Naming the scenarios there are.
    """
    if scenario not in SCENARIOS:
        raise unknown("scenario", scenario, SCENARIOS)
    accelerators = [accelerators] if isinstance(accelerators, str) else accelerators
    names, short = [catalog.find(name) for name in accelerators], find_llm(llm)
    x = calibration.usable(benchmarks())
    source = benchmarks().loc[x.index, "source"]
    kept = x["accelerator"].isin(names) & x["llm"].eq(short) & x["scenario"].eq(scenario)
    best = x[kept & source.str.startswith("MLPerf")].sort_values("measured", ascending=False)
    best = best.drop_duplicates("accelerator")
    table = best[["accelerator", "vendor", "number_format"]].copy()
    table["source"], table["year"] = source[best.index], np.floor(best["software_year"]).astype(int)
    table["measured"] = np.exp(best["measured"])
    log = pd.Series(np.nan, index=best.index)
    if len(best):
        pairs = calibration.pairs(x)
        log = calibration.left_out(x, pairs.where(pairs.isin(pairs[best.index])))[best.index]
    width = calibration.half_width(best, calibration.load(), "band")
    table["predicted"], table["low"], table["high"] = np.exp(log), np.exp(log - width), np.exp(log + width)
    known = catalog.accelerators().loc[table["accelerator"]].set_axis(table.index)
    table["per_it_kw"] = table["measured"] / known["all_in_kw"]
    ends = uncertainty.interval(_per_it_kw(table.set_index("accelerator")["measured"]))
    table[["per_it_kw_low", "per_it_kw_high"]] = ends[["low", "high"]].reindex(table["accelerator"]).to_numpy()
    table["per_usd"] = table["measured"] * 3600 / 1e6 / known["owner_cost_usd_per_h"]
    table["paper_share"] = table["measured"] * flops_per_token(best) / best["peak_flops"]
    return table.set_index("accelerator")


def _per_it_kw(measured: pd.Series) -> pd.DataFrame:
    """Return draws of throughput over IT power, one column an accelerator; each power within its range."""
    known = catalog.ranges({name: (name, "all_in_kw") for name in measured.index})
    return measured / uncertainty.sample(known, DRAWS, 0)


def leaders(table: pd.DataFrame, by: str = "per_it_kw") -> pd.Series:
    """Return how the best of AMD compares with the best of NVIDIA in :func:`side_by_side`.

    Returns
    -------
    Series
        ``amd`` and ``nvidia``, the names, empty where a vendor has no result; ``measured``, ``per_it_kw`` and
        ``per_usd``, AMD's over NVIDIA's, NaN without both; ``per_it_kw_low`` and ``per_it_kw_high``, its 90 % interval
        from the ranges of both powers.
    """
    best = table[table[by].notna()].groupby("vendor")[by].idxmax().reindex(["AMD", "NVIDIA"])
    sides = table.reindex(best.to_numpy())[["measured", "per_it_kw", "per_usd"]]
    found = (sides.iloc[0] / sides.iloc[1]).to_dict() | {"per_it_kw_low": np.nan, "per_it_kw_high": np.nan}
    if best.notna().all():
        drawn = _per_it_kw(table.loc[best, "measured"])
        ends = uncertainty.interval(drawn[best["AMD"]] / drawn[best["NVIDIA"]])
        found |= {f"per_it_kw_{end}": ends[end] for end in ("low", "high")}
    return pd.Series({"amd": best.fillna("")["AMD"], "nvidia": best.fillna("")["NVIDIA"], **found})


def rounds(amd: Iterable[str], nvidia: Iterable[str], scenario: str = "offline") -> pd.DataFrame:
    """Return AMD over NVIDIA in every round of MLPerf Inference that has both.

    Parameters
    ----------
    amd, nvidia
        Names, as people write them.
    scenario
        ``offline``, ``server`` or ``interactive``.

    Returns
    -------
    DataFrame
        In the order of the rounds, columns ``amd``, ``nvidia``, ``model``, ``round``; ``value``, the ratio of the
        medians of the submissions; ``low`` and ``high``, of the lowest over the highest and the highest over the
        lowest; ``amd_rows`` and ``nvidia_rows``.
    """
    table = resource("rounds")
    if scenario not in set(table["scenario"]):
        raise unknown("scenario", scenario, sorted(set(table["scenario"])))
    table = table[table["scenario"] == scenario]
    sides = [table[table["accelerator"].isin([catalog.find(n) for n in names])] for names in (amd, nvidia)]
    both = sides[0].merge(sides[1], on=["round", "model"], suffixes=("_amd", "_nvidia"))
    out = both[["accelerator_amd", "accelerator_nvidia", "model", "round"]].set_axis(
        ["amd", "nvidia", "model", "round"], axis=1
    )
    out["value"] = both["value_amd"] / both["value_nvidia"]
    out["low"], out["high"] = both["low_amd"] / both["high_nvidia"], both["high_amd"] / both["low_nvidia"]
    out["amd_rows"], out["nvidia_rows"] = both["rows_amd"].astype(int), both["rows_nvidia"].astype(int)
    return out.sort_values("round", kind="stable", ignore_index=True)


def changes(found: pd.DataFrame) -> pd.Series:
    """Return how the ratio of a pair moved between the first and the last round that hold a model.

    Parameters
    ----------
    found
        Rows of :func:`rounds` of one pair.

    Returns
    -------
    Series
        Indexed by the models that several rounds hold: ``up``, ``down``, or ``within`` where the range of one of the
        two rounds holds the ratio of the other, or both have one submission a side and thus no range.
    """
    ways = {}
    for model, rows in found.groupby("model", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        held = any(a["low"] <= b["value"] <= a["high"] for a, b in ((first, last), (last, first)))
        bare = all(row["low"] == row["high"] for row in (first, last))
        way = "up" if last["value"] > first["value"] else "down"
        ways |= {model: "within" if held or bare else way} if len(rows) > 1 else {}
    return pd.Series(ways, dtype=str)


def peers(found: pd.DataFrame) -> tuple[str, str]:
    """Return the pair of accelerators, of :func:`rounds`, that most rounds and models hold; empty names without any."""
    if found.empty:
        return "", ""
    return found.groupby(["amd", "nvidia"], sort=False).size().idxmax()
