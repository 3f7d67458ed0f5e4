"""From the inputs of a fleet mix to a linear program in linopy, to HiGHS in blocks of scenarios, and back."""

import os
import sys
from dataclasses import dataclass

import highspy
import linopy
import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr

from gigafleet.fleet_problem import Problem

BLOCK = 60  # scenarios that HiGHS gets at once; larger blocks cost it more than their share
LARGE = 3000  # columns of one scenario from which on HiGHS chooses its own way


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


class _Fleet:
    """The variables of a model, and the sums over a fleet that its constraints and objectives are made of."""

    def __init__(self, asked: Problem, relax: str | None):
        rate = asked.throughput
        self.asked, self.relax, self.model = asked, relax, linopy.Model()
        axes = {"scenario": asked.scenarios}
        axes |= {} if asked.regions is None else {"region": asked.regions}
        axes |= {dim: rate.indexes[dim] for dim in ("accelerator", "workload")}
        self.dims, self.places = list(axes), [dim for dim in ("region",) if dim in axes]
        shape = xr.DataArray(np.zeros([len(axis) for axis in axes.values()]), coords=axes, dims=self.dims)
        can = (rate.notnull() & (rate > 0)).broadcast_like(shape).transpose(*self.dims)
        bounds = {"lower": 0, "upper": xr.where(can, np.inf, 0.0)}
        self.x = self.model.add_variables(**bounds, coords=shape.coords, dims=self.dims, name="x")
        self.each = xr.DataArray(np.ones(len(asked.scenarios)), coords={"scenario": asked.scenarios}, dims="scenario")
        self.work = (self.x * rate.fillna(0)).sum(["accelerator", *self.places])
        self.give = self.model.add_variables(lower=0, coords=[asked.scenarios], name="give") if relax else None
        self.owned = self.x.sum("workload")
        self.racks = None
        if asked.rack_size is not None:
            by = [dim for dim in self.dims if dim != "workload"]
            whole = {"coords": {dim: axes[dim] for dim in by}, "dims": by, "integer": relax is None}
            self.racks = self.model.add_variables(lower=0, name="racks", **whole)
            self.model.add_constraints(self.owned - self.racks * asked.rack_size <= 0, name="racks")
            self.owned = self.racks * asked.rack_size

    def working(self, amount: xr.DataArray, *keep: str):
        """Return the sum of an amount over what works."""
        return (self.x * amount).sum([dim for dim in self.dims if dim not in ("scenario", *keep)])

    def held(self, amount: xr.DataArray, *keep: str):
        """Return the sum of an amount over what is owned: whole racks, if they are asked for."""
        if self.racks is None:
            return self.working(amount, *keep)
        most = amount.max("workload") if "workload" in amount.dims else amount
        return (self.owned * most).sum([dim for dim in self.dims if dim not in ("scenario", "workload", *keep)])

    def total(self, name: str):
        """Return a total that may be least or limited: energy, cost or carbon."""
        p = self.asked
        if name == "cost":
            return self.held(p.cost_usd_per_h)
        return self.working(p.power_kw if name == "energy" else p.power_kw * p.carbon_kg_per_kwh)

    def less(self, kind: str):
        """Return what a limit may give, 0 unless it is the one that is relaxed."""
        return self.give if self.relax == kind else 0


def build(asked: Problem, relax: str | None = None) -> Blocks:
    """Return the model of a problem. ``relax`` names a limit that may give instead, at least cost: then the objective
    is by how much."""
    fleet = _Fleet(asked, relax)
    level = _demand(fleet)
    _limits(fleet)
    _shape(fleet)
    if relax:
        fleet.model.add_objective((fleet.give * fleet.each).sum())
    elif level is not None:
        fleet.model.add_objective((level * fleet.each).sum(), sense="max")
    else:
        fleet.model.add_objective(fleet.total(asked.objective).sum())
    return ordered(fleet.model, len(asked.scenarios))


def _demand(fleet: _Fleet):
    """Add that the work is done; return the multiple of the mix that is done, where the most work is asked for."""
    p, model = fleet.asked, fleet.model
    if p.objective == "work" and fleet.relax is None:
        level = model.add_variables(lower=0, coords=[p.scenarios], name="level")
        model.add_constraints(fleet.work - p.demand * level >= 0, name="demand")
        return level
    asked = (0.0 if p.objective == "work" else 1.0) * p.demand * fleet.each
    gives = p.demand * fleet.give if fleet.relax == "demand" else 0
    model.add_constraints(fleet.work + gives >= asked, name="demand")
    return None


def _limits(fleet: _Fleet) -> None:
    """Add the limits on power, supply, capital and totals."""
    p, model, each = fleet.asked, fleet.model, fleet.each
    if p.power_cap_kw is not None:
        used = fleet.held(p.provisioned_kw, *(dim for dim in fleet.places if dim in p.power_cap_kw.dims))
        model.add_constraints(used - fleet.less("power") <= p.power_cap_kw * each, name="power")
    if p.supply is not None:
        places = [dim for dim in fleet.places if dim not in p.supply.dims]
        taken, limit = (fleet.owned.sum(places) if places else 1 * fleet.owned), p.supply * each
        if fleet.relax == "supply":
            axes = {dim: limit.coords[dim] for dim in ("scenario", "accelerator")}
            more = model.add_variables(lower=0, coords=axes, dims=list(axes), name="more")
            model.add_constraints(more.sum("accelerator") - fleet.give <= 0, name="more")
            taken = taken - more
        model.add_constraints(taken <= limit, name="supply")
    if p.budget_usd is not None:
        spent = fleet.held(p.price_usd)
        model.add_constraints(spent - fleet.less("budget") <= p.budget_usd * each, name="budget")
    for name, cap in p.limits.items():
        model.add_constraints(fleet.total(name) <= cap * each, name=f"limit {name}")


def _shape(fleet: _Fleet) -> None:
    """Add what the mix must look like: work in balance, least shares of accelerators."""
    p, model = fleet.asked, fleet.model
    for (one, other), ratio in p.balance.items():
        done = fleet.work.sel(workload=one, drop=True) - ratio * fleet.work.sel(workload=other, drop=True)
        model.add_constraints(done == 0 * fleet.each, name=f"balance {one} {other}")
    if p.least_shares is not None:
        whole, part = fleet.working(p.provisioned_kw), fleet.working(p.provisioned_kw, "accelerator")
        share = (part if p.members is None else (part * p.members).sum("accelerator")) - whole * p.least_shares
        model.add_constraints(share >= 0, name="least shares")


def ordered(model: linopy.Model, scenarios: int = 1) -> Blocks:
    """Return a model's matrix with rows and columns in the order of its scenarios; a model of one need not name it."""
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
        values = array.transpose("scenario", ...).to_numpy() if "scenario" in array.dims else array.to_numpy()[None]
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
    elif columns < LARGE:
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
