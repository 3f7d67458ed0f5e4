"""The deal in one vectorised call: from gigawatts to accelerators, compute, energy, carbon, work, cost, the vendor's
revenue and the buyer's warrant.

A point estimate is the same call with one row; a million samples are drawn and worked on in pieces.
"""

import functools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from numbers import Real

import numpy as np
import pandas as pd

from gigafleet import catalog, cost, fleet_inputs, power, uncertainty, vendor_side
from gigafleet.distributions import within_band
from gigafleet.errors import require, unknown
from gigafleet.kept import while_data_last
from gigafleet.ramp import LARGEST_GW

# Basis of a system's price -> what it is; the first that is known counts.
PRICE_BASES = {
    "hyperscaler": "what a hyperscaler pays",
    "analyst_rack": "an analyst's estimate of what buyers pay",
    "rumour": "a rumor",
}

SPECIFICATIONS = {
    "bf16_tflops": "bf16_eflops",
    "fp8_tflops": "fp8_eflops",
    "fp4_tflops": "fp4_eflops",
    "memory_gb": "memory_pb",
}

INPUTS = [
    "it_kw",
    *cost.COMMON,
    "usd_per_mwh",
    "g_co2_per_kwh",
    *SPECIFICATIONS,
    "accelerators_per_system",
    "system_price_usd",
    "network_usd",
    "throughput_error",
]
ERROR = "throughput_error"  # standard normal: how far throughput is off, in units of its band
ERROR_RANGE = {"low": -1.645, "value": 0.0, "high": 1.645, "unit": "std dev", "kind": "model"}
LARGEST_ERROR = 7.0  # none that is drawn lies so far out
WORKERS = min(4, os.cpu_count() or 1)  # threads; the numbers do not depend on them
CHAT = "decode-chat"  # the work whose cost is told
CORRELATED = (("annual_pue", "peak_pue"), ("it_kw", ERROR))

UNITS = {
    "capacity_gw": "GW",
    "accelerators": "",
    "racks": "",
    "bf16_eflops": "EFLOP/s",
    "fp8_eflops": "EFLOP/s",
    "fp4_eflops": "EFLOP/s",
    "memory_pb": "PB",
    "it_gw": "GW",
    "facility_gw": "GW",
    "average_gw": "GW",
    "twh_per_year": "TWh/yr",
    "mt_co2_per_year": "Mt/yr",
    "capex_busd": "billion USD",
    "capex_busd_per_gw": "billion USD/GW",
    "system_busd_per_gw": "billion USD/GW",
    "cost_busd_per_year": "billion USD/yr",
    "tco_busd_per_gw_year": "billion USD/GW/yr",
    "running_busd_per_gw_year": "billion USD/GW/yr",
    "energy_busd_per_gw_year": "billion USD/GW/yr",
    "usd_per_accelerator_hour": "USD/h",
    "tokens_tn_per_day": "trillion/day",
    "usd_per_million_tokens": "USD",
    **vendor_side.UNITS,
}
NAMES = {
    "capacity_gw": "contracted capacity",
    "accelerators": "accelerators",
    "racks": "racks",
    "bf16_eflops": "dense BF16 compute",
    "fp8_eflops": "dense FP8 compute",
    "fp4_eflops": "dense FP4 compute",
    "memory_pb": "high-bandwidth memory",
    "it_gw": "IT power",
    "facility_gw": "power at the meter, hottest hour",
    "average_gw": "power at the meter, average",
    "twh_per_year": "electricity",
    "mt_co2_per_year": "carbon dioxide",
    "capex_busd": "capital",
    "capex_busd_per_gw": "capital per GW",
    "system_busd_per_gw": "racks or servers, per GW",
    "cost_busd_per_year": "cost a year",
    "tco_busd_per_gw_year": "cost per GW and year",
    "running_busd_per_gw_year": "energy, upkeep and staff per GW and year",
    "energy_busd_per_gw_year": "energy per GW and year",
    "usd_per_accelerator_hour": "cost of an accelerator-hour",
    "tokens_tn_per_day": "tokens of all kinds of work, once all is in service",
    "usd_per_million_tokens": "cost of a million tokens of answers to people",
    **vendor_side.NAMES,
}
LABELS = {answer: f"{name} [{UNITS[answer]}]" if UNITS[answer] else name for answer, name in NAMES.items()}


