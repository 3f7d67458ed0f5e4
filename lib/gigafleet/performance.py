"""Tokens per second from the spec sheet and efficiencies fitted to measured results.

:func:`predict` answers for rows of results, :func:`throughput` for a grid of accelerators, models and loads. Every
answer has a 90 % band from results that were left out of the fit; it is wider for a generation without results.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import calibration, catalog, effects, roofline, workloads
from gigafleet.architectures import arithmetic, find_llm
from gigafleet.errors import require, require_whole, unknown

PHASES = ("training", "prefill", "decode", "serving")
FORMATS = tuple(workloads.BITS)
LOADS = np.geomspace(1, 4096, 64)
MOST = 1e9  # requests in flight that may be asked for


def predict(benchmarks: pd.DataFrame, explain: bool = False) -> pd.Series | pd.DataFrame:
    """Return the predicted throughput of benchmark rows.

    Parameters
    ----------
    benchmarks
        Rows with the columns :data:`gigafleet.workloads.READ`, which are known before a run; others are not looked at.
        Lengths, ``concurrency`` and ``interactivity_tok_s_user`` may be NaN: a benchmark's lengths then come from
        ``data/benchmark_tasks.csv``. Interactivity is used only where no concurrency is given: the load is then the one
        at which a user gets that many tokens per second.
    explain
        Whether to return why and how sure, too.

    Returns
    -------
    Series or DataFrame
        Output tokens/s per accelerator of the whole pool, trained tokens/s in training, same index. With ``explain``:
        ``tokens_per_s``, ``low`` and ``high`` (90 % band), ``reason`` where there is no answer, ``stratum``,
        ``assumed`` (what a row states but cannot be used, and what is taken in its place), ``compute_format`` (what
        computes, where the accelerator lacks the format of the weights), ``instance`` [accelerators], ``out_of_reach``
        (no load gives a user the interactivity that is asked; the answer is for the nearest that does) and
        ``new_generation`` (no result of the generation was fitted). NaN only where the accelerator or the architecture
        is unknown or the model does not fit in memory.

    Raises
    ------
    ValueError
        Naming columns that are missing.
    """
    x = workloads.from_results(benchmarks).reset_index(drop=True)
    known = calibration.load()
    ok = x["unknown"].eq("")
    rows = _at_interactivity(x[ok], known)
    out = pd.DataFrame(np.nan, index=x.index, columns=["tokens_per_s", "low", "high"])
    capped = pd.Series(False, x.index)
    if len(rows):
        design, width = effects.Design(rows, known.names), calibration.half_width(rows, known)
        log, capped[ok] = design.predict(known.values), design.capped(known.values)
        band = np.exp(np.column_stack([log, log - width, log + width]))
        asked = rows["low"].notna().to_numpy()
        band[asked, 1:] = rows.loc[asked, ["low", "high"]]
        out[ok.to_numpy()] = band
    if not explain:
        return out["tokens_per_s"].set_axis(benchmarks.index)
    out["reason"] = x["unknown"]
    out["stratum"] = effects.stratum(rows).reindex(x.index).fillna("")
    waits = capped.map({True: "load beyond memory waits", False: ""})
    out["assumed"] = (x["assumed"] + "; " + waits).str.strip("; ")
    out["compute_format"], out["instance"] = x["compute_format"], x["instance"]
    out["out_of_reach"] = rows["out_of_reach"].reindex(x.index, fill_value=False)
    out["new_generation"] = ~x["generation"].isin(known.generations)
    return out.set_axis(benchmarks.index)


def _at_interactivity(x: pd.DataFrame, known: calibration.Efficiencies) -> pd.DataFrame:
    """Return rows whose load is found from the interactivity that is asked, where no load is given.

    ``out_of_reach`` marks those for which no load gives it. ``low`` and ``high`` are the ends of their band: it moves
    the whole trade of throughput against interactivity, since slower hardware must also carry fewer requests.
    """
    x = x.assign(out_of_reach=False, low=np.nan, high=np.nan)
    ask = (x["interactivity"].notna() & x["requests"].isna() & ~x["training"]).to_numpy()
    if not ask.any():
        return x
    asked = x[ask].assign(scenario="serving")
    grid = asked.loc[asked.index.repeat(len(LOADS))].reset_index(drop=True)
    grid["requests"] = np.tile(LOADS, len(asked)) * grid["instance"] / 8
    log = effects.Design(grid, known.names).predict(known.values)
    width = calibration.half_width(grid, known).to_numpy()
    shape = (len(asked), -1)
    loads = grid["requests"].to_numpy().reshape(shape)
    each = (log + np.log(grid["instance"] / grid["requests"])).to_numpy().reshape(shape)  # what a user gets
    each = np.minimum.accumulate(each, axis=1)  # falls with the load
    log, width = log.reshape(shape), width.reshape(shape)
    want = np.log(asked["interactivity"].to_numpy())
    for name, shift in (("requests", 0 * width), ("low", -width), ("high", width)):
        found = np.log(loads) if name == "requests" else log + shift
        x.loc[ask, name] = np.exp(
            [np.interp(-w, -(e + s), f) for w, e, s, f in zip(want, each, shift, found, strict=True)]
        )
    x.loc[ask, "scenario"] = "serving"
    x.loc[ask, "out_of_reach"] = (want > each[:, 0]) | (want < each[:, -1])
    return x


def _grid(pairs: pd.DataFrame, phase: str, number_format: str, prompt_tokens: float, output_tokens: float):
    """Return inputs for (accelerator, llm) pairs on software of no particular engine."""
    formats = pd.Series(number_format, index=pairs.index)
    x = workloads.hardware(pairs["accelerator"], formats)
    x = x.join(arithmetic().reindex(pairs["llm"].to_numpy()).set_axis(pairs.index))
    x["accelerator"], x["llm"] = pairs["accelerator"], pairs["llm"]
    x["weight_bytes"] = workloads.BITS[number_format] / 8
    x["cache_bytes"] = np.where(x["weight_bytes"] <= 1, 1.0, 2.0)
    x["prompt_tokens"], x["output_tokens"] = float(prompt_tokens), float(output_tokens)
    flags = dict.fromkeys(("mlperf", "speculative", "disaggregated", "adapters"), False)
    x = x.assign(engine="", scenario="serving", training=phase == "training", novelty=0.0, **flags)
    x["instance"] = workloads.smallest_instance(x)
    return x


def throughput(
    accelerators: Iterable[str],
    llms: Iterable[str],
    batch=1.0,
    *,
    phase: str = "serving",
    number_format: str = "fp8",
    prompt_tokens: float = 1024,
    output_tokens: float = 1024,
    accelerators_per_instance: float | None = None,
    speculative: bool = False,
) -> xr.Dataset:
    """Return throughput on a grid of accelerators, models and loads.

    Parameters
    ----------
    accelerators, llms
        Names, as people write them.
    batch
        Requests in flight in an instance, a number or an array [requests]. Training does not go by it.
    phase
        ``training``, ``prefill`` (input tokens), ``decode`` (output tokens, prompts read elsewhere) or ``serving``
        (output tokens, with the prompts read on the same accelerators).
    number_format
        Format of the weights. An accelerator without it computes in the next wider one.
    prompt_tokens, output_tokens
        Lengths of a request [tokens]; in training the first is the sequence.
    accelerators_per_instance
        Accelerators that hold a copy, in training all that train together; if None the smallest power of two at which
        the weights, in training with gradients and the optimizer's state, take 60 % of memory.
    speculative
        Whether tokens are guessed and checked several at a time, in ``decode`` and ``serving``. The gain is that of
        results with it (see :func:`gigafleet.serving.speculation_gain`), the band theirs and wider.

    Returns
    -------
    Dataset
        Dimensions ``accelerator``, ``llm``, ``batch``: ``tokens_per_s`` per accelerator with ``low`` and ``high``
        (90 % band; in prefill and decode that of serving, as no results of either alone are in the data) [tokens/s],
        ``tokens_per_s_user`` [tokens/s], and ``fits``. NaN where the batch does not fit in memory or a figure of the
        data sheet is unknown. ``instance`` [accelerators] and ``compute_format`` have no ``batch``.

    Raises
    ------
    UnknownNameError
        An accelerator, model, phase or format that is not known.
    ValueError
        Lengths or batch not above 0, context beyond the model's limit, or nothing that fits in memory.
    """
    if not isinstance(speculative, bool | np.bool_):
        raise ValueError(f"speculative must be True or False, not {speculative!r}")
    number_format = str(number_format).lower()
    names, models = _checked(accelerators, llms, batch, phase, number_format, prompt_tokens, output_tokens)
    batches = np.atleast_1d(np.asarray(batch, dtype=float))
    index = pd.MultiIndex.from_product([names, models], names=["accelerator", "llm"])
    x = _grid(index.to_frame(index=False), phase, number_format, prompt_tokens, output_tokens)
    if accelerators_per_instance is not None:
        x["instance"] = _given_instance(x, accelerators_per_instance, number_format)
    x["speculative"] = speculative and phase in ("decode", "serving")
    x["pool"] = x["instance"]
    known = calibration.load()
    cells = x.loc[x.index.repeat(len(batches))].reset_index(drop=True)
    cells["requests"] = np.tile(batches, len(x))
    log = _log_tokens(cells, phase, known)
    width = calibration.half_width(cells, known)
    fits = _fitting(cells)
    shape = (len(names), len(models), len(batches))
    dims = ("accelerator", "llm", "batch")
    rate = np.where(fits, np.exp(log), np.nan)
    each = rate * (cells["instance"] / cells["requests"]).to_numpy()
    values = {"tokens_per_s": rate, "low": rate * np.exp(-width), "high": rate * np.exp(width), "fits": fits}
    if phase in ("decode", "serving"):
        values["tokens_per_s_user"] = each
    data = {name: (dims, np.reshape(value, shape)) for name, value in values.items()}
    for name in ("instance", "compute_format"):
        data[name] = (dims[:2], x[name].to_numpy().reshape(shape[:2]))
    found = xr.Dataset(data, coords={"accelerator": names, "llm": models, "batch": batches})
    for name in ("tokens_per_s", "low", "high", "tokens_per_s_user"):
        if name in found:
            found[name].attrs["units"] = "tokens/s"
    return found


def _checked(accelerators, llms, batch, phase, number_format, prompt_tokens, output_tokens) -> tuple[list, list]:
    """Return the short names of accelerators and models, after a look at all that is asked."""
    for what, given in (("accelerators", accelerators), ("llms", llms)):
        if not isinstance(given, Iterable):
            raise ValueError(f"{what} must be names, not {given!r}")
    accelerators, llms = ([n] if isinstance(n, str) else list(n) for n in (accelerators, llms))
    if not accelerators or not llms:
        raise ValueError(f"{'llms' if accelerators else 'accelerators'} must name at least one")
    names = list(dict.fromkeys(catalog.find(name) for name in accelerators))
    models = list(dict.fromkeys(find_llm(name) for name in llms))
    if phase not in PHASES:
        raise unknown("phase", phase, PHASES)
    if number_format not in FORMATS:
        raise unknown("number format", number_format, FORMATS)
    require("batch", batch, above=0, maximum=MOST)
    if np.ndim(batch) > 1 or np.size(batch) == 0:
        raise ValueError(f"batch must be a number or a list of numbers, not an array of shape {np.shape(batch)}")
    for name, value in (("prompt_tokens", prompt_tokens), ("output_tokens", output_tokens)):
        require(name, value, above=0)
        if np.ndim(value):
            raise ValueError(f"{name} must be one number, not {value!r}")
    table = arithmetic()
    context = prompt_tokens + (output_tokens if phase in ("decode", "serving") else 0)
    for model in models:
        if model not in table.index:
            raise ValueError(f"dimensions of {model} are not known; known: {', '.join(table.index)}")
        if context > table.loc[model, "max_context"]:
            limit = table.loc[model, "max_context"]
            raise ValueError(f"context of {context:,.0f} tokens is beyond the {limit:,.0f} of {model}")
    return names, models


def _given_instance(x: pd.DataFrame, given: float, number_format: str) -> float:
    """Return the accelerators of an instance that the caller wants, if any model fits in them."""
    require_whole("accelerators_per_instance", given, minimum=1, maximum=workloads.MOST["n_accelerators"])
    given = float(given)
    share = workloads.held_bytes(x) / (roofline.USABLE * x["memory"])  # accelerators that the model fills
    if (share > given).all():
        best = share.idxmin()
        what = "Training " if x["training"][best] else ""
        raise ValueError(
            f"{what}{x['llm'][best]} in {number_format} does not fit in {given:g} accelerators; "
            f"it needs at least {np.ceil(share[best]):.0f} of {x['accelerator'][best]}"
        )
    return float(given)


def _fitting(cells: pd.DataFrame) -> np.ndarray:
    """Return which cells fit in memory: weights and cache, in training what it keeps of parameters; an error if none
    does, though the accelerator's figures are known."""
    if cells["training"].all():
        return (workloads.held_bytes(cells) <= roofline.USABLE * cells["memory"] * cells["instance"]).to_numpy()
    most = roofline.most_requests(cells)
    fits = (most >= cells["requests"]).to_numpy()
    if not fits.any() and most.notna().any():
        cell = cells.loc[most.idxmax()]
        context = cell["prompt_tokens"] + cell["output_tokens"]
        fit = f"{np.floor(most.max()):,.0f} of {cell['llm']} fit in {cell['instance']:.0f} of {cell['accelerator']}"
        if most.max() < 1:
            fit = f"one of {cell['llm']} needs at least {_enough(cell)} of {cell['accelerator']}"
        raise ValueError(f"{cells['requests'].min():,.0f} requests of {context:,.0f} tokens fit nowhere; {fit}")
    return fits


