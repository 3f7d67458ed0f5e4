"""Turns rows of measured results, or a grid of questions, into the inputs of :mod:`gigafleet.roofline`.

Only what is known before a run is read: never a measured value, a power, a metric, who submitted it or a note.
"""

import re

import numpy as np
import pandas as pd

from gigafleet import catalog, ceilings, roofline
from gigafleet.architectures import arithmetic, find_llm
from gigafleet.errors import UnknownNameError
from gigafleet.kept import while_data_last
from gigafleet.naming import generation
from gigafleet.tables import resource

READ = ["source", "date", "system", "accelerator", "n_accelerators", "model", "precision", "scenario", "tokens_counted"]
READ += ["input_len", "output_len", "concurrency", "interactivity_tok_s_user"]
BITS = {"bf16": 16, "fp16": 16, "fp8": 8, "fp4": 4, "mxfp4": 4, "nvfp4": 4, "int4": 4}
SPELLINGS = {"bfloat16": "bf16", "float16": "fp16", "w4a16": "int4", "w4a8": "int4", "e4m3": "fp8", "int8": "fp8"}
COMPUTES = {"fp16": "bf16", "mxfp4": "fp4", "nvfp4": "fp4", "int4": "bf16"}
FALLS_BACK = {"fp4": ("fp8", "bf16"), "fp8": ("bf16",)}
NOMINAL = 0.92  # InferenceX draws lengths between 0.8 and 1.0 of the nominal ones; Little's law closes with this mean
NARROW_SINCE = 2025.75  # from MLPerf Training v5.1 on, a format that is not stated is the narrowest of the hardware
TRAINING_BYTES = 12  # of a parameter in mixed precision, at the least: weights and gradients at 16 bits, two moments
BOARD = r"^\d+ ?x ?|^(nvidia|amd) |[- ](sxm\d?|oam|o|nvl\d+|hgx|grace[ -]?hopper|superchip|\d+ ?gb)\b.*"
HUB = r"^.*/|^meta-|-interactive.*$|-99(\.9)?$|-(instruct|chat|it|terminus|\d{4}|fp8|mxfp4|nvfp4|fp4|kv)\b.*$"
MATURES_YEARS = 0.5  # time in which vendors tune for a new task of MLPerf
MOST = {"n_accelerators": 1e7}  # in one result; more is a slip of the pen
REPLICATED = 8  # accelerators from which on a pool without a stated load is taken to hold copies of the model
TRAINS = "train|tuning"
INFERENCEX = "inference(?:x|max)"
SETTINGS = ("offline", "server", "interactive", "train", "tuning", "serving", "throughput", "chat", "gpqa", "mtp")
ENGINES = (
    ("mlperf", "mlperf"),
    ("mlperf train", "mlperf training"),
    ("ml.energy", "ml.energy"),
    ("azure", "azure"),
    ("tensorrt", "tensorrt page"),
    ("rocm", "rocm page"),
)


def year(dates: pd.Series) -> np.ndarray:
    """Return dates as years with a fraction; the middle of the year where only the year is known, NaN where none is.

    >>> year(pd.Series(["2025-09-09", "2026 (v6.1 round)"])).round(2).tolist()
    [2025.71, 2026.54]
    """
    parts = dates.astype(str).str.extract(r"^(\d{4})(?:-(0[1-9]|1[0-2]))?(?!\d)").fillna("7").astype(float)
    known = dates.astype(str).str.match(r"^\d{4}")
    years = dates.astype(str).str[:4].where(known)
    return years.astype(float).to_numpy() + (parts[1].to_numpy() - 0.5) / 12


def watts(table: pd.DataFrame) -> pd.Series:
    """Return the rated power of accelerators per FLOP/s of their BF16 peak, over the geometric mean of those of their
    generation that results are known of, or of all where there are none; 1 where either is not known."""
    log = np.log(table["tdp_w"] / table["bf16_tflops"])
    family = generation(table["architecture"])
    known = _each(resource("benchmarks")["accelerator"].drop_duplicates(), catalog.find, BOARD)
    measured = log.where(log.index.isin(known)).groupby(family).transform("mean")
    return np.exp(log - measured.fillna(log.groupby(family).transform("mean"))).fillna(1.0)


