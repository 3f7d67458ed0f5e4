"""The architectures of language models, and the measured results on them, as tables."""

import functools

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
            found[plain(alias, "llm")] = model
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
