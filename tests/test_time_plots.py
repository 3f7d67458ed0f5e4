"""Figures over time, heat maps, bridges and flows: all drawn at its place, gaps left open, labels apart and inside."""

import io
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from PIL import Image

from gigafleet import plots
from gigafleet.house_style import SERIES_COLORS
from gigafleet.plot_labels import spread

TEXT = {
    "title": "The last tranche leads by a takeaway that is long enough to need a second line of the title",
    "source": "a test; " * 20,
}


def quarters(year: int, quarter: int, count: int) -> pd.Index:
    return pd.Index([f"{year + i // 4}Q{i % 4 + 1}" for i in range(quarter - 1, quarter - 1 + count)])


GROWTH = 1.05 ** np.arange(42)
FAN = pd.DataFrame(
    {"low": 150.0, "p25": 190 * GROWTH**0.5, "median": 220 * GROWTH**0.7, "p75": 250 * GROWTH, "high": 380 * GROWTH},
    quarters(2026, 3, 42),
)
TARGETS = {f"target {level} USD": level for level in (225.0, 270.0, 330.0, 400.0, 490.0, 600.0)}
HISTORY = pd.Series(np.linspace(5000.0, 11500, 14), quarters(2023, 1, 14))
PARTS = pd.DataFrame(
    {"other": np.linspace(11000, 15000, 20), "OpenAI": np.linspace(0, 6000, 20), "Meta": [np.nan] * 8 + [2500.0] * 12},
    quarters(2026, 3, 20),
)
TOTAL = PARTS.sum(axis=1)
PUBLISHED = pd.DataFrame(
    {"value": [21000.0, 19000, 25000], "low": [18000.0, np.nan, np.nan], "high": [24000.0, np.nan, np.nan]}
    | {"label": ["consensus, 41 analysts", "one analyst", "another analyst"]},
    ["2027Q4", "2027Q4", "2030Q1"],
)
YEARS = pd.DataFrame({"gross": [5000.0, 9000, 12000], "warrant": [-500.0, -2000, np.nan]}, [2027, 2028, 2029])
LINES = pd.DataFrame(
    {"with the warrant": [1.0, 2, 3, 4], "without": [1.1, 2.1, 3.1, 4.01], "Oracle": [3.0, np.nan, 2, np.nan]},
    quarters(2026, 3, 4),
)
POINTS = pd.DataFrame(
    {"x": ["2026Q4", "2027Q2"], "y": [3.5, 1.0], "low": [3.0, np.nan], "high": [3.8, np.nan], "label": ["UBS", "Citi"]}
)
GRID = pd.DataFrame([[1.0, 200, 300], [400, np.nan, -6000]], [0.3, 0.4], ["2027", "2028", "2029"])
STEPS = pd.Series(
    {"gross": 90.0, "warrant": -20.0, "unknown": np.nan, "net": 7.0, "cost": -80.0, "licence": 5.0, "profit": np.nan}
)
ENDS = pd.DataFrame({"low": [80.0, -26, 60, -90, -20], "high": [105.0, -15, 82, -70, 10]}, STEPS.index[[0, 1, 3, 4, 6]])
OPEN = (1.2 * LINES).mask(LINES.index.to_series() < "2027Q1", np.inf)
NODES = pd.DataFrame(
    {"x": [0.5, 0, 0.5, 1, 1, 0], "y": [0.55, 0.5, 0, 1, 0.1, 1]}
    | {"text": ["sells accelerators", "buys compute", "are diluted", "", "own data centers", "lease racks"]},
    ["AMD", "OpenAI", "Shareholders", "Oracle", "Meta", "Landlords"],
)
ARROWS = pd.DataFrame(
    [
        ("OpenAI", "AMD", 16.0, "16 billion USD", "cash"),
        ("AMD", "OpenAI", 4.0, "warrant", "shares"),
        ("AMD", "OpenAI", np.nan, "MI450, 1 GW a year", "goods"),
        ("Oracle", "AMD", 4.0, "4 billion USD", "cash"),
        ("AMD", "Oracle", 4.0, "50,000 MI450", "goods"),
        ("Meta", "AMD", 7.0, "7 billion USD", "cash"),
        ("Shareholders", "AMD", 9.0, "dilution", "shares"),
        ("OpenAI", "Landlords", 12.0, "rent, 12 billion USD", "cash"),
    ],
    columns=["start", "end", "value", "label", "kind"],
)
FIGURES = {
    "fan": lambda: plots.fan(FAN, ylabel="share price [USD]", references=TARGETS, **TEXT),
    "fan_log": lambda: plots.fan(FAN, ylabel="share price [USD]", references=TARGETS, log=True, **TEXT),
    "fan_dates": lambda: plots.fan(
        FAN[["low", "median", "high"]].set_axis(pd.date_range("2026-09-30", periods=42, freq="QE")),
        ylabel="share price [USD]",
        xlabel="Date",
        ylim=(0, 500),
        references=TARGETS,
        **TEXT,
    ),
    "columns": lambda: plots.columns(
        PARTS,
        ylabel="USD million",
        xlabel="Quarter",
        history=HISTORY,
        low=0.8 * TOTAL,
        high=1.3 * TOTAL,
        published=PUBLISHED,
        **TEXT,
    ),
    "columns_one_reported": lambda: plots.columns(PARTS, ylabel="USD million", history=HISTORY.iloc[-1:], **TEXT),
    "columns_totals": lambda: plots.columns(YEARS, ylabel="USD million", xlabel="Year", **TEXT),
    "lines": lambda: plots.lines(
        LINES, ylabel="margin [%]", xlabel="Quarter", low=0.9 * LINES, high=1.1 * LINES, points=POINTS, **TEXT
    ),
    "lines_log": lambda: plots.lines(
        LINES.set_axis([0.5, 1.0, 2.0, 4.0]), ylabel="price [USD/h]", xlabel="Age [years]", log=True, **TEXT
    ),
    "heatmap": lambda: plots.heatmap(
        GRID, xlabel="Year", ylabel="Rate", unit="net value [USD million]", mark=(0.4, "2027", "base case"), **TEXT
    ),
    "heatmap_long_names": lambda: plots.heatmap(
        GRID.set_axis([f"a name of a column much too long, {i}" for i in range(3)], axis=1),
        xlabel="Year",
        ylabel="Rate",
        unit="USD million",
        **TEXT,
    ),
    "waterfall": lambda: plots.waterfall(
        STEPS.rename({"warrant": "warrant at its value of the day of the grant"}),
        xlabel="USD billion",
        totals=("net", "profit"),
        **TEXT,
    ),
    "waterfall_ends": lambda: plots.waterfall(STEPS, xlabel="USD billion", totals=("net", "profit"), ends=ENDS, **TEXT),
    "lines_open": lambda: plots.lines(
        LINES, ylabel="cost [USD]", low=0.9 * LINES, high=OPEN, band="5 to 95 % of draws", zero=False, **TEXT
    ),
    "flow": lambda: plots.flow(NODES, ARROWS, **TEXT),
}


