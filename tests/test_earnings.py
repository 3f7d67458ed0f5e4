"""The deals' earnings: one joint draw, sums over deals and years, scenarios, contra-revenue and shares by hand."""

import functools

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gigafleet import catalog, earnings, rollout, scenarios, uncertainty
from gigafleet.warrant import closed_form as cf
from gigafleet.warrant.contract import of_deal

THREE = ("amd-openai", "amd-meta", "amd-anthropic")
OPENAI = ("amd-openai",)
# All six gigawatts of a plan without delay are shipped within three years of July 1, 2026, so before the warrant ends.
QUICK = {
    "start_years": 0.0,
    "first_gw_years": 1.0,
    "later_gw_years": 2.0,
    "delay_years": 0.0,
    "slip_share": 0.0,
    "delivery_lag_years": 0.1,
}


@pytest.fixture(scope="module")
def inputs() -> pd.DataFrame:
    return earnings.draw(THREE, 64, seed=2)


@pytest.fixture(scope="module")
def evaluated(inputs):
    """Return the function scenario, weighted -> the three deals' projection, each made once."""
    return functools.cache(lambda name, weighted=False: earnings.evaluate(inputs, name, THREE, weighted=weighted))


def test_one_joint_draw(inputs):
    """What serves all deals has one column; what is a deal's own has its name in front."""
    each = {deal: earnings.of_one(inputs, deal) for deal in THREE}
    for name, (subject, _) in rollout.INPUTS.items():
        columns = [each[deal][name] for deal in THREE]
        if subject is None:
            assert [f"{deal} {name}" in inputs for deal in THREE] == [True] * 3
            assert all(column.equals(inputs[f"{deal} {name}"]) for deal, column in zip(THREE, columns, strict=True))
        else:
            assert all(column.equals(inputs[name]) for column in columns)
    assert inputs.columns.is_unique
    assert not inputs["amd-openai first_gw_years"].equals(inputs["amd-meta first_gw_years"])
    pd.testing.assert_frame_equal(earnings.draw(THREE, 64, seed=2), inputs)
    one = earnings.draw(["AMD-OpenAI"], 4, first_gw_years=1.5, tax_share=0.2)  # a name as people write it
    assert (one["amd-openai first_gw_years"] == 1.5).all()
    assert (one["tax_share"] == 0.2).all()


def test_a_text_is_one_deal(monkeypatch):
    """Wherever deals are asked for, and by the name that people write."""
    drawn = earnings.draw(OPENAI, 4)
    pd.testing.assert_frame_equal(earnings.draw("AMD-OpenAI", 4), drawn)
    xr.testing.assert_identical(earnings.evaluate(drawn, deals="amd-openai").deals, earnings.evaluate(drawn).deals)
    monkeypatch.setattr(uncertainty, "tornado", lambda answer, known: answer(drawn).tolist() + list(known.index))
    assert earnings.tornado("amd-openai") == earnings.tornado(OPENAI)
    assert earnings.buyers("amd-openai") == {"amd-openai": "OpenAI"}


@pytest.mark.parametrize(("name", "weighted"), [("base", False), ("fast", True)])
def test_deals_add_up(inputs, evaluated, name, weighted):
    """Several deals are each alone with the same inputs; the base business does not depend on them."""
    together = evaluated(name, weighted)
    alone = {deal: earnings.evaluate(inputs, name, [deal], weighted=weighted) for deal in THREE}
    assert together.deals["deal"].to_numpy().tolist() == list(THREE)
    for deal, projection in alone.items():
        xr.testing.assert_allclose(together.deals.sel(deal=[deal]), projection.deals)
        xr.testing.assert_identical(together.base, projection.base)
    shares = sum(projection.warrant_shares_m for projection in alone.values())
    xr.testing.assert_allclose(together.warrant_shares_m, shares)
    assert (alone["amd-anthropic"].warrant_shares_m == 0).all()  # no warrant
    assert (alone["amd-anthropic"].deals["contra_busd"] == 0).all()


