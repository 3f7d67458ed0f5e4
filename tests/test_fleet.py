"""The fleet mix: published cases, brute force, duals, infeasible scenarios, and scenarios solved together."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gigafleet import fleet, fleet_solver
from gigafleet.errors import UnknownNameError

TYPES, BUCKETS = pd.Index(["A10G", "A100"], name="accelerator"), pd.Index(["ss", "sl", "ls", "ll"], name="workload")
TOY = {
    "throughput": pd.DataFrame([[2.0, 1, 5, 2], [20, 20, 40, 20]], TYPES, BUCKETS),
    "power_kw": 1.0,
    "cost_usd_per_h": pd.Series([1.01, 3.67], TYPES),
    "demand": 30 * pd.Series([0.2, 0.1, 0.5, 0.2], BUCKETS),
}


def random_case(seed: int, scenarios: int | None = None, accelerators: int = 3, workloads: int = 4) -> dict:
    """Return inputs with a solution: demand is what half of the supply does at an even split."""
    rng = np.random.default_rng(seed)
    axes = {
        "accelerator": pd.Index([f"a{i}" for i in range(accelerators)]),
        "workload": pd.Index([f"w{i}" for i in range(workloads)]),
    }
    if scenarios:
        axes = {"scenario": pd.RangeIndex(scenarios), **axes}

    def draw(low, high, *drop):
        dims = [d for d in axes if d not in drop]
        return xr.DataArray(rng.uniform(low, high, [len(axes[d]) for d in dims]), {d: axes[d] for d in dims}, dims)

    rate, supply = draw(1, 5), draw(1, 3, "workload")
    work = (rate * supply / workloads).sum("accelerator") / 2
    return {
        "throughput": rate,
        "power_kw": draw(0.5, 2),
        "cost_usd_per_h": draw(1, 3, "workload"),
        "demand": work,
        "supply": supply,
        "power_cap_kw": 100.0,
    }


def linprog_of(case: dict) -> float:
    """Return the least energy by scipy, from its own matrices."""
    rate, power, supply = (case[name].to_numpy() for name in ("throughput", "power_kw", "supply"))
    a, w = rate.shape
    demand = np.zeros((w, a, w))
    demand[np.arange(w), :, np.arange(w)] = -rate.T
    owned = np.repeat(np.eye(a), w, axis=1)
    upper = np.vstack([demand.reshape(w, -1), owned, power.ravel()])
    limits = np.concatenate([-case["demand"], supply, [case["power_cap_kw"]]])
    return linprog(power.ravel(), upper, limits, method="highs").fun


@pytest.mark.parametrize(("racks", "usd_per_h"), [(None, 4.12875), (pd.Series([1.0, 1.0], TYPES), 4.68)])
def test_the_toy_of_melange(racks, usd_per_h):
    """Mélange (arXiv 2404.14527): one of each is 4.68 USD/h; the relaxation is 4.12875."""
    found = fleet.optimize(**TOY, objective="cost", rack_size=racks)
    assert found.objective.item() == pytest.approx(usd_per_h)
    assert found.bound.item() == pytest.approx(usd_per_h)
    if racks is not None:
        assert found.racks.squeeze().to_series().to_dict() == {"A10G": 1, "A100": 1}


@pytest.mark.parametrize(("kept", "usd_per_h"), [("A10G", 12.12), ("A100", 7.34)])
def test_a_single_type_of_melanges_toy(kept, usd_per_h):
    supply = pd.Series(np.where(TYPES == kept, 100.0, 0.0), TYPES)
    found = fleet.optimize(**TOY, objective="cost", supply=supply, rack_size=pd.Series([1.0, 1.0], TYPES))
    assert found.objective.item() == pytest.approx(usd_per_h)


def larger() -> dict:
    rng = np.random.default_rng(0)
    share = rng.random((5, 5))
    share /= share.sum()
    costs, rates = [], []
    for k in range(3):
        costs.append(1 + 3 * k * rng.uniform(0.8, 1.2))
        size = np.sqrt(np.outer(1 + np.arange(5), 1 + np.arange(5)))
        rates.append((rng.uniform(2, 6, (5, 5)) * (1 + 2.5 * k) / size).ravel())
    types, buckets = pd.Index(["a", "b", "c"], name="accelerator"), pd.RangeIndex(25, name="workload")
    return {
        "throughput": pd.DataFrame(rates, types, buckets),
        "power_kw": 1.0,
        "cost_usd_per_h": pd.Series(costs, types),
        "demand": 64 * pd.Series(share.ravel(), buckets),
        "objective": "cost",
    }


def test_a_larger_case_of_melange():
    case = larger()
    ones = pd.Series(1.0, case["cost_usd_per_h"].index)
    relaxed, whole = fleet.optimize(**case), fleet.optimize(**case, rack_size=ones)
    assert relaxed.objective.item() == pytest.approx(40.507, abs=1e-3)
    assert whole.objective.item() == pytest.approx(41.250, abs=1e-3)
    assert whole.gap.item() < 1e-6
    assert len(whole.shadow_prices) == 0
    for kept in ones.index:
        alone = fleet.optimize(**case, rack_size=ones, supply=ones.where(ones.index == kept, 0.0) * 1000)
        assert alone.objective.item() >= whole.objective.item() - 1e-9
    dearer = fleet.optimize(**(case | {"cost_usd_per_h": 3 * case["cost_usd_per_h"]}))
    assert dearer.objective.item() == pytest.approx(3 * relaxed.objective.item())
    fewer = {k: v.iloc[:2] if k in ("throughput", "cost_usd_per_h") else v for k, v in case.items()}
    assert fleet.optimize(**fewer).objective.item() >= relaxed.objective.item()


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_optimum_is_that_of_another_solver(seed):
    case = random_case(seed)
    assert fleet.optimize(**case).objective.item() == pytest.approx(linprog_of(case), rel=1e-7)


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_whole_racks_equal_brute_force(seed):
    """Every number of racks of two accelerators up to four is tried; the work of a workload is then a share of each."""
    case = random_case(seed, accelerators=2, workloads=2)
    rate, cost = case["throughput"].to_numpy(), case["cost_usd_per_h"].to_numpy()
    size = pd.Series([0.7, 1.1], pd.Index(["a0", "a1"], name="accelerator"))
    best = np.inf
    for racks in itertools.product(range(6), repeat=2):
        owned = np.array(racks) * size.to_numpy()
        upper = np.vstack(
            [-rate.T.reshape(2, 2)[:, [0, 0, 1, 1]] * [[1, 0, 1, 0], [0, 1, 0, 1]], [1, 1, 0, 0], [0, 0, 1, 1]]
        )
        if linprog(np.zeros(4), upper, np.concatenate([-case["demand"], owned]), method="highs").status == 0:
            best = min(best, float(cost @ owned))
    loose = {k: v for k, v in case.items() if k != "supply"}
    found = fleet.optimize(**loose, objective="cost", rack_size=size, supply=5 * size)
    assert found.objective.item() == pytest.approx(best, rel=1e-6)


def test_scenarios_together_are_scenarios_alone():
    case = random_case(1, scenarios=150)
    found = fleet.optimize(**case)
    for s in (0, 59, 60, 149):
        alone = {k: v.sel(scenario=s, drop=True) if isinstance(v, xr.DataArray) else v for k, v in case.items()}
        assert found.objective.sel(scenario=s).item() == pytest.approx(linprog_of(alone), rel=1e-7)


def test_one_scenario_without_a_solution_does_not_stop_the_others():
    case = random_case(2, scenarios=130)
    demand = case["demand"].copy()
    demand[{"scenario": 77}] *= 50
    found = fleet.optimize(**(case | {"demand": demand}))
    assert found.status.to_series().value_counts().to_dict() == {"optimal": 129, "infeasible": 1}
    assert found.status.sel(scenario=77) == "infeasible"
    assert found.assignment.sel(scenario=77).isnull().all()
    assert found.objective.drop_sel(scenario=77).notnull().all()
    gives = fleet.relaxations(fleet.problem(**(case | {"demand": demand})))
    assert set(gives.index) == {77}
    assert gives["limit"].tolist() == ["power and supply", "demand"]  # neither of the first two alone would do


def test_what_would_make_it_solvable_does_and_no_less():
    case = random_case(3) | {"power_cap_kw": 0.5}
    with pytest.raises(
        fleet.InfeasibleError, match=r"no mix meets the constraints of scenario 'base'. Enough would be: "
    ) as e:
        fleet.optimize(**case)
    gives = e.value.relaxations.set_index("limit")
    assert set(gives.index) == {"power", "demand"}
    more = gives.loc["power", "by"]
    assert fleet.optimize(**(case | {"power_cap_kw": 0.5 + 1.000001 * more})).status.item() == "optimal"
    with pytest.raises(fleet.InfeasibleError):
        fleet.optimize(**(case | {"power_cap_kw": 0.5 + 0.999 * more}))
    less = 1 - gives.loc["demand", "by"]
    assert fleet.optimize(**(case | {"demand": 0.999999 * less * case["demand"]})).status.item() == "optimal"


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_shadow_prices_lie_between_one_sided_differences(seed):
    case, step = random_case(seed), 1e-4
    moves = [("demand", "workload", "w0"), ("demand", "workload", "w2"), ("supply", "accelerator", "a1")]
    scenarios = xr.DataArray(np.zeros(7), {"scenario": range(7)})  # as it is; then each of them less, and more
    many = case | {name: case[name] + scenarios for name in ("demand", "supply")}
    for i, (name, dim, label) in enumerate(moves):
        many[name].loc[{dim: label, "scenario": 2 * i + 1}] -= step
        many[name].loc[{dim: label, "scenario": 2 * i + 2}] += step
    found = fleet.optimize(**many)
    for i, (name, dim, label) in enumerate(moves):
        base, less, more = found.objective.sel(scenario=[0, 2 * i + 1, 2 * i + 2]).to_numpy()
        sides = (base - less) / step, (more - base) / step
        price = found.shadow_prices[name].sel({dim: label, "scenario": 0}).item()
        assert min(sides) - 1e-5 <= price <= max(sides) + 1e-5
    assert found.objective.to_numpy()[0] == pytest.approx(fleet.optimize(**case).objective.item())


@given(st.integers(0, 10**6), st.floats(0.2, 3))
@settings(max_examples=15, deadline=None)
def test_more_power_never_lowers_the_work_done(seed, cap):
    case = random_case(seed) | {"objective": "work"}
    caps = xr.DataArray([cap, 2 * cap], {"scenario": [0, 1]})
    found = fleet.optimize(**(case | {"power_cap_kw": caps}))
    few, many = found.objective.to_numpy()
    assert many >= few - 1e-9
    price = found.shadow_prices["power"].sel(scenario=0).item()
    assert price >= -1e-9
    assert few + price * cap >= many - 1e-7  # work is concave in power


def test_totals_and_use_of_limits_follow_from_the_assignment():
    case = random_case(5) | {"carbon_kg_per_kwh": 0.4, "price_usd": 10.0, "budget_usd": 1000.0}
    found = fleet.optimize(**case)
    x = found.assignment.squeeze("scenario")
    assert found.totals["energy"].item() == pytest.approx((x * case["power_kw"]).sum().item())
    assert found.totals["cost"].item() == pytest.approx((x.sum("workload") * case["cost_usd_per_h"]).sum().item())
    assert found.totals["carbon"].item() == pytest.approx(0.4 * found.totals["energy"].item())
    assert found.totals["capital"].item() == pytest.approx(10 * x.sum().item())
    assert found.utilization["budget"].item() == pytest.approx(found.totals["capital"].item() / 1000)
    assert (found.utilization["demand"] >= 1 - 1e-6).all()
    assert (found.utilization["supply"] <= 1 + 1e-6).all()
    assert found.shadow_prices["power"].attrs["units"] == "kW per kW"


def test_an_accelerator_that_cannot_does_nothing_of_it():
    case = random_case(6)
    case["throughput"].loc[{"accelerator": "a0", "workload": "w1"}] = np.nan
    assert fleet.optimize(**case).assignment.sel(accelerator="a0", workload="w1").item() == 0


def test_limits_balance_shares_and_regions():
    case = random_case(7)
    least = fleet.optimize(**case).totals["energy"].item()
    cheap = fleet.optimize(**case, objective="cost")
    between = (least + cheap.totals["energy"].item()) / 2
    held = fleet.optimize(**case, objective="cost", limits={"energy": between})
    assert held.totals["energy"].item() <= between * (1 + 1e-9)
    assert cheap.totals["cost"].item() - 1e-9 <= held.totals["cost"].item()
    even = fleet.optimize(**case, balance={("w0", "w1"): 2.0})
    work = (even.assignment * case["throughput"]).sum("accelerator").squeeze("scenario")
    assert work.sel(workload="w0").item() == pytest.approx(2 * work.sel(workload="w1").item())
    shares = pd.Series([0.0, 0.0, 0.4], case["supply"].indexes["accelerator"])
    forced = fleet.optimize(**case, least_shares=shares)
    used = (forced.assignment * case["power_kw"]).sum(["workload", "scenario"])
    assert used.sel(accelerator="a2").item() >= 0.4 * used.sum().item() - 1e-9
    regions = xr.DataArray([0.7, 0.1], {"region": ["coal", "water"]}, "region")
    caps = xr.DataArray([50.0, 0.8], {"region": ["coal", "water"]}, "region")
    spread = fleet.optimize(**(case | {"power_cap_kw": caps}), objective="carbon", carbon_kg_per_kwh=regions)
    assert spread.utilization["power"].sel(region="water").item() == pytest.approx(1)
    assert spread.totals["carbon"].item() > 0.1 * spread.totals["energy"].item()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": "enregy"}, "unknown objective 'enregy'; did you mean 'energy'"),
        ({"power_cap_kw": -1.0}, "power_cap_kw must be at least 0, not -1"),
        ({"supply": pd.Series([1.0], pd.Index(["a9"], name="accelerator"))}, "unknown accelerator in supply 'a9'"),
        ({"supply": pd.Series([1.0], pd.Index(["a0"], name="accelerator"))}, "supply lacks the accelerator 'a1'"),
        ({"demand": [1.0, 2.0]}, "demand must carry labels"),
        ({"demand": 1.0}, "demand needs the dimension workload"),
        ({"budget_usd": 1.0}, "a budget needs price_usd"),
        ({"limits": {"money": 1.0}}, "unknown limit 'money'"),
        ({"balance": {("w0", "w9"): 1.0}}, "unknown workload in balance 'w9'"),
        ({"power_kw": xr.DataArray([1.0], {"place": ["x"]}, "place")}, "unknown dimension of power_kw 'place'"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises((ValueError, UnknownNameError)) as caught:
        fleet.optimize(**(random_case(8) | change))
    assert message in str(caught.value)


def test_least_shares_of_vendors():
    """The vendor's accelerators together keep their share of power; which of them is free."""
    case = random_case(3) | {"supply": None}
    vendors = {"a0": "AMD", "a1": "AMD", "a2": "NVIDIA"}
    free = fleet.optimize(**case)
    for vendor, names in (("AMD", ["a0", "a1"]), ("NVIDIA", ["a2"])):
        least = pd.Series([0.6], pd.Index([vendor], name="vendor"))
        found = fleet.optimize(**case, least_shares=least, vendors=vendors)
        used = (found.assignment * case["power_kw"]).sum("workload").squeeze().to_series()
        assert used[names].sum() / used.sum() >= 0.6 - 1e-6
        assert found.objective.item() >= free.objective.item() - 1e-9
        assert float(found.utilization["least_shares"].max()) <= 1 + 1e-6
    with pytest.raises(UnknownNameError, match="unknown vendor in least_shares 'Intel'"):
        fleet.optimize(**case, least_shares=pd.Series([0.5], pd.Index(["Intel"], name="vendor")), vendors=vendors)
    with pytest.raises(ValueError, match="lacks the accelerator 'a2'"):
        fleet.optimize(**case, least_shares=least, vendors={"a0": "AMD", "a1": "AMD"})


