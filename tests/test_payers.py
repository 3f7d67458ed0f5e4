"""Who pays: the buyer's cash, the rebate, break-evens, AMD's remark, Amazon's warrant on Plug Power, all warrants."""

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from gigafleet import catalog, payers, revenue, uncertainty
from gigafleet.warrant import closed_form as cf
from gigafleet.warrant import valuation


@pytest.fixture(scope="module")
def what() -> valuation.Setting:
    return valuation.setting("amd-openai", n=64)


def test_payments_beside_the_projected_cash_flow():
    """OpenAI's own projection: -25, -57, -85, -51 and +39 billion USD in 2026 to 2030; none for 2031."""
    years = pd.RangeIndex(2026, 2032, name="year")
    table = payers.buyer_cash(pd.DataFrame({"low": 1.0, "median": 17.0, "high": 40.0}, years))
    assert table["cash_flow_busd"].to_list() == pytest.approx([-25, -57, -85, -51, 39, np.nan], nan_ok=True)
    shares = [17 / 25, 17 / 57, 17 / 85, 17 / 51, np.nan, np.nan]
    assert table["payments_over_outflow"].to_list() == pytest.approx(shares, nan_ok=True)
    assert table[["low", "median", "high"]].loc[2028].to_list() == [1, 17, 40]
    none = payers.buyer_cash(table[["low", "median", "high"]], "Meta")
    assert none[["cash_flow_busd", "payments_over_outflow"]].isna().all(axis=None)


def test_rebate_by_hand(what):
    """A value of 12 and 24 billion USD over 6 GW and 96 billion USD of content."""
    valued = pd.DataFrame({"value_busd": [12.0, 18.0, 24.0]})
    table = payers.rebate(valued, np.array([96.0]), 6.0)
    assert table["median"].to_dict() == pytest.approx({"busd_per_gw": 3, "share": 18 / 96})
    assert table.loc["busd_per_gw", ["low", "high"]].to_list() == pytest.approx([2.1, 3.9])


def test_value_and_content_are_independent(what):
    """Both are drawn with one seed, whose points would move together row by row; the share's range is that of every
    value over every content."""
    day = valuation.market()
    valued = valuation.uncertain(what, day, n=256)
    content = revenue.draw(256)["content_mi455x_busd_per_gw"].to_numpy() * 6
    assert spearmanr(valued["volatility"], content).statistic > 0.5
    table = payers.rebate(valued, content, 6.0)
    every = np.divide.outer(valued["value_busd"].to_numpy(), content).ravel()
    width = np.subtract(*np.quantile(every, [0.95, 0.05]))
    assert table.loc["share", "high"] - table.loc["share", "low"] == pytest.approx(width, rel=0.1)
    in_step = np.sort(valued["value_busd"]) / np.sort(content)
    assert np.subtract(*np.quantile(in_step, [0.95, 0.05])) < 0.8 * width  # what rows in step would give


def test_pairs_stay_together(what):
    """Values of 12 and 24 over bills of 96 and 240, row by row: an eighth and a tenth."""
    valued = pd.DataFrame({"value_busd": [12.0, 24.0] * 50})
    table = payers.rebate(valued, np.array([96.0, 240.0] * 50), 6.0, paired=True)
    assert table.loc["share", ["low", "high"]].to_list() == pytest.approx([0.1, 0.125])
    assert table.loc["busd_per_gw", ["low", "high"]].to_list() == pytest.approx([2, 4])


@pytest.mark.parametrize("touch", ["ever", "from_milestone"])
@pytest.mark.parametrize("value_busd", [12.0, 18.0])
def test_break_even_volatility_gives_the_value(what, touch, value_busd):
    day = valuation.market()
    volatility = payers.break_even_volatility(what, day, value_busd, touch=touch)
    found = what.value(valuation.moved(day, volatility=volatility), touch)["value_busd"].sum()
    assert found == pytest.approx(value_busd, rel=1e-5)
    assert 0.2 < volatility < 1.5


