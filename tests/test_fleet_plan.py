"""The plan of purchases: against the mix of one quarter, another solver, duals, identities and bad input."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gigafleet import fleet
from gigafleet.errors import UnknownNameError

HOURS = 2190
QUARTERS = pd.Index(["2027Q1", "2027Q2", "2027Q3", "2027Q4"], name="quarter")


def case(seed: int = 0, regions: int = 2, accelerators: int = 3, workloads: int = 2, quarters: int = 4) -> dict:
    """Return random inputs with a plan: later quarters ask for more, later generations do more."""
    rng = np.random.default_rng(seed)
    axes = {
        "quarter": QUARTERS[:quarters],
        "region": pd.Index([f"r{i}" for i in range(regions)]),
        "accelerator": pd.Index([f"g{i}" for i in range(accelerators)]),
        "workload": pd.Index([f"w{i}" for i in range(workloads)]),
    }

    def draw(low, high, *dims):
        return xr.DataArray(rng.uniform(low, high, [len(axes[d]) for d in dims]), {d: axes[d] for d in dims}, dims)

    ramp = xr.DataArray(np.linspace(0.4, 1, quarters), {"quarter": axes["quarter"]}, "quarter")
    return {
        "throughput": draw(1, 3, "accelerator", "workload"),
        "power_kw": draw(0.5, 0.9, "accelerator", "workload"),
        "demand": ramp * draw(50, 90, "workload"),
        "life_quarters": 3,
        "price_usd": draw(20_000, 40_000, "accelerator"),
        "upkeep_usd_per_h": draw(0.05, 0.2, "accelerator"),
        "usd_per_mwh": draw(40, 120, "quarter", "region"),
        "carbon_kg_per_kwh": draw(0.1, 0.5, "region"),
        "provisioned_kw": draw(1, 1.5, "accelerator"),
        "supply": draw(60, 90, "quarter", "accelerator"),
        "site_kw": draw(80, 120, "quarter", "region"),
        "milestones_kw": ramp * 60,
        "rate": 0.08,
    }


def by_linprog(asked: dict) -> float | None:
    """Return the least cost by scipy from matrices of its own, None if no plan holds; one region, variables buy and
    run."""
    q, (a, w) = len(QUARTERS), asked["throughput"].shape
    life, years = asked["life_quarters"], np.arange(q) / 4
    rate, kw = asked["throughput"].to_numpy(), asked["power_kw"].to_numpy()
    price, upkeep, kept = (asked[name].to_numpy() for name in ("price_usd", "upkeep_usd_per_h", "provisioned_kw"))
    usd = asked["usd_per_mwh"].to_numpy()[:, 0]
    size = q * a + q * a * w
    buy = np.arange(q * a).reshape(q, a)
    run = q * a + np.arange(q * a * w).reshape(q, a, w)
    cost, rows, limits = np.zeros(size), [], []
    discount, end = (1 + asked["rate"]) ** -years, (1 + asked["rate"]) ** -(q / 4)

    def row(entries, limit):
        found = np.zeros(size)
        for places, factor in entries:
            np.add.at(found, np.ravel(places), np.broadcast_to(factor, np.shape(places)).ravel())
        rows.append(found)
        limits.append(limit)

    for t in range(q):
        alive = list(range(max(0, t - life + 1), t + 1))
        left = max(0, life - (q - t)) / life
        cost[buy[t]] += price * (discount[t] - left * end)
        cost[run[t]] += kw * HOURS / 1000 * usd[t] * discount[t]
        for k in alive:
            cost[buy[k]] += upkeep * HOURS * discount[t]
        for g in range(a):
            row([(run[t, g], 1.0), (buy[alive, g], -1.0)], 0.0)
            row([(buy[t, g], 1.0)], asked["supply"].to_numpy()[t, g])
        for k in range(w):
            row([(run[t, :, k], -rate[:, k])], -asked["demand"].transpose("quarter", "workload").to_numpy()[t, k])
        row([(buy[alive], kept)], asked["site_kw"].to_numpy()[t, 0])
        row([(buy[: t + 1], -kept)], -asked["milestones_kw"].to_numpy()[t])
    return linprog(cost, np.array(rows), np.array(limits), method="highs").fun


@given(st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_the_least_cost_is_that_of_another_solver(seed):
    asked = case(seed, regions=1)
    least = by_linprog(asked)
    if least is None:  # about one of eight of these small sites cannot do the work
        with pytest.raises(fleet.InfeasibleError):
            fleet.plan_purchases(**asked)
    else:
        assert fleet.plan_purchases(**asked).objective.item() == pytest.approx(least, rel=1e-7)


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_one_quarter_is_a_mix(seed):
    """With one quarter, no capital and free sites, the plan of least energy is the mix of least energy."""
    asked = case(seed, quarters=1)
    shared = {name: asked[name] for name in ("throughput", "power_kw")}
    demand, supply = asked["demand"].isel(quarter=0, drop=True), asked["supply"].isel(quarter=0, drop=True)
    plan = fleet.plan_purchases(
        **shared, demand=asked["demand"], supply=asked["supply"], life_quarters=1, objective="energy"
    )
    mix = fleet.optimize(**shared, cost_usd_per_h=1.0, demand=demand, supply=supply)
    assert plan.objective.item() == pytest.approx(mix.objective.item() * HOURS / 1000, rel=1e-6)


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_accelerators_and_energy_are_conserved(seed):
    asked = case(seed)
    asked["owned"] = xr.DataArray(
        [[3.0, 0, 0], [0, 0, 1]], coords={"region": ["r0", "r1"], "accelerator": ["g0", "g1", "g2"]}
    )
    plan = fleet.plan_purchases(**asked)
    start = asked["owned"].broadcast_like(plan.in_service)
    kept = start + plan.purchases.cumsum("quarter") - plan.retired.cumsum("quarter")
    np.testing.assert_allclose(kept.transpose(*plan.in_service.dims), plan.in_service, rtol=1e-9, atol=1e-9)
    mwh = (plan.assignment * asked["power_kw"]).sum(["region", "accelerator", "workload"]) * HOURS / 1000
    np.testing.assert_allclose(mwh, plan.totals["energy"], rtol=1e-9)
    carbon = (plan.assignment * asked["power_kw"] * asked["carbon_kg_per_kwh"]).sum() * HOURS / 1000
    assert carbon.item() == pytest.approx(plan.totals["carbon"].sum().item(), rel=1e-9)
    assert float(plan.retired.min()) > -1e-6
    # three quarters of life: what was bought in the first quarter is gone in the fourth
    gone = plan.retired.isel(quarter=3) - plan.purchases.isel(quarter=0)
    np.testing.assert_allclose(gone, 0, atol=1e-6)


def test_the_value_is_what_its_totals_say():
    asked = case(3)
    plan = fleet.plan_purchases(**asked)
    years = xr.DataArray(np.arange(4) / 4, {"quarter": QUARTERS}, "quarter")
    spent = plan.totals["capital"] + plan.totals["upkeep"] + plan.totals["energy_cost"]
    value = (spent * 1.08**-years).sum() - plan.residual / 1.08
    assert plan.objective.item() == pytest.approx(value.item(), rel=1e-9)
    # the last quarter's purchase has two thirds of its life left, the one before a third
    weights = xr.DataArray([0, 0, 1 / 3, 2 / 3], {"quarter": QUARTERS}, "quarter")
    assert plan.residual.item() == pytest.approx((plan.totals["capital"] * weights).sum().item(), rel=1e-9)


@pytest.mark.parametrize("objective", ["energy", "carbon"])
def test_the_least_of_one_total_is_no_more_than_any_other_plan_has(objective):
    asked = case(5)
    best, cheap = fleet.plan_purchases(**asked, objective=objective), fleet.plan_purchases(**asked)
    assert best.totals[objective].sum().item() <= cheap.totals[objective].sum().item() * (1 + 1e-9)
    assert best.objective.item() == pytest.approx(best.totals[objective].sum().item())


def test_shadow_prices_are_finite_differences():
    asked = case(7)
    plan = fleet.plan_purchases(**asked)
    for name, key in (("demand", "demand"), ("site", "site_kw"), ("milestones", "milestones_kw")):
        price = plan.shadow_prices[name]
        most = np.unravel_index(np.argmax(np.abs(price.data)), price.shape)
        place, moved = {dim: int(i) for dim, i in zip(price.dims, most, strict=True)}, []
        for step in (-1e-4, 1e-4):
            changed = (asked[key] + 0 * price).transpose(*price.dims).copy()
            changed[place] += step
            moved.append(fleet.plan_purchases(**(asked | {key: changed})).objective.item())
        low, high = sorted([(plan.objective.item() - moved[0]) / 1e-4, (moved[1] - plan.objective.item()) / 1e-4])
        assert low - 0.02 * abs(low) - 0.1 <= price[place].item() <= high + 0.02 * abs(high) + 0.1, name
    assert plan.shadow_prices["site"].attrs["units"] == "USD per kW"


def test_milestones_make_a_plan_buy_more():
    asked = case(2)
    free = fleet.plan_purchases(**{k: v for k, v in asked.items() if k != "milestones_kw"})
    held = fleet.plan_purchases(**(asked | {"milestones_kw": asked["milestones_kw"] * 2.2}))
    assert held.objective.item() > free.objective.item()
    assert float(held.utilization["milestones"].min()) >= 1 - 1e-6
    counted = asked | {
        "counted_kw": asked["provisioned_kw"]
        * xr.DataArray([0.0, 1, 1], {"accelerator": ["g0", "g1", "g2"]}, "accelerator")
    }
    some = fleet.plan_purchases(**counted)
    bought = (some.purchases * counted["counted_kw"]).sum(["region", "accelerator"]).cumsum("quarter")
    assert bool((bought >= asked["milestones_kw"] - 1e-6).all())


def test_a_site_twice_as_large_never_costs_more():
    asked = case(4)
    assert (
        fleet.plan_purchases(**(asked | {"site_kw": 2 * asked["site_kw"]})).objective.item()
        <= fleet.plan_purchases(**asked).objective.item() + 1e-6
    )


def test_an_impossible_plan_names_the_limits_that_clash():
    asked = case(1) | {"site_kw": case(1)["site_kw"] / 10}
    with pytest.raises(fleet.InfeasibleError, match="kW more of site in every quarter") as error:
        fleet.plan_purchases(**asked)
    gives = error.value.relaxations
    more = fleet.plan_purchases(**(asked | {"site_kw": asked["site_kw"] + gives.loc["site", "by"] * (1 + 1e-9)}))
    assert more.objective.item() > 0


def test_a_budget_spreads_purchases():
    asked = case(6)
    free = fleet.plan_purchases(**asked)
    cap = 0.8 * free.totals["capital"].max().item()
    held = fleet.plan_purchases(**asked, budget_usd=cap)
    assert held.totals["capital"].max().item() <= cap * (1 + 1e-6)
    assert held.objective.item() >= free.objective.item() - 1e-6


@pytest.mark.parametrize("objective", ["cost", "carbon"])
def test_scenarios_are_plans_of_their_own(objective):
    """Inputs that all differ, lives and rates too, and a scenario that no plan will do for."""
    each = [case(seed) | {"life_quarters": 2 + seed, "rate": 0.02 * seed} for seed in range(3)]
    each[1]["site_kw"] = each[1]["site_kw"] / 10
    axis = pd.Index(["a", "b", "c"], name="scenario")
    together = {name: xr.concat([xr.DataArray(one[name]) for one in each], axis) for name in each[0]}
    found = fleet.plan_purchases(**together, objective=objective)
    assert found.status.to_series().to_dict() == {"a": "optimal", "b": "infeasible", "c": "optimal"}
    for label, one in zip("ac", (each[0], each[2]), strict=True):
        alone = fleet.plan_purchases(**one, objective=objective)
        assert found.objective.sel(scenario=label).item() == pytest.approx(alone.objective.item(), rel=1e-7)
        assert found.residual.sel(scenario=label).item() == pytest.approx(alone.residual.item(), rel=1e-5)
        xr.testing.assert_allclose(found.totals.sel(scenario=label, drop=True), alone.totals, rtol=1e-5)
        xr.testing.assert_allclose(
            found.purchases.sel(scenario=label, drop=True), alone.purchases, rtol=1e-5, atol=1e-4
        )
    for table in (found.purchases, found.in_service, found.assignment, found.totals["energy"], found.objective):
        assert bool(table.sel(scenario="b").isnull().all())
    none = together | {"site_kw": together["site_kw"] / 100}
    with pytest.raises(fleet.InfeasibleError, match="more of site") as error:
        fleet.plan_purchases(**none)
    with pytest.raises(fleet.InfeasibleError) as alone:
        fleet.plan_purchases(**(each[0] | {"site_kw": each[0]["site_kw"] / 100}))
    assert error.value.relaxations["by"].tolist() == pytest.approx(alone.value.relaxations["by"].tolist())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"objective": "work"}, "unknown objective 'work'"),
        ({"rate": -0.1}, "rate must be at least 0"),
        ({"life_quarters": 0}, "life_quarters must be at least 1"),
        ({"demand": pd.Series([1.0, 1.0], pd.Index(["w0", "w1"], name="workload"))}, "dimensions quarter and workload"),
        ({"provisioned_kw": None}, "site_kw needs provisioned_kw"),
        ({"suply": 3.0}, "unknown input of a plan 'suply'; did you mean 'supply'"),
        (
            {"price_usd": pd.Series([1.0], pd.Index(["g9"], name="accelerator"))},
            "unknown accelerator in price_usd 'g9'",
        ),
        ({"power_kw": -1.0}, "power_kw must be at least 0, not -1.0"),
    ],
)
def test_bad_input_is_named(change, text):
    with pytest.raises((UnknownNameError, ValueError), match=text):
        fleet.plan_purchases(**(case() | change))
