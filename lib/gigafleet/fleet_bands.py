"""How sure a fleet mix is: every answer again for draws of the throughput, from the bands of its predictions.

Half of the variance of an error is common to all work of an accelerator. Prices, IT power, PUE and the work itself
stand still: bands do not hold what these would add.
"""

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import fleet, fleet_views
from gigafleet.distributions import within_band
from gigafleet.errors import require

LEVELS = {"low": 0.05, "median": 0.5, "high": 0.95}
SCALE = {"energy": fleet_views.MW_PER_KW, "cost": 1.0, "carbon": 1e-3}  # as fleet_views.compare tells totals


def drawn(arguments: dict, done: xr.Dataset, n: int = 512, seed: int = 0) -> dict:
    """Return the arguments of a mix with draws of the throughput as scenarios.

    Parameters
    ----------
    arguments
        From :func:`gigafleet.fleet_inputs.inputs`.
    done
        From :func:`gigafleet.fleet_inputs.throughput`, for the bands.
    n, seed
        Draws; the same seed gives the same draws.
    """
    rng = np.random.default_rng(seed)
    names, kinds = (arguments["throughput"].indexes[d] for d in ("accelerator", "workload"))
    common = rng.standard_normal((n, len(names), 1))
    own = rng.standard_normal((n, len(names), len(kinds)))
    coords = {"scenario": pd.RangeIndex(n), "accelerator": names, "workload": kinds}
    noise = xr.DataArray(np.sqrt(0.5) * (common + own), coords, list(coords))
    done = done.sel(accelerator=names)
    reached = done["tokens_per_s"].where(done["tokens_per_s"] > 0)
    return arguments | {
        "throughput": arguments["throughput"] * within_band(reached, done["low"], done["high"], noise) / reached
    }


def uncertain(arguments: dict, done: xr.Dataset, objective: str = "energy", n: int = 512, seed: int = 0) -> xr.Dataset:
    """Return how often who does what, when throughput is off as far as its bands say.

    Parameters
    ----------
    arguments, done, n, seed
        As in :func:`drawn`; all draws are solved at once.
    objective
        As in :func:`gigafleet.fleet.optimize`.

    Returns
    -------
    Dataset
        ``most``: share of the scenarios in which an accelerator does most of a kind of work, dims accelerator,
        workload; ``objective``, ``energy`` [kW], ``cost`` [USD/h] and ``carbon`` [kg/h] of every scenario, NaN without
        a solution.
    """
    draws = drawn(arguments, done, n, seed)
    mix = fleet.optimize(**draws, objective=objective)
    work = mix.assignment * draws["throughput"].fillna(0)
    most = (work == work.max("accelerator")) & work.notnull()
    solved = mix.status == "optimal"
    totals = {name: mix.totals[name] for name in ("energy", "cost", "carbon")}
    return xr.Dataset({"most": most.where(solved).mean("scenario"), "objective": mix.objective, **totals})


def intervals(samples: pd.DataFrame) -> pd.DataFrame:
    """Return ``low``, ``median`` and ``high`` (5, 50 and 95 %) of every column, and ``cannot``: the share without one.

    What has no solution is NaN, and counts as beyond all others: an end that lies among these is infinite, so that a
    limit which only the luckier draws meet does not look cheap.
    """
    values = samples.to_numpy(float)
    known = np.where(np.isnan(values), np.inf, values)
    with np.errstate(invalid="ignore"):
        ends = (
            np.quantile(known, list(LEVELS.values()), axis=0) if len(known) else np.full((3, samples.shape[1]), np.nan)
        )
    ends = np.where(np.isnan(ends) & (len(known) > 0), np.inf, ends)  # between two that are infinite
    table = pd.DataFrame(dict(zip(LEVELS, ends, strict=True)), samples.columns)
    return table.assign(cannot=np.isinf(known).mean(axis=0) if len(known) else np.nan)


def frontier(
    arguments: dict,
    done: xr.Dataset,
    one: str = "energy",
    other: str = "cost",
    points: int = 21,
    n: int = 512,
    seed: int = 0,
) -> pd.DataFrame:
    """Return :func:`gigafleet.fleet_views.frontier` with the band of the second total at every limit on the first.

    Parameters
    ----------
    arguments, done, n, seed
        As in :func:`drawn`; every draw is solved under every limit, in one solve.
    one, other, points
        As in :func:`gigafleet.fleet_views.frontier`, whose limits these are.

    Returns
    -------
    DataFrame
        Indexed by the first total: ``value``, of the predictions, and the columns of :func:`intervals`, in the units
        of :class:`gigafleet.fleet.Mix`. The draws are those in which the work can be done at all, as for the mix
        itself; ``cannot`` is the share of them that cannot do it under the limit. ``attrs["left_out"]`` counts the
        other draws.
    """
    require("n", n, minimum=1)
    line = fleet_views.frontier(arguments, one, other, points)[other]
    draws = drawn(arguments, done, n, seed)
    able = (fleet.optimize(**draws, objective=other).status == "optimal").to_numpy()
    rows = pd.RangeIndex(n * points)
    each = draws["throughput"].isel(scenario=np.repeat(np.arange(n), points)).assign_coords(scenario=rows)
    caps = xr.DataArray(np.tile(line.index * (1 + 1e-9), n), {"scenario": rows}, "scenario")
    mix = fleet.optimize(**(draws | {"throughput": each}), objective=other, limits={one: caps})
    table = intervals(pd.DataFrame(mix.totals[other].to_numpy().reshape(n, points)[able], columns=line.index))
    table = table.assign(value=line)[["value", *table]]
    table.attrs["left_out"] = int((~able).sum())
    return table


def compare(
    arguments: dict,
    done: xr.Dataset,
    objective: str = "energy",
    bought: pd.Series | None = None,
    n: int = 512,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the bands of what :func:`gigafleet.fleet_views.compare` puts side by side; all rows see the same draws.

    Parameters
    ----------
    arguments, done, n, seed
        As in :func:`drawn`.
    objective, bought
        As in :func:`gigafleet.fleet_views.compare`.

    Returns
    -------
    DataFrame
        Rows as there, columns of :func:`intervals`: the objective in the unit of its column there. The draws are those
        in which the mix can be done; ``cannot`` is the share of them in which a row cannot.
    """
    rows = {}
    for label, case in fleet_views.cases(drawn(arguments, done, n, seed), bought).items():
        try:
            rows[label] = fleet.optimize(**case, objective=objective).totals[objective].to_numpy() * SCALE[objective]
        except fleet.InfeasibleError:
            rows[label] = np.full(n, np.nan)
    table = pd.DataFrame(rows)
    return intervals(table[table["the mix"].notna()])


def lines(table: pd.DataFrame, at: pd.Index) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return what :func:`gigafleet.time_plots.lines` draws of a frontier: the lines, and ``low`` and ``high``.

    Parameters
    ----------
    table
        From :func:`frontier`, in the unit of the chart.
    at
        The limits, in the unit of the chart.
    """
    names = {"value": "as predicted", "median": "median of draws"}
    shown = table.set_axis(at)
    ends = {end: shown[[end]].set_axis([names["value"]], axis=1) for end in ("low", "high")}
    return shown[list(names)].rename(columns=names).replace(np.inf, np.nan), ends