def _each(names: pd.Series, find, extra: str) -> pd.Series:
    """Return the short name behind each name, empty where none is known; every name is looked up once, if need be
    without what the pattern ``extra`` finds in it."""
    found = {}
    for name in names.unique():
        found[name] = ""
        for tried in (name, re.sub(extra, "", name, flags=re.IGNORECASE)):
            try:
                found[name] = found[name] or find(tried)
            except UnknownNameError:
                continue
    return names.map(found)


def _formats(stated: pd.Series) -> pd.Series:
    """Return the number format that a text names, empty where it names none."""
    known = "|".join(sorted([*BITS, *SPELLINGS], key=len, reverse=True))
    stated = stated.str.replace(rf"({known})\W+(kv|cache)", "", regex=True)
    weights = stated.str.extract(rf"({known})\W+weight", expand=False)  # "fp8 cache, fp4 weights"
    return weights.fillna(stated.str.extract(f"({known})", expand=False)).replace(SPELLINGS).fillna("")


@while_data_last
def _by_accelerator() -> tuple[pd.DataFrame, dict[bool, pd.Series]]:
    """Return the accelerators with their rated power, and what each reaches of its peak by format, with its own
    measurements known or not."""
    table = catalog.accelerators()
    return table.assign(watts=watts(table)), {known: ceilings.shares(table, known).stack() for known in (True, False)}


def hardware(accelerator: pd.Series, number_format: pd.Series) -> pd.DataFrame:
    """Return the accelerators' columns of the inputs. ``compute_format`` is the number format that computes: the next
    wider one where an accelerator lacks that of the weights."""
    table, reach = _by_accelerator()
    rows = table.reindex(accelerator.to_numpy()).set_axis(accelerator.index)
    used = number_format.replace(COMPUTES)
    for narrow, wider in FALLS_BACK.items():
        for wide in wider:
            lacks = used.eq(narrow) & ~rows[f"{narrow}_tflops"].gt(0) & rows[f"{wide}_tflops"].gt(0)
            used = used.mask(lacks, wide)
    peak = pd.Series(np.nan, index=accelerator.index)
    for name in ("bf16", "fp8", "fp4"):
        peak = peak.where(~used.eq(name), 1e12 * rows[f"{name}_tflops"])
    at = pd.MultiIndex.from_arrays([accelerator, used])
    return pd.DataFrame(
        {
            "vendor": rows["vendor"],
            "generation": generation(rows["architecture"]),
            "compute_format": used,
            "peak_flops": peak,
            "ceiling": reach[True].reindex(at).to_numpy(),
            "ceiling_if_new": reach[False].reindex(at).to_numpy(),  # what it would be taken for without measurement
            "bandwidth": 1e12 * rows["memory_tb_s"],
            "memory": 1e9 * rows["memory_gb"],
            "link": 1e9 * rows["scale_up_gb_s"].fillna(128.0),  # without a scale-up link, PCIe 5.0 x16
            "domain": rows["scale_up_domain"].fillna(1.0),
            "scale_out": 1e9 * rows["scale_out_gb_s"].fillna(100.0),  # an adapter of 400 Gbit/s for each
            "watts": rows["watts"],
        }
    )


def smallest_instance(x: pd.DataFrame, share: float = 0.6) -> pd.Series:
    """Return the smallest power of two of accelerators at which the model takes no more than a share of memory: the
    weights, in training what it keeps of every parameter."""
    need = held_bytes(x) / (share * x["memory"])
    return 2.0 ** np.ceil(np.log2(need.clip(lower=1)))


def held_bytes(x: pd.DataFrame) -> pd.Series:
    """Return what must be in memory before any work [byte]: the weights; in training also gradients and the
    optimizer's state, unless adapters only are trained."""
    whole = x["training"] & ~x["adapters"]
    return x["params"] * np.where(whole, TRAINING_BYTES, x["weight_bytes"])


