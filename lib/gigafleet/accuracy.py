"""How far the performance model is from measured results, by grouped cross-validation, beside simpler models."""

import numpy as np
import pandas as pd

from gigafleet import calibration, effects, roofline

ENOUGH = 10  # rows below which an error is not established
FACTOR = 1.5  # predictions that are off by less, either way, count as near
DOUBTFUL = r"inconsistent|unverified|day-0|day 0|do not use"
HOLD_OUT = {
    "pair": calibration.pairs,
    "generation and architecture": calibration.families,
    "generation": lambda x: x["generation"],
    "generation and its ceiling": lambda x: x["generation"],
}
CHIPS = ("MI300X", "MI325X", "MI350X", "MI355X", "H100", "H200", "GH200", "B200", "GB200", "B300", "GB300")
# What the model aims at: what is left out, view, group, measure, bound and whether it is the most or the least.
AIMS = (
    ("pair", "kind", "inference", "median_error", 0.16, "most"),
    ("pair", "kind", "inference", "within_1_5", 0.87, "least"),
    ("pair", "kind", "training", "median_error", 0.11, "most"),
    ("pair", "kind", "training", "within_1_5", 0.94, "least"),
    ("generation and architecture", "kind", "inference", "median_error", 0.23, "most"),
    ("generation and architecture", "kind", "inference", "within_1_5", 0.75, "least"),
    *(("pair", "vendor", f"inference, {vendor}", "bias", 0.10, "most") for vendor in ("AMD", "NVIDIA")),
    *(("pair", "accelerator", name, "bias", 0.10, "most") for name in CHIPS),
    *(
        (held_out, "generation", f"inference, {name}", "bias", 0.10, "most")
        for held_out in ("generation", "generation and its ceiling")
        for name in ("CDNA 3", "CDNA 4", "Hopper", "Blackwell")
    ),
    *(
        (held_out, "generation", f"training, {name}", "bias", 0.10, "most")
        for held_out in ("generation", "generation and its ceiling")
        for name in ("CDNA 3", "Hopper", "Blackwell")  # CDNA 4 has too few results
    ),
    ("pair", "simpler model", "this model over ridge regression", "median_error", 0.75, "most"),
    *(
        ("pair", "stratum", stratum, "half_width", bound, "most")
        for stratum, bound in {
            "offline": 1.5,
            "server": 1.7,
            "serving": 2.0,
            "interactive": 2.3,
            "training": 1.5,
        }.items()
    ),
    *(
        ("pair", "stratum", stratum, "covered", bound, way)
        for stratum in ("offline", "server", "serving", "interactive", "training")
        for bound, way in ((0.85, "least"), (0.95, "most"))
    ),
)
BANDS = dict(zip(HOLD_OUT, [*calibration.KINDS, "new_generation"], strict=True))  # the band for what is left out


def sound(results: pd.DataFrame) -> pd.DataFrame:
    """Return results without those whose count of tokens is not stated or follows from a report's totals, and those
    that their own notes call inconsistent, unverified or from a model's first day."""
    said = results["note"].fillna("").astype(str) + " " + results["scenario"].fillna("").astype(str)
    counted = results["tokens_counted"].fillna("").astype(str)
    stated = counted.ne("") & ~counted.str.contains("not stated|derived")
    shared = counted.str.contains("DERIVED")  # the output's share of a published total
    return results[(stated | shared) & ~said.str.contains(DOUBTFUL, case=False)]


def score(residual: pd.Series, width: pd.Series | None = None) -> dict[str, float]:
    """Return the errors of predictions.

    Parameters
    ----------
    residual
        Logarithm of predicted over measured.
    width
        Half-width of each row's 90 % band, a logarithm.

    Returns
    -------
    dict
        ``rows``, ``median_error`` (absolute percentage error, a share), ``within_1_5`` (share within a factor of 1.5),
        ``bias`` (median of predicted over measured, minus 1), ``covered`` (share inside the band) and ``established``
        (whether there are 10 rows).
    """
    error = np.abs(np.expm1(residual))
    return {
        "rows": len(residual),
        "median_error": float(error.median()),
        "within_1_5": float((residual.abs() <= np.log(FACTOR)).mean()),
        "bias": float(np.expm1(residual.median())),
        "covered": float((residual.abs() <= width).mean()) if width is not None else np.nan,
        "established": len(residual) >= ENOUGH,
    }


def table(residual: pd.Series, by: pd.Series, width: pd.Series | None = None) -> pd.DataFrame:
    """Return the errors by group, one row each; columns as in :func:`score`."""
    groups = residual.groupby(by)
    return pd.DataFrame({k: score(r, None if width is None else width[r.index]) for k, r in groups}).T


