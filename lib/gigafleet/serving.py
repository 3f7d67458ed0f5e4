"""Serving at a speed that a user asks for: the trade of throughput against interactivity, speculation, and what a token
takes in energy and money."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import active_power, catalog, comparison, cost, power
from gigafleet.architectures import find_llm
from gigafleet.errors import require, unknown
from gigafleet.performance import LOADS, throughput
from gigafleet.tables import resource

SIZES = (1, 2, 4, 8)  # accelerators of an instance that results were measured on


USERS = ("serving", "decode")  # phases in which somebody waits


def _names(accelerators) -> list[str]:
    """Return the short names of accelerators, one or several."""
    names = [accelerators] if isinstance(accelerators, str) else accelerators
    return list(dict.fromkeys(catalog.find(name) for name in names))


def _check_settings(settings: dict, *more: str) -> None:
    allowed = ("number_format", "prompt_tokens", "output_tokens", "speculative", *more)
    if wrong := [name for name in settings if name not in allowed]:
        raise unknown("setting", wrong[0], allowed)


def frontier(accelerator: str, llm: str, **settings) -> pd.DataFrame:
    """Return the trade of throughput against interactivity for one accelerator and model.

    Parameters
    ----------
    accelerator, llm
        Names, as people write them.
    settings
        As in :func:`gigafleet.performance.throughput`, without ``batch`` and ``phase``. Without
        ``accelerators_per_instance`` the best of the sizes that results were measured on is taken at every point.

    Returns
    -------
    DataFrame
        Indexed by ``batch`` (requests per instance that fit), from the fastest for a user to the most for all:
        ``tokens_per_s_user``, ``tokens_per_s`` per accelerator, ``low`` and ``high`` [tokens/s], ``instance``. No
        point has another that is better in both.
    """
    _check_settings(settings, "accelerators_per_instance")
    short, columns = catalog.find(accelerator), ["tokens_per_s_user", "tokens_per_s", "low", "high"]
    size = settings.pop("accelerators_per_instance", None)
    if size is None:
        smallest = float(throughput([short], [llm], 1, **settings)["instance"].squeeze())
        sizes = [] if np.isnan(smallest) else _sizes(short, smallest)
    else:
        sizes = [size]
    each = [throughput([short], [llm], LOADS, accelerators_per_instance=n, **settings).squeeze() for n in sizes]
    tables = [found[columns].to_dataframe()[columns].assign(instance=n) for found, n in zip(each, sizes, strict=True)]
    if not tables:
        return pd.DataFrame(columns=[*columns, "instance"], index=pd.Index([], name="batch"))
    points = pd.concat(tables).dropna().sort_values(["tokens_per_s_user", "tokens_per_s"], ascending=False)
    return points[points["tokens_per_s"] > points["tokens_per_s"].cummax().shift(fill_value=0)]


def at_interactivity(accelerators: Iterable[str], llm: str, tokens_per_s_user, **settings) -> xr.Dataset:
    """Return the most that accelerators give while every user gets so many tokens per second.

    Parameters
    ----------
    accelerators, llm
        Names, as people write them.
    tokens_per_s_user
        What a user is to get, a number or an array. [tokens/s]
    settings
        As in :func:`gigafleet.performance.throughput`, without ``batch`` and ``accelerators_per_instance``; ``phase``
        may be ``serving`` or ``decode``.

    Returns
    -------
    Dataset
        Dimensions ``accelerator``, ``interactivity``: ``tokens_per_s`` per accelerator, NaN where a user cannot get as
        much; ``low`` and ``high``, the 90 % band [tokens/s], with a ``low`` of 0 where it may not be reached;
        ``instance`` [accelerators] and ``requests`` in an instance. ``compute_format`` has no ``interactivity``.

    Notes
    -----
    An instance has 1, 2, 4 or 8 accelerators, or as many as the model needs; the best size is taken. Larger instances
    were not measured, so a rack counts as several of them. The band moves the whole curve: hardware that is slower
    than predicted must also carry fewer requests to give a user the same.
    """
    require("tokens_per_s_user", tokens_per_s_user, above=0)
    wanted = np.atleast_1d(np.asarray(tokens_per_s_user, dtype=float))
    if np.ndim(tokens_per_s_user) > 1:
        raise ValueError(f"tokens_per_s_user must be a number or a list, not of shape {np.shape(tokens_per_s_user)}")
    names = _names(accelerators)
    _check_settings(settings, "phase")
    if settings.get("phase", "serving") not in USERS:
        raise unknown("phase with users", settings["phase"], USERS)
    smallest = throughput(names, [llm], 1, **settings).isel(llm=0, batch=0)
    points = [_best(name, llm, float(smallest["instance"].sel(accelerator=name)), wanted, settings) for name in names]
    data = {key: (("accelerator", "interactivity"), np.array([p[key] for p in points])) for key in points[0]}
    data["compute_format"] = ("accelerator", smallest["compute_format"].to_numpy())
    found = xr.Dataset(data, coords={"accelerator": names, "interactivity": wanted})
    for name in ("tokens_per_s", "low", "high"):
        found[name].attrs["units"] = "tokens/s"
    return found


def _sizes(accelerator: str, smallest: float) -> list[float]:
    """Return the sizes of instance to choose from: the smallest that holds the model, and larger ones measured."""
    domain = catalog.accelerators().loc[accelerator, "scale_up_domain"]
    return [smallest, *(size for size in SIZES if smallest < size <= (1 if np.isnan(domain) else domain))]


def _best(accelerator: str, llm: str, smallest: float, wanted: np.ndarray, settings: dict) -> dict[str, np.ndarray]:
    """Return the operating points of one accelerator, each from the size of instance that gives the most; NaN where its
    figures are not known."""
    if np.isnan(smallest):
        return {k: np.full(len(wanted), np.nan) for k in ("instance", "tokens_per_s", "low", "high", "requests")}
    sizes = _sizes(accelerator, smallest)
    found = [_points(accelerator, llm, size, wanted, settings) for size in sizes]
    stacked = {key: np.array([one[key] for one in found]) for key in found[0]}
    best = np.argmax(np.nan_to_num(stacked["tokens_per_s"], nan=-1), axis=0)
    best = {key: np.take_along_axis(values, best[None], axis=0)[0] for key, values in stacked.items()}
    for end in ("low", "high"):  # of a slower or faster accelerator another size may be the best
        best[end] = np.nanmax(stacked[end], axis=0)
    best["instance"] = np.where(np.isnan(best["tokens_per_s"]), np.nan, best["instance"])
    return best


def _points(accelerator: str, llm: str, size: float, wanted: np.ndarray, settings: dict) -> dict[str, np.ndarray]:
    """Return what an instance of one size gives at each interactivity, and the ends of its band."""
    loads = np.geomspace(1, size * LOADS[-1], len(LOADS))
    curve = throughput([accelerator], [llm], loads, accelerators_per_instance=size, **settings)
    curve = curve.isel(accelerator=0, llm=0).dropna("batch", subset=["tokens_per_s"])
    out = {"instance": np.full(len(wanted), size)}
    for name in ("tokens_per_s", "low", "high", "requests"):
        out[name] = np.full(len(wanted), 0.0 if name in ("low", "high") else np.nan)
    if not curve.sizes["batch"]:
        return out
    user = np.minimum.accumulate(curve["tokens_per_s_user"].to_numpy())  # falls with the load
    for name in ("tokens_per_s", "low", "high"):
        scale = (curve[name] / curve["tokens_per_s"]).to_numpy()
        ask = np.log(wanted)
        reached = np.log(user * scale)
        order = np.argsort(reached, kind="stable")
        within = ask <= reached.max()
        rate = np.exp(np.interp(ask, reached[order], np.log(curve[name].to_numpy())[order]))
        out[name] = np.where(within, rate, out[name])
        if name == "tokens_per_s":
            requests = np.exp(np.interp(ask, reached[order], np.log(curve["batch"].to_numpy())[order]))
            out["requests"] = np.where(within, requests, np.nan)
    return out


def speculation_gain() -> pd.Series:
    """Return by how much speculative decoding raises throughput at a given load: ``value``, ``low`` and ``high`` of the
    factor (90 % interval of its mean).

    How many guessed tokens a model accepts is not in the results, so it is the gain of the models and settings that
    were measured; the band of a prediction with speculation is wider.
    """
    fitted = resource("efficiencies").set_index("parameter").loc["speculation:on"]
    ends = {"value": 0, "low": -1.645, "high": 1.645}
    return pd.Series({k: np.exp(fitted["value"] + z * fitted["standard_error"]) for k, z in ends.items()})


def per_token(tokens_per_s, *, it_kw, annual_pue: float, chip_kw=None, usd_per_h=None, load_factor=1.0) -> dict:
    """Return the energy and cost of a token at three levels.

    Parameters
    ----------
    tokens_per_s
        Throughput per accelerator [tokens/s].
    it_kw
        IT power that the accelerator draws, as :func:`gigafleet.active_power.draws` gives it [kW].
    annual_pue
        Facility energy over IT energy.
    chip_kw
        Power that the chip draws [kW]; without it there is no ``chip_j``.
    usd_per_h
        Cost of an accelerator-hour [USD/h]; without it there is no ``usd_per_million``.
    load_factor
        Share of the capacity that is sold; for cost only.

    Returns
    -------
    dict
        ``chip_j``, ``it_j``, ``facility_j`` [J/token], ``usd_per_million`` [USD], ``tokens_per_s_per_mw`` of facility
        power in use.
    """
    require("tokens_per_s", tokens_per_s, above=0, absent=True)
    require("it_kw", it_kw, above=0, absent=True)
    require("annual_pue", annual_pue, minimum=1)
    facility_kw = np.asarray(it_kw) * annual_pue
    out = {
        "it_j": power.joules_per_token(np.asarray(it_kw), tokens_per_s),
        "facility_j": power.joules_per_token(facility_kw, tokens_per_s),
        "tokens_per_s_per_mw": power.tokens_per_s_per_mw(tokens_per_s, facility_kw),
    }
    if chip_kw is not None:
        require("chip_kw", chip_kw, above=0, absent=True)
        out["chip_j"] = power.joules_per_token(np.asarray(chip_kw), tokens_per_s)
    if usd_per_h is not None:
        out["usd_per_million"] = cost.usd_per_million_tokens(usd_per_h, tokens_per_s, load_factor)
    return out


def at_speed(accelerators: Iterable[str], llm: str, tokens_per_s_user: float, **settings) -> pd.DataFrame:
    """Return accelerators side by side at one interactivity: throughput, power, energy and cost of a token.

    Parameters
    ----------
    accelerators, llm, tokens_per_s_user, settings
        As in :func:`at_interactivity`.

    Returns
    -------
    DataFrame
        Indexed by accelerator: ``vendor``, ``tokens_per_s``, ``low``, ``high`` [tokens/s], ``instance``, ``requests``,
        ``compute_format``; ``chip_j``, ``it_j``, ``facility_j`` [J/token]; ``tokens_per_s_per_mw`` of facility power in
        use; ``usd_per_million`` on a hyperscaler's published cost of ownership. NaN where an input is not known. With
        ``_low`` and ``_high`` behind the name, the 90 % interval: of the band of the throughput and the ranges of chip,
        IT and facility power, as independent. The published cost has no range.
    """
    found = at_interactivity(accelerators, llm, tokens_per_s_user, **settings).isel(interactivity=0, drop=True)
    table = found.to_dataframe()
    table[["low", "high"]] = table[["low", "high"]].where(table["high"] > 0)
    known = catalog.accelerators().loc[table.index]
    table.insert(0, "vendor", known["vendor"])
    experts = bool(resource("llms").set_index("model").loc[find_llm(llm), "experts"] > 0)
    load = (table["requests"] / table["instance"]).fillna(1.0)
    drawn = active_power.draws(table.index, "serving", load.to_numpy(), experts)
    pue = catalog.value("ai-datacenter", "annual_pue")
    spent = per_token(
        table["tokens_per_s"],
        it_kw=drawn["it_kw"],
        annual_pue=pue,
        chip_kw=drawn["chip_kw"],
        usd_per_h=known["owner_cost_usd_per_h"],
    )
    table = table.join(pd.DataFrame(spent, index=table.index))
    return _with_ends(table)


def _with_ends(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of :func:`at_speed` with the ends of its intervals: on each side the logarithms of the band and of
    the ranges of power add up as squares."""
    low, high = (catalog.accelerators(case).loc[table.index] for case in ("low", "high"))
    wide = {name: np.log(high[name] / low[name]).fillna(0.0) / 2 for name in ("tdp_w", "all_in_kw")}
    pue = np.log(np.divide(*(catalog.value("ai-datacenter", "annual_pue", case=case) for case in ("high", "low")))) / 2
    facility = np.hypot(wide["all_in_kw"], pue)
    more = {"chip_j": wide["tdp_w"], "it_j": wide["all_in_kw"], "facility_j": facility, "usd_per_million": 0.0}
    more["tokens_per_s_per_mw"] = facility
    rate = table["tokens_per_s"]
    slow, fast = np.log(rate / table["low"].replace(0, np.nan)).fillna(np.inf), np.log(table["high"] / rate)
    for name, own in more.items():
        below, above = (slow, fast) if name == "tokens_per_s_per_mw" else (fast, slow)
        table[f"{name}_low"] = table[name] * np.exp(-np.hypot(below, own))
        table[f"{name}_high"] = table[name] * np.exp(np.hypot(above, own))
    return table


