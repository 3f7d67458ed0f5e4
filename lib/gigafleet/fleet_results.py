"""From a solution of a fleet's program back to labeled arrays: assignment, totals, use of limits, shadow prices."""

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet.fleet_problem import OBJECTIVES, Problem
from gigafleet.fleet_solver import Blocks, Found, at_most

SMALL = 1e-6  # amounts that a solver cannot tell from zero


def behind(labels: xr.DataArray, series: pd.Series) -> xr.DataArray:
    """Return the numbers behind labels of variables or constraints."""
    return labels.copy(data=series.reindex(labels.to_numpy().ravel()).to_numpy().reshape(labels.shape))


class _Solution:
    """The values behind a solution, as labeled arrays, and sums over its fleet. NaN where a scenario has none."""

    def __init__(self, asked: Problem, blocks: Blocks, found: Found):
        self.asked, self.model, self.found = asked, blocks.model, found
        self.x = behind(self.model.variables["x"].labels, found.values).clip(min=0)
        whole = asked.rack_size is not None
        self.racks = behind(self.model.variables["racks"].labels, found.values).round() if whole else None
        self.owned = self.racks * asked.rack_size if whole else self.x.sum("workload", skipna=False)

    def by_scenario(self, values: np.ndarray, units: str = "") -> xr.DataArray:
        """Return numbers or texts by scenario."""
        attrs = {"units": units} if units else {}
        return xr.DataArray(values, coords={"scenario": self.asked.scenarios}, dims="scenario", attrs=attrs)

    def working(self, amount: xr.DataArray) -> xr.DataArray:
        """Return the sum of an amount over what works."""
        return (self.x * amount).sum([dim for dim in self.x.dims if dim != "scenario"], skipna=False)

    def held(self, amount: xr.DataArray, *keep: str) -> xr.DataArray:
        """Return the sum of an amount over what is owned."""
        if self.racks is None:
            return (self.x * amount).sum([d for d in self.x.dims if d not in ("scenario", *keep)], skipna=False)
        rate = self.asked.throughput
        most = at_most(amount, rate.notnull() & (rate > 0))
        return (self.owned * most).sum([d for d in self.owned.dims if d not in ("scenario", *keep)], skipna=False)

    def totals(self) -> xr.Dataset:
        """Return energy, cost, carbon, provisioned power and, with prices, capital."""
        p = self.asked
        found = {
            "energy": self.working(p.power_kw),
            "cost": self.held(p.cost_usd_per_h),
            "carbon": self.working(p.power_kw * p.carbon_kg_per_kwh),
            "power": self.held(p.provisioned_kw),
        }
        found |= {} if p.price_usd is None else {"capital": self.held(p.price_usd)}
        units = {**OBJECTIVES, "power": "kW", "capital": "USD"}
        return xr.Dataset({name: value.assign_attrs(units=units[name]) for name, value in found.items()})

    def use(self, totals: xr.Dataset) -> xr.Dataset:
        """Return use over limit; of demand, work done over work asked."""
        p, found = self.asked, {}
        rest = [dim for dim in self.x.dims if dim not in ("scenario", "workload")]
        work = (self.x * p.throughput.fillna(0)).sum(rest, skipna=False)
        target = p.demand * (self.by_scenario(self.found.objective) if p.objective == "work" else 1.0)
        solved = self.by_scenario(self.found.solved)
        some = target > SMALL * p.throughput.max("accelerator")  # less is less than a millionth of an accelerator
        found["demand"] = xr.where(some, work / target.where(some), np.inf).where(solved)
        if p.power_cap_kw is not None:
            keep = [dim for dim in ("region",) if dim in p.power_cap_kw.dims]
            found["power"] = over(self.held(p.provisioned_kw, *keep), p.power_cap_kw)
        if p.supply is not None:
            places = [d for d in ("region",) if d in self.owned.dims and d not in p.supply.dims]
            found["supply"] = over(self.owned.sum(places, skipna=False), p.supply)
        if p.budget_usd is not None:
            found["budget"] = over(totals["capital"], p.budget_usd)
        found |= {f"limit_{name}": over(totals[name], cap) for name, cap in p.limits.items()}
        if p.least_shares is not None:
            part = self.held(p.provisioned_kw, "accelerator")
            whole, part = part.sum("accelerator"), part if p.members is None else (part * p.members).sum("accelerator")
            found["least_shares"] = over(p.least_shares * whole, part).where(solved)
        for (one, other), ratio in p.balance.items():
            done, target = work.sel(workload=one, drop=True), ratio * work.sel(workload=other, drop=True)
            found[f"balance {one} {other}"] = xr.where(target > 0, done / target.where(target > 0), 1 + done).where(
                solved
            )
        return xr.Dataset(found)

    def prices(self) -> xr.Dataset:
        """Return the shadow prices of the limits; none in whole racks, where they have no meaning."""
        units = {"demand": "token/s", "power": "kW", "supply": "accelerator", "budget": "USD"}
        found = {}
        for name, unit in units.items():
            if self.racks is None and name in self.model.constraints:
                value = behind(self.model.constraints[name].labels, self.found.duals)
                found[name] = value.assign_attrs(units=f"{OBJECTIVES[self.asked.objective]} per {unit}")
        return xr.Dataset(found)


def read(asked: Problem, blocks: Blocks, found: Found) -> dict:
    """Return the fields of :class:`gigafleet.fleet.Mix` behind a solution, computed from the inputs."""
    solution = _Solution(asked, blocks, found)
    totals = solution.totals()
    value = solution.by_scenario(found.objective, OBJECTIVES[asked.objective])
    bound = value.copy(data=found.bound)
    return {
        "assignment": solution.x,
        "objective": value,
        "bound": bound,
        "gap": abs(value - bound) / abs(value).where(value != 0, 1),
        "shadow_prices": solution.prices(),
        "totals": totals,
        "utilization": solution.use(totals),
        "status": solution.by_scenario(np.where(found.solved, "optimal", "infeasible")),
        "racks": solution.racks,
    }


def over(used: xr.DataArray, limit: xr.DataArray) -> xr.DataArray:
    """Return use over limit; a limit of zero that is kept counts as fully used only if something is used."""
    some = limit > SMALL
    none = xr.where(used > 2 * SMALL, np.inf, 0.0)
    return xr.where(some, used / limit.where(some, 1), none).where(used.notnull())
