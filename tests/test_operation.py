"""The roll-out in service: identities to 1e-9, against the yearly answers of the deal, and bad input."""

import warnings

import numpy as np
import pytest
import xarray as xr

from gigafleet import catalog, cost, deal, fleet_inputs, operation, operation_views, power, rollout
from gigafleet.errors import UnknownNameError

TIGHT = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture(scope="module")
def inputs():
    return operation.draw(n=64)


@pytest.fixture(scope="module")
def found(inputs):
    return operation.evaluate(inputs)


def test_gigawatts_close(found):
    """What is in service is what was energized and not retired; each clock runs behind the one before."""
    kept = (found["energized_gw"] - found["retired_gw"]).cumsum("quarter")
    np.testing.assert_allclose(kept, found["in_service_gw"], **TIGHT)
    sums = [found[f"{clock}_gw"].cumsum("quarter") for clock in ("shipped", "delivered", "energized")]
    for earlier, later in zip(sums, [*sums[1:], found["in_service_gw"]], strict=True):
        assert float((earlier - later).sum("generation").min()) > -1e-9
    np.testing.assert_allclose(found["delivered_gw"].sum(["quarter", "generation"]), 6, rtol=1e-9)


def test_accelerators_are_gigawatts_over_their_power(found, inputs):
    kw = inputs["it_kw"] * inputs["peak_pue"]
    first = found["in_service_gw"].sel(generation="MI455X").to_numpy() * 1e6 / kw.to_numpy()[:, None]
    np.testing.assert_allclose(found["accelerators"].sel(generation="MI455X"), first, **TIGHT)
    # counted at the meter, the contract's gigawatts are the meter's
    np.testing.assert_allclose(found["peak_gw"], found["in_service_gw"].sum("generation"), **TIGHT)
    by_it = operation.evaluate(inputs, capacity_basis="it")
    ratio = by_it["peak_gw"].sum("quarter") / found["peak_gw"].sum("quarter")
    np.testing.assert_allclose(ratio, inputs["peak_pue"], rtol=1e-9)


def test_energy_is_power_over_time(found, inputs):
    """TWh are the average power over 2,190 hours, and the average number of accelerators at their average draw."""
    np.testing.assert_allclose(found["twh"], found["average_gw"] * 2.19, **TIGHT)
    active = power.phase_weighted_share(
        {phase: inputs[f"active_share_{phase}"] for phase in power.PHASES},
        {phase: inputs[f"time_share_{phase}"] for phase in power.PHASES},
    )
    draw = power.average_draw_kw(1.0, inputs["busy_share"], active, inputs["idle_share"]) * inputs["annual_pue"]
    share = (draw / inputs["peak_pue"]).to_numpy()[:, None]
    inside = found["in_service_gw"].sum("generation")
    average = (inside + inside.shift(quarter=1, fill_value=0)) / 2
    np.testing.assert_allclose(found["average_gw"], average * share, **TIGHT)


def test_a_full_year_is_that_of_the_deal():
    """All six gigawatts in service for a year give the energy, carbon today and cost of deal.evaluate."""
    at_once = {"start_years": 0.0, "first_gw_years": 0.1, "later_gw_years": 0.1, "delay_years": 0.0, "slip_share": 0.0}
    lags = {"delivery_lag_years": 0.0, "energized_lag_years": 0.0, "next_generation_years": 10.0}
    inputs = operation.draw(n=1, grid_decline_share_per_year=0.0, it_life_years=8.0, **at_once, **lags)
    year = rollout.by_year(operation.evaluate(inputs)[["twh", "mt_co2", "cost_busd", "opex_busd"]]).sel(year=2028)
    own = inputs.rename(columns={"us usd_per_mwh": "usd_per_mwh", "us g_co2_per_kwh": "g_co2_per_kwh"})
    answers = deal.evaluate(own[[name for name in deal.INPUTS if name in own]]).iloc[0]
    assert year["twh"].item() == pytest.approx(answers["twh_per_year"], rel=1e-9)
    assert year["mt_co2"].sum().item() == pytest.approx(answers["mt_co2_per_year"], rel=1e-9)
    assert year["cost_busd"].item() == pytest.approx(answers["cost_busd_per_year"], rel=1e-9)
    capital = operation.evaluate(inputs)["capex_busd"].sum().item()
    assert capital == pytest.approx(answers["capex_busd"], rel=1e-9)