def test_work_in_balance():
    case = random_case(4)
    ratio = 1.5 * (case["demand"][0] / case["demand"][1]).item()
    found = fleet.optimize(**case, balance={("w0", "w1"): ratio})
    done = (found.assignment * case["throughput"]).sum("accelerator").squeeze().to_series()
    assert done["w0"] / done["w1"] == pytest.approx(ratio)
    assert found.utilization["balance w0 w1"].item() == pytest.approx(1)


def test_an_unknown_input_is_named():
    with pytest.raises(UnknownNameError, match="unknown input of a mix 'power_cap'; did you mean 'power_cap_kw'"):
        fleet.optimize(**random_case(1), power_cap=3.0)


def test_limits_that_clash_together_give_together():
    """Neither limit alone would do; what both give together is enough."""
    case = random_case(2)
    short = case | {"demand": 3 * case["demand"], "power_cap_kw": 2.0}
    with pytest.raises(fleet.InfeasibleError, match=r"% of power and .* % of supply more") as caught:
        fleet.optimize(**short)
    gives = caught.value.relaxations
    assert gives["limit"].iloc[0] == "power and supply"
    found = re.findall(r"([\d.e+]+) % of (\w+)", gives["text"].iloc[0])
    share = {name: float(value) / 100 for value, name in found}
    more = (1 + 1e-3) * share["supply"] * case["supply"].sum()
    eased = short | {"power_cap_kw": 2.0 * (1 + share["power"] * (1 + 1e-3)), "supply": case["supply"] + more}
    assert fleet.optimize(**eased).status.item() == "optimal"


