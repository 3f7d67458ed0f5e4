"""How sure a fleet mix is: every answer again for draws of all inputs that have a range.

The draws are those of :mod:`gigafleet.fleet_draws`. The work that is asked for, the power there is and the supply stand
still in them: these are the question. So do figures that sources give without a range.
"""

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import fleet, fleet_draws, fleet_problem, fleet_views, tell

LEVELS = {"low": 0.05, "median": 0.5, "high": 0.95}
ENOUGH = 0.975  # share of draws for which the widest limit of a frontier is enough, so that its band closes
# Totals of a mix, and their factor in fleet_views.compare.
SCALE = {"energy": fleet_views.MW_PER_KW, "cost": 1.0, "carbon": 1e-3, "power": fleet_views.MW_PER_KW}


def uncertain(draws: dict, objective: str = "energy") -> xr.Dataset:
    """Return how often who does what, when inputs are off as far as their ranges say.

    Parameters
    ----------
    draws
        From :func:`gigafleet.fleet_draws.inputs`; all of them are solved at once.
    objective
        As in :func:`gigafleet.fleet.optimize`.

    Returns
    -------
    Dataset
        ``most``: share of the scenarios in which an accelerator does most of a kind of work, dims accelerator,
        workload; ``assignment``: accelerators by scenario, accelerator and workload, and ``used``, of all workloads;
        ``objective``, ``energy`` [kW], ``cost`` [USD/h] and ``carbon`` [kg/h] of every scenario, and ``power``, which
        is that in the hottest hour [kW]. NaN without a solution.
    """
    mix = fleet.optimize(**draws, objective=objective)
    work = mix.assignment * draws["throughput"].fillna(0)
    most = (work == work.max("accelerator")) & work.notnull()
    solved = mix.status == "optimal"
    found = {name: mix.totals[name] for name in ("energy", "cost", "carbon", "power")}
    found |= {"assignment": mix.assignment, "used": mix.assignment.sum("workload", skipna=False)}
    return xr.Dataset({"most": most.where(solved).mean("scenario"), "objective": mix.objective, **found})


def told(point: xr.DataArray, draws: xr.DataArray, digits: int = 3) -> pd.DataFrame | pd.Series:
    """Return a table of at most two dimensions as text, each figure with 5 to 95 % of its draws along ``scenario``,
    those without a solution left out."""
    ends = (draws.quantile(LEVELS[end], "scenario", skipna=True).transpose(*point.dims) for end in ("low", "high"))
    frames = [pd.DataFrame(one.to_pandas()) for one in (point, *ends)]
    text = tell.ranged(*(frame.set_axis(frames[0].columns, axis=1) for frame in frames), digits=digits)
    return text if point.ndim > 1 else text.iloc[:, 0]


def stopped(draws: dict, objective: str = "energy") -> pd.Series:
    """Return how many draws cannot do the work and could with more of a limit alone, by limit; those that need several
    count for these together.

    Parameters
    ----------
    draws, objective
        As in :func:`uncertain`.
    """
    problem = fleet_problem.problem(**draws, objective=objective)
    cannot = fleet.solve(problem).status == "infeasible"
    if not cannot.any():
        return pd.Series(dtype=int)
    left = {k: v.sel(scenario=cannot) if "scenario" in getattr(v, "dims", ()) else v for k, v in draws.items()}
    table = fleet.relaxations(fleet_problem.problem(**left, objective=objective))
    return table.loc[table["limit"] != "demand", "limit"].value_counts()


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


