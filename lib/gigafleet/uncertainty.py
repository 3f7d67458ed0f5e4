"""From ranges to samples to intervals.

A range is three points: ``low``, ``value``, ``high``. The value is the median. A ``p5_p95`` range gives the 5 % and
95 % quantiles. A ``min_max`` range is the smallest and the largest figure that somebody published: such extremes miss
the tails, so they are read as the 10 % and 90 % quantiles, which makes the 90 % interval 1.28 times as wide on either
side. ``options`` are drawn with equal weight.

Between the points the distribution is a two-piece normal in a scale that fits the quantity: the logarithm where all
points are above zero (a two-piece lognormal), the log-odds for a share (so that it stays between 0 and 1), the
logarithm of the excess over 1 for a ratio such as a PUE (so that it stays above 1), the number itself otherwise. The
module knows no model.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri
from scipy.stats import norm, qmc

from gigafleet.errors import require, unknown

SCALES = {
    "lognormal": (np.log, np.exp),
    "lognormal-excess": (lambda ratio: np.log(np.asarray(ratio) - 1), lambda excess: 1 + np.exp(excess)),
    "logit-normal": (logit, expit),
    "normal": (np.asarray, np.asarray),
}
FLOORS = {"lognormal": 0, "lognormal-excess": 1, "logit-normal": 0, "normal": -np.inf}
CEILINGS = {"lognormal": np.inf, "lognormal-excess": np.inf, "logit-normal": 1, "normal": np.inf}
RANGE_QUANTILE = {"p5_p95": 0.95, "min_max": 0.90, "": 0.95}


def prepare(ranges: pd.DataFrame) -> pd.DataFrame:
    """Return the ranges completed: every input with low, value, high, range_kind, scale and a flag for a made-up
    middle.

    Parameters
    ----------
    ranges
        Indexed by input, columns ``low``, ``value``, ``high``; optional ``range_kind`` (``p5_p95`` if absent),
        ``unit`` (``share`` asks for log-odds, ``ratio`` for the excess over 1) and ``scale`` (one of :data:`SCALES`).

    Returns
    -------
    DataFrame
        With ``scale`` filled and ``midpoint`` True where the value was missing and is the geometric mean of low and
        high.

    Raises
    ------
    ValueError
        Naming the input whose points are missing, out of order or outside what its scale allows.
    """
    frame = ranges.copy()
    for column in ("low", "value", "high"):
        if column not in frame:
            raise ValueError(f"ranges need a column {column!r}; they have {list(frame.columns)}")
        frame[column] = frame[column].astype(float)
    for column in ("range_kind", "unit", "scale"):
        frame[column] = frame[column].fillna("") if column in frame else ""
    frame["midpoint"] = frame["value"].isna()
    positive = (frame["low"] > 0) & (frame["high"] > 0)
    middle = np.where(
        positive, np.sqrt((frame["low"] * frame["high"]).where(positive)), (frame["low"] + frame["high"]) / 2
    )
    middle = np.where(frame["range_kind"] == "options", frame["low"], middle)  # a middle is none of the options
    frame["value"] = frame["value"].fillna(pd.Series(middle, frame.index))
    frame["low"], frame["high"] = frame["low"].fillna(frame["value"]), frame["high"].fillna(frame["value"])
    for name, row in frame.iterrows():
        if row["range_kind"] not in (*RANGE_QUANTILE, "options"):
            raise unknown(f"range_kind of {name}", row["range_kind"], ["p5_p95", "min_max", "options"])
        if not np.isfinite([row["low"], row["value"], row["high"]]).all():
            points = f"{row['low']}, {row['value']}, {row['high']}"
            raise ValueError(f"{name}: a range needs a value, or a low and a high; it has {points}")
        if not row["low"] <= row["value"] <= row["high"]:
            raise ValueError(
                f"{name}: low <= value <= high must hold, not {row['low']:g}, {row['value']:g}, {row['high']:g}"
            )
        if not row["scale"]:
            frame.loc[name, "scale"] = _scale(row)
        elif row["scale"] not in SCALES:
            raise unknown(f"scale of {name}", row["scale"], SCALES)
        elif not (row["low"] > FLOORS[row["scale"]] and row["high"] < CEILINGS[row["scale"]]):
            limits = f"above {FLOORS[row['scale']]:g} and below {CEILINGS[row['scale']]:g}"
            raise ValueError(f"{name}: a {row['scale']} range lies {limits}, not {row['low']:g} to {row['high']:g}")
    return frame


def _scale(row: pd.Series) -> str:
    """Return the scale in which a range is spread, by its unit and its ends."""
    if row["unit"] == "share" and row["low"] > 0 and row["high"] < 1:
        return "logit-normal"
    if row["unit"] == "ratio" and row["low"] > 1:
        return "lognormal-excess"
    return "lognormal" if row["low"] > 0 else "normal"


def _correlate(normals: np.ndarray, names: pd.Index, correlations: dict[tuple[str, str], float]) -> np.ndarray:
    """Give independent normals the rank correlations asked for (Gaussian copula, r = 2 sin(pi rho / 6))."""
    matrix = np.eye(len(names))
    for (a, b), rho in correlations.items():
        for name in (a, b):
            if name not in names:
                raise unknown("input in correlations", name, names)
        if a == b:
            raise ValueError(f"correlations: {a!r} is paired with itself")
        require(f"rank correlation of {a} and {b}", rho, minimum=-1, maximum=1)
        i, j = names.get_loc(a), names.get_loc(b)
        matrix[i, j] = matrix[j, i] = 2 * np.sin(np.pi * rho / 6)
    try:
        return normals @ np.linalg.cholesky(matrix).T
    except np.linalg.LinAlgError:
        raise ValueError(f"correlations are not positive definite: {correlations}") from None


def sample(
    ranges: pd.DataFrame, n: int, seed: int, correlations: dict[tuple[str, str], float] | None = None
) -> pd.DataFrame:
    """Draw samples of inputs from their ranges, by a scrambled Sobol sequence.

    Parameters
    ----------
    ranges
        See :func:`prepare`.
    n
        Number of samples; a power of two, as the sequence is balanced only there. ``n=1`` gives the values themselves.
    seed
        The same seed gives the same samples. Two tables drawn with one seed share their points, so their rows move
        together: draw what is to be independent in one table.
    correlations
        Pair of inputs -> rank correlation (Spearman).

    Returns
    -------
    DataFrame
        One row a sample, one column an input, in the inputs' units.

    Raises
    ------
    ValueError
        On a bad range, an n that is no power of two, an unknown input or correlations that no joint distribution has.

    Examples
    --------
    >>> power = pd.DataFrame({"low": 1.0, "value": 3.162278, "high": 10.0}, index=["kw"])
    >>> interval(sample(power, 2**14, seed=0)["kw"]).round(2).tolist()
    [1.0, 3.16, 10.0]
    """
    frame = prepare(ranges)
    require("n", n, above=0)
    if n != int(n) or (int(n) & (int(n) - 1)):
        below = 2 ** int(np.log2(max(n, 1)))
        raise ValueError(
            f"n must be a power of two (Sobol points are balanced only there), not {n}; try {below} or {2 * below}"
        )
    if n == 1:
        return frame["value"].to_frame().T.reset_index(drop=True)
    uniform = qmc.Sobol(len(frame), scramble=True, rng=np.random.default_rng(seed)).random(int(n))
    normals = ndtri(uniform)
    if correlations:
        normals = _correlate(normals, frame.index, correlations)
    columns = {name: _draw(row, normals[:, i]) for i, (name, row) in enumerate(frame.iterrows())}
    return pd.DataFrame(columns)


def _draw(row: pd.Series, normal: np.ndarray) -> np.ndarray:
    """Turn standard normals into draws from one range."""
    if row["range_kind"] == "options":
        options = np.unique([row["low"], row["high"]] if row["midpoint"] else [row["low"], row["value"], row["high"]])
        return options[np.minimum((norm.cdf(normal) * len(options)).astype(int), len(options) - 1)]
    forward, back = SCALES[row["scale"]]
    low, middle, high = forward(row[["low", "value", "high"]].to_numpy(float))
    z = ndtri(RANGE_QUANTILE[row["range_kind"]])
    return back(middle + normal / z * np.where(normal < 0, middle - low, high - middle))


def interval(samples: pd.Series | pd.DataFrame | np.ndarray, level: float = 0.9) -> pd.Series | pd.DataFrame:
    """Return the median of samples and the ends of their central interval.

    Parameters
    ----------
    samples
        One row a sample; of an array with two dimensions, one column an answer.
    level
        Probability inside the interval.

    Returns
    -------
    Series or DataFrame
        ``low``, ``median``, ``high``; for a DataFrame one row a column of it. NaN where all samples are.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    require("level", level, above=0, maximum=1)
    table = isinstance(samples, pd.DataFrame) or np.ndim(samples) == 2
    frame = pd.DataFrame(samples) if table else pd.Series(samples).to_frame("samples")
    quantiles = frame.quantile([(1 - level) / 2, 0.5, (1 + level) / 2])
    quantiles.index = ["low", "median", "high"]
    return quantiles.T if table else quantiles["samples"]