def racks(accelerators: Iterable[str], llm: str, requests_per_accelerator: float = 64, **settings) -> pd.DataFrame:
    """Return what racks give in serving at one load, over their power.

    Parameters
    ----------
    accelerators, llm
        Names, as people write them.
    requests_per_accelerator
        Requests in flight, the same for all. [1]
    settings
        As in :func:`at_interactivity`; the best size of instance is taken as there.

    Returns
    -------
    DataFrame
        Indexed by system as :func:`gigafleet.comparison.racks`, the most per kW first: ``name``, ``vendor``,
        ``rack_tokens_per_s``, ``tokens_per_s_user`` [tokens/s], and throughput over the power of the rack: ``value``,
        ``low``, ``high`` [tokens/s per kW]. The interval joins the band of the model with the range of the power, as
        independent. ``spread`` is its half-width, a logarithm.
    """
    _check_settings(settings)
    require("requests_per_accelerator", requests_per_accelerator, above=0)
    table = comparison.racks(_names(accelerators))
    if table.empty:
        raise ValueError(f"no rack in the data holds any of {', '.join(_names(accelerators))}")
    inside = catalog.systems().loc[table.index, "accelerator"]
    names = list(dict.fromkeys(inside))
    smallest = throughput(names, [llm], 1, **settings)["instance"].isel(llm=0).to_series()
    best = {}
    for name in names:
        found = [
            throughput(
                [name], [llm], [1, requests_per_accelerator * size], accelerators_per_instance=size, **settings
            ).isel(batch=1)
            for size in _sizes(name, smallest[name])
        ]
        best[name] = max(found, key=lambda one: np.nan_to_num(one["tokens_per_s"].item(), nan=-1))
    keys = ("tokens_per_s", "high", "tokens_per_s_user")
    rate, high, user = (inside.map({name: one[key].item() for name, one in best.items()}) for key in keys)
    if rate.isna().all():
        raise ValueError(
            f"{requests_per_accelerator:,.0f} requests of {llm} for each accelerator fit in none of the racks"
        )
    out = table[["name", "vendor"]].copy()
    out["rack_tokens_per_s"] = rate * table["accelerators_per_system"]
    out["tokens_per_s_user"] = user
    out["value"] = out["rack_tokens_per_s"] / table["rack_kw"]
    power_spread = np.log((table["rack_kw_high"] / table["rack_kw_low"]).fillna(1.0)) / 2
    out["spread"] = np.hypot(np.log(high / rate), power_spread)
    out["low"], out["high"] = (out["value"] * np.exp(sign * out["spread"]) for sign in (-1, 1))
    return out.dropna(subset=["value"]).sort_values("value", ascending=False, kind="stable")


