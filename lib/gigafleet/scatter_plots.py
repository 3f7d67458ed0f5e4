"""Figures of one quantity against another."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gigafleet.house_style import INK, frame, key_above, log_ticks, vendor_color

SHAPES = ("o", "^", "s", "D")


def against(
    table: pd.DataFrame, *, title: str, xlabel: str, ylabel: str, source: str, factor: float = 1.5
) -> Figure | None:
    """Return a log-log chart of predicted against measured figures; None without any.

    Parameters
    ----------
    table
        Columns ``measured``, ``predicted`` and ``vendor`` (color and marker), one row a point.
    title, xlabel, ylabel, source
        The takeaway; the axes with their unit; where the figures come from.
    factor
        Lines are drawn where they are equal and where they differ by this factor.
    """
    known = table[table["measured"].gt(0) & table["predicted"].gt(0)]
    if known.empty:
        return None
    figure, axes = frame(12, title, source)
    ends = np.array(
        [known[["measured", "predicted"]].min().min() / 1.4, known[["measured", "predicted"]].max().max() * 1.4]
    )
    handles = []
    for shape, (vendor, rows) in zip(SHAPES, known.groupby("vendor"), strict=False):
        look = {"ls": "", "marker": shape, "color": vendor_color(vendor), "ms": 5, "alpha": 0.6, "mew": 0}
        axes.plot(rows["measured"], rows["predicted"], **look)
        handles.append(plt.Line2D([], [], label=f"{vendor} ({len(rows)})", **look))
    axes.plot(ends, ends, color=INK, lw=1)
    for way in (factor, 1 / factor):
        axes.plot(ends, ends * way, color=INK, lw=0.8, ls="--")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    for axis in (axes.xaxis, axes.yaxis):
        log_ticks(axis, ends[1] / ends[0])
    place = {"textcoords": "offset points", "fontsize": 9, "va": "center"}
    place["bbox"] = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.9}
    start = ends[0] * (ends[1] / ends[0]) ** 0.06
    axes.annotate(f"{factor:g} times", (start, start * factor), (-4, 16), ha="left", **place)
    end = ends[0] * (ends[1] / ends[0]) ** 0.99
    axes.annotate("equal", (end, end), (0, -6), ha="right", **place)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    key_above(axes, handles)
    return figure
