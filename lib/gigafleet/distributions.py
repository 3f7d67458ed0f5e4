"""From a range of three points to a distribution.

A range is three points: ``low``, ``value``, ``high``. The value is the median. A ``p5_p95`` range gives the 5 % and
95 % quantiles. A ``min_max`` range is the smallest and the largest figure that somebody published: such extremes miss
the tails, so they are read as the 10 % and 90 % quantiles, which makes the 90 % interval 1.28 times as wide on either
side. ``options`` are drawn with equal weight.

Between the points the distribution is a two-piece normal in a scale that fits the quantity: the logarithm where all
points are above zero (a two-piece lognormal), the log-odds for a share (so that it stays between 0 and 1), the
logarithm of the excess over 1 for a ratio such as a PUE (so that it stays above 1), the number itself otherwise. A
range that touches such a bound, or starts at 0, stays within: what would fall outside counts as the bound.

Inputs that move together do so by rank, through a Gaussian copula.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from gigafleet.errors import require, unknown

SCALES = {
    "lognormal": (np.log, np.exp),
    "lognormal-excess": (lambda ratio: np.log(np.asarray(ratio) - 1), lambda excess: 1 + np.exp(excess)),
    "logit-normal": (logit, expit),
    "normal": (np.asarray, np.asarray),
}
FLOORS = {"lognormal": 0, "lognormal-excess": 1, "logit-normal": 0, "normal": -np.inf}
CEILINGS = dict.fromkeys(SCALES, np.inf) | {"logit-normal": 1}
CORRELATIONS = "a dict from pairs of inputs, such as {('a', 'b'): 0.5}, or a square DataFrame of them"
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
        With ``scale`` filled, ``least`` and ``most``, which no draw passes, and ``midpoint`` True where the value was
        missing and is the geometric mean of low and high.

    Raises
    ------
    ValueError
        If the ranges are no such table, or naming the input that is there twice, or whose points are no numbers,
        missing, out of order or outside what its scale allows.
    """
    frame = _typed(ranges)
    frame["midpoint"], frame["least"], frame["most"] = frame["value"].isna(), -np.inf, np.inf
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
            frame.loc[name, ["scale", "least", "most"]] = _scale(row)
        elif row["scale"] not in SCALES:
            raise unknown(f"scale of {name}", row["scale"], SCALES)
        elif not (row["low"] > FLOORS[row["scale"]] and row["high"] < CEILINGS[row["scale"]]):
            limits = f"above {FLOORS[row['scale']]:g} and below {CEILINGS[row['scale']]:g}"
            raise ValueError(f"{name}: a {row['scale']} range lies {limits}, not {row['low']:g} to {row['high']:g}")
    return frame


