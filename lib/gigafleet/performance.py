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
from gigafleet.errors import require, unknown

PHASES = ("training", "prefill", "decode", "serving")
FORMATS = tuple(workloads.BITS)
LOADS = np.geomspace(1, 4096, 64)


def _widths(x: pd.DataFrame, known: calibration.Efficiencies) -> np.ndarray:
    """Return the half-width of each row's band, a logarithm."""
    widths = effects.stratum(x).map(known.widths).to_numpy(float)
    return widths * np.where(x["generation"].isin(known.generations), 1.0, known.wider)


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
        ``compute_format`` (what computes, where the accelerator lacks the format of the weights), ``instance``
        [accelerators] and ``new_generation`` (no result of the generation was fitted). NaN only where the accelerator
        or the architecture is unknown or the model does not fit in memory.

    Raises
    ------
    ValueError
        Naming columns that are missing.
    """
    x = workloads.from_results(benchmarks)
    ok = x["unknown"].eq("").to_numpy()
    out = pd.DataFrame(index=benchmarks.index)
    out["tokens_per_s"] = out["low"] = out["high"] = np.nan
    known = calibration.load()
    if ok.any():
        rows = _at_interactivity(x[ok], known)
        log = effects.Design(rows, known.names).predict(known.values)
        width = _widths(rows, known)
        for name, shift in (("tokens_per_s", 0), ("low", -width), ("high", width)):
            out.loc[ok, name] = np.exp(log + shift)
    if not explain:
        return out["tokens_per_s"]
    out["reason"] = x["unknown"]
    out["stratum"], out["compute_format"] = effects.stratum(x), x["compute_format"]
    out["instance"], out["new_generation"] = x["instance"], ~x["generation"].isin(known.generations)
    return out


def _at_interactivity(x: pd.DataFrame, known: calibration.Efficiencies) -> pd.DataFrame:
    """Return rows whose load is found from the interactivity that is asked, where no load is given."""
    ask = (x["interactivity"].notna() & x["requests"].isna() & ~x["training"]).to_numpy()
    if not ask.any():
        return x
    asked = x[ask].assign(scenario="serving")
    grid = asked.loc[asked.index.repeat(len(LOADS))]
    loads = np.tile(LOADS, len(asked)) * grid["instance"].to_numpy() / 8
    grid = grid.reset_index(drop=True).assign(requests=loads)
    rate = np.exp(effects.Design(grid, known.names).predict(known.values))
    each = (rate * grid["pool"] / loads).to_numpy().reshape(len(asked), -1)  # tokens/s a user gets, falling with load
    falling = np.minimum.accumulate(each, axis=1)
    loads = loads.reshape(len(asked), -1)
    found = [
        np.exp(np.interp(-np.log(want), -np.log(e), np.log(load)))
        for want, e, load in zip(asked["interactivity"], falling, loads, strict=True)
    ]
    x = x.copy()
    x.loc[ask, "scenario"], x.loc[ask, "requests"] = "serving", found
    return x


def _grid(pairs: pd.DataFrame, number_format: str, prompt_tokens: float, output_tokens: float) -> pd.DataFrame:
    """Return inputs for (accelerator, llm) pairs on software of no particular engine."""
    formats = pd.Series(number_format, index=pairs.index)
    x = workloads.hardware(pairs["accelerator"], formats)
    x = x.join(arithmetic().reindex(pairs["llm"].to_numpy()).set_axis(pairs.index))
    x["accelerator"], x["llm"] = pairs["accelerator"], pairs["llm"]
    x["weight_bytes"] = workloads.BITS[number_format] / 8
    x["cache_bytes"] = np.where(x["weight_bytes"] <= 1, 1.0, 2.0)
    x["prompt_tokens"], x["output_tokens"] = float(prompt_tokens), float(output_tokens)
    x["instance"] = workloads.smallest_instance(x)
    fixed = {"engine": "", "stated_format": "", "scenario": "serving", "software_year": 2026.5}
    flags = dict.fromkeys(("mlperf", "training", "speculative", "disaggregated", "adapters"), False)
    return x.assign(**fixed, **flags)


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
        Requests in flight in an instance, a number or an array [requests].
    phase
        ``training``, ``prefill`` (input tokens), ``decode`` (output tokens, prompts read elsewhere) or ``serving``
        (output tokens, with the prompts read on the same accelerators).
    number_format
        Format of the weights. An accelerator without it computes in the next wider one.
    prompt_tokens, output_tokens
        Lengths of a request [tokens]; in training the first is the sequence.
    accelerators_per_instance
        Accelerators that hold a copy; if None the smallest power of two at which weights take 60 % of memory.
    speculative
        Whether tokens are guessed and checked several at a time, in ``decode`` and ``serving``. The gain is that of
        results with it (see :func:`gigafleet.serving.speculation_gain`), the band theirs and wider.

    Returns
    -------
    Dataset
        Dimensions ``accelerator``, ``llm``, ``batch``: ``tokens_per_s`` per accelerator with ``low`` and ``high``
        (90 % band) [tokens/s], ``tokens_per_s_user`` [tokens/s], and ``fits``. NaN where the batch does not fit in
        memory or a figure of the data sheet is unknown. ``instance`` [accelerators] and ``compute_format`` have no
        ``batch``.

    Raises
    ------
    UnknownNameError
        An accelerator, model, phase or format that is not known.
    ValueError
        Lengths or batch not above 0, context beyond the model's limit, or nothing that fits in memory.
    """
    names, models = _checked(accelerators, llms, batch, phase, number_format, prompt_tokens, output_tokens)
    batches = np.atleast_1d(np.asarray(batch, dtype=float))
    index = pd.MultiIndex.from_product([names, models], names=["accelerator", "llm"])
    x = _grid(index.to_frame(index=False), number_format, prompt_tokens, output_tokens)
    if accelerators_per_instance is not None:
        x["instance"] = _given_instance(x, accelerators_per_instance, number_format)
    x["training"] = phase == "training"
    x["speculative"] = speculative and phase in ("decode", "serving")
    x["pool"] = np.where(x["training"], np.maximum(x["instance"], 8.0), x["instance"])
    known = calibration.load()
    cells = x.loc[x.index.repeat(len(batches))].reset_index(drop=True)
    cells["requests"] = np.tile(batches, len(x))
    log = _log_tokens(cells, phase, known)
    width = _widths(cells, known)
    fits = np.ones(len(cells), dtype=bool)
    if phase != "training":
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
    names = list(dict.fromkeys(catalog.find(name) for name in accelerators))
    models = list(dict.fromkeys(find_llm(name) for name in llms))
    if phase not in PHASES:
        raise unknown("phase", phase, PHASES)
    if number_format not in FORMATS:
        raise unknown("number format", number_format, FORMATS)
    for name, value in (("batch", batch), ("prompt_tokens", prompt_tokens), ("output_tokens", output_tokens)):
        require(name, value, above=0)
    table = arithmetic()
    for model in models:
        if model not in table.index:
            raise ValueError(f"dimensions of {model} are not known; known: {', '.join(table.index)}")
        limit, context = table.loc[model, "max_context"], prompt_tokens + (output_tokens if phase != "training" else 0)
        if context > limit:
            raise ValueError(f"context of {context:,.0f} tokens is beyond the {limit:,.0f} of {model}")
    return names, models


