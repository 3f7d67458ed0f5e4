"""The performance model held against measured results, as tables for a report."""

import numpy as np
import pandas as pd

from gigafleet import accuracy, calibration, catalog, effects
from gigafleet.errors import unknown
from gigafleet.tables import resource

WORK = ("all", "training", "inference")
NEAR = f"within a factor of {accuracy.FACTOR}"
REASONS = {
    "speculative": "how many tokens speculation gets accepted is not in the row",
    "disaggregated": "the split of the pool between prefill and decode is not in the row",
    "sparse": "fewer requests than accelerators: parts of the pool idle",
    "interactive": "the load that the latency limit leaves is not in the row",
}


def checked(hold_out: str = "pair", work: str = "all") -> pd.DataFrame:
    """Return every usable result beside its prediction from a fit without its group.

    Parameters
    ----------
    hold_out
        What is left out at once, a key of :data:`gigafleet.accuracy.HOLD_OUT`.
    work
        ``inference``, ``training`` or ``all``.

    Returns
    -------
    DataFrame
        Indexed by ``row_id``: ``vendor``, ``accelerator``, ``llm``, ``scenario``, ``source``, ``year``, ``stratum``,
        ``number_format``, ``measured`` and ``predicted`` [tokens/s per accelerator], ``residual`` (logarithm of
        predicted over measured) and ``width`` (half-width of the 90 % band, a logarithm).
    """
    for what, value, known in (("hold_out", hold_out, accuracy.HOLD_OUT), ("work", work, WORK)):
        if value not in known:
            raise unknown(what, value, known)
    x = calibration.usable(catalog.benchmarks())
    residual = accuracy.held_out(x, hold_out)
    out = x[["vendor", "accelerator", "llm", "scenario", "number_format", "requests", "pool"]].copy()
    out["source"] = catalog.benchmarks().loc[x.index, "source"]
    out["year"] = np.floor(x["software_year"]).astype(int).astype(str)
    out["stratum"] = effects.stratum(x)
    out["measured"], out["predicted"] = np.exp(x["measured"]), np.exp(x["measured"] + residual)
    out["residual"] = residual
    out["width"] = calibration.half_width(x, calibration.load(), accuracy.BANDS[hold_out])
    wanted = {"all": x["training"] | True, "training": x["training"], "inference": ~x["training"]}
    return out[wanted[work]]


