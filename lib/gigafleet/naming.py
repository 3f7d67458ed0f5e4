"""Names as people write them, brought to one form."""

import re


def plain(name: str, kind: str = "accelerator") -> str:
    """Strip a name of case and punctuation, and that of a device of the words that people put before it."""
    if kind not in ("accelerator", "system"):
        return re.sub(r"[^a-z0-9]", "", name.lower())
    words = re.sub(r"\b(amd|nvidia|instinct|google|aws|intel|series|gpu|sxm\d?)\b", " ", name.lower())
    return re.sub(r"[^a-z0-9]", "", words) or re.sub(r"[^a-z0-9]", "", name.lower())