@pytest.fixture
def draw():
    """Draw a figure by its name or by a function, and close it after the test."""
    yield lambda make: FIGURES[make]() if isinstance(make, str) else make
    plt.close("all")


@pytest.fixture(params=FIGURES)
def figure(request, draw):
    return draw(request.param)


def _texts(figure) -> dict:
    """Return all texts of a figure that are to be seen, with their extents."""
    figure.canvas.draw()
    found = {}
    for axes in figure.axes:
        ticks = [
            label
            for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim())))
            for side in ("major", "minor")
            for label, at in zip(axis.get_ticklabels(which=side), axis.get_ticklocs(minor=side == "minor"), strict=True)
            if low <= at <= high and axes.axison
        ]
        labels = [axes.xaxis.label, axes.yaxis.label] if axes.axison else []
        legend = axes.get_legend().get_texts() if axes.get_legend() else []
        for text in [axes._left_title, *labels, *axes.texts, *ticks, *legend]:
            if text.get_visible() and text.get_text().strip():
                found[text] = plt.Text.get_window_extent(text)
    return found


def _find(figure, text: str):
    return next(t for t in figure.axes[0].texts if t.get_text() == text)


def test_a_figure_has_title_and_source(figure):
    axes = figure.axes[0]
    assert axes.get_title(loc="left").startswith("The last tranche leads")
    assert any(text.get_text().startswith("Source: a test") for text in axes.texts)
    assert axes.get_ylabel() or axes.get_xlabel() or not axes.axison