def _given_instance(x: pd.DataFrame, given: float, number_format: str) -> float:
    """Return the accelerators of an instance that the caller wants, if any model fits in them."""
    require("accelerators_per_instance", given, above=0)
    short = roofline.weights(x) > 0.9 * x["memory"] * given
    if short.all():
        best = (roofline.weights(x) / (0.9 * x["memory"])).idxmin()
        need = int(np.ceil(roofline.weights(x)[best] / (0.9 * x["memory"][best])))
        raise ValueError(
            f"{x['llm'][best]} in {number_format} does not fit in {given:g} accelerators; "
            f"it needs at least {need} of {x['accelerator'][best]}"
        )
    return float(given)


def _fitting(cells: pd.DataFrame) -> np.ndarray:
    """Return which cells fit in memory with their cache; an error if none of them does."""
    most = roofline.most_requests(cells)
    fits = (most >= cells["requests"]).to_numpy()
    if not fits.any() and most.notna().any():
        cell = cells.loc[most.idxmax()]
        context = cell["prompt_tokens"] + cell["output_tokens"]
        raise ValueError(
            f"{cells['requests'].min():,.0f} requests of {context:,.0f} tokens fit nowhere; "
            f"{most.max():,.0f} of {cell['llm']} fit in {cell['instance']:.0f} of {cell['accelerator']}"
        )
    return fits


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
    """
    batches = np.atleast_1d(np.asarray(batch, dtype=float))
    require("batch", batches, above=0)
    pair = pd.DataFrame({"accelerator": [catalog.find(accelerator)], "llm": [find_llm(llm)]})
    chosen = {"number_format": "fp8", "prompt_tokens": 1024, "output_tokens": 1024} | settings
    x = _grid(pair, **chosen)
    x = x.loc[x.index.repeat(len(batches))].reset_index(drop=True).assign(requests=batches)
    x["pool"] = x["instance"]
    known = calibration.load()
    design = effects.Design(x, known.names)
    parts = roofline.step_parts_s(design.inputs(known.values), design.efficiencies(known.values))
    return 1e3 * pd.DataFrame(parts, index=pd.Index(batches, name="batch"))