def frontier(arguments: dict, draws: dict, one: str = "energy", other: str = "cost", points: int = 21) -> pd.DataFrame:
    """Return :func:`gigafleet.fleet_views.frontier` with the band of the second total at every limit on the first.

    Parameters
    ----------
    arguments
        From :func:`gigafleet.fleet_inputs.inputs`.
    draws
        From :func:`gigafleet.fleet_draws.inputs`; every draw is solved under every limit, in one solve.
    one, other, points
        As in :func:`gigafleet.fleet_views.frontier`, whose limits these are. Where the last of them is too little for
        a share of the draws, further limits follow to the one that is enough for :data:`ENOUGH` of them.

    Returns
    -------
    DataFrame
        Indexed by the first total: ``value``, of the predictions, and the columns of :func:`intervals`, in the units
        of :class:`gigafleet.fleet.Mix`. The draws are those in which the work can be done at all, as for the mix
        itself; ``cannot`` is the share of them that cannot do it under the limit. ``attrs["left_out"]`` counts the
        other draws.
    """
    line = fleet_views.frontier(arguments, one, other, points)[other]
    least = fleet.optimize(**draws, objective=one)
    able = (least.status == "optimal").to_numpy()
    need = float(least.totals[one].quantile(ENOUGH, method="higher"))
    more = np.linspace(line.index[-1], need * (1 + 1e-6), 1 + points // 4)[1:] if need > line.index[-1] else []
    line = pd.concat([line, pd.Series(line.iloc[-1], pd.Index(more, name=one), dtype=float)])
    costs = _under(draws, one, other, line.index.to_numpy())[able]
    table = intervals(pd.DataFrame(costs, columns=line.index))
    table = table.assign(value=line)[["value", *table]]
    table.attrs["left_out"] = int((~able).sum())
    return table


def _under(draws: dict, one: str, other: str, limits: np.ndarray) -> np.ndarray:
    """Return the least of a total for every draw (down) under every limit on another (across); NaN without one."""
    n = draws["throughput"].sizes["scenario"]
    again, rows = np.repeat(np.arange(n), len(limits)), pd.RangeIndex(n * len(limits))
    varies = {key: value for key, value in draws.items() if "scenario" in getattr(value, "dims", ())}
    each = {key: value.isel(scenario=again).assign_coords(scenario=rows) for key, value in varies.items()}
    caps = xr.DataArray(np.tile(limits * (1 + 1e-9), n), {"scenario": rows}, "scenario")
    mix = fleet.optimize(**(draws | each), objective=other, limits={one: caps})
    return mix.totals[other].to_numpy().reshape(n, len(limits))


def trade(draws: dict, one: str = "energy", other: str = "cost") -> pd.DataFrame:
    """Return how the totals move from the mix that has least of one to the mix that has least of the other. [%]

    Parameters
    ----------
    draws
        From :func:`gigafleet.fleet_draws.inputs`; those that cannot do the work are left out.
    one, other
        As in :func:`frontier`, whose two ends in every draw these are.

    Returns
    -------
    DataFrame
        Rows ``one`` (the rise) and ``other`` (the fall, below 0) by their names, columns ``low``, ``median``, ``high``.
    """
    least = fleet.optimize(**draws, objective=one)
    able = (least.status == "optimal").to_numpy()
    draws = {k: v.isel(scenario=able) if "scenario" in getattr(v, "dims", ()) else v for k, v in draws.items()}
    cap = least.totals[one].isel(scenario=able) * (1 + 1e-9)
    ends = fleet.optimize(**draws, objective=other), fleet.optimize(**draws, objective=other, limits={one: cap})
    moved = {name: 100 * (ends[0].totals[name] / ends[1].totals[name] - 1).to_series() for name in (one, other)}
    return pd.DataFrame(moved).quantile(list(LEVELS.values())).set_axis(list(LEVELS)).T


def ways(draws: dict, objective: str = "energy", bought: xr.DataArray | None = None) -> dict[str, pd.DataFrame]:
    """Return the draws of what :func:`gigafleet.fleet_views.compare` puts side by side; all ways see the same draws.

    Parameters
    ----------
    draws
        From :func:`gigafleet.fleet_draws.inputs`.
    objective
        As in :func:`gigafleet.fleet_views.compare`.
    bought
        As there, from the same draws with nothing owned.

    Returns
    -------
    dict
        Column there (but ``supply``) -> DataFrame with one row a draw in which the mix can be done, columns the rows
        there; NaN where a way cannot do the work.
    """
    found = {name: {} for name in (*SCALE, "accelerators")}
    for label, case in fleet_views.cases(draws, bought).items():
        try:
            mix = fleet.optimize(**case, objective=objective)
        except fleet.InfeasibleError:
            own = dict.fromkeys(found, np.full(draws["throughput"].sizes["scenario"], np.nan))
        else:
            own = {name: mix.totals[name].to_numpy() * scale for name, scale in SCALE.items()}
            own["accelerators"] = mix.assignment.sum(["accelerator", "workload"], skipna=False).to_numpy()
        for name, values in own.items():
            found[name][label] = values
    able = ~np.isnan(found[objective]["the mix"])
    return {name: pd.DataFrame(columns)[able] for name, columns in found.items()}


def compare(points: pd.DataFrame, found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the table of :func:`gigafleet.fleet_views.compare` as text, with the intervals of :func:`ways`."""
    ends = {name: intervals(table) for name, table in found.items()}
    low, high = (pd.DataFrame({name: table[end] for name, table in ends.items()}) for end in ("low", "high"))
    return tell.ranged(points[list(found)].astype(float), low, high)


def differences(found: pd.DataFrame, over: str) -> pd.Series:
    """Return ``low``, ``median`` and ``high`` of how the mix stands to another way in the same draws. [%]

    Parameters
    ----------
    found
        One of the tables of :func:`ways`.
    over
        One of its columns; where it cannot do the work the mix is 100 % below it.
    """
    share = (100 * (found["the mix"] / found[over].fillna(np.inf) - 1)).round(6) + 0.0  # no more than the solver knows
    return share.quantile(list(LEVELS.values())).set_axis(list(LEVELS))


def by_group(
    accelerators: list[str], objective: str = "energy", n: int = 512, seed: int = 0, **settings
) -> pd.DataFrame:
    """Return how wide the intervals of a mix's totals are if one group of inputs varies and the others stand.

    Parameters
    ----------
    accelerators, n, seed, settings
        As in :func:`gigafleet.fleet_draws.inputs`.
    objective
        As in :func:`gigafleet.fleet.optimize`.

    Returns
    -------
    DataFrame
        Rows: the groups of :data:`gigafleet.fleet_draws.GROUPS` and ``all``. Columns ``energy``, ``cost`` and
        ``carbon``: 95 % less 5 % quantile, in the units of :class:`gigafleet.fleet.Mix`, of the draws in which the
        work can be done.
    """
    rows = {}
    for name, vary in {**{key: (key,) for key in fleet_draws.GROUPS}, "all": tuple(fleet_draws.GROUPS)}.items():
        totals = fleet.optimize(**fleet_draws.inputs(accelerators, n, seed, vary, **settings), objective=objective)
        ends = totals.totals[["energy", "cost", "carbon"]].quantile([LEVELS["low"], LEVELS["high"]])
        rows[name] = {total: float(ends[total][1] - ends[total][0]) for total in ends}
    return pd.DataFrame(rows).T


def reason(mix: fleet.Mix, arguments: dict, draws: dict, names: dict[str, str] | None = None) -> str:
    """Return in two sentences why the mix is what it is, from its shadow prices; empty where no supply binds.

    The scarce accelerator goes where it saves most over the next best one.

    Parameters
    ----------
    mix, arguments
        A mix of least energy, cost or carbon, and what it was made from.
    draws
        From :func:`gigafleet.fleet_draws.inputs`, for the intervals.
    names
        Those of the work in words.
    """
    if "supply" not in mix.shadow_prices:
        return ""
    price = mix.shadow_prices["supply"].isel(scenario=0).to_series()
    scarce = price.idxmin()
    if price[scarce] > -1e-9:
        return ""
    objective = next(n for n, unit in fleet_problem.OBJECTIVES.items() if unit == mix.objective.attrs["units"])
    amount, word = ("cost_usd_per_h", "cost") if objective == "cost" else ("power_kw", "energy")
    need = [one[amount] / one["throughput"] for one in (arguments, draws)]
    others = [name for name in need[0].indexes["accelerator"] if name != scarce]
    share, drawn = (100 * one.sel(accelerator=scarce) / one.sel(accelerator=others).min("accelerator") for one in need)
    share = share.to_series().sort_values()
    low, high = (drawn.quantile(LEVELS[end], "scenario").to_series() for end in ("low", "high"))
    done = fleet_views.who_does_what(mix, arguments).loc[scarce]
    (first, last), told = share.index[[0, -1]], names or {}
    ends = [
        f"{told.get(kind, kind).lower()}, at {share[kind]:.0f} ({tell.between(low[kind], high[kind], 2)}) %"
        for kind in (first, last)
    ]
    yearly, times = fleet_views.yearly(mix)
    gain = prices(draws, objective).loc[("supply", scarce)]
    return (
        f"One more {scarce} would save {tell.number(-price[scarce] * times)} "
        f"({tell.between(gain['low'], gain['high'])}) {yearly}. It is furthest ahead in {ends[0]} of the {word} of the "
        f"next best, and least in {ends[1]}; as predicted, it does {done[first]:.0f} % of the one and "
        f"{done[last]:.0f} % of the other."
    )


def prices(draws: dict, objective: str = "energy") -> pd.DataFrame:
    """Return the bands of :func:`gigafleet.fleet_views.prices` over the draws that have a solution.

    Returns
    -------
    DataFrame
        Indexed by ``limit`` and ``of``: ``low``, ``median`` and ``high`` in the unit there; 0 where a limit does not
        bind.
    """
    gains = fleet_views.gains(fleet.optimize(**draws, objective=objective)).dropna()
    ends = gains.quantile(list(LEVELS.values())).set_axis(list(LEVELS)).T
    return ends.droplevel("unit")


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
