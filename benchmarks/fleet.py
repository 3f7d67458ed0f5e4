"""Times many fleet mixes in one solve against one solve each, and prints ratios and the growth with scenarios.

Usage: python benchmarks/fleet.py [--most 100000]

Peers, in the same run: scipy's linprog on matrices that are built beforehand, and a linopy model for each scenario.
They are timed on some scenarios and scaled.
"""

import argparse
import sys
import time
import tracemalloc

import linopy
import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import linprog

from gigafleet import fleet, fleet_inputs, fleet_solver

SOME = {"linprog": 500, "linopy": 20}


def case(scenarios: int, seed: int = 0) -> dict:
    """Return random inputs of 4 accelerators and 5 workloads."""
    rng = np.random.default_rng(seed)
    axes = {"scenario": pd.RangeIndex(scenarios), "accelerator": list("abcd"), "workload": list("uvwxy")}

    def draw(low, high, *dims):
        return xr.DataArray(rng.uniform(low, high, [len(axes[d]) for d in dims]), {d: axes[d] for d in dims}, dims)

    return {
        "throughput": draw(1, 5, *axes),
        "power_kw": draw(0.5, 2, "scenario", "accelerator"),
        "cost_usd_per_h": draw(1, 3, "scenario", "accelerator"),
        "demand": draw(1, 3, "scenario", "workload"),
        "power_cap_kw": draw(12, 20, "scenario"),
        "supply": draw(1, 2, "scenario", "accelerator"),
    }


def plan(generations: int = 12, workloads: int = 6, regions: int = 4, quarters: int = 24, seed: int = 0) -> dict:
    """Return random inputs of a plan of purchases: a generation every two quarters, each better than the one before."""
    rng = np.random.default_rng(seed)
    sizes = {"quarter": quarters, "region": regions, "accelerator": generations, "workload": workloads}
    axes = {dim: [f"{dim[0]}{i:02d}" for i in range(n)] for dim, n in sizes.items()}

    def draw(low, high, *dims):
        return xr.DataArray(rng.uniform(low, high, [len(axes[d]) for d in dims]), {d: axes[d] for d in dims}, dims)

    gain = xr.DataArray(1.3 ** np.arange(generations), {"accelerator": axes["accelerator"]}, "accelerator")
    first = xr.DataArray(np.linspace(0, 0.7 * quarters, generations), gain.coords, "accelerator")
    number = xr.DataArray(np.arange(quarters), {"quarter": axes["quarter"]}, "quarter")
    ramp, power = (1 + 9 * number / (quarters - 1)) / 10, draw(1, 1.2, "accelerator") * gain**0.5
    return {
        "throughput": draw(0.8, 1.2, "accelerator", "workload") * gain,
        "power_kw": draw(0.6, 0.9, "accelerator", "workload") * power,
        "demand": ramp * draw(800, 1200, "workload"),
        "life_quarters": 20,
        "price_usd": draw(30_000, 40_000, "accelerator") * gain**0.7,
        "upkeep_usd_per_h": 0.1,
        "usd_per_mwh": draw(40, 120, "region", "quarter"),
        "carbon_kg_per_kwh": draw(0.1, 0.5, "region"),
        "provisioned_kw": power,
        "supply": (number >= first) * 4000.0,
        "site_kw": ramp * draw(1500, 2700, "region"),
        "milestones_kw": ramp * 2500,
        "rate": 0.08,
    }


def by_linprog(asked: dict, some: int) -> float:
    """Return seconds of a scenario in scipy, its matrices not counted."""
    rate, power = asked["throughput"].to_numpy(), asked["power_kw"].to_numpy()
    made = []
    for i in range(some):
        a, w = rate.shape[1:]
        demand = np.zeros((w, a, w))
        demand[np.arange(w), :, np.arange(w)] = -rate[i].T
        each = np.repeat(power[i], w)
        upper = np.vstack([demand.reshape(w, -1), np.repeat(np.eye(a), w, axis=1), each])
        limits = [-asked["demand"].to_numpy()[i], asked["supply"].to_numpy()[i], [asked["power_cap_kw"].item(i)]]
        made.append((each, upper, np.concatenate(limits)))
    start = time.perf_counter()
    for each, upper, limits in made:
        linprog(each, upper, limits, method="highs")
    return (time.perf_counter() - start) / some


def by_linopy(asked: dict, some: int) -> float:
    """Return seconds of a scenario in a linopy model of its own."""
    start = time.perf_counter()
    for i in range(some):
        one = {name: value.isel(scenario=i, drop=True) for name, value in asked.items()}
        model = linopy.Model()
        x = model.add_variables(lower=0, coords=one["throughput"].coords, name="x")
        used = (x * one["power_kw"]).sum()
        model.add_constraints((x * one["throughput"]).sum("accelerator") >= one["demand"], name="demand")
        model.add_constraints(x.sum("workload") <= one["supply"], name="supply")
        model.add_constraints(used <= one["power_cap_kw"].item(), name="power")
        model.add_objective(used)
        model.solve(solver_name="highs", io_api="direct", log_to_console=False, output_flag=False)
    return (time.perf_counter() - start) / some


def ours(scenarios: int) -> tuple[float, float]:
    """Return the least seconds of three runs, and the most memory of one [MB]."""
    asked = case(scenarios)
    times = []
    for _ in range(3 if scenarios <= 10_000 else 1):
        start = time.perf_counter()
        fleet.optimize(**asked)
        times.append(time.perf_counter() - start)
    tracemalloc.start()
    fleet_solver.build(fleet.problem(**asked))
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return min(times), peak


def main() -> int:
    """Print the table of growth, the ratios, and the times of a single mix and of a plan of purchases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=100_000, help="most scenarios")
    most = parser.parse_args().most
    fleet.optimize(**case(10))
    last = (1, np.nan)
    for n in (1, 10, 100, 1_000, 10_000, 100_000):
        if n > most:
            break
        seconds, memory = ours(n)
        print(
            f"{n:>7,} scenarios: {seconds:8.3f} s, {1e6 * seconds / n:10.1f} us each, building takes {memory:8.1f} MB"
        )
        if n >= 100_000:
            power = np.log(seconds / last[1]) / np.log(n / last[0])
            print(f"        time grows as scenarios to the power of {power:.2f}: 1 is linear")
        last = (n, seconds)
        if n == 10_000:
            for name, run in (("linprog", by_linprog), ("linopy", by_linopy)):
                each = run(case(n), SOME[name])
                scaled = f"{each * n:8.1f} s (scaled from {SOME[name]})"
                print(f"        {name}, one by one: {scaled}, ratio {each * n / seconds:.1f}")
    asked = fleet_inputs.inputs(["MI300X", "MI355X", "MI455X"])
    start = time.perf_counter()
    for _ in range(10):
        fleet.optimize(**asked)
    print(f"a single mix of 3 accelerators x 5 workloads, warm: {100 * (time.perf_counter() - start):.0f} ms")
    asked, start = plan(), time.perf_counter()
    fleet.plan_purchases(**asked)
    seconds = time.perf_counter() - start
    print(f"a plan of 12 generations x 6 workloads x 4 regions x 24 quarters: {seconds:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
