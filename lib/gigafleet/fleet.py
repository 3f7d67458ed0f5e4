"""Which accelerators do which work: the fleet mix as a linear program, for one scenario or many at once.

Accelerators are counted, not rounded, unless racks are asked for. One model in linopy holds all scenarios; since none
touches another, HiGHS solves it in blocks, and a scenario that cannot be solved is named while the others are.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import fleet_results, fleet_solver
from gigafleet.fleet_plan import Plan, plan_purchases
from gigafleet.fleet_problem import InfeasibleError, Problem, problem

__all__ = ["InfeasibleError", "Mix", "Plan", "Problem", "optimize", "plan_purchases", "problem", "relaxations", "solve"]

# What may be relaxed, beside demand -> its unit.
UNITS = {"power": "kW", "supply": "accelerators", "budget": "USD"}
UNITS |= {"limit_energy": "kW", "limit_cost": "USD/h", "limit_carbon": "kg/h"}
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
    blocks, whole = fleet_solver.build(asked), asked.rack_size is not None
    elastic = None if asked.objective == "work" else lambda: fleet_solver.with_less_demand(blocks, asked.demand)
    found = fleet_solver.run(blocks, whole, elastic)
    if found.endless.any():
        name = asked.scenarios[int(np.argmax(found.endless))]
        raise ValueError(
            f"the most work of scenario {name!r} has no bound: power_cap_kw, supply or budget_usd must limit it, and "
            "demand be above 0"
        )
    if not found.solved.any():
        gives = relaxations(asked)
        first = asked.scenarios[0]
        told = "; ".join(gives["text"][gives.index == first]) or "nothing that this model may relax"
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
    """Return what would make scenarios without a solution solvable.

    Returns
    -------
    DataFrame
        Indexed by scenario, a row for everything that is enough by itself: ``limit``, ``by`` (further kW, accelerators,
        USD, USD/h or kg/h; for demand the share that must go), ``unit`` and ``text``. Where no limit alone is enough,
        ``limit`` names those that must give together, ``by`` is the sum of the shares, and ``text`` has each. Work that
        no accelerator can do, and least shares or balances that are in the way, are named without an amount.
    """
    kinds = {"power": asked.power_cap_kw, "supply": asked.supply, "budget": asked.budget_usd}
    kinds |= {f"limit_{name}": cap for name, cap in asked.limits.items()}
    limits = [kind for kind, value in kinds.items() if value is not None]
    rows = [row for kind in limits for row in _gives(asked, (kind,))]
    alone = {scenario for scenario, *_ in rows}
    if len(limits) > 1:
        rows += [row for row in _gives(asked, tuple(limits)) if row[0] not in alone]
    rows += _impossible(asked)
    if asked.objective != "work":
        rows += _gives(asked, ("demand",))
    for name, without in (("least_shares", {"least_shares": None, "members": None}), ("balance", {"balance": {}})):
        if getattr(asked, name) is None or not len(getattr(asked, name)):
            continue
        freed = replace(asked, **without)
        solved = fleet_solver.run(fleet_solver.build(freed), asked.rack_size is not None).solved
        rows += [(s, name, np.nan, "", f"no {name}") for s, can in zip(asked.scenarios, solved, strict=True) if can]
    return pd.DataFrame(rows, columns=["scenario", "limit", "by", "unit", "text"]).set_index("scenario")


def _gives(asked: Problem, kinds: tuple[str, ...]) -> list[tuple]:
    """Return by scenario what limits would have to give, alone or together."""
    blocks = fleet_solver.build(asked, kinds)
    found = fleet_solver.run(blocks, asked.rack_size is not None)
    gives = fleet_results.behind(blocks.model.variables["give"].labels, found.values)
    rows = []
    for i, scenario in enumerate(asked.scenarios):
        amount, each = found.objective[i], gives.isel(scenario=i).to_series()
        if not found.solved[i] or amount <= TOLERANCE:
            continue
        if len(kinds) > 1:
            most = each[each > TOLERANCE]
            shares = [f"{100 * share:.3g} % of {kind}" for kind, share in most.items()]
            rows.append((scenario, " and ".join(most.index), amount, "share", f"{' and '.join(shares)} more"))
        elif kinds == ("demand",):
            rows.append((scenario, "demand", amount, "share", f"{100 * amount:.3g} % less demand"))
        else:
            of = _scarce(blocks, found, i) if kinds == ("supply",) else ""
            unit = UNITS[kinds[0]]
            rows.append((scenario, kinds[0], amount, unit, f"{amount:,.4g} {unit} more of {kinds[0]}{of}"))
    return rows


def _scarce(blocks: fleet_solver.Blocks, found: fleet_solver.Found, scenario: int) -> str:
    """Return of which accelerators more would be enough."""
    more = fleet_results.behind(blocks.model.variables["more"].labels, found.values).isel(scenario=scenario).to_series()
    return f" ({', '.join(map(str, more.index[more > TOLERANCE]))})"


def _impossible(asked: Problem) -> list[tuple]:
    """Return work that is asked for and that no accelerator can do."""
    can = (asked.throughput > 0).any([dim for dim in asked.throughput.dims if dim not in ("scenario", "workload")])
    each = xr.DataArray(asked.scenarios, dims="scenario", coords=[asked.scenarios])
    wrong = ((asked.demand > 0) & ~can).broadcast_like(each)
    table = wrong.transpose("scenario", "workload").to_pandas()
    return [
        (scenario, "demand", np.nan, "", f"an accelerator that can do {workload!r}")
        for scenario, row in table.iterrows()
        for workload in row.index[row]
    ]
