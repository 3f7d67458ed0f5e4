"""The roll-out in service as tables: by quarter and year, by generation and region, and under delay."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gigafleet import catalog, operation, power, rollout, uncertainty

SOME = 0.005  # gigawatts in service below which work and its cost are not shown
ANSWERS = {
    "peak_gw": ("most power at the meter, hottest hour", "GW"),
    "accelerators": ("accelerators in service, at most", ""),
    "twh_per_year": ("electricity in the year with the most", "TWh"),
    "mt_co2": ("carbon dioxide to the end of 2036", "Mt"),
    "capex_busd": ("capital", "billion USD"),
    "opex_busd_per_year": ("energy, upkeep and staff in the year with the most", "billion USD"),
    "cost_busd_per_year": ("whole cost in the year with the most", "billion USD"),
    "tokens_tn_per_day": ("tokens a day in the year with the most, all kinds of work", "trillion"),
    "training_yflop_per_year": ("training in the year with the most", "10^24 FLOP"),
}
NAMES, UNITS = ({name: pair[place] for name, pair in ANSWERS.items()} for place in (0, 1))


def answers(found: xr.Dataset) -> pd.DataFrame:
    """Return the headline answers of a roll-out, one row a sample, columns as in :data:`ANSWERS`; and
    ``full_year``: when the most are in service, counted in years."""
    total = found["in_service_gw"].sum("generation")
    most = total.max("quarter")
    reached = (total >= 0.999 * most).argmax("quarter")
    year = rollout.by_year(found[["twh", "opex_busd", "cost_busd", "tokens_tn", "training_yflop"]])
    columns = {
        "peak_gw": found["peak_gw"].max("quarter"),
        "full_year": 2026.5 + (reached + 1) / 4,
        "accelerators": found["accelerators"].sum("generation").max("quarter"),
        "twh_per_year": year["twh"].max("year"),
        "mt_co2": found["mt_co2"].sum(["quarter", "region"]),
        "capex_busd": found["capex_busd"].sum(["quarter", "asset"], skipna=False),
        "opex_busd_per_year": year["opex_busd"].sum("part", skipna=False).max("year"),
        "cost_busd_per_year": year["cost_busd"].max("year"),
        "tokens_tn_per_day": year["tokens_tn"].sum("workload").max("year") / 365,
        "training_yflop_per_year": year["training_yflop"].max("year"),
    }
    return pd.DataFrame({name: values.to_numpy() for name, values in columns.items()})


def band(table: xr.DataArray, over: str = "quarter") -> pd.DataFrame:
    """Return ``low``, ``median``, ``high`` of a table over its samples, one row an entry of ``over``; other dims are
    added up. By ``year`` quarters are added up first."""
    table = rollout.by_year(table) if over == "year" else table
    table = table.sum([dim for dim in table.dims if dim not in ("sample", over)], skipna=False)
    return uncertainty.interval(table.transpose("sample", over).to_pandas())


def parts(table: xr.DataArray, part: str, over: str = "quarter") -> pd.DataFrame:
    """Return means of a table, one column a part; means, and not medians, because the parts then add up."""
    table = rollout.by_year(table) if over == "year" else table
    return table.mean("sample", skipna=False).transpose(over, part).to_pandas().rename_axis(columns=None)


def part_bands(table: xr.DataArray, part: str, over: str = "quarter") -> dict[str, pd.DataFrame]:
    """Return the frames ``low``, ``median``, ``high`` of a table over its samples, one column a part; medians of parts
    do not add up. By ``year`` quarters are added up first."""
    table = rollout.by_year(table) if over == "year" else table
    ends = {"low": 0.05, "median": 0.5, "high": 0.95}
    frames = {end: table.quantile(share, "sample").transpose(over, part).to_pandas() for end, share in ends.items()}
    return {end: frame.rename_axis(columns=None) for end, frame in frames.items()}


def clocks(found: xr.Dataset) -> pd.DataFrame:
    """Return medians of cumulative gigawatts by quarter, on every clock, and of those in service. [GW]"""
    names = (*rollout.CLOCKS, "retired")
    table = pd.DataFrame({name: band(found[f"{name}_gw"].cumsum("quarter"))["median"] for name in names})
    return table.assign(**{"in service": band(found["in_service_gw"])["median"]})


def clock_bands(found: xr.Dataset) -> dict[str, pd.DataFrame]:
    """Return ``low`` and ``high``, the ends of the 90 % intervals of :func:`clocks`, as frames of its shape. [GW]"""
    tables = {name: found[f"{name}_gw"].cumsum("quarter") for name in (*rollout.CLOCKS, "retired")}
    tables["in service"] = found["in_service_gw"]
    bands = {name: band(table) for name, table in tables.items()}
    return {end: pd.DataFrame({name: one[end] for name, one in bands.items()}) for end in ("low", "high")}


def share_of(table: xr.DataArray, part: str, label: str) -> pd.Series:
    """Return ``low``, ``median`` and ``high`` of the share of one part in the sum of a table, sample by sample; samples
    without any left out. [%]"""
    whole = table.sum([dim for dim in table.dims if dim != "sample"], skipna=False)
    one = table.sel({part: label})
    share = 100 * one.sum([dim for dim in one.dims if dim != "sample"], skipna=False) / whole.where(whole > 0)
    return uncertainty.interval(share.dropna("sample").to_numpy())


def ends(table: xr.DataArray) -> dict[str, pd.Series]:
    """Return the ends ``low`` and ``high`` of the 90 % interval of a table's sum by quarter, for whiskers."""
    return band(table)[["low", "high"]].to_dict("series")