def _typed(ranges: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of ranges with numbers as floats and absent texts empty."""
    if not isinstance(ranges, pd.DataFrame):
        what = f"not a {type(ranges).__name__}"
        raise ValueError(f"ranges must be a DataFrame, one row an input, with columns low, value and high, {what}")
    frame = ranges.copy()
    if frame.index.has_duplicates:
        raise ValueError(f"ranges name {frame.index[frame.index.duplicated()][0]!r} twice")
    if frame.columns.has_duplicates:
        raise ValueError(f"ranges have the column {frame.columns[frame.columns.duplicated()][0]!r} twice")
    for column in ("low", "value", "high"):
        if column not in frame:
            raise ValueError(f"ranges need a column {column!r}; they have {list(frame.columns)}")
        frame[column] = [_number(f"{name}: {column}", cell) for name, cell in frame[column].items()]
        frame[column] = frame[column].astype(float)
    for column in ("range_kind", "unit", "scale"):
        frame[column] = frame[column].astype(object).fillna("") if column in frame else ""
    return frame


def _number(name: str, cell: object) -> float:
    """Return a cell as a number, NaN where it is empty."""
    try:
        return np.nan if cell is None or cell is pd.NA or cell is pd.NaT else float(cell)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, or empty, not {cell!r}") from None


def _scale(row: pd.Series) -> tuple[str, float, float]:
    """Return the scale in which a range is spread, by its unit and its ends, and what it stays within."""
    if row["unit"] == "share" and row["low"] >= 0 and row["high"] <= 1:
        return ("logit-normal" if row["low"] > 0 and row["high"] < 1 else "normal"), 0.0, 1.0
    if row["unit"] == "ratio" and row["low"] >= 1:
        return ("lognormal-excess" if row["low"] > 1 else "normal"), 1.0, np.inf
    if row["low"] >= 0:
        return ("lognormal" if row["low"] > 0 else "normal"), 0.0, np.inf
    return "normal", -np.inf, np.inf


def ends(frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``low``, ``value`` and ``high`` of completed ranges as the 90 % interval that they are drawn with: the
    ends as they are, but of a ``min_max`` range its 5 % and 95 % quantiles."""
    out = frame[["low", "value", "high"]].copy()
    for name, row in frame[frame["range_kind"] == "min_max"].iterrows():
        out.loc[name, ["low", "high"]] = drawing(row)(ndtri(np.array([0.05, 0.95])))
    return out


def drawing(row: pd.Series) -> Callable[[np.ndarray], np.ndarray]:
    """Return what turns standard normals into draws from one range."""
    if row["range_kind"] == "options":
        options = np.unique([row["low"], row["high"]] if row["midpoint"] else [row["low"], row["value"], row["high"]])
        return lambda normal: options[np.minimum((ndtr(normal) * len(options)).astype(int), len(options) - 1)]
    forward, back = SCALES[row["scale"]]
    low, middle, high = forward(row[["low", "value", "high"]].to_numpy(float))
    down, up = np.array([middle - low, high - middle]) / ndtri(RANGE_QUANTILE[row["range_kind"]])

    def drawn(normal: np.ndarray) -> np.ndarray:
        return back(middle + down * np.minimum(normal, 0) + up * np.maximum(normal, 0))

    if row["scale"] != "normal":  # others stay within by themselves
        return drawn
    return lambda normal: np.clip(drawn(normal), row["least"], row["most"])


def within_band(value, low, high, normal):
    """Return what a prediction with a 90 % band is so many standard normals off, a two-piece lognormal.

    Parameters
    ----------
    value, low, high
        The prediction and the ends of its band; where low is 0, which says that it may not be reached, the upper side
        stands for both. Arrays of any kind that broadcast.
    normal
        Standard normals; -1.645 gives ``low`` and 1.645 ``high``.
    """
    low = low + (low <= 0) * (value**2 / high - low)
    up, down = np.log(high / value) / 1.645, np.log(value / low) / 1.645
    return value * np.exp(np.maximum(normal, 0) * up + np.minimum(normal, 0) * down)


def pairs(correlations: dict[tuple[str, str], float] | pd.DataFrame | None, names: pd.Index) -> dict:
    """Return rank correlations as pair of inputs -> correlation.

    Parameters
    ----------
    correlations
        Pair of inputs -> rank correlation (Spearman), or the square, symmetric table of them, such as
        ``DataFrame.corr("spearman")`` gives. An input may be absent from it.
    names
        The inputs that there are.

    Raises
    ------
    ValueError, UnknownNameError
        If it is neither, an input is not known, or a correlation is not from -1 to 1 or not the same either way.
    """
    if correlations is None:
        return {}
    if isinstance(correlations, pd.DataFrame):
        correlations = _of_table(correlations)
    if not isinstance(correlations, dict):
        what = f"{correlations!r:.80}, which is a {type(correlations).__name__}"
        raise ValueError(f"correlations must be {CORRELATIONS}, not {what}")
    for pair, rho in correlations.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(f"correlations: each key must be a pair of inputs, such as ('a', 'b'), not {pair!r}")
        for name in pair:
            if name not in names:
                raise unknown("input in correlations", name, names)
        a, b = pair
        if a == b:
            raise ValueError(f"correlations: {a!r} is paired with itself")
        if np.ndim(rho):
            raise ValueError(f"rank correlation of {a} and {b} must be one number, not {rho!r}")
        require(f"rank correlation of {a} and {b}", rho, minimum=-1, maximum=1)
        if correlations.get((b, a), rho) != rho:
            raise ValueError(f"correlations: {a} with {b} is {rho:g}, and {b} with {a} is {correlations[b, a]:g}")
    return {pair: float(rho) for pair, rho in correlations.items()}


def _of_table(table: pd.DataFrame) -> dict:
    """Return the pairs of a square table of correlations, each of them both ways; what differs by rounding is even."""
    for labels in (table.index, table.columns):
        if labels.has_duplicates:
            raise ValueError(f"correlations name {labels[labels.duplicated()][0]!r} twice")
    if set(table.index) != set(table.columns):
        what = f"not rows {list(table.index)} and columns {list(table.columns)}"
        raise ValueError(f"correlations as a table must have the same inputs as rows and as columns, {what}")
    try:
        square = table.loc[:, table.index].to_numpy(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"correlations as a table must be numbers: {error}") from None
    for name, own in zip(table.index, np.diag(square), strict=True):
        if not np.isclose(own, 1):
            raise ValueError(f"correlations: {name} with itself must be 1, not {own:g}")
    even = np.where(np.isclose(square, square.T), np.triu(square) + np.triu(square, 1).T, square)  # but for rounding
    rows = pd.DataFrame(np.where(np.isclose(np.abs(even), 1), np.sign(even), even), table.index, table.index)
    return {(a, b): rows.loc[a, b] for a in rows for b in rows if a != b}


def mixing(varies: pd.Index, correlated: dict[tuple[str, str], float]) -> np.ndarray | None:
    """Return what gives independent normals the rank correlations of :func:`pairs` (Gaussian copula,
    r = 2 sin(pi rho / 6)); None without any. An input that does not vary has none."""
    matrix = np.eye(len(varies))
    for (a, b), rho in correlated.items():
        if a in varies and b in varies:
            i, j = varies.get_loc(a), varies.get_loc(b)
            matrix[i, j] = matrix[j, i] = 2 * np.sin(np.pi * rho / 6)
    try:
        return np.linalg.cholesky(matrix) if correlated else None
    except np.linalg.LinAlgError:
        raise ValueError(f"correlations are not positive definite: {correlated}") from None
