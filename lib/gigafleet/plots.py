"""Figures that take result tables, in the house style. They know no model."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from gigafleet.flow_plots import flow, heatmap, tornado, waterfall
from gigafleet.house_style import (
    INK,
    MARKERS,
    SERIES_COLORS,
    VENDOR_COLORS,
    frame,
    guides,
    key_above,
    label_points,
    linear_axis,
    log_axis,
    log_ticks,
    show,
    vendor_color,
    vendor_key,
)
from gigafleet.scatter_plots import against
from gigafleet.tell import between, number
from gigafleet.time_plots import columns, fan, lines

__all__ = [
    "VENDOR_COLORS",
    "against",
    "columns",
    "dots",
    "fan",
    "flow",
    "heatmap",
    "intervals",
    "lines",
    "matrix",
    "show",
    "stacked",
    "timeline",
    "tornado",
    "waterfall",
]


def intervals(
    table: pd.DataFrame,
    *,
    title: str,
    xlabel: str,
    source: str,
    log: bool = False,
    reference: float | None = None,
    reference_label: str = "",
    band: tuple[float, float, str] | None = None,
    marks: pd.Series | None = None,
    mark_label: str = "",
    digits: int = 3,
) -> Figure | None:
    """Return a chart of points with their ranges, one row each, labeled directly; None without any figure.

    Parameters
    ----------
    table
        Index: what the row is; columns ``value``, ``low``, ``high`` (NaN where there is no range, infinite where it has
        no end) and ``vendor`` (its color; optional).
    title, xlabel, source
        The takeaway; the axis with its unit; where the figures come from.
    log
        Logarithmic axis.
    reference
        A vertical line, with its label.
    band
        Low and high end of a shaded band, with its label.
    marks
        Another figure per row, shown as a diamond, under the name ``mark_label``.
    digits
        Significant digits of the labels.
    """
    known = table[table["value"].notna()].iloc[::-1]
    if known.empty:
        return None
    figure, axes = frame(len(known), title, source)
    vendors = known["vendor"] if "vendor" in known else pd.Series("", known.index)
    right = known[["value", "high"]].replace(np.inf, np.nan).max(axis=1)
    if marks is not None:
        look = {"ls": "", "marker": "D", "color": "black", "mec": "white", "ms": 8, "label": mark_label}
        axes.plot(marks.reindex(known.index), range(len(known)), **look)
    colors = [vendor_color(vendor) if vendor else SERIES_COLORS[0] for vendor in vendors]
    for y, (_, row) in enumerate(known.iterrows()):
        if row["low"] < row["high"] < np.inf:
            axes.plot([row["low"], row["high"]], [y, y], color=colors[y], lw=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(row["value"], y, "o", color=colors[y], ms=7)
        where = {"xy": (right.iloc[y], y), "xytext": (7, 0), "va": "center"}
        if row["high"] == np.inf:  # the bar goes on: above it
            where = {"xy": (row["value"], y), "xytext": (0, 7), "va": "bottom", "ha": "center"}
        back = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.85}
        axes.annotate(number(row["value"], digits), **where, textcoords="offset points", bbox=back)
    axes.set_yticks(range(len(known)), known.index)
    axes.set_ylim(-0.6, len(known) - 0.4)
    if log:
        log_axis(axes)
        low, high = known[["low", "value"]].min().min(), right.max()
        axes.set_xlim(low / (high / low) ** 0.06, high * (high / low) ** 0.14)
        log_axis(axes)
    else:
        edge = right.max() if marks is None else max(right.max(), marks.max())
        edge = max(edge, band[1] if band else edge, reference or edge)
        axes.set_xlim(min(0, known[["low", "value"]].min().min()), edge * 1.13)
        linear_axis(axes)
    _open_ends(axes, known, colors)
    guides(axes, len(known), reference, reference_label, band)
    axes.set_xlabel(xlabel)
    vendor_key(axes, vendors, axes.get_legend_handles_labels()[0])
    return figure


def _open_ends(axes: plt.Axes, known: pd.DataFrame, colors: list[str]) -> None:
    """Draw ranges without an end from their low end to the edge of the axes, with an arrow."""
    edge = axes.get_xlim()[1]
    for y in np.flatnonzero(np.isposinf(known["high"]) & (known["low"] < edge)):
        look = {"color": colors[y], "clip_on": False, "zorder": 1}
        axes.plot([known["low"].iloc[y], edge], [y, y], lw=5, alpha=0.35, solid_capstyle="butt", **look)
        axes.plot(edge, y, ">", ms=9, mew=0, **look)


def dots(
    table: pd.DataFrame,
    *,
    title: str,
    xlabel: str,
    source: str,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
) -> Figure | None:
    """Return a chart of several figures per row on a logarithmic axis, one marker and color a column; None without any.

    Parameters
    ----------
    table
        Index: what the row is; one column a series, named as the legend shall name it; NaN is left out.
    low, high
        Ends of the ranges, of the same shape; bars where they differ.
    title, xlabel, source
        As in :func:`intervals`.
    """
    known = table.dropna(how="all").iloc[::-1]
    if known.empty:
        return None
    figure, axes = frame(len(known), title, source)
    for y, (_, row) in enumerate(known.iterrows()):
        axes.plot([row.min(), row.max()], [y, y], color="#CCCCCC", lw=2, zorder=1)
    for i, name in enumerate(known):
        look = {"ls": "", "marker": MARKERS[i], "ms": 8, "color": SERIES_COLORS[i], "alpha": 0.9}
        axes.plot(known[name], range(len(known)), label=name, **look)
        if low is not None and high is not None:
            ends = low[name].reindex(known.index), high[name].reindex(known.index)
            axes.hlines(range(len(known)), *ends, color=SERIES_COLORS[i], lw=5, alpha=0.35)
    best = known.max(axis=1)
    edge = best if high is None else np.fmax(best, high.reindex(known.index).max(axis=1))
    for y, value in enumerate(best):
        axes.annotate(number(value), (edge.iloc[y], y), (9, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(known)), known.index)
    axes.set_ylim(-0.6, len(known) - 0.4)
    axes.set_xlim(known.min().min() / 1.3, edge.max() * 1.6)
    log_axis(axes)
    axes.set_xlabel(xlabel)
    key_above(axes, axes.get_legend_handles_labels()[0])
    return figure


def timeline(table: pd.DataFrame, *, title: str, ylabel: str, source: str) -> Figure | None:
    """Return labeled points over time on a logarithmic axis, colored by vendor; None without any figure.

    Parameters
    ----------
    table
        Index: the label of a point; columns ``date`` (month as text, ``2026-07``), ``value`` and ``vendor``. Rows
        without a date or a value are left out.
    title, source
        As in :func:`intervals`.
    ylabel
        What the values are, with their unit.
    """
    known = table[table["value"].notna() & table["date"].ne("")]
    if known.empty:
        return None
    months = pd.to_datetime(known["date"], format="%Y-%m")
    figure, axes = frame(11, title, source)
    for vendor, points in known.groupby("vendor", sort=False):
        axes.plot(months[points.index], points["value"], "o", color=vendor_color(vendor), ms=8)
    axes.set_yscale("log")
    log_ticks(axes.yaxis, known["value"].max() / known["value"].min())
    axes.set_ylim(known["value"].min() / 1.6, known["value"].max() * 1.6)
    axes.set_xlim(months.min() - pd.Timedelta(days=120), months.max() + pd.Timedelta(days=210))
    axes.grid(axis="y")
    axes.set_xlabel("Month of release")
    axes.set_ylabel(ylabel)
    vendor_key(axes, known["vendor"])
    label_points(axes, [(name, months[name], row["value"]) for name, row in known.iterrows()])
    return figure


def stacked(
    table: pd.DataFrame,
    *,
    title: str,
    xlabel: str,
    source: str,
    marks: pd.Series | None = None,
    mark_label: str = "",
    totals: bool = True,
    low: pd.Series | None = None,
    high: pd.Series | None = None,
) -> Figure | None:
    """Return stacked bars, one row each, with the total beside it; None without any figure.

    Parameters
    ----------
    table
        Index: what the row is; one column a part.
    title, xlabel, source
        As in :func:`intervals`.
    marks
        A published figure per row, shown as a black line, under the name ``mark_label``.
    totals
        Whether the total of a row stands beside it.
    low, high
        Ends of the 90 % interval of the total, drawn as whiskers where they differ.
    """
    known = table.dropna(how="all").iloc[::-1]
    known = known.loc[:, (known.fillna(0) != 0).any()]
    if known.empty:
        return None
    figure, axes = frame(len(known), title, source)
    left = np.zeros(len(known))
    for i, part in enumerate(known):
        look = {"height": 0.62, "color": SERIES_COLORS[i], "label": part, "edgecolor": "white"}
        axes.barh(range(len(known)), known[part], left=left, **look)
        left = left + known[part].fillna(0).to_numpy()
    edge = left if marks is None else np.fmax(left, marks.reindex(known.index).to_numpy(float))
    for y, total in enumerate(left if totals else []):
        axes.annotate(number(total), (edge[y], y), (9, 0), textcoords="offset points", va="center", fontweight="bold")
    if marks is not None:
        look = {"ls": "", "marker": "|", "color": "black", "ms": 26, "mew": 2.5, "label": mark_label}
        axes.plot(marks.reindex(known.index), range(len(known)), **look)
    ends = [pd.Series(end, known.index, float).to_numpy() for end in (low, high)]
    wide = ends[0] < ends[1]
    if wide.any():
        below = np.flatnonzero(wide) - 0.39  # between this bar and the next, where no number stands
        axes.hlines(below, *(end[wide] for end in ends), color=INK, lw=1.6)
        axes.set_ylim(-0.6, len(known) - 0.4)
    axes.set_yticks(range(len(known)), known.index)
    axes.set_xlim(0, max(edge.max() * (1.12 if totals else 1.0), 1.02 * np.nanmax([*ends[1], 0])))
    _within_bars(axes)
    linear_axis(axes)
    axes.set_xlabel(xlabel)
    whisker = plt.Line2D([], [], color=INK, lw=1.6, label="90 % interval of the total")
    key_above(axes, axes.get_legend_handles_labels()[0] + [whisker] * int(wide.any()))
    return figure


def _within_bars(axes: plt.Axes) -> None:
    """Write the number of each part of stacked bars into it, where there is room."""
    for part in axes.patches:
        value, box = part.get_width(), part.get_window_extent()
        if not value > 0:
            continue
        middle = (part.get_x() + value / 2, part.get_y() + part.get_height() / 2)
        text = axes.text(*middle, number(value, 2), ha="center", va="center", color="white", fontsize=9)
        if text.get_window_extent().width + 5 > box.width:
            text.remove()


def matrix(pairs: pd.DataFrame, *, title: str, xlabel: str, ylabel: str, source: str) -> Figure | None:
    """Return ratios of pairs as a matrix: the ratio with its interval; gray cells cannot be told from 1; None without
    pairs.

    Parameters
    ----------
    pairs
        Indexed by (row, column): ``low``, ``median``, ``high`` of the ratio and ``verdict``; a pair that is missing
        leaves its cell empty.
    title, source
        As in :func:`intervals`.
    xlabel, ylabel
        What columns and rows are.
    """
    if pairs.empty:
        return None
    rows, columns = (list(dict.fromkeys(pairs.index.get_level_values(level))) for level in (0, 1))
    ratios = pairs["median"].unstack().reindex(index=rows, columns=columns)
    open_cells = ~pairs["verdict"].str.contains("ahead").unstack().reindex(index=rows, columns=columns)
    figure, axes = frame(1.5 * len(rows), title, source)
    text = pairs.apply(lambda pair: f"{number(pair['median'])} ×\n{between(pair['low'], pair['high'])}", axis=1)
    text = text.unstack().reindex(index=rows, columns=columns).fillna("")
    strongest = max(np.abs(np.log2(ratios.to_numpy(float)[np.isfinite(ratios.to_numpy(float))])).max(), 0.1)
    sns.heatmap(
        np.log2(ratios.astype(float)).mask(open_cells.fillna(True).astype(bool)),
        ax=axes,
        cmap=sns.blend_palette([VENDOR_COLORS["NVIDIA"], "#F7F7F7", VENDOR_COLORS["AMD"]], as_cmap=True),
        vmin=-1.6 * strongest,
        vmax=1.6 * strongest,
        cbar=False,
        linewidths=2,
    )
    axes.set_facecolor("#DDDDDD")
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            axes.text(
                x + 0.5,
                y + 0.5,
                text.loc[row, column],
                ha="center",
                va="center",
                fontsize=9.5 if len(columns) < 7 else 8.5,
                color=INK,
            )
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.tick_params(axis="y", rotation=0)
    keys = [
        ("AMD ahead", VENDOR_COLORS["AMD"]),
        ("NVIDIA ahead", VENDOR_COLORS["NVIDIA"]),
        ("cannot be told apart, or no range known", "#DDDDDD"),
    ]
    handles = [plt.Rectangle((0, 0), 1, 1, color=color, alpha=0.75, label=name) for name, color in keys]
    key_above(axes, handles)
    return figure