@pytest.mark.parametrize("name", list(earnings.SCENARIOS))
def test_lines_of_every_scenario(inputs, evaluated, name):
    """Net is gross less contra-revenue; net income follows from the lines above; no more than the deal is shipped."""
    whole = evaluated(name)
    for lines in (whole.deals, whole.base):
        keeps = 1 - xr.DataArray(inputs["tax_share"].to_numpy(), dims="sample")
        xr.testing.assert_allclose(lines["revenue_busd"], lines["gross_revenue_busd"] - lines["contra_busd"])
        net = (lines["gross_profit_busd"] - lines["opex_busd"]) * keeps
        xr.testing.assert_allclose(lines["net_income_busd"], net.transpose(*lines["net_income_busd"].dims), atol=1e-12)
    shipped = whole.deals["shipped_gw"].sum("quarter")
    caps = xr.DataArray([min(1.0, cap) if name == "first_gw" else cap for cap in (6.0, 6.0, 2.0)], dims="deal")
    assert (shipped <= caps + 1e-9).all()
    assert (whole.deals["delivered_gw"].cumsum("quarter") <= whole.deals["shipped_gw"].cumsum("quarter") + 1e-9).all()
    sums = earnings.whole(whole)
    assert sums["shipped_gw"].to_numpy() == pytest.approx(shipped.sum("deal").to_numpy())


def test_first_gigawatt_only_is_one_gigawatt(evaluated):
    projection = evaluated("first_gw")
    assert projection.deals["shipped_gw"].sum("quarter").to_numpy() == pytest.approx(1, abs=1e-9)
    one = projection.warrant_shares_m.isel(quarter=-1)
    first = [of_deal(deal).tranches[0].shares / 1e6 for deal in ("amd-openai", "amd-meta")]
    assert one.to_numpy() == pytest.approx(sum(first))


def test_a_year_late_moves_revenue_later(evaluated):
    """The first gigawatt and the last come a year later; at no time has more been shipped, sold or vested."""
    base, late = (evaluated(name) for name in ("base", "late"))
    for line in ("shipped_gw", "delivered_gw"):
        sums, later = (projection.deals[line].cumsum("quarter").to_numpy() for projection in (base, late))
        assert (later <= sums + 1e-9).all()
        reached = [np.argmax(table >= 1 - 1e-9, axis=-1) for table in (sums, later)]
        assert (reached[1] - reached[0] == 4).all()
    middle = [
        (projection.deals["gross_revenue_busd"] * np.arange(42)).sum("quarter")
        / projection.deals["gross_revenue_busd"].sum("quarter")
        for projection in (base, late)
    ]
    assert (middle[1] > middle[0]).all()
    assert (late.warrant_shares_m <= base.warrant_shares_m).all()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("base", [], []),
        ("late", [], []),
        ("first_gw", [], []),
        ("fast", ["first_gw_years", "later_gw_years", "delay_years"], []),
        (
            "bear",
            [f"content_{chip}_busd_per_gw" for chip in ("mi455x", "mi500")]
            + [f"{age}_margin_share" for age in ("first", "mature")],
            ["erosion_share_per_year"],
        ),
    ],
)
def test_what_a_scenario_changes(name, low, high):
    """At the values: named inputs go to the end of their range that is worse (for ``fast``: sooner), none else moves;
    a year late adds a year to the delay of every deal."""
    known = earnings.ranges(THREE)
    expected = known["value"].copy()
    for column in known.index:
        plain = column.split(" ")[-1]
        expected[column] = known.loc[column, "low" if plain in low else "high" if plain in high else "value"]
    expected["delay_years"] += name == "late"
    changed = scenarios.applied(earnings.draw(THREE, 1), name, known).iloc[0]
    assert changed[known.index].to_dict() == pytest.approx(expected.to_dict())
    assert earnings.SCENARIOS[name].stop_gw == (1 if name == "first_gw" else None)


