"""The inputs of a fleet mix from the other models, and the answers about it."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gigafleet import catalog, fleet, fleet_bands, fleet_draws, fleet_inputs, fleet_views, power
from gigafleet.errors import UnknownNameError

NAMES = ["MI300X", "MI355X", "MI455X"]
SUPPLY = {"MI300X": 80000, "MI355X": 120000, "MI455X": 60000}


@pytest.fixture(scope="module")
def done():
    return fleet_inputs.throughput(NAMES, fleet_inputs.workloads())


@pytest.fixture(scope="module")
def asked(done):
    return fleet_inputs.inputs(NAMES, supply=SUPPLY, owned=["MI300X", "MI355X"], done=done)


def test_a_gigawatt_of_the_reference_does_the_work_it_defines(done):
    """One unit of work takes all of a gigawatt of MI355X, which is what defines it."""
    found = fleet.optimize(**fleet_inputs.inputs(["MI355X"], done=done))
    assert found.totals["power"].item() == pytest.approx(1e6)
    nameplate = catalog.accelerators().loc["MI355X", "all_in_kw"]
    many = power.accelerators_per_gw(nameplate, catalog.value("ai-datacenter", "peak_pue"))
    assert found.assignment.sum().item() == pytest.approx(many)
    shares = found.assignment.squeeze().to_series() / many
    expected = fleet_inputs.workloads()["time_share"]
    np.testing.assert_allclose(shares[expected.index], expected)


def test_shares_of_time_add_up_and_follow_what_is_asked():
    assert fleet_inputs.workloads()["time_share"].sum() == pytest.approx(1)
    assert "video" not in fleet_inputs.workloads().index
    table = fleet_inputs.workloads(training_share=0.8)
    assert table.loc[table["phase"] == "training", "time_share"].sum() == pytest.approx(0.8)
    assert table["time_share"].sum() == pytest.approx(1)
    with pytest.raises(UnknownNameError, match="unknown workload 'decode-chats'; did you mean 'decode-chat'"):
        fleet_inputs.workloads(["decode-chats"])
    with pytest.raises(ValueError, match=r"training_share is 0\.5, but no such work is among prefill"):
        fleet_inputs.workloads(["prefill"], training_share=0.5)


def test_what_is_owned_costs_only_its_running(done):
    new, old = (fleet_inputs.costs(["MI355X"], owned=o).loc["MI355X", "usd_per_h"] for o in ([], ["MI355X"]))
    assert 0 < old < 0.3 * new
    dear = fleet_inputs.costs(["MI355X"], owned=["MI355X"], usd_per_mwh=200.0).loc["MI355X", "usd_per_h"]
    assert dear > old
    with pytest.raises(ValueError, match="MI500 has no IT power in the data"):
        fleet_inputs.costs(["MI500"])


def test_power_lies_between_idle_and_nameplate(asked):
    nameplate = catalog.accelerators().loc[NAMES, "all_in_kw"].to_numpy()[:, None]
    drawn = asked["power_kw"].to_numpy() / catalog.value("ai-datacenter", "annual_pue")
    idle = catalog.value("ai-datacenter", "idle_share")
    assert (drawn > idle * nameplate).all()
    assert (drawn < nameplate).all()


def test_bad_input_is_named(done):
    for change, message in (
        ({"supply": {"H100": 1}}, "unknown accelerator in supply 'H100'"),
        ({"software": {"MI455X": 0}}, "software of MI455X must be above 0, not 0"),
        ({"annual_pue": 0.9}, "annual_pue must be at least 1, not 0.9"),
        ({"work": 0}, "work must be above 0, not 0"),
        ({"owned": ["H100"]}, "unknown accelerator in owned 'H100'"),
    ):
        with pytest.raises((ValueError, UnknownNameError)) as caught:
            fleet_inputs.inputs(NAMES, done=done, **change)
        assert message in str(caught.value)


def test_the_mix_stands_beside_what_else_could_be_done(asked):
    table = fleet_views.compare(asked)
    best = table.loc["the mix", "energy"]
    assert table.loc["without limits of supply", "energy"] <= best
    assert table.loc["an even split of power", "energy"] >= best
    assert table.loc["MI455X alone", "energy"] >= table.loc["without limits of supply", "energy"] - 1e-9
    assert table.loc["the mix", "supply"]
    assert np.isnan(table.loc["MI300X alone", "energy"])  # it would take more than the power there is


def test_what_goes_beyond_the_supply_is_bought(asked, done):
    """Work beyond the 120,000 MI355X that are owned is paid for in full; owned ones are not free without end."""
    supply, owned = {"MI300X": 0, "MI355X": 1000, "MI455X": 0}, ["MI355X"]
    held = fleet_inputs.inputs(NAMES, work=0.1, supply=supply, owned=owned, done=done)
    full = fleet_inputs.costs(NAMES)["usd_per_h"]
    alone = fleet_views.compare(held, "cost", full).loc["MI355X alone"]
    sunk = fleet_inputs.costs(NAMES, owned=owned)["usd_per_h"]["MI355X"]
    assert alone["cost"] == pytest.approx(1000 * sunk + (alone["accelerators"] - 1000) * full["MI355X"], rel=1e-6)
    assert not alone["supply"]


def test_an_even_split_leaves_out_what_there_is_not(done):
    asked = fleet_inputs.inputs(NAMES, work=0.2, supply={"MI300X": 1e5, "MI355X": 2e5, "MI455X": 0}, done=done)
    table = fleet_views.compare(asked)
    assert table.loc["an even split of power", "energy"] >= table.loc["the mix", "energy"] - 1e-9


def test_the_frontier_falls_from_one_end_to_the_other(asked):
    table = fleet_views.frontier(asked, points=5)
    assert table.index.is_monotonic_increasing
    assert table["cost"].is_monotonic_decreasing
    assert table.index[0] == pytest.approx(fleet.optimize(**asked, objective="energy").objective.item(), rel=1e-6)
    assert table["cost"].iloc[-1] == pytest.approx(fleet.optimize(**asked, objective="cost").objective.item())
    np.testing.assert_allclose(table[NAMES].sum(axis=1), 1)


def test_the_reason_follows_from_the_dual(asked, done):
    mix = fleet.optimize(**asked)
    more = dict(SUPPLY, MI455X=SUPPLY["MI455X"] + 10)
    supply = asked["supply"].copy(data=[more[n] for n in asked["supply"].indexes["accelerator"]])
    gain = (mix.objective - fleet.optimize(**(asked | {"supply": supply})).objective).item() / 10 * 8.76
    exact = fleet_draws.inputs(NAMES, 2, vary=(), supply=SUPPLY, owned=["MI300X", "MI355X"], done=done)
    assert f"One more MI455X would save {gain:.3g} ({gain:.3g}) MWh a year" in fleet_bands.reason(mix, asked, exact)
    price = fleet_views.prices(mix).set_index(["limit", "of"]).loc[("supply", "MI455X")]
    assert price["gain"] == pytest.approx(gain)
    assert price["unit"] == "MWh a year per accelerator"
    free = {k: v for k, v in asked.items() if k != "supply"}
    assert fleet_bands.reason(fleet.optimize(**free), free, exact) == ""


def test_slower_software_drops_an_accelerator(done):
    factors = [0.2, 0.5, 1.0]
    settings = [{"software": {"MI455X": f}, "capacity_gw": None, "done": done} for f in factors]
    table = fleet_views.sweep(settings, factors, NAMES, "energy")
    assert table["MI455X"].is_monotonic_increasing
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert fleet_views.drops_out(pd.DataFrame({"a": [0.0, 0.0, 0.3]}, factors))["a"] == pytest.approx(0.75)


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, (key, _) in fleet_views.RANGES.items()])
def test_a_range_in_one_go_is_setting_after_setting(done, name, key):
    kept = {"supply": {"MI300X": 100_000, "MI355X": 100_000}, "owned": ["MI300X", "MI355X"]}
    kept |= {"capacity_gw": None, "done": done, "software": {"MI300X": 0.9, "mi455x": 1.5}}
    values = fleet_views.RANGES[name][1]
    each = [{"software": kept["software"] | {"mi455x": x}} if key == "software" else {key: x} for x in values]
    table = fleet_views._along(kept, key, values, "MI455X", NAMES, "cost")
    expected = fleet_views.sweep([kept | one for one in each], values, NAMES)
    pd.testing.assert_frame_equal(table, expected, rtol=1e-6, check_names=False)
    assert table.notna().all(axis=None)
    assert key == "busy_share" or table.diff().abs().max(axis=None) > 1e-4  # which bears on work and cost alike


def test_a_figure_of_a_scenario_out_of_bounds_is_named(done):
    wrong = xr.DataArray([1.2, 0.9], {"scenario": [0, 1]})
    with pytest.raises(ValueError, match=r"annual_pue must be at least 1, not 0\.9"):
        fleet_inputs.inputs(NAMES, annual_pue=wrong, done=done)


def test_draws_are_solved_exactly_and_odds_add_up(asked, done):
    draws = fleet_draws.inputs(NAMES, 128, supply=SUPPLY, owned=["MI300X", "MI355X"], done=done)
    found = fleet_bands.uncertain(draws)
    np.testing.assert_allclose(found["most"].sum("accelerator"), 1)
    assert found.equals(fleet_bands.uncertain(draws))
    assert found["objective"].min() < fleet.optimize(**asked).objective.item() < found["objective"].max()


def test_work_goes_to_the_cleaner_or_the_cheaper_region(done):
    """Texas is cheaper and Virginia cleaner in the data; each takes all the work for its objective."""
    settings = {"done": done, "work": 0.5}
    both = fleet_views.across(settings, NAMES, {"texas": 1.0, "virginia": 1.0})
    used = {}
    for objective in ("cost", "carbon"):
        mix = fleet.optimize(**both, objective=objective)
        used[objective] = mix.assignment.sum(["accelerator", "workload"]).squeeze().to_series()
    assert used["cost"]["virginia"] == pytest.approx(0, abs=1e-6)
    assert used["carbon"]["texas"] == pytest.approx(0, abs=1e-6)
    table = fleet_views.frontier(both, "carbon", "cost", points=5)
    assert table["cost"].is_monotonic_decreasing
    np.testing.assert_allclose(table[NAMES].sum(axis=1), 1)
    with pytest.raises(ValueError, match="at least one region"):
        fleet_views.across(settings, NAMES, {})


def test_prices_are_told_in_units_of_the_trade(asked):
    held = asked | {"power_cap_kw": fleet.optimize(**asked, objective="cost").totals["power"].item() * 0.97}
    table = fleet_views.prices(fleet.optimize(**held, objective="cost")).set_index("limit")
    assert table.loc["power", "unit"] == "USD a year per MW"
    more = fleet.optimize(**(held | {"power_cap_kw": held["power_cap_kw"] + 100}), objective="cost").objective
    less = fleet.optimize(**held, objective="cost").objective
    assert table.loc["power", "gain"] == pytest.approx((less - more).item() * 8760 * 10, rel=0.02)