def test_carbon_splits_over_regions_and_falls_with_the_grid():
    both = operation.draw(n=1, regions=["texas", "virginia"])
    found = operation.evaluate(both, regions=["texas", "virginia"])
    twh, mt = found["twh"].squeeze(), found["mt_co2"].squeeze()
    years = (np.arange(42) + 0.5) / 4
    for region in ("texas", "virginia"):
        today = catalog.value(region, "g_co2_per_kwh")
        # the intensity is that of 2023, three years before the first quarter
        expected = twh / 2 * today * (1 - both["grid_decline_share_per_year"].item()) ** (3 + years) / 1000
        np.testing.assert_allclose(mt.sel(region=region), expected, **TIGHT)


def test_work_and_its_cost_agree(found):
    """Cost of all work, token by token, is the cost of what is in service."""
    tokens, usd = found["tokens_tn"], found["usd_per_million_tokens"]
    whole = (tokens * 1e12 / 1e6 * usd).sum("workload") / 1e9
    some = tokens.sum("workload") > 0
    np.testing.assert_allclose(whole.where(some, 0), found["cost_busd"].where(some, 0), **TIGHT)


def test_software_moves_work_and_nothing_else(inputs, found):
    better = operation.evaluate(inputs, software_gain_share_per_year=0.2)
    np.testing.assert_allclose(better["twh"], found["twh"], **TIGHT)
    ratio = (better["tokens_tn"] / found["tokens_tn"].where(found["tokens_tn"] > 0)).isel(quarter=9, workload=0)
    np.testing.assert_allclose(ratio.dropna("sample"), 1.2 ** (9.5 / 4), rtol=1e-9)


def test_a_later_generation_works_more_for_its_power(found, inputs):
    """Once MI500 is in service, tokens per TWh rise by its ratio; before, they stand."""
    point = operation.draw(n=1, it_life_years=15.0)
    one = operation.evaluate(point)
    per_twh = (one["tokens_tn"].isel(workload=0) / one["twh"]).squeeze()
    share = (one["in_service_gw"].sel(generation="MI500") / one["in_service_gw"].sum("generation")).squeeze()
    last = share.isel(quarter=-1).item()
    grown = per_twh.isel(quarter=-1) / per_twh.sel(quarter="2027Q2")
    assert grown.item() == pytest.approx(1 + last * (point["work_per_kw_ratio"].item() - 1), rel=1e-6)


def test_scenarios_move_gigawatts(inputs, found):
    late, one = (operation.evaluate(inputs, name=name) for name in ("late", "first_gw"))
    np.testing.assert_allclose(one["delivered_gw"].sum(["quarter", "generation"]), 1, rtol=1e-9)
    before = found["in_service_gw"].sum("generation").sel(quarter="2028Q4")
    assert bool((late["in_service_gw"].sum("generation").sel(quarter="2028Q4") < before).all())
    drawn = operation.evaluate(inputs, stops=True)["delivered_gw"].sum(["quarter", "generation"])
    assert set(np.round(drawn.to_numpy(), 6)) <= {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}


def test_limits_hold_gigawatts_back(inputs, found):
    held = operation.evaluate(inputs, most_gw={"MI455X": 0.2}, site_gw=3.0)
    assert float(held["shipped_gw"].sel(generation="MI455X").max()) <= 0.2 + 1e-9
    assert float(held["peak_gw"].max()) <= 3 + 1e-9
    assert float(held["waiting_gw"].max()) > 0
    assert float(held["twh"].sum()) < float(found["twh"].sum())


def test_lags_stay_where_supply_is_held_back():
    """Nothing may be shipped before 2028Q1, then all at once: with lags of a half and a whole quarter."""
    quarters = rollout.quarters()
    limit = xr.DataArray([0.0 if q < "2028Q1" else 10.0 for q in quarters], {"quarter": quarters}, "quarter")
    point = operation.draw(n=1, delivery_lag_years=0.125, energized_lag_years=0.25)
    found = operation.evaluate(point, most_gw=limit).isel(sample=0).sum("generation")
    shipped = found["shipped_gw"].to_series()
    assert shipped[:"2027Q4"].sum() == 0
    assert found["delivered_gw"].sel(quarter="2028Q1").item() == pytest.approx(shipped["2028Q1"] / 2)
    assert found["energized_gw"].sel(quarter="2028Q1").item() == 0
    assert found["energized_gw"].sel(quarter="2028Q2").item() == pytest.approx(shipped["2028Q1"] / 2)


