"""What it costs to own and run accelerators: capital by annuity, facility, network, energy, upkeep.

Each class of asset is spread over its own life. The hours are those of ownership, 8,760 a year, busy or not. One set
of rate, lives, network, facility, PUE and energy serves every accelerator; only price and power differ. Prices are on
the basis of the price given: mixing a hyperscaler's bill of materials with a retail quote compares nothing.

Every function is plain arithmetic on floats, arrays, Series or DataArrays of any shape that broadcast together.
"""

import numpy as np
import pandas as pd

from gigafleet import catalog, power
from gigafleet.errors import require, unknown

# What a cost needs besides an accelerator's price and power -> where its figure is. One set for every accelerator.
COMMON = {
    "peak_pue": ("ai-datacenter", "peak_pue"),
    "annual_pue": ("ai-datacenter", "annual_pue"),
    "busy_share": ("ai-datacenter", "busy_share"),
    "idle_share": ("ai-datacenter", "idle_share"),
    "rate": ("ai-datacenter", "discount_rate_share"),
    "it_life_years": ("ai-datacenter", "it_life_years"),
    "facility_life_years": ("ai-datacenter", "facility_life_years"),
    "facility_usd_per_kw": ("ai-datacenter", "facility_usd_per_kw"),
    "network_usd_per_kw": ("ai-datacenter", "network_usd_per_kw"),
    "storage_usd_per_kw": ("ai-datacenter", "storage_usd_per_kw"),
    "maintenance_share": ("ai-datacenter", "maintenance_share"),
    "staff_usd_per_kw_year": ("ai-datacenter", "staff_usd_per_kw_year"),
    **{f"active_share_{phase}": ("ai-datacenter", "active_share", phase) for phase in power.PHASES},
    **{f"time_share_{phase}": ("ai-datacenter", "phase_time_share", phase) for phase in power.PHASES},
}
METHODS = ("annuity", "straight_line")
PARTS = ("system", "network", "storage", "facility", "energy", "maintenance", "staff")
RUNNING = ("energy", "maintenance", "staff")  # the parts that are paid as they come


def capital_recovery_factor(rate, years):
    """Return the yearly payment that repays one unit of capital with interest.

    Parameters
    ----------
    rate
        Cost of capital, at least 0. [share/year]
    years
        Life of the asset, above 0. [years]

    Returns
    -------
    same type
        ``rate / (1 - (1 + rate)^-years)``, and ``1 / years`` at a rate of 0. [share/year]

    Raises
    ------
    ValueError
        On a negative rate or a life that is not above 0.

    >>> round(float(capital_recovery_factor(0.065, 5)), 5), float(capital_recovery_factor(0.0, 5))
    (0.24063, 0.2)
    """
    require("rate", rate, minimum=0, absent=True)
    require("years", years, above=0, absent=True)
    tiny = (rate < 1e-12) * 1.0  # where the formula would divide a rounding error by another
    positive = rate + tiny
    return tiny / years + (1 - tiny) * positive / -np.expm1(-years * np.log1p(positive))


