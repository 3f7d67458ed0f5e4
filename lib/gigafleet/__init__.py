"""Gigafleet: what gigawatts of AI accelerators are, in accelerators, compute, power, money, shares and carbon.

The submodules load on first use, so that ``import gigafleet`` costs nothing:

>>> import gigafleet
>>> float(gigafleet.catalog.accelerators().loc["MI300X", "memory_gb"])
192.0
"""

import importlib

__version__ = "0.2.0"
__all__ = [
    "accuracy",
    "active_power",
    "architectures",
    "calibration",
    "catalog",
    "ceilings",
    "check",
    "claims",
    "claims_file",
    "comparison",
    "cost",
    "deal",
    "deal_views",
    "derived",
    "distributions",
    "earnings",
    "earnings_views",
    "effects",
    "evidence",
    "fleet",
    "fleet_bands",
    "fleet_draws",
    "fleet_figures",
    "fleet_inputs",
    "fleet_life",
    "fleet_plan",
    "fleet_problem",
    "fleet_results",
    "fleet_solver",
    "fleet_views",
    "flow_plots",
    "house_style",
    "measured",
    "model_check",
    "naming",
    "notebook_models",
    "operation",
    "operation_views",
    "panel_plots",
    "parameters",
    "payers",
    "performance",
    "plot_labels",
    "plots",
    "power",
    "published",
    "purchases",
    "ramp",
    "report",
    "revenue",
    "rollout",
    "roofline",
    "scatter_plots",
    "scenarios",
    "serving",
    "tables",
    "tell",
    "terms",
    "time_plots",
    "uncertainty",
    "vendor_side",
    "vesting_views",
    "warrant",
    "warrant_terms",
    "warrant_views",
    "workloads",
]


def __getattr__(name: str):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
