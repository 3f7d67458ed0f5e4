"""Fits the efficiencies of :mod:`gigafleet.roofline` to measured results, and keeps them with their errors.

An accelerator, engine or model without results gets the prior of :mod:`gigafleet.effects`, that is the value of its
vendor, with a wider band. The fit is Gauss-Newton on the logarithm of throughput with Huber's loss, so that no single
result pulls it far.
"""

import hashlib
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from gigafleet import workloads
from gigafleet.effects import CONSTANTS, STRATA, Design, stratum
from gigafleet.tables import resource

SIGMA = 0.15  # scatter of a good result around the model, in logarithms
HUBER = 1.5  # residuals beyond so many sigmas count linearly
LEVEL = 0.9
HIDDEN = ("disaggregated", "speculative", "sparse")  # split of the pool, acceptance or use of the pool is not known


def solve(design: Design, measured: np.ndarray, start=None, steps: int = 30, weight=None):
    """Return the parameters that fit best and their covariance.

    Parameters
    ----------
    design
        Rows and parameters.
    measured
        Logarithm of measured throughput of each row.
    start
        Where to begin; the priors if None.
    steps
        Most Gauss-Newton steps.
    weight
        Weight of each row; 1 if None.

    Returns
    -------
    tuple
        Values, shape (parameters,), and covariance, shape (parameters, parameters).
    """
    mean, sd = np.array([(p.mean, p.sd) for p in design.priors]).T
    values = mean.copy() if start is None else start.copy()
    weight = np.ones(len(measured)) if weight is None else weight

    def cost(at):
        e = np.abs(design.predict(at) - measured) / SIGMA
        rho = np.where(e < HUBER, e**2, 2 * HUBER * e - HUBER**2)
        return weight @ rho + (((at - mean) / sd) ** 2).sum()

    best, damping = cost(values), 1e-2
    for _ in range(steps):
        predicted, slopes = design.slopes(values)
        e = (predicted - measured) / SIGMA
        each = weight * np.where(np.abs(e) < HUBER, 1, HUBER / np.maximum(np.abs(e), HUBER))
        curvature = (slopes * each[:, None]).T @ slopes / SIGMA**2 + np.diag(sd**-2.0)
        downhill = -(slopes * each[:, None]).T @ e / SIGMA - (values - mean) / sd**2
        for _ in range(8):
            step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), downhill)
            tried = cost(values + step)
            if tried < best:
                break
            damping *= 8
        else:
            break
        gain, best, values, damping = best - tried, tried, values + step, max(damping / 6, 1e-6)
        if gain < 1e-4 * best:
            break
    return values, np.linalg.inv(curvature)


def usable(results: pd.DataFrame) -> pd.DataFrame:
    """Return the results that can be fitted or scored: those with a throughput and nothing unknown. The measured value
    is the column ``measured`` [log tokens/s]."""
    x = workloads.from_results(results)
    measured = pd.to_numeric(results["tokens_per_s_per_gpu"], errors="coerce")
    keep = x["unknown"].eq("") & (measured > 0)
    return x[keep].assign(measured=np.log(measured[keep]), model=results["model"][keep])


def left_out(x: pd.DataFrame, groups: pd.Series, start: np.ndarray, train=None, steps: int = 8) -> pd.Series:
    """Return predictions of every row from a fit without its group [log tokens/s]: grouped cross-validation.

    Parameters
    ----------
    x
        Rows of :func:`usable`.
    groups
        Group of each row; a whole group is left out at once.
    start
        Parameters of the fit to all rows, where each fit begins.
    train
        Which rows may be fitted to; all if None.
    """
    design = Design(x) if train is None else Design(x, Design(x[train]).names)
    allowed = np.ones(len(x), dtype=bool) if train is None else np.asarray(train)
    out, measured = pd.Series(np.nan, index=x.index), x["measured"].to_numpy()
    for _, held in x.groupby(groups.to_numpy()).indices.items():
        inside = np.zeros(len(x), dtype=bool)
        inside[held] = True
        keep = allowed & ~inside
        values, _ = solve(design.rows(keep), measured[keep], start, steps)
        out.iloc[held] = design.rows(inside).predict(values)
    return out


def pairs(x: pd.DataFrame) -> pd.Series:
    """Return the (accelerator, model) pair of each row."""
    return x["accelerator"] + "|" + x["model"]


def families(x: pd.DataFrame) -> pd.Series:
    """Return the (generation, architecture) group of each row."""
    return x["generation"] + "|" + x["family"]