def test_a_limit_on_a_total_is_named():
    case = random_case(5) | {"carbon_kg_per_kwh": 0.5}
    least = fleet.optimize(**case, objective="carbon").objective.item()
    with pytest.raises(fleet.InfeasibleError, match="kg/h more of limit_carbon") as caught:
        fleet.optimize(**case, limits={"carbon": 0.9 * least})
    gives = caught.value.relaxations.set_index("limit")
    assert gives.loc["limit_carbon", "by"] == pytest.approx(0.1 * least)


NAMES = pd.Index(["a0", "a1", "a2"], name="accelerator")


def test_work_that_nobody_can_do_and_shares_in_the_way_are_named():
    case = random_case(6)
    rate = case["throughput"].where(case["throughput"]["workload"] != "w1")
    with pytest.raises(fleet.InfeasibleError, match="an accelerator that can do 'w1'"):
        fleet.optimize(**(case | {"throughput": rate}))
    none = xr.DataArray([0.0, 10, 10], {"accelerator": NAMES}, "accelerator")
    with pytest.raises(fleet.InfeasibleError, match="no least_shares"):
        fleet.optimize(**(case | {"supply": none}), least_shares=pd.Series([0.3, 0.0, 0.0], NAMES))
    with pytest.raises(ValueError, match="sum of least_shares must be at most 1"):
        fleet.optimize(**case, least_shares=pd.Series([0.6, 0.6, 0.0], NAMES))


