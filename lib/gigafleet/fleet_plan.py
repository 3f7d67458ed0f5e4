"""Which generation to buy when: a linear program over quarters, on the inputs of a fleet mix.

What is bought in a quarter works from that quarter on, for the whole quarters of its life. Each quarter and region has
a mix of its own; purchases tie them together, and milestones say how much must have been bought by when. Scenarios,
such as draws of the inputs, are plans of their own that are solved in one call.
"""

from dataclasses import dataclass

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import fleet_solver
from gigafleet.errors import require_whole, unknown
from gigafleet.fleet_problem import BOTH, InfeasibleError, aligned, indexes, labeled, rates
from gigafleet.fleet_results import behind, over
from gigafleet.power import HOURS_PER_YEAR

HOURS = HOURS_PER_YEAR / 4
OBJECTIVES = {"cost": "USD", "energy": "MWh", "carbon": "t"}
TOLERANCE = 1e-6
BESIDE = ("scenario", "quarter", "region")
# Input -> its dimensions beside scenario, quarter and region, its bounds, and what stands where it is not given.
ARRAYS = {
    "power_kw": (BOTH, {"minimum": 0}, None),
    "demand": (("workload",), {"minimum": 0}, None),
    "price_usd": (("accelerator",), {"minimum": 0}, 0.0),
    "upkeep_usd_per_h": (("accelerator",), {"minimum": 0}, 0.0),
    "usd_per_mwh": ((), {"minimum": 0}, 0.0),
    "carbon_kg_per_kwh": ((), {"minimum": 0}, 0.0),
    "provisioned_kw": (("accelerator",), {"above": 0}, None),
    "counted_kw": (("accelerator",), {"minimum": 0}, None),
    "supply": (("accelerator",), {"minimum": 0, "finite": False}, None),
    "site_kw": ((), {"minimum": 0, "finite": False}, None),
    "budget_usd": ((), {"minimum": 0, "finite": False}, None),
    "milestones_kw": ((), {"minimum": 0}, None),
    "owned": (("accelerator",), {"minimum": 0}, 0.0),
}
# Limit -> unit of what it would have to give, and of the shadow price's denominator.
GIVES = {"demand": "share", "supply": "accelerators", "site": "kW", "milestones": "kW", "budget": "USD"}
INPUT_OF = {"site": "site_kw", "milestones": "milestones_kw", "budget": "budget_usd"}
AT_LEAST = ("demand", "milestones")
UNITS = {"demand": "token/s", "supply": "accelerator", "site": "kW", "milestones": "kW", "budget": "USD"}


@dataclass(frozen=True)
class Plan:
    """The best plan of purchases; all by scenario where inputs are, and NaN in one without a plan.

    Attributes
    ----------
    purchases, retired, in_service
        Accelerators, dims quarter, (region,) accelerator; bought and retired at the start of a quarter.
    assignment
        Accelerators at work, dims quarter, (region,) accelerator, workload.
    objective
        Value in the unit of its ``units`` attribute; of cost, discounted and less what is left at the end.
    totals
        By quarter: ``capital``, ``upkeep``, ``energy_cost`` [USD], ``energy`` [MWh], ``carbon`` [t], ``power``
        (provisioned) [kW], ``milestone_power`` (bought so far, as the contract counts it) [kW].
    residual
        What is left of the purchases after the last quarter, straight line, not discounted. [USD]
    shadow_prices
        What the objective rises by with one more unit of ``demand``, ``supply``, ``site``, ``milestones``, ``budget``.
    utilization
        Use over limit of the same; of ``demand`` and ``milestones``, what is done over what is asked.
    status
        ``optimal`` or ``infeasible``.
    """

    purchases: xr.DataArray
    retired: xr.DataArray
    in_service: xr.DataArray
    assignment: xr.DataArray
    objective: xr.DataArray
    totals: xr.Dataset
    residual: xr.DataArray
    shadow_prices: xr.Dataset
    utilization: xr.Dataset
    status: xr.DataArray


