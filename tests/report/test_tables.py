"""Columns of figures are found, whatever is absent in them, and those of long text."""

import pandas as pd
import pytest

from gigafleet.report.tables import align


@pytest.mark.parametrize(
    "figure",
    ["750", "52,300", "1.74 million", "1.6 to 1.9 million", "-3.5", "−3.5", "4.0 (3.1 to 5.2)", "12 %", "$1,200", "~5"],
)
def test_figures(figure):
    assert f'<td class="figure">{figure}</td>' in align(f"<table><tr><td>{figure}</td></tr></table>")


@pytest.mark.parametrize("text", ["MI300X", "8 stacks of HBM", "AMD", "fp8", "4x accelerators"])
def test_text(text):
    assert "figure" not in align(f"<table><tr><td>{text}</td></tr></table>")


def test_columns_of_a_pandas_table():
    frame = pd.DataFrame(
        {"vendor": ["AMD", "–"], "W": ["750", "–"], "none": ["–", "–"], "mixed": ["1", "high"]}, ["a", "b"]
    )
    page = align(frame.to_html())
    assert '<th class="figure">W</th>' in page
    assert page.count('class="figure"') == 3
    assert '<td class="figure">–</td>' in page


def test_long_text_gets_room():
    page = align(f"<table><tr><td>short</td><td>{'a long note ' * 9}</td></tr></table>")
    assert '<td>short</td><td class="long">a long' in page


def test_a_heading_over_columns_leaves_them_figures():
    table = pd.DataFrame([[1.5, 2.0]], ["row"], pd.MultiIndex.from_product([["power [kW]"], ["low", "high"]])).to_html()
    page = align(table)
    assert page.count('<td class="figure">') == 2
    assert '<th class="figure">low</th>' in page
    assert page.splitlines()[3:5] == table.splitlines()[3:5]


def test_what_is_not_a_simple_table_stays():
    merged = '<table><tr><td rowspan="2">1</td></tr></table>'
    assert align(merged) == merged
    assert align("<table></table><p>1</p>") == "<table></table><p>1</p>"