def two(rate, **more) -> dict:
    """Return two accelerators and one kind of work."""
    names, kind = pd.Index(["a", "b"], name="accelerator"), pd.Index(["u"], name="workload")
    shared = {"power_kw": 1.0, "cost_usd_per_h": pd.Series([1.0, 1.0], names), "demand": pd.Series([9.0], kind)}
    return {"throughput": pd.DataFrame(rate, names, kind)} | shared | more


def test_whole_racks_that_do_not_fit_say_how_many_more_would():
    """Nine of work need 9 kW, and in racks of four 12 kW."""
    sizes = pd.Series([4.0, 4.0], pd.Index(["a", "b"], name="accelerator"))
    with pytest.raises(fleet.InfeasibleError, match=r"2\.5 kW more of power"):
        fleet.optimize(**two([[1.0], [1.0]], power_cap_kw=9.5, rack_size=sizes))
    assert fleet.optimize(**two([[1.0], [1.0]], power_cap_kw=12, rack_size=sizes)).racks.sum().item() == 3


def test_least_shares_count_whole_racks():
    sizes = pd.Series([1.0, 100.0], pd.Index(["a", "b"], name="accelerator"))
    least = pd.Series([0.5, 0.2], sizes.index)
    found = fleet.optimize(**two([[1.0], [1.0]], rack_size=sizes, least_shares=least), objective="cost")
    used = (found.racks.squeeze() * sizes.to_xarray()).to_series()
    assert (used / used.sum() >= least - 1e-6).all()


