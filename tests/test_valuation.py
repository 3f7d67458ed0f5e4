"""The warrant's value on a day: the market, readings, random dates, ranges."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigafleet import catalog, rollout, uncertainty
from gigafleet.warrant import closed_form as cf
from gigafleet.warrant import valuation
from gigafleet.warrant.contract import Tranche, Warrant, of_deal, years_between

FIVE = Warrant(
    "amd-openai",
    90e6,
    0.01,
    "2025-10-05",
    "2030-10-05",
    (Tranche(30e6, 1, 300), Tranche(30e6, 2, 400), Tranche(30e6, 3, 600)),
)
READINGS = ("ever", "from_milestone", "at_milestone")


@pytest.fixture(scope="module")
def what() -> valuation.Setting:
    return valuation.setting("amd-openai", n=256)


@pytest.mark.parametrize(
    ("day", "date", "spot", "highest"),
    [
        ("grant", "2025-10-05", 164.67, 164.67),  # a Sunday: the close of Friday
        ("day_after", "2025-10-06", 203.71, 203.71),
        ("latest", "2026-10-09", 608.07, 649.42),
        ("2025-10-05", "2025-10-05", 164.67, 164.67),
        ("2025-10-07", "2025-10-07", 203.71, 203.71),
        ("2026-10-08", "2026-10-08", 645.86, 649.42),
    ],
)
def test_market_of_a_day(day, date, spot, highest):
    """AMD's closes: 164.67 before the grant, 203.71 on the day of the announcement, 608.07 as the newest."""
    market = valuation.market("amd-openai", day)
    assert (market.date, market.spot_usd, market.highest_usd) == (date, spot, highest)
    assert market.volatility == catalog.value("AMD", "volatility_share", "long_dated")
    condition = "latest_4y" if date > "2026" else "at_grant_5y"
    assert market.rate == catalog.value("us-treasury", "yield_share", condition)
    closes = valuation.prices("AMD")
    assert closes.index.is_monotonic_increasing
    assert closes.index.is_unique
    assert closes.loc[market.price_date].to_list() == [spot, market.source_id]


def test_figures_by_hand_take_the_place_of_the_datas():
    market = valuation.market("amd-openai", "latest", spot_usd=700.0, volatility=0.4, rate=0.03)
    assert (market.spot_usd, market.volatility, market.rate, market.highest_usd) == (700, 0.4, 0.03, 700)
    assert valuation.market("amd-openai", "latest", spot_usd=300.0).highest_usd == 649.42  # it has been there
    assert valuation.market(day="2029-01-01", spot_usd=300.0).spot_usd == 300  # no close near, so by hand only
    assert valuation.moved(market, volatility=0.6) == valuation.market(
        "amd-openai", "latest", spot_usd=700.0, volatility=0.6, rate=0.03
    )


def test_grant_without_a_close_just_before_takes_the_first_after():
    """AMD and Meta signed on 2026-02-23; the last close in the data before it is of 2025-11-11."""
    assert valuation.market("amd-meta").price_date == "2026-02-24"
    assert valuation.market("amd-meta").highest_usd == 213.84  # not the 238.31 from before the grant
    assert valuation.market("amd-meta", "day_after").spot_usd == valuation.market("amd-meta").spot_usd == 213.84


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: valuation.market("amd-anthropic"), "deal 'amd-anthropic' has no warrant"),
        (lambda: valuation.market("amd-opnai"), r"did you mean 'amd-openai'\?"),
        (lambda: valuation.market(day="yesterday"), "day must be one of grant, day_after, latest, or a date: .*YYYY"),
        (lambda: valuation.market(day="20251006"), "a date must be given as YYYY-MM-DD, not '20251006'"),
        (lambda: valuation.market(day=None), "a date must be given as YYYY-MM-DD, not None"),
        (lambda: valuation.market(day="2025-10-04"), r"date must be from 2025-10-05 \(grant\)"),
        (lambda: valuation.market(day="2030-10-06"), r"to 2030-10-05 \(expiry\), not 2030-10-06"),
        (
            lambda: valuation.market(day="2026-07-01"),
            "the last close in the data before it is that of 2026-02-24, 127",
        ),
        (lambda: valuation.market(day="2029-01-01"), "2026-10-09, 815 days old; give spot_usd, or a day near a close"),
        (lambda: valuation.market(vol=0.5), "market takes spot_usd, volatility and rate, not 'vol'"),
        (lambda: valuation.market(spot_usd=0.0), "spot_usd must be above 0, not 0.0"),
        (lambda: valuation.market(spot_usd=np.nan), "spot_usd must be above 0, not nan"),
    ],
)
def test_days_that_are_not_possible_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_published_values_in_time():
    """164.67, strike 0.01, 3.7 %, 55 %, 5 years, continuous watching: 136.8455, 119.2490, 92.3081 (bound
    check in the research notes, and QuantLib). The warrant runs 1,826 days, a quarter of a day short of 5 years."""
    day = valuation.market()
    table = valuation.value(FIVE, day, np.array([0.5, 2.0, 4.9]), watched="intraday")
    assert table["usd_per_share"].to_list() == pytest.approx([136.8455, 119.2490, 92.3081], abs=0.01)
    exact = [cf.tranche_value(164.67, h, 0.55, 0.037, FIVE.years, strike=0.01) for h in (300, 400, 600)]
    assert table["usd_per_share"].to_list() == pytest.approx(exact, rel=1e-12)
    assert table["value_busd"].to_list() == pytest.approx([0.03 * value for value in exact])
    at_five = [cf.tranche_value(164.67, h, 0.55, 0.037, 5.0, strike=0.01) for h in (300, 400, 600)]
    assert at_five == pytest.approx([136.8455, 119.2490, 92.3081], abs=1e-4)


