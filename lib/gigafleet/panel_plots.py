"""Small multiples in the house style. They know no model."""

import re
import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gigafleet.flow_plots import END_COLORS
from gigafleet.house_style import INK, SERIES_COLORS, SOURCE, WIDTH, linear_axis, style
from gigafleet.tell import between, number, spans

COLUMNS = 2
BAR_INCHES, HEAD_INCHES, AROUND_INCHES = 0.44, 0.95, 1.25


def tornados(tables: dict[str, pd.DataFrame], *, title: str, source: str, most: int = 4) -> Figure | None:
    """Return how far several answers move with their inputs, a panel an answer; None without any swing.

    Parameters
    ----------
    tables
        Answer with its unit -> a table as :func:`gigafleet.uncertainty.tornado` gives it, indexed by readable names.
        Inputs that do not move the answer are left out.
    title, source
        The takeaway; where the figures come from.
    most
        Inputs in a panel.
    """
    shown = {name: table[table["swing"] > 1e-9 * table["value"].abs()].head(most) for name, table in tables.items()}
    shown = {name: table for name, table in shown.items() if len(table)}
    if not shown:
        return None
    style()
    rows = -(-len(shown) // COLUMNS)
    height = rows * (HEAD_INCHES + BAR_INCHES * most) + AROUND_INCHES
    figure, grid = plt.subplots(rows, COLUMNS, figsize=(WIDTH + 1, height), squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.remove()
    for axes, (name, table) in zip(grid.flat, shown.items(), strict=False):
        _panel(axes, name, table.iloc[::-1], most)
    top = 1 - 0.62 / height
    heading, footer = _words(figure, title, source)
    names = {"low": "input at the low end of its range", "high": "at the high end"}
    handles = [plt.Rectangle((0, 0), 1, 1, fc=END_COLORS[end], alpha=0.85, label=text) for end, text in names.items()]
    handles.append(plt.Line2D([], [], color=INK, lw=1, label="all at their values"))
    legend = figure.legend(
        handles=handles, ncols=3, loc="upper left", bbox_to_anchor=(0.0, top), frameon=False, fontsize=9.5
    )
    for outside in (heading, legend, footer):
        outside.set_in_layout(False)
    figure.tight_layout(rect=(0, 0.25 / height, 1, top - 0.28 / height), h_pad=1.6, w_pad=2.0)
    for outside in (heading, legend, footer):
        outside.set_in_layout(True)
    return figure


def intervals(
    tables: dict[str, pd.DataFrame], *, title: str, xlabel: str, source: str, digits: int = 2
) -> Figure | None:
    """Return points with their ranges in panels side by side, on one axis; None without any figure.

    Parameters
    ----------
    tables
        Name of the panel -> columns ``value``, ``low``, ``high``; rows of one name stand on one line, and each row is
        labeled with its figures.
    title, source
        The takeaway; where the figures come from.
    xlabel
        The axis with its unit.
    digits
        Significant digits of the labels.
    """
    shown = {name: table[table["value"].notna()].astype(float) for name, table in tables.items()}
    shown = {name: table for name, table in shown.items() if len(table)}
    if not shown:
        return None
    style()
    rows = list(dict.fromkeys(row for table in shown.values() for row in table.index))[::-1]
    height = BAR_INCHES * len(rows) + 1.75
    look = {"sharex": True, "sharey": True, "squeeze": False}
    figure, grid = plt.subplots(1, len(shown), figsize=(WIDTH + 1, height), **look)
    most = max(table[["value", "high"]].max().max() for table in shown.values())
    for axes, (name, table) in zip(grid.flat, shown.items(), strict=True):
        _rows(axes, table, rows, digits)
        axes.set_title(name, fontsize=10.5, pad=6, loc="left")
        axes.set_xlabel(xlabel, fontsize=9.5)
        axes.set_yticks(range(len(rows)), rows)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(0, 1.42 * most)
        linear_axis(axes)
    outside = _words(figure, title, source)
    for text in outside:
        text.set_in_layout(False)
    figure.tight_layout(rect=(0, 0.25 / height, 1, 1 - 0.4 / height), w_pad=2.0)
    for text in outside:
        text.set_in_layout(True)
    return figure


def _rows(axes: plt.Axes, table: pd.DataFrame, rows: list, digits: int) -> None:
    """Draw a point, its bar and its figures in every row that a table has."""
    for row, (value, low, high) in table[["value", "low", "high"]].iterrows():
        y, text = rows.index(row), number(value, digits)
        if low < high:
            axes.plot([low, high], [y, y], color=SERIES_COLORS[0], lw=5, alpha=0.35, solid_capstyle="butt")
            text += f" ({between(low, high, digits)})"
        axes.plot(value, y, "o", color=SERIES_COLORS[0], ms=7)
        right = high if low < high else value
        axes.annotate(text, (max(right, value), y), (7, 0), textcoords="offset points", va="center", fontsize=9)


def _words(figure: Figure, title: str, source: str) -> tuple[plt.Text, plt.Text]:
    """Write title and source around the panels, and return them."""
    inch = 0.05 / figure.get_figheight()
    look = {"fontsize": 13, "weight": "bold", "ha": "left", "va": "top"}
    heading = figure.suptitle(textwrap.fill(title, 84), x=0.01, y=1 - inch, **look)
    text = textwrap.fill(SOURCE + source, 128)
    return heading, figure.text(0.01, inch, text, fontsize=8, color="#666666", va="bottom")


def _whole_units(label: str) -> str:
    """Keep a unit in brackets on one line."""
    return re.sub(r"\[.*?\]", lambda unit: unit[0].replace(" ", "\u00a0"), label)


def _panel(axes: plt.Axes, name: str, table: pd.DataFrame, most: int) -> None:
    """Draw one tornado, the widest swing on top."""
    middle = table["value"].iloc[0]
    for y, (_, row) in enumerate(table.iterrows()):
        for end in ("low", "high"):
            axes.barh(y, row[end] - middle, left=middle, height=0.6, color=END_COLORS[end], alpha=0.85, zorder=2)
    axes.axvline(middle, color=INK, lw=1)
    ends = spans(table["input_low"], table["input_high"])
    labels = [f"{textwrap.fill(_whole_units(str(input_name)), 36)}\n{text}" for input_name, text in ends.items()]
    axes.set_yticks(range(len(table)), labels, fontsize=8)
    axes.set_ylim(len(table) - most - 0.6, len(table) - 0.4)
    low, high = table[["low", "high"]].min().min(), table[["low", "high"]].max().max()
    axes.set_xlim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    linear_axis(axes)
    axes.tick_params(axis="x", labelsize=8.5)
    words, _, unit = name.partition(" [")
    axes.set_title(textwrap.fill(words, 40), fontsize=9.5, pad=6)
    axes.set_xlabel(f"{unit.rstrip(']') or 'number'}; all at their values: {number(middle)}", fontsize=8.5)
