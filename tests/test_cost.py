"""Cost against Hamilton, Epoch AI, SemiAnalysis and InferenceX; annuities; monotony; the four types."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gigafleet import catalog, comparison, cost, power
from gigafleet.errors import UnknownNameError

RATE = st.floats(0, 0.3)
YEARS = st.floats(1, 30)
COMMON = {
    "pue": 1.14,
    "usd_per_mwh": 80.0,
    "rate": 0.065,
    "it_life_years": 5,
    "facility_usd_per_kw": 11_600,
    "facility_life_years": 14,
    "network_usd": 9_000,
    "busy_share": 0.8,
    "opex_share": 0.006,
}


@pytest.mark.parametrize(
    ("usd_per_h", "tokens_per_s", "expected"),
    [
        (2.8, 1000, 0.777778),
        (2.8, 500, 1.555556),
        (2.8, 200, 3.888889),
        (2.21, 32.8, 18.716),
        (2.21, 1613.8, 0.3804),
        (2.21, 5336.2, 0.1150),
    ],
)
def test_usd_per_million_tokens_of_inferencex(usd_per_h, tokens_per_s, expected):
    """InferenceX' published table; its 0.10 for 5,336.2 tokens/s is a misprint for 0.1150."""
    assert cost.usd_per_million_tokens(usd_per_h, tokens_per_s) == pytest.approx(expected, rel=5e-4)


def test_idle_capacity_makes_tokens_dearer():
    assert cost.usd_per_million_tokens(2.8, 1000, load_factor=0.5) == pytest.approx(2 * 0.777778, rel=1e-5)


@pytest.mark.parametrize("usd_per_h", [0, -5, float("nan")])
def test_a_budget_of_nothing_is_an_error(usd_per_h):
    """InferenceX: a budget of 0, -5 or NaN is an error."""
    with pytest.raises(ValueError, match="usd_per_h must be above 0"):
        cost.usd_per_million_tokens(usd_per_h, 1000)


def test_hamiltons_data_center():
    """J. Hamilton's 8 MW data center, monthly at 5 %: servers, network and their published shares of the total."""
    monthly = 0.05 / 12
    servers = 66.7e6 * cost.capital_recovery_factor(monthly, 36)
    network = 12.81e6 * cost.capital_recovery_factor(monthly, 48)
    assert servers == pytest.approx(1_999_059, rel=1e-4)
    assert network == pytest.approx(295_005, rel=1e-4)
    electricity = power.energy_mwh(8000.0 * 0.80, 1.45, power.HOURS_PER_MONTH) * 70
    total = servers / 0.57
    assert network / total == pytest.approx(0.08, abs=0.005)
    assert electricity / total == pytest.approx(0.13, abs=0.006)


@pytest.mark.parametrize(("years", "condition"), [(3, "life_3y"), (5, "life_5y"), (7, "life_7y")])
def test_epochs_gigawatt_at_three_lives(years, condition):
    """Epoch AI (2026-05-14): 1 GW of IT, GB200; servers 21.19, network 4.93, facility 11.60 over 14 years, running
    0.9 bn a year."""
    site = {
        q: catalog.value("ai-datacenter", q)
        for q in ("network_usd_per_kw", "facility_usd_per_kw", "facility_life_years")
    }
    rate = catalog.value("ai-datacenter", "discount_rate_share")
    it_busd = catalog.value("gigawatt-site", "site_servers_busd_per_gw") + site["network_usd_per_kw"] / 1000
    yearly = (
        it_busd * cost.capital_recovery_factor(rate, years)
        + site["facility_usd_per_kw"] / 1000 * cost.capital_recovery_factor(rate, site["facility_life_years"])
        + catalog.value("gigawatt-site", "annual_opex_busd_per_gw")
    )
    assert yearly == pytest.approx(catalog.value("gigawatt-site", "annual_cost_busd_per_gw", condition), rel=0.03)


def test_straight_line_does_not_reproduce_epoch():
    """By straight line the five years give 7.0, not the published 8.5: the annuity is a choice that the figures
    support."""
    yearly = (
        (21.19 + 4.93) * cost.yearly_share(0.065, 5, "straight_line")
        + 11.60 * cost.yearly_share(0.065, 14, "straight_line")
        + 0.9
    )
    assert yearly == pytest.approx(7.0, abs=0.1)


def test_cost_of_a_gigawatt_from_an_hour():
    """SemiAnalysis' 1.86 USD/h for GB200 at 1.87 kW is 8.71 billion USD a year per GW of IT, beside Epoch's 8.5."""
    assert cost.tco_busd_per_gw_year(1.86, 1.87) == pytest.approx(8.71, abs=0.01)


@pytest.mark.parametrize("name", ["H100", "B200", "GB200", "MI300X", "MI355X"])
def test_owner_cost_within_a_quarter_of_semianalysis(name):
    """SemiAnalysis' hyperscaler owner cost (August 2026); one set of rate, lives, network, facility, PUE and energy
    for all five."""
    costs = comparison.owner_costs(["H100", "B200", "GB200", "MI300X", "MI355X"])
    assert abs(costs.loc[name, "difference"]) < 0.25
    assert costs.loc[name, "published"] == catalog.value(name, "owner_cost_usd_per_h")


