"""From the inputs of a fleet mix to a linear programme in linopy, to HiGHS in blocks of scenarios, and back."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import highspy
import linopy
import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr

if TYPE_CHECKING:
    from gigafleet.fleet import Mix, Problem

BLOCK = 60  # scenarios that HiGHS gets at once; larger blocks cost it more than their share


@dataclass(frozen=True)
class Blocks:
    """A model with its matrix, rows and columns in the order of scenarios."""

    model: linopy.Model
    matrix: sp.csr_matrix
    low: np.ndarray
    high: np.ndarray
    cost: np.ndarray
    column_bounds: np.ndarray
    whole: np.ndarray
    columns: np.ndarray  # labels of variables, in order
    rows: np.ndarray  # labels of constraints, in order
    sense: float
    scenarios: int


@dataclass(frozen=True)
class Found:
    """What HiGHS found, in the order of a model's labels, and by scenario."""

    values: pd.Series
    duals: pd.Series
    objective: np.ndarray
    bound: np.ndarray
    solved: np.ndarray


def build(asked: Problem, relax: str | None = None) -> Blocks:
    """Return the model of a problem. ``relax`` names a limit that may give instead, at least cost: then the objective
    is by how much."""
    p, rate = asked, asked.throughput
    coords = [p.scenarios, rate.indexes["accelerator"], rate.indexes["workload"]]
    dims = ["scenario", "accelerator", "workload"]
    if p.regions is not None:
        coords.insert(1, p.regions)
        dims.insert(1, "region")
    shape = xr.DataArray(np.zeros([len(c) for c in coords]), coords=dict(zip(dims, coords, strict=True)), dims=dims)
    places = [d for d in ("region",) if d in dims]
    model = linopy.Model()
    can = (rate.notnull() & (rate > 0)).broadcast_like(shape).transpose(*dims)
    x = model.add_variables(lower=0, upper=xr.where(can, np.inf, 0.0), coords=shape.coords, dims=dims, name="x")
    work = (x * rate.fillna(0)).sum(["accelerator", *places])
    per_scenario = xr.DataArray(np.ones(len(p.scenarios)), coords={"scenario": p.scenarios}, dims="scenario")
    give = model.add_variables(lower=0, coords=[p.scenarios], name="give") if relax else None
    if p.objective == "work" and relax is None:
        level = model.add_variables(lower=0, coords=[p.scenarios], name="level")
        model.add_constraints(work - p.demand * level >= 0, name="demand")
    elif relax == "demand":
        model.add_constraints(work + p.demand * give >= p.demand * per_scenario, name="demand")
    else:
        scale = 0.0 if p.objective == "work" else 1.0
        model.add_constraints(work >= scale * p.demand * per_scenario, name="demand")
    racks = None
    counted = x.sum("workload")
    if p.rack_size is not None:
        by = [d for d in dims if d != "workload"]
        whole = relax is None
        racks = model.add_variables(
            lower=0, coords={d: shape.coords[d] for d in by}, dims=by, name="racks", integer=whole
        )
        model.add_constraints(counted - racks * p.rack_size <= 0, name="racks")
        counted = racks * p.rack_size

    def total(each, owned: bool):
        """Return the sum of something over the fleet of a scenario, by what works or what is owned."""
        if owned and racks is not None:
            each = each.max("workload") if "workload" in each.dims else each
            return (counted * each).sum([d for d in dims if d not in ("scenario", "workload")])
        return (x * each).sum([d for d in dims if d != "scenario"])

    sums = {
        "energy": total(p.power_kw, owned=False),
        "cost": total(p.cost_usd_per_h, owned=True),
        "carbon": total(p.power_kw * p.carbon_kg_per_kwh, owned=False),
    }
    if p.power_cap_kw is not None:
        held = ["region"] if "region" in p.power_cap_kw.dims else []
        used = _by(x, counted if racks is not None else None, p.provisioned_kw, dims, held)
        extra = give if relax == "power" else 0
        model.add_constraints(used - extra <= p.power_cap_kw * per_scenario, name="power")
    if p.supply is not None:
        held = [] if "region" in p.supply.dims else places
        taken = counted.sum(held) if held else counted
        if relax == "supply":
            more = model.add_variables(
                lower=0,
                coords={d: (p.supply * per_scenario).coords[d] for d in ("scenario", "accelerator")},
                dims=["scenario", "accelerator"],
                name="more",
            )
            model.add_constraints(taken - more <= p.supply * per_scenario, name="supply")
            model.add_constraints(more.sum("accelerator") - give <= 0, name="more")
        else:
            model.add_constraints(1 * taken <= p.supply * per_scenario, name="supply")
    if p.budget_usd is not None:
        spent = (counted * p.price_usd).sum([d for d in dims if d not in ("scenario", "workload")])
        model.add_constraints(spent - (give if relax == "budget" else 0) <= p.budget_usd * per_scenario, name="budget")
    for name, cap in p.limits.items():
        model.add_constraints(sums[name] <= cap * per_scenario, name=f"limit {name}")
    for (one, other), ratio in p.balance.items():
        done = work.sel(workload=one, drop=True) - ratio * work.sel(workload=other, drop=True)
        model.add_constraints(done == 0 * per_scenario, name=f"balance {one} {other}")
    if p.least_shares is not None:
        each = (x * p.provisioned_kw).sum([d for d in dims if d not in ("scenario", "accelerator")])
        whole_kw = (x * p.provisioned_kw).sum([d for d in dims if d != "scenario"])
        model.add_constraints(each - whole_kw * p.least_shares >= 0, name="least shares")
    if relax:
        model.add_objective((give * per_scenario).sum())
    elif p.objective == "work":
        model.add_objective((level * per_scenario).sum(), sense="max")
    else:
        model.add_objective(sums[p.objective].sum())
    return _ordered(model, len(p.scenarios))


