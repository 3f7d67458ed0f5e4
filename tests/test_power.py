"""Power, energy and carbon against published figures, units and monotony, the four types."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gigafleet import catalog, power
from gigafleet.errors import UnknownNameError

KW = st.floats(0.01, 50)
RATIO = st.floats(1, 3)
SHARE = st.floats(0, 1)


@pytest.mark.parametrize(("name", "expected"), [("MI355X", 478_468), ("GB200", 534_759), ("H100", 729_927)])
def test_accelerators_per_it_gigawatt_by_semianalysis(name, expected):
    """SemiAnalysis' all-in kW (August and September 2026) gives these counts per GW of IT."""
    all_in_kw = catalog.accelerators().loc[name, "all_in_kw"]
    assert int(power.accelerators_per_gw(all_in_kw)) == expected


def test_helios_per_rack_nameplate_gigawatt():
    """Helios at 225 to 245 kW (press at the launch, July 2026) over 72: 294 to 320 thousand accelerators per GW."""
    low, high = (catalog.value("Helios", "rack_kw", case=case) / 72 for case in ("low", "high"))
    assert power.accelerators_per_gw(high) == pytest.approx(294e3, rel=0.001)
    assert power.accelerators_per_gw(low) == pytest.approx(320e3, rel=0.001)


def test_it_power_of_mi455x_is_the_rack_with_the_network_share():
    """The assumption row of MI455X at IT level is what it says it is: rack power times one plus the network share."""
    share = catalog.value("ai-datacenter", "network_storage_share")
    rack_kw = catalog.value("Helios", "rack_kw")
    per_system = catalog.value("Helios", "accelerators_per_system")
    assert power.it_kw(rack_kw, per_system, share) == pytest.approx(catalog.value("MI455X", "all_in_kw"), rel=0.002)


def test_levels_of_semianalysis_editions_are_kept_apart():
    """MI355X: 2.09 kW at IT level, 2.65 kW at utility level, 27 % apart; the second takes no PUE."""
    table = catalog.accelerators()
    assert table.loc["MI355X", "all_in_kw_utility"] / table.loc["MI355X", "all_in_kw"] == pytest.approx(1.27, abs=0.005)
    levels = power.levels_kw(table, catalog.systems(), 1.2)
    assert levels.loc["MI355X", "it"] == 2.09
    assert "utility" not in levels


def test_unit_economics_of_a_ten_megawatt_site():
    """InferenceX: 10 MW at 2 kW are 5,000 accelerators, 2.5 M tokens/s, 45,000 users, 12,500 USD/h, 9,125,000 USD a
    month."""
    count = power.accelerators(0.01, 2.0, basis="it")
    assert count == 5000
    assert count * 500 == 2_500_000
    assert count * 450 / 50 == 45_000
    assert count * 2.5 == 12_500
    assert count * 2.5 * power.HOURS_PER_MONTH == 9_125_000
    assert int(power.accelerators(0.01, 2.17, basis="it")) == 4608


@pytest.mark.parametrize("capacity_gw", [0, -5, float("nan")])
def test_a_capacity_of_nothing_is_an_error(capacity_gw):
    """InferenceX: a budget of 0, -5 or NaN is an error."""
    with pytest.raises(ValueError, match="capacity_gw must be above 0"):
        power.accelerators(capacity_gw, 2.0)


def test_token_economics():
    """InferenceX: tokens/s/MW = tokens/s x 1000 / kW and J/token = kW x 1000 / tokens/s."""
    assert power.tokens_per_s_per_mw(500.0, 2.0) == 250_000
    assert power.joules_per_token(2.0, 500.0) == 4
    pools = pd.DataFrame({"tokens_per_s": [1000.0, 100.0], "kw": [1.0, 2.0]}).sum()
    assert power.tokens_per_s_per_mw(pools["tokens_per_s"], pools["kw"]) == pytest.approx(1100 * 1000 / 3)


def test_hamiltons_electricity():
    """Hamilton's 8 MW data center: 0.80 busy, PUE 1.45, 0.07 USD/kWh, 730 h -> 474,208 USD a month."""
    mwh = power.energy_mwh(power.average_draw_kw(8000.0, 0.80), annual_pue=1.45, hours=power.HOURS_PER_MONTH)
    assert mwh * 70 == pytest.approx(474_208, abs=1)


def test_average_draw_of_an_idle_and_of_a_busy_accelerator():
    assert power.average_draw_kw(2.0, 0.0, active_share=0.8, idle_share=0.2) == pytest.approx(0.4)
    assert power.average_draw_kw(2.0, 1.0, active_share=0.8, idle_share=0.2) == pytest.approx(1.6)


