"""Figures: title, unit on the axis, source in the footer, alt text, colors apart, nothing cut or overlapping."""

import io
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from gigafleet import house_style, plots

INDEX = pd.Index(["MI455X", "VR200", "GB200"])
TABLE = pd.DataFrame(
    {
        "value": [3.0, 2.0, 1.0],
        "low": [2.5, 1.5, np.nan],
        "high": [4.0, 2.2, np.nan],
        "vendor": ["AMD", "NVIDIA", "NVIDIA"],
    },
    INDEX,
)
TEXT = {
    "title": "MI455X leads by a takeaway that is long enough to need a second line of the title",
    "source": "a test; " * 20,
}
PAIRS = pd.DataFrame(
    {"low": [0.8, 2.0] + [0.123] * 6, "median": [1.1, 2.2] + [0.456] * 6, "high": [1.2, 2.5] + [0.789] * 6}
    | {"verdict": ["not distinguishable"] + ["AMD ahead"] * 7},
    pd.MultiIndex.from_product([["MI455X"], ["VR200", "GB200", "GB300", "B200", "B300", "H200", "H100", "R200"]]),
)
PARTS = pd.DataFrame({"system": [1.0, 2, 3], "energy": [0.2, 0.1, 0]}, INDEX)
HIGH = pd.Series([5.0, 2.5, np.nan], INDEX)
FIGURES = {
    "intervals": lambda: plots.intervals(TABLE, xlabel="PFLOP/s", **TEXT),
    "intervals_log": lambda: plots.intervals(
        TABLE, xlabel="PFLOP/s", log=True, reference=2.0, reference_label="here", **TEXT
    ),
    "intervals_band": lambda: plots.intervals(TABLE, xlabel="PFLOP/s", band=(0.5, 1.0, "press"), **TEXT),
    "intervals_marks": lambda: plots.intervals(
        TABLE, xlabel="PFLOP/s", marks=pd.Series([5.0], ["VR200"]), mark_label="published", **TEXT
    ),
    "dots": lambda: plots.dots(
        pd.DataFrame({"BF16": [1.0, 2, 3], "FP8": [2.0, 4, np.nan]}, INDEX), xlabel="PFLOP/s", **TEXT
    ),
    "stacked": lambda: plots.stacked(
        PARTS,
        xlabel="USD/h",
        marks=pd.Series([1.3], ["GB200"]),
        mark_label="published",
        **TEXT,
    ),
    "intervals_open": lambda: plots.intervals(
        TABLE.replace({"high": {4.0: np.inf}}), xlabel="PFLOP/s", digits=2, **TEXT
    ),
    "stacked_ends": lambda: plots.stacked(PARTS, xlabel="USD/h", low=PARTS.sum(axis=1) - 1, high=HIGH, **TEXT),
    "timeline": lambda: plots.timeline(
        pd.DataFrame(
            {
                "value": [20.1, 17.5, 17.5, 5, 5, 2],
                "date": ["2026-07", "2026-08", "2026-08", "2025-08", "2025-06", ""],
                "vendor": ["AMD", "NVIDIA", "NVIDIA", "NVIDIA", "AMD", "AMD"],
            },
            ["MI455X", "R200", "VR200", "GB300", "MI355X", "MI500"],
        ),
        ylabel="PFLOP/s",
        **TEXT,
    ),
    "matrix": lambda: plots.matrix(PAIRS, xlabel="NVIDIA", ylabel="AMD", **TEXT),
}


@pytest.fixture(params=FIGURES)
def figure(request):
    figure = FIGURES[request.param]()
    yield figure
    plt.close(figure)


def test_a_figure_has_title_unit_and_source(figure):
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith("MI455X leads")
    assert axes.get_xlabel()
    assert any(text.get_text().startswith("Source: a test") for text in axes.texts)


def _boxes(figure):
    figure.canvas.draw()
    (axes,) = figure.axes
    texts = [
        axes.title,
        axes._left_title,
        axes.xaxis.label,
        *axes.texts,
        *axes.get_xticklabels(),
        *axes.get_yticklabels(),
    ]
    if axes.get_legend():
        texts.append(axes.get_legend())
    return {
        t: t.get_window_extent()
        for t in texts
        if t.get_visible() and (not hasattr(t, "get_text") or t.get_text().strip())
    }


def test_no_text_overlaps_another(figure):
    for (a, box), (b, other) in itertools.combinations(_boxes(figure).items(), 2):
        width = min(box.x1, other.x1) - max(box.x0, other.x0)
        height = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert width <= 1 or height <= 1, (
            getattr(a, "get_text", lambda: "key")(),
            getattr(b, "get_text", lambda: "key")(),
        )