class _Model:
    """The inputs of a plan and its linear program."""

    def __init__(self, throughput, life_quarters, objective: str, rate, given: dict):
        if objective not in OBJECTIVES:
            raise unknown("objective", objective, OBJECTIVES)
        for name in given:
            if name not in ARRAYS:
                raise unknown("input of a plan", name, [*ARRAYS, "life_quarters", "objective", "rate"])
        self.objective, self.rate = objective, rates(throughput)
        self.p = {}
        for name, (dims, bounds, start) in ARRAYS.items():
            value = given.get(name)
            value = labeled(name, start if value is None else value, *dims, beside=BESIDE, **bounds)
            self.p[name] = aligned(name, value, self.rate)
        rate = labeled("rate", rate, beside=("scenario",), minimum=0, maximum=1)
        life = labeled("life_quarters", life_quarters, "accelerator", beside=("scenario",), minimum=1)
        for name, value in (("rate", rate), ("life_quarters", life)):
            if value is None:
                raise ValueError(f"a plan needs {name}")
        for quarters in life.to_numpy().ravel():
            require_whole("life_quarters", quarters, minimum=1)
        life = aligned("life_quarters", life, self.rate)
        self._check()
        axes = indexes([self.rate, *self.p.values(), rate, life], *BESIDE)
        self.axes = {name: axes[name] for name in BESIDE if name in axes}
        self.axes |= {dim: self.rate.indexes[dim] for dim in BOTH}
        self.quarters, self.places = axes["quarter"], [dim for dim in ("region",) if dim in axes]
        self.draws = [dim for dim in ("scenario",) if dim in axes]
        if self.places and "region" not in self.p["owned"].dims and bool((self.p["owned"] > 0).any()):
            raise ValueError("owned needs the dimension region, as the accelerators stand somewhere")
        self.life = life * xr.ones_like(self._over("accelerator"))
        self.alive, self.left = self._ages()
        years = xr.DataArray(np.arange(len(self.quarters)) / 4, {"quarter": self.quarters}, "quarter")
        self.discount = (1 + rate) ** -years
        self.end_discount = (1 + rate) ** -(len(self.quarters) / 4)

    def _check(self) -> None:
        p = self.p
        if p["demand"] is None or {"workload", "quarter"} - set(p["demand"].dims):
            raise ValueError("demand needs the dimensions quarter and workload")
        if "region" in p["demand"].dims:
            raise ValueError("demand is that of all regions together and has no dimension region")
        if p["power_kw"] is None:
            raise ValueError("a plan needs power_kw")
        for name in ("site_kw", "milestones_kw"):
            if p[name] is not None and p["provisioned_kw"] is None:
                raise ValueError(f"{name} needs provisioned_kw")
        if p["counted_kw"] is None:
            p["counted_kw"] = p["provisioned_kw"]
        for name in ("milestones_kw", "budget_usd", "supply"):
            if p[name] is not None and "region" in p[name].dims:
                raise ValueError(f"{name} is that of all regions together and has no dimension region")

    def _over(self, *dims: str) -> xr.DataArray:
        """Return zeros over some of the dimensions, and over scenarios if there are any."""
        axes = {dim: self.axes[dim] for dim in (*self.draws, *dims)}
        return xr.DataArray(np.zeros([len(axis) for axis in axes.values()]), coords=axes, dims=list(axes))

    def _ages(self) -> tuple[xr.DataArray, xr.DataArray]:
        """Return whether a purchase of one quarter works in another, and the share of its life left after the last."""
        number = xr.DataArray(np.arange(len(self.quarters)), {"quarter": self.quarters}, "quarter")
        age = number - number.rename(quarter="bought")
        alive = ((age >= 0) & (age < self.life)).astype(float)
        left = (self.life - (len(number) - number)).clip(min=0) / self.life
        return alive, left

    def build(self, relax: str | None = None) -> linopy.Model:
        """Return the program; ``relax`` names a limit that may give, and the objective is then by how much."""
        p, model, zeros = self.p, linopy.Model(), self._over("quarter", *self.places, "accelerator")
        can = (self.rate.notnull() & (self.rate > 0)).broadcast_like(zeros * self._over("workload"))
        upper = xr.where(can.transpose(*zeros.dims, "workload"), np.inf, 0.0)
        run = model.add_variables(0, upper, name="run")
        buy, stock = (model.add_variables(0, coords=zeros.coords, dims=zeros.dims, name=n) for n in ("buy", "stock"))
        give = model.add_variables(0, name="give") if relax else None
        bought = (buy.rename(quarter="bought") * self.alive).sum("bought")
        model.add_constraints(stock - bought == p["owned"] + zeros, name="stock")
        model.add_constraints(run.sum("workload") - stock <= zeros, name="assigned")
        work = (run * self.rate.fillna(0)).sum([*self.places, "accelerator"])
        gives = p["demand"] * give if relax == "demand" else 0
        model.add_constraints(work + gives >= p["demand"] + self._over("quarter", "workload"), name="demand")
        for name, (used, limit) in self._limits(buy, stock).items():
            if relax == name:
                used = used + give if name == "milestones" else used - give
            model.add_constraints(used >= limit if name == "milestones" else used <= limit, name=name)
        model.add_objective(1 * give if relax else self._aim(run, buy, stock).sum())
        return model

    def solve(self, model: linopy.Model) -> fleet_solver.Found:
        """Return the solutions of a program, scenario by scenario."""
        scenarios = self.axes["scenario"].size if self.draws else 1
        return fleet_solver.run(fleet_solver.ordered(model, scenarios), integer=False, block=1)

    def by_scenario(self, values: np.ndarray) -> xr.DataArray:
        """Return values of the scenarios with their labels, one value without a dimension if there are none."""
        return xr.DataArray(values if self.draws else values[0], {d: self.axes[d] for d in self.draws}, self.draws)

    def whole(self, table):
        """Return the sum of a table, or expression, over all dimensions but scenarios."""
        return table.sum([dim for dim in table.dims if dim in self.axes and dim != "scenario"])

    def _limits(self, buy, stock) -> dict[str, tuple]:
        """Return what is used of every limit, and the limit."""
        p, every, found = self.p, [*self.places, "accelerator"], {}
        if p["supply"] is not None:
            taken = buy.sum(self.places) if self.places else 1 * buy
            found["supply"] = (taken, p["supply"] + self._over("quarter", "accelerator"))
        if p["site_kw"] is not None:
            limit = p["site_kw"] + self._over("quarter")
            used = (stock * p["provisioned_kw"]).sum([dim for dim in every if dim not in limit.dims])
            found["site"] = (used, limit)
        if p["milestones_kw"] is not None:
            so_far = np.tri(len(self.quarters))
            so_far = xr.DataArray(so_far, {"quarter": self.quarters, "bought": self.quarters}, ("quarter", "bought"))
            counted = (buy * p["counted_kw"]).sum(every).rename(quarter="bought")
            found["milestones"] = ((counted * so_far).sum("bought"), p["milestones_kw"] + self._over("quarter"))
        if p["budget_usd"] is not None:
            found["budget"] = ((buy * p["price_usd"]).sum(every), p["budget_usd"] + self._over("quarter"))
        return found

    def _aim(self, run, buy, stock, objective: str | None = None):
        """Return an objective, the one asked for if none is named, by scenario as an expression."""
        p, objective = self.p, objective or self.objective
        mwh = p["power_kw"] * HOURS / 1000
        if objective == "energy":
            return self.whole(run * mwh)
        if objective == "carbon":
            return self.whole(run * (mwh * p["carbon_kg_per_kwh"]))
        price = p["price_usd"] * (self.discount - self.left * self.end_discount)
        held = p["upkeep_usd_per_h"] * HOURS * self.discount
        energy = run * (mwh * p["usd_per_mwh"] * self.discount)
        return self.whole(energy) + self.whole(buy * price) + self.whole(stock * held)

    def cheapest(self, model: linopy.Model, found: fleet_solver.Found) -> fleet_solver.Found:
        """Return, of all plans as good as the one found, that of least cost."""
        of = [model.variables[name] for name in ("run", "buy", "stock")]
        least = self.by_scenario(np.nan_to_num(found.objective))
        model.add_constraints(self._aim(*of) <= least + 1e-9 * abs(least), name="as good")
        model.add_objective(self._aim(*of, "cost").sum(), overwrite=True)
        return self.solve(model)

    def read(self, model: linopy.Model, values: pd.Series, duals: pd.Series, solved: xr.DataArray) -> Plan:
        """Return the plan behind a solution, with what follows from purchases and assignment computed anew."""
        run, buy = (behind(model.variables[n].labels, values).clip(min=0) for n in ("run", "buy"))
        stock = (buy.rename(quarter="bought") * self.alive).sum("bought") + self.p["owned"]
        stock = stock.transpose(*buy.dims).where(solved)
        before = stock.shift(quarter=1)
        before[{"quarter": 0}] = (self.p["owned"] + xr.zeros_like(stock)).isel(quarter=0)
        totals, residual = self._totals(run, buy, stock)
        spent = (totals["capital"] + totals["upkeep"] + totals["energy_cost"]) * self.discount
        value = {
            "cost": self.whole(spent) - residual * self.end_discount,
            "energy": self.whole(totals["energy"]),
            "carbon": self.whole(totals["carbon"]),
        }[self.objective]
        unit = OBJECTIVES[self.objective]
        prices = {name: behind(model.constraints[name].labels, duals) for name in self.limited()}
        return Plan(
            purchases=buy,
            retired=before + buy - stock,
            in_service=stock,
            assignment=run,
            objective=value.where(solved).assign_attrs(units=unit),
            totals=totals.where(solved),
            residual=residual.where(solved).assign_attrs(units="USD"),
            shadow_prices=xr.Dataset({n: v.assign_attrs(units=f"{unit} per {UNITS[n]}") for n, v in prices.items()}),
            utilization=self._use(run, buy, stock).where(solved),
            status=xr.where(solved, "optimal", "infeasible"),
        )

    def limited(self) -> list[str]:
        """Return the limits that are there."""
        return [name for name in UNITS if self.p[INPUT_OF.get(name, name)] is not None]

    def _totals(self, run, buy, stock) -> tuple[xr.Dataset, xr.DataArray]:
        """Return the totals by quarter, and what is left of the capital at the end."""
        p, every = self.p, [*self.places, "accelerator"]
        mwh = (run * p["power_kw"]).sum("workload") * HOURS / 1000
        capital = buy * p["price_usd"]
        found = {
            "capital": (capital, "USD"),
            "upkeep": (stock * p["upkeep_usd_per_h"] * HOURS, "USD"),
            "energy_cost": (mwh * p["usd_per_mwh"], "USD"),
            "energy": (mwh, "MWh"),
            "carbon": (mwh * p["carbon_kg_per_kwh"], "t"),
        }
        if p["provisioned_kw"] is not None:
            found["power"] = (stock * p["provisioned_kw"], "kW")
            found["milestone_power"] = ((buy * p["counted_kw"]).cumsum("quarter"), "kW")
        totals = {name: value.sum(every).assign_attrs(units=unit) for name, (value, unit) in found.items()}
        return xr.Dataset(totals), self.whole(capital * self.left)

    def _use(self, run, buy, stock) -> xr.Dataset:
        """Return use over limit of every constraint; of demand and milestones, what is done over what is asked."""
        work = (run * self.rate.fillna(0)).sum([*self.places, "accelerator"])
        pairs = {"demand": (work, self.p["demand"])} | self._limits(buy, stock)
        found = {"assigned": over(run.sum("workload"), stock)}
        for name, (used, limit) in pairs.items():
            # A milestone of next to nothing is lost in the solver's own tolerance: it is a sum that later ones exceed.
            some = limit > (TOLERANCE * limit.max() if name == "milestones" else 0)
            least = xr.where(some, used / limit.where(some), np.inf)
            found[name] = least if name in AT_LEAST else over(used, limit)
        return xr.Dataset(found)


