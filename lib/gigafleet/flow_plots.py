"""Heat maps, bridges and flows, in the house style. They know no model."""

import itertools
import textwrap
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from gigafleet.errors import unknown
from gigafleet.house_style import INK, frame, key_above, linear_axis
from gigafleet.plot_labels import covered, dark, key, settle
from gigafleet.tell import number, spans

UP, DOWN, TOTAL, MARK = "#0072B2", "#D55E00", "#555555", "#D55E00"
KIND_COLORS = {"cash": "#0072B2", "shares": "#E69F00", "goods": "#009E73"}
END_COLORS = {"low": "#E69F00", "high": "#0072B2"}
BENDS = (0.0, 0.12, -0.12, 0.25, -0.25, 0.4, -0.4, 0.6, -0.6)


def _contrast(color: tuple) -> str:
    """Return black or white, whichever is easier to read on a color."""
    channels = np.array(color[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"


def _cells(axes: plt.Axes, table: pd.DataFrame, digits: int) -> None:
    """Write the numbers into the cells, as large as the narrowest cell allows."""
    colors = axes.collections[0].get_facecolors()
    texts = [
        axes.text(x + 0.5, y + 0.5, number(value, digits), ha="center", va="center", color=_contrast(color))
        for ((y, x), value), color in zip(np.ndenumerate(table.to_numpy(float)), colors, strict=True)
        if np.isfinite(value)
    ]
    width = axes.get_window_extent().width / table.shape[1] - 4
    for size in (9.5, 8.5, 7.5, 6.5):
        for text in texts:
            text.set_fontsize(size)
        if max(text.get_window_extent().width for text in texts) <= width:
            return


def heatmap(
    table: pd.DataFrame,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    source: str,
    unit: str,
    mark: tuple[object, object, str] | None = None,
    digits: int = 3,
) -> Figure | None:
    """Return a table as a heat map with its numbers; None without any number.

    Parameters
    ----------
    table
        Rows and columns as they are to be shown; a cell that is NaN stays gray and empty.
    title, source
        As in :func:`gigafleet.plots.intervals`.
    xlabel, ylabel
        What columns and rows are, with their units.
    unit
        What the cells hold, with its unit.
    mark
        Row, column and name of a cell that is outlined.
    digits
        Significant digits.
    """
    if not table.notna().any(axis=None):
        return None
    figure, axes = frame(max(1.15 * len(table), 6), title, source)
    look = {
        "cmap": "cividis",
        "linewidths": 1.5,
        "linecolor": "white",
        "cbar_kws": {"label": textwrap.fill(unit, 26), "pad": 0.02},
    }
    sns.heatmap(table.astype(float), ax=axes, **look)
    axes.set_facecolor("#DDDDDD")
    axes.grid(False)
    bar = figure.axes[1]
    bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 6)))
    if (table.fillna(0) % 1 == 0).all(axis=None):  # counts
        bar.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_xticks(
        np.arange(table.shape[1]) + 0.5, [textwrap.fill(str(name), 22) for name in table.columns], rotation=0
    )
    axes.set_yticks(np.arange(table.shape[0]) + 0.5, [str(name) for name in table.index], rotation=0)
    if mark is not None:
        corner = table.columns.get_loc(mark[1]), table.index.get_loc(mark[0])
        for color, width in (("white", 6), (MARK, 3)):
            box = plt.Rectangle(corner, 1, 1, fill=False, edgecolor=color, lw=width, clip_on=False, zorder=4)
            axes.add_patch(box)
        key(axes, [plt.Rectangle((0, 0), 1, 1, fill=False, edgecolor=MARK, lw=2.5, label=mark[2])])
    settle(axes)
    _turn(axes)
    _cells(axes, table, digits)
    return figure


def _turn(axes: plt.Axes) -> None:
    """Turn the names of columns where they would meet."""
    labels = [label for label in axes.get_xticklabels() if label.get_text()]
    boxes = [label.get_window_extent().padded(2) for label in labels]
    if any(one.overlaps(other) for one, other in itertools.pairwise(boxes)):
        plt.setp(labels, rotation=35, ha="right", rotation_mode="anchor")
        settle(axes)


