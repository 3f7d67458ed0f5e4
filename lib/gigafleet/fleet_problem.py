"""The inputs of a fleet mix as labeled arrays, checked; what is raised where no fleet can do what is asked."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet.errors import require, unknown

OBJECTIVES = {"energy": "kW", "cost": "USD/h", "carbon": "kg/h", "work": "times the mix"}


class InfeasibleError(ValueError):
    """No mix meets the constraints; ``relaxations`` says what each would have to give."""

    def __init__(self, message: str, relaxations: pd.DataFrame):
        super().__init__(message)
        self.relaxations = relaxations


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
    members: xr.DataArray | None
    rack_size: xr.DataArray | None
    scenarios: pd.Index
    regions: pd.Index | None


def labeled(
    name: str, value, *dims: str, beside=("scenario", "region"), finite: bool = True, **bounds
) -> xr.DataArray | None:
    """Return an input as a labeled array over a subset of dimensions, and of those ``beside`` them, checked."""
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
    if wrong := [dim for dim in value.dims if dim not in (*dims, *beside)]:
        raise unknown(f"dimension of {name}", wrong[0], (*dims, *beside))
    for dim in value.dims:
        if dim not in value.coords:
            raise ValueError(f"{name} has no labels along {dim!r}")
        labels = value.indexes[dim]
        if labels.has_duplicates:
            raise ValueError(f"{name} has {labels[labels.duplicated()][0]!r} twice along {dim!r}")
    _require(name, value.astype(float), finite, **bounds)
    return value.astype(float)


def _require(name: str, value: xr.DataArray, finite: bool, **bounds) -> None:
    """Raise where an element is out of bounds, or endless where it must not be, naming where it stands."""
    flat = value.to_numpy().ravel()
    endless = np.isinf(flat) if finite else np.zeros(flat.shape, dtype=bool)
    try:
        require(name, value.to_numpy(), **bounds)
        if not endless.any():
            return
        told, wrong = f"{name} must be finite, not {flat[endless][0]}", endless
    except ValueError as error:
        told, wrong = str(error), np.isnan(flat) & (not bounds.get("absent", False))
        wrong |= flat < bounds.get("minimum", -np.inf)
        wrong |= flat <= bounds.get("above", -np.inf)
        wrong |= flat > bounds.get("maximum", np.inf)
    if value.ndim and wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), value.shape)
        places = ", ".join(f"{dim} {value.indexes[dim][i]}" for dim, i in zip(value.dims, at, strict=True))
        told += f" ({places})"
    raise ValueError(told)


def aligned(name: str, value: xr.DataArray | None, throughput: xr.DataArray) -> xr.DataArray | None:
    """Return an input with its accelerators and workloads in the order that the throughput has them; raise unless they
    are the same, if it has any."""
    for dim in ("accelerator", "workload"):
        if value is None or dim not in value.dims:
            continue
        known, given = throughput.indexes[dim], value.indexes[dim]
        if strange := [label for label in given if label not in known]:
            raise unknown(f"{dim} in {name}", str(strange[0]), [str(label) for label in known])
        if lacking := [label for label in known if label not in given]:
            raise ValueError(f"{name} lacks the {dim} {lacking[0]!r}")
        value = value.sel({dim: known})
    return value


def indexes(values, *dims: str) -> dict[str, pd.Index]:
    """Return the labels that inputs have along some dimensions; an error where two inputs differ."""
    found = {}
    for value in values:
        for dim in dims:
            if value is not None and dim in value.dims:
                if dim in found and not found[dim].equals(value.indexes[dim]):
                    raise ValueError(f"inputs do not have the same labels along {dim!r}")
                found[dim] = value.indexes[dim]
    return found


BOTH = ("accelerator", "workload")
# Input of a mix -> its dimensions and bounds.
ARRAYS = {
    "power_kw": (BOTH, {"minimum": 0}),
    "cost_usd_per_h": (BOTH, {"minimum": 0}),
    "demand": (("workload",), {"minimum": 0}),
    "provisioned_kw": (BOTH, {"above": 0}),
    "carbon_kg_per_kwh": ((), {"minimum": 0}),
    "power_cap_kw": ((), {"minimum": 0, "finite": False}),
    "supply": (("accelerator",), {"minimum": 0, "finite": False}),
    "budget_usd": ((), {"minimum": 0, "finite": False}),
    "price_usd": (("accelerator",), {"minimum": 0}),
    "least_shares": (("accelerator", "vendor"), {"minimum": 0, "maximum": 1}),
    "rack_size": (("accelerator",), {"above": 0}),
}


def rates(throughput) -> xr.DataArray:
    """Return the throughput as a labeled array; NaN where an accelerator cannot do a workload."""
    rate = labeled("throughput", throughput, *BOTH, beside=("scenario", "region", "quarter"), minimum=0, absent=True)
    if rate is None or set(BOTH) - set(rate.dims):
        raise ValueError("throughput needs the dimensions accelerator and workload")
    return rate


def problem(
    throughput,
    power_kw,
    cost_usd_per_h,
    demand,
    *,
    objective: str = "energy",
    limits: dict | None = None,
    balance: dict | None = None,
    vendors: dict | None = None,
    **given,
) -> Problem:
    """Return the inputs of a mix, checked and labeled; see :func:`gigafleet.fleet.optimize`."""
    if objective not in OBJECTIVES:
        raise unknown("objective", objective, OBJECTIVES)
    given |= {"power_kw": power_kw, "cost_usd_per_h": cost_usd_per_h, "demand": demand}
    for name in given:
        if name not in ARRAYS:
            raise unknown("input of a mix", name, [*ARRAYS, "objective", "limits", "balance", "vendors"])
    rate = rates(throughput)
    arrays = {name: labeled(name, given.get(name), *dims, **bounds) for name, (dims, bounds) in ARRAYS.items()}
    for name in ("power_kw", "cost_usd_per_h"):
        if arrays[name] is None:
            raise ValueError(f"a mix needs {name}")
    if arrays["provisioned_kw"] is None:
        arrays["provisioned_kw"] = arrays["power_kw"]
    if arrays["carbon_kg_per_kwh"] is None:
        arrays["carbon_kg_per_kwh"] = xr.DataArray(0.0)
    arrays = {name: aligned(name, value, rate) for name, value in arrays.items()}
    if arrays["demand"] is None or "workload" not in arrays["demand"].dims:
        raise ValueError("demand needs the dimension workload")
    if (arrays["budget_usd"] is None) != (arrays["price_usd"] is None):
        raise ValueError("a budget needs price_usd, and price_usd a budget")
    caps = {name: labeled(f"limit of {name}", value, minimum=0) for name, value in (limits or {}).items()}
    for name in caps:
        if name not in ("energy", "cost", "carbon"):
            raise unknown("limit", name, ("energy", "cost", "carbon"))
    for pair, ratio in (balance or {}).items():
        for name in pair:
            if name not in rate.indexes["workload"]:
                raise unknown("workload in balance", name, list(rate.indexes["workload"]))
        require(f"balance of {pair[0]} to {pair[1]}", ratio, above=0)
    if (shares := arrays["least_shares"]) is not None:
        require("sum of least_shares", shares.sum([d for d in shares.dims if d != "scenario"]), maximum=1 + 1e-9)
    axes = indexes([rate, *arrays.values(), *caps.values()], "scenario", "region")
    return Problem(
        rate,
        **arrays,
        objective=objective,
        limits=caps,
        balance=dict(balance or {}),
        members=_members(arrays["least_shares"], vendors, rate.indexes["accelerator"]),
        scenarios=axes.get("scenario", pd.Index(["base"], name="scenario")),
        regions=axes.get("region"),
    )


def _members(least_shares: xr.DataArray | None, vendors: dict | None, accelerators: pd.Index) -> xr.DataArray | None:
    """Return which accelerators are of which vendor, where shares of vendors are asked for."""
    if least_shares is None or "vendor" not in least_shares.dims:
        return None
    of = {name: (vendors or {}).get(name) for name in accelerators}
    for name, vendor in of.items():
        if vendor is None:
            raise ValueError(f"least_shares of vendors need vendors, which lacks the accelerator {name!r}")
    known = least_shares.indexes["vendor"]
    if strange := [vendor for vendor in known if vendor not in of.values()]:
        raise unknown("vendor in least_shares", strange[0], dict.fromkeys(of.values()))
    marks = [[float(of[name] == vendor) for name in accelerators] for vendor in known]
    return xr.DataArray(marks, {"vendor": known, "accelerator": accelerators}, ("vendor", "accelerator"))