def _enough(cell: pd.Series) -> int:
    """Return how many accelerators hold the model and one request."""
    sizes = np.arange(1, 4097)
    cells = pd.DataFrame([cell] * len(sizes)).assign(instance=sizes.astype(float), pool=sizes.astype(float))
    return int(sizes[np.argmax(roofline.most_requests(cells).to_numpy(float) >= 1)])


def _log_tokens(x: pd.DataFrame, phase: str, known: calibration.Efficiencies) -> np.ndarray:
    design = effects.Design(x, known.names)
    if phase in ("training", "serving"):
        return design.predict(known.values)
    inputs, p = design.inputs(known.values), design.efficiencies(known.values)
    rate = (
        roofline.prefill_tokens_per_s(inputs, p) if phase == "prefill" else roofline.decode_tokens_per_s(inputs, p, 0)
    )
    return np.log(rate) + design.factor(known.values)


def step_parts(accelerator: str, llm: str, batch=1.0, **settings) -> pd.DataFrame:
    """Return where the time of a decode step goes: its parts in milliseconds, one row a batch.

    Parameters
    ----------
    accelerator, llm
        Names, as people write them.
    batch
        Requests in an instance.
    settings
        ``number_format``, ``prompt_tokens``, ``output_tokens`` as in :func:`throughput`.

    Returns
    -------
    DataFrame
        Indexed by ``batch``, columns as :func:`gigafleet.roofline.step_parts_s` gives them, with the factors of model
        and accelerator on each [ms]. They add up to the time between a user's tokens.
    """
    asked = {"number_format": "fp8", "prompt_tokens": 1024, "output_tokens": 1024}
    if wrong := [name for name in settings if name not in asked]:
        raise unknown("setting", wrong[0], asked)
    asked |= settings
    asked["number_format"] = str(asked["number_format"]).lower()
    names, models = _checked([accelerator], [llm], batch, "serving", **asked)
    batches = np.atleast_1d(np.asarray(batch, dtype=float))
    x = _grid(pd.DataFrame({"accelerator": names, "llm": models}), "serving", **asked)
    x = x.loc[x.index.repeat(len(batches))].reset_index(drop=True).assign(requests=batches)
    x["pool"] = x["instance"]
    _fitting(x)
    known = calibration.load()
    design = effects.Design(x, known.names)
    parts = roofline.step_parts_s(design.inputs(known.values), design.efficiencies(known.values))
    slower = np.exp(-design.factor(known.values))
    return 1e3 * pd.DataFrame({k: v * slower for k, v in parts.items()}, index=pd.Index(batches, name="batch"))