def test_capital_recovery_factor_closed_forms():
    """The present value of the payments is the capital; at no rate it is paid back evenly; forever it is the
    interest."""
    payments = cost.capital_recovery_factor(0.08, 10) / 1.08 ** np.arange(1, 11)
    assert payments.sum() == pytest.approx(1)
    assert cost.capital_recovery_factor(0.0, 7) == pytest.approx(1 / 7)
    assert cost.capital_recovery_factor(0.08, 1e4) == pytest.approx(0.08)
    np.testing.assert_allclose(cost.capital_recovery_factor(np.array([0.0, 5e-324, 1e-13, 1e-9]), 7), 1 / 7, rtol=1e-8)


@given(rate=RATE, years=YEARS, more=st.floats(1.01, 3))
def test_capital_recovery_factor_is_monotone(rate, years, more):
    base = cost.capital_recovery_factor(rate, years)
    assert base >= 1 / years - 1e-12
    assert cost.capital_recovery_factor(rate + 0.01, years) > base
    assert cost.capital_recovery_factor(rate, years * more) < base


@given(price=st.floats(1e3, 1e6), it_kw=st.floats(0.1, 10), factor=st.floats(1.01, 3))
def test_cost_rises_with_price_power_and_electricity(price, it_kw, factor):
    base = cost.tco_per_accelerator_hour(price, it_kw, **COMMON)
    assert cost.tco_per_accelerator_hour(price * factor, it_kw, **COMMON) > base
    assert cost.tco_per_accelerator_hour(price, it_kw * factor, **COMMON) > base
    assert cost.tco_per_accelerator_hour(price, it_kw, **{**COMMON, "usd_per_mwh": 80 * factor}) > base


@given(scale=st.floats(0.1, 10))
def test_cost_scales_with_the_currency(scale):
    """All prices times c give c times the cost."""
    money = ("usd_per_mwh", "facility_usd_per_kw", "network_usd")
    scaled = {k: v * scale if k in money else v for k, v in COMMON.items()}
    assert cost.tco_per_accelerator_hour(40e3 * scale, 1.87, **scaled) == pytest.approx(
        scale * cost.tco_per_accelerator_hour(40e3, 1.87, **COMMON)
    )


def test_the_parts_add_up_and_energy_is_what_the_meter_counts():
    parts = cost.parts_per_accelerator_hour(40e3, 1.87, **COMMON)
    assert tuple(parts) == cost.PARTS
    assert sum(parts.values()) == pytest.approx(cost.tco_per_accelerator_hour(40e3, 1.87, **COMMON))
    assert parts["energy"] == pytest.approx(1.87 * 0.8 * 1.14 * 80 / 1000)
    capital = cost.capex_parts_usd(40e3, 1.87, facility_usd_per_kw=11_600, network_usd=9_000, storage_usd_per_kw=500)
    assert sum(capital.values()) == cost.capex_usd(
        40e3, 1.87, facility_usd_per_kw=11_600, network_usd=9_000, storage_usd_per_kw=500
    )


def test_waterfall_leaves_an_unknown_price_unknown():
    index = pd.Index(["H100", "MI455X"])
    table = cost.waterfall(pd.Series([23_704.6, np.nan], index), pd.Series([1.37, 3.39], index), **COMMON)
    assert list(table.columns) == [*cost.PARTS, "total"]
    assert table.loc["H100", "total"] == pytest.approx(table.loc["H100", list(cost.PARTS)].sum())
    assert np.isnan(table.loc["MI455X", "total"])


CALLS = {
    "capital_recovery_factor": lambda x: cost.capital_recovery_factor(x / 1e5, 5),
    "capex_usd": lambda x: cost.capex_usd(x, 1.87, facility_usd_per_kw=11_600, network_usd=9_000),
    "tco_per_accelerator_hour": lambda x: cost.tco_per_accelerator_hour(x, 1.87, **COMMON),
    "tco_per_kw_year": lambda x: cost.tco_per_kw_year(x / 1e4, 1.87),
    "tco_busd_per_gw_year": lambda x: cost.tco_busd_per_gw_year(x / 1e4, 1.87),
    "usd_per_million_tokens": lambda x: cost.usd_per_million_tokens(x / 1e4, 1000.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_four_types_give_equal_numbers(name):
    values, index = [18_127.0, 23_704.6, 47_222.2], pd.Index(["a", "b", "c"])
    scalars = [float(CALLS[name](value)) for value in values]
    np.testing.assert_allclose(CALLS[name](np.array(values)), scalars, rtol=1e-14)
    pd.testing.assert_series_equal(CALLS[name](pd.Series(values, index)), pd.Series(scalars, index), rtol=1e-14)
    cube = CALLS[name](xr.DataArray(values, dims="accelerator", coords={"accelerator": index}))
    assert isinstance(cube, xr.DataArray)
    np.testing.assert_allclose(cube, scalars, rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cost.capital_recovery_factor(-0.01, 5), "rate must be at least 0, not -0.01"),
        (lambda: cost.capital_recovery_factor(0.05, 0), "years must be above 0, not 0"),
        (lambda: cost.tco_per_accelerator_hour(-1, 1.87, **COMMON), "price_usd must be above 0, not -1"),
        (lambda: cost.tco_per_accelerator_hour(4e4, 1.87, **{**COMMON, "pue": 0.5}), "annual_pue must be at least 1"),
        (
            lambda: cost.tco_per_accelerator_hour(4e4, 1.87, **{**COMMON, "opex_share": 2}),
            "opex_share must be .* 1, not 2",
        ),
        (lambda: cost.usd_per_million_tokens(2.8, 1000, load_factor=0), "load_factor must be above 0"),
    ],
)
def test_figures_out_of_bounds_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_method_names_what_there_is():
    with pytest.raises(UnknownNameError, match="known: annuity, straight_line"):
        cost.yearly_share(0.05, 5, "sum of digits")