def test_fast_and_bear_move_the_right_way(evaluated):
    base, fast, bear = (evaluated(name) for name in ("base", "fast", "bear"))
    end = {"quarter": "2028Q2"}
    first = [p.deals["shipped_gw"].cumsum("quarter").sel(end).mean() for p in (base, fast)]
    assert first[1] > first[0]
    assert earnings.whole(bear)["gross_profit_busd"].mean() < earnings.whole(base)["gross_profit_busd"].mean()
    xr.testing.assert_allclose(bear.deals["shipped_gw"], base.deals["shipped_gw"])


@pytest.mark.parametrize("name", ["base", "late"])
def test_weighted_is_never_above_what_is_taken(evaluated, name):
    """In every sample and quarter: the first gigawatt binds, each further one has its chance."""
    taken, weighted = (evaluated(name, weighted) for weighted in (False, True))
    for line in ("shipped_gw", "delivered_gw", "gross_revenue_busd", "contra_busd", "opex_busd"):
        assert (weighted.deals[line] <= taken.deals[line] + 1e-12).all()
    assert (weighted.warrant_shares_m <= taken.warrant_shares_m + 1e-12).all()
    certain = earnings.draw(OPENAI, 16, go_on_share=1.0)
    xr.testing.assert_allclose(
        earnings.evaluate(certain, name, OPENAI, weighted=True).deals, earnings.evaluate(certain, name, OPENAI).deals
    )


def test_weighted_contra_revenue_is_each_tranche_by_its_chance():
    """A tranche k gigawatts beyond the first counts by 0.8 to the power of k, but for quarters that hold two."""
    quick = earnings.draw(OPENAI, 8, go_on_share=0.8, **QUICK)
    sums = earnings.evaluate(quick, deals=OPENAI).deals.sel(deal="amd-openai").cumsum("quarter")
    curves = zip(sums["shipped_gw"].to_numpy(), sums["contra_busd"].to_numpy(), strict=True)
    by_tranche = [np.interp(range(7), [0, *gw], [0, *busd]) for gw, busd in curves]
    expected = (np.diff(by_tranche, axis=1) * 0.8 ** np.arange(6)).sum(axis=1)
    weighted = earnings.evaluate(quick, deals=OPENAI, weighted=True).deals["contra_busd"].sum(["deal", "quarter"])
    assert weighted.to_numpy() == pytest.approx(expected, rel=0.01)


def test_contra_revenue_in_all_is_the_fair_value_at_grant():
    """All tranches in time: their shares times fair value at the grant (164.67 USD, daily closes), volatility by
    volatility, with nothing after the last delivery."""
    quick = earnings.draw(OPENAI, 32, **QUICK)
    projection = earnings.evaluate(quick, deals=OPENAI)
    warrant, total = of_deal("amd-openai"), 0.0
    rate = catalog.value("us-treasury", "yield_share", "at_grant_5y")
    for tranche in warrant.tranches:
        fair = cf.tranche_value(
            164.67,
            tranche.target_usd,
            quick["volatility"].to_numpy(),
            rate,
            warrant.years,
            strike=0.01,
            watched="close",
        )
        total = total + fair * tranche.shares / 1e9
    contra = projection.deals["contra_busd"].sel(deal="amd-openai")
    assert contra.sum("quarter").to_numpy() == pytest.approx(total, rel=1e-9)
    assert contra.sel(quarter=slice("2029Q4", None)).to_numpy() == pytest.approx(0, abs=1e-12)
    assert (projection.warrant_shares_m.isel(quarter=-1) == 160).all()
    slow = earnings.evaluate(quick.assign(slip_share=3.0), deals=OPENAI)  # the later ones miss expiry
    assert (slow.deals["contra_busd"].sum(["deal", "quarter"]).to_numpy() < 0.9 * total).all()
    assert (slow.warrant_shares_m.isel(quarter=-1) < 160).all()