def test_milestone_after_expiry_is_worth_nothing():
    day = valuation.market()
    late = [0.5, FIVE.years + 0.01, np.inf]
    for touch in READINGS:
        table = valuation.value(FIVE, day, late, touch=touch)
        assert table["usd_per_share"].iloc[0] > 0
        assert (table["usd_per_share"].iloc[1:] == 0).all()
    assert table["years"].to_list() == late


def test_share_of_deliveries_in_time():
    """Counted at expiry itself: a tenth of a year before it, on its day, a tenth after it, never."""
    day, left = valuation.market(), FIVE.years
    times = np.add.outer([-0.1, 0.0, 0.1, np.inf], np.full(3, left))
    table = valuation.value(FIVE, day, times)
    assert table["in_time_share"].to_list() == [0.5] * 3
    assert (valuation.value(FIVE, day, times[:2])["in_time_share"] == 1).all()
    assert (valuation.value(FIVE, day, times[2:])["in_time_share"] == 0).all()


def test_rate_of_a_day():
    """Two rates are assumed: the five-year one at OpenAI's grant, the four-year one from the second quarter of 2026."""
    days = ["2025-10-05", "2026-03-31", "2026-04-01", "2026-10-09"]
    assert [valuation.rate_condition(day) for day in days] == ["at_grant_5y"] * 2 + ["latest_4y"] * 2


@pytest.mark.parametrize("touch", READINGS)
def test_random_dates_are_the_mean_of_known_ones(touch):
    day = valuation.market()
    times = np.array([[0.5, 1.0, 2.0], [1.5, 2.0, 5.5], [2.0, 4.0, np.inf], [-0.1, 0.0, 3.0]])
    one_by_one = [valuation.value(FIVE, day, row, touch=touch)["usd_per_share"].to_numpy() for row in times]
    together = valuation.value(FIVE, day, times, touch=touch)["usd_per_share"]
    assert together.to_numpy() == pytest.approx(np.mean(one_by_one, axis=0), rel=1e-12)


def test_spot_above_all_targets_is_the_share_less_the_strike():
    day = valuation.market(spot_usd=700.0)
    expected = 700.0 - 0.01 * np.exp(-day.rate * FIVE.years)
    for watched in ("intraday", "close"):
        table = valuation.value(FIVE, day, [1.0, 2.0, 3.0], watched=watched)
        assert table["usd_per_share"].to_list() == pytest.approx([expected] * 3, rel=1e-9)


def test_price_leg_that_is_met(what):
    """AMD closed above 600 USD in October 2026: by `ever` a share then is the spot less the strike if it is delivered
    in time; the other readings ask for it again."""
    day = valuation.market(day="latest")
    table = valuation.by_reading(what, {"latest": day})["latest"]
    assert (table["ever"] > table["from_milestone"]).all()
    assert (table["from_milestone"] > table["at_milestone"]).all()
    in_time = (what.times(day) <= what.warrant.years_left(day.date)).mean(axis=0)
    share = day.spot_usd - 0.01 * np.exp(-day.rate * what.warrant.years_left(day.date))
    assert table["ever"].to_numpy() == pytest.approx(in_time * share, rel=1e-9)
    fell = valuation.value(what.warrant, valuation.market(day="latest", spot_usd=550.0), np.zeros(6))
    assert fell["usd_per_share"].to_list() == pytest.approx([share - day.spot_usd + 550] * 6)  # 649.42 was above all
    delivered = valuation.value(what.warrant, day, np.full(6, -0.1), touch="from_milestone")
    assert delivered["usd_per_share"].to_list() == pytest.approx([share] * 6, rel=1e-9)  # reached, delivered before


