"""How sure a fleet mix is: bands of its answers over draws of the throughput."""

import numpy as np
import pandas as pd
import pytest

from gigafleet import fleet, fleet_bands, fleet_inputs, fleet_views

NAMES = ["MI300X", "MI355X", "MI455X"]
SUPPLY = {"MI300X": 80000, "MI355X": 120000, "MI455X": 60000}
N = 64


@pytest.fixture(scope="module")
def done():
    return fleet_inputs.throughput(NAMES, fleet_inputs.workloads())


@pytest.fixture(scope="module")
def asked(done):
    return fleet_inputs.inputs(NAMES, supply=SUPPLY, owned=NAMES[:2], done=done)


@pytest.fixture(scope="module")
def sure(asked, done):
    return fleet_bands.frontier(asked, done, points=5, n=N)


def exact(done):
    """Return throughput without a range."""
    return done.assign(low=done["tokens_per_s"], high=done["tokens_per_s"])


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
    pd.testing.assert_series_equal(sure["value"], line["cost"], check_names=False)


def test_a_draw_under_a_limit_is_its_own_mix(sure, asked, done):
    """Draws solved together are draws solved alone."""
    draws, cap = fleet_bands.drawn(asked, done, N), sure.index[2]
    alone = np.full(N, np.nan)
    for i in range(N):
        one = draws | {"throughput": draws["throughput"].isel(scenario=i, drop=True)}
        try:
            alone[i] = fleet.optimize(**one, objective="cost", limits={"energy": cap * (1 + 1e-9)}).objective.item()
        except fleet.InfeasibleError:
            continue
    able = (fleet.optimize(**draws).status == "optimal").to_numpy()
    assert sure.attrs["left_out"] == N - able.sum()
    expected = fleet_bands.intervals(pd.DataFrame({"alone": alone[able]})).iloc[0]
    np.testing.assert_allclose(sure.iloc[2][expected.index].astype(float), expected, rtol=1e-6)


def test_without_ranges_the_band_is_the_line(asked, done):
    found = fleet_bands.frontier(asked, exact(done), points=3, n=4)
    for end in ("low", "median", "high"):
        np.testing.assert_allclose(found[end], found["value"], rtol=1e-6)
    assert (found["cannot"] == 0).all()


def test_other_ways_see_the_same_draws_as_the_mix(asked, done):
    found = fleet_bands.compare(asked, done, n=N)
    mix = fleet_bands.uncertain(asked, done, n=N)["energy"].to_series().dropna() / 1e3
    assert found.loc["the mix", "median"] == pytest.approx(mix.median())
    assert found.loc["the mix", "high"] == pytest.approx(mix.quantile(0.95))
    for end in ("low", "median", "high"):
        assert found.loc["without limits of supply", end] <= found.loc["the mix", end]
        assert found.loc["an even split of power", end] >= found.loc["the mix", end]
    assert found.loc["the mix", "cannot"] == 0
    assert found.loc["MI300X alone", "cannot"] > 0.5  # as the point says: the power is too little
    assert list(found.index) == list(fleet_views.compare(asked).index)


def test_without_ranges_the_bars_are_the_points(asked, done):
    found, points = fleet_bands.compare(asked, exact(done), n=4), fleet_views.compare(asked)["energy"]
    known = points.index[points.notna()]
    for end in ("low", "high"):
        np.testing.assert_allclose(found.loc[known, end], points[known], rtol=1e-6)
    assert np.isinf(found.loc[points.isna(), "low"]).all()


def test_what_a_chart_draws_of_a_frontier(sure):
    table, ends = fleet_bands.lines(sure / 1e3, sure.index / 1e6)
    assert list(table) == ["as predicted", "median of draws"]
    np.testing.assert_allclose(table["as predicted"], sure["value"] / 1e3)
    np.testing.assert_allclose(table.index, sure.index / 1e6)
    assert np.isfinite(table.to_numpy()[-1]).all()
    for end in ("low", "high"):
        assert list(ends[end]) == ["as predicted"]
        np.testing.assert_allclose(ends[end]["as predicted"], sure[end] / 1e3)


def test_a_number_of_draws_is_needed(asked, done):
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        fleet_bands.frontier(asked, done, n=0)