def test_no_text_overlaps_another(figure):
    texts = _texts(figure)
    assert len(texts) > 5
    for (a, box), (b, other) in itertools.combinations(texts.items(), 2):
        turned = a.get_rotation() % 90 and b.get_rotation() % 90
        width = min(box.x1, other.x1) - max(box.x0, other.x0)
        height = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert width <= 1 or height <= 1 or turned, (a.get_text(), b.get_text())


def test_every_text_lies_inside_the_figure(figure):
    for text, box in _texts(figure).items():
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text


def test_nothing_is_cut_in_the_picture(figure):
    """The margin of the saved picture is white on every side."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    pixels = np.asarray(Image.open(buffer).convert("L"))
    assert pixels.min() < 100
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge > 250).all()


def test_an_empty_table_gives_no_figure():
    nothing = pd.DataFrame({"a": [np.nan]}, ["2026Q3"])
    fan = pd.DataFrame({"low": [1.0], "median": [np.nan], "high": [2.0]}, ["2026Q3"])
    assert plots.fan(fan, ylabel="y", references=TARGETS, **TEXT) is None
    assert plots.fan(fan.iloc[:0], ylabel="y", **TEXT) is None
    assert plots.columns(nothing, ylabel="y", history=HISTORY, **TEXT) is None
    assert plots.columns(nothing.iloc[:0], ylabel="y", **TEXT) is None
    assert plots.lines(nothing, ylabel="y", points=POINTS, **TEXT) is None
    assert plots.lines(nothing.fillna(-1.0), ylabel="y", log=True, **TEXT) is None
    assert plots.heatmap(nothing, xlabel="x", ylabel="y", unit="u", **TEXT) is None
    assert plots.waterfall(pd.Series({"net": 1.0, "step": np.nan}), xlabel="x", totals=["net"], **TEXT) is None
    assert plots.flow(NODES, ARROWS.iloc[:0], **TEXT) is None
    assert plt.get_fignums() == []


def test_labels_are_spread_as_little_as_they_need():
    heights = np.full(3, 10.0)
    assert spread(np.array([50.0, 10.0, 30.0]), heights, 0, 100).tolist() == [50, 10, 30]
    assert spread(np.array([50.0, 50.0, 50.0]), heights, 0, 100).tolist() == [40, 50, 60]
    assert spread(np.array([99.0, 98.0, 0.0]), heights, 0, 100).tolist() == [95, 85, 5]


def test_a_fan_draws_the_median_the_bands_and_the_levels(draw):
    figure = draw("fan")
    (axes,) = figure.axes
    median, *levels = axes.lines
    np.testing.assert_allclose(median.get_ydata(), FAN["median"])
    assert [line.get_ydata()[0] for line in levels] == list(TARGETS.values())
    assert all(line.get_linestyle() == "--" for line in levels)
    for band, low, high in zip(axes.collections[::2], ("low", "p25"), ("high", "p75"), strict=True):
        corners = band.get_paths()[0].vertices
        assert {tuple(corner) for corner in zip(range(42), FAN[high], strict=True)} <= set(map(tuple, corners))
        assert {tuple(corner) for corner in zip(range(42), FAN[low], strict=True)} <= set(map(tuple, corners))
    heights = [_find(figure, name).get_window_extent().y0 for name in TARGETS]
    assert heights == sorted(heights)
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["2027Q1", "2029Q1", "2031Q1", "2033Q1", "2035Q1"]
    assert axes.get_xticks().tolist() == [2, 10, 18, 26, 34]


def test_a_fan_leaves_gaps_and_levels_beyond_the_axis_out(draw):
    table = FAN.iloc[:6].copy()
    table.iloc[[0, 3], table.columns.get_loc("median")] = np.nan
    figure = draw(plots.fan(table, ylabel="y", ylim=(0, 300), references={"far": 600, "none": np.nan}, **TEXT))
    (median,) = figure.axes[0].lines
    assert np.isnan(median.get_ydata()).tolist() == [False, False, True, False, False]
    assert figure.axes[0].get_ylim() == (0, 300)
    (band,) = {path.vertices[:, 0].max() for path in figure.axes[0].collections[0].get_paths()[:1]}
    assert band == 1


def _bars(axes, color: str) -> dict[float, tuple[float, float]]:
    """Return the bars of a color: center -> bottom and top."""
    found = {}
    for bar in axes.patches:
        if isinstance(bar, Rectangle) and to_hex(bar.get_facecolor()).upper() == color:
            found[round(bar.get_x() + bar.get_width() / 2, 6)] = (bar.get_y(), bar.get_y() + bar.get_height())
    return found


def test_columns_stand_on_each_other_after_those_reported(draw):
    figure = draw("columns")
    (axes,) = figure.axes
    reported = _bars(axes, "#BBBBBB")
    assert list(reported) == list(range(14))
    np.testing.assert_allclose([top for _, top in reported.values()], HISTORY)
    base = np.zeros(20)
    for color, name in zip(SERIES_COLORS, PARTS, strict=False):
        bars = _bars(axes, color)
        known = PARTS[name].notna().to_numpy()
        assert list(bars) == (14 + np.flatnonzero(known)).tolist()
        np.testing.assert_allclose([low for low, _ in bars.values()], base[known])
        np.testing.assert_allclose([top for _, top in bars.values()], (base + PARTS[name])[known])
        base = base + PARTS[name].fillna(0).to_numpy()
    separator = next(line for line in axes.lines if line.get_linestyle() == "--")
    assert set(separator.get_xdata()) == {13.5}
    assert _find(figure, "reported").get_window_extent().x1 < _find(figure, "scenario").get_window_extent().x0
    whiskers = axes.collections[0].get_segments()
    np.testing.assert_allclose([w[:, 1] for w in whiskers], np.column_stack([0.8 * TOTAL, 1.3 * TOTAL]))
    np.testing.assert_allclose([w[:, 0] for w in whiskers], np.column_stack([range(14, 34)] * 2))


def test_published_figures_stand_in_their_column_with_their_range(draw):
    figure = draw("columns")
    (axes,) = figure.axes
    diamonds = next(line for line in axes.lines if line.get_marker() == "D")
    assert diamonds.get_ydata().tolist() == PUBLISHED["value"].tolist()
    assert np.round(diamonds.get_xdata()).tolist() == [19, 19, 28]
    assert diamonds.get_xdata()[0] < diamonds.get_xdata()[1]
    ranges = axes.collections[1].get_segments()
    assert [r[:, 1].tolist() for r in ranges if np.size(r) and np.isfinite(r).all()] == [[18000, 24000]]
    assert {"consensus, 41 analysts", "one analyst"} <= {text.get_text() for text in axes.texts}


def test_a_period_is_not_both_reported_and_drawn():
    history = pd.concat([HISTORY, pd.Series({"2026Q3": 1.0})])
    with pytest.raises(ValueError, match="reported and in the table: 2026Q3"):
        plots.columns(PARTS, ylabel="y", history=history, **TEXT)


def test_totals_stand_over_few_columns_and_count_parts_below_zero(draw):
    figure = draw("columns_totals")
    (axes,) = figure.axes
    assert {"4,500", "7,000", "12,000"} <= {text.get_text() for text in axes.texts}
    assert list(_bars(axes, SERIES_COLORS[1]).values()) == [(0, -500), (0, -2000)]
    none = draw(plots.columns(YEARS, ylabel="y", totals=False, **TEXT))
    assert "4,500" not in {text.get_text() for text in none.axes[0].texts}
    assert not [text for text in draw("columns").axes[0].texts if text.get_fontweight() == "bold"]


def test_lines_are_named_at_their_ends_in_their_colors(draw):
    figure = draw("lines")
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if line.get_marker() == "o"]
    for line, name in zip(drawn, LINES, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), LINES[name])
    figure.canvas.draw()
    for name in ("with the warrant", "without"):
        assert _find(figure, name).xy[1] == LINES[name].iloc[-1]
        assert plt.Text.get_window_extent(_find(figure, name)).x0 > axes.get_window_extent().x1
    assert _find(figure, "Oracle").xy == (2, 2.0)
    colors = [_find(figure, name).get_color() for name in LINES]
    assert len(set(colors)) == 3
    diamonds = next(line for line in axes.lines if line.get_marker() == "D")
    assert diamonds.get_xydata().tolist() == [[1, 3.5], [3, 1.0]]
    assert axes.get_ylim()[0] == 0


def test_numbers_are_drawn_to_scale_and_the_logarithm_of_zero_not_at_all(draw):
    table = LINES.set_axis([0.5, 1.0, 2.0, 4.0])
    table.iloc[0, 0] = 0.0
    figure = draw(plots.lines(table, ylabel="y", log=True, **TEXT))
    (axes,) = figure.axes
    assert axes.lines[1].get_xdata().tolist() == [0.5, 1, 2, 4]
    assert axes.lines[0].get_xdata()[np.isfinite(axes.lines[0].get_ydata())].tolist() == [1, 2, 4]
    assert axes.get_yscale() == "log"
    assert 0 < axes.get_ylim()[0] <= 1.1


def test_a_heat_map_writes_its_cells_and_outlines_one(draw):
    figure = draw("heatmap")
    axes, bar = figure.axes
    cells = {text.get_position(): text for text in axes.texts[1:]}
    assert {at: text.get_text() for at, text in cells.items()} == {
        (0.5, 0.5): "1",
        (1.5, 0.5): "200",
        (2.5, 0.5): "300",
        (0.5, 1.5): "400",
        (2.5, 1.5): "-6,000",
    }
    assert (cells[0.5, 0.5].get_color(), cells[2.5, 1.5].get_color()) == ("black", "white")
    assert {box.get_xy() for box in axes.patches} == {(0, 1)}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["base case"]
    assert bar.get_ylabel() == "net value [USD million]"


def test_a_bridge_adds_up(draw):
    figure = draw(plots.waterfall(STEPS, xlabel="x", totals=("net", "profit"), **TEXT))
    (axes,) = figure.axes
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert ends == [(0, 90), (90, 70), (0, 70), (70, -10), (-10, -5), (0, -5)]
    colors = [to_hex(bar.get_facecolor()).upper() for bar in axes.patches]
    blue, red, gray = "#0072B2", "#D55E00", "#555555"
    assert colors == [blue, red, gray, red, blue, gray]
    assert [text.get_text() for text in axes.texts[1:]] == ["+90", "−20", "70", "−80", "+5", "-5"]
    assert [label.get_text() for label in axes.get_yticklabels()] == [s for s in STEPS.index if s != "unknown"]


def test_a_bridge_shows_each_interval_around_the_end_of_its_bar(draw):
    axes = draw("waterfall_ends").axes[0]
    (lines,) = [c for c in axes.collections if len(c.get_segments()) and c.get_path_effects()]
    found = {tuple(np.round(segment, 6).ravel()) for segment in lines.get_segments()}
    names = {t.get_text(): t.get_position()[1] for t in axes.get_yticklabels()}
    starts = {"gross": 0.0, "warrant": 90.0, "net": 0.0, "cost": 70.0, "profit": 0.0}
    expected = {
        (start + ENDS.loc[name, "low"], names[name], start + ENDS.loc[name, "high"], names[name])
        for name, start in starts.items()
    }
    assert found == expected
    low, high = axes.get_xlim()
    assert all(low <= x0 and x1 <= high for x0, _, x1, _ in found)
    label = next(t for t in axes.texts if t.get_text() == "+90")
    assert label.xy[0] == 105, "the label stands right of the interval"


def test_the_key_has_the_color_of_the_only_band(draw):
    """Two bands are named in gray, which is neither's color."""
    only = LINES.iloc[:, :1]
    for ends, color in ((only, SERIES_COLORS[0]), (LINES, "#777777")):
        figure = draw(plots.lines(LINES, ylabel="y", low=0.9 * ends, high=1.1 * ends, **TEXT))
        (patch,) = figure.axes[0].get_legend().get_patches()
        assert to_hex(patch.get_facecolor()).upper() == color


