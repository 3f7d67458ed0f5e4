"""The earnings' tables for notebook 05."""

import numpy as np
import pandas as pd
import pytest

from gigafleet import catalog, earnings, rollout
from gigafleet import earnings_views as views

DEALS = ["amd-openai", "amd-meta"]


@pytest.fixture(scope="module")
def inputs() -> pd.DataFrame:
    return earnings.draw(DEALS, 256)


@pytest.fixture(scope="module")
def projection(inputs) -> earnings.Projection:
    return earnings.evaluate(inputs, deals=DEALS)


def test_bands_hold_their_medians(projection):
    years = earnings.by_year(projection)
    band = views.bands({"all": years["eps_usd"], "deals": years["eps_increment_usd"]})
    assert (band["low"] <= band["median"]).all(axis=None)
    assert (band["median"] <= band["high"]).all(axis=None)
    assert band["median"]["all"][2028] == pytest.approx(float(years["eps_usd"].sel(year=2028).median()))


def test_share_of_contra_revenue(projection):
    share = views.total_share(projection)
    assert list(share.index) == ["OpenAI", "Meta"]
    sums = projection.deals.sum("quarter").sel(deal="amd-meta")
    assert share.loc["Meta", "median"] == pytest.approx(
        float((sums["contra_busd"] / sums["gross_revenue_busd"]).median())
    )


def test_clocks_run_behind_each_other(inputs):
    tables, dates = views.clocks(inputs, "base", "amd-openai", "2036Q4")
    middle = {clock: table.median("sample").to_pandas() for clock, table in tables.items()}
    assert (middle["shipped"] >= middle["delivered"]).all()
    assert (middle["delivered"] >= middle["energized"]).all()
    assert middle["shipped"].iloc[-1] == pytest.approx(6)
    assert (dates[:, 0] < dates[:, 1]).all()
    assert (dates > 2026.5).all()
    late = views.clocks(inputs, "late", "amd-openai", "2036Q4")[1]
    assert late - dates == pytest.approx(np.ones_like(dates))
    stopped, ends = views.clocks(inputs, "first_gw", "amd-openai", "2036Q4")
    assert stopped["shipped"].max() == pytest.approx(1)
    assert ends[:, 0] == pytest.approx(ends[:, 1])


def test_generations_add_up(inputs):
    table, ends = views.generations(inputs, "base", "amd-openai", "2036Q4")
    assert list(table.columns) == list(rollout.GENERATIONS)
    assert table.to_numpy().sum() == pytest.approx(6, rel=0.02)  # quarters with next to nothing are left out
    assert list(ends.index) == list(table.index)
    assert (ends["low"] <= ends["median"]).all()
    assert (ends["low"] < ends["high"]).any()
    certain = pd.concat([inputs.iloc[:1]] * 2, ignore_index=True)
    table, ends = views.generations(certain, "base", "amd-openai", "2036Q4")
    for end in ("low", "high"):
        np.testing.assert_allclose(ends[end], table.sum(axis=1), err_msg="without spread the band is the sum")


def test_columns_by_buyer_add_up(projection):
    assert views.by_buyer(projection, 2028).index.max() == 2028
    table = views.by_buyer(projection, 2036)
    assert list(table.columns) == ["OpenAI", "Meta"]
    total = earnings.whole(projection)["gross_revenue_busd"].mean()
    assert table.to_numpy().sum() == pytest.approx(total, rel=0.02)


def test_content_of_a_gigawatt():
    """BofA after a call with AMD: 15 to 20 billion USD; accelerators at 30,000 to 40,000 USD make less."""
    content, below = views.content(256, 0)
    assert content.loc["BofA", ["value", "low", "high"]].tolist() == [17.5, 15, 20]
    assert content.loc["JPMorgan, MI500", "value"] == 25
    count = below["accelerators_per_gw"]
    assert below["low"].to_numpy() == pytest.approx(count * 30_000 / 1e9)
    assert below["gap_low"].to_numpy() == pytest.approx(15 - count * 40_000 / 1e9)
    assert (count * below["price_needed_usd"] / 1e9).to_numpy() == pytest.approx(17.5)