def _by(x, counted, each, dims, held):
    """Return a sum over the fleet of each scenario (and of the dimensions held): of what is owned, else what works."""
    if counted is None:
        return (x * each).sum([d for d in dims if d not in ("scenario", *held)])
    most = each.max("workload") if "workload" in each.dims else each
    return (counted * most).sum([d for d in dims if d not in ("scenario", "workload", *held)])


def _ordered(model: linopy.Model, scenarios: int) -> Blocks:
    """Return a model's matrix with rows and columns in the order of its scenarios."""
    m = model.matrices
    column_of = _scenario_of({name: v.labels for name, v in model.variables.items()}, m.vlabels)
    row_of = _scenario_of({name: c.labels for name, c in model.constraints.items()}, m.clabels)
    columns, rows = np.argsort(column_of, kind="stable"), np.argsort(row_of, kind="stable")
    matrix = sp.csr_matrix(m.A)[rows][:, columns]
    sense, b = np.asarray(m.sense, dtype=str)[rows], np.asarray(m.b, dtype=float)[rows]
    return Blocks(
        model,
        matrix,
        np.where(np.char.startswith(sense, "<"), -np.inf, b),
        np.where(np.char.startswith(sense, ">"), np.inf, b),
        np.asarray(m.c, dtype=float)[columns],
        np.column_stack([m.lb, m.ub])[columns],
        np.asarray(m.vtypes)[columns] == "I",
        np.asarray(m.vlabels)[columns],
        np.asarray(m.clabels)[rows],
        -1.0 if model.objective.sense == "max" else 1.0,
        scenarios,
    )


def _scenario_of(labels: dict, order: np.ndarray) -> np.ndarray:
    """Return the number of the scenario that each label belongs to, in an order of labels."""
    found = np.full(max(int(a.max()) for a in labels.values()) + 1, -1)
    for array in labels.values():
        values = array.transpose("scenario", ...).to_numpy()
        values = values.reshape(values.shape[0], -1)
        found[values[values >= 0]] = np.broadcast_to(np.arange(len(values))[:, None], values.shape)[values >= 0]
    return found[order]


