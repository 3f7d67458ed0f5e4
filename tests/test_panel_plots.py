"""Small multiples: every answer has its panel, with its unit, and no words meet."""

import itertools

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from gigafleet import deal, deal_views, panel_plots


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
        assert widest.replace("\n", " ").startswith(table.index[0])
        assert ("[" in widest) == ("[" in table.index[0])


def test_bars_are_the_swings(figure, tables):
    axes, table = figure.axes[0], next(iter(tables.values()))
    moved = table[table["swing"] > 0].head(4)
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    ends = sorted(x for pair in spans for x in pair)
    assert ends[0] == pytest.approx(moved[["low", "high"]].min().min())
    assert ends[-1] == pytest.approx(moved[["low", "high"]].max().max())


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