def test_waiting_for_room_costs_all_but_energy():
    held, free = (operation.evaluate(operation.draw(n=1), site_gw=room).isel(sample=0) for room in (3.0, None))
    quarter = held.sel(quarter="2030Q3")
    assert quarter["waiting_gw"].sum().item() > 1
    per_gw = (free["cost_busd"] / free["in_service_gw"].sum("generation")).sel(quarter="2031Q1").item()
    assert quarter["cost_busd"].item() > 1.2 * per_gw * quarter["in_service_gw"].sum().item()
    assert quarter["opex_busd"].sum().item() < free.sel(quarter="2030Q3")["opex_busd"].sum().item()


def test_each_generation_may_have_its_own_life():
    found = operation.evaluate(operation.draw(n=1), life_years={"MI455X": 3.0, "MI500": 6.0}).isel(sample=0)
    inside = found["in_service_gw"].to_pandas()
    assert inside["MI455X"]["2033Q4"] == pytest.approx(0, abs=1e-9)
    assert inside["MI500"]["2033Q4"] == pytest.approx(inside["MI500"].max())


def test_costs_by_part_are_those_of_an_accelerator(found, inputs):
    """Energy by its price: running cost of energy is TWh at the price of electricity."""
    energy = found["opex_busd"].sel(part="energy")
    price = inputs["us usd_per_mwh"].to_numpy()[:, None]
    np.testing.assert_allclose(energy, found["twh"] * price / 1e3, **TIGHT)
    assert set(found["opex_busd"]["part"].to_numpy()) | set(found["capex_busd"]["asset"].to_numpy()) == set(cost.PARTS)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "bear"}, "unknown scenario 'bear'"),
        ({"of": "nvidia-openai"}, "unknown deal"),
        ({"capacity_basis": "rack"}, "unknown capacity_basis 'rack'"),
        ({"regions": []}, "regions must name at least one"),
        ({"regions": {"us": -1.0}}, "share of us must be at least 0"),
        ({"regions": "atlantis"}, "unknown region 'atlantis'"),
        ({"end": "2050Q1"}, "end must be a quarter from 2026Q3 to 2036Q4"),
        ({"most_gw": -1.0}, "most_gw must be at least 0"),
        ({"software_gain_share_per_year": 9.0}, "software_gain_share_per_year must be"),
    ],
)
def test_bad_input_is_named(change, text):
    with pytest.raises((UnknownNameError, ValueError), match=text):
        operation.evaluate(**({"n": 1} | change))
    with pytest.raises(ValueError, match="inputs need a column 'texas g_co2_per_kwh'; draw them for the same deal"):
        operation.evaluate(operation.draw(n=1), regions="texas")
    with pytest.raises(UnknownNameError, match="unknown input 'delay_year'; did you mean 'delay_years'"):
        operation.draw(delay_year=1.0)


def test_the_answers_of_one_sample_are_sums_and_maxima():
    found = operation.evaluate(operation.draw(n=1))
    row = operation_views.answers(found).iloc[0]
    year = rollout.by_year(found[["twh", "cost_busd"]]).squeeze()
    assert row["twh_per_year"] == pytest.approx(year["twh"].max().item())
    assert row["capex_busd"] == pytest.approx(found["capex_busd"].sum().item())
    assert row["mt_co2"] == pytest.approx(found["mt_co2"].sum().item())
    assert row["peak_gw"] == pytest.approx(6, abs=0.02)
    total = found["in_service_gw"].sum("generation").squeeze().to_series()
    assert total[operation_views.quarter(row["full_year"])] >= 0.999 * total.max()


def test_bands_and_parts_add_up(found):
    """Means of the parts add up to the mean of the total; medians lie inside their band."""
    each = operation_views.parts(found["opex_busd"], "part", "year")
    total = rollout.by_year(found["opex_busd"]).sum("part").mean("sample").to_pandas()
    np.testing.assert_allclose(each.sum(axis=1), total, rtol=1e-9)
    ends = operation_views.band(found["opex_busd"], "year")
    assert (ends["low"] <= ends["median"]).all()
    assert (ends["median"] <= ends["high"]).all()


