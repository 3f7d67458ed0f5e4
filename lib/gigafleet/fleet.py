"""Which accelerators do which work: the fleet mix as a linear program, for one scenario or many at once.

Accelerators are counted, not rounded, unless racks are asked for. One model in linopy holds all scenarios; since none
touches another, HiGHS solves it in blocks, and a scenario that cannot be solved is named while the others are.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import fleet_results, fleet_solver
from gigafleet.fleet_plan import Plan, plan_purchases
from gigafleet.fleet_problem import InfeasibleError, Problem, problem

__all__ = ["InfeasibleError", "Mix", "Plan", "Problem", "optimize", "plan_purchases", "problem", "relaxations", "solve"]

LIMITS = {"power": "kW", "supply": "accelerators", "budget": "USD"}  # what may be relaxed, beside demand
TOLERANCE = 1e-6  # relative violation that a solution may have when it is checked again


@dataclass(frozen=True)
class Mix:
    """The best mix of every scenario.

    Attributes
    ----------
    assignment
        Accelerators, dims scenario, (region,) accelerator, workload; NaN where a scenario has no solution.
    objective, bound, gap
        Value in the unit of its ``units`` attribute, the best value that could be, and the share between; dim scenario.
    shadow_prices
        What the objective gains with one more unit of a limit: ``demand`` (by workload), ``power``, ``supply`` (by
        accelerator), ``budget``; the unit is an attribute. Empty in whole racks.
    totals
        By scenario: ``energy`` [kW], ``cost`` [USD/h], ``carbon`` [kg/h], ``power`` (provisioned) [kW] and ``capital``
        [USD].
    utilization
        Use over limit: ``demand`` (work done over work asked), ``power``, ``supply``, ``budget``, ``limit_cost`` and
        the like; ``least_shares`` (share asked over share there is) and ``balance`` (done over asked, by pair).
    status
        ``optimal`` or ``infeasible``; dim scenario.
    racks
        Racks by scenario and accelerator where whole ones were asked for, else None.
    """

    assignment: xr.DataArray
    objective: xr.DataArray
    bound: xr.DataArray
    gap: xr.DataArray
    shadow_prices: xr.Dataset
    totals: xr.Dataset
    utilization: xr.Dataset
    status: xr.DataArray
    racks: xr.DataArray | None = None


def optimize(throughput, power_kw, cost_usd_per_h, demand, **settings) -> Mix:
    """Return the best mix: which accelerators do which work.

    Parameters
    ----------
    throughput
        What an accelerator does of a workload, dims accelerator, workload and, as in all inputs, scenario or region if
        it varies with them; NaN where it cannot (no memory, no figure). [tokens/s]
    power_kw
        Average facility draw of an accelerator at a workload. [kW]
    cost_usd_per_h
        Cost of an accelerator. [USD/h]
    demand
        Work asked for by workload; for the objective ``work`` the mix of which as much as possible is done. [tokens/s]
    objective
        ``energy``, ``cost``, ``carbon`` (the least of each) or ``work`` (the most).
    power_cap_kw, provisioned_kw
        Facility power there is, and what an accelerator takes of it; ``power_kw`` if not given. [kW]
    supply
        Accelerators owned or on offer, by accelerator. [1]
    budget_usd, price_usd
        Capital there is, and the price of an accelerator, 0 for those owned. [USD]
    carbon_kg_per_kwh
        Intensity of the grid, by region if there are several. [kg/kWh]
    limits
        Most ``energy`` [kW], ``cost`` [USD/h] or ``carbon`` [kg/h], whatever the objective.
    balance
        ``{(one, other): ratio}``: work done of the first is exactly so many times that of the second, as prompts to
        answers.
    least_shares
        Least share of the provisioned power that an accelerator must have, by accelerator; or with the dimension
        ``vendor`` (a Series whose index has that name) that all accelerators of a vendor must have together.
    vendors
        Accelerator -> vendor, where ``least_shares`` are of vendors.
    rack_size
        Accelerators of a rack, by accelerator: whole racks are bought then, and cost, power and capital go by racks.

    Returns
    -------
    Mix

    Raises
    ------
    InfeasibleError
        Where no scenario has a solution, with what each constraint would have to give.
    UnknownNameError, ValueError
        Naming the input that is wrong.
    """
    return solve(problem(throughput, power_kw, cost_usd_per_h, demand, **settings))


def solve(asked: Problem) -> Mix:
    """Return the best mix of a problem, as :func:`optimize`."""
    blocks = fleet_solver.build(asked)
    found = fleet_solver.run(blocks, integer=asked.rack_size is not None)
    if not found.solved.any():
        gives = relaxations(asked)
        first = asked.scenarios[0]
        told = "; ".join(gives.loc[[first], "text"]) or "no single limit is enough"
        raise InfeasibleError(f"no mix meets the constraints of scenario {first!r}. Enough would be: {told}", gives)
    mix = Mix(**fleet_results.read(asked, blocks, found))
    _check(asked, mix)
    return mix


def _check(asked: Problem, mix: Mix) -> None:
    """Raise where a solution breaks its constraints, computed anew from the inputs."""
    x = mix.assignment
    if float(x.min()) < -TOLERANCE * max(float(x.max()), 1):
        raise RuntimeError("the solver returned a negative number of accelerators")
    for name, used in mix.utilization.data_vars.items():
        wrong = used < 1 - TOLERANCE if name == "demand" else used > 1 + TOLERANCE
        wrong = abs(used - 1) > TOLERANCE if name.startswith("balance") else wrong
        if bool(wrong.any()):
            where = mix.status.indexes["scenario"][
                int(np.argmax(wrong.any([d for d in wrong.dims if d != "scenario"]).to_numpy()))
            ]
            raise RuntimeError(f"the solution of scenario {where!r} breaks its limit on {name}")


def relaxations(asked: Problem) -> pd.DataFrame:
    """Return what would make scenarios without a solution solvable: for each limit, the least that it alone would have
    to give.

    Returns
    -------
    DataFrame
        Indexed by scenario, one row a limit that is enough by itself: ``limit``, ``by`` (further kW, accelerators or
        USD; for demand the share that must go), ``unit`` and ``text``. A limit that is not listed does not clash, or is
        not enough alone.
    """
    rows = []
    kinds = {"power": asked.power_cap_kw, "supply": asked.supply, "budget": asked.budget_usd, "demand": asked.demand}
    for kind, value in kinds.items():
        if value is None or (kind == "demand" and asked.objective == "work"):
            continue
        blocks = fleet_solver.build(asked, relax=kind)
        found = fleet_solver.run(blocks, integer=False)
        for scenario, solved, amount in zip(asked.scenarios, found.solved, found.objective, strict=True):
            if not solved or amount <= TOLERANCE:
                continue
            unit = "share" if kind == "demand" else LIMITS[kind]
            text = f"{100 * amount:.3g} % less demand" if kind == "demand" else f"{amount:,.4g} {unit} more of {kind}"
            rows.append((scenario, kind, amount, unit, text))
    columns = ["scenario", "limit", "by", "unit", "text"]
    return pd.DataFrame(rows, columns=columns).set_index("scenario")