def test_racks_cost_what_their_work_costs():
    """An accelerator's cost at work that it cannot do does not count."""
    names, kinds = pd.Index(["a"], name="accelerator"), pd.Index(["u", "v"], name="workload")
    case = {
        "throughput": pd.DataFrame([[1.0, np.nan]], names, kinds),
        "power_kw": 1.0,
        "cost_usd_per_h": pd.DataFrame([[1.0, 100.0]], names, kinds),
        "demand": pd.Series([4.0, 0.0], kinds),
        "objective": "cost",
    }
    assert fleet.optimize(**case).objective.item() == pytest.approx(4)
    assert fleet.optimize(**case, rack_size=pd.Series([1.0], names)).objective.item() == pytest.approx(4)


def test_odd_scenarios_do_not_stop_the_others():
    labels = {"scenario": ["tiny", "good"], "workload": ["u"]}
    demand = xr.DataArray([[1e-8], [9.0]], labels, ("scenario", "workload"))
    found = fleet.optimize(**two([[1.0], [1.0]], demand=demand))
    assert found.objective.sel(scenario="good").item() == pytest.approx(9)
    cap = xr.DataArray([5.0, np.inf], {"scenario": ["held", "free"]}, "scenario")
    with pytest.raises(ValueError, match="the most work of scenario 'free' has no bound: power_cap_kw, supply"):
        fleet.optimize(**two([[1.0], [1.0]], power_cap_kw=cap), objective="work")