def price_basis(system: str) -> str:
    """Return the basis on which a system's price is known: the first of :data:`PRICE_BASES`, or an empty text."""
    rows = catalog.facts()
    rows = rows[(rows["subject"] == system) & (rows["quantity"] == "price_usd")]
    return next((basis for basis in PRICE_BASES if basis in set(rows["condition"])), "")


def ranges(deal: str = "amd-openai", region: str = "us") -> pd.DataFrame:
    """Return every input of :func:`evaluate` with its range and source: those of :func:`physical_ranges`, and for a
    deal with a roll-out those of :mod:`gigafleet.vendor_side`. Arguments and errors as there."""
    return pd.concat([physical_ranges(deal, region), vendor_side.ranges(deal)])


def physical_ranges(deal: str = "amd-openai", region: str = "us") -> pd.DataFrame:
    """Return the inputs of the deal's power, work and cost with their ranges and sources.

    Parameters
    ----------
    deal
        A deal of ``deals.yaml``.
    region
        A region, for the price of electricity and the carbon intensity.

    Returns
    -------
    DataFrame
        Indexed by input, as :func:`gigafleet.catalog.ranges` gives it. An input that no source gives has no row.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the deal or region that is not known, or what the region lacks.
    """
    terms = catalog.deal(deal)
    region, chip, system = catalog.place(region), terms["accelerator"], terms["system"]
    where = {"it_kw": (chip, "all_in_kw"), **cost.COMMON}
    where |= {"usd_per_mwh": (region, "usd_per_mwh"), "g_co2_per_kwh": (region, "g_co2_per_kwh")}
    where |= {name: (chip, name) for name in SPECIFICATIONS}
    if system:
        where |= {"accelerators_per_system": (system, "accelerators_per_system")}
        where |= {"network_usd": (chip, "scale_out_network_usd")}
        if basis := price_basis(system):
            where |= {"system_price_usd": (system, "price_usd", basis)}
    known = catalog.ranges({name: at for name, at in where.items() if catalog.has(*at)})
    return pd.concat([known, pd.DataFrame(ERROR_RANGE, index=[ERROR])])


def draw(deal: str = "amd-openai", n: int = 1, seed: int = 0, region: str = "us") -> pd.DataFrame:
    """Return samples of the inputs of :func:`evaluate`, correlated as the data say; ``n=1`` gives their values.

    Arguments and errors as :func:`evaluate`. An input that no source gives is NaN, but for the accelerator's own
    network: where none is known, that of the site per kW stands in.
    """
    return pd.concat([pd.DataFrame(draws(), copy=False) for draws in _draws(deal, n, seed, region)], ignore_index=True)


def correlations() -> dict[tuple[str, str], float]:
    """Return the rank correlations between inputs that the data give."""
    return {pair: catalog.value("ai-datacenter", "rank_correlation", " with ".join(pair)) for pair in CORRELATED}


def _draws(deal: str, n: int, seed: int, region: str) -> Iterator[Callable[[], dict[str, np.ndarray]]]:
    """Return the samples of :func:`draw` in pieces, each as a call that draws it."""
    known = ranges(deal, region)
    names = [*INPUTS, *known.index.difference(INPUTS, sort=False)]
    draws = uncertainty.calls(known, n, seed, correlations(), uncertainty.CHUNK)
    return (functools.partial(_completed_draws, piece, names) for piece in draws)