def tornado(function: Callable[[pd.DataFrame], object], ranges: pd.DataFrame) -> pd.DataFrame:
    """Return how far an answer moves when one input at a time goes from one end of its range to the other.

    Parameters
    ----------
    function
        Takes a frame of inputs, one row a case, and returns one answer a row. It is called once.
    ranges
        See :func:`prepare`. An input without a range is left out.

    Returns
    -------
    DataFrame
        One row an input, the widest swing first: ``low``, ``high``: the answer with the input at that end; ``value``:
        with all inputs at their values; ``swing``: the distance; ``input_low``, ``input_high``.

    >>> ends = pd.DataFrame({"low": [1.0, 2.0], "value": [2.0, 3.0], "high": [3.0, 4.0]}, index=["a", "b"])
    >>> tornado(lambda x: x["a"] * x["b"], ends)["swing"].to_dict()
    {'a': 6.0, 'b': 4.0}
    """
    frame = prepare(ranges)
    moved = frame[frame["low"] < frame["high"]]
    cases = pd.DataFrame([frame["value"]] * (2 * len(moved) + 1)).reset_index(drop=True)
    for i, name in enumerate(moved.index):
        cases.loc[2 * i + 1, name], cases.loc[2 * i + 2, name] = moved.loc[name, "low"], moved.loc[name, "high"]
    answers = np.asarray(function(cases), float)
    table = pd.DataFrame({"low": answers[1::2], "high": answers[2::2], "value": answers[0]}, index=moved.index)
    table["swing"] = (table["high"] - table["low"]).abs()
    table = table.assign(input_low=moved["low"], input_high=moved["high"])
    return table.sort_values("swing", ascending=False, kind="stable")
