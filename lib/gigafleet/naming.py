"""Names as people write them, brought to one form."""

import re

import pandas as pd


def plain(name: str, kind: str = "accelerator") -> str:
    """Strip a name of case and punctuation, and that of a device of the words that people put before it."""
    if kind not in ("accelerator", "system"):
        return re.sub(r"[^a-z0-9]", "", name.lower())
    words = re.sub(r"\b(amd|nvidia|instinct|google|aws|intel|series|gpu|sxm\d?)\b", " ", name.lower())
    return re.sub(r"[^a-z0-9]", "", words) or re.sub(r"[^a-z0-9]", "", name.lower())


def generation(architecture: pd.Series) -> pd.Series:
    """Return the generation of an accelerator: its architecture without the suffix of a variant.

    >>> generation(pd.Series(["Hopper + Grace", "Blackwell Ultra", "CDNA 3 (APU)"])).tolist()
    ['Hopper', 'Blackwell', 'CDNA 3']
    """
    return architecture.str.replace(r" (?:\+|\(|Ultra).*", "", regex=True)