def in_use(found: xr.Dataset) -> np.ndarray:
    """Return in which quarters nearly every sample has accelerators in service."""
    return (found["in_service_gw"].sum("generation").quantile(0.05, "sample") > SOME).to_numpy()


def cost_per_token(found: xr.Dataset, kinds: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return what a million tokens costs by quarter, as frames ``low``, ``median``, ``high`` with a column a kind of
    work; quarters as :func:`in_use`. [USD per million tokens]"""
    frames = part_bands(found["usd_per_million_tokens"][{"quarter": in_use(found)}], "workload")
    return {end: frame.rename(columns=kinds["name"]) for end, frame in frames.items()}


def carbon_by_region(found: xr.Dataset, inputs: pd.DataFrame, regions: Iterable[str] | None = None) -> pd.DataFrame:
    """Return the carbon of the same energy in several regions, all years. [Mt]

    Parameters
    ----------
    found, inputs
        From :func:`gigafleet.operation.evaluate`, and its inputs.
    regions
        Those to compare; all whose figures are complete if None.

    Returns
    -------
    DataFrame
        A row a region and path of its grid: ``region``, ``path``, ``value`` (median), ``low`` and ``high`` of all years
        [Mt]; the interval is that of energy and path. The path falls by the same share a year everywhere. The marginal
        intensity, where known, is taken to stay.
    """
    table = catalog.regions()
    chosen = catalog.complete_regions() if regions is None else [catalog.place(name) for name in regions]
    mwh = found["twh"] * 1e6
    decline = xr.DataArray(inputs["grid_decline_share_per_year"].to_numpy(float), dims="sample")
    rows = []
    for name in chosen:
        row = table.loc[name]
        since = operation.years_since(name) + operation.years_of(mwh)
        falling = power.grid_g_co2_per_kwh(row["g_co2_per_kwh"], decline, since)
        paths = {"average, falls": falling, "average, stays": row["g_co2_per_kwh"]}
        paths |= {"marginal, stays": row["g_co2_per_kwh_marginal"]} if row["g_co2_per_kwh_marginal"] > 0 else {}
        for path, intensity in paths.items():
            total = power.carbon_t(mwh, intensity).sum("quarter") / 1e6
            low, middle, high = uncertainty.interval(total.to_numpy())
            rows.append((row["name"], path, middle, low, high))
    return pd.DataFrame(rows, columns=["region", "path", "value", "low", "high"])


def delays(
    years: Iterable[float], of: str, inputs: pd.DataFrame, **settings
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Return what a delay does: gigawatts in service by quarter, and the answers.

    Parameters
    ----------
    years
        Delays of all gigawatts beyond those in the inputs. [years]
    of, inputs
        The deal, and samples from :func:`gigafleet.operation.draw`.
    settings
        As :func:`gigafleet.operation.evaluate`.

    Returns
    -------
    dict, dict
        The first holds frames ``low``, ``median`` and ``high`` [GW], a column a delay. The second has a frame a delay,
        one row a sample: ``gw_2028`` and ``gw_2030``, in service at the end of the year [GW], ``twh_2030`` and ``twh``,
        to the end of 2030 and in all [TWh], ``capex_busd_2030`` to the end of 2030 [billion USD].
    """
    bands, tables = {}, {}
    for delay in years:
        label = "on plan" if delay == 0 else f"{delay:g} {'year' if delay == 1 else 'years'} late"
        moved = inputs.assign(delay_years=inputs["delay_years"] + delay)
        found = operation.evaluate(moved, of, **settings)
        total = found["in_service_gw"].sum("generation")
        bands[label] = band(found["in_service_gw"])
        year, until = rollout.by_year(found[["twh", "capex_busd"]]), slice(None, 2030)
        values = {
            "gw_2028": total.sel(quarter="2028Q4"),
            "gw_2030": total.sel(quarter="2030Q4"),
            "twh_2030": year["twh"].sel(year=until).sum("year"),
            "twh": year["twh"].sum("year"),
            "capex_busd_2030": year["capex_busd"].sel(year=until).sum(["year", "asset"], skipna=False),
        }
        tables[label] = pd.DataFrame({name: value.to_numpy() for name, value in values.items()})
    ends = {
        end: pd.DataFrame({label: table[end] for label, table in bands.items()}) for end in ("low", "median", "high")
    }
    return ends, tables


def when_text(years: pd.Series) -> str:
    """Return the quarters in which something happens in half of the samples and in nine of ten, as a text."""
    low, middle, high = uncertainty.interval(years)
    return f"{quarter(middle)} ({quarter(low)} to {quarter(high)})"


def quarter(year: float) -> str:
    """Return the quarter that ends at a time counted in years.

    >>> quarter(2031.0), quarter(2031.25), quarter(2031.3)
    ('2030Q4', '2031Q1', '2031Q2')
    """
    number = int(np.ceil(4 * year - 1e-9)) - 1
    return f"{number // 4}Q{number % 4 + 1}"