def run(blocks: Blocks, integer: bool) -> Found:
    """Return the solutions, block by block; a block in which a scenario cannot be solved is taken apart."""
    n = blocks.scenarios
    columns, rows = len(blocks.columns) // n, len(blocks.rows) // n
    size = 1 if integer else BLOCK

    def work(span: tuple[int, int]) -> list[tuple]:
        first, last = span
        answer = _highs(blocks, first, last, columns, rows, integer)
        if answer is not None:
            return [(first, last, *answer)]
        if last - first == 1:
            return [(first, last, None, None, np.nan)]
        middle = (first + last) // 2
        return [*work((first, middle)), *work((middle, last))]

    spans = [(first, min(first + size, n)) for first in range(0, n, size)]
    values, duals = np.full(len(blocks.columns), np.nan), np.full(len(blocks.rows), np.nan)
    bound, solved = np.full(n, np.nan), np.zeros(n, dtype=bool)
    for span in spans:
        for first, last, value, dual, best in work(span):
            if value is not None:
                values[first * columns : last * columns], duals[first * rows : last * rows] = value, dual
                solved[first:last], bound[first:last] = True, best
    objective = (values * blocks.cost).reshape(n, columns).sum(axis=1)
    bound = np.where(np.isnan(bound), objective, bound) if integer else objective
    return Found(pd.Series(values, blocks.columns), pd.Series(duals, blocks.rows), objective, bound, solved)


_greeted: list[bool] = []


def _solver() -> highspy.Highs:
    """Return a solver that says nothing. The first of a process prints its license from C, past every option."""
    if _greeted:
        solver = highspy.Highs()
    else:
        sys.stdout.flush()
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        try:
            solver = highspy.Highs()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)
        _greeted.append(True)
    solver.setOptionValue("output_flag", False)
    return solver


def _highs(blocks: Blocks, first: int, last: int, columns: int, rows: int, integer: bool) -> tuple | None:
    """Return values, duals and bound of some scenarios; None where they have no solution.

    Raises
    ------
    RuntimeError
        Where HiGHS ends in any other way.
    """
    c, r = slice(first * columns, last * columns), slice(first * rows, last * rows)
    a, start = blocks.matrix, blocks.matrix.indptr[first * rows : last * rows + 1]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = (last - first) * columns, (last - first) * rows
    scale = blocks.sense
    lp.col_cost_ = scale * blocks.cost[c]
    lp.col_lower_, lp.col_upper_ = blocks.column_bounds[c, 0], blocks.column_bounds[c, 1]
    lp.row_lower_, lp.row_upper_ = blocks.low[r], blocks.high[r]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = start - start[0]
    lp.a_matrix_.index_ = a.indices[start[0] : start[-1]] - first * columns
    lp.a_matrix_.value_ = a.data[start[0] : start[-1]]
    if integer:
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in blocks.whole[c]]
    solver = _solver()
    solver.setOptionValue("threads", 1)
    if integer:
        solver.setOptionValue("mip_rel_gap", 1e-6)
    else:
        solver.setOptionValue("solver", "simplex")
        solver.setOptionValue("presolve", "off")
        solver.setOptionValue("simplex_dual_edge_weight_strategy", 1)  # Devex: blocks are too small for steepest edge
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    known = highspy.HighsModelStatus
    if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
        return None
    if status != known.kOptimal:
        raise RuntimeError(f"HiGHS ended with {solver.modelStatusToString(status)!r} instead of an optimum")
    solution = solver.getSolution()
    dual = np.asarray(solution.row_dual) * scale if not integer else np.full(lp.num_row_, np.nan)
    best = scale * solver.getInfo().mip_dual_bound if integer else np.nan
    return np.asarray(solution.col_value), dual, best


