"""How sure a fleet mix is: bands of its answers over draws of all inputs with a range."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gigafleet import fleet, fleet_bands, fleet_draws, fleet_inputs, fleet_views, tell

NAMES = ["MI300X", "MI355X", "MI455X"]
SUPPLY = {"MI300X": 80000, "MI355X": 120000, "MI455X": 60000}
N = 64


@pytest.fixture(scope="module")
def done():
    return fleet_inputs.throughput(NAMES, fleet_inputs.workloads())


@pytest.fixture(scope="module")
def case(done):
    return {"supply": SUPPLY, "owned": NAMES[:2], "done": done}


@pytest.fixture(scope="module")
def asked(case):
    return fleet_inputs.inputs(NAMES, **case)


@pytest.fixture(scope="module")
def draws(case):
    return fleet_draws.inputs(NAMES, N, **case)


@pytest.fixture(scope="module")
def exact(case):
    """Draws of inputs without a range."""
    return fleet_draws.inputs(NAMES, 4, vary=(), **case)


@pytest.fixture(scope="module")
def sure(asked, draws):
    return fleet_bands.frontier(asked, draws, points=5)


def test_what_cannot_be_done_counts_as_beyond_all_others():
    samples = pd.DataFrame({"all": np.arange(101.0), "few cannot": [*range(99), np.nan, np.nan], "none": np.nan})
    samples["many cannot"] = samples["all"].where(samples["all"] < 60)
    found = fleet_bands.intervals(samples)
    assert found.loc["all"].tolist() == [5, 50, 95, 0]
    assert found.loc["few cannot"].tolist() == [5, 50, 95, pytest.approx(2 / 101)]
    assert found.loc["many cannot"].tolist() == [5, 50, np.inf, pytest.approx(41 / 101)]
    assert found.loc["none"].tolist() == [np.inf, np.inf, np.inf, 1]


def test_a_band_of_the_frontier_holds_its_median_and_falls(sure):
    assert (sure["low"] <= sure["median"]).all()
    assert (sure["median"] <= sure["high"]).all()
    for column in ("low", "median", "cannot"):
        assert sure[column].is_monotonic_decreasing, column
    assert 0 < sure["cannot"].iloc[-1] < sure["cannot"].iloc[0] < 1


def test_the_line_is_that_of_the_predictions(sure, asked):
    line = fleet_views.frontier(asked, points=5)
    pd.testing.assert_series_equal(sure["value"].iloc[:5], line["cost"], check_names=False)
    np.testing.assert_array_equal(sure["value"].iloc[5:], line["cost"].iloc[-1])  # more power does not help them


def test_limits_go_on_until_they_are_enough_for_nearly_all_draws(sure):
    assert sure["cannot"].iloc[-1] <= 1 - fleet_bands.ENOUGH
    assert np.isfinite(sure["high"].iloc[-1])
    assert sure.index.is_monotonic_increasing


def test_a_draw_under_a_limit_is_its_own_mix(asked, case):
    """Draws solved together are draws solved alone."""
    draws, n = fleet_draws.inputs(NAMES, 8, **case), 8
    found, alone = fleet_bands.frontier(asked, draws, points=3), np.full(n, np.nan)
    for i in range(n):
        one = {
            k: v.isel(scenario=i, drop=True) if "scenario" in getattr(v, "dims", ()) else v for k, v in draws.items()
        }
        try:
            limits = {"energy": found.index[1] * (1 + 1e-9)}
            alone[i] = fleet.optimize(**one, objective="cost", limits=limits).objective.item()
        except fleet.InfeasibleError:
            continue
    able = (fleet.optimize(**draws).status == "optimal").to_numpy()
    assert found.attrs["left_out"] == n - able.sum()
    expected = fleet_bands.intervals(pd.DataFrame({"alone": alone[able]})).iloc[0]
    np.testing.assert_allclose(found.iloc[1][expected.index].astype(float), expected, rtol=1e-6)


def test_without_ranges_the_band_is_the_line(asked, exact):
    found = fleet_bands.frontier(asked, exact, points=3)
    assert len(found) == 3
    for end in ("low", "median", "high"):
        np.testing.assert_allclose(found[end], found["value"], rtol=1e-6)
    assert (found["cannot"] == 0).all()


def test_other_ways_see_the_same_draws_as_the_mix(asked, draws):
    found_in = fleet_bands.ways(draws)
    ways = found_in["energy"]
    mix = fleet_bands.uncertain(draws).dropna("scenario", subset=["energy"])
    for name in ("energy", "cost", "carbon", "power"):
        np.testing.assert_allclose(found_in[name]["the mix"], mix[name] * fleet_bands.SCALE[name])
    np.testing.assert_allclose(found_in["accelerators"]["the mix"], mix["used"].sum("accelerator"))
    assert (ways["without limits of supply"] <= ways["the mix"] * (1 + 1e-9)).all()
    assert (ways["an even split of power"].fillna(np.inf) >= ways["the mix"] * (1 - 1e-9)).all()
    found = fleet_bands.intervals(ways)
    assert found.loc["the mix", "cannot"] == 0
    assert found.loc["MI300X alone", "cannot"] > 0.5  # as the point says: the power is too little
    assert list(found.index) == list(fleet_views.compare(asked).index)


def test_how_the_mix_stands_to_another_way_is_told_draw_by_draw():
    ways = pd.DataFrame({"the mix": [50.0, 80.0, 90.0], "other": [100.0, 100.0, np.nan]})
    found = fleet_bands.differences(ways, "other")
    assert found["median"] == pytest.approx(-50)
    assert found["low"] == pytest.approx(-95)  # between -100, which cannot be done, and -50
    assert found["high"] == pytest.approx(-23)


def test_what_goes_beyond_the_supply_is_bought_at_the_price_of_the_draw(case):
    """With one there, all others are bought: the cost in a draw is the full cost of that draw."""
    case = case | {"supply": dict.fromkeys(NAMES, 1.0), "work": 0.1}
    draws = fleet_draws.inputs(NAMES, 8, **case)
    full = fleet_draws.inputs(NAMES, 8, **case | {"owned": ()})["cost_usd_per_h"]
    (alone,) = [v for k, v in fleet_views.cases(draws, full).items() if k == "MI355X alone"]
    mix = fleet.optimize(**alone, objective="cost")
    many = mix.assignment.sel(accelerator="MI355X, bought").sum("workload")
    np.testing.assert_allclose(mix.objective, many * full.sel(accelerator="MI355X"), rtol=1e-4)


def test_without_ranges_the_bars_are_the_points(asked, exact):
    found, points = fleet_bands.intervals(fleet_bands.ways(exact)["energy"]), fleet_views.compare(asked)["energy"]
    known = points.index[points.notna()]
    for end in ("low", "high"):
        np.testing.assert_allclose(found.loc[known, end], points[known], rtol=1e-6)
    assert np.isinf(found.loc[points.isna(), "low"]).all()


def test_without_ranges_the_table_of_ways_is_that_of_the_points(asked, exact, draws):
    points = fleet_views.compare(asked)
    text = fleet_bands.compare(points, fleet_bands.ways(exact))
    for name in text:
        assert text[name].tolist() == points[name].map(lambda x: tell.number(x)).tolist()
    text = fleet_bands.compare(points, fleet_bands.ways(draws))
    assert text.loc["the mix", "power"].startswith(f"{tell.number(points.loc['the mix', 'power'])} (")
    assert text.loc["MI355X alone", "energy"].endswith(" or more)")
    assert text.loc["MI300X alone"].eq("–").all()


def test_figures_are_told_with_the_ends_of_their_draws():
    draws = xr.DataArray(np.arange(101.0)[:, None] * [1.0, 10.0], dims=("scenario", "accelerator"))
    draws = draws.assign_coords(accelerator=["A", "B"], scenario=range(101))
    assert fleet_bands.told(draws.isel(scenario=40, drop=True), draws).to_dict() == {
        "A": "40 (5 to 95)",
        "B": "400 (50 to 950)",
    }
    some = draws.where(draws["scenario"] >= 60)  # what has no solution is left out
    assert fleet_bands.told(draws.isel(scenario=40, drop=True), some)["A"] == "40 (62 to 98)"
    table = fleet_bands.told(
        *(one.expand_dims(workload=["w"], axis=-1) for one in (draws.isel(scenario=40, drop=True), draws))
    )
    assert table.loc["B", "w"] == "400 (50 to 950)"


def test_what_stops_a_draw_is_what_would_have_to_give(case, draws):
    """More of the limit that is named lets the draw be solved; of the others it does not."""
    asked = draws | {"supply": 0.5 * draws["supply"]}
    cannot = (fleet_bands.uncertain(asked)["objective"].isnull()).to_numpy()
    found = fleet_bands.stopped(asked)
    assert 0 < cannot.sum() < N
    enough = {"supply": {"supply": asked["supply"] * np.inf}, "power": {"power_cap_kw": None}}
    for name, freed in enough.items():
        left = fleet_bands.uncertain(asked | freed)["objective"].isnull().to_numpy()
        assert found.get(name, 0) == (cannot & ~left).sum(), name
    assert fleet_bands.stopped(draws | {"supply": None, "power_cap_kw": None}).empty


def test_a_group_of_inputs_widens_what_hangs_on_it(case):
    found = fleet_bands.by_group(NAMES, n=N, **case)
    assert list(found.index) == [*fleet_draws.GROUPS, "all"]
    assert found.loc["prices and capital", "energy"] == pytest.approx(0, abs=1e-6)  # the mix has least energy
    assert found.loc["prices and capital", "cost"] > found.loc["throughput", "cost"] > 0
    assert (found.loc["all"] > 0.8 * found.drop("all").max()).all()
    np.testing.assert_allclose(found["carbon"], 0.35 * found["energy"], atol=1e-6)  # one grid without a range


def test_prices_of_limits_have_the_bands_of_the_same_draws(asked, draws, exact):
    points = fleet_views.prices(fleet.optimize(**asked)).set_index(["limit", "of"])["gain"]
    found = fleet_bands.prices(exact).loc[points.index]
    for end in ("low", "high"):
        np.testing.assert_allclose(found[end], points, rtol=1e-6)
    found = fleet_bands.prices(draws)
    assert (found["low"] <= found["high"]).all()
    assert found.loc[("demand", "prefill"), "low"] > 0
    assert (found.loc["power"] == 0).all(axis=None)  # under a gigawatt nearly no draw is short of power


def test_the_ends_of_the_trade_move_apart_in_every_draw(asked, draws, exact):
    line = fleet_views.frontier(asked, points=2)
    found = fleet_bands.trade(exact)
    np.testing.assert_allclose(found.loc["cost"], 100 * (line["cost"].iloc[1] / line["cost"].iloc[0] - 1), rtol=1e-5)
    np.testing.assert_allclose(found.loc["energy"], 100 * (line.index[1] / line.index[0] - 1), rtol=1e-5)
    found = fleet_bands.trade(draws)
    assert (found.loc["cost"] <= 0).all()
    assert (found.loc["energy"] >= -1e-6).all()
    assert found.loc["cost", "low"] < found.loc["cost", "median"] < found.loc["cost", "high"]


def test_what_a_chart_draws_of_a_frontier(sure):
    table, ends = fleet_bands.lines(sure / 1e3, sure.index / 1e6)
    assert list(table) == ["as predicted", "median of draws"]
    np.testing.assert_allclose(table["as predicted"], sure["value"] / 1e3)
    np.testing.assert_allclose(table.index, sure.index / 1e6)
    assert np.isfinite(table.to_numpy()[-1]).all()
    for end in ("low", "high"):
        assert list(ends[end]) == ["as predicted"]
        np.testing.assert_allclose(ends[end]["as predicted"], sure[end] / 1e3)
