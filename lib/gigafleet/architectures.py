"""The architectures of language models, and the measured results on them, as tables."""

import functools

import numpy as np
import pandas as pd

from gigafleet.errors import unknown
from gigafleet.naming import plain
from gigafleet.tables import resource


def llms() -> pd.DataFrame:
    """Return the architectures of language models, indexed by short name; what is not known of one is NaN or empty."""
    return resource("llms").set_index("model")


@functools.cache
def names() -> dict[str, str]:
    """Return every name of an architecture in its plain form -> its short name."""
    found = {}
    for model, row in llms().iterrows():
        for alias in (model, row["name"], *row["aliases"].split(";")):
            if key := plain(alias, "llm"):
                found[key] = model
    return found


def find_llm(name: str) -> str:
    """Return the short name of a language model's architecture behind a name as results write it.

    Raises
    ------
    UnknownNameError
        With the nearest name and all that are known.

    >>> find_llm("deepseek-r1"), find_llm("Llama3.3-70B"), find_llm("llama2-70b-lora")
    ('deepseek-v3', 'llama3.1-70b', 'llama2-70b')
    """
    short = names().get(plain(name, "llm")) if isinstance(name, str) else None
    if short is None:
        raise unknown("language model", name, llms().index)
    return short


def benchmarks() -> pd.DataFrame:
    """Return measured results, one row each, indexed by ``row_id``. What counts as a token stands in
    ``tokens_counted``."""
    return resource("benchmarks").set_index("row_id")


@functools.cache
def arithmetic() -> pd.DataFrame:
    """Return what the work of a token follows from, for the architectures whose dimensions are known.

    Returns
    -------
    DataFrame
        Indexed by short name, columns named as in :data:`gigafleet.roofline.INPUTS`; ``family`` is one text for models
        with the same layers, width and experts. With latent attention (MLA) decoding works on the compressed cache
        ("absorbed"), reading a prompt on full heads.
    """
    table = llms()
    table = table[table["active_matmul_params_bn"].notna() & table["layers"].notna() & table["heads"].notna()]
    x = table.select_dtypes("number").fillna(0)
    latent, moe = table["attention"].eq("mla"), x["layers"] - x["first_dense_layers"]
    heads = x["layers"] * x["heads"]
    out = pd.DataFrame(
        {
            "params": 1e9 * x["total_params_bn"],
            "active_params": 1e9 * x["active_matmul_params_bn"],
            "expert_params": x["experts"] * moe * 3 * x["hidden"] * x["ffn_moe"],
            "experts": x["experts"],
            "experts_per_token": x["experts_per_token"],
            "cache_elements": (x["layers"] * (x["kv_lora_rank"] + x["rope_dim"])).where(
                latent, 2 * x["layers"] * x["kv_heads"] * x["head_dim"]
            ),
            "cache_shards": x["kv_heads"].mask(latent, np.inf),
            "attention_flops": (2 * heads * (2 * x["kv_lora_rank"] + x["rope_dim"])).where(
                latent, 4 * heads * x["head_dim"]
            ),
            "prompt_attention_flops": (2 * heads * (x["head_dim"] + x["rope_dim"] + x["v_dim"])).where(
                latent, 4 * heads * x["head_dim"]
            ),
            "layers": x["layers"],
            "hidden": x["hidden"],
            "window": x["sliding_window"],
            "windowed_share": x["sliding_layers_share"],
            "max_context": x["max_context"],
            "published_bytes": table["published_bits"] / 8,
        }
    )
    out["family"] = x[["layers", "hidden", "experts"]].astype(int).astype(str).agg("x".join, axis=1)
    return out