@pytest.mark.parametrize("touch", ["ever", "at_milestone"])
def test_volatility_that_amds_remark_would_need(what, touch):
    """5 % of 17.5 billion USD over 6 GW is 5.25. The range of content, 15 to 20, is one of published figures: read as
    its 10 and 90 % quantiles, it leaves a 90 % interval that is wider."""
    day = valuation.market()
    table = payers.volatility_for_the_hint(what, day, touch=touch)
    low, middle, high = table.loc["limit_busd"]
    assert middle == pytest.approx(5.25)
    assert (low, high) == (pytest.approx(4.31, abs=0.01), pytest.approx(6.23, abs=0.01))
    assert table.loc["volatility"].is_monotonic_increasing
    for limit, volatility in table.T.to_numpy():
        found = what.value(valuation.moved(day, volatility=volatility), touch)["value_busd"].sum()
        assert found == pytest.approx(limit, rel=1e-4)


def test_break_even_volatility_that_none_gives(what):
    """No volatility makes the warrant worth more than its shares; none changes it where every target is met."""
    day = valuation.market()
    assert np.isnan(payers.break_even_volatility(what, day, 0.16 * day.spot_usd * 1.01))
    assert np.isnan(payers.break_even_volatility(what, valuation.market(day="latest"), 20.0))


@given(bill=st.floats(0, 1e3), shares=st.floats(1, 1e3))
def test_break_even_price_pays_the_bill(bill, shares):
    """More Than Moore: 160 million shares at 600 USD are 96 billion USD."""
    assert payers.break_even_price(bill, shares) * shares / 1e3 == pytest.approx(bill)
    assert payers.break_even_price(catalog.value("amd-openai", "warrant_headline_busd", "at_600_usd"), 160.0) == 600


def test_amds_remark_does_not_fit_the_market_conditions(what):
    """AMD: less than 5 % of the content. Market conditions alone: 9 to 29 % (bound check in the research notes)."""
    table = payers.below_the_hint(what, valuation.market())
    hint = catalog.value("amd-openai", "warrant_effect_share", "of_content")
    assert hint == 0.05
    first = table.iloc[0]
    assert 0.09 < first["low"] < first["share"] < first["high"] < 0.29
    assert first["content_busd"] == 6 * 17.5
    assert (table["share"] == table["value_busd"] / table["content_busd"]).all()
    assert (table["low"] < table["share"]).all()
    assert (table["share"] < table["high"]).all()
    first_only = table.loc["first tranche alone, over all gigawatts"]
    assert first_only["share"] < hint < first["share"]  # a reading that would fit
    assert first_only["share"] * 6 == pytest.approx(table.loc["first tranche, over the first gigawatt", "share"])
    site = catalog.value("gigawatt-site", "site_cost_busd_per_gw", "all_in")
    assert table["content_busd"].iloc[-1] == 6 * site


def test_the_bars_around_amds_remark_hold_value_and_content(what):
    """The ends are those of value over content, sample by sample; the cost of a site, 35, has no range."""
    day = valuation.market()
    table = payers.below_the_hint(what, day, seed=3)
    drawn = valuation.uncertain(what, day, seed=3)
    value = uncertainty.interval(drawn["value_busd"])
    last = table.loc["all tranches, over the cost of whole sites", ["low", "high"]].to_numpy(float)
    assert last == pytest.approx(value[["low", "high"]].to_numpy() / (35 * 6))
    whole = table.loc["all tranches, over all gigawatts"]
    assert value["low"] / (20 * 6) < whole["low"] < min(value["low"] / (17.5 * 6), value["median"] / (20 * 6) * 1.05)
    assert max(value["high"] / (17.5 * 6), value["median"] / (15 * 6) * 0.95) < whole["high"] < value["high"] / (15 * 6)
    one, over = (
        table.loc[f"first tranche{way} gigawatt{s}"] for way, s in ((", over the first", ""), (" alone, over all", "s"))
    )
    assert one[["low", "high"]].to_numpy(float) == pytest.approx(6 * over[["low", "high"]].to_numpy(float))


