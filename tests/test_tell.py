"""Numbers, tables, tiles and sentences as the notebooks show them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigafleet import catalog, earnings, revenue, rollout, tell


@pytest.fixture
def shown(monkeypatch):
    """Return what is displayed."""
    found = []
    monkeypatch.setattr(tell, "display", lambda data, **_: found.append(data))
    return found


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 3, "0"),
        (750.0, 3, "750"),
        (1.39, 3, "1.39"),
        (0.5, 3, "0.5"),
        (2 / 3, 3, "0.667"),
        (9.999, 3, "10.0"),
        (999_999.0, 3, "1.00 million"),
        (1_474_616.7, 3, "1.47 million"),
        (1.2e9, 2, "1.2 billion"),
        (-20_920_000.0, 3, "-20.9 million"),
        (2306.9, 5, "2,306.9"),
        (float("inf"), 3, "–"),
        (None, 3, "–"),
    ],
)
def test_number(value, digits, text):
    assert tell.number(value, digits) == text


@given(st.floats(1e-6, 1e12))
def test_a_number_reads_back_within_its_digits(value):
    text = tell.number(value, 3).replace(",", "")
    for step, word in tell.STEPS:
        if text.endswith(word):
            text = str(float(text.removesuffix(word)) * step)
    assert float(text) == pytest.approx(value, rel=0.006)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("amd-openai first_gw_years", "time to the first gigawatt, OpenAI"),
        ("amd-meta go_on_share", "chance of each next gigawatt, Meta"),
        ("tax_share", "tax rate"),
        ("some_other_share", "some other share"),  # without a name of its own
    ],
)
def test_an_input_in_words(name, words):
    assert tell.input_name(name) == words


def test_every_input_of_the_deals_has_a_name():
    for name in {**rollout.INPUTS, **revenue.INPUTS, **earnings.MARKET}:
        if name != "base_revenue_busd":  # it has no range, so it is in no table
            assert name in tell.INPUT_NAMES, name


@pytest.mark.parametrize(
    ("year", "quarter"),
    [(2026.0, "2026Q1"), (2026.2499, "2026Q1"), (2026.25, "2026Q2"), (2026.999, "2026Q4"), (float("inf"), "never")],
)
def test_a_year_as_a_quarter(year, quarter):
    assert tell.when(year) == quarter


def test_names_as_text():
    assert [tell.listed("ABC"[:n]) for n in (1, 2, 3)] == ["A", "A and B", "A, B and C"]
    assert tell.listed(iter(["A", "B"])) == "A and B"


def test_between_does_not_repeat_itself():
    assert tell.between(8.888e6, 8.8881e6) == "8.89 million"
    assert tell.between(900e3, 1.2e6) == "900,000 to 1.2 million"


def test_ranged_shows_figure_and_range():
    index = pd.Index(["a", "b", "c"])
    mid = pd.DataFrame({"w": [750.0, 2236.07, 3.39]}, index)
    mid.attrs["midpoints"] = [("b", "w")]
    low, high = pd.DataFrame({"w": [750.0, 2000, 3.19]}, index), pd.DataFrame({"w": [750.0, 2500, 3.67]}, index)
    assert tell.ranged(mid, low, high)["w"].tolist() == ["750", "2,000 to 2,500", "3.39 (3.19 to 3.67)"]


def test_table_shows_dashes_names_and_no_markup_from_data(shown):
    tell.table(pd.DataFrame({"x": [1.5, np.nan], "t": ["<b>", "ok"]}, ["r", "s"]), {"x": "x [W]"}, caption="A & B")
    page = shown[0]["text/html"]
    assert "<caption>A &amp; B</caption>" in page
    assert "x [W]" in page
    assert "–" in page
    assert "&lt;b&gt;" in page


def test_headline_is_readable_by_the_index(shown):
    tell.headline(tell.tiles(("racks", 20_480.0, 17_700.0, 23_400.0, "racks"), ("exact", 6.0, np.nan, np.nan, "GW")))
    assert shown[0][tell.HEADLINE_MIME] == [
        {"label": "racks", "value": "20,500", "unit": "racks", "interval": "17,700 to 23,400"},
        {"label": "exact", "value": "6", "unit": "GW", "interval": ""},
    ]


def test_intervals_leave_out_what_is_not_known():
    answers = pd.DataFrame({"low": [1.0, np.nan], "median": [2.0, np.nan], "high": [3.0, np.nan]}, ["a", "b"])
    table = tell.intervals(answers, {"a": "GW", "b": "GW"}, {"a": "power", "b": "nothing"})
    assert table.to_dict("index") == {"power": {"median": "2", "90 % interval": "1 to 3", "unit": "GW"}}


def test_span_covers_all_tables():
    one, other = pd.DataFrame({"low": [1.0], "high": [2.0]}, ["x"]), pd.DataFrame({"low": [1.5], "high": [3.0]}, ["x"])
    assert tell.span("x", one, other) == "1 to 3"


def test_sources_link_where_there_is_an_address(shown):
    tell.sources(catalog.sources().loc[["amd-cdna3-white-paper", "assumption"]])
    page = shown[0]["text/html"]
    assert "<summary>2 sources</summary>" in page
    assert page.count("<a href=") == 1


def test_say_is_silent_when_told(shown):
    tell.say("no", when=False)
    assert shown == []