@settings(max_examples=25)
@given(
    spot=st.floats(20, 1500),
    volatility=st.floats(0.05, 1.5),
    rate=st.floats(-0.02, 0.1),
    times=st.lists(st.floats(-1, 7), min_size=6, max_size=6).map(sorted),
    go_on=st.floats(0, 1),
    touch=st.sampled_from(READINGS),
    watched=st.sampled_from(["intraday", "close"]),
)
def test_bounds_of_every_value(spot, volatility, rate, times, go_on, touch, watched):
    """Tranches never sum above shares times spot; what counts by its chance is never above what is delivered."""
    warrant, day = of_deal(), valuation.market(spot_usd=spot, volatility=volatility, rate=rate)
    taken = rollout.delivered_probability(warrant.table["milestone_gw"].to_numpy(), go_on, 1.0)
    table = valuation.value(warrant, day, times, taken_share=taken, touch=touch, watched=watched)
    assert (table["usd_per_share"] >= 0).all()
    assert table["value_busd"].sum() <= warrant.shares * spot / 1e9 * (1 + 1e-9)
    assert (table["weighted_busd"] <= table["value_busd"]).all()
    looser = valuation.value(warrant, day, times, touch="ever", watched="intraday")
    assert (table["usd_per_share"] <= looser["usd_per_share"] + 1e-6 * spot).all()


def test_the_setting_counts_dates_from_the_day(what):
    """Milestones of the roll-out, moved to the day; the first gigawatt binds, each further one may fail."""
    gap = years_between("2025-10-05", "2026-10-09")
    grant, latest = (what.times(valuation.market(day=day)) for day in ("grant", "latest"))
    assert (grant - latest) == pytest.approx(np.full_like(grant, gap))
    delivered = rollout.milestones([1], what.inputs, 6.0)[:, 0]
    assert grant[:, 0] == pytest.approx(delivered + years_between("2025-10-05", "2026-07-01"))
    go_on = what.inputs["go_on_share"].to_numpy()
    assert what.taken_share == pytest.approx([(go_on**k).mean() for k in range(6)])


def test_uncertain_holds_the_point_and_repeats(what):
    day = valuation.market()
    samples = valuation.uncertain(what, day)
    point = what.value(day)
    for column in ("value_busd", "weighted_busd"):
        ends = uncertainty.interval(samples[column])
        assert ends["low"] < point[column].sum() < ends["high"]
        assert ends["median"] == pytest.approx(point[column].sum(), rel=0.03)
    assert (samples["weighted_busd"] <= samples["value_busd"]).all()
    parts = samples.filter(like="tranche_")
    assert list(parts) == [f"tranche_{i}" for i in range(1, 7)]
    assert parts.sum(axis=1).to_numpy() == pytest.approx(samples["value_busd"].to_numpy())
    pd.testing.assert_frame_equal(valuation.uncertain(what, day), samples)
    assert not valuation.uncertain(what, day, seed=1).equals(samples)


@pytest.mark.parametrize("touch", READINGS)
def test_a_sample_at_the_markets_figures_is_the_value(what, touch):
    """Both are means over all 256 schedules, whatever reading counts."""
    day = valuation.market(day="2025-10-05")
    drawn = pd.DataFrame({"volatility": [day.volatility], "rate": [day.rate], "go_on_share": [0.9]})
    row, table = valuation.uncertain(what, day, touch=touch, drawn=drawn).iloc[0], what.value(day, touch)
    assert row["value_busd"] == pytest.approx(table["value_busd"].sum(), rel=1e-12)
    assert row["weighted_busd"] == pytest.approx((table["value_busd"] * 0.9 ** np.arange(6)).sum(), rel=1e-12)


def test_samples_keep_their_index(what):
    """Row by row as without one, and columns of their own stay."""
    day = valuation.market()
    drawn = valuation.uncertain(what, day, n=4)[["volatility", "rate", "go_on_share"]].assign(name=list("abcd"))
    plain, named = (valuation.uncertain(what, day, drawn=d) for d in (drawn, drawn.set_axis([7, 5, 5, 1])))
    assert named.index.to_list() == [7, 5, 5, 1]
    pd.testing.assert_frame_equal(named.reset_index(drop=True), plain)
    assert plain.filter(like="tranche_").sum(axis=1).to_numpy() == pytest.approx(plain["value_busd"].to_numpy())


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        ({"volatility": [0.5], "go_on_share": [0.9]}, r"drawn needs a column 'rate'; it has \['volatility', 'g"),
        ({"volatility": [], "rate": [], "go_on_share": []}, "drawn needs at least one row, not none"),
        ({"volatility": [-0.5], "rate": [0.03], "go_on_share": [0.9]}, "volatility must be at least 0"),
        ({"volatility": [0.5], "rate": [0.03], "go_on_share": [1.9]}, "go_on_share must be at least 0 and at most 1"),
    ],
)
def test_bad_samples_are_named(what, drawn, message):
    with pytest.raises(ValueError, match=message):
        valuation.uncertain(what, valuation.market(), drawn=pd.DataFrame(drawn))


