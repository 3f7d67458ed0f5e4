"""Closed forms of the warrant, against QuantLib, published cases and each other."""

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gigafleet.warrant import closed_form as cf
from gigafleet.warrant import readings

TODAY = ql.Date(5, 10, 2025)
DAYS = ql.Actual365Fixed()
MARKET = {"volatility": 0.55, "rate": 0.037, "years": 5.0}


def _process(spot, volatility, rate, dividend_yield):
    ql.Settings.instance().evaluationDate = TODAY
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, r, DAYS)) for r in (dividend_yield, rate)]
    vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), volatility, DAYS))
    return ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), *flat, vol)


def _exercise(years):
    return ql.EuropeanExercise(TODAY + round(365 * years))


def up_and_in(spot, target, volatility, rate, years, strike, dividend_yield):
    """Return the value of an up-and-in call by QuantLib."""
    option = ql.BarrierOption(
        ql.Barrier.UpIn, target, 0.0, ql.PlainVanillaPayoff(ql.Option.Call, strike), _exercise(years)
    )
    option.setPricingEngine(ql.AnalyticBarrierEngine(_process(spot, volatility, rate, dividend_yield)))
    return option.NPV()


def asset_at_hit(spot, target, volatility, rate, years, dividend_yield):
    """Return the value of a share received at the touch by QuantLib."""
    payoff = ql.AssetOrNothingPayoff(ql.Option.Call, target)
    option = ql.VanillaOption(payoff, ql.AmericanExercise(TODAY, TODAY + round(365 * years)))
    option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(_process(spot, volatility, rate, dividend_yield)))
    return option.NPV()


def late_window_call(spot, target, volatility, rate, years, strike, start, dividend_yield):
    """Return the value of an up-and-in call whose barrier is watched from a later date on, by QuantLib."""
    process = _process(spot, volatility, rate, dividend_yield)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
    out = ql.PartialTimeBarrierOption(
        ql.Barrier.UpOut,
        ql.PartialBarrier.EndB2,
        target,
        0.0,
        TODAY + round(365 * start),
        payoff,
        _exercise(years),
    )
    out.setPricingEngine(ql.AnalyticPartialTimeBarrierOptionEngine(process))
    plain = ql.VanillaOption(payoff, _exercise(years))
    plain.setPricingEngine(ql.AnalyticEuropeanEngine(process))
    return plain.NPV() - out.NPV()


GRID = [
    (spot, target, volatility, years, q)
    for spot in (100.0, 164.67, 560.0)
    for target in (225.0, 600.0)
    for volatility in (0.2, 0.55, 0.9)
    for years in (1.0, 5.0)
    for q in (0.0, 0.04)
    if spot < target
]


