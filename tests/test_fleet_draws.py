"""Draws of everything that has a range in a fleet mix."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gigafleet import catalog, cost, deal, fleet_draws, fleet_figures, fleet_inputs, fleet_views, uncertainty
from gigafleet.errors import UnknownNameError

NAMES = ["MI300X", "MI355X", "MI455X"]
KINDS = fleet_inputs.workloads()
N = 1024
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "annual_pue": st.floats(1, 2),
        "peak_pue": st.floats(1, 2),
        "usd_per_mwh": st.floats(0, 500),
        "rate": st.floats(0, 0.3),
        "busy_share": st.floats(0.05, 1),
        "it_kw": st.fixed_dictionaries({"MI455X": st.floats(2.5, 5)}),
        "software": st.fixed_dictionaries({"MI355X": st.floats(0.1, 3)}),
        "owned": st.lists(st.sampled_from(NAMES), unique=True),
        "region": st.sampled_from(["us", "texas", "virginia"]),
        "work": st.floats(0.1, 3),
        "capacity_gw": st.floats(0.1, 3),
    },
)


@pytest.fixture(scope="module")
def done():
    return fleet_inputs.throughput(NAMES, KINDS)


@pytest.fixture(scope="module")
def drawn(done):
    return fleet_draws.inputs(NAMES, N, done=done)


def same(one: dict, other: dict) -> bool:
    """Return whether arguments are the same, number by number, in every scenario."""
    assert set(one) == set(other)
    for name in one:
        if one[name] is None or other[name] is None:
            assert one[name] is other[name]
            continue
        a, b = xr.broadcast(xr.DataArray(one[name]), xr.DataArray(other[name]))
        if not np.array_equal(a.transpose(*b.dims), b, equal_nan=True):
            return False
    return True


def test_what_is_idle_draws_its_share_of_the_power_of_the_same_draw(done, drawn):
    site = {name: catalog.value("ai-datacenter", name) for name in ("idle_share", "annual_pue")}
    kw = catalog.accelerators().loc[NAMES, "all_in_kw"]
    one = fleet_draws.idle_kw(NAMES, 1)
    np.testing.assert_allclose(one, kw * site["idle_share"] * site["annual_pue"])
    found = fleet_draws.idle_kw(NAMES, N)
    known = fleet_draws.ranges(NAMES, KINDS, ["us"])
    samples = uncertainty.sample(known, N, 0, fleet_draws.correlations(NAMES, KINDS))
    own = found / (drawn["provisioned_kw"] / xr.DataArray(samples["peak_pue"].to_numpy(), dims="scenario"))
    share = (samples["idle_share"] * samples["annual_pue"]).to_numpy()
    np.testing.assert_allclose(own.transpose("accelerator", "scenario"), np.tile(share, (len(NAMES), 1)))
    still = fleet_draws.idle_kw(NAMES, N, annual_pue=1.0, it_kw=dict.fromkeys(NAMES, 2.0))
    assert (still == still.isel(accelerator=0)).all()
    assert still.median() == pytest.approx(2.0 * samples["idle_share"].median(), rel=0.01)


@settings(max_examples=15, deadline=None)
@given(CHANGES)
def test_with_every_range_at_its_value_the_draws_are_the_inputs(done, changes):
    found = fleet_draws.inputs(NAMES, 2, vary=(), done=done, **changes)
    assert found["throughput"].sizes["scenario"] == 2
    assert same(found, fleet_inputs.inputs(NAMES, done=done, **changes))


def test_one_seed_gives_the_same_draws_and_n_of_one_the_values(done):
    one, again, other = (fleet_draws.inputs(NAMES, 8, seed, done=done) for seed in (0, 0, 1))
    assert same(one, again)
    assert not same(one, other)
    assert same(fleet_draws.inputs(NAMES, 1, done=done), fleet_inputs.inputs(NAMES, done=done))


def test_what_is_asked_for_and_what_is_given_stands_still(done, drawn):
    start = fleet_inputs.inputs(NAMES, done=done)
    for name in ("demand", "power_cap_kw", "supply"):
        assert np.array_equal(drawn[name], start[name]), name
    chosen = {"it_kw": dict.fromkeys(NAMES, 3.0), "peak_pue": 1.25, "annual_pue": 1.2, "busy_share": 0.7}
    found = fleet_draws.inputs(NAMES, 8, done=done, **chosen)
    np.testing.assert_array_equal(found["provisioned_kw"], np.full(3, 3.75))
    known = fleet_draws.ranges(NAMES, KINDS, ["us"], usd_per_mwh=50.0, rate=0.08, **chosen)
    fixed = ["MI300X it_kw", "peak_pue", "annual_pue", "busy_share", "us usd_per_mwh", "rate", "time_share_decode"]
    assert (known.loc[fixed, "low"] == known.loc[fixed, "high"]).all()


def test_draws_have_the_ranges_and_correlations_of_the_data(done):
    found = fleet_draws.inputs(NAMES, 4096, done=done, busy_share=0.8, peak_pue=1.2)
    kw = (found["provisioned_kw"] / 1.2).transpose("scenario", "accelerator").to_pandas()
    known = catalog.ranges({name: (name, "all_in_kw") for name in NAMES})
    ends = kw.quantile([0.05, 0.95])
    np.testing.assert_allclose(ends.to_numpy(), known[["low", "high"]].to_numpy().T, rtol=0.003)
    rate = found["throughput"].transpose("scenario", "accelerator", "workload")
    np.testing.assert_allclose(rate.quantile(0.05, "scenario"), 0.8 * done["low"].transpose(*rate.dims[1:]), rtol=0.05)
    chip = rate.sel(accelerator="MI355X").to_pandas()
    together = chip.assign(kw=kw["MI355X"], other=rate.sel(accelerator="MI300X", workload="prefill")).corr("spearman")
    half = 6 / np.pi * np.arcsin(fleet_draws.COMMON / 2)
    assert together.loc["prefill", "decode-chat"] == pytest.approx(half, abs=0.04)
    assert together.loc["prefill", "kw"] == pytest.approx(deal.correlations()["it_kw", deal.ERROR], abs=0.04)
    assert together.loc["prefill", "other"] == pytest.approx(0, abs=0.05)


def test_a_drawn_cost_is_that_of_the_drawn_inputs(done):
    """One draw by the formula of total cost of ownership, from the row of samples."""
    found = fleet_draws.inputs(NAMES, 16, 3, done=done)["cost_usd_per_h"]
    known = fleet_draws.ranges(NAMES, KINDS, ["us"])
    row = uncertainty.sample(known, 16, 3, fleet_draws.correlations(NAMES, KINDS)).iloc[5]
    kw, usd = row["MI455X it_kw"], row["MI455X price_usd"]
    own = row.rename({"us usd_per_mwh": "usd_per_mwh"})
    expected = cost.tco_per_accelerator_hour(usd, kw, **cost.arguments(own, kw))
    assert found.sel(accelerator="MI455X", scenario=5).item() == pytest.approx(expected, rel=1e-12)


def test_a_draw_under_load_takes_more_than_an_idle_one_and_not_more_than_the_nameplate(done):
    site = {"annual_pue": 1.0, "peak_pue": 1.0, "done": done}
    idle, full = (fleet_draws.inputs(NAMES, N, busy_share=share, **site) for share in (1e-9, 1.0))
    assert (full["power_kw"] > idle["power_kw"]).all()
    assert (full["power_kw"] <= full["provisioned_kw"]).all()


def test_what_is_owned_costs_less_in_every_draw(drawn, done):
    sunk = fleet_draws.inputs(NAMES, N, done=done, owned=["MI455X"])["cost_usd_per_h"]
    full = drawn["cost_usd_per_h"]
    assert (sunk.sel(accelerator="MI455X") < full.sel(accelerator="MI455X")).all()
    xr.testing.assert_equal(sunk.sel(accelerator=NAMES[:2]), full.sel(accelerator=NAMES[:2]))


def test_a_group_that_does_not_vary_stands_at_its_value(done):
    each = {name: fleet_draws.inputs(NAMES, 16, vary=(name,), done=done) for name in fleet_draws.GROUPS}
    moving = {
        name: {key for key, value in found.items() if "scenario" in getattr(value, "dims", ()) and key != "throughput"}
        for name, found in each.items()
    }
    assert moving["throughput"] == set()
    assert moving["power and use"] == {"power_kw", "provisioned_kw", "cost_usd_per_h"}
    assert moving["prices and capital"] == {"cost_usd_per_h"}
    rate = each["prices and capital"]["throughput"]
    assert (rate == rate.isel(scenario=0)).all()
    every = fleet_draws.inputs(NAMES, 16, done=done)["throughput"]
    product = each["throughput"]["throughput"] * each["power and use"]["throughput"] / rate
    xr.testing.assert_allclose(every.transpose(*product.dims), product)  # the draws are common to all


def test_regions_share_all_draws_but_their_own(done):
    settings = {"done": done, "work": 0.5}
    places = {"texas": 1.0, "virginia": 2.0}
    found = fleet_draws.across(settings, NAMES, places, 64)
    assert same(fleet_draws.across(settings, NAMES, places, 2, vary=()), fleet_views.across(settings, NAMES, places))
    assert "region" not in found["throughput"].dims
    np.testing.assert_array_equal(found["power_cap_kw"].sel(region=list(places)), [1e6, 2e6])
    dearer = (found["cost_usd_per_h"].sel(region="virginia") > found["cost_usd_per_h"].sel(region="texas")).mean()
    assert 0.8 < dearer < 1  # Virginia's electricity is dearer in the data, but the ranges overlap
    with pytest.raises(ValueError, match="at least one region"):
        fleet_draws.across(settings, NAMES, {}, 2)


def test_readers_are_told_what_is_drawn_and_what_has_no_range():
    known = fleet_draws.told(fleet_draws.ranges(NAMES, KINDS, ["us"]))
    bare = set(known.index[known["low"] == known["high"]])
    assert "carbon intensity of the grid (us)" in bare
    assert "price of an accelerator (MI455X)" not in bare
    facility = cost.common_ranges("us").loc["facility_usd_per_kw"]
    assert known.loc["cost of the facility", "low"] < facility["low"]  # a range of least and most, read as 10 to 90 %
    assert not known.index.str.contains("throughput|in the work").any()
    assert set(known["group"]) == {"power and use", "prices and capital"}
    assert known["kind"].notna().all()


def test_bad_input_is_named(done):
    for change, message in (
        ({"n": 3}, "n must be a power of two"),
        ({"n": 0}, "n must be at least 1"),
        ({"vary": ["throughputs"]}, "unknown group of inputs 'throughputs'; did you mean 'throughput'"),
        ({"annual_pue": 0.9}, "annual_pue must be at least 1, not 0.9"),
        ({"supply": {"H100": 1}}, "unknown accelerator in supply 'H100'"),
    ):
        with pytest.raises((ValueError, UnknownNameError)) as caught:
            fleet_draws.inputs(NAMES, **{"done": done} | change)
        assert message in str(caught.value)
    with pytest.raises(UnknownNameError, match="unknown common input 'wacc'"):
        fleet_figures.ranges(NAMES, wacc=0.1)


def test_cost_goes_by_the_power_that_is_given(done):
    """Building, network and energy are paid by kW: half the power costs less, and not half."""
    less, usual = (
        fleet_inputs.inputs(["MI355X"], done=done, it_kw=kw)["cost_usd_per_h"].item()
        for kw in ({"MI355X": 1.045}, None)
    )
    table = pd.Series({"MI355X": 1.045})
    common = cost.arguments(cost.common_ranges("us")["value"], table)
    assert less == pytest.approx(
        cost.waterfall(fleet_inputs.costs(["MI355X"])["price_usd"], table, **common)["total"].item()
    )
    assert usual / 2 < less < usual