@pytest.mark.parametrize(("deal", "spot"), [("amd-openai", 164.67), ("amd-meta", 213.84)])
def test_stricter_readings_never_raise_contra_revenue(deal, spot):
    """It lies between nothing and all shares at the price of the grant, in every sample."""
    drawn = earnings.draw([deal], 64, seed=5)
    ever, window, at = (
        earnings.evaluate(drawn, deals=[deal], touch=touch).deals["contra_busd"].sum(["deal", "quarter"])
        for touch in ("ever", "from_milestone", "at_milestone")
    )
    assert (ever < 0.16 * spot).all()
    assert (window < ever).all()
    assert (at < window).all()
    assert (at > 0).all()


def test_warrant_shares_vest_in_the_quarter_of_their_milestone():
    """A gigawatt shipped on July 1, 2027 and delivered 0.1 years later vests its tranche in 2027Q3."""
    projection = earnings.evaluate(earnings.draw(OPENAI, 1, **QUICK), deals=OPENAI)
    vested = projection.warrant_shares_m.isel(sample=0).to_pandas()
    assert (vested[:"2027Q2"] == 0).all()
    assert vested["2027Q3"] == pytest.approx(160 / 6, rel=1e-6)
    assert vested.is_monotonic_increasing
    years = earnings.by_year(projection).isel(sample=0).to_dataframe()
    assert years.loc[2026, "shares_with_warrant_m"] == 1660
    assert years.loc[2027, "shares_with_warrant_m"] == pytest.approx(1660 + vested["2027Q1":"2027Q4"].mean())
    assert years.loc[2031, "shares_with_warrant_m"] == 1820


def test_years_by_hand(evaluated):
    """Sums of the quarters over the year's shares: the increment, the base, the total, before contra-revenue."""
    projection = evaluated("base")
    years = earnings.by_year(projection).sel(year=2028)
    quarters = [f"2028Q{i}" for i in range(1, 5)]
    deals = projection.deals.sel(quarter=quarters).sum(["deal", "quarter"])
    base = projection.base.sel(quarter=quarters).sum("quarter")
    shares = 1660 + projection.warrant_shares_m.sel(quarter=quarters).mean("quarter")
    total = deals["net_income_busd"] + base["net_income_busd"]
    before = deals["net_income_before_contra_busd"] + base["net_income_busd"]
    expected = {
        "total_revenue_busd": deals["revenue_busd"] + base["revenue_busd"],
        "shares_with_warrant_m": shares,
        "eps_increment_usd": 1e3 * deals["net_income_busd"] / shares,
        "eps_base_usd": base["net_income_busd"] / 1.66,
        "eps_usd": 1e3 * total / shares,
        "eps_without_warrant_shares_usd": total / 1.66,
        "eps_before_contra_usd": 1e3 * before / shares,
    }
    for line, figure in expected.items():
        assert years[line].to_numpy() == pytest.approx(figure.to_numpy(), rel=1e-12), line
    assert (years["shares_m"] == 1660).all()
    assert (years["shares_with_warrant_m"] >= 1660).all()
    assert (years["shares_with_warrant_m"] <= 1660 + 320).all()
    assert (years["eps_before_contra_usd"] >= years["eps_usd"]).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_contra_revenue_comes_with_the_deliveries(weighted):
    """Where each gigawatt is delivered a quarter after its shipment, so is its contra-revenue; no other input of the
    statement moves."""
    drawn = earnings.draw(THREE, 32, delivery_lag_years=0.25)
    shipped, delivered = (
        earnings.evaluate(drawn, deals=THREE, weighted=weighted, contra_clock=clock)
        for clock in ("shipped", "delivered")
    )
    later = shipped.deals["contra_busd"].shift(quarter=1, fill_value=0.0)
    xr.testing.assert_allclose(delivered.deals["contra_busd"], later, atol=1e-12)
    for line in ("gross_revenue_busd", "opex_busd", "shipped_gw", "delivered_gw"):
        xr.testing.assert_identical(delivered.deals[line], shipped.deals[line])
    before = "net_income_before_contra_busd"
    xr.testing.assert_allclose(delivered.deals[before], shipped.deals[before], atol=1e-12)
    xr.testing.assert_equal(delivered.warrant_shares_m, shipped.warrant_shares_m)
    xr.testing.assert_identical(earnings.evaluate(drawn, deals=THREE, weighted=weighted).deals, shipped.deals)