def test_unknown_phase_and_basis_name_what_there_is():
    with pytest.raises(UnknownNameError, match="did you mean 'decode'"):
        power.phase_weighted_share({"decod": 0.5}, {"decod": 1.0})
    with pytest.raises(UnknownNameError, match=r"unknown capacity_basis 'meter'; .*facility, it"):
        power.accelerators(1.0, 2.0, basis="meter")


@given(it_kw=KW, pue=RATIO, oversubscription=RATIO, more=st.floats(1.001, 5))
def test_more_power_or_overhead_feeds_fewer(it_kw, pue, oversubscription, more):
    base = power.accelerators_per_gw(it_kw, pue, oversubscription)
    assert power.accelerators_per_gw(it_kw * more, pue, oversubscription) < base
    assert power.accelerators_per_gw(it_kw, pue * more, oversubscription) < base
    assert power.accelerators_per_gw(it_kw, pue, oversubscription * more) < base
    assert base * it_kw * pue * oversubscription == pytest.approx(1e6)


@given(it_kw=KW, busy=SHARE, active=SHARE, idle=SHARE)
def test_average_draw_lies_between_idle_and_active(it_kw, busy, active, idle):
    draw = power.average_draw_kw(it_kw, busy, active, idle)
    assert min(active, idle) * it_kw - 1e-9 <= draw <= max(active, idle) * it_kw + 1e-9


@given(it_kw=KW, pue=RATIO, intensity=st.floats(0, 1000))
def test_carbon_of_energy_in_units(it_kw, pue, intensity):
    """kW x 8,760 h x PUE x g/kWh are grams; a million of them make a ton."""
    tons = power.carbon_t(power.energy_mwh(it_kw, pue), intensity)
    assert tons == pytest.approx(it_kw * 8760 * pue * intensity / 1e6)


@given(active=st.lists(SHARE, min_size=3, max_size=3), time=st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_phase_weighted_share_is_a_mean(active, time):
    mean = power.phase_weighted_share(
        dict(zip(power.PHASES, active, strict=True)), dict(zip(power.PHASES, time, strict=True))
    )
    assert min(active) - 1e-9 <= mean <= max(active) + 1e-9


CALLS = {
    "it_kw": lambda x: power.it_kw(100 * x, 72, 0.04),
    "accelerators_per_gw": lambda x: power.accelerators_per_gw(x, 1.2, 1.1),
    "accelerators": lambda x: power.accelerators(6.0, x, 1.2),
    "average_draw_kw": lambda x: power.average_draw_kw(x, 0.8, 0.7, 0.2),
    "energy_mwh": lambda x: power.energy_mwh(x, 1.2),
    "carbon_t": lambda x: power.carbon_t(x, 350),
    "tokens_per_s_per_mw": lambda x: power.tokens_per_s_per_mw(500.0, x),
    "joules_per_token": lambda x: power.joules_per_token(x, 500.0),
    "grid_g_co2_per_kwh": lambda x: power.grid_g_co2_per_kwh(x, 0.03, 7),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_four_types_give_equal_numbers(name):
    values, index = [0.7, 2.09, 3.39], pd.Index(["a", "b", "c"])
    scalars = [CALLS[name](value) for value in values]
    assert all(np.ndim(scalar) == 0 for scalar in scalars)
    array = CALLS[name](np.array(values))
    series = CALLS[name](pd.Series(values, index))
    cube = CALLS[name](xr.DataArray(values, dims="accelerator", coords={"accelerator": index}))
    np.testing.assert_array_equal(array, scalars)
    pd.testing.assert_series_equal(series, pd.Series(scalars, index))
    assert isinstance(cube, xr.DataArray)
    np.testing.assert_array_equal(cube, scalars)


def test_arrays_broadcast_over_labeled_dimensions():
    """Accelerators by PUE, in one call."""
    kw = xr.DataArray([1.87, 3.39], dims="accelerator")
    pue = xr.DataArray([1.0, 1.1, 1.3], dims="pue")
    assert power.accelerators_per_gw(kw, pue).dims == ("accelerator", "pue")


def test_absent_figures_stay_absent_and_a_single_one_is_an_error():
    assert np.isnan(power.accelerators_per_gw(np.array([np.nan, 2.0]))[0])
    with pytest.raises(ValueError, match="it_kw must be above 0, not nan"):
        power.accelerators_per_gw(float("nan"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power.accelerators_per_gw(2.0, pue=0.9), "pue must be at least 1, not 0.9"),
        (lambda: power.accelerators_per_gw(-1.0), "it_kw must be above 0, not -1.0"),
        (lambda: power.average_draw_kw(2.0, 1.2), "busy_share must be at least 0 and at most 1, not 1.2"),
        (lambda: power.it_kw(235.0, 0, 0.04), "accelerators must be above 0, not 0"),
        (lambda: power.accelerators_per_gw("two"), "it_kw must be a number, not 'two'"),
    ],
)
def test_figures_out_of_bounds_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
