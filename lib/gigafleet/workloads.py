"""Turns rows of measured results, or a grid of questions, into the inputs of :mod:`gigafleet.roofline`.

Only what is known before a run is read: never a measured value, a power, a metric, who submitted it or a note.
"""

import numpy as np
import pandas as pd

from gigafleet import catalog
from gigafleet.architectures import arithmetic, find_llm
from gigafleet.errors import UnknownNameError
from gigafleet.tables import resource

READ = ["source", "date", "system", "accelerator", "n_accelerators", "model", "precision", "scenario", "tokens_counted"]
READ += ["input_len", "output_len", "concurrency", "interactivity_tok_s_user"]
BITS = {"bf16": 16, "fp16": 16, "fp8": 8, "fp4": 4, "mxfp4": 4, "nvfp4": 4, "int4": 4}
COMPUTES = {"fp16": "bf16", "mxfp4": "fp4", "nvfp4": "fp4", "int4": "fp4"}
FALLS_BACK = {"fp4": "fp8", "fp8": "bf16"}
NOMINAL = 0.92  # InferenceX draws lengths between 0.8 and 1.0 of the nominal ones; Little's law closes with this mean
ENGINES = (
    ("MLPerf Inf", "mlperf"),
    ("MLPerf Train", "mlperf training"),
    ("ML.ENERGY", "ml.energy"),
    ("Azure", "azure"),
    ("TensorRT", "tensorrt page"),
    ("ROCm", "rocm page"),
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


def generation(architecture: pd.Series) -> pd.Series:
    """Return the generation of an accelerator: its architecture without the suffix of a variant.

    >>> generation(pd.Series(["Hopper + Grace", "Blackwell Ultra", "CDNA 3 (APU)"])).tolist()
    ['Hopper', 'Blackwell', 'CDNA 3']
    """
    return architecture.str.replace(r" (?:\+|\(|Ultra).*", "", regex=True)


def watts(table: pd.DataFrame) -> pd.Series:
    """Return the rated power of accelerators per FLOP/s of their BF16 peak, over the geometric mean of their generation
    in the catalogue; 1 where either is not known."""
    log = np.log(table["tdp_w"] / table["bf16_tflops"])
    return np.exp(log - log.groupby(generation(table["architecture"])).transform("mean")).fillna(1.0)


def _each(names: pd.Series, find) -> pd.Series:
    """Return the short name behind each name, empty where none is known; every name is looked up once."""
    found = {}
    for name in names.unique():
        try:
            found[name] = find(name)
        except UnknownNameError:
            found[name] = ""
    return names.map(found)


def hardware(accelerator: pd.Series, number_format: pd.Series) -> pd.DataFrame:
    """Return the accelerators' columns of the inputs. ``compute_format`` is the number format that computes: the next
    wider one where an accelerator lacks that of the weights."""
    table = catalog.accelerators()
    rows = table.assign(watts=watts(table)).reindex(accelerator.to_numpy()).set_axis(accelerator.index)
    used = number_format.replace(COMPUTES)
    for narrow, wide in FALLS_BACK.items():
        used = used.where(~used.eq(narrow) | rows[f"{narrow}_tflops"].gt(0), wide)
    peak = pd.Series(np.nan, index=accelerator.index)
    for name in ("bf16", "fp8", "fp4"):
        peak = peak.where(~used.eq(name), 1e12 * rows[f"{name}_tflops"])
    return pd.DataFrame(
        {
            "vendor": rows["vendor"],
            "generation": generation(rows["architecture"]),
            "compute_format": used,
            "peak_flops": peak,
            "bandwidth": 1e12 * rows["memory_tb_s"],
            "memory": 1e9 * rows["memory_gb"],
            "link": 1e9 * rows["scale_up_gb_s"].fillna(128.0),  # without a scale-up link, PCIe 5.0 x16
            "domain": rows["scale_up_domain"].fillna(1.0),
            "watts": rows["watts"],
        }
    )


def smallest_instance(x: pd.DataFrame, share: float = 0.6) -> pd.Series:
    """Return the smallest power of two of accelerators at which the weights take no more than a share of memory."""
    need = x["params"] * x["weight_bytes"] / (share * x["memory"])
    return 2.0 ** np.ceil(np.log2(need.clip(lower=1)))


def from_results(results: pd.DataFrame) -> pd.DataFrame:
    """Return the inputs of rows of measured results, same index.

    Parameters
    ----------
    results
        Columns :data:`READ`; others are not looked at. Numbers that are not known are NaN, texts empty or NaN.

    Returns
    -------
    DataFrame
        The columns of :data:`gigafleet.roofline.INPUTS` and the labels that efficiencies go by. ``unknown`` says why a
        row cannot be predicted, and is empty where it can. ``requests`` is NaN where the load is not stated.

    Raises
    ------
    ValueError
        Naming the columns that are missing.
    """
    if missing := [name for name in READ if name not in results]:
        raise ValueError(f"results lack the columns {missing}; needed are {READ}")
    rows = results[READ]
    text = {name: rows[name].astype(object).where(rows[name].notna(), "").astype(str) for name in READ}
    numbers = {
        name: pd.to_numeric(rows[name], errors="coerce").astype(float)
        for name in ("n_accelerators", "input_len", "output_len", "concurrency", "interactivity_tok_s_user")
    }
    accelerator, llm = _each(text["accelerator"], catalog.find), _each(text["model"], find_llm)
    stated = text["precision"].str.lower()
    known = stated.isin(list(BITS))
    number_format = stated.where(known, "fp8")
    x = hardware(accelerator, number_format)
    x = x.join(arithmetic().reindex(llm.to_numpy()).set_axis(rows.index))
    x["accelerator"], x["llm"], x["number_format"] = accelerator, llm, number_format
    x["weight_bytes"] = number_format.map(BITS) / 8
    x["cache_bytes"] = np.where(x["weight_bytes"] <= 1, 1.0, 2.0)
    x = x.join(_run(text, numbers, x, known))
    engine, scenario = x["engine"], text["scenario"].str.lower()
    source = text["source"]
    lengths = _task_lengths(engine, llm, scenario)
    shrink = np.where(source.str.startswith("InferenceX"), NOMINAL, 1.0)
    for end, name in (("input", "prompt_tokens"), ("output", "output_tokens")):
        given = numbers[f"{end}_len"].where(numbers[f"{end}_len"] > 0)
        x[name] = (given * shrink).fillna(lengths[f"{end}_tokens"])
    x["software_year"] = np.where(np.isnan(year(text["date"])), 2025.5, year(text["date"]))
    x["unknown"] = _reason(x)
    return x


def _task_lengths(engine: pd.Series, llm: pd.Series, scenario: pd.Series) -> pd.DataFrame:
    """Return the lengths of a benchmark's task for rows that state none [tokens]."""
    table = resource("benchmark_tasks").set_index("task")
    chat = np.where(scenario.str.contains("gpqa"), "gpqa", "lm-arena-chat")
    task = pd.Series(np.select([engine.eq("mlperf"), engine.eq("ml.energy")], [llm, chat], "any"), index=llm.index)
    task = task.where(task.isin(table.index), "any")
    return table.loc[task, ["input_tokens", "output_tokens"]].set_axis(llm.index)


def _run(text: dict, numbers: dict, x: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """Return how rows were run: engine, scenario, flags, the pool and the instance in it, and the load."""
    source, system = text["source"], text["system"]
    engine = pd.Series("other", index=x.index)
    engine = engine.mask(source.str.startswith("InferenceX"), "sglang")
    engine = engine.mask(source.str.startswith("InferenceX") & system.str.contains("trt"), "tensorrt")
    engine = engine.mask(source.str.startswith("InferenceX") & system.str.contains("atom"), "atom")
    for start, name in ENGINES:
        engine = engine.mask(source.str.contains(start, regex=False), name)
    mlperf = engine.eq("mlperf")
    training = text["scenario"].eq("training")
    out = pd.DataFrame({"engine": engine, "mlperf": mlperf, "training": training})
    out["speculative"] = (text["scenario"] + system).str.contains("MTP") & ~training
    out["disaggregated"] = system.str.contains("disagg") & ~training
    out["adapters"] = text["model"].str.contains("lora", case=False) & training
    out["stated_format"] = np.where(known, x["compute_format"], "not stated")
    load = numbers["concurrency"].where(numbers["concurrency"] > 0)
    n = numbers["n_accelerators"].where(numbers["n_accelerators"] > 0)
    out["pool"] = n.fillna(8.0)
    small = smallest_instance(x)
    out["instance"] = out["pool"].where(~mlperf, np.minimum(small.fillna(8.0), out["pool"]))
    out["n_stated"] = n.notna()
    scenario = text["scenario"].str.lower()
    out["requests"] = load
    out["scenario"] = np.select(
        [training, scenario.eq("server"), scenario.eq("interactive"), load.notna()],
        ["training", "server", "interactive", "serving"],
        "offline",
    )
    out["interactivity"] = numbers["interactivity_tok_s_user"].where(lambda v: v > 0)
    return out


def _reason(x: pd.DataFrame) -> np.ndarray:
    """Return why a row cannot be predicted, empty where it can."""
    short = x["params"] * x["weight_bytes"] > 0.97 * x["memory"] * x["pool"]
    return np.select(
        [
            x["accelerator"].eq("").to_numpy() | x["peak_flops"].isna() | x["bandwidth"].isna() | x["memory"].isna(),
            x["llm"].eq("").to_numpy(),
            x["params"].isna(),
            short & x["n_stated"] & ~x["training"],
        ],
        [
            "accelerator unknown, or without the figures of its data sheet",
            "language model unknown",
            "dimensions of the language model unknown",
            "model does not fit in memory",
        ],
        "",
    )