def from_results(results: pd.DataFrame) -> pd.DataFrame:
    """Return the inputs of rows of measured results, same index.

    Parameters
    ----------
    results
        Columns :data:`READ`; others are not looked at. Numbers that are not known are NaN, texts empty or NaN. Neither
        case nor blanks around a text matter.

    Returns
    -------
    DataFrame
        The columns of :data:`gigafleet.roofline.INPUTS` and the labels that efficiencies go by. ``unknown`` says why a
        row cannot be predicted, and is empty where it can. ``requests`` is NaN where the load is not stated.
        ``stated_format`` is empty where no number format is stated: FP8 is taken then, in training since the end of
        2025 the narrowest that the accelerator has. ``assumed`` names what a row states but cannot be used, and what is
        assumed in its place.

    Raises
    ------
    ValueError
        Naming the columns that are missing.
    """
    if not isinstance(results, pd.DataFrame):
        raise ValueError(f"results must be a DataFrame, not {type(results).__name__}")
    if missing := [name for name in READ if name not in results]:
        raise ValueError(f"results lack the columns {missing}; needed are {READ}")
    if twice := [name for name in READ if list(results.columns).count(name) > 1]:
        raise ValueError(f"results have the columns {twice} twice")
    rows = results[READ].reset_index(drop=True)
    text = {name: rows[name].astype(object).where(rows[name].notna(), "").astype(str).str.strip() for name in READ}
    lower = {name: values.str.lower() for name, values in text.items()}
    names = ("n_accelerators", "input_len", "output_len", "concurrency", "interactivity_tok_s_user")
    numbers = {name: pd.to_numeric(rows[name], errors="coerce").astype(float) for name in names}
    numbers = {name: v.where((v > 0) & (v < MOST.get(name, np.inf))) for name, v in numbers.items()}
    accelerator = _each(text["accelerator"], catalog.find, BOARD)
    llm = _each(text["model"], find_llm, HUB)
    training = lower["scenario"].str.contains(TRAINS) | lower["tokens_counted"].str.startswith("train")
    when = year(text["date"])
    stated = _formats(lower["precision"])
    narrow = stated.eq("") & training & (np.nan_to_num(when) > NARROW_SINCE)
    narrow &= accelerator.map(catalog.accelerators()["fp4_tflops"]).gt(0)
    number_format = stated.mask(stated.eq(""), "fp8").mask(narrow, "fp4")
    x = hardware(accelerator, number_format)
    x = x.join(arithmetic().reindex(llm.to_numpy()).set_axis(rows.index))
    x["accelerator"], x["llm"], x["number_format"], x["stated_format"] = accelerator, llm, number_format, stated
    x["weight_bytes"] = number_format.map(BITS) / 8
    x["cache_bytes"] = np.where(x["weight_bytes"] <= 1, 1.0, 2.0)
    x["training"], x["adapters"] = training, (lower["model"] + lower["scenario"]).str.contains("lora") & training
    x = x.join(_run(lower, numbers, x))
    lengths = _task_lengths(x["engine"], llm, lower["scenario"])
    shrink = np.where(lower["source"].str.contains(INFERENCEX), NOMINAL, 1.0)
    for end, name in (("input", "prompt_tokens"), ("output", "output_tokens")):
        x[name] = (numbers[f"{end}_len"] * shrink).clip(lower=1).fillna(lengths[f"{end}_tokens"])
    x["software_year"] = np.where(np.isnan(when), 2025.5, when)
    x["novelty"] = _novelty(x["engine"], llm, when) * x["scenario"].isin(["offline", "server"])
    x = _as_published(x)
    x["unknown"] = _reason(x)
    x["assumed"] = _assumed(text, numbers, x)
    return x.set_axis(results.index)


def _as_published(x: pd.DataFrame) -> pd.DataFrame:
    """Return rows with weights as the model is published, where it is published in a narrow format only and the format
    that is stated would not fit: the label then is of the arithmetic, not of the weights."""
    full = held_bytes(x) > roofline.USABLE * x["memory"] * x["pool"]
    narrower = full & ~x["training"] & (x["published_bytes"] < x["weight_bytes"])
    small = smallest_instance(x.assign(weight_bytes=x["weight_bytes"].mask(narrower, x["published_bytes"])))
    x["instance"] = x["instance"].mask(narrower & (x["mlperf"] | x["copies"]), np.minimum(small, x["pool"]))
    x["weight_bytes"] = x["weight_bytes"].mask(narrower, x["published_bytes"])
    return x.assign(as_published=narrower)


def _task_lengths(engine: pd.Series, llm: pd.Series, scenario: pd.Series) -> pd.DataFrame:
    """Return the lengths of a benchmark's task for rows that state none [tokens]."""
    table = resource("benchmark_tasks").set_index("task")
    chat = np.where(scenario.str.contains("gpqa"), "gpqa", "lm-arena-chat")
    task = pd.Series(np.select([engine.eq("mlperf"), engine.eq("ml.energy")], [llm, chat], "any"), index=llm.index)
    task = task.where(task.isin(table.index), "any")
    return table.loc[task, ["input_tokens", "output_tokens"]].set_axis(llm.index)