def test_what_price_targets_alone_leave(what):
    """Most: 160 million shares at 164.67 USD over 6 GW of 15 billion USD. Least: all at the target of 600 USD, at the
    low end of volatility, over 6 GW of 20 billion USD; 0.0915 where every moment counts. Research notes: 9 to 29 %."""
    day = valuation.market()
    least, most = payers.market_conditions(what, day)
    assert most == pytest.approx(164.67 * 0.16 / (15 * 6), abs=1e-4)
    low = catalog.value("AMD", "volatility_share", "long_dated", "low")
    raised = 600 * np.exp(0.5825971579 * low / np.sqrt(252))
    by_hand = cf.tranche_value(164.67, raised, low, day.rate, what.warrant.years, strike=0.01)
    assert least == pytest.approx(by_hand * 0.16 / (20 * 6), rel=1e-9)
    moments = payers.market_conditions(what, day, watched="intraday")
    assert moments == pytest.approx((0.0915, 0.2927), abs=1e-4)
    assert moments[0] > least


def test_both_weighted_by_the_chance_of_delivery(what):
    """The k-th gigawatt beyond the first, in its value and in its content, counts by its chance."""
    day, go_on = valuation.market(), what.inputs["go_on_share"].to_numpy()
    chance = np.array([(go_on**k).mean() for k in range(6)])
    row = payers.below_the_hint(what, day).loc["both weighted by the chance of delivery"]
    assert row["value_busd"] == pytest.approx((chance * what.value(day)["value_busd"]).sum())
    assert row["content_busd"] == pytest.approx(17.5 * chance.sum())


@pytest.mark.parametrize("company", ["OpenAI", "openai"])
def test_figures_on_a_buyers_means(company):
    """OpenAI's projection adds up to -25 - 57 - 85 - 51 + 39 billion USD from 2026 on; a later sum is -278."""
    figures = payers.buyer_facts(company)
    assert (figures["projected"], figures["newer"]) == ("-179", "-278")


def test_share_of_a_bill_that_sales_pay():
    """Proceeds of 10 on bills of 20 pay half and never all; of 10 or 30 on 20, all of it in half of the cases."""
    paid = payers.bill_paid(pd.Series([10.0] * 4), np.array([20.0]))
    assert paid.to_dict() == {"low": 0.5, "median": 0.5, "high": 0.5, "all": 0}
    paid = payers.bill_paid(pd.Series([10.0, 30.0] * 50), np.array([20.0, 20.0]))
    assert paid["all"] == 0.5
    assert (paid["low"], paid["high"]) == pytest.approx((0.5, 1.5))
    assert payers.bill_paid(pd.Series([20.0, 20.0]), np.array([20.0]))["all"] == 1  # to the dollar is paid
    nothing = payers.bill_paid(pd.Series([0.0, 0.0]), np.array([20.0]))
    assert (nothing == 0).all()


def test_how_often_sales_pay_all_by_simulation():
    """Of a bill of 20: never, in half and in all of the paths."""
    paths = [pd.Series(x) for x in ([10.0, 10.0], [10.0, 30.0], [30.0, 30.0])]
    odds = payers.paid_in_full(paths, np.array([20.0, 20.0]))
    assert odds.to_dict() == pytest.approx({"low": 0.05, "median": 0.5, "high": 0.95})


def test_plug_powers_published_fair_value_lies_in_the_implied_range():
    """Plug Power's filing: 20.36 USD at a strike of 22.9841. The missing inputs are assumptions, so a range is shown
    and nothing is solved for."""
    samples = payers.plug_amazon(n=1024)
    published = catalog.value("plug-amazon-2022", "warrant_fair_value_usd", "at_grant")
    assert published == 20.36
    ends = uncertainty.interval(samples["usd_per_share"])
    assert ends["low"] < published < ends["high"]
    assert (samples["usd_per_share"] < samples["spot"]).all()
    assert (samples["usd_per_share"] > samples["spot"] - 22.9841).all()
    pd.testing.assert_frame_equal(payers.plug_amazon(n=1024), samples)


