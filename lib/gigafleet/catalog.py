"""The figures in ``data/``, as tables, each with its source: by subject, by quantity, with what disagrees."""

import functools

import numpy as np
import pandas as pd

from gigafleet import architectures, derived
from gigafleet.architectures import benchmarks, find_llm, llms
from gigafleet.errors import UnknownNameError, unknown
from gigafleet.naming import plain
from gigafleet.tables import folder, package, read_yaml, resource

__all__ = ["benchmarks", "find_llm", "llms"]  # what other modules hold for this one

CASES = ("low", "mid", "high")
VENDOR_KINDS = ("datasheet", "vendor-announcement", "filing")


def reload() -> None:
    """Forget what was read, so that an edited table is read again."""
    kept = (package, resource, _facts, _subjects, _table, deals, quantities, _names, _preferred, _has)
    for cached in (*kept, architectures.names, architectures.arithmetic):
        cached.cache_clear()


@functools.cache
def _facts() -> pd.DataFrame:
    stated = resource("facts")
    return pd.concat([stated, derived.it_power(stated, resource("subjects"))], ignore_index=True)


def facts() -> pd.DataFrame:
    """Return every row of ``facts.csv``, preferred or not, and below them what is derived from them.

    Derived is the power at IT level of accelerators for which no source gives it: see
    :func:`gigafleet.derived.it_power`.
    """
    return _facts().copy()


def sources() -> pd.DataFrame:
    """Return the sources, indexed by ``source_id``."""
    return resource("sources").set_index("source_id")


def subjects(kind: str | None = None) -> pd.DataFrame:
    """Return what the figures are about, indexed by short name; of one kind, if given."""
    return _subjects(kind).copy()


@functools.cache
def _subjects(kind: str | None = None) -> pd.DataFrame:
    table = resource("subjects").set_index("subject")
    kinds = list(dict.fromkeys(table["kind"]))
    if kind is None:
        return table
    if kind not in kinds:
        raise unknown("kind of subject", kind, kinds)
    return table[table["kind"] == kind]


@functools.cache
def quantities() -> pd.DataFrame:
    """Return the codebook: unit, conditions, plausible limits and meaning of every quantity."""
    book = pd.DataFrame.from_dict(package()["quantities"], orient="index")
    book["series"] = book["series"].eq(True)
    book["plain"] = book["plain"].fillna("first")
    return book


def amd_quarters() -> pd.DataFrame:
    """Return AMD's reported quarters, indexed by quarter such as ``2025Q4``."""
    return resource("amd_quarters").set_index("quarter")


@functools.cache
def deals() -> dict[str, dict]:
    """Return the terms of the deals, by id."""
    content = read_yaml(folder() / "deals.yaml")
    listed = content.get("deals") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(d, dict) and "id" in d for d in listed):
        raise ValueError("deals.yaml must hold `deals`, a list of deals that each have an `id`")
    return {deal["id"]: deal for deal in listed}


def deal(name: str) -> dict:
    """Return the terms of one deal.

    >>> deal("amd-openai")["public"]["capacity_gw"]
    6
    """
    return deals()[find(name, "deal", list(deals()))]


@functools.cache
def _names(kind: str) -> dict[str, str]:
    table = subjects(kind)
    names = {}
    for column in ("aliases", "name"):
        for subject, text in table[column].items():
            names.update({plain(alias, kind): subject for alias in text.split(";") if alias.strip()})
    return names | {plain(subject, kind): subject for subject in table.index}


def find(name: str, kind: str = "accelerator", among: list[str] | None = None) -> str:
    """Return the short name behind a name as people write it.

    Parameters
    ----------
    name
        Case, spaces, punctuation, the vendor and "Instinct" do not matter.
    kind
        Kind of subject.
    among
        Short names that are allowed; all of the kind if None.

    Raises
    ------
    UnknownNameError
        With the nearest name and all that are known.

    >>> find("AMD Instinct mi300x"), find("MI450"), find("helios", "system")
    ('MI300X', 'MI455X', 'Helios')
    """
    names = _names(kind)
    among = list(_subjects(kind).index) if among is None else among
    short = names.get(plain(name, kind)) if isinstance(name, str) else None
    if short not in among:
        raise unknown(kind, name, among)
    return short