def test_whiskers_are_those_of_the_sum_and_not_the_sum_of_ends(found):
    """The band of a sum comes from samples: it is not its parts' ends added up, and without spread it is the sum."""
    ends = operation_views.ends(found["capex_busd"])
    total = found["capex_busd"].sum("asset")
    np.testing.assert_allclose(ends["low"], total.quantile(0.05, "sample").to_numpy())
    np.testing.assert_allclose(ends["high"], total.quantile(0.95, "sample").to_numpy())
    apart = found["in_service_gw"].quantile(0.95, "sample").sum("generation")
    together = operation_views.ends(found["in_service_gw"])["high"]
    assert (together < apart.to_numpy() - 0.1).any()
    one = operation_views.ends(found["capex_busd"].isel(sample=[0, 0]))
    for end in ("low", "high"):
        np.testing.assert_allclose(one[end], total.isel(sample=0).to_numpy())


def test_bands_of_the_clocks_hold_their_medians(found):
    middle, ends = operation_views.clocks(found), operation_views.clock_bands(found)
    for end, sign in (("low", 1), ("high", -1)):
        assert list(ends[end]) == list(middle)
        assert (sign * (middle - ends[end]) >= -1e-12).all(axis=None)
    assert (ends["high"]["shipped"] - ends["low"]["shipped"]).max() > 1


def test_carbon_by_region_is_energy_times_intensity(found, inputs):
    table = operation_views.carbon_by_region(found, inputs).set_index(["region", "path"])
    twh = found["twh"].sum("quarter").median().item()
    us = catalog.regions().loc["us"]
    assert table.loc[(us["name"], "average, stays"), "value"] == pytest.approx(twh * us["g_co2_per_kwh"] / 1000)
    falls, stays = (table.loc[(us["name"], path), "value"] for path in ("average, falls", "average, stays"))
    assert falls < stays
    texas = catalog.regions().loc["texas"]
    marginal = table.loc[(texas["name"], "marginal, stays"), "value"]
    assert marginal == pytest.approx(twh * texas["g_co2_per_kwh_marginal"] / 1000)
    with pytest.raises(ValueError, match="region 'eu' lacks a price of electricity in USD/MWh or a carbon intensity"):
        operation_views.carbon_by_region(found, inputs, ["eu"])


def test_a_delay_moves_gigawatts_to_later(inputs):
    ends, tables = operation_views.delays([0, 1], "amd-openai", inputs)
    lines = ends["median"]
    assert (ends["low"] <= lines).all(axis=None)
    assert (lines <= ends["high"]).all(axis=None)
    assert list(lines) == ["on plan", "1 year late"]
    assert (lines["1 year late"].loc[:"2029Q4"] <= lines["on plan"].loc[:"2029Q4"] + 1e-9).all()
    lost = tables["on plan"] - tables["1 year late"]
    assert (lost[["gw_2028", "gw_2030", "twh_2030", "capex_busd_2030"]].median() > 0).all()
    twh = operation.evaluate(inputs, "amd-openai")["twh"].sum("quarter")
    np.testing.assert_allclose(tables["on plan"]["twh"], twh.to_numpy())  # row by row, so that rows are pairs


def test_bands_of_parts_are_quantiles_of_each(found):
    """By year quarters are added up before the quantile is taken."""
    frames = operation_views.part_bands(found["opex_busd"], "part", "year")
    year = rollout.by_year(found["opex_busd"]).sel(part="energy")
    for end, share in (("low", 0.05), ("median", 0.5), ("high", 0.95)):
        np.testing.assert_allclose(frames[end]["energy"], year.quantile(share, "sample").to_numpy())
    quarters = operation_views.part_bands(found["opex_busd"], "part")["high"]
    assert quarters.loc["2030Q1", "staff"] == found["opex_busd"].sel(quarter="2030Q1", part="staff").quantile(0.95)


def test_late_quarters_without_work_give_no_warning():
    """Where nothing is in service in any sample, no price of a token is asked for."""
    drawn = operation.draw("amd-anthropic", 64)
    late = operation.evaluate(drawn, "amd-anthropic", name="late")
    assert late["usd_per_million_tokens"].isnull().all("sample").any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        price = operation_views.cost_per_token(late, fleet_inputs.workloads())
    assert price["median"].notna().all(axis=None)
    assert (price["low"] <= price["high"]).all(axis=None)


def test_a_share_of_a_part_is_taken_sample_by_sample():
    table = xr.DataArray(
        [[[1.0, 3.0]], [[1.0, 1.0]], [[0.0, 0.0]]], dims=("sample", "quarter", "asset"), coords={"asset": ["a", "b"]}
    )
    found = operation_views.share_of(table, "asset", "a")
    assert found.to_dict() == pytest.approx({"low": 26.25, "median": 37.5, "high": 48.75})  # of 25 and 50; one has none