def yearly_share(rate, years, method="annuity"):
    """Return the share of a capital outlay that one year bears, by annuity or straight line (which ignores the rate).

    >>> float(yearly_share(0.065, 5, "straight_line"))
    0.2
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    return capital_recovery_factor(rate if method == "annuity" else rate * 0.0, years)


def capex_parts_usd(price_usd, it_kw, *, facility_usd_per_kw, network_usd=0.0, storage_usd_per_kw=0.0) -> dict:
    """Return the capital behind one accelerator, by class of asset. Arguments and errors as :func:`capex_usd`.

    Returns
    -------
    dict
        system, network, storage, facility -> USD, each of the arguments' type.
    """
    require("price_usd", price_usd, above=0, absent=True)
    require("it_kw", it_kw, above=0, absent=True)
    require("facility_usd_per_kw", facility_usd_per_kw, minimum=0, absent=True)
    require("network_usd", network_usd, minimum=0, absent=True)
    require("storage_usd_per_kw", storage_usd_per_kw, minimum=0, absent=True)
    return {
        "system": price_usd,
        "network": network_usd,
        "storage": it_kw * storage_usd_per_kw,
        "facility": it_kw * facility_usd_per_kw,
    }


def capex_usd(price_usd, it_kw, *, facility_usd_per_kw, network_usd=0.0, storage_usd_per_kw=0.0):
    """Return the capital behind one accelerator.

    Parameters
    ----------
    price_usd
        Accelerator with its share of the server or rack. [USD]
    it_kw
        IT power per accelerator. [kW]
    facility_usd_per_kw
        Building, land, power and cooling. [USD per kW of IT]
    network_usd
        Scale-out network per accelerator. [USD]
    storage_usd_per_kw
        Storage. [USD per kW of IT]

    Returns
    -------
    same type
        Capital per accelerator. [USD]

    Raises
    ------
    ValueError
        On a price or a power that is not above 0, or a negative cost, by its name.

    >>> capex_usd(40000.0, 2.0, facility_usd_per_kw=11600, network_usd=9000)
    72200.0
    """
    costs = {"facility_usd_per_kw": facility_usd_per_kw, "network_usd": network_usd}
    return sum(capex_parts_usd(price_usd, it_kw, storage_usd_per_kw=storage_usd_per_kw, **costs).values())


def parts_per_accelerator_hour(
    price_usd,
    it_kw,
    *,
    pue,
    usd_per_mwh,
    rate,
    it_life_years,
    facility_usd_per_kw,
    facility_life_years,
    network_usd,
    busy_share,
    opex_share,
    storage_usd_per_kw=0.0,
    staff_usd_per_kw_year=0.0,
    active_share=1.0,
    idle_share=0.0,
    method="annuity",
):
    """Return what one accelerator costs an hour, by part. Arguments and errors as :func:`tco_per_accelerator_hour`.

    Returns
    -------
    dict
        system, network, storage, facility, energy, maintenance, staff -> USD/h, each of the arguments' type.
    """
    costs = {"facility_usd_per_kw": facility_usd_per_kw, "network_usd": network_usd}
    capital = capex_parts_usd(price_usd, it_kw, storage_usd_per_kw=storage_usd_per_kw, **costs)
    require("usd_per_mwh", usd_per_mwh, minimum=0, absent=True)
    require("opex_share", opex_share, minimum=0, maximum=1, absent=True)
    require("staff_usd_per_kw_year", staff_usd_per_kw_year, minimum=0, absent=True)
    it_share = yearly_share(rate, it_life_years, method)
    draw_kw = power.average_draw_kw(it_kw, busy_share, active_share, idle_share)
    yearly = {
        **{part: capital[part] * it_share for part in ("system", "network", "storage")},
        "facility": capital["facility"] * yearly_share(rate, facility_life_years, method),
        "energy": power.energy_mwh(draw_kw, pue) * usd_per_mwh,
        "maintenance": sum(capital.values()) * opex_share,
        "staff": it_kw * staff_usd_per_kw_year,
    }
    return {part: usd / power.HOURS_PER_YEAR for part, usd in yearly.items()}


def tco_per_accelerator_hour(
    price_usd,
    it_kw,
    *,
    pue,
    usd_per_mwh,
    rate,
    it_life_years,
    facility_usd_per_kw,
    facility_life_years,
    network_usd,
    busy_share,
    opex_share,
    **others,
):
    """Return the total cost of ownership of one accelerator for an hour.

    Parameters
    ----------
    price_usd
        Accelerator with its share of the server or rack. [USD]
    it_kw
        IT power per accelerator. [kW]
    pue
        Annual power usage effectiveness. [ratio]
    usd_per_mwh
        Price of electricity. [USD/MWh]
    rate
        Cost of capital. [share/year]
    it_life_years
        Life of accelerators, network and storage. [years]
    facility_usd_per_kw, facility_life_years
        Building, land, power and cooling. [USD per kW of IT, years]
    network_usd
        Scale-out network per accelerator. [USD]
    busy_share
        Share of the time under load, for energy. [share]
    opex_share
        Maintenance a year. [share of all capital]
    **others
        ``storage_usd_per_kw``, ``staff_usd_per_kw_year``, ``active_share``, ``idle_share`` (see
        :func:`gigafleet.power.average_draw_kw`), ``method`` (``annuity`` or ``straight_line``).

    Returns
    -------
    same type
        Cost of an hour of ownership. [USD/h]

    Raises
    ------
    ValueError
        On a figure outside its bounds, by its name.

    Notes
    -----
    ``(price + network + storage) crf(rate, it life) + facility crf(rate, facility life) + energy + maintenance +
    staff``, over 8,760 h.

    >>> common = dict(pue=1.14, usd_per_mwh=75, rate=0.065, it_life_years=5, busy_share=0.8, opex_share=0.008)
    >>> facility = dict(facility_usd_per_kw=11600, facility_life_years=14, network_usd=9219)
    >>> round(float(tco_per_accelerator_hour(39600, 1.87, **facility, **common)), 2)
    1.81
    """
    parts = parts_per_accelerator_hour(
        price_usd,
        it_kw,
        pue=pue,
        usd_per_mwh=usd_per_mwh,
        rate=rate,
        it_life_years=it_life_years,
        facility_usd_per_kw=facility_usd_per_kw,
        facility_life_years=facility_life_years,
        network_usd=network_usd,
        busy_share=busy_share,
        opex_share=opex_share,
        **others,
    )
    return sum(parts.values())


def tco_per_kw_year(usd_per_h, it_kw):
    """Return the yearly cost of one kW of IT from that of an accelerator-hour. [USD per kW of IT and year]

    >>> float(tco_per_kw_year(2.0, 2.0))
    8760.0
    """
    require("usd_per_h", usd_per_h, minimum=0, absent=True)
    require("it_kw", it_kw, above=0, absent=True)
    return usd_per_h * power.HOURS_PER_YEAR / it_kw


def tco_busd_per_gw_year(usd_per_h, it_kw, peak_pue=1.0):
    """Return the yearly cost of a gigawatt from that of an accelerator-hour.

    Parameters
    ----------
    usd_per_h
        Cost of an accelerator-hour. [USD/h]
    it_kw
        IT power per accelerator. [kW]
    peak_pue
        1 for a gigawatt of IT; the peak PUE for a gigawatt of facility. [ratio]

    Returns
    -------
    same type
        [billion USD per GW and year]

    >>> round(tco_busd_per_gw_year(1.86, 1.87), 2)
    8.71
    """
    require("usd_per_h", usd_per_h, minimum=0, absent=True)
    return usd_per_h * power.HOURS_PER_YEAR * power.accelerators_per_gw(it_kw, peak_pue) / 1e9


def usd_per_million_tokens(usd_per_h, tokens_per_s, load_factor=1.0):
    """Return the cost of a million tokens.

    Parameters
    ----------
    usd_per_h
        Cost of an hour of the accelerators. [USD/h]
    tokens_per_s
        Their throughput when they work. [tokens/s]
    load_factor
        Work sold over capacity. [share]

    Returns
    -------
    same type
        [USD per million tokens]

    >>> round(usd_per_million_tokens(2.8, 1000.0), 6)
    0.777778
    """
    require("usd_per_h", usd_per_h, above=0, absent=True)
    require("tokens_per_s", tokens_per_s, above=0, absent=True)
    require("load_factor", load_factor, above=0, maximum=1)
    return usd_per_h * 1e6 / (3600 * tokens_per_s * load_factor)


def common_ranges(region: str) -> pd.DataFrame:
    """Return the inputs that serve every accelerator alike, with their ranges and sources.

    Parameters
    ----------
    region
        A region, for the price of electricity.

    Returns
    -------
    DataFrame
        Indexed by the names of :data:`COMMON` and ``usd_per_mwh``, as :func:`gigafleet.catalog.ranges` gives it.

    Raises
    ------
    UnknownNameError, ValueError
        If the region is not known, or has no price of electricity.
    """
    return catalog.ranges({**COMMON, "usd_per_mwh": (catalog.place(region), "usd_per_mwh")})


def arguments(inputs, it_kw) -> dict:
    """Return the keyword arguments of :func:`parts_per_accelerator_hour` from named inputs.

    Parameters
    ----------
    inputs : mapping, Series or DataFrame
        Every name of :data:`COMMON` and ``usd_per_mwh`` -> figure, or column of samples. ``network_usd``, if there,
        is the accelerator's own scale-out network [USD] and takes the place of ``network_usd_per_kw``.
    it_kw
        IT power per accelerator. [kW]
    """
    names = ("usd_per_mwh", "rate", "it_life_years", "facility_life_years", "facility_usd_per_kw", "storage_usd_per_kw")
    return {
        **{name: inputs[name] for name in (*names, "staff_usd_per_kw_year", "busy_share", "idle_share")},
        "pue": inputs["annual_pue"],
        "network_usd": inputs["network_usd"] if "network_usd" in inputs else inputs["network_usd_per_kw"] * it_kw,
        "opex_share": inputs["maintenance_share"],
        "active_share": power.phase_weighted_share(
            {phase: inputs[f"active_share_{phase}"] for phase in power.PHASES},
            {phase: inputs[f"time_share_{phase}"] for phase in power.PHASES},
        ),
    }


def waterfall(price_usd: pd.Series, it_kw: pd.Series, **common) -> pd.DataFrame:
    """Return the parts of the hourly cost of several accelerators, as a table.

    Parameters
    ----------
    price_usd, it_kw
        One row an accelerator. [USD, kW]
    **common
        The one set of figures for all; see :func:`parts_per_accelerator_hour`.

    Returns
    -------
    DataFrame
        One row an accelerator; the parts and ``total``. [USD/h]
    """
    parts = parts_per_accelerator_hour(price_usd, it_kw, **common)
    table = pd.DataFrame({part: usd + 0 * it_kw for part, usd in parts.items()}, columns=list(PARTS))
    table["total"] = table.sum(axis=1, skipna=False)
    return table