def _completed_draws(draws: Callable[[], dict[str, np.ndarray]], names: list[str]) -> dict[str, np.ndarray]:
    drawn = draws()
    n = len(drawn["it_kw"])
    drawn = {name: drawn[name] if name in drawn else np.full(n, np.nan) for name in names}
    return drawn | {"network_usd": network_usd(drawn)}


def network_usd(drawn: Mapping) -> np.ndarray:
    """Return an accelerator's own network, and in its place the site's network per kW where that is not known. [USD]

    Parameters
    ----------
    drawn
        Inputs of :func:`evaluate`, as columns.
    """
    own, of_site = drawn.get("network_usd", np.nan), drawn["network_usd_per_kw"] * drawn["it_kw"]
    return np.where(np.isnan(own), of_site, own)


def evaluate(
    inputs: pd.DataFrame | None = None,
    deal: str = "amd-openai",
    n: int = 1,
    seed: int = 0,
    *,
    capacity_gw: float | None = None,
    capacity_basis: str = "facility",
    region: str = "us",
) -> pd.DataFrame:
    """Return the headline answers of a deal, one row a sample.

    Parameters
    ----------
    inputs
        Inputs, one row a sample, such as :func:`draw` gives; one that is left out stands at its value in the data. A
        column ``capacity_gw`` varies the capacity. None draws all of them.
    deal
        A deal of ``deals.yaml``.
    n
        Samples, a power of two; 1 gives the point estimate. Not used where ``inputs`` are given.
    seed
        The same seed gives the same samples.
    capacity_gw
        Capacity; the deal's own if None. [GW]
    capacity_basis
        What the gigawatts count: ``facility`` (at the meter, in the hottest hour) or ``it``.
    region
        Where the accelerators stand, for electricity and carbon.

    Returns
    -------
    DataFrame
        Columns as in :data:`UNITS`; NaN where a figure that they need is not known (a price, say).

    Raises
    ------
    UnknownNameError, ValueError
        Naming the deal, region, basis or input that is not known, or the figure out of bounds.
    """
    if capacity_basis not in power.BASES:
        raise unknown("capacity_basis", capacity_basis, power.BASES)
    capacity_gw = capacity(deal, capacity_gw)
    if inputs is None:
        pieces, index = _draws(deal, n, seed, region), pd.RangeIndex(int(n))
    else:
        inputs = _completed(inputs, deal, region)
        pieces, index = _pieces(inputs), inputs.index
    fleet_inputs.default_bands(catalog.deal(deal)["accelerator"])  # once, before threads ask for it
    answers, waiting = np.empty((len(UNITS), len(index))), deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for first, piece in zip(range(0, len(index), uncertainty.CHUNK), pieces, strict=True):
            part = answers[:, first : first + uncertainty.CHUNK]
            waiting.append(pool.submit(_answer, part, piece, deal, capacity_gw, capacity_basis))
            if len(waiting) > WORKERS:
                waiting.popleft().result()
        for job in waiting:
            job.result()
    return pd.DataFrame(answers.T, index, list(UNITS), copy=False)


def capacity(deal: str, capacity_gw: object = None) -> float:
    """Return the capacity given, or a deal's own if None [GW]; an error names one that is not possible."""
    capacity_gw = catalog.deal(deal)["public"]["capacity_gw"] if capacity_gw is None else capacity_gw
    require("capacity_gw", capacity_gw, above=0)
    if np.ndim(capacity_gw):
        raise ValueError(f"capacity_gw must be one number, not {capacity_gw!r}; a column of inputs varies it")
    require("capacity_gw", capacity_gw, maximum=LARGEST_GW)
    return float(capacity_gw)


def _pieces(inputs: pd.DataFrame) -> Iterator[Callable[[], dict[str, np.ndarray]]]:
    """Yield given inputs in pieces, as they are drawn."""
    for first in range(0, len(inputs), uncertainty.CHUNK):
        rows = inputs.iloc[first : first + uncertainty.CHUNK]
        yield functools.partial(dict, zip(rows, rows.to_numpy(float).T, strict=True))