def test_plug_powers_warrant_is_the_call_of_quantlib():
    """Row by row: a European call over 7 years at QuantLib's analytic engine."""
    today, days = ql.Date(24, 8, 2022), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, catalog.value("plug-amazon-2022", "strike_usd", "first_part"))
    years = catalog.value("plug-amazon-2022", "vesting_years")
    option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + round(365 * years)))
    for row in payers.plug_amazon(n=16).itertuples():
        flat = [ql.YieldTermStructureHandle(ql.FlatForward(today, r, days)) for r in (0.0, row.rate)]
        vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), row.volatility, days))
        spot = ql.QuoteHandle(ql.SimpleQuote(row.spot))
        option.setPricingEngine(ql.AnalyticEuropeanEngine(ql.BlackScholesMertonProcess(spot, *flat, vol)))
        assert row.usd_per_share == pytest.approx(option.NPV(), rel=1e-10)


@pytest.mark.parametrize("deal", ["amd-openai", "AMD-OpenAI"])
def test_all_warrants_on_the_vendor(deal):
    """Each other warrant on AMD is added in full, once: 9.80 and 19.60 % of the 1,632.475 million shares, 8.93 and
    16.39 % after the issue (10-Q of 2026-06-27)."""
    table = payers.issued(deal, {"half": 80.0, "all": 160.0}, 600.0)
    assert table["shares_m"].to_dict() == {"half": 80, "all": 160, "with all of Meta's": 320}
    assert table["basic_share"].iloc[1:].to_list() == pytest.approx([0.0980, 0.1960], abs=5e-5)
    assert table["post_issue_share"].iloc[1:].to_list() == pytest.approx([0.0893, 0.1639], abs=5e-5)
    other = payers.issued("amd-meta", {"all": 160.0}, 600.0)
    assert other["shares_m"].to_dict() == {"all": 160, "with all of OpenAI's": 320}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: payers.rebate(pd.DataFrame({"value_busd": [1.0]}), np.array([0.0]), 6.0), "content_busd must be abo"),
        (
            lambda: payers.rebate(pd.DataFrame({"value_busd": [1.0]}), [9.0, 9.0], 6.0, paired=True),
            "sample for each of 1",
        ),
        (lambda: payers.bill_paid(pd.Series([1.0]), np.array([-1.0])), "bill_busd must be above 0, not -1.0"),
        (lambda: payers.bill_paid(pd.Series([1.0]), []), "bill_busd must have at least one sample, not none"),
        (lambda: payers.bill_paid(pd.Series([], dtype=float), [1.0]), "proceeds_busd must have at least one path, not"),
        (lambda: payers.rebate(pd.DataFrame({"value_busd": [1.0]}), [], 6.0), "content_busd must have at least one"),
        (lambda: payers.issued("amd-openai", {}, 600.0), "shares_m must have at least one case, not none"),
        (lambda: payers.buyer_facts("OpenIA"), "unknown subject 'OpenIA'"),
        (lambda: payers.buyer_facts("Meta"), "unknown company with a projected cash flow 'Meta'; known: OpenAI"),
        (lambda: payers.break_even_price(-1.0, 160.0), "bill_busd must be at least 0, not -1.0"),
        (lambda: payers.break_even_price(96.0, 0.0), "shares_m must be above 0, not 0.0"),
        (lambda: payers.issued("amd-anthropic", {"all": 1.0}, 600.0), "deal 'amd-anthropic' has no warrant"),
        (lambda: payers.issued("amd-openai", {"all": -1.0}, 600.0), "shares_m must be at least 0, not -1.0"),
        (lambda: payers.buyer_cash(pd.DataFrame({"median": [1.0]}, [2027]), "OpenIA"), "unknown subject 'OpenIA'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_conditions_are_watched_in_a_known_way(what):
    with pytest.raises(ValueError, match=r"unknown watched 'n_day_average'; "):
        payers.market_conditions(what, valuation.market(), watched="n_day_average")


def test_break_even_needs_a_value(what):
    with pytest.raises(ValueError, match=r"value_busd must be above 0, not 0\.0"):
        payers.break_even_volatility(what, valuation.market(), 0.0)
