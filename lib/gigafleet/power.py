"""Power, energy and carbon: from an accelerator to a gigawatt.

Levels are named ``chip < server < rack < it < facility``. A *chip* is the accelerator alone. A *server* or *rack*
adds host, fans and what is inside the box. *IT* adds the share of scale-out network, storage and management. A
*facility* adds cooling and losses: IT power times the power usage effectiveness (PUE). Provisioning goes by the PUE
of the hottest hour (``peak_pue``), energy by that of the year (``annual_pue``).

Every function is plain arithmetic on floats, arrays, Series or DataArrays of any shape that broadcast together.
"""

import pandas as pd

from gigafleet.errors import require, unknown

HOURS_PER_YEAR = 8760
HOURS_PER_MONTH = 730
BASES = ("facility", "it")
LEVELS = ("chip", "server", "rack", "it", "facility")
PHASES = ("training", "prefill", "decode")


def it_kw(system_kw, accelerators, network_storage_share):
    """Return IT power per accelerator from that of its server or rack.

    Parameters
    ----------
    system_kw
        Power of the server or rack. [kW]
    accelerators
        Accelerators in it. [1]
    network_storage_share
        What scale-out switches, storage and management outside the box add. [share of system_kw]

    Returns
    -------
    same type
        IT power per accelerator. [kW]

    >>> round(it_kw(235.0, 72, 0.04), 3)
    3.394
    """
    require("system_kw", system_kw, above=0, absent=True)
    require("accelerators", accelerators, above=0, absent=True)
    require("network_storage_share", network_storage_share, minimum=0)
    return system_kw / accelerators * (1 + network_storage_share)


def accelerators_per_gw(it_kw, pue=1.0, oversubscription=1.0):
    """Return how many accelerators one gigawatt feeds.

    Parameters
    ----------
    it_kw
        Power per accelerator, at the level that the gigawatt is counted at once the PUE is applied. NaN in an array
        is an absent figure. [kW]
    pue
        1 if the gigawatt is IT power, the peak PUE if it is facility power. [ratio]
    oversubscription
        Provisioned over usable power, at least 1. [ratio]

    Returns
    -------
    same type as it_kw
        Accelerators per gigawatt, not rounded. [1/GW]

    Raises
    ------
    ValueError
        If it_kw is not above 0, or pue or oversubscription is below 1.

    Notes
    -----
    ``1e6 / (it_kw pue oversubscription)``. SemiAnalysis' all-in figures give, per IT gigawatt:

    >>> int(accelerators_per_gw(2.09)), int(accelerators_per_gw(1.87)), int(accelerators_per_gw(1.37))
    (478468, 534759, 729927)
    """
    require("it_kw", it_kw, above=0, absent=True)
    require("pue", pue, minimum=1, absent=True)
    require("oversubscription", oversubscription, minimum=1, absent=True)
    return 1e6 / (it_kw * pue * oversubscription)


def accelerators(capacity_gw, it_kw, peak_pue=1.0, oversubscription=1.0, basis="facility"):
    """Return how many accelerators a contracted capacity feeds, on either reading of its gigawatts.

    Parameters
    ----------
    capacity_gw
        Contracted capacity. [GW]
    it_kw
        IT power per accelerator. [kW]
    peak_pue
        Facility over IT power in the hottest hour. [ratio]
    oversubscription
        Provisioned over usable power, at least 1. [ratio]
    basis
        What the contract's gigawatts count: ``facility`` or ``it``.

    Returns
    -------
    same type
        Accelerators, not rounded. [1]

    >>> int(accelerators(0.01, 2.0, basis="it")), int(accelerators(0.01, 2.17, basis="it"))
    (5000, 4608)
    """
    require("capacity_gw", capacity_gw, above=0)
    if basis not in BASES:
        raise unknown("capacity_basis", basis, BASES)
    return capacity_gw * accelerators_per_gw(it_kw, peak_pue if basis == "facility" else 1.0, oversubscription)


def average_draw_kw(it_kw, busy_share, active_share=1.0, idle_share=0.0):
    """Return the power that an accelerator with its share of the IT really draws, on average.

    Parameters
    ----------
    it_kw
        IT nameplate per accelerator. [kW]
    busy_share
        Share of the time under load. [share]
    active_share
        Draw under load, by phase of the work. [share of it_kw]
    idle_share
        Draw when idle. [share of it_kw]

    Returns
    -------
    same type
        ``it_kw (idle + (active - idle) busy)``. [kW]

    >>> round(average_draw_kw(2.0, 0.8, active_share=0.75, idle_share=0.25), 3)
    1.3
    """
    require("it_kw", it_kw, above=0, absent=True)
    require("busy_share", busy_share, minimum=0, maximum=1, absent=True)
    require("active_share", active_share, minimum=0, maximum=1, absent=True)
    require("idle_share", idle_share, minimum=0, maximum=1, absent=True)
    return it_kw * (idle_share + (active_share - idle_share) * busy_share)


