"""Where labels go: apart from each other, beside what they name, inside the figure."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.transforms import Bbox
from scipy.optimize import isotonic_regression

from gigafleet.house_style import key_above


def spread(wanted: np.ndarray, heights: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return centers for labels of such heights, as near to those wanted as they get without an overlap.

    >>> spread(np.array([5.0, 5.0, 30.0]), np.array([4.0, 4.0, 4.0]), 0.0, 40.0).tolist()
    [3.0, 7.0, 30.0]
    """
    order = np.argsort(wanted, kind="stable")
    tall = heights[order]
    steps = np.concatenate([[0.0], np.cumsum((tall[:-1] + tall[1:]) / 2)])
    base = isotonic_regression(wanted[order] - steps).x
    low, high = low + tall[0] / 2, high - tall[-1] / 2 - steps[-1]
    centers = np.empty(len(wanted))
    centers[order] = np.clip(base, low, max(low, high)) + steps
    return centers


def _wrap_within(text: plt.Text, right: float) -> None:
    """Break the lines of a text again where they reach further right than they may. [pixels]"""
    extent = text.get_window_extent()
    if extent.x1 > right:
        words = text.get_text().replace("\n", " ")
        longest = max(map(len, text.get_text().split("\n")))
        text.set_text(textwrap.fill(words, int(longest * (right - extent.x0) / extent.width)))


def settle(axes: plt.Axes) -> None:
    """Fit the axes and all that is written around them into the figure, and the source below the axis."""
    figure = axes.figure
    title, source = axes._left_title, axes.texts[0]  # as `frame` puts them
    source.set_in_layout(False)
    figure.tight_layout()
    figure.canvas.draw()
    for text in (title, source):
        _wrap_within(text, figure.bbox.width - 8)
    names = [axes.xaxis.label, *axes.get_xticklabels()]
    bottom = min([t.get_window_extent().y0 for t in names if t.get_visible() and t.get_text()], default=np.inf)
    source.xyann = (0, min(-44.0, (bottom - axes.get_window_extent().y0) * 72 / figure.dpi - 6))
    source.set_in_layout(True)
    figure.tight_layout()
    figure.canvas.draw()


def dark(color: str) -> tuple:
    """Return a color dark enough to write with."""
    return tuple(0.72 * np.array(to_rgb(color)))


def label_right(axes: plt.Axes, ends: list[tuple[str, float, object]]) -> None:
    """Write labels right of the axes, each at its height, moved apart where they would overlap; then fit the figure.

    Parameters
    ----------
    ends
        (text, height in data, color) of each.
    """
    look = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "fontsize": 9, "va": "center"}
    bottom, top = axes.get_ylim()
    labels = []
    for text, y, color in ends:
        line = {"arrowstyle": "-", "color": color, "lw": 0.8, "shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5)}
        at = (1.0, float(np.clip(y, bottom, top)))
        text = textwrap.fill(text, 24)
        labels.append(axes.annotate(text, at, (14, 0), color=color, arrowprops=line, annotation_clip=False, **look))
    settle(axes)
    if not labels:
        return
    point = axes.figure.dpi / 72
    area = axes.get_window_extent()
    wanted = np.array([axes.transData.transform((0, label.xy[1]))[1] for label in labels])
    heights = np.array([plt.Text.get_window_extent(label).height for label in labels]) + 2 * point
    for label, center, was in zip(labels, spread(wanted, heights, area.y0, area.y1), wanted, strict=True):
        label.xyann = (14, (center - was) / point)


def covered(box: Bbox, others: np.ndarray) -> float:
    """Return the area of a box that others cover, each given as (x0, y0, x1, y1)."""
    if not len(others):
        return 0.0
    width = np.minimum(box.x1, others[:, 2]) - np.maximum(box.x0, others[:, 0])
    height = np.minimum(box.y1, others[:, 3]) - np.maximum(box.y0, others[:, 1])
    return float((np.clip(width, 0, None) * np.clip(height, 0, None)).sum())


def along(axes: plt.Axes, x: np.ndarray, y: np.ndarray) -> list[Bbox]:
    """Return small boxes along a line. [pixels]"""
    at = axes.transData.transform(np.column_stack([x, y]))
    at = at[np.isfinite(at).all(axis=1)]
    if len(at) < 2:
        return [Bbox.from_extents(*(one - 4), *(one + 4)) for one in at]
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(at, axis=0).T))])
    steps = np.arange(0.0, way[-1], 7.0)
    dots = np.column_stack([np.interp(steps, way, at[:, axis]) for axis in (0, 1)])
    return [Bbox.from_extents(*(dot - 4), *(dot + 4)) for dot in dots]