def aims(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the model aims at beside what it reaches.

    Parameters
    ----------
    table
        Errors with the columns of ``data/accuracy.csv``.

    Returns
    -------
    DataFrame
        Columns ``held_out``, ``group``, ``measure``, ``aim``, ``reached`` (a bias without its sign), ``met`` and
        ``rows``. An aim that the table has no row for is not met: ``reached`` NaN, no ``rows``.
    """
    at = table.set_index(["held_out", "view", "group"]).sort_index()
    found = []
    for held_out, view, group, measure, bound, way in AIMS:
        known = (held_out, view, group) in at.index
        reached = abs(float(at.loc[(held_out, view, group), measure])) if known else np.nan
        met = reached <= bound if way == "most" else reached >= bound
        rows = int(at.loc[(held_out, view, group), "rows"]) if known else 0
        found.append((held_out, group, measure, f"at {way} {bound:g}", reached, met, rows))
    return pd.DataFrame(found, columns=["held_out", "group", "measure", "aim", "reached", "met", "rows"])


def held_out(x: pd.DataFrame, hold_out: str = "pair", train=None) -> pd.Series:
    """Return the logarithm of predicted over measured, each row from a fit without its group.

    Parameters
    ----------
    x
        Rows of :func:`gigafleet.calibration.usable`.
    hold_out
        A key of :data:`HOLD_OUT`. With ``generation and its ceiling`` it is not known either what the best matrix
        multiplication of the generation reaches: it is taken from the vendor's newest other generation.
    train
        Which rows may be fitted to; all if None.
    """
    asked = calibration.unmeasured(x) if hold_out == "generation and its ceiling" else x
    return calibration.left_out(x, HOLD_OUT[hold_out](x), train, asked) - x["measured"]


def baselines(x: pd.DataFrame, groups: pd.Series) -> dict[str, pd.Series]:
    """Return the residuals of simpler models on the rows, with each row's group left out.

    Returns
    -------
    dict
        ``roofline at peak``, ``roofline at 0.82 of bandwidth``, ``one efficiency per class`` (scenario, on that
        roofline), ``look-up of like rows`` and ``ridge regression``.
    """
    measured = x["measured"]
    peak = pd.Series(_roofline(x, 1.0), index=x.index)
    derated = pd.Series(_roofline(x, 0.82), index=x.index)
    out = {"roofline at peak": peak - measured, "roofline at 0.82 of bandwidth": derated - measured}
    constant, look_up, ridge = (pd.Series(np.nan, index=x.index) for _ in range(3))
    features = _features(x)
    keys = [["scenario", "family", "generation"], ["scenario", "family"], ["scenario"]]
    for held in x.groupby(groups.to_numpy()).indices.values():
        inside = np.zeros(len(x), dtype=bool)
        inside[held] = True
        gap = (measured - derated)[~inside].groupby(x["scenario"][~inside]).median()
        constant.iloc[held] = (derated + x["scenario"].map(gap).fillna(0))[inside]
        likely = pd.Series(np.nan, index=x.index[inside])
        for key in keys:
            like = measured[~inside].groupby([x[k][~inside] for k in key]).median()
            rows = pd.MultiIndex.from_frame(x.loc[inside, key]) if len(key) > 1 else x.loc[inside, key[0]]
            likely = likely.fillna(pd.Series(like.reindex(rows).to_numpy(), index=likely.index))
        look_up.iloc[held] = likely.fillna(measured[~inside].median())
        ridge.iloc[held] = _ridge(features[~inside], measured[~inside].to_numpy(), features[inside])
    return out | {
        "one efficiency per class": constant - measured,
        "look-up of like rows": look_up - measured,
        "ridge regression": ridge - measured,
    }


def _roofline(x: pd.DataFrame, bandwidth: float) -> np.ndarray:
    """Return the logarithm of throughput with no losses but a share of the bandwidth."""
    design = effects.Design(x, [*effects.CONSTANTS, *effects.COVARIATES])
    values = np.array([p.mean for p in design.priors])
    inputs = design.inputs(values) | {"ceiling": 1.0}
    n, requests = inputs["instance"], inputs["requests"]
    parts = roofline.step_parts_s(
        inputs, {"compute": 1.0, "bandwidth": bandwidth, "step_s": 0, "hop_s": 0, "link": np.inf, "request_s": 0}
    )
    serves = requests / (n * np.maximum(parts["memory"], parts["compute"]))
    trains = inputs["peak_flops"] / roofline.training_flops_per_token(inputs, x["adapters"].to_numpy())
    return np.log(np.where(x["training"], trains, serves))


def _features(x: pd.DataFrame) -> np.ndarray:
    """Return what this model takes from a row, as logarithms, with marks for engine, generation and family and the date
    of the software."""
    logs = ["peak_flops", "bandwidth", "memory", "link", "pool", "instance", "prompt_tokens", "output_tokens"]
    logs += ["params", "active_params", "weight_bytes", "watts", "ceiling"]
    load = np.log((x["requests"] / x["pool"]).fillna(1.0))
    numbers = [np.log(x[logs]), np.log1p(x["experts"]), load, x["requests"].isna(), x["software_year"], x["novelty"]]
    marks = pd.get_dummies(x[["scenario", "engine", "compute_format", "vendor", "generation", "family"]])
    return pd.concat([*numbers, marks, x[["speculative", "disaggregated", "adapters"]]], axis=1).to_numpy(float)


def _ridge(features: np.ndarray, measured: np.ndarray, asked: np.ndarray, penalty: float = 1.0) -> np.ndarray:
    mean, spread = features.mean(0), np.maximum(features.std(0), 1e-9)
    a, middle = (features - mean) / spread, measured.mean()
    slopes = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (measured - middle))
    return middle + (asked - mean) / spread @ slopes
