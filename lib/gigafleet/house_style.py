"""The house style: colors, frame, axes, keys and labels of every figure, and how a figure is shown.

Colors are those of Okabe and Ito, which readers with any common kind of color blindness can tell apart. Titles say
what is to be seen, axes carry units, the footer names the sources, and every figure shown has a text for those who
cannot see it.
"""

import io
import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from IPython.display import Markdown, display
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from matplotlib.transforms import Bbox

from gigafleet.tell import number

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
SOURCE = "Source: "  # how footers begin
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


def words(figure: Figure) -> dict[str, str | list[str]]:
    """Return what a figure says in words: its ``title``, its ``source``, and the ``labels`` of its panels and axes."""
    panels = [axes.get_title(loc) for axes in figure.axes for loc in ("left", "center")]
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel())]
    title = figure.get_suptitle() or next(filter(None, panels), "")
    written = (text.get_text() for part in (figure, *figure.axes) for text in part.texts)
    source = next((text for text in written if text.startswith(SOURCE)), "")
    others = [" ".join(text.split()) for text in dict.fromkeys([*panels, *labels]) if text and text != title]
    return {"title": " ".join(title.split()), "source": " ".join(source.split()), "labels": others}


def show(figure: Figure | None, alt: str) -> None:
    """Show a figure with the text that stands in for it, and close it; a sentence where there was nothing to draw.

    Beside the text, the picture's metadata hold the words in it (see :func:`words`), which nothing can read from it.
    """
    if figure is None:
        display(Markdown("*No chart: no figure is known for this choice.*"))
        return
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    about = {"alt": alt, "width": int(figure.get_size_inches()[0] * figure.dpi), **words(figure)}
    plt.close(figure)
    display({"image/png": buffer.getvalue(), "text/plain": alt}, raw=True, metadata={"image/png": about})


def vendor_color(vendor: str) -> str:
    """Return the color of a vendor; gray for one that has none."""
    return VENDOR_COLORS.get(vendor, "#777777")


def _unbroken(text: str) -> str:
    """Keep a percent sign on the line of its number."""
    return text.replace(" %", "\u00a0%")


def frame(rows: int, title: str, source: str, extra: float = 0.0) -> tuple[Figure, plt.Axes]:
    """Return a figure of the house's width, tall enough for so many rows, with its title and its source below.

    Parameters
    ----------
    rows
        Rows of the chart.
    title, source
        The takeaway; where the figures come from.
    extra
        Further height. [inches]
    """
    style()
    figure, axes = plt.subplots(figsize=(WIDTH, 1.5 + 0.36 * rows + extra))
    axes.set_title(textwrap.fill(_unbroken(title), 72), pad=12, x=0.0)
    axes.annotate(
        textwrap.fill(_unbroken(SOURCE + source), 118),
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


def log_ticks(axis: Axis, span: float) -> None:
    """Label a logarithmic axis at 1, 2 and 5 of each decade, or at the decades alone where it spans many."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: number(x, 2)))
    if span < 1000:
        axis.set_minor_formatter(FuncFormatter(lambda x, _: number(x, 2) if str(f"{x:e}")[0] in "25" else ""))
        axis.set_tick_params(which="both", labelsize=9.5, pad=4, length=0)
    else:
        axis.set_minor_formatter(NullFormatter())


def log_axis(axes: plt.Axes) -> None:
    """Make the x axis logarithmic, with readable ticks."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    log_ticks(axes.xaxis, high / low)


def linear_axis(axes: plt.Axes) -> None:
    """Write the ticks of the x axis as the notebooks write numbers."""
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, 3)))


def guides(
    axes: plt.Axes, rows: int, reference: float | None, label: str, band: tuple[float, float, str] | None
) -> None:
    """Draw a labeled line and a labeled band behind a chart of so many rows."""
    if band is None and reference is None:
        return
    axes.set_ylim(-0.6, rows + 0.9)  # room for labels above the first row
    taken = []
    if band is not None:
        axes.axvspan(band[0], band[1], color="#999999", alpha=0.18, lw=0, zorder=0)
        taken.append(_beside(axes, band[2], band[0], rows - 0.1, (1, -1), []))
    if reference is not None:
        axes.axvline(reference, color=INK, lw=1, ls="--")
        left = band is not None and reference < band[0]  # away from the band's own label
        boxes = [other.get_window_extent() for other in taken]
        taken.append(_beside(axes, label, reference, rows - 0.1, (-1, 1) if left else (1, -1), boxes))
    if all(text.xy[1] < rows for text in taken):
        axes.set_ylim(-0.6, rows + 0.3)


def _beside(axes: plt.Axes, text: str, x: float, y: float, sides: tuple[int, ...], taken: list[Bbox]) -> plt.Annotation:
    """Write a label left (-1) or right (1) of a line, inside the axes and clear of others, higher up if need be."""
    area = axes.get_window_extent()
    for up in (0.0, 0.6):
        for side in sides:
            look = {"textcoords": "offset points", "fontsize": 9, "va": "center", "ha": "right" if side < 0 else "left"}
            label = axes.annotate(text, (x, y + up), (4 * side, 0), **look)
            box = label.get_window_extent()
            if area.x0 < box.x0 and box.x1 < area.x1 and not any(box.overlaps(other) for other in taken):
                return label
            label.remove()
    return axes.annotate(text, (x, y), (4 * sides[0], 0), **(look | {"ha": "right" if sides[0] < 0 else "left"}))


def key_above(axes: plt.Axes, handles: list, columns: int = 4) -> None:
    """Put the key between title and axes, and raise the title above it."""
    look = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "frameon": False, "fontsize": 9.5, "borderaxespad": 0.2}
    axes.legend(handles=handles, ncols=min(columns, len(handles)), **look)
    axes.set_title(axes.get_title(loc="left"), pad=12 + 18 * -(-len(handles) // columns), x=0.0)


def vendor_key(axes: plt.Axes, vendors: pd.Series, more: Sequence = ()) -> None:
    """Name the vendors by their color, where there is more than one, and what else there is to name."""
    names = [v for v in dict.fromkeys(vendors.iloc[::-1]) if v]
    handles = [plt.Line2D([], [], marker="o", ls="", color=vendor_color(v), label=v) for v in names]
    if handles := [*(handles if len(names) > 1 else []), *more]:
        key_above(axes, handles)


def label_points(axes: plt.Axes, points: list[tuple[str, object, float]]) -> None:
    """Label each point on the side where its label meets no other label and no point."""
    figure = axes.figure
    figure.canvas.draw()
    dots = [axes.transData.transform((axes.convert_xunits(x), y)) for _, x, y in points]
    taken = [Bbox.from_extents(x - 5, y - 5, x + 5, y + 5) for x, y in dots]
    for name, x, y in points:
        for dx, dy, ha in (
            (8, 0, "left"),
            (-8, 0, "right"),
            (0, 11, "center"),
            (0, -12, "center"),
            (8, 11, "left"),
            (8, -12, "left"),
        ):
            label = axes.annotate(name, (x, y), (dx, dy), textcoords="offset points", ha=ha, va="center", fontsize=9)
            box = label.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                break
            label.remove()
        else:
            label = axes.annotate(name, (x, y), (8, 0), textcoords="offset points", ha="left", va="center", fontsize=9)
        taken.append(label.get_window_extent())