def within(axes: plt.Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[Bbox]:
    """Return strips that fill a band, which is cut at the edges of the axes. [pixels]"""
    ends = [axes.transData.transform(np.column_stack([x, np.clip(end, *axes.get_ylim())])) for end in (low, high)]
    strips = []
    for i in np.flatnonzero(np.isfinite(ends[0][:-1, 1] + ends[0][1:, 1] + ends[1][:-1, 1] + ends[1][1:, 1])):
        places = np.arange(ends[0][i, 0], ends[0][i + 1, 0], 7.0)
        below, above = (np.interp(places, end[i : i + 2, 0], end[i : i + 2, 1]) for end in ends)
        strips += [Bbox.from_extents(*strip) for strip in zip(places, below, places + 7.0, above, strict=True)]
    return strips


def around(axes: plt.Axes, figures: pd.DataFrame, x: np.ndarray) -> list[Bbox]:
    """Return the pixels that published figures with their ranges take."""
    ends = [figures[side].fillna(figures["value"]) for side in ("low", "high")]
    low, high = (axes.transData.transform(np.column_stack([x, end])) for end in ends)
    return [Bbox.from_extents(*(one - 6), *(other + 6)) for one, other in zip(low, high, strict=True)]


def label_beside(axes: plt.Axes, labels: list[tuple], hard: list[Bbox], soft: list[Bbox]) -> None:
    """Write each label beside its point, inside the axes, where it covers nothing hard and as little soft as it can.

    Parameters
    ----------
    labels
        (text, x, y, color) of each, in data.
    hard, soft
        What must stay readable, such as other labels; what a label may lie on if need be, such as columns. [pixels]
    """
    figure = axes.figure
    figure.canvas.draw()
    point, area = figure.dpi / 72, axes.get_window_extent()
    under = np.array([box.extents for box in soft]).reshape(-1, 4)
    written = []
    for text, x, y, color in labels:
        look = {
            "textcoords": "offset points",
            "fontsize": 9,
            "ha": "center",
            "va": "center",
            "zorder": 6,
            "color": color,
        }
        look["bbox"] = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}
        label = axes.annotate(textwrap.fill(text, 24), (x, y), (0, 0), **look)
        size = plt.Text.get_window_extent(label)
        width, height = size.width + 4 * point, size.height + 3 * point
        taken = np.array([box.extents for box in [*hard, *written]]).reshape(-1, 4)
        center = axes.transData.transform((x, y))
        best = None
        for distance in (8, 18, 30, 45, 65, 90):
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (1, 1), (-1, 1), (0, -1), (1, -1), (-1, -1)):
                cx = center[0] + dx * (distance * point + width / 2)
                cy = center[1] + dy * (distance * point * 0.8 + height / 2)
                box = Bbox.from_extents(cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
                outside = box.width * box.height - covered(box, np.array([area.extents]))
                way = [center + share * ([cx, cy] - center) for share in (0.4, 0.55, 0.7, 0.85) if distance > 8]
                crossed = sum(covered(Bbox([dot - 2, dot + 2]), taken) for dot in way)
                cost = 50 * (covered(box, taken) + outside + crossed) + covered(box, under) + 5 * distance
                if best is None or cost < best[0]:
                    best = (cost, distance, (cx - center[0]) / point, (cy - center[1]) / point, box)
        label.remove()
        line = {"arrowstyle": "-", "color": "#666666", "lw": 0.8, "shrinkA": 0, "shrinkB": 4}
        label = axes.annotate(label.get_text(), (x, y), best[2:4], arrowprops=line if best[1] > 8 else None, **look)
        written.append(best[4])


def key(axes: plt.Axes, handles: list) -> None:
    """Put the key above the axes, in as many columns as the figure is wide enough for."""
    for columns in range(min(6, len(handles)), 0, -1):
        key_above(axes, handles, columns)
        axes.figure.canvas.draw()
        if axes.get_legend().get_window_extent().x1 < axes.figure.bbox.width - 10:
            return


def band_key(axes: plt.Axes, name: str, colors: list, alpha: float) -> None:
    """Name the bands of such colors above the axes: in its own color where there is one only, in gray for several."""
    if colors:
        look = {"color": colors[0], "alpha": alpha} if len(colors) == 1 else {"color": "#777777", "alpha": 0.35}
        key(axes, [plt.Rectangle((0, 0), 1, 1, label=name, **look)])