@given(st.integers(0, 10**6))
@settings(max_examples=5, deadline=None)
def test_scenarios_without_a_solution_are_found_wherever_they_are(seed):
    case = random_case(seed, scenarios=70)
    hopeless = np.random.default_rng(seed).random(70) < 0.5
    hopeless[0] = False
    factor = xr.DataArray(np.where(hopeless, 50.0, 1.0), {"scenario": case["demand"]["scenario"]}, "scenario")
    found = fleet.optimize(**(case | {"demand": case["demand"] * factor}))
    assert (found.status == "infeasible").to_numpy().tolist() == hopeless.tolist()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"power_kw": None}, "a mix needs power_kw"),
        ({"power_kw": np.inf}, "power_kw must be finite, not inf"),
        (
            {"demand": pd.Series([np.nan], pd.Index(["u"], name="workload"))},
            r"demand must be at least 0, not nan \(workload u",
        ),
        ({"balance": {("u", "u"): -1.0}}, "balance of u to u must be above 0, not -1.0"),
    ],
)
def test_more_bad_input_is_named(change, text):
    with pytest.raises(ValueError, match=text):
        fleet.optimize(**(two([[1.0], [1.0]]) | change))


@pytest.mark.parametrize("racks", [None, 2.0])
def test_less_demand_on_the_matrix_is_that_of_a_model_of_its_own(racks):
    case = random_case(11, scenarios=4) | {"objective": "cost", "rack_size": racks}
    case["demand"] = case["demand"] * xr.DataArray([0.5, 3.0, 1.0, 9.0], {"scenario": range(4)})
    asked = fleet.problem(**case)
    quick = fleet_solver.with_less_demand(fleet_solver.build(asked), asked.demand)
    built = fleet_solver.build(asked, ("demand",))
    found, expected = (fleet_solver.run(blocks, racks is not None).objective for blocks in (quick, built))
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert found[3] > found[1] > found[2] == 0
    assert sorted(quick.matrix.data) == pytest.approx(sorted(built.matrix.data))


def test_the_order_of_labels_does_not_matter():
    case = random_case(3)
    turned = case | {
        "demand": case["demand"][::-1],
        "power_kw": case["power_kw"][::-1, ::-1],
        "supply": case["supply"][[2, 0, 1]],
    }
    mixes = [fleet.optimize(**one) for one in (case, turned)]
    xr.testing.assert_allclose(mixes[1].assignment, mixes[0].assignment)
    many = {"demand": 10 * turned["demand"] * xr.DataArray([0.1, 1.0], {"scenario": [0, 1]})}
    assert fleet.optimize(**turned | many).status.to_numpy().tolist() == ["optimal", "infeasible"]
