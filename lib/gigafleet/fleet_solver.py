"""From the inputs of a fleet mix to a linear program in linopy, to HiGHS in blocks of scenarios, and back."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import highspy
import linopy
import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr

from gigafleet.fleet_problem import Problem

BLOCK = 60  # scenarios that HiGHS gets at once; larger blocks cost it more than their share
FEASIBLE = 1e-9  # share of the demand that may be missing where it must not
INFEASIBLE, ENDLESS = "infeasible", "without a bound"
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
    endless: np.ndarray  # scenarios whose objective has no bound


class _Fleet:
    """The variables of a model, and the sums over a fleet that its constraints and objectives are made of."""

    def __init__(self, asked: Problem, relax: tuple[str, ...]):
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
        kinds = pd.Index(relax, name="kind")
        self.give = self.model.add_variables(lower=0, coords=[asked.scenarios, kinds], name="give") if relax else None
        self.can = can
        self.owned = self.x.sum("workload")
        self.racks = None
        if asked.rack_size is not None:
            by = [dim for dim in self.dims if dim != "workload"]
            whole = {"coords": {dim: axes[dim] for dim in by}, "dims": by, "integer": True}
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
        return (self.owned * at_most(amount, self.can)).sum(
            [dim for dim in self.dims if dim not in ("scenario", "workload", *keep)]
        )

    def total(self, name: str):
        """Return a total that may be least or limited: energy, cost or carbon."""
        p = self.asked
        if name == "cost":
            return self.held(p.cost_usd_per_h)
        return self.working(p.power_kw if name == "energy" else p.power_kw * p.carbon_kg_per_kwh)

    def less(self, kind: str, limit: xr.DataArray):
        """Return what a limit may give: 0 unless it is relaxed; a share of it if several are."""
        if kind not in self.relax:
            return 0
        give = self.give.sel(kind=kind, drop=True)
        return give if len(self.relax) == 1 else give * limit.where(np.isfinite(limit), 0)


def at_most(amount: xr.DataArray, can: xr.DataArray) -> xr.DataArray:
    """Return the largest of an accelerator's amounts over the work that it can do."""
    if "workload" not in amount.dims:
        return amount
    return amount.where(can).max("workload").fillna(0)


def build(asked: Problem, relax: tuple[str, ...] = ()) -> Blocks:
    """Return the model of a problem. ``relax`` names limits that may give instead: then the objective is by how much,
    in the unit of the limit if it is one, in shares of each if they are several."""
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
    if p.objective == "work" and not fleet.relax:
        level = model.add_variables(lower=0, coords=[p.scenarios], name="level")
        model.add_constraints(fleet.work - p.demand * level >= 0, name="demand")
        return level
    asked = (0.0 if p.objective == "work" else 1.0) * p.demand * fleet.each
    gives = p.demand * fleet.give.sel(kind="demand", drop=True) if "demand" in fleet.relax else 0
    model.add_constraints(fleet.work + gives >= asked, name="demand")
    return None


def _limits(fleet: _Fleet) -> None:
    """Add the limits on power, supply, capital and totals."""
    p, model, each = fleet.asked, fleet.model, fleet.each
    if p.power_cap_kw is not None:
        used = fleet.held(p.provisioned_kw, *(dim for dim in fleet.places if dim in p.power_cap_kw.dims))
        cap = p.power_cap_kw * each
        model.add_constraints(used - fleet.less("power", cap) <= cap, name="power")
    if p.supply is not None:
        places = [dim for dim in fleet.places if dim not in p.supply.dims]
        taken, limit = (fleet.owned.sum(places) if places else 1 * fleet.owned), p.supply * each
        if "supply" in fleet.relax:
            axes = {dim: limit.coords[dim] for dim in ("scenario", "accelerator")}
            more = model.add_variables(lower=0, coords=axes, dims=list(axes), name="more")
            whole = limit.where(np.isfinite(limit), 0).sum("accelerator")
            model.add_constraints(more.sum("accelerator") - fleet.less("supply", whole) <= 0, name="more")
            taken = taken - more
        model.add_constraints(taken <= limit, name="supply")
    if p.budget_usd is not None:
        spent = fleet.held(p.price_usd)
        cap = p.budget_usd * each
        model.add_constraints(spent - fleet.less("budget", cap) <= cap, name="budget")
    for name, limit in p.limits.items():
        cap = limit * each
        model.add_constraints(fleet.total(name) - fleet.less(f"limit_{name}", cap) <= cap, name=f"limit {name}")