def phase_weighted_share(active_share: dict, time_share: dict):
    """Return the draw under load of an accelerator that spends its busy time in several phases of work.

    Parameters
    ----------
    active_share
        Phase -> draw under load. [share of IT nameplate]
    time_share
        Phase -> busy time spent in it; the sum need not be 1. [share]

    Returns
    -------
    same type
        Mean of the draws, weighted by time. [share of IT nameplate]

    Raises
    ------
    UnknownNameError
        If a phase is not one of :data:`PHASES`.

    >>> round(phase_weighted_share({"training": 0.8, "decode": 0.6}, {"training": 1, "decode": 3}), 2)
    0.65
    """
    for phase in (*active_share, *time_share):
        if phase not in PHASES:
            raise unknown("phase", phase, PHASES)
    for phase, share in time_share.items():
        require(f"time share of {phase}", share, minimum=0, absent=True)
    total = sum(time_share.values())
    require("sum of time shares", total, above=0, absent=True)
    return sum(time_share[phase] * active_share[phase] for phase in time_share) / total


def energy_mwh(average_it_kw, annual_pue=1.0, hours=HOURS_PER_YEAR):
    """Return the facility's energy from its average IT draw.

    Parameters
    ----------
    average_it_kw
        Average IT power. [kW]
    annual_pue
        Facility energy over IT energy in the year. [ratio]
    hours
        Length of time. [h]

    Returns
    -------
    same type
        Energy at the utility's meter. [MWh]

    >>> energy_mwh(1000.0, annual_pue=1.25)
    10950.0
    """
    require("average_it_kw", average_it_kw, minimum=0, absent=True)
    require("annual_pue", annual_pue, minimum=1, absent=True)
    require("hours", hours, minimum=0)
    return average_it_kw * annual_pue * hours / 1000


def carbon_t(energy_mwh, g_co2_per_kwh):
    """Return operational, location-based carbon dioxide.

    Parameters
    ----------
    energy_mwh
        Energy at the meter. [MWh]
    g_co2_per_kwh
        Intensity of the grid, average or marginal. [g/kWh]

    Returns
    -------
    same type
        Metric tons of CO2. Embodied carbon and water are not in it. [t]

    >>> carbon_t(1000.0, 350)
    350.0
    """
    require("energy_mwh", energy_mwh, minimum=0, absent=True)
    require("g_co2_per_kwh", g_co2_per_kwh, minimum=0, absent=True)
    return energy_mwh * g_co2_per_kwh / 1000


def tokens_per_s_per_mw(tokens_per_s, kw):
    """Return throughput per megawatt, both for the same accelerators. [tokens/s/MW]

    >>> tokens_per_s_per_mw(500.0, 2.0)
    250000.0
    """
    require("tokens_per_s", tokens_per_s, minimum=0, absent=True)
    require("kw", kw, above=0, absent=True)
    return tokens_per_s * 1000 / kw


def joules_per_token(kw, tokens_per_s):
    """Return energy per token at the level that the power is counted at. [J]

    >>> joules_per_token(2.0, 500.0)
    4.0
    """
    require("kw", kw, above=0, absent=True)
    require("tokens_per_s", tokens_per_s, above=0, absent=True)
    return kw * 1000 / tokens_per_s


def grid_g_co2_per_kwh(today, decline_share_per_year, years):
    """Return the carbon intensity of a grid that falls by the same share every year.

    Parameters
    ----------
    today
        Intensity now. [g/kWh]
    decline_share_per_year
        Yearly fall, below 1; negative for a rise. [share/year]
    years
        Years from now. [years]

    Returns
    -------
    same type
        ``today (1 - decline)^years``. [g/kWh]

    >>> round(grid_g_co2_per_kwh(350.0, 0.03, 7), 1)
    282.8
    """
    require("today", today, minimum=0, absent=True)
    require("decline_share_per_year", decline_share_per_year, minimum=-1, maximum=1, absent=True)
    require("years", years, minimum=0)
    return today * (1 - decline_share_per_year) ** years


def levels_kw(accelerators: pd.DataFrame, systems: pd.DataFrame, peak_pue: float) -> pd.DataFrame:
    """Return the power of one accelerator at every level, for a table of accelerators.

    Parameters
    ----------
    accelerators : DataFrame
        As :func:`gigafleet.catalog.accelerators` gives it: ``tdp_w`` [W], ``all_in_kw`` (IT level) and
        ``all_in_kw_rack``. [kW]
    systems : DataFrame
        As :func:`gigafleet.catalog.systems` gives it: ``accelerator``, ``accelerators_per_system``, ``server_kw``,
        ``rack_kw``. Where an accelerator comes in several servers or racks, the one with the most power each counts,
        as provisioning does.
    peak_pue : float
        Facility over IT power in the hottest hour. [ratio]

    Returns
    -------
    DataFrame
        Columns chip, server, rack, it, facility; NaN where no source gives the level. [kW]
    """
    require("peak_pue", peak_pue, minimum=1)
    each = systems[["server_kw", "rack_kw"]].div(systems["accelerators_per_system"], axis=0)
    boxed = each.groupby(systems["accelerator"]).max().reindex(accelerators.index)
    kw = pd.DataFrame(
        {
            "chip": accelerators["tdp_w"] / 1000,
            "server": boxed["server_kw"],
            "rack": accelerators["all_in_kw_rack"].fillna(boxed["rack_kw"]),
            "it": accelerators["all_in_kw"],
            "facility": accelerators["all_in_kw"] * peak_pue,
        }
    )
    return kw[list(LEVELS)]