def test_nothing_is_cut_in_the_picture(figure):
    """The margin of the saved picture is white on every side."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    pixels = np.asarray(Image.open(buffer).convert("L"))
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge > 250).all()


def _seen(color: str, matrix: np.ndarray) -> np.ndarray:
    return np.clip(matrix @ np.array(to_rgb(color)), 0, 1)


# Machado, Oliveira and Fernandes (2009), severity 1.0: what a reader without red or green cones sees.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)


@pytest.mark.parametrize("matrix", [np.eye(3), DEUTERANOPIA, PROTANOPIA], ids=["all", "deuteranopia", "protanopia"])
def test_vendor_colors_stay_apart(matrix):
    for (a, one), (b, other) in itertools.combinations(plots.VENDOR_COLORS.items(), 2):
        assert np.linalg.norm(_seen(one, matrix) - _seen(other, matrix)) > 0.15, (a, b)


def test_without_figures_there_is_no_chart(monkeypatch):
    empty = TABLE.assign(value=np.nan)
    assert plots.intervals(empty, xlabel="x", **TEXT) is None
    assert plots.dots(pd.DataFrame({"a": [np.nan]}, ["r"]), xlabel="x", **TEXT) is None
    assert plots.stacked(pd.DataFrame({"a": [np.nan]}, ["r"]), xlabel="x", **TEXT) is None
    assert plots.matrix(PAIRS.iloc[:0], xlabel="x", ylabel="y", **TEXT) is None
    shown = []
    monkeypatch.setattr(house_style, "display", lambda data, **_: shown.append(data))
    plots.show(None, alt="nothing")
    assert "No chart" in shown[0].data


def test_show_carries_the_alt_text_and_closes(monkeypatch):
    shown = []
    monkeypatch.setattr(house_style, "display", lambda data, raw, metadata: shown.append((data, metadata)))
    plots.show(FIGURES["intervals"](), alt="Three accelerators.")
    data, metadata = shown[0]
    assert data["text/plain"] == metadata["image/png"]["alt"] == "Three accelerators."
    assert data["image/png"].startswith(b"\x89PNG")
    assert {"title", "source", "labels"} < set(metadata["image/png"])
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", FIGURES)
def test_the_words_of_a_figure_are_those_it_was_given(name):
    """In one line each, whatever breaks the picture has: nothing can read them from it."""
    figure = FIGURES[name]()
    said = house_style.words(figure)
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
    plt.close(figure)
    assert said["title"] == TEXT["title"]
    assert said["source"] == "Source: " + " ".join(TEXT["source"].split())
    assert labels
    assert set(labels) <= set(said["labels"])


def test_the_same_figure_is_the_same_picture():
    pictures = []
    for _ in range(2):
        figure, buffer = FIGURES["stacked"](), io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
        plt.close(figure)
        pictures.append(buffer.getvalue())
    assert pictures[0] == pictures[1]


def test_a_range_without_an_end_goes_to_the_edge():
    figure = FIGURES["intervals_open"]()
    axes = figure.axes[0]
    edge = axes.get_xlim()[1]
    (bar,) = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_xdata()[1] == edge]
    assert bar.get_xdata()[0] == TABLE.loc["MI455X", "low"]
    assert bar.get_ydata()[0] == 2  # the first row stands on top
    assert edge < 4, "what is infinite does not set the axis"
    plt.close(figure)


def test_a_number_stands_in_a_bar_only_where_it_fits():
    """0.052 of 1 is too thin for its digits, 1.0 and 0.4 are not."""
    figure = plots.stacked(pd.DataFrame({"a": [0.4], "b": [0.052], "c": [1.0]}, ["row"]), xlabel="USD", **TEXT)
    inside = {t.get_text(): t.get_window_extent() for t in figure.axes[0].texts if t.get_color() == "white"}
    assert set(inside) == {"0.4", "1"}
    bars = [patch.get_window_extent() for patch in figure.axes[0].patches]
    assert all(any(bar.x0 < box.x0 and box.x1 < bar.x1 for bar in bars) for box in inside.values())
    plt.close(figure)


@pytest.mark.parametrize("reference", [0.1, 1.0, 3.9])
@pytest.mark.parametrize("band", [None, (0.6, 2.0, "price targets alone: 9.0 to 29 %"), (3.8, 4.0, "press")])
def test_guides_are_labeled_inside_the_axes(reference, band):
    look = {"reference": reference, "reference_label": "AMD's remark", "band": band}
    figure = plots.intervals(TABLE, xlabel="%", **look, **TEXT)
    (axes,) = figure.axes
    area, names = axes.get_window_extent(), {"AMD's remark", band[2] if band else ""}
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text() in names]
    assert len(boxes) == 1 + bool(band)
    assert all(area.x0 <= box.x0 and box.x1 <= area.x1 and box.y1 <= area.y1 + 1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    plt.close(figure)


def test_whiskers_of_stacked_bars_are_those_given():
    figure = FIGURES["stacked_ends"]()
    axes = figure.axes[0]
    (whiskers,) = axes.collections
    found = sorted((round(y, 6), x0, x1) for (x0, y), (x1, _) in whiskers.get_segments())
    total = PARTS.sum(axis=1)
    assert found == [(0.61, total["VR200"] - 1, 2.5), (1.61, pytest.approx(total["MI455X"] - 1), 5.0)]
    assert axes.get_xlim()[1] > 5
    assert "90 % interval of the total" in [t.get_text() for t in axes.get_legend().get_texts()]
    plt.close(figure)