def plan_purchases(throughput, life_quarters, *, objective: str = "cost", rate=0.0, **given) -> Plan:
    """Return which accelerators to buy when, and what work they do.

    Every input is a number or carries labels: dims accelerator, workload and, where it varies with them, quarter and
    region. All may vary with scenario: each has its own plan, made with its own inputs known.

    Parameters
    ----------
    throughput
        What an accelerator does of a workload; NaN where it cannot. [tokens/s]
    life_quarters
        Quarters that a purchase works, by accelerator; whole numbers. [quarters]
    objective
        ``cost`` (discounted, less what is left of purchases after the last quarter), ``energy`` or ``carbon``; of plans
        that are equally good in the latter two, that of least cost.
    rate
        Discount rate of costs. [share/year]
    power_kw, demand
        Average facility draw of an accelerator at a workload [kW], and work by quarter and workload, of all regions
        together [tokens/s].
    price_usd, upkeep_usd_per_h, usd_per_mwh
        Price of an accelerator with what comes with it, upkeep, price of electricity. [USD, USD/h, USD/MWh]
    carbon_kg_per_kwh
        Intensity of the grid. [kg/kWh]
    provisioned_kw, site_kw
        Facility power that an accelerator takes, and that there is, by quarter and region. [kW]
    supply
        Most that can be bought in a quarter, by accelerator. [1]
    budget_usd
        Most that can be spent on purchases in a quarter. [USD]
    milestones_kw, counted_kw
        Power that must have been bought by the end of each quarter, and what an accelerator counts for it:
        ``provisioned_kw`` if not given, 0 for those that do not count. [kW]
    owned
        Accelerators there are from the start, by quarter as they retire. [1]

    Returns
    -------
    Plan

    Raises
    ------
    gigafleet.fleet_problem.InfeasibleError
        Where no plan will do in any scenario, with what each limit alone would have to give in the first.
    UnknownNameError, ValueError
        Naming the input that is wrong.
    """
    asked = _Model(throughput, life_quarters, objective, rate, given)
    model = asked.build()
    found = asked.solve(model)
    if not found.solved.any():
        first = {name: _first(value) for name, value in given.items()}
        gives = _relaxations(_Model(_first(throughput), _first(life_quarters), objective, _first(rate), first))
        told = "; ".join(gives["text"]) or "no single limit is enough"
        raise InfeasibleError(f"no plan of purchases meets the constraints. Enough would be: {told}", gives)
    values = found.values if objective == "cost" else asked.cheapest(model, found).values
    plan = asked.read(model, values, found.duals, asked.by_scenario(found.solved))
    _check(plan)
    return plan


def _first(value):
    """Return an input of the first scenario."""
    return value.isel(scenario=0, drop=True) if "scenario" in getattr(value, "dims", ()) else value


def _check(plan: Plan) -> None:
    """Raise where a plan breaks its constraints, computed anew from the inputs."""
    for name, used in plan.utilization.data_vars.items():
        wrong = used < 1 - TOLERANCE if name in AT_LEAST else used > 1 + TOLERANCE
        if bool(wrong.any()):
            raise RuntimeError(f"the plan breaks its limit on {name}")


def _relaxations(asked: _Model) -> pd.DataFrame:
    """Return the limits that are enough by themselves, and what each would have to give in every quarter."""
    rows = []
    for kind, unit in GIVES.items():
        if kind not in asked.limited():
            continue
        found = asked.solve(asked.build(relax=kind))
        amount = found.objective[0]
        if found.solved.all() and amount > TOLERANCE:
            less = kind in AT_LEAST
            size = f"{100 * amount:.3g} %" if kind == "demand" else f"{amount:,.4g} {unit}"
            rows.append((kind, amount, unit, f"{size} {'less' if less else 'more'} of {kind} in every quarter"))
    return pd.DataFrame(rows, columns=["limit", "by", "unit", "text"]).set_index("limit")
