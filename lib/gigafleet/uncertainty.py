"""From ranges to samples to intervals, and which input an answer hangs on.

Ranges and their distributions are in :mod:`gigafleet.distributions`. Samples come in powers of two, by a scrambled
Sobol sequence; the same seed gives the same samples, drawn at once or in pieces. The module knows no model.
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import qmc, sobol_indices

from gigafleet.distributions import drawing, ends, mixing, pairs, prepare
from gigafleet.errors import require, require_whole

__all__ = [
    "calls",
    "chunks",
    "flips",
    "interval",
    "intervals",
    "prepare",
    "quantile_errors",
    "sample",
    "sobol",
    "tornado",
]

REPEATS = 4  # sets of points behind a Sobol index, for its error
CHUNK = 2**14  # samples that are worked on at a time: what lies between the steps fits into a processor's cache
NEAREST = 2.0**-31  # for a Sobol point at 0: half a step of the sequence, as the normal of 0 is infinite
Correlations = dict[tuple[str, str], float] | pd.DataFrame | None


def _require_power_of_two(name: str, number: float, least: int = 1) -> None:
    """Raise unless a number of Sobol points is a power of two, and enough."""
    require(name, number, minimum=least, maximum=2**62)
    number = float(number)
    if number != int(number) or (int(number) & (int(number) - 1)):
        below = 2 ** int(np.log2(number))
        raise ValueError(
            f"{name} must be a power of two (Sobol points are balanced only there), not {number:g}; "
            f"try {below} or {2 * below}"
        )


def _require_one(name: str, number: float, **bounds: float) -> None:
    """Raise unless this is one finite number within bounds."""
    if np.ndim(number):
        raise ValueError(f"{name} must be one number, not {number!r}")
    require(name, number, **bounds)
    if np.isinf(float(number)):
        raise ValueError(f"{name} must be finite, not {number!r}")


def _answers(function: Callable[[pd.DataFrame], object], cases: pd.DataFrame) -> np.ndarray | pd.DataFrame:
    """Return a function's answers to cases: one a row, or a frame of them as it is."""
    found = function(cases)
    wanted = f"the function must return one answer a row, {len(cases)} of them here"
    if np.ndim(found) == 0:
        raise ValueError(f"{wanted}, not {found!r} alone")
    if len(found) != len(cases):
        raise ValueError(f"{wanted}, not {len(found)}")
    try:
        numbers = np.asarray(found, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{wanted}, as numbers: {error}") from None
    if isinstance(found, pd.DataFrame):
        return found
    if numbers.ndim > 1:
        raise ValueError(f"{wanted}, not an array of shape {numbers.shape}")
    return numbers


def _answer(function: Callable[[pd.DataFrame], object], cases: pd.DataFrame) -> np.ndarray:
    """Return a function's answers to cases where it has one a row, and no table of them."""
    found = _answers(function, cases)
    if isinstance(found, pd.DataFrame):
        raise ValueError(f"the function must return one answer a row, not a table of {list(found.columns)}")
    return found


def sample(ranges: pd.DataFrame, n: int, seed: int, correlations: Correlations = None) -> pd.DataFrame:
    """Draw samples of inputs from their ranges, by a scrambled Sobol sequence.

    Parameters
    ----------
    ranges
        See :func:`gigafleet.distributions.prepare`.
    n
        Number of samples; a power of two, as the sequence is balanced only there. ``n=1`` gives the values themselves.
    seed
        The same seed gives the same samples. Two tables drawn with one seed share their points, so their rows move
        together: draw what is to be independent in one table.
    correlations
        Pair of inputs -> rank correlation (Spearman), or a square, symmetric table of them. Options, and ranges that
        are cut at a bound, realize somewhat less of it.

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
    parts = list(chunks(ranges, n, seed, correlations))
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def chunks(
    ranges: pd.DataFrame,
    n: int,
    seed: int,
    correlations: Correlations = None,
    size: int = CHUNK,
) -> Iterator[pd.DataFrame]:
    """Yield the samples of :func:`sample` in pieces of ``size``, a power of two: the same numbers in less memory."""
    for draws in calls(ranges, n, seed, correlations, size):
        yield pd.DataFrame(draws(), copy=False)


def calls(
    ranges: pd.DataFrame,
    n: int,
    seed: int,
    correlations: Correlations = None,
    size: int = CHUNK,
) -> Iterator[Callable[[], dict[str, np.ndarray]]]:
    """Return the pieces of :func:`chunks` as calls that draw them, input by input, which may run in threads: the points
    are given out in order, what is made of them is left to the call. Errors come before the first."""
    frame = prepare(ranges)
    for name, number in (("n", n), ("size", size)):
        _require_power_of_two(name, number)
    require_whole("seed", seed, minimum=0)
    varies = frame.index[(frame["low"] < frame["high"]).to_numpy()]
    mix = mixing(varies, pairs(correlations, frame.index))
    sizes = (min(int(size), int(n) - start) for start in range(0, int(n), int(size)))
    if n == 1:
        varies, mix = varies[:0], None
    drawings = {name: drawing(frame.loc[name]) for name in varies}
    draws = functools.partial(_drawn, drawings, dict(frame["value"]), mix)
    if not len(varies):
        return (functools.partial(draws, np.empty((rows, 0))) for rows in sizes)
    engine = qmc.Sobol(len(varies), scramble=True, rng=np.random.default_rng(seed))
    return (functools.partial(draws, engine.random(rows)) for rows in sizes)


def _drawn(
    drawings: dict[str, Callable], values: dict[str, float], mix: np.ndarray | None, points: np.ndarray
) -> dict[str, np.ndarray]:
    """Turn points of a Sobol sequence, one column an input that varies, into samples of all inputs."""
    normals = _normals(np.ascontiguousarray(points.T))
    mixed = {} if mix is None else {i: row for i, row in enumerate(mix) if row[i] != 1}  # others are their own
    moved = {i: sum(row[j] * normals[j] for j in np.flatnonzero(row)) for i, row in mixed.items()}
    drawn = {name: of(moved.get(i, normals[i])) for i, (name, of) in enumerate(drawings.items())}
    return {name: drawn[name] if name in drawn else np.full(len(points), value) for name, value in values.items()}


def _normals(probability: np.ndarray) -> np.ndarray:
    """Turn probabilities into standard normals; a sequence may hit 0, whose normal would be infinite."""
    return ndtri(np.maximum(probability, NEAREST))


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
    _require_one("level", level, above=0, maximum=1)
    table = isinstance(samples, pd.DataFrame) or np.ndim(samples) == 2
    frame = pd.DataFrame(samples) if table else pd.Series(samples).to_frame("samples")
    quantiles = frame.quantile([(1 - level) / 2, 0.5, (1 + level) / 2])
    quantiles.index = ["low", "median", "high"]
    return quantiles.T if table else quantiles["samples"]


def intervals(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the intervals of several tables of samples side by side.

    Parameters
    ----------
    tables
        Name -> one row a sample, one column an answer; all have the same answers.

    Returns
    -------
    dict
        ``low``, ``median``, ``high`` of :func:`interval`: frames with a row a name and a column an answer.

    >>> two = {"a": pd.DataFrame({"gw": [1.0, 2.0, 3.0]}), "b": pd.DataFrame({"gw": [4.0, 4.0]})}
    >>> intervals(two)["median"]["gw"].to_dict()
    {'a': 2.0, 'b': 4.0}
    """
    each = {name: interval(table) for name, table in tables.items()}
    return {end: pd.DataFrame({name: one[end] for name, one in each.items()}).T for end in ("low", "median", "high")}


def tornado(function: Callable[[pd.DataFrame], object], ranges: pd.DataFrame) -> pd.DataFrame:
    """Return how far an answer moves when one input at a time goes from one end of its 90 % interval to the other (see
    :func:`gigafleet.distributions.ends`).

    Parameters
    ----------
    function
        Takes a frame of inputs, one row a case, and returns one answer a row. It is called once.
    ranges
        See :func:`gigafleet.distributions.prepare`. An input without a range is left out.

    Returns
    -------
    DataFrame
        One row an input, the widest swing first: ``low``, ``high``: the answer with the input at that end; ``value``:
        with all inputs at their values; ``swing``: the distance; ``input_low``, ``input_high``.

    >>> ends = pd.DataFrame({"low": [1.0, 2.0], "value": [2.0, 3.0], "high": [3.0, 4.0]}, index=["a", "b"])
    >>> tornado(lambda x: x["a"] * x["b"], ends)["swing"].to_dict()
    {'a': 6.0, 'b': 4.0}
    """
    frame = ends(prepare(ranges))
    moved = frame[frame["low"] < frame["high"]]
    cases = pd.DataFrame([frame["value"]] * (2 * len(moved) + 1)).reset_index(drop=True)
    for i, name in enumerate(moved.index):
        cases.loc[2 * i + 1, name], cases.loc[2 * i + 2, name] = moved.loc[name, "low"], moved.loc[name, "high"]
    answers = _answer(function, cases)
    table = pd.DataFrame({"low": answers[1::2], "high": answers[2::2], "value": answers[0]}, index=moved.index)
    table["swing"] = (table["high"] - table["low"]).abs()
    table = table.assign(input_low=moved["low"], input_high=moved["high"])
    return table.sort_values("swing", ascending=False, kind="stable")


def quantile_errors(samples: pd.DataFrame, level: float = 0.9, blocks: int = 16) -> pd.DataFrame:
    """Return the standard error that drawing leaves in the quantiles of :func:`interval`, by blocks of the samples.

    Parameters
    ----------
    samples
        One row a sample, in the order in which they were drawn; one column an answer.
    level
        Probability inside the interval.
    blocks
        Equal blocks, a power of two, at least 2. Each is a balanced set of its own, so the error is, if anything,
        overstated.

    Returns
    -------
    DataFrame
        One row an answer: ``low``, ``median``, ``high``, in the answer's unit.
    """
    _require_power_of_two("blocks", blocks, 2)
    if not isinstance(samples, pd.DataFrame):
        raise ValueError(f"samples must be a DataFrame, one column an answer, not a {type(samples).__name__}")
    size = len(samples) // int(blocks)
    if size < 2 or size * int(blocks) != len(samples):
        raise ValueError(f"{len(samples)} samples do not split into {blocks} equal blocks of two or more")
    each = [interval(samples.iloc[i * size : (i + 1) * size], level) for i in range(int(blocks))]
    spread = np.std([table.to_numpy(float) for table in each], axis=0, ddof=1) / np.sqrt(int(blocks))
    return pd.DataFrame(spread, each[0].index, each[0].columns)


class _Draws:
    """One range as scipy wants a distribution: by its quantile function."""

    def __init__(self, row: pd.Series):
        self.draws = drawing(row)

    def ppf(self, probability: np.ndarray) -> np.ndarray:
        return self.draws(_normals(probability))


def sobol(
    function: Callable[[pd.DataFrame], pd.DataFrame], ranges: pd.DataFrame, n: int = 1024, seed: int = 0
) -> pd.DataFrame:
    """Return Sobol indices: the share of an answer's variance that each input causes, alone and with the others.

    Inputs are independent here, whatever their correlations elsewhere.

    Parameters
    ----------
    function
        Takes a frame of inputs, one row a case, and returns one answer a row, or a frame of answers.
    ranges
        See :func:`gigafleet.distributions.prepare`. Inputs without a range are held at their values.
    n
        Base samples, a power of two, in four sets of their own; the function sees ``n (d + 2)`` rows for d inputs.
    seed
        The same seed gives the same indices.

    Returns
    -------
    DataFrame
        One row an answer and input: ``first`` (alone, first order), ``total``, and the standard errors that drawing
        leaves in them, ``first_error`` and ``total_error``. NaN for an answer that is not known.

    Notes
    -----
    Estimators of Saltelli et al. (2010), by :func:`scipy.stats.sobol_indices`.
    """
    frame = prepare(ranges)
    varies = frame.index[(frame["low"] < frame["high"]).to_numpy()]
    if not len(varies):
        raise ValueError("sobol needs at least one input with a range")
    fixed, names, absent = frame["value"], [], set()

    def answer(x: np.ndarray) -> np.ndarray:
        cases = pd.DataFrame({name: np.full(x.shape[1], value) for name, value in fixed.items()})
        cases[list(varies)] = x.T
        found = _answers(function, cases)
        found = found if isinstance(found, pd.DataFrame) else pd.Series(found, name="answer").to_frame()
        names[:] = list(found.columns)
        absent.update(found.columns[found.isna().any()])
        return np.array(found.to_numpy(float).T)

    draws = [_Draws(frame.loc[name]) for name in varies]
    _require_power_of_two("n", n, 2 * REPEATS)
    require_whole("seed", seed, minimum=0)
    each = {"first": [], "total": []}
    for rng in np.random.default_rng(seed).spawn(REPEATS):
        with np.errstate(invalid="ignore", divide="ignore"):  # an answer that is not known, or does not vary
            found = sobol_indices(func=answer, n=int(n) // REPEATS, dists=draws, rng=rng)
        each["first"].append(found.first_order.ravel())
        each["total"].append(found.total_order.ravel())
    unknown_answer = np.repeat([name in absent for name in names], len(varies))
    each = {name: np.where(unknown_answer, np.nan, values) for name, values in each.items()}
    columns = {name: np.mean(values, axis=0) for name, values in each.items()}
    columns |= {f"{k}_error": np.std(v, axis=0, ddof=1) / np.sqrt(REPEATS) for k, v in each.items()}
    return pd.DataFrame(columns, pd.MultiIndex.from_product([names, varies], names=["answer", "input"]))


def flips(
    function: Callable[[pd.DataFrame], object], ranges: pd.DataFrame, threshold: float = 0.0, points: int = 65
) -> pd.DataFrame:
    """Return what would change an answer: which input, within its 90 % interval, takes it to the other side of a
    threshold.

    Parameters
    ----------
    function
        Takes a frame of inputs, one row a case, and returns one answer a row. It is called once.
    ranges
        See :func:`gigafleet.distributions.prepare`. One input moves at a time, the others stand at their values.
    threshold
        Between the two sides of a comparison; 1 for a ratio, 0 for a difference.
    points
        Points along a range; between them the break-even is found by a straight line.

    Returns
    -------
    DataFrame
        One row an input with a range: ``value``, ``low``, ``high`` of the input; ``answer`` at its value,
        ``answer_low``, ``answer_high`` at the ends; ``break_even``: the input's value nearest to its own at which the
        answer is the threshold, NaN where it is not in the range; those that flip come first, the nearest first.
    """
    require_whole("points", points, minimum=3)
    _require_one("threshold", threshold)
    frame = ends(prepare(ranges))
    moved = frame[frame["low"] < frame["high"]]
    steps = {}
    for name, row in moved.iterrows():
        at, half = row[["low", "value", "high"]].to_numpy(float), int(points) // 2 + 1
        steps[name] = np.unique([np.linspace(*at[:2], half), np.linspace(*at[1:], half)])
    cases = pd.concat([frame["value"].to_frame().T] * (1 + sum(map(len, steps.values()))), ignore_index=True)
    at = 1
    for name, values in steps.items():
        cases.loc[at : at + len(values) - 1, name] = values
        at += len(values)
    answers, rows, at = _answer(function, cases), {}, 1
    for name, values in steps.items():
        row, found = moved.loc[name], answers[at : at + len(values)] - threshold
        places = [_crossing(values[k : k + 2], found[k : k + 2]) for k in _changes(found)]
        nearest = min(places, key=lambda place: abs(place - row["value"]), default=np.nan)
        rows[name] = (*row[["value", "low", "high"]], answers[0], found[0] + threshold, found[-1] + threshold, nearest)
        at += len(values)
    columns = ["value", "low", "high", "answer", "answer_low", "answer_high", "break_even"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    way = (table["break_even"] - table["value"]).abs() / np.where(
        table["break_even"] < table["value"], table["value"] - table["low"], table["high"] - table["value"]
    )
    return table.loc[way.sort_values(kind="stable").index]


def _changes(found: np.ndarray) -> np.ndarray:
    """Return after which places numbers change their sign, or reach zero."""
    signs = np.sign(found)
    return np.flatnonzero((signs[1:] * signs[:-1] <= 0) & (signs[1:] != signs[:-1]))


def _crossing(at: np.ndarray, found: np.ndarray) -> float:
    """Return where a line through two points is zero."""
    return float(at[0] - found[0] * (at[1] - at[0]) / (found[1] - found[0]))