def test_a_label_keeps_off_a_band(draw):
    """A line that ends early inside the figure, under the band of another one."""
    table = pd.DataFrame({"paid": [2.0, 40, 20, 0], "cash": [-25.0, -50, 39, np.nan]}, [2028, 2029, 2030, 2031])
    low, high = table.assign(paid=[0.0, 20, 0, 0], cash=np.nan), table.assign(paid=[5.0, 55, 40, 20], cash=np.nan)
    figure = draw(plots.lines(table, ylabel="y", low=low, high=high, **TEXT))
    box, axes = _find(figure, "cash").get_window_extent(), figure.axes[0]
    shaded = axes.collections[0].get_paths()[0].transformed(axes.transData)
    assert not shaded.intersects_bbox(box)


def test_a_band_without_an_upper_end_reaches_the_top(draw):
    axes = draw("lines_open").axes[0]
    top, first = axes.get_ylim()[1], axes.collections[0].get_paths()[0].vertices
    assert first[:, 1].max() == pytest.approx(top)
    assert first[first[:, 0] == 2.0, 1].max() == pytest.approx(OPEN.iloc[2, 0])
    assert np.isfinite(top)
    assert top < 1.2 * np.nanmax(OPEN.replace(np.inf, np.nan))
    assert axes.get_legend().get_texts()[0].get_text() == "5 to 95 % of draws"