@pytest.mark.parametrize(("spot", "target", "volatility", "years", "q"), GRID)
def test_against_quantlib(spot, target, volatility, years, q):
    for strike in (0.01, 22.98, 150.0):
        ours = cf.tranche_value(spot, target, volatility, 0.037, years, strike=strike, dividend_yield=q)
        assert ours == pytest.approx(up_and_in(spot, target, volatility, 0.037, years, strike, q), rel=1e-10, abs=1e-10)
    ours = cf.one_touch_share(spot, target, volatility, 0.037, years, q)
    assert ours == pytest.approx(asset_at_hit(spot, target, volatility, 0.037, years, q), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("start", [0.4, 1.0, 2.2, 3.0, 4.8])
@pytest.mark.parametrize("volatility", [0.25, 0.55, 0.8])
@pytest.mark.parametrize("q", [0.0, 0.02])
def test_window_that_opens_later_against_quantlib(start, volatility, q):
    for spot in (164.67, 500.0, 700.0):
        for strike in (22.98, 300.0):
            ours = cf.tranche_value(
                spot,
                600.0,
                volatility,
                0.037,
                5.0,
                strike=strike,
                milestone_years=start,
                dividend_yield=q,
                touch="from_milestone",
            )
            theirs = late_window_call(spot, 600.0, volatility, 0.037, 5.0, strike, start, q)
            assert ours == pytest.approx(theirs, abs=2e-5 * spot)  # QuantLib's bivariate normal has six digits


def test_bivariate_form_against_integral(monkeypatch):
    """Both ways to the window that opens later agree to rounding."""
    start, volatility = np.meshgrid([0.4, 1.0, 2.2, 4.8], [0.25, 0.55, 0.8])
    case = {"strike": 22.98, "milestone_years": start, "touch": "from_milestone"}
    form = cf.tranche_value(500.0, 600.0, volatility, 0.037, 5.0, **case)
    monkeypatch.setattr(cf, "STEEP", -np.inf)
    assert cf.tranche_value(500.0, 600.0, volatility, 0.037, 5.0, **case) == pytest.approx(form, rel=1e-12)


PUBLISHED = [  # value per warrant share; strike 0.01, rate 3.7 %, 5 years, no dividend
    (164.67, 0.45, 300, 125.5),
    (164.67, 0.45, 600, 68.7),
    (164.67, 0.70, 400, 136.4),
    (203.71, 0.55, 300, 183.5),
]


@pytest.mark.parametrize(("spot", "volatility", "target", "value"), PUBLISHED)
def test_bounds_of_the_deal_notes(spot, volatility, target, value):
    assert cf.tranche_value(spot, target, volatility, 0.037, 5.0, strike=0.01) == pytest.approx(value, abs=0.051)


def test_published_cases():
    """Recomputed cases of AMD's warrant, and Haug (2007): one-touch, up-and-in with rebate, calls."""
    targets = np.array([300.0, 400.0, 600.0])
    values = cf.tranche_value(164.67, targets, strike=0.01, **MARKET)
    assert values == pytest.approx([136.8455, 119.2490, 92.3081], abs=1e-4)
    assert cf.one_touch_share(203.71, targets, **MARKET) == pytest.approx([183.4605, 163.8746, 131.8574], abs=1e-4)
    assert cf.tranche_value(164.67, 600.0, strike=0.01, watched="close", **MARKET) == pytest.approx(90.9553, abs=1e-4)
    assert readings.watched_target(600.0, 0.55, "close") == pytest.approx(612.2342, abs=1e-4)
    assert cf.touch_probability(164.67, 600.0, 0.037, 0.55, 5.0) == pytest.approx(0.169708, abs=1e-6)
    assert cf.call(60.0, 65.0, 0.30, 0.08, 0.25) == pytest.approx(2.1334, abs=1e-4)
    assert cf.one_touch_share(95.0, 100.0, 0.2, 0.1, 0.5) == pytest.approx(77.7017, abs=1e-4)
    assert 15 / 100 * cf.one_touch_share(95.0, 100.0, 0.2, 0.1, 0.5) == pytest.approx(11.6553, abs=1e-4)
    assert cf.call(42.0, 40.0, 0.35, 0.04, 0.75, 0.08) == pytest.approx(5.0975, abs=1e-4)
    for strike, value in ((90.0, 14.1112), (100.0, 8.4482)):
        rebate = 3 * np.exp(-0.04) * (1 - cf.touch_probability(100.0, 105.0, 0.04, 0.25, 0.5))
        option = cf.tranche_value(100.0, 105.0, 0.25, 0.08, 0.5, strike=strike, dividend_yield=0.04)
        assert option + rebate == pytest.approx(value, abs=1e-4)


def test_a_share_at_the_touch_and_one_at_expiry_differ_with_a_dividend():
    """Published: 72.26 at the touch, 68.22 at expiry, 73.90 by spot times touch probability."""
    case = (100.0, 120.0, 0.3, 0.05, 2.0)
    assert cf.one_touch_share(*case, 0.04) == pytest.approx(72.26, abs=5e-3)
    assert cf.tranche_value(*case, dividend_yield=0.04) == pytest.approx(68.22, abs=5e-3)
    assert 100 * cf.touch_probability(100.0, 120.0, 0.05 - 0.04 + 0.3**2, 0.3, 2.0) == pytest.approx(73.90, abs=5e-3)
    assert cf.one_touch_share(*case) == pytest.approx(cf.tranche_value(*case), rel=1e-12)


def test_price_on_the_day_of_the_milestone_by_quadrature():
    """Prices above the target at the milestone are integrated by Gauss and Legendre, with a call for what follows."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    for start, strike in ((1.0, 22.98), (3.5, 0.01), (2.0, 500.0)):
        drift, root = (0.037 - 0.55**2 / 2) * start, 0.55 * np.sqrt(start)
        first = (np.log(300 / 164.67) - drift) / root
        z = first + (10 - first) * (nodes + 1) / 2
        later = cf.call(164.67 * np.exp(drift + root * z), strike, 0.55, 0.037, 5.0 - start)
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        expected = np.exp(-0.037 * start) * np.sum(weights * later * density) * (10 - first) / 2
        ours = cf.tranche_value(164.67, 300.0, strike=strike, milestone_years=start, touch="at_milestone", **MARKET)
        assert ours == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("volatility", [0.02, 0.05, 0.08, 0.12])
@pytest.mark.parametrize("start", [0.05, 1.0, 4.9])
def test_window_that_opens_later_at_low_volatility(volatility, start):
    """Where the closed form would lose its digits, the integral must meet QuantLib or lie between its bounds."""
    case = (164.67, 190.0, volatility, 0.037, 5.0)
    value = cf.tranche_value(*case, strike=0.01, milestone_years=start, touch="from_milestone")
    ever = cf.tranche_value(*case, strike=0.01)
    at_end = cf.tranche_value(*case, strike=0.01, milestone_years=5.0, touch="at_milestone")
    assert at_end - 1e-6 <= value <= ever + 1e-6
    near = cf.tranche_value(*case, strike=0.01, milestone_years=start + 1e-4, touch="from_milestone")
    assert value == pytest.approx(near, abs=0.05)


MARKETS = {
    "spot": st.floats(50, 900),
    "volatility": st.floats(0.05, 1.5),
    "rate": st.floats(0.0, 0.1),
    "years": st.floats(0.05, 10),
}


@settings(max_examples=150, deadline=None)
@given(**MARKETS, target=st.floats(60, 2000), share=st.floats(0, 1), strike=st.floats(0, 100), q=st.floats(0, 0.05))
def test_orderings(spot, volatility, rate, years, target, share, strike, q):
    """ever >= from the milestone >= at the milestone; closes below all day; a call bounds all; a higher target is worth
    less; a later window is worth less."""
    case = (spot, target, volatility, rate, years)
    late = {"strike": strike, "milestone_years": share * years, "dividend_yield": q}
    ever = cf.tranche_value(*case, **late)
    window = cf.tranche_value(*case, **late, touch="from_milestone")
    point = cf.tranche_value(*case, **late, touch="at_milestone")
    tiny = 1e-7 * spot
    assert 0 <= point <= window + tiny
    assert window <= ever + tiny
    assert ever <= cf.call(spot, strike, volatility, rate, years, q) + tiny
    assert cf.tranche_value(*case, **late, watched="close") <= ever + tiny
    assert cf.tranche_value(spot, target * 1.1, volatility, rate, years, **late) <= ever + tiny
    later = late | {"milestone_years": (share + 1) / 2 * years}
    assert cf.tranche_value(*case, **later, touch="from_milestone") <= window + tiny


@settings(max_examples=50, deadline=None)
@given(**MARKETS, strike=st.floats(0, 40))
def test_limits(spot, volatility, rate, years, strike):
    """At the target a tranche is a share less the strike's present value for a call deep in the money; without
    volatility a forward below the target is worth nothing, one above it the forward; after expiry nothing."""
    at = cf.tranche_value(spot, spot, volatility, rate, years, strike=strike)
    assert at == pytest.approx(cf.call(spot, strike, volatility, rate, years), rel=1e-12)
    assert cf.tranche_value(spot, spot * (1 - 1e-12), volatility, rate, years) == pytest.approx(spot, rel=1e-12)
    forward = spot * np.exp(rate * years)
    for touch in ("ever", "from_milestone", "at_milestone"):
        still = {"touch": touch, "milestone_years": years, "strike": strike}
        assert cf.tranche_value(spot, forward * 1.001, 0.0, rate, years, **still) == pytest.approx(0, abs=1e-9)
        above = cf.tranche_value(spot, forward * 0.999, 0.0, rate, years, **still)
        assert above == pytest.approx(max(spot - strike * np.exp(-rate * years), 0), rel=1e-9)
        missed = still | {"milestone_years": years * 1.001}
        assert cf.tranche_value(spot, spot / 2, volatility, rate, years, **missed) == 0
        assert cf.tranche_value(spot, spot / 2, volatility, rate, years, **still | {"milestone_years": np.inf}) == 0


@pytest.mark.parametrize("touch", ["ever", "from_milestone"])
@pytest.mark.parametrize("milestone", [-1.0, 0.0, 0.7, 2.0])
def test_a_strike_above_the_target_makes_a_call(touch, milestone):
    """A share that ends above the strike has reached the target below it; one number and an array agree."""
    plain = cf.call(100.0, 150.0, 0.5, 0.03, 2.0)
    case = {"strike": 150.0, "touch": touch, "dividend_yield": 0.0}
    one = cf.tranche_value(100.0, 120.0, 0.5, 0.03, 2.0, milestone_years=milestone, **case)
    many = cf.tranche_value(100.0, 120.0, 0.5, 0.03, 2.0, milestone_years=np.array([milestone, 1.0]), **case)
    assert one == pytest.approx(plain, rel=1e-10)
    assert many.tolist() == pytest.approx([plain, plain], rel=1e-10)


@settings(max_examples=100, deadline=None)
@given(**MARKETS, target=st.floats(60, 2000), share=st.floats(0, 1), strike=st.floats(0, 100))
def test_orderings_at_daily_closes(spot, volatility, rate, years, target, share, strike):
    """The look on the day of the milestone is one close in both readings, so the later ones only add to it."""
    case = (spot, target, volatility, rate, years)
    late = {"strike": strike, "milestone_years": share * years, "watched": "close"}
    ever = cf.tranche_value(*case, **late)
    window = cf.tranche_value(*case, **late, touch="from_milestone")
    point = cf.tranche_value(*case, **late, touch="at_milestone")
    assert point <= window + 1e-7 * spot
    assert window <= max(ever, point) + 0.02 * spot * volatility  # the shift is an approximation


@pytest.mark.parametrize(
    ("spot", "milestone", "value", "error"),
    [
        (590.0, 1.0, 558.3455, 0.0019),
        (590.0, 4.99, 460.338, 0.014),
        (590.0, 5.0, 456.584, 0.004),
        (608.07, 0.02, 603.8065, 0.0004),
        (164.67, 5.0, 63.799, 0.001),
    ],
)
def test_window_at_daily_closes_against_monte_carlo(spot, milestone, value, error):
    """Values and standard errors of this project's simulation with 2^22 paths; the shift itself is worth 0.002."""
    late = {"strike": 0.01, "milestone_years": milestone, "watched": "close", "touch": "from_milestone"}
    assert cf.tranche_value(spot, 600.0, **MARKET, **late) == pytest.approx(value, abs=3 * error + 0.002)


def test_window_that_closes_with_the_milestone():
    """As the time left goes to nothing the window becomes the look on the day; the panels must not miss the step."""
    case = (100.0, 351.0, 0.0576, 0.119, 6.64)
    terms = {"strike": 227.7, "dividend_yield": 0.0086}
    for share in (0.99, 0.999, 0.9999, 0.99999, 1.0):
        late = terms | {"milestone_years": 6.64 * share}
        window = cf.tranche_value(*case, touch="from_milestone", **late)
        point = cf.tranche_value(*case, touch="at_milestone", **late)
        assert point * 0.999 <= window <= cf.tranche_value(*case, **late)
    assert window == pytest.approx(point, rel=1e-3)


def test_what_was_reached_before():
    """Before the milestone it counts for `ever` alone; after it for `from_milestone` too; at the milestone never."""
    late = {"strike": 0.01, "reached": True, "milestone_years": 1.0}
    full = cf.call(500.0, 0.01, **MARKET)
    assert cf.tranche_value(500.0, 600.0, **MARKET, **late) == pytest.approx(full)
    window = cf.tranche_value(500.0, 600.0, **MARKET, **late, touch="from_milestone")
    assert window < 0.99 * full
    past = late | {"milestone_years": -1.0}
    assert cf.tranche_value(500.0, 600.0, **MARKET, **past, touch="from_milestone") == pytest.approx(full)
    assert cf.tranche_value(500.0, 600.0, **MARKET, **past, touch="at_milestone") == 0
    assert cf.tranche_value(700.0, 600.0, **MARKET, **past, touch="at_milestone") == pytest.approx(
        cf.call(700.0, 0.01, **MARKET)
    )


def test_numbers_arrays_series_and_dataarrays_give_the_same():
    spots = [100.0, 164.67, 700.0]
    single = [cf.tranche_value(s, 600.0, strike=0.01, **MARKET) for s in spots]
    assert all(isinstance(x, float) for x in single)
    assert cf.tranche_value(np.array(spots), 600.0, strike=0.01, **MARKET).tolist() == single
    series = cf.tranche_value(pd.Series(spots, index=["a", "b", "c"]), 600.0, strike=0.01, **MARKET)
    assert series.to_dict() == dict(zip("abc", single, strict=True))
    volatility = xr.DataArray([0.4, 0.55], dims="volatility")
    table = cf.tranche_value(xr.DataArray(spots, dims="spot"), 600.0, volatility, 0.037, 5.0, strike=0.01)
    assert table.dims == ("spot", "volatility")
    assert table.isel(volatility=1).to_numpy().tolist() == single
    with pytest.raises(ValueError, match="one index"):
        cf.touch_probability(pd.Series(spots), pd.Series(spots, index=[5, 6, 7]), 0.04, 0.5, 1.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"spot": 0.0}, "spot must be above 0 and at most 1e.09, not 0.0"),
        ({"spot": -3.0}, "spot must be above 0 and at most 1e.09, not -3.0"),
        ({"volatility": -0.1}, "volatility must be at least 0 and at most 10, not -0.1"),
        ({"years": -1.0}, "years must be at least 0 and at most 100, not -1.0"),
        ({"years": np.array([1.0, np.nan])}, "years must be at least 0 and at most 100, not nan"),
        ({"years": np.inf}, "years must be at least 0 and at most 100, not inf"),
        ({"target": -600.0}, "target must be at least 0, not -600.0"),
        ({"strike": -1.0}, "strike must be at least 0, not -1.0"),
        ({"reached": "no"}, "reached must be True or False"),
        ({"touch": "evr"}, "unknown touch 'evr'; did you mean 'ever'?"),
        ({"watched": "n_day_average"}, "unknown watched 'n_day_average'"),
    ],
)
def test_bad_input_is_named(changed, message):
    case = {"spot": 164.67, "target": 600.0, **MARKET} | changed
    with pytest.raises(ValueError, match="(?i)" + message.replace("?", r"\?")):
        cf.tranche_value(**case)
