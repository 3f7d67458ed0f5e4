"""What a plan of purchases is made of, and what it answers for the deal."""

import pytest

from gigafleet import fleet, fleet_inputs, purchases


@pytest.fixture(scope="module")
def asked():
    return purchases.inputs()


def test_the_generations_are_those_of_the_mix(asked):
    mixed = fleet_inputs.inputs(["MI355X", "MI455X"], capacity_gw=None)
    for name in ("throughput", "power_kw", "provisioned_kw"):
        for short in ("MI355X", "MI455X"):
            ours, theirs = asked[name].sel(accelerator=short), mixed[name].sel(accelerator=short)
            assert ours.to_numpy() == pytest.approx(theirs.to_numpy())
    ratio = asked["throughput"].sel(accelerator="MI500") / asked["throughput"].sel(accelerator="MI455X")
    power = asked["provisioned_kw"].sel(accelerator="MI500") / asked["provisioned_kw"].sel(accelerator="MI455X")
    assert (ratio / power).to_numpy() == pytest.approx(1.8)  # work per kW, the assumption in the data
    assert power.item() == pytest.approx(1.3)


def test_the_deal_asks_for_gigawatts_and_the_plan_buys_them(asked):
    plan = fleet.plan_purchases(**asked)
    bought = purchases.bought_gw(plan, asked)
    counted = bought[["MI455X", "MI500"]].sum(axis=1).cumsum()
    assert (counted >= asked["milestones_kw"].to_series() / 1e6 - 1e-6).all()
    assert bought.loc[:"2028Q1", "MI500"].sum() == pytest.approx(0, abs=1e-9)  # it is not on offer before 2028Q2


def test_milestones_cost_and_free_plans_buy_less(asked):
    table = purchases.compare({"deal": asked, "free": purchases.inputs(milestones=False)})
    assert table.loc["free", "cost"] < table.loc["deal", "cost"]
    gigawatts = table[list(purchases.GENERATIONS)].sum(axis=1)
    assert gigawatts["free"] < gigawatts["deal"]
    assert gigawatts["deal"] >= 6 - 1e-6


def test_without_the_next_generation_none_is_bought():
    late = purchases.inputs(next_generation_years=10.0)
    assert purchases.bought_gw(fleet.plan_purchases(**late), late)["MI500"].sum() == pytest.approx(0, abs=1e-9)


def test_a_site_that_is_too_small_names_what_would_do():
    small = purchases.inputs(site_gw=0.5)
    with pytest.raises(fleet.InfeasibleError, match="more of site"):
        fleet.plan_purchases(**small)
    assert purchases.compare({"small": small}).isna().all(axis=None)


@pytest.mark.parametrize(
    ("change", "text"), [({"work": 0}, "work must be above 0"), ({"end": "2040Q1"}, "end must be")]
)
def test_bad_input_is_named(change, text):
    with pytest.raises(ValueError, match=text):
        purchases.inputs(**change)
