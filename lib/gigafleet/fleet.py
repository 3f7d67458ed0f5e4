"""Which accelerators do which work: the fleet mix as a linear program, for one scenario or many at once.

Accelerators are counted, not rounded, unless racks are asked for. One model in linopy holds all scenarios; since none
touches another, HiGHS solves it in blocks, and a scenario that cannot be solved is named while the others are.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import fleet_solver
from gigafleet.errors import require, unknown
from gigafleet.fleet_solver import OBJECTIVES

LIMITS = {"power": "kW", "supply": "accelerators", "budget": "USD"}  # what may be relaxed, beside demand
TOLERANCE = 1e-6  # relative violation that a solution may have when it is checked again


class InfeasibleError(ValueError):
    """No mix meets the constraints; ``relaxations`` says what each would have to give."""

    def __init__(self, message: str, relaxations: pd.DataFrame):
        super().__init__(message)
        self.relaxations = relaxations


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
        Use over limit: ``demand`` (work done over work asked), ``power``, ``supply``, ``budget``.
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


@dataclass(frozen=True)
class Problem:
    """The inputs of a mix, as labeled arrays; made by :func:`problem`."""

    throughput: xr.DataArray
    power_kw: xr.DataArray
    cost_usd_per_h: xr.DataArray
    demand: xr.DataArray
    objective: str
    provisioned_kw: xr.DataArray
    carbon_kg_per_kwh: xr.DataArray
    power_cap_kw: xr.DataArray | None
    supply: xr.DataArray | None
    budget_usd: xr.DataArray | None
    price_usd: xr.DataArray | None
    limits: dict
    balance: dict
    least_shares: xr.DataArray | None
    rack_size: xr.DataArray | None
    scenarios: pd.Index
    regions: pd.Index | None


def _array(name: str, value, *dims: str, **bounds) -> xr.DataArray | None:
    """Return an input as a labeled array over a subset of dimensions, checked."""
    if value is None:
        return None
    if isinstance(value, pd.DataFrame | pd.Series):
        axes = [value.index, value.columns] if isinstance(value, pd.DataFrame) else [value.index]
        names = [axis.name or dim for axis, dim in zip(axes, dims, strict=False)]
        value = xr.DataArray(value.to_numpy(float), dims=names, coords=dict(zip(names, axes, strict=True)))
    elif not isinstance(value, xr.DataArray):
        if np.ndim(value):
            raise ValueError(f"{name} must carry labels: a number, a DataFrame, a Series or a DataArray")
        value = xr.DataArray(float(value))
    if wrong := [dim for dim in value.dims if dim not in (*dims, "scenario", "region")]:
        raise unknown(f"dimension of {name}", wrong[0], (*dims, "scenario", "region"))
    for dim in value.dims:
        if dim not in value.coords:
            raise ValueError(f"{name} has no labels along {dim!r}")
        labels = value.indexes[dim]
        if labels.has_duplicates:
            raise ValueError(f"{name} has {labels[labels.duplicated()][0]!r} twice along {dim!r}")
    require(name, value.to_numpy(), **bounds)
    return value.astype(float)


def _same_labels(name: str, value: xr.DataArray | None, throughput: xr.DataArray) -> None:
    for dim in ("accelerator", "workload"):
        if value is None or dim not in value.dims:
            continue
        known, given = throughput.indexes[dim], value.indexes[dim]
        if strange := [label for label in given if label not in known]:
            raise unknown(f"{dim} in {name}", str(strange[0]), [str(label) for label in known])
        if lacking := [label for label in known if label not in given]:
            raise ValueError(f"{name} lacks the {dim} {lacking[0]!r}")


def problem(
    throughput,
    power_kw,
    cost_usd_per_h,
    demand,
    *,
    objective: str = "energy",
    power_cap_kw=None,
    provisioned_kw=None,
    supply=None,
    budget_usd=None,
    price_usd=None,
    carbon_kg_per_kwh=0.0,
    limits: dict | None = None,
    balance: dict | None = None,
    least_shares=None,
    rack_size=None,
) -> Problem:
    """Return the inputs of a mix, checked and labeled; see :func:`optimize`."""
    if objective not in OBJECTIVES:
        raise unknown("objective", objective, OBJECTIVES)
    both = ("accelerator", "workload")
    rate = _array("throughput", throughput, *both, minimum=0, absent=True)
    if rate is None or set(both) - set(rate.dims):
        raise ValueError("throughput needs the dimensions accelerator and workload")
    power = _array("power_kw", power_kw, *both, minimum=0)
    arrays = {
        "power_kw": power,
        "cost_usd_per_h": _array("cost_usd_per_h", cost_usd_per_h, *both, minimum=0),
        "demand": _array("demand", demand, "workload", minimum=0),
        "provisioned_kw": power if provisioned_kw is None else _array("provisioned_kw", provisioned_kw, *both, above=0),
        "carbon_kg_per_kwh": _array("carbon_kg_per_kwh", carbon_kg_per_kwh, minimum=0),
        "power_cap_kw": _array("power_cap_kw", power_cap_kw, minimum=0),
        "supply": _array("supply", supply, "accelerator", minimum=0),
        "budget_usd": _array("budget_usd", budget_usd, minimum=0),
        "price_usd": _array("price_usd", price_usd, "accelerator", minimum=0),
        "least_shares": _array("least_shares", least_shares, "accelerator", minimum=0, maximum=1),
        "rack_size": _array("rack_size", rack_size, "accelerator", above=0),
    }
    for name, value in arrays.items():
        _same_labels(name, value, rate)
    if "workload" not in arrays["demand"].dims:
        raise ValueError("demand needs the dimension workload")
    if (arrays["budget_usd"] is None) != (arrays["price_usd"] is None):
        raise ValueError("a budget needs price_usd, and price_usd a budget")
    caps = {name: _array(f"limit of {name}", value, minimum=0) for name, value in (limits or {}).items()}
    for name in caps:
        if name not in ("energy", "cost", "carbon"):
            raise unknown("limit", name, ("energy", "cost", "carbon"))
    balance = dict(balance or {})
    for pair in balance:
        for name in pair:
            if name not in rate.indexes["workload"]:
                raise unknown("workload in balance", name, list(rate.indexes["workload"]))
    indexes = {}
    for value in [rate, *arrays.values(), *caps.values()]:
        for dim in ("scenario", "region"):
            if value is not None and dim in value.dims:
                if dim in indexes and not indexes[dim].equals(value.indexes[dim]):
                    raise ValueError(f"inputs do not have the same labels along {dim!r}")
                indexes[dim] = value.indexes[dim]
    scenarios = indexes.get("scenario", pd.Index(["base"], name="scenario"))
    return Problem(rate, **arrays, objective=objective, limits=caps, balance=balance, scenarios=scenarios,
                   regions=indexes.get("region"))  # fmt: skip


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
        Least share of the provisioned power that an accelerator must have, by accelerator; of a vendor's accelerators
        give it to one of them.
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
    mix = Mix(**fleet_solver.read(asked, blocks, found))
    _check(asked, mix)
    return mix


def _check(asked: Problem, mix: Mix) -> None:
    """Raise where a solution breaks its constraints, computed anew from the inputs."""
    x = mix.assignment
    if float(x.min()) < -TOLERANCE * max(float(x.max()), 1):
        raise RuntimeError("the solver returned a negative number of accelerators")
    for name, used in mix.utilization.data_vars.items():
        wrong = used < 1 - TOLERANCE if name == "demand" else used > 1 + TOLERANCE
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
