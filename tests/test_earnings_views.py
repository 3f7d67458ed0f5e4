"""The earnings' tables for notebook 05."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gigafleet import catalog, deal, earnings, rollout, uncertainty
from gigafleet import earnings_views as views
from gigafleet.tell import between, number

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
    mix = views.generations(inputs, "base", "amd-openai", "2036Q4")
    assert mix.sum(["quarter", "generation"]).to_numpy() == pytest.approx(np.full(256, 6.0))
    band = views.generation_bands(mix)
    assert list(band["median"].columns) == list(rollout.GENERATIONS)
    assert (band["low"] <= band["median"]).all(axis=None)
    for name in rollout.GENERATIONS:
        assert (band["low"][name] < band["high"][name]).any(), name
        one = mix.sel(generation=name, quarter="2028Q4")
        assert band["high"].loc["2028Q4", name] == pytest.approx(float(one.quantile(0.95)))
    certain = pd.concat([inputs.iloc[:1]] * 2, ignore_index=True)
    mix = views.generations(certain, "base", "amd-openai", "2036Q4")
    band = views.generation_bands(mix)
    for end in ("low", "high"):
        np.testing.assert_allclose(band[end], mix.isel(sample=0), err_msg="without spread the band is the line")


@pytest.mark.parametrize(
    ("starts", "text"),
    [
        ([1, 1, 1], "MI500 first outweighs MI455X in 2026Q4, in 90 % of samples"),
        ([1, 2, 3], "MI500 first outweighs MI455X in 2026Q4 to 2027Q2, in 90 % of samples"),
        ([1, 2, 4], "MI500 first outweighs MI455X in 2026Q4 or later, in 33 % of samples in no quarter"),
        ([1] + [4] * 24, "MI455X serves most of it in every quarter, in 96 % of samples"),
        ([4, 4, 4], "MI455X serves most of it in every quarter"),
    ],
)
def test_when_the_second_generation_overtakes(starts, text):
    """Quarters from 2026Q3 on; equal parts, as in quarters without shipments, are no lead."""
    quarters = rollout.quarters("2027Q2")
    newer = np.arange(4) >= np.array(starts)[:, None]
    mix = xr.DataArray(
        np.stack([~newer, newer], axis=-1).astype(float),
        {"quarter": quarters, "generation": list(rollout.GENERATIONS)},
        dims=("sample", "quarter", "generation"),
    )
    mix[:, 0] = 0.0
    assert views.overtaking(mix) == text


def test_best_years_leave_out_the_rare():
    best = pd.Series([2029] * 60 + [2028] * 35 + [2030] * 5)
    assert views.best_text(best) == "2029 (60 % of samples) or 2028 (35 %)"
    best = pd.Series([2029] * 60 + [2030] * 25 + [2027] * 15)
    assert views.best_text(best) == "2029 (60 % of samples), 2030 (25 %) or 2027 (15 %)"
    assert views.best_text(pd.Series(range(2020, 2040))).startswith("2020 (5 % of samples), 2021 (5 %)")


def test_columns_by_buyer_add_up(projection):
    assert views.by_buyer(projection, 2028).index.max() == 2028
    table = views.by_buyer(projection, 2036)
    assert list(table.columns) == ["OpenAI", "Meta"]
    total = earnings.whole(projection)["gross_revenue_busd"].mean()
    assert table.to_numpy().sum() == pytest.approx(total, rel=0.02)


def test_content_of_a_gigawatt():
    """BofA after a call with AMD: 15 to 20 billion USD; accelerators at 30,000 to 40,000 USD make less."""
    content, below = views.content(2048, 0)
    assert content.loc["BofA", ["value", "low", "high"]].tolist() == [17.5, 15, 20]
    assert content.loc["JPMorgan, MI500", "value"] == 25
    assert (content["low"].isna() | (content["low"] < content["high"])).all()
    for basis, name in views.READINGS.items():
        counts = deal.evaluate(n=2048, seed=1, capacity_gw=1.0, capacity_basis=basis)["accelerators"]
        low, median, high = uncertainty.interval(counts)
        found = {end: below[end].loc[name] for end in below}
        for end, count in {"low": low, "median": median, "high": high}.items():
            assert found[end]["accelerators_per_gw"] == pytest.approx(count, rel=0.01)
        made = {end: found[end]["accelerators_busd_per_gw"] for end in found}
        assert content.loc[f"accelerators × price, {name}"].to_dict() == pytest.approx(
            {"value": made["median"], "low": made["low"], "high": made["high"]}
        )
        assert made["low"] < 30_000 * median / 1e9, "the count has a range of its own"
        assert made["high"] > 40_000 * median / 1e9
        assert found["low"]["gap_busd_per_gw"] > 14 - made["high"]
        assert found["low"]["price_needed_usd"] < 1e9 * 17.5 / median < found["high"]["price_needed_usd"]


def test_content_as_text():
    table = views.content_text(views.content(256, 0)[1])
    assert table["price of one, rumored [USD]"].tolist() == ["30,000 to 40,000"] * 2
    assert table["analysts' content [billion USD/GW]"].tolist() == ["15 to 20"] * 2
    for name in table.columns.drop(["price of one, rumored [USD]", "analysts' content [billion USD/GW]"]):
        assert table[name].str.fullmatch(r"\S+ \(\S+ to \S+\)").all(), name


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
    scenarios = views.compare_text(earnings.compare(earnings.draw(DEALS, 64), DEALS))
    assert scenarios.index[:2].tolist() == ["base", "base"]
    assert scenarios["gigawatts"].tolist()[:2] == ["all taken", "weighted"]
    assert scenarios["best year"].str.fullmatch(r"20\d\d, in \d+ %").all()
    assert scenarios.loc["base", "shipped [GW]"].iloc[0] == "12", "what has no range has no brackets"
    for name in ("contra-revenue", "net income", "net income, discounted", "net revenue in it"):
        assert scenarios[name].str.fullmatch(r"\S+ \(\S+ to \S+\)").all(), name


def test_differences_are_those_of_the_samples(projection):
    """Two lines that move together differ by less than their intervals do."""
    years = earnings.by_year(projection)
    table = views.shares_text(years, 2029)
    assert table.index.tolist() == [2027, 2028, 2029]
    assert (table["diluted shares [million]"] == "1,660").all()
    low, median, high = uncertainty.interval(
        (years["eps_usd"] - years["eps_without_warrant_shares_usd"]).sel(year=2029).to_numpy()
    )
    assert table.loc[2029, "difference [USD]"] == f"{number(median)} ({between(low, high)})"
    assert low < median < high < 0


def test_changes_in_words():
    rng = np.random.default_rng(0)
    assert views.change(pd.Series(rng.uniform(-16, -4, 4000))).startswith("falls by 4.")
    assert views.change(pd.Series(rng.uniform(2, 15, 4000))).startswith("rises by 2.")
    assert views.change(pd.Series(rng.uniform(-10, 3, 4000))).endswith("its sign open")


def test_buyers_as_text(projection):
    table = views.buyers_text(projection, 2029)
    assert table.columns.tolist() == [
        f"{buyer}, {line}" for line in ("gross revenue [billion USD]", "shipped [GW]") for buyer in ("OpenAI", "Meta")
    ]
    shipped = rollout.by_year(projection.deals["shipped_gw"]).sel(deal="amd-meta", year=2028).to_numpy()
    low, median, high = uncertainty.interval(shipped)
    assert table.loc[2028, "Meta, shipped [GW]"] == f"{number(median)} ({between(low, high)})"


def test_clocks_of_contra_revenue_side_by_side(inputs, projection):
    """Gross revenue is the same on both, year by year; contra-revenue is the same in all, and later."""
    delivered = earnings.evaluate(inputs, deals=DEALS, contra_clock="delivered")
    found = views.by_clock({"shipped": projection, "delivered": delivered}, 2031)
    table = found["mean"]
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
    for end, quantile in {"low": 0.05, "high": 0.95}.items():
        whole = earnings.whole(delivered)["contra_busd"].quantile(quantile)
        assert found[end].loc["all years", "contra-revenue, delivered [billion USD]"] == pytest.approx(whole)
        year = rollout.by_year(delivered.deals["revenue_busd"].sum("deal")).sel(year=2028).quantile(quantile)
        assert found[end].loc[2028, "net revenue, delivered [billion USD]"] == pytest.approx(float(year))


def test_cash_has_two_lines():
    cash = pd.DataFrame({"low": [1.0], "median": [2.0], "high": [3.0], "cash_flow_busd": [-5.0]}, index=[2027])
    ends = views.cash_bands(cash, "paid", "flow")
    assert ends["median"].loc[2027].to_dict() == {"paid": 2.0, "flow": -5.0}
    assert ends["low"]["flow"].isna().all()


def test_sources_are_known():
    used = views.used_sources([*DEALS, "amd-anthropic"])
    assert set(used) <= set(catalog.sources().index)
    assert {"bofa-amd-call-2025-10", "amd-deep-dive-2026-10", "decoder-openai-2026-02", "assumption"} <= set(used)