def test_a_day_must_be_a_market_and_a_warrant_a_warrant(what):
    """The name of a day or a deal is an easy slip."""
    is_no_day = r"day must be a Market, such as warrant.market\('amd-openai', 'grant'\) gives, not 'grant'"
    for call in (
        lambda: valuation.value(FIVE, "grant", [1.0, 2.0, 3.0]),
        lambda: valuation.per_share(FIVE, "grant", [1.0, 2.0, 3.0]),
        lambda: what.value("grant"),
        lambda: valuation.moved("grant", volatility=0.7),
        lambda: valuation.uncertain(what, "grant"),
        lambda: valuation.by_reading(what, {"grant": "grant"}),
    ):
        with pytest.raises(ValueError, match=is_no_day):
            call()
    with pytest.raises(ValueError, match=r"warrant must be a Warrant, such as .* not 'amd-openai'"):
        valuation.value("amd-openai", valuation.market(), [1.0, 2.0, 3.0])


def test_closes_of_a_vendor_by_any_name():
    pd.testing.assert_frame_equal(valuation.prices("amd"), valuation.prices("AMD"))
    with pytest.raises(ValueError, match="unknown subject 'junk'"):
        valuation.prices("junk")
    with pytest.raises(ValueError, match="unknown vendor with closes of its share 'OpenAI'; known: AMD"):
        valuation.prices("OpenAI")


def test_a_volatility_by_hand_scales_its_range(what):
    """A volatility given by hand keeps the width of the data's range, in proportion."""
    low, mid, high = (catalog.value("AMD", "volatility_share", "long_dated", case) for case in ("low", "mid", "high"))
    drawn = valuation.uncertain(what, valuation.market(volatility=0.8))["volatility"]
    assert uncertainty.interval(drawn).to_list() == pytest.approx([0.8 * low / mid, 0.8, 0.8 * high / mid], rel=0.02)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"milestone_years": [1.0, 2.0]}, "milestone_years must have a column a tranche, 3, not 2"),
        ({"milestone_years": np.zeros((3, 5))}, "milestone_years must have a column a tranche, 3, not 5"),
        ({"milestone_years": [1.0, np.nan, 2.0]}, "milestone_years must be a number, not nan"),
        ({"touch": "evr"}, r"unknown touch 'evr'; did you mean 'ever'\?"),
        ({"watched": "n_day_average"}, "unknown watched 'n_day_average'"),
        ({"taken_share": 1.1}, "taken_share must be at least 0 and at most 1, not 1.1"),
        ({"dividend_yield": np.nan}, "dividend_yield must be .* not nan"),
        (
            {"day": valuation.moved(valuation.market(), volatility=-0.1)},
            "volatility must be at least 0 and at most 10, not -0.1",
        ),
    ],
)
def test_bad_input_is_named(changed, message):
    case = {"warrant": FIVE, "day": valuation.market(), "milestone_years": [1.0, 2.0, 3.0]} | changed
    with pytest.raises(ValueError, match=message):
        valuation.value(**case)


def test_a_setting_needs_a_warrant_and_known_inputs():
    with pytest.raises(ValueError, match="deal 'amd-anthropic' has no warrant"):
        valuation.setting("amd-anthropic")
    with pytest.raises(ValueError, match=r"did you mean 'delay_years'\?"):
        valuation.setting("amd-openai", dealy_years=1.0)


def test_metas_milestones_count_what_is_shipped_and_openais_what_is_delivered():
    """As their 8-Ks have it: Meta's warrant vests with gigawatts shipped, OpenAI's with those delivered."""
    for deal, clock in (("amd-meta", "shipped"), ("amd-openai", "delivered")):
        what = valuation.setting(deal, 64)
        gw = what.warrant.table["milestone_gw"].to_numpy()
        expected = rollout.milestones(gw, what.inputs, what.capacity_gw, clock=clock)
        day = valuation.market(deal, "grant")
        assert what.warrant.clock == clock
        np.testing.assert_allclose(what.times(day), expected + years_between(day.date, rollout.START_DATE))