@pytest.mark.parametrize("name", list(earnings.SCENARIOS))
def test_contra_revenue_of_both_clocks_is_the_same_in_all(inputs, evaluated, name):
    """At no time is more of it recognized as delivered than as shipped. The sums are the same by the last quarter: a
    tranche counts only where it is delivered before its warrant ends, and that is years earlier."""
    delivered = earnings.evaluate(inputs, name, THREE, contra_clock="delivered").deals
    shipped = evaluated(name).deals
    sums = [
        lines["contra_busd"].cumsum("quarter").transpose(..., "quarter").to_numpy() for lines in (shipped, delivered)
    ]
    assert (sums[1] <= sums[0] + 1e-9).all()
    assert (sums[1] < sums[0] - 1e-3).any()
    assert sums[1][..., -1] == pytest.approx(sums[0][..., -1], rel=1e-9)


def test_contra_revenue_of_late_deliveries_lies_after_the_end():
    """Of the first gigawatt, which is one tranche, each clock recognizes by any quarter as much as it has counted; with
    shipments over and deliveries to come, net revenue is below zero."""
    drawn = earnings.draw(OPENAI, 32, seed=3)
    whole = earnings.evaluate(drawn, "first_gw").deals["contra_busd"].sum("quarter")
    for end in ("2027Q4", rollout.LAST_QUARTER):
        for clock in ("shipped", "delivered"):
            lines = earnings.evaluate(drawn, "first_gw", contra_clock=clock, end=end).deals
            xr.testing.assert_allclose(lines["contra_busd"], whole * lines[f"{clock}_gw"], atol=1e-9)
    below = lines["revenue_busd"] < -1e-9
    assert below.any()
    assert (lines["shipped_gw"].where(below, 0) < lines["delivered_gw"].where(below, 1)).all()


def test_base_business_starts_from_the_guidance():
    """The guidance for the third quarter of 2026: 13.0 billion USD, plus or minus 0.3."""
    projection = earnings.evaluate(earnings.draw(OPENAI, 1), deals=OPENAI)
    first = projection.base["revenue_busd"].isel(sample=0, quarter=0)
    assert (str(first["quarter"].item()), first.item()) == ("2026Q3", pytest.approx(13.0))


def test_net_revenue_is_never_negative():
    """Contra-revenue follows the revenue that earns it, quarter by quarter."""
    projection = earnings.evaluate(deals=THREE, n=256, end="2034Q4")
    assert (projection.deals["revenue_busd"] >= -1e-9).all()


def test_2027_lies_within_the_analysts_estimates():
    """Lowest and highest estimate of AMD's revenue in 2027: 61.3 and 118.1 billion USD, deals included."""
    low, high = (catalog.value("AMD", "revenue_consensus_busd", "2027", case) for case in ("low", "high"))
    point = earnings.by_year(earnings.evaluate(deals=THREE, n=1)).sel(year=2027, sample=0)
    assert low < point["total_revenue_busd"].item() < high
    years = earnings.by_year(earnings.evaluate(deals=THREE, n=64))
    table = earnings.consensus(years)
    assert table["published"].to_dict() == {
        "revenue 2026": 50.9,
        "revenue 2027": 88.9,
        "earnings per share 2027": 15.72,
    }
    row = table.loc["revenue 2027"]
    assert (row["published_low"], row["published_high"]) == (low, high)
    assert low < row["median"] < high
    ours = uncertainty.interval(years["total_revenue_busd"].sel(year=2027).to_numpy())
    assert row[["low", "median", "high"]].to_list() == ours.to_list()
    half = 10.253 + 11.536  # AMD's first two quarters of 2026
    ours = years["total_revenue_busd"].sel(year=2026).median().item()
    assert table.loc["revenue 2026", "median"] == pytest.approx(half + ours)


