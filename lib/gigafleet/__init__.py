"""Gigafleet: what gigawatts of AI accelerators are, in accelerators, compute, power, money and carbon.

The submodules load on first use, so that ``import gigafleet`` costs nothing:

>>> import gigafleet
>>> float(gigafleet.catalog.accelerators().loc["MI300X", "memory_gb"])
192.0
"""

import importlib

__version__ = "0.1.0"
__all__ = [
    "catalog",
    "check",
    "comparison",
    "cost",
    "deal",
    "derived",
    "house_style",
    "parameters",
    "plots",
    "power",
    "published",
    "report",
    "tables",
    "tell",
    "terms",
    "uncertainty",
]


def __getattr__(name: str):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
