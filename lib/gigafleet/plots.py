"""The house style, and figures that take result tables. They know no model.

Colors are those of Okabe and Ito, which readers with any common kind of color blindness can tell apart. Titles say
what is to be seen, axes carry units, the footer names the sources, and every figure shown has a text for those who
cannot see it.
"""

import io
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Markdown, display
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from gigafleet.tell import between, number

VENDOR_COLORS = {
    "AMD": "#D55E00",
    "NVIDIA": "#009E73",
    "Google": "#0072B2",
    "AWS": "#E69F00",
    "Intel": "#56B4E9",
    "OpenAI/Broadcom": "#CC79A7",
}
SERIES_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#777777")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
INK = "#333333"
WIDTH = 9.0


def style() -> None:
    """Set the house style for all figures to come."""
    sns.set_theme(style="whitegrid", context="notebook")
    plt.rcParams.update(
        {
            "axes.edgecolor": "#999999",
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 13,
            "axes.titleweight": "bold",
            "axes.grid.axis": "x",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.dpi": 110,
            "font.family": "DejaVu Sans",
            "font.size": 10,
            "axes.labelsize": 10,
            "xtick.labelsize": 9.5,
            "ytick.labelsize": 9.5,
            "grid.color": "#E5E5E5",
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


def show(figure: Figure | None, alt: str) -> None:
    """Show a figure with the text that stands in for it, and close it; a sentence where there was nothing to draw."""
    if figure is None:
        display(Markdown("*No chart: no figure is known for this choice.*"))
        return
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    size = figure.get_size_inches() * figure.dpi
    plt.close(figure)
    display(
        {"image/png": buffer.getvalue(), "text/plain": alt},
        raw=True,
        metadata={"image/png": {"alt": alt, "width": int(size[0])}},
    )


def _unbroken(text: str) -> str:
    """Keep a percent sign on the line of its number."""
    return text.replace(" %", "\u00a0%")


def _frame(rows: int, title: str, source: str, extra: float = 0.0) -> tuple[Figure, plt.Axes]:
    style()
    figure, axes = plt.subplots(figsize=(WIDTH, 1.5 + 0.36 * rows + extra))
    axes.set_title(textwrap.fill(_unbroken(title), 72), pad=12, x=0.0)
    axes.annotate(
        textwrap.fill(_unbroken("Source: " + source), 118),
        (0, 0),
        (0, -44),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color="#666666",
        va="top",
        annotation_clip=False,
    )
    return figure, axes


def _log_axis(axes: plt.Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, 2)))
    low, high = axes.get_xlim()
    if high / low < 1000:
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda x, _: number(x, 2) if str(f"{x:e}")[0] in "25" else ""))
        axes.tick_params(axis="x", which="both", labelsize=9.5, pad=4, length=0)
    else:
        axes.xaxis.set_minor_formatter(NullFormatter())


def _linear_axis(axes: plt.Axes) -> None:
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, 3)))


