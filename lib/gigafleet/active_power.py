"""What accelerators and their servers draw under load, from measured power.

A chip that decodes is far from its thermal design power (TDP) at small batch and near it at large batch. Its host
draws about the same whatever the chip does. So the power of IT is its nameplate, less the headroom in it, less what
the chips leave unused.
"""

import numpy as np
import pandas as pd

from gigafleet import catalog
from gigafleet.errors import require, unknown
from gigafleet.power import PHASES
from gigafleet.tables import resource


def chip_share(requests_per_accelerator, experts: bool, case: str = "mid"):
    """Return what a chip draws in serving over its TDP.

    Parameters
    ----------
    requests_per_accelerator
        Requests in flight over accelerators. [1]
    experts
        Whether the model is a mixture of experts, which leaves more of a chip idle than a dense one.
    case
        ``low``, ``mid`` or ``high``: 5th percentile, median and 95th percentile of measured chips.

    Returns
    -------
    float or array
        Share of TDP; between the middles of the measured classes of load (``data/power_shares.csv``) it runs
        straight in the logarithm of the load, beyond them it stays.

    >>> round(float(chip_share(128, experts=False)), 2)
    0.96
    """
    require("requests_per_accelerator", requests_per_accelerator, above=0)
    column = {"low": "low", "mid": "value", "high": "high"}
    if case not in column:
        raise unknown("case", case, column)
    table = resource("power_shares")
    table = table[table["kind"] == ("experts" if experts else "dense")]
    start = table["from_requests"].clip(lower=0.25)
    middle = np.sqrt(start * table["to_requests"].fillna(4 * start))
    return np.interp(np.log(requests_per_accelerator), np.log(middle), table[column[case]])


def conversion() -> float:
    """Return how many watts a server draws for a further watt of its chips: losses of conversion, from a published
    model of an eight-GPU server at two powers of its chips. [W/W]"""
    full, half = (catalog.value("HGX-B200", "modeled_server_kw", f"{watts}-w-per-gpu-it") for watts in ("1000", "500"))
    return (full - half) / (8 * 0.5)


def it_kw_drawn(it_kw, tdp_w, chip_share, case: str = "mid"):
    """Return the IT power that an accelerator draws while its chip draws a share of its TDP.

    Parameters
    ----------
    it_kw
        IT nameplate per accelerator. [kW]
    tdp_w
        Power of the chip. [W]
    chip_share
        Share of TDP that the chip draws.
    case
        ``low``, ``mid`` or ``high`` draw of IT with every chip at its TDP (``full_load_share``).

    Returns
    -------
    same type
        ``it_kw full_load_share - conversion tdp (1 - chip_share)``. [kW]

    Raises
    ------
    ValueError
        Where that is less than the chip draws: the nameplate does not belong to the chip.
    """
    drawn = _drawn(it_kw, tdp_w, chip_share, case)
    if np.any(np.asarray(drawn) < np.asarray(tdp_w) / 1000 * chip_share):
        raise ValueError(f"it_kw of {it_kw} leaves nothing for the host of a chip of {tdp_w} W")
    return drawn


def _drawn(it_kw, tdp_w, chip_share, case: str = "mid"):
    require("it_kw", it_kw, above=0, absent=True)
    require("tdp_w", tdp_w, above=0, absent=True)
    require("chip_share", chip_share, minimum=0, maximum=1)
    full = catalog.value("ai-datacenter", "full_load_share", case=case)
    return it_kw * full - conversion() * tdp_w / 1000 * (1 - chip_share)


def draws(accelerators, phase: str, requests_per_accelerator=None, experts: bool = True) -> pd.DataFrame:
    """Return what accelerators draw at chip and IT level.

    Parameters
    ----------
    accelerators
        Names, as people write them.
    phase
        ``training``, ``prefill``, ``decode`` or ``serving``; the last two go by load.
    requests_per_accelerator, experts
        As in :func:`chip_share`, one number or one for each accelerator; not needed in training and prefill.

    Returns
    -------
    DataFrame
        Indexed by accelerator: ``chip_share`` [share of TDP], ``chip_kw``, ``it_kw`` [kW]; NaN where TDP or IT power
        is unknown, or where the two are of different sources and the IT power leaves nothing for the host.

    Raises
    ------
    UnknownNameError
        An accelerator or phase that is not known.
    """
    if phase not in (*PHASES, "serving"):
        raise unknown("phase", phase, (*PHASES, "serving"))
    names = [accelerators] if isinstance(accelerators, str) else accelerators
    table = catalog.accelerators().loc[[catalog.find(name) for name in names], ["tdp_w", "all_in_kw"]]
    if phase in ("training", "prefill"):
        share = catalog.value("ai-datacenter", "chip_active_share", phase)
    else:
        share = chip_share(requests_per_accelerator, experts)
    out = pd.DataFrame({"chip_share": share}, index=table.index)
    out["chip_kw"] = table["tdp_w"] / 1000 * out["chip_share"]
    drawn = _drawn(table["all_in_kw"], table["tdp_w"], out["chip_share"])
    out["it_kw"] = drawn.where(drawn >= out["chip_kw"])
    return out
