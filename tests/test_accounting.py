"""Dilution and contra-revenue: published cases, conservation between holders, sums over tranches."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gigafleet.warrant import accounting
from gigafleet.warrant import closed_form as cf
from gigafleet.warrant.contract import Tranche, Warrant, of_deal

FAIR = [150.0, 136.0, 122.0, 107.0, 84.0, 44.0]
WARRANT = of_deal("amd-openai")


def total_busd(fair=FAIR, warrant=WARRANT):
    """Return the fair value of all tranches: shares times value."""
    return sum(value * tranche.shares for value, tranche in zip(fair, warrant.tranches, strict=True)) / 1e9


def test_hulls_warrant():
    """Hull: 1 million shares at 40 USD, 0.2 million warrants at 60 USD, 5 years, 3 %, 30 %: 7.0402 x 1/1.2 = 5.8669."""
    call = cf.call(40.0, 60.0, 0.30, 0.03, 5.0)
    assert call == pytest.approx(7.0402, abs=1e-4)
    assert accounting.diluted_value_per_warrant_share(call, 0.2, 1.0) == pytest.approx(5.8669, abs=1e-4)
    assert accounting.diluted_value_per_warrant_share(call, 0.0, 1.0) == call


def test_amds_dilution():
    """AMD: 160 of 1,630 + 160 million shares are 8.9385 %, with Meta's 320 of 1,950 are 16.4103 %; by the treasury
    stock method at 600 USD 159,997,333 net shares. SemiAnalysis readers: 19.63 % of the old shares."""
    table = accounting.dilution(pd.Series({"openai": 160.0, "both": 320.0}), 1630.0, 600.0)
    assert table["post_issue_share"].to_dict() == pytest.approx({"openai": 0.089385, "both": 0.164103}, abs=1e-6)
    assert table.loc["openai", "net_shares_m"] * 1e6 == pytest.approx(159_997_333, abs=1)
    assert table["basic_share"].round(4).to_dict() == {"openai": 0.0982, "both": 0.1963}


@given(
    shares=st.floats(0, 1e3),
    outstanding=st.floats(1, 1e4),
    price=st.floats(0.01, 2e3),
    strike_share=st.floats(0, 1),
)
def test_who_loses_what_the_holder_gains(shares, outstanding, price, strike_share):
    """Treasury stock <= post-issue <= basic; what old holders lose is what the holder gains, priced after the issue."""
    strike = strike_share * price
    row = accounting.dilution(shares, outstanding, price, strike).iloc[0]
    assert row["treasury_share"] <= row["post_issue_share"] * (1 + 1e-12) <= row["basic_share"] * (1 + 1e-9)
    after = (outstanding * price + shares * strike) / (outstanding + shares)
    old_lose, holder_gains = outstanding * (price - after) / 1e3, shares * (after - strike) / 1e3
    tolerance = 1e-9 * (outstanding + shares) * price / 1e3
    assert row["cost_busd"] == pytest.approx(old_lose, abs=tolerance)
    assert row["cost_busd"] == pytest.approx(holder_gains, abs=tolerance)


def test_series_and_numbers_make_one_table():
    """A price a row beside one number of shares; rows keep their names."""
    price = pd.Series({"grant": 164.67, "latest": 608.07})
    table = accounting.dilution(160.0, 1630.0, price)
    assert table.index.to_list() == ["grant", "latest"]
    for day, usd in price.items():
        assert table.loc[day].to_list() == accounting.dilution(160.0, 1630.0, usd).iloc[0].to_list()


def test_nothing_issued_and_nothing_gained():
    assert (accounting.dilution(0.0, 1630.0, 600.0).iloc[0] == 0).all()
    at_strike = accounting.dilution(160.0, 1630.0, 40.0, 40.0).iloc[0]
    assert (at_strike["net_shares_m"], at_strike["cost_busd"]) == (0, 0)
    worthless = accounting.dilution(160.0, 1630.0, 0.0, 0.0).iloc[0]
    assert (worthless["net_shares_m"], worthless["cost_busd"]) == (160, 0)


def test_contra_revenue_at_milestones_by_hand():
    """Nothing at 0 GW; tranche by tranche at the milestones; all of it at the last and no more after."""
    steps = np.cumsum(FAIR) * 160 / 6 / 1e3
    recognized = accounting.recognized_busd(WARRANT, FAIR, np.arange(7.0))
    assert recognized.tolist() == pytest.approx([0, *steps], rel=1e-6)
    assert accounting.recognized_busd(WARRANT, FAIR, 9.0) == pytest.approx(total_busd())
    assert accounting.recognized_busd(WARRANT, FAIR, 0.25) == pytest.approx(steps[0] / 4, rel=1e-6)


@given(
    gw=st.lists(st.floats(0, 7), min_size=2, max_size=8),
    fair=st.lists(st.floats(0, 600), min_size=6, max_size=6),
    more=st.lists(st.floats(0, 600), min_size=6, max_size=6),
    earned=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_contra_revenue_rises_adds_up_and_leaves_out_what_is_not_earned(gw, fair, more, earned):
    gw = np.sort(gw)
    one, two = (accounting.recognized_busd(WARRANT, values, gw) for values in (fair, more))
    both = accounting.recognized_busd(WARRANT, [a + b for a, b in zip(fair, more, strict=True)], gw)
    assert both == pytest.approx(one + two, abs=1e-9)
    assert (np.diff(one) >= -1e-12).all()
    assert (one <= total_busd(fair) * (1 + 1e-12)).all()
    counted = accounting.recognized_busd(WARRANT, fair, gw, earned)
    zeroed = accounting.recognized_busd(WARRANT, [f * e for f, e in zip(fair, earned, strict=True)], gw)
    assert counted == pytest.approx(zeroed, abs=1e-12)


def test_a_tranche_without_a_milestone_counts_at_once():
    first = Warrant("x", 30e6, 0.01, "2025-10-05", "2030-10-05", (Tranche(10e6, 0, 0), Tranche(20e6, 2, 300)))
    assert accounting.recognized_busd(first, [100.0, 50.0], np.array([0.0, 1.0, 2.0])).tolist() == [1.0, 1.5, 2.0]


def test_numbers_arrays_and_dataarrays_give_the_same():
    gw = [0.0, 0.3, 1.0, 4.7, 6.0]
    single = [float(accounting.recognized_busd(WARRANT, FAIR, x)) for x in gw]
    assert accounting.recognized_busd(WARRANT, FAIR, np.array(gw)).tolist() == single
    table = accounting.recognized_busd(WARRANT, FAIR, xr.DataArray(gw, dims="quarter"))
    assert (table.dims, table.to_numpy().tolist()) == (("quarter",), single)
    sampled = [xr.DataArray([value, 2 * value], dims="sample") for value in FAIR]
    table = accounting.recognized_busd(WARRANT, sampled, xr.DataArray(gw, dims="quarter"))
    assert table.transpose("sample", "quarter").to_numpy() == pytest.approx(np.array([single, single]) * [[1], [2]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accounting.dilution(-1.0, 1630.0, 600.0), "shares_m must be at least 0, not -1.0"),
        (lambda: accounting.dilution(160.0, 0.0, 600.0), "outstanding_m must be above 0, not 0.0"),
        (lambda: accounting.dilution(160.0, 1630.0, 20.0, 22.98), "price_usd must be at least 22.98, not 20.0"),
        (lambda: accounting.dilution(np.nan, 1630.0, 20.0), "shares_m must be at least 0, not nan"),
        (
            lambda: accounting.dilution(pd.Series({"a": 1.0, "b": 2.0}), 1630.0, pd.Series({"b": 600.0, "a": 100.0})),
            r"dilution needs Series with one index, not \['a', 'b'\] ... and \['b', 'a'\]",
        ),
        (lambda: accounting.recognized_busd(WARRANT, FAIR, np.array([1.0, -0.5])), "gw must be at least 0, not -0.5"),
        (lambda: accounting.recognized_busd(WARRANT, FAIR, gw=np.nan), "gw must be at least 0, not nan"),
        (lambda: accounting.diluted_value_per_warrant_share(7.0, 0.2, 0.0), "outstanding_m must be above 0, not 0.0"),
        (
            lambda: accounting.recognized_busd(WARRANT, FAIR[:5], 1.0),
            "fair_value_usd and counts must have one figure a tranche, 6, not 5 and 6",
        ),
        (lambda: accounting.recognized_busd(WARRANT, FAIR, 1.0, [True]), "one figure a tranche, 6, not 6 and 1"),
        (lambda: accounting.recognized_busd(WARRANT, [*FAIR[:5], -1.0], 1.0), "fair_value_usd must be at least 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