def subject_of(name: str) -> str:
    """Return the short name of a subject of any kind; a miss suggests the nearest."""
    known = _subjects()
    if name in known.index:
        return name
    for kind in dict.fromkeys(known["kind"]):
        names = _names(kind)
        if isinstance(name, str) and plain(name, kind) in names:
            return names[plain(name, kind)]
    raise unknown("subject", name, known.index)


def column(quantity: str, condition: str) -> str:
    """Return the name of the column that a quantity under a condition has in a wide table."""
    entry = quantities().loc[quantity]
    return quantity if entry["plain"] == "first" and entry["conditions"][0] == condition else f"{quantity}_{condition}"


def _stated(rows: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Return, of preferred rows of a quantity, one a subject: the vendor's own if there is one, by order of the
    conditions."""
    rank = rows["condition"].map(quantities().loc[quantity, "conditions"].index) + 100 * ~rows["kind"].isin(
        VENDOR_KINDS
    )
    return rows.assign(rank=rank).sort_values("rank").drop_duplicates("subject").drop(columns="rank")


def _mid(rows: pd.DataFrame) -> pd.Series:
    """Return the values, and the geometric mean of low and high where a source gives no more than these."""
    return rows["value"].fillna(np.sqrt(rows["low"] * rows["high"]))


def table(kind: str, case: str = "mid") -> pd.DataFrame:
    """Return one row a subject of a kind, one column a quantity, from the preferred figures.

    Parameters
    ----------
    kind
        ``accelerator``, ``system``, ``region``, ...
    case
        ``mid``, or ``low`` or ``high`` for the ends of each cell's own range (which are not the low or high of an
        answer).

    Returns
    -------
    DataFrame
        Indexed by short name: attributes that are text, then the quantities with their unit in the name. An absent
        figure is NaN. ``attrs["midpoints"]`` lists the cells whose source gives a range only; their ``mid`` is the
        geometric mean of its ends.
    """
    if case not in CASES:
        raise unknown("case", case, CASES)
    found = _table(kind, case)
    wide = found.copy()
    wide.attrs = {"midpoints": list(found.attrs["midpoints"])}
    return wide


@functools.cache
def _table(kind: str, case: str) -> pd.DataFrame:
    """Return what :func:`table` gives, to be copied."""
    attributes = subjects(kind)
    attributes = attributes.loc[:, (attributes != "").any()].drop(
        columns=["kind", "aliases", "source_id", "note"], errors="ignore"
    )
    book = quantities()
    fixed = book.index[book["conditions"].map(lambda c: c != "any")]
    rows = facts()
    rows = rows[rows["preferred"] & rows["subject"].isin(attributes.index) & rows["quantity"].isin(fixed)]
    order = {}
    for quantity in fixed:  # the plain column first, then a column for every other condition
        order |= dict.fromkeys([quantity, *(column(quantity, c) for c in book.loc[quantity, "conditions"])])
    rows = rows.assign(column=[column(q, c) for q, c in zip(rows["quantity"], rows["condition"], strict=True)])
    stated = [
        _stated(rows[rows["quantity"] == q], q).assign(column=q) for q in fixed if book.loc[q, "plain"] == "vendor"
    ]
    rows = pd.concat([rows, *stated], ignore_index=True)
    rows = rows.assign(
        number=_mid(rows) if case == "mid" else rows[case].fillna(_mid(rows)),
    )
    twice = rows[rows.duplicated(["subject", "column"])]
    if len(twice):
        raise ValueError(
            f"two preferred figures for {twice['column'].iloc[0]} of {twice['subject'].iloc[0]}: exactly one is allowed"
        )
    numbers = rows.pivot(index="subject", columns="column", values="number")
    numbers = numbers.reindex(index=attributes.index, columns=[c for c in order if c in numbers.columns])
    wide = pd.concat([attributes, numbers.astype(float)], axis=1)
    wide.columns.name = None
    wide.attrs["midpoints"] = list(
        zip(*rows.loc[rows["value"].isna(), ["subject", "column"]].to_numpy().T.tolist(), strict=True)
    )
    return wide


def accelerators(case: str = "mid") -> pd.DataFrame:
    """Return the accelerators, indexed by short name. See :func:`table`."""
    return table("accelerator", case)


def systems(case: str = "mid") -> pd.DataFrame:
    """Return servers and racks, indexed by short name. See :func:`table`."""
    return table("system", case)


def complete_regions() -> list[str]:
    """Return the regions that can stand for a place: those with a price of electricity and a carbon intensity."""
    known = regions()[["usd_per_mwh", "g_co2_per_kwh"]].notna().all(axis=1)
    return list(known.index[known])


def place(name: str) -> str:
    """Return the short name of a complete region; an error names what another lacks and which are complete.

    >>> place("ERCOT")
    'texas'
    """
    complete = complete_regions()
    region = _names("region").get(plain(name, "region")) if isinstance(name, str) else None
    if region is not None and region not in complete:
        lacks = "lacks a price of electricity in USD/MWh or a carbon intensity"
        raise ValueError(f"region {region!r} {lacks}; complete are: {', '.join(complete)}")
    return find(name, "region", complete)


def regions(case: str = "mid") -> pd.DataFrame:
    """Return electricity price [USD/MWh] and carbon intensity [g/kWh] by region. See :func:`table`."""
    return table("region", case)


@functools.cache
def _preferred(subject: str, quantity: str, condition: str | None) -> pd.Series:
    if quantity not in quantities().index:
        raise unknown("quantity", quantity, quantities().index)
    subject = subject_of(subject)
    rows = _facts()
    rows = rows[(rows["subject"] == subject) & (rows["quantity"] == quantity) & rows["preferred"]]
    if condition is None and quantities().loc[quantity, "plain"] == "vendor":
        match = _stated(rows, quantity)
    else:
        condition = condition or quantities().loc[quantity, "conditions"][0]
        match = rows[rows["condition"] == condition]
    if match.empty:
        have = ", ".join(rows["condition"]) or "no condition at all"
        raise UnknownNameError(f"no figure for {quantity} of {subject} under {condition!r}; there is one for: {have}")
    return match.iloc[0]


def preferred(subject: str, quantity: str, condition: str | None = None) -> pd.Series:
    """Return the row behind :func:`value`, with its condition, date, kind and source; errors as there."""
    return _preferred(subject, quantity, condition).copy()


def has(subject: str, quantity: str, condition: str | None = None) -> bool:
    """Return whether there is a figure for a quantity of a subject, under its first condition or the one given.

    Raises
    ------
    UnknownNameError
        If the subject or the quantity itself is not known.
    """
    if quantity not in quantities().index:
        raise unknown("quantity", quantity, quantities().index)
    return _has(subject_of(subject), quantity, condition)


@functools.cache
def _has(subject: str, quantity: str, condition: str | None) -> bool:
    try:
        _preferred(subject, quantity, condition)
    except UnknownNameError:
        return False
    return True


def value(subject: str, quantity: str, condition: str | None = None, case: str = "mid") -> float:
    """Return one preferred figure, in the unit that the quantity's name ends with.

    >>> value("MI300X", "tdp_w")
    750.0
    """
    if case not in CASES:
        raise unknown("case", case, CASES)
    row = _preferred(subject, quantity, condition)
    if case != "mid" and not pd.isna(row[case]):
        return float(row[case])
    return float(np.sqrt(row["low"] * row["high"]) if pd.isna(row["value"]) else row["value"])


def ranges(inputs: dict[str, tuple]) -> pd.DataFrame:
    """Return the ranges of named inputs, for :func:`gigafleet.uncertainty.sample`.

    Parameters
    ----------
    inputs
        Name of the input -> (subject, quantity) or (subject, quantity, condition).

    Returns
    -------
    DataFrame
        Indexed by input: ``low``, ``value``, ``high``, ``range_kind``, ``unit``, ``kind``, ``source_id``, ``note``.
        An input without a range has low = value = high.
    """
    rows = {name: _preferred(*([*where, None][:3])) for name, where in inputs.items()}
    columns = ["low", "value", "high", "range_kind", "unit", "kind", "source_id", "note"]
    frame = pd.DataFrame({name: row[columns] for name, row in rows.items()}, index=columns).T
    frame[["low", "value", "high"]] = frame[["low", "value", "high"]].astype(float)
    mid = _mid(frame)
    frame["low"], frame["high"] = frame["low"].fillna(mid), frame["high"].fillna(mid)
    return frame


def _with_sources(rows: pd.DataFrame) -> pd.DataFrame:
    joined = sources()[["title", "publisher", "url", "access"]].rename(columns={"title": "source"})
    return rows.join(joined, on="source_id")


def provenance(subject: str, quantity: str) -> pd.DataFrame:
    """Return every row behind a cell, preferred first, with its source.

    Parameters
    ----------
    subject
        Short name, or a name as people write it.
    quantity
        Name of a quantity, or of a column of a wide table such as ``memory_gb_usable``.
    """
    subject = subject_of(subject)
    rows = _facts()
    rows = rows[rows["subject"] == subject]
    columns = [
        quantity in (q, column(q, c)) if quantities().loc[q, "conditions"] != "any" else quantity == q
        for q, c in zip(rows["quantity"], rows["condition"], strict=True)
    ]
    rows = rows[columns]
    if rows.empty:
        have = facts()
        raise unknown(
            f"quantity of {subject}", quantity, dict.fromkeys(have.loc[have["subject"] == subject, "quantity"])
        )
    return _with_sources(
        rows.sort_values(["condition", "preferred", "as_of"], ascending=[True, False, False])
    ).reset_index(drop=True)


def disagreements() -> pd.DataFrame:
    """Return the figures on which sources differ under one condition, with their spread.

    Returns
    -------
    DataFrame
        One row a subject, quantity and condition: ``preferred``, ``lowest``, ``highest`` (over figures and their
        ranges), ``spread`` (highest over lowest, less one), ``sources`` and the ``reason`` for the preferred one; the
        widest spread first. Figures that move with time are no disagreement. A range of our own, which the row's note
        marks with "Range is ours", does not count: it is no source's.
    """
    rows = facts()
    rows = rows[~rows["quantity"].map(quantities()["series"])].assign(mid=_mid(rows))
    key = ["subject", "quantity", "condition"]
    rows = rows[rows.duplicated(key, keep=False)]
    ours = (rows["kind"] == "assumption") | rows["note"].str.contains("Range is ours")
    rows = rows.assign(low=rows["low"].mask(ours), high=rows["high"].mask(ours))
    rows = rows.assign(low=rows["low"].fillna(rows["mid"]), high=rows["high"].fillna(rows["mid"]))
    grouped = rows.groupby(key, sort=False)
    result = grouped.agg(lowest=("low", "min"), highest=("high", "max"))
    result["sources"] = grouped["source_id"].agg(lambda ids: ", ".join(dict.fromkeys(ids)))
    best = rows[rows["preferred"]].set_index(key)
    result = result.join(best[["mid", "unit", "note"]].rename(columns={"mid": "preferred", "note": "reason"}))
    result = result[result["highest"] > result["lowest"]].reset_index()
    result["spread"] = result["highest"] / result["lowest"] - 1
    order = [*key, "unit", "preferred", "lowest", "highest", "spread", "sources", "reason"]
    return result[order].sort_values("spread", ascending=False, ignore_index=True)