def test_parts_of_the_chart_add_up(evaluated):
    projection = evaluated("base")
    table = earnings.stacked(projection)
    assert list(table) == ["base business", "OpenAI", "Meta", "Anthropic"]
    total = (projection.deals["revenue_busd"].sum("deal") + projection.base["revenue_busd"]).mean("sample")
    assert table.sum(axis=1).to_numpy() == pytest.approx(total.to_numpy())
    history = earnings.history_busd()
    assert history["2026Q2"] == 11.536
    assert history.index[-1] < table.index[0]
    assert len(earnings.history_busd("ai_gpu_revenue_musd")) < len(history)  # no figure is invented where none is


def test_scenarios_side_by_side(monkeypatch):
    two = {name: earnings.SCENARIOS[name] for name in ("base", "first_gw")}
    monkeypatch.setattr(earnings, "SCENARIOS", two)
    cases = earnings.compare(earnings.draw(OPENAI, 32), OPENAI)
    assert list(cases) == [(two[name].title, ways) for name in two for ways in ("all taken", "weighted")]
    table = pd.DataFrame({case: samples.median() for case, samples in cases.items()}).T
    taken, weighted = (table.xs(ways, level=1) for ways in ("all taken", "weighted"))
    assert (weighted["shipped_gw"] <= taken["shipped_gw"]).all()
    assert taken.loc["first gigawatt only", "shipped_gw"] == pytest.approx(1)
    assert taken["contra_busd"].idxmin() == "first gigawatt only"


def test_scenarios_hold_the_samples_of_each_alone(monkeypatch):
    """Row by row those of one evaluation, so that two scenarios can be subtracted."""
    monkeypatch.setattr(earnings, "SCENARIOS", {name: earnings.SCENARIOS[name] for name in ("base", "late")})
    inputs = earnings.draw(OPENAI, 16)
    cases = earnings.compare(inputs, OPENAI)
    alone = {name: earnings.evaluate(inputs, name, OPENAI) for name in ("base", "late")}
    for name, projection in alone.items():
        case, total = cases[earnings.SCENARIOS[name].title, "all taken"], earnings.whole(projection)
        for line in ("shipped_gw", "gross_revenue_busd", "contra_busd", "net_income_busd"):
            assert case[line].to_numpy() == pytest.approx(total[line].to_numpy()), line
        assert case["discounted_busd"].to_numpy() == pytest.approx(earnings.discounted_busd(projection))
        most = earnings.by_year(projection).sel(year=case["best_year"].mode().iloc[0])
        assert case["revenue_busd"].to_numpy() == pytest.approx(most["revenue_busd"].to_numpy())
        assert case["eps_increment_usd"].to_numpy() == pytest.approx(most["eps_increment_usd"].to_numpy())


def test_best_year_of_each_sample():
    line = xr.DataArray([[1.0, 3.0, 2.0], [5.0, 3.0, 2.0]], {"year": [2027, 2028, 2029]}, dims=("sample", "year"))
    assert earnings.best_year(line).tolist() == [2028, 2027]
    assert earnings.best_year(line.T).tolist() == [2028, 2027]