def ratios(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return predicted over measured by group: ``value`` (median), ``low`` and ``high`` (5th and 95th percentile), from
    groups with enough rows, widest first; the index holds the number of rows."""
    groups = rows.groupby(by)
    groups = {f"{name} ({len(g)})": g for name, g in groups if len(g) >= accuracy.ENOUGH}
    table = pd.DataFrame({n: np.exp(g["residual"].quantile([0.5, 0.05, 0.95]).to_numpy()) for n, g in groups.items()}).T
    table = table.set_axis(["value", "low", "high"], axis=1) if len(table) else pd.DataFrame(columns=["value"])
    if by in ("accelerator", "vendor") and len(table):
        table["vendor"] = [g["vendor"].iloc[0] for g in groups.values()]
    return table


def coverage(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the share of results inside their 90 % band by stratum, ``value`` with the 90 % interval that so few rows
    leave (Wilson), and the half-width of the band as a factor."""
    groups = rows.groupby("stratum")
    n, hits = groups.size(), groups.apply(lambda g: (g["residual"].abs() <= g["width"]).sum())
    z2 = 1.645**2
    middle, spread = (hits + z2 / 2) / (n + z2), np.sqrt(hits * (n - hits) / n + z2 / 4) * 1.645 / (n + z2)
    table = pd.DataFrame({"value": hits / n, "low": middle - spread, "high": middle + spread, "rows": n})
    table["half_width"] = np.exp(groups["width"].first())
    return table[table["rows"] >= accuracy.ENOUGH]


def overall(rows: pd.DataFrame, n: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return median error, share within a factor of 1.5 and share inside the band of all results, with the 90 %
    interval that so few (accelerator, model) pairs leave: a bootstrap that draws pairs, as results of one go together.

    Parameters
    ----------
    rows
        From :func:`checked`.
    n, seed
        Draws and their seed.

    Returns
    -------
    DataFrame
        Rows ``median_error``, ``within_1_5`` and ``covered`` [shares], columns ``value``, ``low``, ``high``.
    """
    pairs, names = pd.factorize(rows["accelerator"] + " " + rows["llm"])
    members = [np.flatnonzero(pairs == i) for i in range(len(names))]
    drawn = np.random.default_rng(seed).integers(len(names), size=(n, len(names)))
    picks = (np.concatenate([members[i] for i in one]) for one in drawn)
    scores = [accuracy.score(rows["residual"].iloc[at], rows["width"].iloc[at]) for at in picks]
    measures = ["median_error", "within_1_5", "covered"]
    ends = pd.DataFrame(scores)[measures].quantile([0.05, 0.95])
    value = pd.Series(accuracy.score(rows["residual"], rows["width"]))[measures]
    return pd.DataFrame({"value": value, "low": ends.loc[0.05], "high": ends.loc[0.95]})


def errors(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the errors by group as text for a table; below ten rows they are not established."""
    return _shown(accuracy.table(rows["residual"], rows[by], rows["width"]))


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return errors as text, the number of rows exact."""
    shown = pd.DataFrame({"rows": table["rows"].astype(int).map("{:,}".format)})
    for name, title in (("median_error", "median error [%]"), ("within_1_5", f"{NEAR} [%]")):
        shown[title] = (100 * table[name].astype(float)).round().astype(int).astype(str)
    shown["bias [%]"] = (100 * table["bias"].astype(float)).map("{:+.0f}".format)
    shown["inside the band [%]"] = (100 * table["covered"].astype(float)).round().astype(int).astype(str)
    shown.loc[table["rows"] < accuracy.ENOUGH, shown.columns[1:]] = "not established"
    return shown


def simpler(hold_out: str = "pair") -> pd.DataFrame:
    """Return the errors in inference of this model and of simpler ones, with the same groups left out."""
    x = calibration.usable(catalog.benchmarks())
    serves = ~x["training"]
    found = {"this model": accuracy.held_out(x, hold_out)}
    found |= accuracy.baselines(x, accuracy.HOLD_OUT[hold_out](x))
    table = pd.DataFrame({name: accuracy.score(r[serves]) for name, r in found.items()}).T
    shown = table[["median_error", "within_1_5", "bias"]].astype(float) * 100
    return shown.set_axis(["median error [%]", f"{NEAR} [%]", "bias [%]"], axis=1)


def worst(rows: pd.DataFrame, number: int = 10) -> pd.DataFrame:
    """Return the rows that are farthest off, with what the row itself or its note says about why."""
    far = rows.loc[rows["residual"].abs().sort_values(ascending=False).index[:number]]
    shown = far[["accelerator", "llm", "scenario", "measured", "predicted"]].copy()
    shown["ratio"] = np.exp(far["residual"])
    known = rows["llm"].value_counts()
    few = far["llm"].map(known) < accuracy.ENOUGH
    gpt_oss = far["llm"].str.startswith("gpt-oss") & far["number_format"].eq("fp8")
    note = catalog.benchmarks().loc[far.index, "note"].fillna("")
    shown["why"] = np.select(
        [
            note.str.match(r"open[;,]"),
            gpt_oss,
            far["stratum"].isin(list(REASONS)),
            few,
            far["stratum"].eq("training") & (far["pool"] >= 64),
        ],
        [
            "submitted to the open division, where rules are free",
            "marked FP8, though the weights of this model are MXFP4",
            far["stratum"].map(REASONS).fillna(""),
            "few results of this model",
            "the batch is not in the row, and many accelerators share it",
        ],
        "no reason in what the row states",
    )
    return shown


def larger(hold_out: str = "pair", view: str = "accelerator") -> pd.DataFrame:
    """Return the kept errors on a larger table of results (``data/accuracy.csv``) for one way of leaving out."""
    table = resource("accuracy")
    return table[(table["held_out"] == hold_out) & (table["view"] == view)].set_index("group")


def larger_errors(hold_out: str, view: str) -> pd.DataFrame:
    """Return the same as text for a table, as :func:`errors` does."""
    return _shown(larger(hold_out, view))


ENDS = {"value": 0.0, "low": -1.645, "high": 1.645}  # standard errors from the value
EXPONENTS = ("disaggregated_load", "watts")  # parameters that are no factors
MEASURES = {
    "median_error": "median error",
    "within_1_5": NEAR,
    "bias": "bias, either way",
    "half_width": "half-width of the band [factor]",
    "covered": "inside the band",
}


def aims() -> pd.DataFrame:
    """Return the aims of the model beside what it reaches on the larger table, as text."""
    table = accuracy.aims(resource("accuracy"))
    percent = table["measure"] != "half_width"
    reached = (100 * table["reached"]).map("{:.0f}\u00a0%".format).where(percent, table["reached"].map("{:.2f}".format))
    way, bound = (table["aim"].str.rsplit(" ", n=1).str[i] for i in (0, 1))
    bound = (100 * bound.astype(float)).map("{:.0f}\u00a0%".format).where(percent, bound)
    shown = pd.DataFrame(
        {"left out": table["held_out"], "of": table["group"], "measure": table["measure"].map(MEASURES)}
    )
    shown["aim"] = (way + " " + bound).str.replace(" ", "\u00a0")
    shown["reached"] = reached.where(table["reached"].notna(), "–")
    shown["met"] = table["met"].map({True: "yes", False: "no"})
    return shown.assign(rows=table["rows"].map("{:,}".format)).set_index("left out")


def aim_of_bands() -> tuple[float, float]:
    """Return the least and the most of the results that are to lie inside their 90 % band [%]."""
    bounds = [100 * bound for *_, measure, bound, _ in accuracy.AIMS if measure == "covered"]
    return min(bounds), max(bounds)


def stale() -> bool:
    """Return whether the kept errors on the larger table belong to another fit."""
    return resource("accuracy")["data_hash"].iloc[0] != resource("efficiencies")["data_hash"].iloc[0]


def parameters() -> tuple[int, float]:
    """Return how many parameters the fit has, and for how many of them the results decide rather than the prior: the
    sum over parameters of 1 - (standard error / spread of the prior)^2."""
    table = resource("efficiencies").dropna(subset="prior_sd")
    return len(table), float((1 - (table["standard_error"] / table["prior_sd"]) ** 2).sum())


def fitted() -> pd.DataFrame:
    """Return the parameters of the fit, as factors or in their unit: ``value``, ``low`` and ``high`` (5 and 95 %, of a
    normal distribution of the logarithm), the ``rows`` that say something about it, and ``meaning``."""
    table = resource("efficiencies").dropna(subset="prior_sd").set_index("parameter")
    ends = {name: table["value"] + z * table["standard_error"] for name, z in ENDS.items()}
    found = pd.DataFrame(ends)
    factors = ~found.index.isin(EXPONENTS)
    found[factors] = np.exp(found[factors])
    return found.assign(rows=table["rows"].astype(int), meaning=table["meaning"])


def reached() -> pd.DataFrame:
    """Return the best measured matrix multiplication over the dense peak of every accelerator and format measured.

    Returns
    -------
    DataFrame
        Indexed by accelerator and format as text, the highest first: ``value``, ``low`` and ``high`` (lowest and
        highest that was measured) [%], ``vendor`` and ``number_format``.
    """
    facts = catalog.facts().query("quantity == 'matmul_tflops' and preferred").reset_index()
    known = catalog.accelerators().loc[facts["subject"]]
    peaks = [known.iloc[i][f"{number_format}_tflops"] for i, number_format in enumerate(facts["condition"])]
    found = facts[["value", "low", "high"]].div(peaks, axis=0).mul(100)
    found["low"], found["high"] = found["low"].fillna(found["value"]), found["high"].fillna(found["value"])
    found["vendor"], found["number_format"] = known["vendor"].to_numpy(), facts["condition"].str.upper()
    found.index = pd.Index(facts["subject"] + ", " + found["number_format"])
    return found.sort_values("value", ascending=False)