def test_the_bridge_ends_at_net_income(projection):
    table, each = views.bridge(projection), earnings.whole(projection)
    steps = table["step"]
    assert steps.sum() == pytest.approx(earnings.whole(projection)["net_income_busd"].mean())
    assert steps.loc[:"contra-revenue"].sum() == pytest.approx(earnings.whole(projection)["revenue_busd"].mean())
    assert steps.loc[:"tax"].index[steps.loc[:"tax"].isna()].tolist() == ["net revenue", "gross profit"]
    reached = steps.cumsum().ffill()
    for name, line in {"net revenue": "revenue", "gross profit": "gross_profit", "net income": "net_income"}.items():
        samples = each[f"{line}_busd"]
        assert reached[name] == pytest.approx(samples.mean())
        assert table.loc[name, "low"] == pytest.approx(samples.quantile(0.05))
        assert table.loc[name, "high"] == pytest.approx(samples.quantile(0.95))
    known = table[steps.notna()]
    assert known["step"].between(known["low"], known["high"]).all()


def test_consensus_as_text(projection):
    """Analysts of October 2026: revenue 88.9 (61.3 to 118.1), earnings 15.72 (9.60 to 20.25)."""
    table = views.consensus_text(earnings.consensus(earnings.by_year(projection)))
    assert table.loc["revenue 2027", "analysts' mean"] == "88.9"
    assert table.loc["earnings per share 2027", "lowest to highest"] == "9.6 to 20.2"
    assert table.loc["revenue 2026", "lowest to highest"] == "–"


def test_years_and_scenarios_as_text(inputs, projection):
    table = views.by_year_text(earnings.by_year(projection), 2029)
    assert table.index.tolist() == [2027, 2028, 2029]
    assert table.columns[0] == "gross revenue, deals [billion USD]"
    scenarios = views.compare_text(earnings.compare(DEALS, 64))
    assert scenarios.index[:2].tolist() == ["base", "base"]
    assert scenarios["gigawatts"].tolist()[:2] == ["all taken", "weighted"]
    assert scenarios["best year"].str.fullmatch(r"20\d\d").all()


def test_clocks_of_contra_revenue_side_by_side(inputs, projection):
    """Gross revenue is the same on both, year by year; contra-revenue is the same in all, and later."""
    delivered = earnings.evaluate(inputs, deals=DEALS, contra_clock="delivered")
    table = views.by_clock({"shipped": projection, "delivered": delivered}, 2031)
    assert table.index.tolist() == [*range(2026, 2032), "all years"]
    contra, net = (
        table[[f"{line}, {clock} [billion USD]" for clock in ("shipped", "delivered")]].to_numpy()
        for line in ("contra-revenue", "net revenue")
    )
    sums = earnings.whole(projection).mean()
    assert [contra[-1, 0], net[-1, 0]] == pytest.approx([sums["contra_busd"], sums["revenue_busd"]])
    gross = contra + net
    assert gross[:, 1] == pytest.approx(gross[:, 0])
    assert contra[-1, 1] == pytest.approx(contra[-1, 0])
    running = contra[:-1].cumsum(axis=0)
    assert (running[:4, 1] < running[:4, 0]).all()


def test_cash_has_two_lines():
    cash = pd.DataFrame({"low": [1.0], "median": [2.0], "high": [3.0], "cash_flow_busd": [-5.0]}, index=[2027])
    ends = views.cash_bands(cash, "paid", "flow")
    assert ends["median"].loc[2027].to_dict() == {"paid": 2.0, "flow": -5.0}
    assert ends["low"]["flow"].isna().all()


def test_sources_are_known():
    used = views.used_sources([*DEALS, "amd-anthropic"])
    assert set(used) <= set(catalog.sources().index)
    assert {"bofa-amd-call-2025-10", "amd-deep-dive-2026-10", "decoder-openai-2026-02", "assumption"} <= set(used)