def test_tornado_of_all_years():
    """What costs more earns less; the deals' own income knows no base business."""
    table = earnings.tornado(OPENAI)
    assert table["swing"].is_monotonic_decreasing
    point = earnings.discounted_busd(earnings.evaluate(deals=OPENAI, n=1)).item()
    assert table["value"].to_numpy() == pytest.approx(point)
    for name in ("content_mi455x_busd_per_gw", "first_margin_share", "mature_margin_share"):
        assert table.loc[name, "low"] < point < table.loc[name, "high"], name
    for name in ("tax_share", "deal_opex_share", "erosion_share_per_year", "volatility"):
        assert table.loc[name, "low"] > point > table.loc[name, "high"], name
    assert table.loc[["base_growth_share_per_year", "base_margin_share"], "swing"].to_list() == [0, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: earnings.evaluate(name="laet", n=1), r"unknown scenario 'laet'; did you mean 'late'\?"),
        (lambda: earnings.evaluate(deals=["amd-opnai"], n=1), r"unknown deal 'amd-opnai'; did you mean 'amd-openai'\?"),
        (lambda: earnings.evaluate(deals=["nvidia-openai"], n=1), "unknown deal with a roll-out 'nvidia-openai'"),
        (lambda: earnings.evaluate(deals=[], n=1), "at least one deal must be on"),
        (lambda: earnings.evaluate(deals=["amd-openai", "AMD-OpenAI"], n=1), "at least one deal must be on, each once"),
        (lambda: earnings.evaluate(end="2040Q1", n=1), "end must be a quarter from 2026Q3 to 2036Q4, not '2040Q1'"),
        (lambda: earnings.evaluate(touch="evr", n=1), r"unknown touch 'evr'; did you mean 'ever'\?"),
        (
            lambda: earnings.evaluate(contra_clock="shiped", n=1),
            r"unknown contra_clock 'shiped'; did you mean 'shipped'\? known: shipped, delivered",
        ),
        (lambda: earnings.evaluate(contra_clock="energized", n=1), "unknown contra_clock 'energized'"),
        (lambda: earnings.evaluate(n=1000), "n must be a power of two"),
        (lambda: earnings.draw(OPENAI, tax_shar=0.2), r"unknown input 'tax_shar'; did you mean 'tax_share'\?"),
        (
            lambda: earnings.evaluate(earnings.draw(OPENAI), deals=["amd-meta"]),
            "inputs need a column 'amd-meta first_gw_years'; draw them for the same deals, amd-meta",
        ),
        (
            lambda: earnings.evaluate(earnings.draw(OPENAI, tax_share=5.0)),
            "tax_share must be at least 0 and at most 1, not 5.0",
        ),
        (
            lambda: earnings.evaluate(earnings.draw(OPENAI, content_mi455x_busd_per_gw=np.nan)),
            "content_mi455x_busd_per_gw must be above 0, not nan",
        ),
        (
            lambda: earnings.evaluate(earnings.draw(OPENAI, first_gw_years=-1.0)),
            "first_gw_years must be above 0 and at most 100, not -1.0",
        ),
        (lambda: earnings.evaluate(earnings.draw(OPENAI, volatility=-1.0)), "volatility must be at least 0"),
        (lambda: earnings.intervals(xr.DataArray([[1.0]], dims=("sample", "year")), level=0), "level must be above 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_fixed_inputs_stay_out_of_the_tornado():
    table = earnings.tornado(OPENAI, content_mi455x_busd_per_gw=30.0, delay_years=None)
    assert "content_mi455x_busd_per_gw" not in table.index
    assert "delay_years" in table.index
    fixed = earnings.draw(OPENAI, 1, content_mi455x_busd_per_gw=30.0)
    point = earnings.discounted_busd(earnings.evaluate(fixed, deals=OPENAI)).item()
    assert table["value"].to_numpy() == pytest.approx(point)


def test_discounting_by_hand():
    """At 12 % a year from the middle of each quarter, as the cash-flow note does."""
    projection = earnings.evaluate(deals=OPENAI, n=8)
    quarters = projection.deals["net_income_busd"].sum("deal").transpose("sample", "quarter").to_numpy()
    expected = sum(quarters[:, i] / 1.12 ** (0.125 + i / 4) for i in range(quarters.shape[1]))
    assert earnings.discounted_busd(projection) == pytest.approx(expected)
