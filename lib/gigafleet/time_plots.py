"""Figures over time, in the house style: fans, stacked columns and lines. They know no model."""

import itertools

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from gigafleet.house_style import INK, SERIES_COLORS, frame, log_ticks
from gigafleet.plot_labels import along, around, band_key, dark, key, label_beside, label_right, within
from gigafleet.tell import number

HISTORY_COLOR = "#BBBBBB"
PLAIN_COLOR = "#7F8C99"
ROWS = 11  # height of a figure over time, in rows of the other charts
MOST_TOTALS = 14
COLUMN = 0.76  # width of a column, as a share of its place
DIAMOND = {"marker": "D", "ms": 6.5, "color": "black", "mec": "white", "ls": "", "zorder": 5}


def _periods(*indexes: pd.Index) -> list:
    """Return the periods of several tables, in their order; sorted where a later table has one the first ones lack."""
    first = list(dict.fromkeys(period for index in indexes[:-1] for period in index))
    more = [period for period in dict.fromkeys(indexes[-1]) if period not in first]
    return sorted([*first, *more]) if more else first


def _trimmed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table from the first row that has a figure to the last one."""
    rows = np.flatnonzero(table.notna().any(axis=1))
    return table.iloc[rows[0] : rows[-1] + 1] if len(rows) else table.iloc[:0]


def _in_order(index: pd.Index) -> bool:
    """Return whether an index holds numbers or dates to be drawn to scale: neither names of periods nor years."""
    if isinstance(index, pd.DatetimeIndex):
        return True
    return pd.api.types.is_numeric_dtype(index) and not (
        pd.api.types.is_integer_dtype(index) and index.min() >= 1900 and index.max() <= 2200
    )


def _period_ticks(axes: plt.Axes, periods: list) -> None:
    """Name as many periods as there is room for; quarters by the year from the first quarter on."""
    names = [str(period) for period in periods]
    room = axes.get_window_extent().width * 72 / axes.figure.dpi * len(names) / np.diff(axes.get_xlim())[0]
    fits = max(1, int(room / (6.3 * max(map(len, names)) + 8)))
    steps = [step for step in (1, 2, 4, 8, 12, 20, 40) if -(-len(names) // step) <= fits] or [len(names)]
    first = next((i for i, name in enumerate(names) if name.endswith("Q1")), 0) % steps[0]
    places = range(first, len(names), steps[0])
    axes.set_xticks(places, [names[i] for i in places])


def _ticks(axes: plt.Axes, index: pd.Index | list) -> None:
    """Write the ticks of a time axis: dates, numbers, or names of periods."""
    if isinstance(index, list) or not _in_order(index):
        _period_ticks(axes, list(index))
    elif isinstance(index, pd.DatetimeIndex):
        days = (index.max() - index.min()).days
        axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
        pattern = "%Y" if days > 2500 else "%Y-%m" if days > 150 else "%Y-%m-%d"
        axes.xaxis.set_major_formatter(mdates.DateFormatter(pattern))
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, 6)))


def _fit(axes: plt.Axes, index: pd.Index | list, ends: list[tuple[str, float, object]]) -> None:
    """Write the ticks of a time axis and the labels right of it. Both take room from the other."""
    _ticks(axes, index)
    label_right(axes, ends)
    _ticks(axes, index)


def _value_axis(axes: plt.Axes, ylabel: str, xlabel: str, ylim: tuple[float, float], log: bool = False) -> None:
    """Set limits, ticks, grid and names of the axes of a figure over time."""
    if log:
        axes.set_yscale("log")
    axes.set_ylim(*ylim)
    if log:
        log_ticks(axes.yaxis, ylim[1] / ylim[0])
    else:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number(y, 6)))
    axes.grid(False, axis="x")
    axes.grid(True, axis="y")
    axes.set_axisbelow(True)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)


def _limits(values: list, log: bool, zero: bool = True) -> tuple[float, float]:
    """Return the ends of an axis on which all values have room; zero is on it if it shall, the log of zero never."""
    known = np.concatenate([np.asarray(v, float).ravel() for v in values])
    known = known[np.isfinite(known) & ((known > 0) | (not log))]
    if not len(known):
        return (1.0, 10.0)
    low, high = known.min(), known.max()
    if log:
        return low / max(high / low, 1.1) ** 0.05, high * max(high / low, 1.1) ** 0.05
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    room = 0.06 * ((high - low) or abs(high) or 1.0)
    return low if zero and low == 0 else low - room, high + room


def _band(
    axes: plt.Axes, x: np.ndarray, low: pd.Series, high: pd.Series, color: str, alpha: float, step: str | None = None
) -> None:
    """Shade between two lines, to the top of the axes where the upper one is infinite; a bar where a place is alone."""
    low, high = low.to_numpy(float), high.to_numpy(float)
    high = np.where(np.isposinf(high), axes.get_ylim()[1], high)
    axes.fill_between(x, low, high, color=color, alpha=alpha, lw=0, step=step)
    known = np.isfinite(low) & np.isfinite(high)
    padded = np.concatenate([[False], known, [False]])
    alone = known & ~padded[:-2] & ~padded[2:]
    axes.vlines(x[alone], low[alone], high[alone], color=color, alpha=alpha, lw=6)


def fan(
    table: pd.DataFrame,
    *,
    title: str,
    ylabel: str,
    source: str,
    references: dict[str, float] | None = None,
    xlabel: str = "Quarter",
    ylim: tuple[float, float] | None = None,
    log: bool = False,
    steps: bool = False,
) -> Figure | None:
    """Return a fan over time: the median within its intervals, levels as dashed lines; None without any median.

    Parameters
    ----------
    table
        Index: dates, or names of periods such as ``2026Q3``, which stand evenly apart in the order of the table;
        columns ``median``, ``low`` and ``high`` (ends of the 90 % interval) and, optionally, ``p25`` and ``p75``. NaN
        leaves a gap.
    title, source
        As in :func:`gigafleet.plots.intervals`.
    xlabel, ylabel
        The axes, with their units.
    references
        Label -> level of dashed lines, such as price targets; a level that is NaN or beyond ``ylim`` is left out.
    ylim
        Ends of the vertical axis, where all that is drawn shall not set them.
    log
        Logarithmic vertical axis.
    steps
        Whether what is drawn stays from one date to the next, as a count of shares does, and jumps there.
    """
    known = _trimmed(table.where(table["median"].notna()))
    if known.empty:
        return None
    levels = pd.Series(references or {}, dtype=float).dropna()
    ylim = ylim or _limits([known, levels], log)
    levels = levels[levels.between(*ylim)]
    figure, axes = frame(ROWS, title, source)
    x = mdates.date2num(known.index) if isinstance(known.index, pd.DatetimeIndex) else np.arange(float(len(known)))
    bands = [("90 % interval", "low", "high", 0.2)]
    if {"p25", "p75"} <= set(known):
        bands.append(("middle half", "p25", "p75", 0.35))
    for _, low, high, alpha in bands:
        _band(axes, x, known[low], known[high], SERIES_COLORS[0], alpha, "post" if steps else None)
    within = known["median"].dropna().between(*ylim).all()
    look = {"color": SERIES_COLORS[0], "lw": 2, "ms": 3.5, "clip_on": not within}
    axes.plot(x, known["median"], "o-", drawstyle="steps-post" if steps else "default", **look)
    for level in levels:
        axes.axhline(level, color=INK, lw=0.9, ls="--")
    axes.set_xlim(x[0] - 0.015 * np.ptp(x) - 0.2 * (len(x) == 1), x[-1] + 0.2 * (len(x) == 1))
    _value_axis(axes, ylabel, xlabel, ylim, log)
    key(axes, [plt.Rectangle((0, 0), 1, 1, color=SERIES_COLORS[0], alpha=a, label=n) for n, *_, a in bands])
    end = known["median"].iloc[-1]
    ends = [(str(label), level, INK) for label, level in levels.items()]
    _fit(axes, known.index, [(f"median {number(end)}", end, dark(SERIES_COLORS[0])), *ends])
    return figure


def _separator(axes: plt.Axes, before: int, after: int) -> None:
    """Part reported from scenario periods by a dashed line, with room for a label on either side."""
    needed = 0.13 * (before + after)
    axes.set_xlim(-0.5 - max(0.2, needed - before), before + after - 0.5 + max(0.2, needed - after))
    axes.axvline(before - 0.5, color=INK, lw=1, ls="--")
    for text, side, ha in (("reported", -6, "right"), ("scenario", 6, "left")):
        look = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points", "fontsize": 9, "va": "top"}
        axes.annotate(text, (before - 0.5, 1.0), (side, -2), ha=ha, color="#555555", **look)


def _stack(axes: plt.Axes, x: np.ndarray, parts: pd.DataFrame, plain: str) -> np.ndarray:
    """Draw columns part by part, negative parts below zero; return their upper ends."""
    up, down = np.zeros(len(parts)), np.zeros(len(parts))
    colors = iter(SERIES_COLORS)
    for name in parts:
        value = parts[name].to_numpy(float)
        base = np.where(value < 0, down, up)
        known = np.isfinite(value)
        look = {
            "width": COLUMN,
            "color": PLAIN_COLOR if name == plain else next(colors),
            "label": name,
            "edgecolor": "white",
            "lw": 0.5,
        }
        axes.bar(x[known], value[known], bottom=base[known], **look)
        up, down = up + np.clip(np.nan_to_num(value), 0, None), down + np.clip(np.nan_to_num(value), None, 0)
    return up


def _totals(axes: plt.Axes, totals: np.ndarray, edge: np.ndarray) -> list[Bbox]:
    """Write totals over the columns, smaller where they need it, not at all where they meet; return their pixels."""
    places = np.flatnonzero(np.isfinite(totals))
    for size in (9, 8, 7.5) if len(places) <= MOST_TOTALS else ():
        look = {"textcoords": "offset points", "ha": "center", "va": "bottom", "fontsize": size, "fontweight": "bold"}
        texts = [axes.annotate(number(totals[i]), (i, edge[i]), (0, 3), **look) for i in places]
        boxes = [text.get_window_extent() for text in texts]
        if not any(one.padded(1).overlaps(other) for one, other in itertools.pairwise(boxes)):
            return boxes
        for text in texts:
            text.remove()
    return []


def _figures(axes: plt.Axes, figures: pd.DataFrame, x: np.ndarray) -> list[tuple]:
    """Draw published figures as diamonds with their ranges; return what :func:`label_beside` takes."""
    axes.vlines(x, figures["low"], figures["high"], color="black", lw=2.2, zorder=4)
    axes.plot(x, figures["value"], **DIAMOND)
    return [(str(text), *at, INK) for text, *at in zip(figures["label"], x, figures["value"], strict=True)]


def _cited(published: pd.DataFrame | None, *names: str) -> pd.DataFrame:
    """Return the published figures that have a value; a table without rows where none are given."""
    if published is None:
        published = pd.DataFrame({name: pd.Series(dtype=float) for name in (*names, "low", "high", "label")})
    return published[published[names[-1]].notna()].rename(columns={names[-1]: "value"})


def columns(
    table: pd.DataFrame,
    *,
    title: str,
    ylabel: str,
    source: str,
    low: pd.Series | None = None,
    high: pd.Series | None = None,
    history: pd.Series | None = None,
    published: pd.DataFrame | None = None,
    xlabel: str = "",
    totals: bool = True,
    plain: str = "",
) -> Figure | None:
    """Return stacked columns, one a period, after those reported and beside those published; None for an empty table.

    Parameters
    ----------
    table
        Index: names of periods, such as ``2026Q3``; one column a part, up to seven. Negative parts hang below zero.
    title, source
        As in :func:`gigafleet.plots.intervals`.
    xlabel, ylabel
        The axes, with their units.
    low, high
        Ends of the 90 % interval of the total, drawn as whiskers.
    history
        Reported totals of earlier periods, drawn in gray.
    published
        Index: the period; columns ``value``, ``low``, ``high`` (NaN where there is no range) and ``label``.
    totals
        Whether the total stands over its column, where there are at most 14 columns, and room.
    plain
        A part that is drawn in gray, so that the others keep the colors that they have without it.

    Raises
    ------
    ValueError
        Where a period is both reported and in the table.
    """
    known = _trimmed(table)
    known = known.loc[:, (known.fillna(0) != 0).any()]
    if known.empty:
        return None
    past = _trimmed(pd.Series(dtype=float).to_frame() if history is None else history.to_frame()).squeeze(axis=1)
    if both := [str(period) for period in past.index if period in known.index]:
        raise ValueError(f"periods both reported and in the table: {', '.join(both)}")
    cited = _cited(published, "value")
    periods = _periods(past.index, known.index, cited.index)
    before, x, beside = (np.array([periods.index(p) for p in t.index], int) for t in (past, known, cited))
    ends = [pd.Series(np.nan, known.index) if end is None else end.reindex(known.index) for end in (low, high)]
    span = np.array(ends, float)
    figure, axes = frame(ROWS, title, source)
    axes.bar(before[past.notna()], past.dropna(), width=COLUMN, color=HISTORY_COLOR)
    sums, edge = np.full((2, len(periods)), np.nan)
    sums[before], sums[x] = past, known.sum(axis=1, min_count=1)
    edge[before], edge[x] = past, np.fmax(_stack(axes, x, known, plain), span[1])
    np.fmax.at(edge, beside, cited[["value", "high"]].max(axis=1))
    axes.vlines(x, *span, color=INK, lw=1.3, zorder=3)
    labels = _figures(axes, cited, beside := _apart(beside))
    bottom, top = _limits([edge, known.clip(upper=0).sum(axis=1), *span, cited[["value", "low"]]], log=False)
    _value_axis(axes, ylabel, xlabel, (bottom, top + 0.07 * (top - bottom)))
    axes.set_xlim(-0.7, len(periods) - 0.3)
    if len(past):
        _separator(axes, len(past), len(periods) - len(past))
    handles = axes.get_legend_handles_labels()[0]
    if (known < 0).any(axis=None):
        axes.hlines(sums[x], x - COLUMN / 2, x + COLUMN / 2, color="black", lw=2.2)
        handles.append(plt.Line2D([], [], color="black", lw=2.2, label="total"))
    if np.isfinite(span).all(axis=0).any():
        handles.append(plt.Line2D([], [], color=INK, ls="", marker="|", ms=12, label="90 % interval of the total"))
    key(axes, handles)
    _fit(axes, periods, [])
    hard = [text.get_window_extent() for text in axes.texts[1:]] + (_totals(axes, sums, edge) if totals else [])
    soft = [patch.get_window_extent() for patch in axes.patches]
    soft += [
        box.padded(3)
        for i in np.flatnonzero(np.isfinite(span).all(axis=0))
        for box in along(axes, x[[i, i]], span[:, i])
    ]
    if len(past):
        soft += [box.padded(3) for box in along(axes, [len(past) - 0.5] * 2, axes.get_ylim())]
    label_beside(axes, labels, hard + around(axes, cited, beside), soft)
    return figure


def _apart(places: np.ndarray) -> np.ndarray:
    """Return where published figures stand in their columns: right of the whisker, or side by side."""
    times = np.array([(places == place).sum() for place in places])
    again = np.array([(places[:i] == place).sum() for i, place in enumerate(places)])
    return places + np.where(times > 1, (again + 0.5) / np.maximum(times, 1) * COLUMN - COLUMN / 2, 0.2)


def lines(
    table: pd.DataFrame,
    *,
    title: str,
    ylabel: str,
    source: str,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    points: pd.DataFrame | None = None,
    band: str = "90 % interval",
    xlabel: str = "",
    log: bool = False,
    zero: bool = True,
) -> Figure | None:
    """Return one line a column, named at its right end, with published figures as diamonds; None for an empty table.

    Parameters
    ----------
    table
        Index: names of periods, which stand evenly apart, or dates or numbers, to scale (whole numbers from 1900 to
        2200 are years, thus periods); one column a line, up to seven; NaN leaves a gap.
    title, source
        As in :func:`gigafleet.plots.intervals`.
    xlabel, ylabel
        The axes, with their units.
    low, high
        Ends of the bands, of the same shape; a band whose high end is infinite is open above, and on a logarithmic
        axis one whose low end is not above zero is open below.
    points
        Published figures: columns ``x`` (as in the index), ``y``, ``low``, ``high`` (NaN without a range), ``label``.
    band
        What the key calls the bands.
    log
        Logarithmic vertical axis; what is not above zero is left out.
    zero
        Whether zero is on the vertical axis, unless it is logarithmic.
    """
    known = _trimmed(table.where(table > 0) if log else table).dropna(axis=1, how="all")
    if known.empty:
        return None
    cited = _cited(points, "x", "y")
    if _in_order(known.index):
        axis = known.index
        dated = isinstance(axis, pd.DatetimeIndex)
        x, at = (mdates.date2num(v) if dated else np.asarray(v, float) for v in (axis, cited["x"]))
    else:
        axis = _periods(known.index, pd.Index(cited["x"]))
        x, at = (np.array([axis.index(period) for period in v], float) for v in (known.index, cited["x"]))
    figure, axes = frame(ROWS, title, source)
    bands = [] if low is None or high is None else [end.reindex_like(known) for end in (low, high)]
    _value_axis(axes, ylabel, xlabel, _limits([known, *bands, cited[["value", "low", "high"]]], log, zero), log)
    bands[:1] = [low.clip(lower=axes.get_ylim()[0]) if log else low for low in bands[:1]]
    shade = 0.2 if len(known.columns) < 6 else 0.13
    for i, name in enumerate(known):
        if bands:
            _band(axes, x, bands[0][name], bands[1][name], SERIES_COLORS[i], shade)
        axes.plot(x, known[name], "o-", color=SERIES_COLORS[i], lw=2, ms=3.5, clip_on=False)
    labels = _figures(axes, cited, at)
    left, right = min([*x, *at]), max([*x, *at])
    room = (right - left or 1.0) * 0.02
    axes.set_xlim(left - room, right + room * (len(x) == 1 or at.max(initial=left) == right))
    banded = [i for i, name in enumerate(known) if bands and bands[1][name].notna().any()]
    band_key(axes, band, [SERIES_COLORS[i] for i in banded], shade)
    last = {name: np.flatnonzero(known[name].notna())[-1] for name in known}
    ends = [(str(n), x[i], known[n].iloc[i], dark(SERIES_COLORS[k])) for k, (n, i) in enumerate(last.items())]
    _fit(axes, axis, [(text, y, color) for text, at_x, y, color in ends if at_x == right])
    soft = [box for name in known for box in along(axes, x, known[name].to_numpy(float))]
    soft += [box for i in banded for box in within(axes, x, *(end.iloc[:, i].to_numpy(float) for end in bands))]
    label_beside(axes, labels + [end for end in ends if end[1] < right], around(axes, cited, at), soft)
    return figure