def test_arrows_are_as_wide_as_the_root_of_their_value(draw):
    figure = draw("flow")
    (axes,) = figure.axes
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    width = np.array([arrow.get_linewidth() for arrow in arrows])
    least = width.min()
    assert (width[0] - least) == pytest.approx(2 * (width[1] - least))
    assert width.argmin() == 2
    assert [arrow.get_linestyle() == "-" for arrow in arrows] == ARROWS["value"].notna().tolist()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "cash",
        "shares",
        "goods",
        "amount not known",
    ]
    assert len([patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]) == len(NODES)


def test_arrows_and_their_labels_keep_apart(draw):
    """Labels lie on no box; two arrows between the same boxes do not meet; none runs through a third box."""
    figure = draw("flow")
    (axes,) = figure.axes
    figure.canvas.draw()
    boxes = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    for label in ARROWS["label"]:
        extent = plt.Text.get_window_extent(_find(figure, label))
        assert not any(extent.overlaps(box) for box in boxes), label
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    courses = []
    for arrow in arrows:
        paths, _ = arrow._get_path_in_displaycoord()
        courses.append(paths[0].interpolated(1).to_polygons(closed_only=False)[0])
    for i, j in itertools.combinations(range(len(arrows)), 2):
        if set(ARROWS.loc[i, ["start", "end"]]) == set(ARROWS.loc[j, ["start", "end"]]):
            gaps = np.hypot(*(courses[i][:, None] - courses[j][None]).transpose(2, 0, 1))
            assert gaps.min() > 0.5 * (arrows[i].get_linewidth() + arrows[j].get_linewidth())
    for i, course in enumerate(courses):
        others = [
            box for name, box in zip(NODES.index, boxes, strict=True) if name not in set(ARROWS.loc[i, "start":"end"])
        ]
        assert not any(box.contains(*dot) for box in others for dot in course), i