def _novelty(engine: pd.Series, llm: pd.Series, when: np.ndarray) -> np.ndarray:
    """Return how new a task of MLPerf was: 1 in the round that brought it, falling by a factor of e in half a year; 0
    for all else and where the date is not known."""
    first = resource("benchmark_tasks").dropna(subset="first_round").set_index("task")["first_round"]
    since = when - year(llm.map(first).astype(object))
    return np.where(engine.eq("mlperf") & ~np.isnan(since), np.exp(-np.maximum(since, 0) / MATURES_YEARS), 0.0)


def _run(lower: dict, numbers: dict, x: pd.DataFrame) -> pd.DataFrame:
    """Return how rows were run: engine, scenario, flags, the pool and the instance in it, and the load."""
    source, system, scenario = lower["source"], lower["system"], lower["scenario"]
    engine = pd.Series("other", index=x.index)
    public = source.str.contains(INFERENCEX)
    for name, mark in (("sglang", ""), ("tensorrt", "trt"), ("atom", "atom")):
        engine = engine.mask(public & system.str.contains(mark), name)
    for start, name in ENGINES:
        engine = engine.mask(source.str.contains(start, regex=False), name)
    training = x["training"]
    engine = engine.mask(engine.eq("mlperf") & training, "mlperf training")
    mlperf = engine.eq("mlperf")
    out = pd.DataFrame({"engine": engine, "mlperf": mlperf})
    out["speculative"] = (scenario + system).str.contains("mtp") & ~training
    out["disaggregated"] = system.str.contains("disagg") & ~training
    n = numbers["n_accelerators"].round().clip(lower=1)
    small = smallest_instance(x).fillna(8.0)
    out["pool"] = n.fillna(np.maximum(8.0, small))
    unloaded = numbers["concurrency"].isna() & (out["pool"] > REPLICATED) & ~training & ~out["disaggregated"]
    out["copies"] = unloaded & ~mlperf
    out["instance"] = out["pool"].where(~(mlperf | unloaded), np.minimum(small, out["pool"]))
    load = out["requests"] = numbers["concurrency"] * out["instance"] / out["pool"]
    out["scenario"] = np.select(
        [training, scenario.str.startswith("server"), scenario.str.startswith("interactive"), load.notna()],
        ["training", "server", "interactive", "serving"],
        "offline",
    )
    out["interactivity"] = numbers["interactivity_tok_s_user"]
    return out


def _assumed(text: dict, numbers: dict, x: pd.DataFrame) -> pd.Series:
    """Return, as one text a row, what is assumed in place of what a row states and cannot be used."""
    lower = text["scenario"].str.lower()
    strange = lower.ne("") & ~lower.str.contains("|".join(SETTINGS)) & x["requests"].isna()
    found = {f"{name} not used": text[name].ne("") & values.isna() for name, values in numbers.items()}
    found |= {
        f"number format taken as {f}": x["stated_format"].eq("") & x["number_format"].eq(f) for f in ("fp8", "fp4")
    }
    found |= {"int8 taken as fp8": text["precision"].str.lower().str.contains("int8")}
    found |= {"pool taken to hold copies of the model": x["copies"]}
    found |= {"weights taken as published": x["as_published"]}
    found |= {"scenario taken as offline": strange & x["scenario"].eq("offline")}
    found |= {"context beyond the model's": x["prompt_tokens"] + x["output_tokens"] * ~x["training"] > x["max_context"]}
    parts = [pd.Series(np.where(rows, name + "; ", ""), index=x.index) for name, rows in found.items()]
    return sum(parts[1:], parts[0]).str.removesuffix("; ")


def _reason(x: pd.DataFrame) -> np.ndarray:
    """Return why a row cannot be predicted, empty where it can."""
    return np.select(
        [
            x["accelerator"].eq("").to_numpy(),
            x["peak_flops"].isna() | x["bandwidth"].isna() | x["memory"].isna(),
            x["llm"].eq("").to_numpy(),
            x["params"].isna(),
            held_bytes(x) > roofline.USABLE * x["memory"] * x["pool"],
        ],
        [
            "accelerator unknown",
            "figures of the accelerator's data sheet unknown",
            "language model unknown",
            "dimensions of the language model unknown",
            "model does not fit in memory",
        ],
        "",
    )