def half_widths(x: pd.DataFrame, residual: pd.Series) -> pd.Series:
    """Return the half-width of the 90 % band of each stratum, a logarithm, from residuals of rows left out.

    It is the 90 % quantile of a distribution between normal and Laplace with the stratum's mean absolute residual
    (2.2 times it), which few rows settle better than they settle a quantile. The mean is drawn to that of all rows as
    if ten more had it, and no residual counts beyond a factor of 3.
    """
    size = residual.abs().clip(upper=np.log(3))
    sums = size.groupby(stratum(x)).agg(["sum", "size"]).reindex(list(STRATA), fill_value=0)
    widths = 2.2 * (sums["sum"] + 5 * size.mean()) / (sums["size"] + 5)
    return widths.where(~widths.index.isin(HIDDEN), np.maximum(widths, 1.25 * widths["serving"]))


def data_hash(x: pd.DataFrame) -> str:
    """Return a short hash of the rows that a fit uses, with the figures behind them."""
    text = x.drop(columns="unknown").to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fit(results: pd.DataFrame) -> pd.DataFrame:
    """Fit the efficiencies to measured results, with the bands from results left out.

    Returns
    -------
    DataFrame
        Columns of ``data/efficiencies.csv``: ``parameter``, ``value`` and ``standard_error`` (logarithms), ``factor``
        (``exp(value)``), ``prior`` and ``prior_sd``, ``rows`` it applies to, ``meaning`` and ``data_hash``.
    """
    x = usable(results)
    design, measured = Design(x), x["measured"].to_numpy()
    values, covariance = solve(design, measured)
    applies = [len(x)] * len(CONSTANTS) + [int(column.sum()) for _, _, column in design.deviating]
    applies += [int((column != 0).sum()) for column in design.linear.T]
    table = pd.DataFrame(
        {
            "parameter": design.names,
            "value": values,
            "standard_error": np.sqrt(np.diag(covariance)),
            "factor": np.exp(values),
            "prior": [p.mean for p in design.priors],
            "prior_sd": [p.sd for p in design.priors],
            "rows": applies,
            "meaning": [p.meaning for p in design.priors],
        }
    )
    residual = left_out(x, pairs(x), values) - x["measured"]
    widths = half_widths(x, residual)
    far = left_out(x, x["generation"], values) - x["measured"]
    wider = max(far.abs().quantile(LEVEL) / residual.abs().quantile(LEVEL), 1.0)
    counts = stratum(x).value_counts()
    bands = pd.DataFrame(
        {
            "parameter": [*(f"band:{name}" for name in STRATA), "band:new_generation"],
            "value": [*widths, np.log(wider)],
            "rows": [*(int(counts.get(name, 0)) for name in STRATA), len(x)],
            "meaning": [
                *(f"half-width of the 90 % band: {name}" for name in STRATA),
                "how much wider the half-width is for a generation without results",
            ],
        }
    )
    bands["factor"] = np.exp(bands["value"])
    table = pd.concat([table, bands], ignore_index=True)
    return table.assign(data_hash=data_hash(x))


class Efficiencies(NamedTuple):
    """Fitted parameters: names, values, half-widths by stratum, and the widening for a new generation."""

    names: list[str]
    values: np.ndarray
    widths: pd.Series
    wider: float
    generations: frozenset[str]


def read() -> Efficiencies:
    """Return the efficiencies of ``data/efficiencies.csv``; a warning says if the data have changed since the fit."""
    table = resource("efficiencies")
    x = usable(resource("benchmarks"))
    if (now := data_hash(x)) != table["data_hash"].iloc[0]:
        warnings.warn(
            f"data/efficiencies.csv was fitted to other data ({table['data_hash'].iloc[0]}, now {now}); "
            "run 'gigafleet fit'",
            stacklevel=2,
        )
    band = table["parameter"].str.startswith("band:")
    widths = table[band].set_index(table["parameter"][band].str.removeprefix("band:"))["value"]
    return Efficiencies(
        table["parameter"][~band].tolist(),
        table["value"][~band].to_numpy(),
        widths.drop("new_generation"),
        float(np.exp(widths["new_generation"])),
        frozenset(x["generation"]),
    )


_kept: dict[str, object] = {}


def load() -> Efficiencies:
    """Return the efficiencies, as :func:`read`; the tables are read once until :func:`gigafleet.catalog.reload`."""
    tables = resource("efficiencies"), resource("benchmarks")
    if any(a is not b for a, b in zip(tables, _kept.get("tables", (None, None)), strict=True)):
        _kept.update(tables=tables, efficiencies=read())
    return _kept["efficiencies"]