def _answer(
    answers: np.ndarray, draws: Callable[[], dict[str, np.ndarray]], deal: str, capacity_gw: float, capacity_basis: str
) -> None:
    """Write the answers for samples of all inputs, one row an answer of :data:`UNITS`."""
    drawn = draws()
    found = _chain(drawn, deal, capacity_gw, capacity_basis)[0]
    found |= vendor_side.answers(drawn, deal, found["capacity_gw"])
    for row, name in zip(answers, UNITS, strict=True):
        row[:] = found[name]


def _chain(drawn: Mapping, deal: str, capacity_gw: float, capacity_basis: str) -> tuple[dict, dict, dict]:
    """Return the physical answers, and the parts of capital and of yearly cost [billion USD], sample by sample."""
    capacity_gw = drawn.get("capacity_gw", capacity_gw)
    it_kw = drawn["it_kw"]
    accelerators = power.accelerators(capacity_gw, it_kw, drawn["peak_pue"], basis=capacity_basis)
    arguments = cost.arguments(drawn, it_kw)
    draws = {name: arguments[name] for name in ("busy_share", "active_share", "idle_share")}
    energy_mwh = accelerators * power.energy_mwh(power.average_draw_kw(it_kw, **draws), drawn["annual_pue"])
    for name in ("accelerators_per_system", "system_price_usd"):
        require(name, drawn[name], above=0, absent=True)
    for name in (*SPECIFICATIONS, "network_usd"):
        require(name, drawn[name], minimum=0, absent=True)
    require("busy_share", drawn["busy_share"], above=0, maximum=1)  # no cost of a token where none is made
    require(ERROR, drawn[ERROR], minimum=-LARGEST_ERROR, maximum=LARGEST_ERROR)
    price_usd = drawn["system_price_usd"] / drawn["accelerators_per_system"]
    assets = {name: arguments[name] for name in ("facility_usd_per_kw", "network_usd", "storage_usd_per_kw")}
    busd = accelerators / 1e9
    capital = {part: usd * busd for part, usd in cost.capex_parts_usd(price_usd, it_kw, **assets).items()}
    hourly = cost.parts_per_accelerator_hour(price_usd, it_kw, **arguments)
    yearly = {part: usd * busd * power.HOURS_PER_YEAR for part, usd in hourly.items()}
    capex_busd, cost_busd, it_gw = sum(capital.values()), sum(yearly.values()), accelerators * it_kw / 1e6
    usd_per_h = sum(hourly.values())
    answers = {
        "capacity_gw": capacity_gw + 0 * accelerators,
        "accelerators": accelerators,
        "racks": accelerators / drawn["accelerators_per_system"],
        **{answer: accelerators * drawn[name] / 1e6 for name, answer in SPECIFICATIONS.items()},
        "it_gw": it_gw,
        "facility_gw": it_gw * drawn["peak_pue"],
        "average_gw": energy_mwh / power.HOURS_PER_YEAR / 1e3,
        "twh_per_year": energy_mwh / 1e6,
        "mt_co2_per_year": power.carbon_t(energy_mwh, drawn["g_co2_per_kwh"]) / 1e6,
        "capex_busd": capex_busd,
        "capex_busd_per_gw": capex_busd / capacity_gw,
        "system_busd_per_gw": capital["system"] / capacity_gw,
        "cost_busd_per_year": cost_busd,
        "tco_busd_per_gw_year": cost_busd / capacity_gw,
        "running_busd_per_gw_year": sum(yearly[part] for part in cost.RUNNING) / capacity_gw,
        "energy_busd_per_gw_year": yearly["energy"] / capacity_gw,
        "usd_per_accelerator_hour": usd_per_h,
        **_work(drawn, catalog.deal(deal)["accelerator"], accelerators, usd_per_h),
    }
    return answers, capital, yearly


