"""Small multiples: every answer has its panel, with its unit, and no words meet."""

import itertools

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from gigafleet import deal, deal_views, house_style, panel_plots


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return deal_views.labeled(deal_views.swings("amd-openai"), deal.ranges())


@pytest.fixture
def figure(tables):
    drawn = panel_plots.tornados(tables, title="A takeaway that is long enough for two lines " * 2, source="a test")
    yield drawn
    plt.close(drawn)


def test_every_answer_has_a_panel_with_its_unit(figure, tables):
    assert len(figure.axes) == len(tables) == len(deal_views.HEADLINES)
    for axes, (name, table) in zip(figure.axes, tables.items(), strict=True):
        words, _, unit = name.partition(" [")
        assert axes.get_title(loc="left").replace("\n", " ") == words
        assert axes.get_xlabel().startswith(unit.rstrip("]") or "number")
        widest = axes.get_yticklabels()[-1].get_text()
        assert widest.replace("\n", " ").replace("\u00a0", " ").startswith(table.index[0])
        assert ("[" in widest) == ("[" in table.index[0])


def test_bars_are_the_swings(figure, tables):
    axes, table = figure.axes[0], next(iter(tables.values()))
    moved = table[table["swing"] > 0].head(4)
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    ends = sorted(x for pair in spans for x in pair)
    assert ends[0] == pytest.approx(moved[["low", "high"]].min().min())
    assert ends[-1] == pytest.approx(moved[["low", "high"]].max().max())


def test_its_words_are_the_title_the_source_and_the_names_of_the_panels(figure, tables):
    said = house_style.words(figure)
    assert said["title"] == " ".join(("A takeaway that is long enough for two lines " * 2).split())
    assert said["source"] == "Source: a test"
    assert {name.partition(" [")[0] for name in tables} <= set(said["labels"])


def test_no_words_meet_and_none_are_cut(figure):
    figure.canvas.draw()
    words = [axes.xaxis.label for axes in figure.axes]
    for axes in figure.axes:
        words += [axes._left_title, *(t for t in axes.get_yticklabels() if t.get_text())]
    boxes = [text.get_window_extent() for text in [*words, *figure.texts]]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    whole = figure.get_tightbbox()
    assert whole.width <= figure.get_figwidth() * 1.02


def test_an_answer_that_does_not_move_has_no_panel(tables):
    still = next(iter(tables.values())).assign(swing=0.0)
    assert panel_plots.tornados({"still": still}, title="t", source="s") is None
    two = panel_plots.tornados({"still": still, **dict(list(tables.items())[:1])}, title="t", source="s")
    assert len(two.axes) == 1
    plt.close(two)
    assert set(deal_views.HEADLINES) <= set(deal.UNITS)


def test_first_movers_are_the_widest_swings():
    raw = deal_views.swings("amd-openai")
    found = deal_views.first_movers(raw, ["capex_busd", "no such answer", "twh_per_year"])
    assert found[0] == f"capital on the {deal_views.words(raw['capex_busd']['swing'].idxmax())}"
    assert len(found) == 2


def test_intervals_stand_in_the_rows_of_their_names():
    """Two panels on one axis; a row that one lacks stays empty in it; figures are those of the tables."""
    one = pd.DataFrame({"value": [50.0, 8.0], "low": [40.0, 8.0], "high": [60.0, 8.0]}, ["system", "network"])
    two = pd.DataFrame({"value": [9.0, 30.0], "low": [4.0, 20.0], "high": [15.0, 50.0]}, ["energy", "system"])
    nothing = pd.DataFrame({"value": [float("nan")], "low": [1.0], "high": [2.0]}, ["system"])
    tables = {"capital": one, "a year": two, "none": nothing}
    figure = panel_plots.intervals(tables, title="A takeaway", xlabel="Share [%]", source="a test")
    try:
        assert [axes.get_title(loc="left") for axes in figure.axes] == ["capital", "a year"]
        names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert names[::-1] == ["system", "network", "energy"]
        for axes, table in zip(figure.axes, (one, two), strict=True):
            points = [line for line in axes.lines if line.get_marker() == "o"]
            assert {names[line.get_ydata()[0]]: line.get_xdata()[0] for line in points} == table["value"].to_dict()
            bars = [tuple(line.get_xdata()) for line in axes.lines if line.get_marker() != "o"]
            assert bars == [(row.low, row.high) for row in table.itertuples() if row.low < row.high]
            assert axes.get_xlim() == figure.axes[0].get_xlim()
        assert [text.get_text() for text in figure.axes[0].texts] == ["50 (40 to 60)", "8"]
        figure.canvas.draw()
        edge = figure.axes[0].get_window_extent().x1
        assert all(text.get_window_extent().x1 <= edge for text in figure.axes[0].texts)
    finally:
        plt.close(figure)
    assert panel_plots.intervals({"none": nothing}, title="A", xlabel="B", source="C") is None