def _whiskers(axes: plt.Axes, span: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Draw intervals of rows, of shape (2, rows), over their bars, and name them; return them."""
    wide = span[0] < span[1]
    if wide.any():
        halo = [withStroke(linewidth=4, foreground="white")]
        axes.hlines(rows[wide], *span[:, wide], color="black", lw=1.6, zorder=3, path_effects=halo)
        key(axes, [plt.Line2D([], [], color="black", lw=1.6, label="90 % interval")])
    return span


def waterfall(
    steps: pd.Series,
    *,
    title: str,
    xlabel: str,
    source: str,
    totals: tuple[str, ...] | list[str] = (),
    ends: pd.DataFrame | None = None,
) -> Figure | None:
    """Return a bridge from gross to net, one row a step; None without any step.

    Parameters
    ----------
    steps
        Index: what the step is; what it adds or, below zero, takes away. A step that is NaN is left out.
    title, xlabel, source
        As in :func:`gigafleet.plots.intervals`.
    totals
        Rows that show the sum so far, as a full bar; their own values do not count.
    ends
        Indexed as ``steps``: ``low`` and ``high``, the 90 % interval of a step, or of a sum where that is shown. It is
        drawn around the end of its bar.
    """
    known = steps[steps.notna() | steps.index.isin(totals)].astype(float)
    full = known.index.isin(totals)
    if full.all():
        return None
    after = known.mask(full, 0.0).cumsum().to_numpy()
    start = np.where(full, 0.0, np.concatenate([[0.0], after[:-1]]))
    figure, axes = frame(len(known), title, source)
    colors = np.where(full, TOTAL, np.where(known < 0, DOWN, UP))
    rows = np.arange(len(known))[::-1]
    axes.barh(rows, after - start, left=start, height=0.62, color=colors, zorder=2)
    axes.vlines(after[:-1], rows[1:] - 0.31, rows[:-1] + 0.31, color="#777777", lw=0.9, zorder=1)
    span = np.full((2, len(known)), np.nan) if ends is None else ends.reindex(known.index)[["low", "high"]].to_numpy().T
    span = _whiskers(axes, span + start, rows)
    for y, one, other, value, total in zip(rows, np.fmax(start, span[1]), after, known, full, strict=True):
        text = number(other) if total else f"{'−' if value < 0 else '+'}{number(abs(value))}"
        look = {"textcoords": "offset points", "va": "center", "fontweight": "bold" if total else "normal"}
        axes.annotate(text, (max(one, other), y), (7, 0), **look)
    axes.axvline(0, color=INK, lw=1)
    axes.set_yticks(rows, known.index)
    axes.set_ylim(-0.6, len(known) - 0.4)
    every = np.concatenate([start, after, span.ravel()])
    low, high = np.nanmin(every), np.nanmax(every)
    axes.set_xlim(low - 0.02 * (high - low) * (low < 0), high + 0.14 * (high - low))
    linear_axis(axes)
    axes.set_xlabel(xlabel)
    settle(axes)
    return figure


def tornado(table: pd.DataFrame, *, title: str, xlabel: str, source: str, digits: int = 3) -> Figure | None:
    """Return how far an answer moves with each input, the widest swing first; None without any swing.

    Parameters
    ----------
    table
        As :func:`gigafleet.uncertainty.tornado` gives it, indexed by readable names: ``low``, ``high``: the answer with
        the input at that end; ``value``; ``input_low``, ``input_high``, which stand beside the name.
    title, xlabel, source
        As in :func:`gigafleet.plots.intervals`.
    digits
        Significant digits of the inputs.
    """
    known = table[table["low"].notna() & table["high"].notna()].iloc[::-1]
    if known.empty:
        return None
    figure, axes = frame(round(1.5 * len(known)), title, source)
    middle = known["value"].iloc[0]
    for y, (_, row) in enumerate(known.iterrows()):
        for end in ("low", "high"):
            axes.barh(y, row[end] - middle, left=middle, height=0.62, color=END_COLORS[end], alpha=0.85, zorder=2)
    axes.axvline(middle, color=INK, lw=1)
    ends = spans(known["input_low"], known["input_high"], digits)
    axes.set_yticks(range(len(known)), [f"{name}\n{text}" for name, text in ends.items()])
    axes.set_ylim(-0.6, len(known) - 0.4)
    low, high = known[["low", "high"]].min().min(), known[["low", "high"]].max().max()
    axes.set_xlim(min(low, middle) - 0.05 * (high - low), max(high, middle) + 0.05 * (high - low))
    linear_axis(axes)
    axes.set_xlabel(xlabel)
    names = {"low": "input at the low end of its range", "high": "at the high end"}
    handles = [plt.Rectangle((0, 0), 1, 1, fc=END_COLORS[end], alpha=0.85, label=text) for end, text in names.items()]
    handles.append(plt.Line2D([], [], color=INK, lw=1, label=f"all at their values: {number(middle)}"))
    key_above(axes, handles, 2)
    settle(axes)
    return figure


def _boxes(axes: plt.Axes, nodes: pd.DataFrame) -> dict[str, FancyBboxPatch]:
    """Draw the nodes: a rounded box each, with the name and, below it, the second line. Data are points."""
    point = axes.figure.dpi / 72
    texts = {}
    for name, node in nodes.iterrows():
        second = textwrap.fill(str(node["text"]), 26) if isinstance(node["text"], str) and node["text"] else ""
        look = {"ha": "center", "zorder": 5}
        upper = axes.text(0, 0, str(name), va="bottom" if second else "center", fontweight="bold", fontsize=11, **look)
        lower = axes.text(0, 0, second, va="top", fontsize=9, linespacing=1.15, **look)
        texts[name] = upper, lower
    sizes = {
        name: np.array(
            [
                max(t.get_window_extent().width for t in pair) / point + 20,
                sum(t.get_window_extent().height for t in pair if t.get_text()) / point + 16,
            ]
        )
        for name, pair in texts.items()
    }
    room = np.array([axes.get_xlim()[1], axes.get_ylim()[1]])
    margin = np.max(list(sizes.values()), axis=0) / 2 + 2
    boxes = {}
    for name, (upper, lower) in texts.items():
        center = margin + nodes.loc[name, ["x", "y"]].to_numpy(float) * (room - 2 * margin)
        split = lower.get_window_extent().height / point if lower.get_text() else 0.0
        corner = center - sizes[name] / 2
        look = {"boxstyle": "round,pad=0,rounding_size=7", "fc": "#F3F3F3", "ec": "#555555", "lw": 1.2, "zorder": 4}
        boxes[name] = axes.add_patch(FancyBboxPatch(corner, *sizes[name], **look))
        split = corner[1] + 7 + split if split else center[1]
        upper.set_position((center[0], split + (1 if lower.get_text() else 0)))
        lower.set_position((center[0], split - 1))
    return boxes


def _bow(start: np.ndarray, end: np.ndarray, bend: float) -> np.ndarray:
    """Return points along an arrow between two centers, bent as Matplotlib bends ``arc3``."""
    across = np.array([end[1] - start[1], start[0] - end[0]])
    middle = (start + end) / 2 + bend * across
    t = np.linspace(0, 1, 81)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def _inside(dots: np.ndarray, box: FancyBboxPatch, pad: float) -> np.ndarray:
    """Return which points lie in a box."""
    low = np.array([box.get_x(), box.get_y()]) - pad
    high = low + 2 * pad + [box.get_width(), box.get_height()]
    return ((dots > low) & (dots < high)).all(axis=1)


def _center(box: FancyBboxPatch) -> np.ndarray:
    return np.array([box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2])


def _course(start: str, end: str, boxes: dict[str, FancyBboxPatch], drawn: list[np.ndarray], shared: bool) -> tuple:
    """Return the bend of an arrow that keeps clear of other boxes and of arrows before it, and its visible points."""
    best = None
    for bend in BENDS:
        dots = _bow(_center(boxes[start]), _center(boxes[end]), bend)
        dots = dots[~_inside(dots, boxes[start], 0) & ~_inside(dots, boxes[end], 0)]
        through = sum(_inside(dots, box, 6).sum() for name, box in boxes.items() if name not in (start, end))
        near = sum(
            (np.hypot(*(dots[:, None] - other[None]).transpose(2, 0, 1)) < 26).any(axis=1).sum() for other in drawn
        )
        cost = 10 * through + near + 12 * abs(bend) + 20 * (shared and abs(bend) < 0.1)
        if best is None or cost < best[0]:
            best = cost, bend, dots
    return best[1:]


def _arrow(axes: plt.Axes, arrow: pd.Series, boxes: dict[str, FancyBboxPatch], bend: float, width: float) -> None:
    """Draw one arrow from box to box."""
    start, end = boxes[arrow["start"]], boxes[arrow["end"]]
    look = {
        "arrowstyle": f"-|>,head_length={0.3 + 0.5 / width},head_width={0.12 + 0.3 / width}",
        "mutation_scale": 6 + 3.2 * width,
        "connectionstyle": f"arc3,rad={bend}",
        "lw": width,
        "ls": (0, (4, 3)) if np.isnan(arrow["value"]) else "-",
        "color": KIND_COLORS[arrow["kind"]],
        "joinstyle": "miter",
        "capstyle": "butt",
        "zorder": 2,
    }
    patch = FancyArrowPatch(_center(start), _center(end), patchA=start, patchB=end, shrinkA=2, shrinkB=3, **look)
    axes.add_patch(patch)


def _reach(dots: np.ndarray, width: float) -> np.ndarray:
    """Return small boxes along an arrow as (x0, y0, x1, y1), larger where its head is."""
    half = np.full((len(dots), 1), width / 2 + 3)
    half[np.hypot(*(dots - dots[-1]).T) < 10 + 2.2 * width] += 4 + 0.5 * width
    return np.column_stack([dots - half, dots + half])


def _places(dots: np.ndarray, half: np.ndarray, width: float) -> Iterator[tuple[np.ndarray, float]]:
    """Yield the centers that a label of such half size may have beside an arrow, each with how unwelcome it is."""
    for share in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82):
        i = min(int(share * len(dots)), len(dots) - 2)
        along = (dots[i + 1] - dots[i]) / np.hypot(*(dots[i + 1] - dots[i]))
        for across in (np.array([-along[1], along[0]]), np.array([along[1], -along[0]])):
            for gap in (5, 14, 28):
                yield dots[i] + across * (np.abs(across) @ half + width / 2 + gap), 40 * abs(share - 0.5) + 3 * gap


def _name_arrow(axes: plt.Axes, arrow: pd.Series, width: float, drawn: list, reach: np.ndarray, taken: list) -> None:
    """Write the label of the first arrow of those drawn beside it, where it covers nothing and is nearest to it."""
    look = {"fontsize": 9, "ha": "center", "va": "center", "zorder": 6, "color": dark(KIND_COLORS[arrow["kind"]])}
    look["bbox"] = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.9}
    label = axes.text(0, 0, textwrap.fill(str(arrow["label"]), 24), **look)
    half = plt.Text.get_window_extent(label).size * 36 / axes.figure.dpi + 2
    area = np.array([[0.0, 0.0, axes.get_xlim()[1], axes.get_ylim()[1]]])
    best = None
    for center, cost in _places(drawn[0], half, width):
        box = Bbox([center - half, center + half])
        outside = box.width * box.height - covered(box, area)
        cost += 50 * (covered(box, np.array(taken)) + outside) + 10 * covered(box, reach)
        away = [np.hypot(*(np.abs(dots - center) - half).clip(0).T).min() for dots in drawn]
        cost += 300 * (away[0] > min(away))
        if best is None or cost < best[0]:
            best = cost, center, box
    label.set_position(best[1])
    taken.append(best[2].extents)


def flow(nodes: pd.DataFrame, arrows: pd.DataFrame, *, title: str, source: str) -> Figure | None:
    """Return who gives what to whom: boxes, and arrows as wide as the root of what they carry; None without arrows.

    Parameters
    ----------
    nodes
        Index: the name; columns ``x`` and ``y``, from 0 to 1, and ``text``, a second line that may be empty.
    arrows
        Columns ``start``, ``end``, ``value`` (NaN, where it is not known, is a thin dashed arrow), ``label`` and
        ``kind``: cash, shares or goods.
    title, source
        As in :func:`gigafleet.plots.intervals`.
    """
    if arrows.empty or nodes.empty:
        return None
    for what, names, known in (
        ("node", [*arrows["start"], *arrows["end"]], nodes.index),
        ("kind of arrow", arrows["kind"], KIND_COLORS),
    ):
        if missing := [name for name in names if name not in known]:
            raise unknown(what, missing[0], known)
    figure, axes = frame(12, title, source)
    axes.set_axis_off()
    kinds = [kind for kind in KIND_COLORS if kind in set(arrows["kind"])]
    handles = [plt.Line2D([], [], color=KIND_COLORS[kind], lw=4, label=kind) for kind in kinds]
    if arrows["value"].isna().any():
        handles.append(plt.Line2D([], [], color=INK, lw=1.2, ls="--", label="amount not known"))
    key(axes, handles)
    axes.texts[0].xyann = (0, -8)
    figure.tight_layout()
    size = axes.get_window_extent().size * 72 / figure.dpi
    axes.set_xlim(0, size[0])  # data are points, so that boxes and bends keep their shape
    axes.set_ylim(0, size[1])
    boxes = _boxes(axes, nodes)
    pairs = [frozenset(ends) for ends in zip(arrows["start"], arrows["end"], strict=True)]
    widths = 1.2 + 6.8 * np.sqrt(arrows["value"].clip(lower=0) / (arrows["value"].max() or 1.0)).fillna(0.0)
    drawn = []
    for pair, width, (_, arrow) in zip(pairs, widths, arrows.iterrows(), strict=True):
        bend, dots = _course(arrow["start"], arrow["end"], boxes, drawn, pairs.count(pair) > 1)
        drawn.append(dots)
        _arrow(axes, arrow, boxes, bend, width)
    taken = [np.array([*box.get_bbox().min, *box.get_bbox().max]) for box in boxes.values()]
    reach = np.concatenate([_reach(dots, width) for dots, width in zip(drawn, widths, strict=True)])
    for i, (width, (_, arrow)) in enumerate(zip(widths, arrows.iterrows(), strict=True)):
        _name_arrow(axes, arrow, width, [drawn[i], *drawn[:i], *drawn[i + 1 :]], reach, taken)
    return figure