def _work(drawn: Mapping, chip: str, accelerators: object, usd_per_h: object) -> dict[str, object]:
    """Return tokens a day, all kinds of work in their shares of busy time, and the cost of a million of answers."""
    bands, tokens, cost_of = fleet_inputs.default_bands(chip), 0.0, np.nan
    for name, share in fleet_inputs.drawn_shares(drawn).items():
        each = within_band(*bands[name], drawn[ERROR]) * drawn["busy_share"]
        tokens = tokens + share * each
        if name == CHAT:
            cost_of = usd_per_h * 1e6 / (3600 * each)
    return {"tokens_tn_per_day": accelerators * tokens * 86_400 / 1e12, "usd_per_million_tokens": cost_of}


def _completed(inputs: pd.DataFrame, deal: str, region: str) -> pd.DataFrame:
    """Return the inputs given, with the values of the others."""
    if not isinstance(inputs, pd.DataFrame):
        raise ValueError(f"inputs must be a DataFrame, one row a sample, not {type(inputs).__name__}")
    if not inputs.columns.is_unique:
        raise ValueError(f"inputs have the column {inputs.columns[inputs.columns.duplicated()][0]!r} twice")
    values, given = _values(deal, region), {}
    for name in inputs.columns:
        if name not in (*values.index, "capacity_gw"):
            raise unknown("input", name, [*values.index, "capacity_gw"])
        given[name] = _numbers(name, inputs[name])
        if np.isinf(given[name]).any():
            raise ValueError(f"input {name} must be finite, not inf")
        if given[name].isna().any() and name in (*values.index[values.notna()], "capacity_gw"):
            raise ValueError(f"input {name} must be a number, not nan (row {inputs.index[given[name].isna()][0]})")
    require("capacity_gw", given.get("capacity_gw", 1.0), above=0, maximum=LARGEST_GW)
    whole = pd.DataFrame(dict(values) | given, index=inputs.index)
    return whole.assign(network_usd=network_usd(whole))


@while_data_last
def _values(deal: str, region: str) -> pd.Series:
    """Return every input of a deal at its value, NaN where no source gives one."""
    values = uncertainty.prepare(ranges(deal, region))["value"]
    return values.reindex([*INPUTS, *values.index.difference(INPUTS, sort=False)])


def _numbers(name: str, column: pd.Series) -> pd.Series:
    """Return a column of given inputs as floats; an error names what is no number."""
    if column.dtype.kind not in "iuf":
        for row, value in column.items():
            if not isinstance(value, Real | None) or isinstance(value, bool):
                raise ValueError(f"input {name} must be a number, not {value!r} (row {row})")
    return pd.Series(column.to_numpy(float, na_value=np.nan), column.index)


def breakdown(
    deal: str = "amd-openai",
    n: int = 4096,
    seed: int = 0,
    *,
    capacity_gw: float | None = None,
    capacity_basis: str = "facility",
    region: str = "us",
) -> pd.DataFrame:
    """Return what the money goes to: each part's share of the total. Arguments and errors as :func:`evaluate`.

    Returns
    -------
    DataFrame
        One row a part of the cost. Under ``capex_share`` and ``cost_share``: ``value``, the mean over samples, as means
        add up to 1, and ``low`` and ``high``, the ends of the 90 % interval. NaN without a price.
    """
    capacity_gw = capacity(deal, capacity_gw)
    if capacity_basis not in power.BASES:
        raise unknown("capacity_basis", capacity_basis, power.BASES)
    _, capital, yearly = _chain(draw(deal, n, seed, region), deal, capacity_gw, capacity_basis)
    found = {}
    for name, parts in (("capex_share", capital), ("cost_share", yearly)):
        shares = pd.DataFrame({part: busd / sum(parts.values()) for part, busd in parts.items()})
        ends = uncertainty.interval(shares)[["low", "high"]]
        found[name] = pd.concat([shares.mean().rename("value"), ends], axis=1).reindex(list(cost.PARTS))
    return pd.concat(found, axis=1)