def vendor_color(vendor: str) -> str:
    """Return the color of a vendor; gray for one that has none."""
    return VENDOR_COLORS.get(vendor, "#777777")


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
        Index: what the row is; columns ``value``, ``low``, ``high`` (NaN where there is no range) and ``vendor`` (its
        color; optional).
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
    figure, axes = _frame(len(known), title, source)
    vendors = known["vendor"] if "vendor" in known else pd.Series("", known.index)
    right = known[["value", "high"]].max(axis=1)
    if marks is not None:
        look = {"ls": "", "marker": "D", "color": "black", "mec": "white", "ms": 8, "label": mark_label}
        axes.plot(marks.reindex(known.index), range(len(known)), **look)
    for y, (_, row) in enumerate(known.iterrows()):
        color = vendor_color(vendors.iloc[y]) if vendors.iloc[y] else SERIES_COLORS[0]
        if row["low"] < row["high"]:
            axes.plot([row["low"], row["high"]], [y, y], color=color, lw=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(row["value"], y, "o", color=color, ms=7)
        label = (number(row["value"], digits), (right.iloc[y], y), (7, 0))
        axes.annotate(*label, textcoords="offset points", va="center")
    axes.set_yticks(range(len(known)), known.index)
    axes.set_ylim(-0.6, len(known) - 0.4)
    if log:
        _log_axis(axes)
        low, high = known[["low", "value"]].min().min(), right.max()
        axes.set_xlim(low / (high / low) ** 0.06, high * (high / low) ** 0.14)
        _log_axis(axes)
    else:
        edge = right.max() if marks is None else max(right.max(), marks.max())
        axes.set_xlim(min(0, known[["low", "value"]].min().min()), edge * 1.13)
        _linear_axis(axes)
    _guides(axes, len(known), reference, reference_label, band)
    axes.set_xlabel(xlabel)
    if marks is not None:
        _key_above(axes, axes.get_legend_handles_labels()[0])
    _vendor_key(axes, vendors)
    return figure


def _guides(
    axes: plt.Axes, rows: int, reference: float | None, label: str, band: tuple[float, float, str] | None
) -> None:
    """Draw a labeled line and a labeled band behind a chart of so many rows."""
    look = {"textcoords": "offset points", "fontsize": 9, "va": "center"}
    if band is not None:
        axes.axvspan(band[0], band[1], color="#999999", alpha=0.18, lw=0, zorder=0)
        axes.annotate(band[2], (band[0], rows - 0.1), (4, 0), **look)
    if reference is not None:
        axes.axvline(reference, color=INK, lw=1, ls="--")
        axes.annotate(label, (reference, rows - 0.1), (4, 0), **look)
    if band is not None or reference is not None:
        axes.set_ylim(-0.6, rows + 0.3)  # room for the label above the first row


def _key_above(axes: plt.Axes, handles: list, columns: int = 4) -> None:
    """Put the key between title and axes, and raise the title above it."""
    look = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "frameon": False, "fontsize": 9.5, "borderaxespad": 0.2}
    axes.legend(handles=handles, ncols=min(columns, len(handles)), **look)
    axes.set_title(axes.get_title(loc="left"), pad=12 + 18 * -(-len(handles) // columns), x=0.0)


def _vendor_key(axes: plt.Axes, vendors: pd.Series) -> None:
    names = [v for v in dict.fromkeys(vendors.iloc[::-1]) if v]
    if len(names) > 1:
        _key_above(axes, [plt.Line2D([], [], marker="o", ls="", color=vendor_color(v), label=v) for v in names])


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
    figure, axes = _frame(len(known), title, source)
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
    _log_axis(axes)
    axes.set_xlabel(xlabel)
    _key_above(axes, axes.get_legend_handles_labels()[0])
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
    """
    known = table.dropna(how="all").iloc[::-1]
    known = known.loc[:, (known.fillna(0) != 0).any()]
    if known.empty:
        return None
    widest = known.sum(axis=1).max()
    figure, axes = _frame(len(known), title, source)
    left = np.zeros(len(known))
    for i, part in enumerate(known):
        axes.barh(
            range(len(known)),
            known[part],
            left=left,
            height=0.62,
            color=SERIES_COLORS[i],
            label=part,
            edgecolor="white",
        )
        for y, value in enumerate(known[part]):
            if value > 0.05 * widest:
                axes.text(left[y] + value / 2, y, number(value, 2), ha="center", va="center", color="white", fontsize=9)
        left = left + known[part].fillna(0).to_numpy()
    edge = left if marks is None else np.fmax(left, marks.reindex(known.index).to_numpy(float))
    for y, total in enumerate(left if totals else []):
        axes.annotate(number(total), (edge[y], y), (9, 0), textcoords="offset points", va="center", fontweight="bold")
    if marks is not None:
        axes.plot(
            marks.reindex(known.index),
            range(len(known)),
            ls="",
            marker="|",
            color="black",
            ms=26,
            mew=2.5,
            label=mark_label,
        )
    axes.set_yticks(range(len(known)), known.index)
    axes.set_xlim(0, edge.max() * (1.12 if totals else 1.0))
    _linear_axis(axes)
    axes.set_xlabel(xlabel)
    _key_above(axes, axes.get_legend_handles_labels()[0])
    return figure


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
    figure, axes = _frame(1.5 * len(rows), title, source)
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
            axes.text(x + 0.5, y + 0.5, text.loc[row, column], ha="center", va="center", fontsize=9.5, color=INK)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.tick_params(axis="y", rotation=0)
    keys = [
        ("AMD ahead", VENDOR_COLORS["AMD"]),
        ("NVIDIA ahead", VENDOR_COLORS["NVIDIA"]),
        ("cannot be told apart, or no range known", "#DDDDDD"),
    ]
    handles = [plt.Rectangle((0, 0), 1, 1, color=color, alpha=0.75, label=name) for name, color in keys]
    _key_above(axes, handles)
    return figure