def read(asked: Problem, blocks: Blocks, found: Found) -> Mix:
    """Return the mix behind a solution, with totals and use of limits computed from the inputs."""
    from gigafleet.fleet import OBJECTIVES, Mix

    p, model = asked, blocks.model

    def of(array: xr.DataArray, series: pd.Series) -> xr.DataArray:
        values = series.reindex(array.to_numpy().ravel()).to_numpy().reshape(array.shape)
        return xr.DataArray(values, coords=array.coords, dims=array.dims)

    x = of(model.variables["x"].labels, found.values).clip(min=0)
    scenario = {"scenario": p.scenarios}
    status = xr.DataArray(np.where(found.solved, "optimal", "infeasible"), coords=scenario, dims="scenario")
    racks = of(model.variables["racks"].labels, found.values).round() if p.rack_size is not None else None
    rest = [d for d in x.dims if d != "scenario"]
    owned = x.sum("workload", skipna=False) if racks is None else racks * p.rack_size
    each = [d for d in owned.dims if d != "scenario"]

    def held(amount: xr.DataArray, keep: tuple = ()) -> xr.DataArray:
        if racks is None:
            return (x * amount).sum([d for d in rest if d not in keep], skipna=False)
        most = amount.max("workload") if "workload" in amount.dims else amount
        return (owned * most).sum([d for d in each if d not in keep], skipna=False)

    work = (x * p.throughput.fillna(0)).sum([d for d in rest if d != "workload"], skipna=False)
    totals = xr.Dataset(
        {
            "energy": (x * p.power_kw).sum(rest, skipna=False),
            "cost": held(p.cost_usd_per_h),
            "carbon": (x * p.power_kw * p.carbon_kg_per_kwh).sum(rest, skipna=False),
            "power": held(p.provisioned_kw),
        }
    )
    if p.price_usd is not None:
        totals["capital"] = (owned * p.price_usd).sum(each, skipna=False)
    for name, unit in {**OBJECTIVES, "power": "kW", "capital": "USD"}.items():
        if name in totals:
            totals[name].attrs["units"] = unit
    use = {}
    target = p.demand
    if p.objective == "work":
        target = p.demand * xr.DataArray(found.objective, coords=scenario, dims="scenario")
    use["demand"] = xr.where(target > 0, work / target, np.inf).where(status == "optimal")
    if p.power_cap_kw is not None:
        use["power"] = _over(
            held(p.provisioned_kw, ("region",) if "region" in p.power_cap_kw.dims else ()), p.power_cap_kw
        )
    if p.supply is not None:
        places = [d for d in ("region",) if d in owned.dims and d not in p.supply.dims]
        use["supply"] = _over(owned.sum(places, skipna=False), p.supply)
    if p.budget_usd is not None:
        use["budget"] = _over(totals["capital"], p.budget_usd)
    for name, cap in p.limits.items():
        use[f"limit_{name}"] = _over(totals[name], cap)
    prices = xr.Dataset()
    if racks is None:
        units = {"demand": "token/s", "power": "kW", "supply": "accelerator", "budget": "USD"}
        for name, unit in units.items():
            if name in model.constraints:
                prices[name] = of(model.constraints[name].labels, found.duals)
                prices[name].attrs["units"] = f"{OBJECTIVES[p.objective]} per {unit}"
    value = xr.DataArray(found.objective, coords=scenario, dims="scenario", attrs={"units": OBJECTIVES[p.objective]})
    bound = value.copy(data=found.bound)
    gap = abs(value - bound) / abs(value).where(value != 0, 1)
    return Mix(x, value, bound, gap, prices, totals, xr.Dataset(use), status, racks)


def _over(used: xr.DataArray, limit: xr.DataArray) -> xr.DataArray:
    """Return use over limit; a limit of zero that is kept counts as fully used only if something is used."""
    small = 1e-9
    return xr.where(limit > 0, used / limit.where(limit > 0, 1), xr.where(used > small, np.inf, 0.0)).where(
        used.notnull()
    )