def test_an_arrow_needs_nodes_and_a_kind_that_are_known():
    with pytest.raises(KeyError, match="unknown node 'Orakle'; did you mean 'Oracle'"):
        plots.flow(NODES, ARROWS.replace("Oracle", "Orakle"), **TEXT)
    with pytest.raises(KeyError, match="unknown kind of arrow 'share'"):
        plots.flow(NODES, ARROWS.replace("shares", "share"), **TEXT)


def test_the_same_figure_is_the_same_picture(figure, request):
    pictures = []
    for one in (figure, FIGURES[request.node.callspec.params["figure"]]()):
        buffer = io.BytesIO()
        one.savefig(buffer, format="png", metadata={"Software": None})
        pictures.append(buffer.getvalue())
    assert pictures[0] == pictures[1]


def test_tornado_shows_both_ends_of_every_input():
    table = pd.DataFrame(
        {
            "low": [4.0, 9.0],
            "high": [14.0, 11.0],
            "value": 10.0,
            "swing": [10.0, 2.0],
            "input_low": [0.1, 15.0],
            "input_high": [0.3, 20.0],
        },
        index=["share", "price"],
    )
    figure = plots.tornado(table, title="t", xlabel="answer [USD]", source="s")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["price\n15 to 20", "share\n0.1 to 0.3"]
    ends = sorted((bar.get_x() + bar.get_width(), bar.get_y()) for bar in axes.patches if bar.get_width())
    assert [x for x, _ in ends] == [4.0, 9.0, 11.0, 14.0]
    assert axes.lines[0].get_xdata()[0] == 10.0
    plt.close(figure)
    assert plots.tornado(table.iloc[:0], title="t", xlabel="x", source="s") is None
