"""Gigawatts held back and retired: closed forms, conservation to 1e-9, and bad input."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gigafleet import fleet_life, rollout
from gigafleet.errors import UnknownNameError


def table(values) -> xr.DataArray:
    """Return gigawatts of one sample, a row a quarter, a column a generation."""
    values = np.asarray(values, float)
    coords = {"quarter": rollout.quarters()[: len(values)], "generation": ["A", "B"][: values.shape[1]]}
    return xr.DataArray(values[None], coords, ("sample", "quarter", "generation"))


arrivals = st.lists(st.lists(st.floats(0, 2), min_size=2, max_size=2), min_size=1, max_size=30)


@given(arrivals, st.floats(0, 1))
def test_a_limit_holds_back_and_loses_nothing(values, most):
    came = table(values)
    out = fleet_life.limited(came, most)
    assert float(out.max()) <= most + 1e-9
    ahead = came.cumsum("quarter") - out.cumsum("quarter")
    assert float(ahead.min()) > -1e-9
    # a queue, quarter by quarter
    waiting = np.zeros(2)
    for row, found in zip(np.asarray(values), out[0].to_numpy(), strict=True):
        waiting = waiting + row
        leaves = np.minimum(waiting, most)
        np.testing.assert_allclose(found, leaves, atol=1e-9)
        waiting = waiting - leaves


@given(arrivals, st.floats(0.25, 8), st.floats(0, 20))
@settings(deadline=None)
def test_gigawatts_are_conserved(values, life, site):
    came = table(values)
    found = fleet_life.service(came, life, site)
    kept = (found["energized"] - found["retired"]).cumsum("quarter")
    np.testing.assert_allclose(kept, found["in_service"], atol=1e-9)
    np.testing.assert_allclose((came - found["energized"]).cumsum("quarter"), found["waiting"], atol=1e-9)
    assert float(found["in_service"].sum("generation").max()) <= site + 1e-9
    for name in ("energized", "retired", "in_service", "waiting"):
        assert float(found[name].min()) > -1e-9, name
    before = found["in_service"].shift(quarter=1, fill_value=0)
    np.testing.assert_allclose((before + found["in_service"]) / 2, found["average"], atol=1e-12)


def test_what_lives_five_quarters_is_gone_after_them():
    found = fleet_life.service(table([[1], [0], [0], [0], [0], [0], [0]]), 1.25)
    assert found["retired"].squeeze().to_numpy().tolist() == [0, 0, 0, 0, 0, 1, 0]
    half = fleet_life.service(table([[1], [0], [0], [0], [0], [0], [0]]), 1.375)
    assert half["retired"].squeeze().to_numpy() == pytest.approx([0, 0, 0, 0, 0, 0.5, 0.5])


def test_each_generation_and_each_sample_has_its_life():
    came = table([[1, 1], [0, 0], [0, 0], [0, 0], [0, 0]])
    found = fleet_life.service(came, {"A": 0.5, "B": 1.0})["in_service"].isel(sample=0).to_pandas()
    assert found["A"].tolist() == [1, 1, 0, 0, 0]
    assert found["B"].tolist() == [1, 1, 1, 1, 0]
    two = xr.concat([came, came], "sample")
    found = fleet_life.service(two, xr.DataArray([0.5, 1.0], dims="sample"))["in_service"].sum("generation")
    assert found.to_numpy().tolist() == [[2, 2, 0, 0, 0], [2, 2, 2, 2, 0]]


def test_older_generations_enter_a_full_site_first():
    found = fleet_life.service(
        table([[2, 2], [0, 0]]), 5.0, xr.DataArray([3.0, 4.0], {"quarter": rollout.quarters()[:2]}, "quarter")
    )
    assert found["in_service"].squeeze().to_numpy().tolist() == [[2, 1], [2, 2]]


def test_more_room_never_lets_less_in():
    came = rollout.schedule(rollout.draw(n=16), 6, clock="energized")
    both = [fleet_life.service(came, 5.0, room)["energized"].sum("generation").cumsum("quarter") for room in (2.0, 4.0)]
    small, large = both
    assert bool((large >= small - 1e-9).all())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"life_years": 0.1}, "life_years must be at least 0.25, not 0.1"),
        ({"life_years": {"C": 5.0}}, "unknown generation in life_years 'C'"),
        ({"site_gw": -1.0}, "site_gw must be at least 0, not -1.0"),
        (
            {"site_gw": xr.DataArray([2.0, 1.0], {"quarter": rollout.quarters()[:2]}, "quarter")},
            "site_gw must not fall",
        ),
    ],
)
def test_bad_input_is_named(change, text):
    with pytest.raises((UnknownNameError, ValueError), match=text):
        fleet_life.service(table([[1, 1], [1, 1]]), **({"life_years": 5.0} | change))
    some = xr.DataArray([1.0], {"quarter": ["2026Q3"]}, "quarter")
    with pytest.raises(ValueError, match="most_gw lacks the quarter '2026Q4'"):
        fleet_life.limited(table([[1, 1], [1, 1]]), some)
    with pytest.raises(UnknownNameError, match="unknown quarter in most_gw '2050Q1'"):
        fleet_life.limited(table([[1, 1]]), some.assign_coords(quarter=["2050Q1"]))
    with pytest.raises(ValueError, match="most_gw must be at least 0"):
        fleet_life.limited(table([[1, 1]]), -0.5)