def by_load(accelerators: Iterable[str], llm: str, loads: Iterable[float], **settings) -> pd.DataFrame:
    """Return :func:`racks` at several loads, one under the other, indexed by (``requests_per_accelerator``, system)."""
    found = {load: racks(accelerators, llm, load, **settings) for load in loads}
    return pd.concat(found, names=["requests_per_accelerator", "system"])


def ratios(table: pd.DataFrame, one: str, others: Iterable[str]) -> pd.DataFrame:
    """Return a row of :func:`racks` over others, the errors of both taken as independent.

    Returns
    -------
    DataFrame
        Indexed by the others: ``value``, ``low``, ``high`` (90 % interval) and ``verdict``: ``ahead`` or ``behind``
        where the interval lies on one side of 1, else ``not distinguishable``.

    Raises
    ------
    UnknownNameError
        Naming the rows there are.
    """
    others = list(others)
    for name in (one, *others):
        if name not in table.index:
            raise unknown("rack", name, table.index)
    value = table.loc[one, "value"] / table.loc[others, "value"]
    spread = np.exp(np.hypot(table.loc[one, "spread"], table.loc[others, "spread"]))
    out = pd.DataFrame({"value": value, "low": value / spread, "high": value * spread})
    out["verdict"] = np.select([out["low"] > 1, out["high"] < 1], ["ahead", "behind"], "not distinguishable")
    return out