def _shape(fleet: _Fleet) -> None:
    """Add what the mix must look like: work in balance, least shares of accelerators."""
    p, model = fleet.asked, fleet.model
    for (one, other), ratio in p.balance.items():
        done = fleet.work.sel(workload=one, drop=True) - ratio * fleet.work.sel(workload=other, drop=True)
        model.add_constraints(done == 0 * fleet.each, name=f"balance {one} {other}")
    if p.least_shares is not None:
        whole, part = fleet.held(p.provisioned_kw), fleet.held(p.provisioned_kw, "accelerator")
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


def with_less_demand(blocks: Blocks, demand: xr.DataArray) -> Blocks:
    """Return the model of :func:`build` with a demand that may give, and the share of it that does as the objective:
    what ``build(asked, ("demand",))`` gives, without building anew.

    Parameters
    ----------
    blocks
        From :func:`build`, for an objective other than the most work.
    demand
        That of the problem, with a dim ``workload``. [tokens/s]
    """
    n, rows, old = blocks.scenarios, len(blocks.rows), len(blocks.columns) // blocks.scenarios
    labels = blocks.model.constraints["demand"].labels
    given = demand.broadcast_like(labels).transpose(*labels.dims).to_numpy().ravel()
    places = pd.Index(blocks.rows).get_indexer(labels.to_numpy().ravel())
    of = places // (rows // n)  # the scenario of each row
    wide = sp.coo_matrix(blocks.matrix)
    data = np.r_[wide.data, given]
    at = np.r_[wide.row, places], np.r_[wide.col + wide.col // old, of * (old + 1) + old]
    after = np.arange(1, n + 1) * old  # one column more for each scenario
    return replace(
        blocks,
        matrix=sp.csr_matrix((data, at), (rows, n * (old + 1))),
        cost=np.tile(np.r_[np.zeros(old), 1.0], n),
        column_bounds=np.insert(blocks.column_bounds, after, [0, np.inf], axis=0),
        whole=np.insert(blocks.whole, after, False),
        columns=np.insert(blocks.columns, after, -1),
    )


def _scenario_of(labels: dict, order: np.ndarray) -> np.ndarray:
    """Return the number of the scenario that each label belongs to, in an order of labels."""
    found = np.full(max(int(a.max()) for a in labels.values()) + 1, -1)
    for array in labels.values():
        values = array.transpose("scenario", ...).to_numpy() if "scenario" in array.dims else array.to_numpy()[None]
        values = values.reshape(values.shape[0], -1)
        found[values[values >= 0]] = np.broadcast_to(np.arange(len(values))[:, None], values.shape)[values >= 0]
    return found[order]


def run(blocks: Blocks, integer: bool, elastic: Callable[[], Blocks] | None = None, block: int = BLOCK) -> Found:
    """Return the solutions, block by block.

    Parameters
    ----------
    blocks
        From :func:`build` or :func:`ordered`.
    integer
        Whether some variables are whole; scenarios are solved one by one then.
    elastic
        Returns the same model with a demand that may give. It tells the scenarios of a block that cannot be solved
        from the others; without it the block is halved until they are found.
    block
        Scenarios that HiGHS gets at once.
    """
    n, kept = blocks.scenarios, {}
    columns, rows = len(blocks.columns) // n, len(blocks.rows) // n

    def can(some: np.ndarray) -> np.ndarray:
        if "elastic" not in kept:
            kept["elastic"] = elastic()
        soft = kept["elastic"]
        answer = _highs(soft, some, integer)
        if isinstance(answer, str):
            return np.ones(len(some), dtype=bool)
        each = len(soft.columns) // n
        places = (some[:, None] * each + np.arange(each)).ravel()
        return (answer[0] * soft.cost[places]).reshape(len(some), -1).sum(axis=1) <= FEASIBLE

    def work(some: np.ndarray) -> list[tuple]:
        answer = _highs(blocks, some, integer)
        if not isinstance(answer, str):
            return [(some, *answer)]
        if len(some) == 1:
            return [(some, answer)]
        if elastic is not None and answer == INFEASIBLE:
            good = can(some)
            if not good.all():
                return [(some[~good], INFEASIBLE), *(work(some[good]) if good.any() else [])]
        middle = len(some) // 2
        return [*work(some[:middle]), *work(some[middle:])]

    values, duals = np.full((n, columns), np.nan), np.full((n, rows), np.nan)
    bound, solved, endless = np.full(n, np.nan), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    size = 1 if integer else block
    for first in range(0, n, size):
        for some, *answer in work(np.arange(first, min(first + size, n))):
            if isinstance(answer[0], str):
                endless[some] = answer[0] == ENDLESS
                continue
            values[some], duals[some] = answer[0].reshape(len(some), -1), answer[1].reshape(len(some), -1)
            solved[some], bound[some] = True, answer[2]
    objective = (values * blocks.cost.reshape(n, columns)).sum(axis=1)
    bound = np.where(np.isnan(bound), objective, bound) if integer else objective
    found = pd.Series(values.ravel(), blocks.columns), pd.Series(duals.ravel(), blocks.rows)
    return Found(*found, objective, bound, solved, endless)


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


def _part(blocks: Blocks, some: np.ndarray) -> tuple[highspy.HighsLp, np.ndarray]:
    """Return the program of some scenarios, and the places of its columns in the whole."""
    n = blocks.scenarios
    columns, rows = len(blocks.columns) // n, len(blocks.rows) // n
    c = (some[:, None] * columns + np.arange(columns)).ravel()
    r = (some[:, None] * rows + np.arange(rows)).ravel()
    a = blocks.matrix[r]
    shift = np.repeat(np.repeat((some - np.arange(len(some))) * columns, rows), np.diff(a.indptr))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(c), len(r)
    lp.col_cost_ = blocks.sense * blocks.cost[c]
    lp.col_lower_, lp.col_upper_ = blocks.column_bounds[c, 0], blocks.column_bounds[c, 1]
    lp.row_lower_, lp.row_upper_ = blocks.low[r], blocks.high[r]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = a.indptr, a.indices - shift, a.data
    return lp, c


def _highs(blocks: Blocks, some: np.ndarray, integer: bool) -> tuple | str:
    """Return values, duals and bound of some scenarios; :data:`INFEASIBLE` or :data:`ENDLESS` where one of them has no
    solution.

    Raises
    ------
    RuntimeError
        Where HiGHS ends in any other way.
    """
    lp, places = _part(blocks, some)
    if integer:
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in blocks.whole[places]]
    solver = _solver()
    solver.setOptionValue("threads", 1)
    if integer:
        solver.setOptionValue("mip_rel_gap", 1e-6)
    elif len(blocks.columns) // blocks.scenarios < LARGE:
        solver.setOptionValue("solver", "simplex")
        solver.setOptionValue("presolve", "off")
        solver.setOptionValue("simplex_dual_edge_weight_strategy", 1)  # Devex: blocks are too small for steepest edge
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    known = highspy.HighsModelStatus
    if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
        return INFEASIBLE
    if status == known.kUnbounded:
        return ENDLESS
    if status != known.kOptimal:
        raise RuntimeError(f"HiGHS ended with {solver.modelStatusToString(status)!r} instead of an optimum")
    solution = solver.getSolution()
    dual = np.asarray(solution.row_dual) * blocks.sense if not integer else np.full(lp.num_row_, np.nan)
    best = blocks.sense * solver.getInfo().mip_dual_bound if integer else np.nan
    return np.asarray(solution.col_value), dual, best
