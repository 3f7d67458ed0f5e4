"""Fits the efficiencies of :mod:`gigafleet.roofline` to measured results, and keeps them with their errors.

An accelerator or model without results gets what its data sheet, its dimensions and the constants give, and a wider
band. The fit is Gauss-Newton on the logarithm of throughput with Huber's loss, so that no single result pulls it far.
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
STEPS = 30  # most Gauss-Newton steps
LEVEL = 0.9
FEWEST = 50  # results that a fit needs
HIDDEN = ("disaggregated", "speculative", "sparse")  # split of the pool, acceptance or use of the pool is not known


def solve(design: Design, measured: np.ndarray):
    """Return the parameters that fit best and their covariance, starting from the priors.

    Parameters
    ----------
    design
        Rows and parameters.
    measured
        Logarithm of measured throughput of each row.

    Returns
    -------
    tuple
        Values, shape (parameters,), and covariance, shape (parameters, parameters).
    """
    mean, sd = np.array([(p.mean, p.sd) for p in design.priors]).T
    values = mean.copy()

    def cost(at):
        e = np.abs(design.predict(at) - measured) / SIGMA
        rho = np.where(e < HUBER, e**2, 2 * HUBER * e - HUBER**2)
        return rho.sum() + (((at - mean) / sd) ** 2).sum()

    best, damping = cost(values), 1e-2
    for _ in range(STEPS):
        predicted, slopes = design.slopes(values)
        e = (predicted - measured) / SIGMA
        each = np.where(np.abs(e) < HUBER, 1, HUBER / np.maximum(np.abs(e), HUBER))
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
        if gain < 1e-6 * best:
            break
    return values, np.linalg.inv(curvature)


def usable(results: pd.DataFrame) -> pd.DataFrame:
    """Return the results that can be fitted or scored: those with a throughput and nothing unknown. The measured value
    is the column ``measured`` [log tokens/s]."""
    x = workloads.from_results(results)
    measured = pd.to_numeric(results["tokens_per_s_per_gpu"], errors="coerce")
    keep = (x["unknown"].eq("").to_numpy()) & (measured > 0).to_numpy()
    return x[keep].assign(measured=np.log(measured[keep]), model=results["model"][keep])


def left_out(x: pd.DataFrame, groups: pd.Series, train=None, asked: pd.DataFrame | None = None) -> pd.Series:
    """Return predictions of every row from a fit without its group [log tokens/s]: grouped cross-validation.

    Parameters
    ----------
    x
        Rows of :func:`usable`.
    groups
        Group of each row; a whole group is left out at once. Rows without one (NaN) are not predicted.
    train
        Which rows may be fitted to; all if None.
    asked
        The same rows with what is known of a group while it is left out; ``x`` if None.
    """
    asked = x if asked is None else asked
    design = Design(x) if train is None else Design(x, Design(x[train]).names)
    allowed = np.ones(len(x), dtype=bool) if train is None else np.asarray(train)
    out, measured = pd.Series(np.nan, index=x.index), x["measured"].to_numpy()
    for _, held in x.groupby(groups.to_numpy()).indices.items():
        inside = np.zeros(len(x), dtype=bool)
        inside[held] = True
        keep = allowed & ~inside
        values, _ = solve(design.rows(keep), measured[keep])
        out.iloc[held] = Design(asked[inside], design.names).predict(values)
    return out


def pairs(x: pd.DataFrame) -> pd.Series:
    """Return the (accelerator, model) pair of each row."""
    return x["accelerator"] + "|" + x["model"]


def families(x: pd.DataFrame) -> pd.Series:
    """Return the (generation, architecture) group of each row."""
    return x["generation"] + "|" + x["family"]


def unmeasured(x: pd.DataFrame) -> pd.DataFrame:
    """Return rows as they would be asked if no matrix multiplication of their generation had been measured."""
    return x.assign(ceiling=x["ceiling_if_new"])


# Kinds of band: the groups left out for it, and what it is for. A generation without results is likely to be one
# without a measured ceiling, so its band counts what guessing that costs.
KINDS = {
    "band": (pairs, ""),
    "new_architecture": (families, " of an architecture without results"),
    "new_generation": (lambda x: x["generation"], " of a generation without results"),
}


def half_widths(x: pd.DataFrame, residual: pd.Series) -> pd.Series:
    """Return the half-width of the 90 % band of each stratum, a logarithm, from residuals of rows left out.

    It is the 90 % quantile of a distribution between normal and Laplace with the stratum's mean absolute residual
    (2.15 times it), which few rows settle better than they settle a quantile. The mean is drawn to that of all rows as
    if ten more had it, and no residual counts beyond a factor of 3.
    """
    size = residual.abs().clip(upper=np.log(3))
    sums = size.groupby(stratum(x)).agg(["sum", "size"]).reindex(list(STRATA), fill_value=0)
    widths = 2.15 * (sums["sum"] + 10 * size.mean()) / (sums["size"] + 10)
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
    if len(x) < FEWEST:
        raise ValueError(f"a fit needs {FEWEST} results at least, not {len(x)}")
    design, measured = Design(x), x["measured"].to_numpy()
    values, covariance = solve(design, measured)
    table = pd.DataFrame(
        {
            "parameter": design.names,
            "value": values,
            "standard_error": np.sqrt(np.diag(covariance)),
            "factor": np.exp(values),
            "prior": [p.mean for p in design.priors],
            "prior_sd": [p.sd for p in design.priors],
            "rows": (np.abs(design.slopes(values)[1]) > 1e-6).sum(axis=0),
            "meaning": [p.meaning for p in design.priors],
        }
    )
    counts, least, bands = stratum(x).value_counts(), 0.0, []
    for kind, (groups, meaning) in KINDS.items():
        asked = unmeasured(x) if kind == "new_generation" else x
        least = np.maximum(half_widths(x, left_out(x, groups(x), asked=asked) - x["measured"]), least)
        bands.append(
            pd.DataFrame(
                {
                    "parameter": [f"{kind}:{name}" for name in STRATA],
                    "value": least.to_numpy(),
                    "factor": np.exp(least.to_numpy()),
                    "rows": [int(counts.get(name, 0)) for name in STRATA],
                    "meaning": [f"half-width of the 90 % band{meaning}: {name}" for name in STRATA],
                }
            )
        )
    table = pd.concat([table, *bands], ignore_index=True)
    return table.assign(data_hash=data_hash(x))


class Efficiencies(NamedTuple):
    """Fitted parameters: names, values, half-widths of the bands (a column a kind of :data:`KINDS`, a row a stratum),
    and the generations and families that have results."""

    names: list[str]
    values: np.ndarray
    widths: pd.DataFrame
    generations: frozenset[str]
    families: frozenset[str]


def half_width(x: pd.DataFrame, known: Efficiencies, kind: str = "") -> pd.Series:
    """Return the half-width of each row's band, a logarithm.

    Parameters
    ----------
    x
        Rows of inputs.
    known
        The fit. A row whose generation or architecture has no results in it gets the wider band.
    kind
        A key of :data:`KINDS`, to take that band for all rows instead.
    """
    strata = stratum(x)
    if kind:
        return strata.map(known.widths[kind])
    new = {"new_generation": ~x["generation"].isin(known.generations)}
    new["new_architecture"] = ~x["family"].isin(known.families)
    width = strata.map(known.widths["band"])
    for kind, rows in new.items():
        width = width.where(~rows, np.maximum(width, strata.map(known.widths[kind])))
    return width


def read() -> Efficiencies:
    """Return the efficiencies of ``data/efficiencies.csv``; a warning says if the data have changed since the fit.

    Raises
    ------
    ValueError
        Naming parameters that the file lacks.
    """
    table = resource("efficiencies").set_index("parameter")
    bands = [f"{kind}:{name}" for kind in KINDS for name in STRATA]
    if lacking := [name for name in [*CONSTANTS, *bands] if name not in table.index]:
        raise ValueError(f"data/efficiencies.csv lacks {', '.join(lacking[:5])}; run 'gigafleet fit'")
    x = usable(resource("benchmarks"))
    if (now := data_hash(x)) != table["data_hash"].iloc[0]:
        warnings.warn(
            f"data/efficiencies.csv was fitted to other data ({table['data_hash'].iloc[0]}, now {now}); "
            "run 'gigafleet fit'",
            stacklevel=2,
        )
    fitted = table.drop(index=bands)
    design = Design(x)
    same = fitted.index.tolist() == design.names and np.allclose(fitted["prior"], [p.mean for p in design.priors])
    if not (same and np.allclose(fitted["prior_sd"], [p.sd for p in design.priors])):
        warnings.warn("data/efficiencies.csv has other parameters than the model; run 'gigafleet fit'", stacklevel=2)
    return Efficiencies(
        fitted.index.tolist(),
        fitted["value"].to_numpy(),
        pd.DataFrame({kind: table["value"][[f"{kind}:{n}" for n in STRATA]].to_numpy() for kind in KINDS}, STRATA),
        frozenset(x["generation"]),
        frozenset(x["family"]),
    )


_kept: dict[str, object] = {}


def load() -> Efficiencies:
    """Return the efficiencies, as :func:`read`; the tables are read once until :func:`gigafleet.catalog.reload`."""
    tables = resource("efficiencies"), resource("benchmarks")
    if any(a is not b for a, b in zip(tables, _kept.get("tables", (None, None)), strict=True)):
        _kept.update(tables=tables, efficiencies=read())
    return _kept["efficiencies"]
