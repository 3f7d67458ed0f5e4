"""Hold the tables in ``data/`` to their schema and to the conventions, and list everything that is wrong at once.

The schema is that of ``datapackage.yaml`` and Frictionless checks it. The conventions are ours: one preferred figure,
units, plausible limits, dense rather than sparse throughput, memory and power that add up. An exception to a
convention is a row of the quantity ``convention_exception`` with its reason.
"""

import datetime
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from gigafleet import catalog, naming, tables, terms

KEY = ["subject", "quantity", "condition"]


class Problem(NamedTuple):
    """Something wrong in a table: where it is, the value found and what is allowed."""

    file: str
    line: int | None
    column: str
    value: object
    allowed: str

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        return f"{self.file}{line}, column {self.column}: {self.value!r}; {self.allowed}"


def problems() -> list[Problem]:
    """Return all that is wrong with the tables, in the order of the files; an empty list if nothing is."""
    found = schema_problems()
    if found:
        return found  # the conventions need tables that can be read
    for rule in (_identity, _ranges, _codebook, _preference, _dates, _assumptions, _deals):
        found += rule()
    if not found:  # wide tables need one preferred figure a cell
        for rule in (_throughput, _memory, _power):
            found += rule()
    return found


def schema_problems() -> list[Problem]:
    """Return what Frictionless finds: types, constraints, keys and references."""
    from frictionless import Package

    found = []
    folder = catalog.folder()
    report = Package.from_descriptor(catalog.read_yaml(folder / "datapackage.yaml"), basepath=str(folder)).validate()
    for error in report.errors:
        found.append(Problem("datapackage.yaml", None, error.type, error.title, error.note))
    for task in report.tasks:
        for error in task.errors:
            found.append(_schema_problem(task.place, error))
    return found


def _schema_problem(file: str, error: object) -> Problem:
    """Return what Frictionless found, in the words of this project."""
    line, column = getattr(error, "row_number", None), getattr(error, "field_name", "")
    value = getattr(error, "cell", None)
    names = ", ".join(getattr(error, "field_names", None) or [])
    if error.type == "type-error":
        field = _field(file, column)
        allowed = (
            f"must be one of {', '.join(field['trueValues'] + field['falseValues'])}"
            if "trueValues" in field
            else "must be a number"
        )
    elif error.type == "constraint-error":
        field = _field(file, column)
        rules = field["constraints"] | ({"pattern": field["description"]} if "pattern" in field["constraints"] else {})
        allowed = " and ".join(
            _rule(rule, limit) for rule, limit in rules.items() if not (rule == "required" and value)
        )
    elif error.type in ("missing-cell", "extra-cell"):
        allowed, column = (
            "the row has too few or too many cells; a text with a comma needs quotes around it",
            column or error.type,
        )
    elif error.type == "foreign-key":
        table, column = error.reference_name, names
        value = dict(zip(error.field_names, error.field_cells, strict=False)).get(
            error.field_names[0], error.field_cells
        )
        allowed = f"must be in {table}.csv"
    else:
        column, value, allowed = (
            column or names or error.type,
            value or ", ".join(map(str, getattr(error, "cells", []) or [])),
            error.note,
        )
    return Problem(file, line, column, value, allowed)


def _field(file: str, name: str) -> dict:
    resource = next(r for r in catalog.package()["resources"] if r["path"] == file)
    return next(f for f in resource["schema"]["fields"] if f["name"] == name)


def _rule(rule: str, limit: object) -> str:
    words = {
        "required": "must not be empty",
        "enum": "must be one of",
        "pattern": "must be",
        "minimum": "at least",
        "maximum": "at most",
    }
    text = ", ".join(map(str, limit)) if isinstance(limit, list) else "" if limit is True else str(limit)
    return f"{words.get(rule, rule)} {text}".strip()


def _facts_problem(row: int, column: str, value: object, allowed: str) -> Problem:
    return Problem("facts.csv", int(row) + 2, column, value, allowed)


def _identity() -> list[Problem]:
    """Subjects that no figure mentions are fine; names that lead to two subjects are not."""
    found = []
    for kind, group in catalog.subjects().groupby("kind"):
        owners: dict[str, str] = {}
        for subject, row in group.iterrows():
            for name in [subject, *row["aliases"].split(";")]:
                plain = naming.plain(name, kind)
                if name.strip() and owners.setdefault(plain, subject) != subject:
                    found.append(
                        Problem("subjects.csv", None, "aliases", name, f"already leads to the {kind} {owners[plain]!r}")
                    )
    known = set(catalog.subjects("accelerator").index)
    for subject, name in catalog.subjects()["accelerator"].items():
        if name and name not in known:
            found.append(
                Problem("subjects.csv", None, "accelerator", name, f"of {subject}: must be an accelerator's short name")
            )
    return found


def _ranges() -> list[Problem]:
    found = []
    facts = catalog.facts()
    for i, row in facts.iterrows():
        low, value, high = row["low"], row["value"], row["high"]
        if pd.isna(value) and (pd.isna(low) or pd.isna(high)):
            found.append(_facts_problem(i, "value", "", "must be given where low and high are not both there"))
        if low > high or low > value or value > high:
            found.append(_facts_problem(i, "value", f"{low:g} / {value:g} / {high:g}", "low <= value <= high"))
        if (pd.notna(low) or pd.notna(high)) != bool(row["range_kind"]):
            found.append(_facts_problem(i, "range_kind", row["range_kind"], "given exactly where low or high is given"))
    return found


def _codebook() -> list[Problem]:
    """Every quantity, condition and unit of the facts is in the codebook, and every quantity of the codebook has a
    fact, or a claim that asks for one."""
    found = []
    book, facts = catalog.quantities(), catalog.facts()
    entries = book.to_dict("index")
    for i, row in facts.iterrows():
        if row["quantity"] not in entries:
            found.append(
                _facts_problem(i, "quantity", row["quantity"], "must be listed under `quantities` in datapackage.yaml")
            )
            continue
        entry = entries[row["quantity"]]
        if row["unit"] != entry["unit"]:
            found.append(_facts_problem(i, "unit", row["unit"], f"{row['quantity']} is in {entry['unit']}"))
        if entry["conditions"] != "any" and row["condition"] not in entry["conditions"]:
            found.append(_facts_problem(i, "condition", row["condition"], f"one of {', '.join(entry['conditions'])}"))
        for column in ("low", "value", "high"):
            if row[column] < entry["minimum"] or row[column] > entry["maximum"]:
                limits = f"plausible are {entry['minimum']:g} to {entry['maximum']:g} {entry['unit']}"
                found.append(_facts_problem(i, column, row[column], limits))
    claims = tables.resource("claims")
    asked = " ".join([*claims["against"], *claims["other_against"]]).split()
    for quantity in book.index.difference([*facts["quantity"], *asked]):
        allowed = "no row of facts.csv uses it, nor does a claim ask for it"
        found.append(Problem("datapackage.yaml", None, "quantities", quantity, allowed))
    return found


def _preference() -> list[Problem]:
    """One preferred row, the newest of a series, and a reason wherever there was a choice."""
    found = []
    facts, series, groups = catalog.facts(), catalog.quantities()["series"].to_dict(), {}
    for row in facts[[*KEY, "preferred", "as_of", "note"]].itertuples():
        groups.setdefault((row.subject, row.quantity, row.condition), []).append(row)
    for (subject, quantity, condition), group in groups.items():
        name = f"{subject} {quantity} {condition}"
        chosen = [row for row in group if row.preferred]
        if len(chosen) != 1:
            found.append(
                _facts_problem(group[0].Index, "preferred", f"{len(chosen)} times yes", f"exactly one row of {name}")
            )
            continue
        (one,) = chosen
        if series.get(quantity):
            if one.as_of != max(row.as_of for row in group):
                allowed = f"the newest row of {name} is to be preferred"
                found.append(_facts_problem(one.Index, "preferred", "yes", allowed))
        elif len(group) > 1 and not one.note:
            found.append(_facts_problem(one.Index, "note", "", f"must say why this row of {name} is preferred"))
    return found


def _dates() -> list[Problem]:
    today = datetime.date.today().isoformat()
    found = []
    for i, row in catalog.facts().iterrows():
        if not row["as_of"] and not row["note"]:
            found.append(_facts_problem(i, "as_of", "", "empty only with a note that says why"))
        if row["as_of"] > today:
            found.append(_facts_problem(i, "as_of", row["as_of"], "no later than today"))
    return found


def _assumptions() -> list[Problem]:
    """An assumption gives its reason, and its range unless it is a datasheet value that was not re-read or a rule."""
    found = []
    facts = catalog.facts()
    for i, row in facts[facts["kind"] == "assumption"].iterrows():
        if not row["note"]:
            found.append(_facts_problem(i, "note", "", "an assumption gives its reason"))
        elif not row["range_kind"] and "not re-read" not in row["note"] and row["quantity"] != "convention_exception":
            found.append(_facts_problem(i, "range_kind", "", "an assumption has a range"))
    return found


def exceptions(rule: str) -> set[str]:
    """Return the subjects that a rule does not bind, by the rows of ``convention_exception``."""
    facts = catalog.facts()
    return set(facts.loc[(facts["quantity"] == "convention_exception") & (facts["condition"] == rule), "subject"])


def _breaks(
    rule: str, quantity: str, table: pd.DataFrame, holds: pd.Series, shown: pd.Series, allowed: str
) -> list[Problem]:
    broken = table.index[~holds & ~table.index.isin(list(exceptions(rule)))]
    facts = catalog.facts()
    found = []
    for subject in broken:
        rows = facts.index[(facts["subject"] == subject) & (facts["quantity"] == quantity) & facts["preferred"]]
        line = int(rows[0]) + 2 if len(rows) else None
        found.append(Problem("facts.csv", line, rule, f"{subject}: {shown[subject]:.4g}", allowed))
    return found


def _throughput() -> list[Problem]:
    """Dense figures: FP8 about twice BF16 and FP4 no slower than FP8. A sparse figure among them breaks this."""
    table = catalog.accelerators()
    fp8, fp4 = table["fp8_tflops"] / table["bf16_tflops"], table["fp4_tflops"] / table["fp8_tflops"]
    return [
        *_breaks(
            "fp8_twice_bf16",
            "fp8_tflops",
            table,
            fp8.isna() | (fp8 >= 1.9),
            fp8,
            "dense FP8 is at least 1.9 times BF16",
        ),
        *_breaks("fp4_at_least_fp8", "fp4_tflops", table, fp4.isna() | (fp4 >= 1), fp4, "dense FP4 is at least FP8"),
    ]


def _contents() -> tuple[pd.DataFrame, pd.DataFrame]:
    systems = catalog.systems()
    systems = systems[(systems["accelerator"] != "") & systems["accelerators_per_system"].notna()]
    return systems, catalog.accelerators().loc[systems["accelerator"]].set_index(systems.index)


def _memory() -> list[Problem]:
    """A system's memory is that of its accelerators, within 5 %, on one basis."""
    systems, inside = _contents()
    found = []
    for basis in ("physical", "usable"):
        ratio = (
            1000 * systems[f"memory_tb_{basis}"] / (systems["accelerators_per_system"] * inside[f"memory_gb_{basis}"])
        )
        holds = ratio.isna() | ratio.between(0.95, 1.05)
        found += _breaks(
            "memory_adds_up",
            "memory_tb",
            systems,
            holds,
            ratio,
            "system memory over that of its accelerators is 0.95 to 1.05",
        )
    return found


def _power() -> list[Problem]:
    """A server or a rack draws at least what its accelerators may draw."""
    systems, inside = _contents()
    kw = systems["rack_kw"].fillna(systems["server_kw"])
    ratio = kw / (systems["accelerators_per_system"] * inside["tdp_w"] / 1000)
    return _breaks(
        "power_adds_up",
        "rack_kw",
        systems,
        ratio.isna() | (ratio >= 1),
        ratio,
        "system power over its accelerators' TDP is at least 1",
    )


def _deals() -> list[Problem]:
    """Tranches add up to the warrant, milestones and targets rise, sources and subjects exist."""
    found = []

    def say(name: str, value: object, allowed: str) -> None:
        found.append(Problem("deals.yaml", None, name, value, allowed))

    try:
        catalog.deals()
    except ValueError as error:
        return [Problem("deals.yaml", None, "deals", "", str(error))]
    for place, value, allowed in terms.mistakes(list(catalog.deals().values())):
        say(place, value, allowed)
    if found:
        return found  # the rules below need the form
    sources, subjects = set(catalog.sources().index), catalog.subjects()
    for name, deal in catalog.deals().items():
        public, warrant = deal["public"], deal.get("warrant")
        blocks = [public, *([warrant["public"]] if warrant else [])]
        for source in (s for block in blocks for s in block["sources"]):
            if source not in sources:
                say(f"{name} sources", source, "must be in sources.csv")
        if name not in subjects.index:
            say("id", name, "must be a subject of kind deal")
        if public["binding_gw"] is not None and public["binding_gw"] > public["capacity_gw"]:
            say(f"{name} binding_gw", public["binding_gw"], f"at most capacity_gw, {public['capacity_gw']}")
        if deal["accelerator"] is not None and deal["accelerator"] not in catalog.subjects("accelerator").index:
            say(f"{name} accelerator", deal["accelerator"], "must be an accelerator's short name")
        chip, system = deal["accelerator"], deal["system"]
        if chip in subjects.index and not catalog.has(chip, "all_in_kw"):
            rack = f"; its rack {system} has no rack_kw to derive it from" if system else ""
            say(f"{name} accelerator", chip, f"must have all_in_kw at IT level in facts.csv{rack}")
        if system is not None and system not in catalog.subjects("system").index:
            say(f"{name} system", system, "must be a system's short name")
        if warrant is None:
            continue
        tranches = warrant["assumed"]["tranches"]
        total = sum(t["shares"] for t in tranches)
        if total != warrant["public"]["shares"]:
            say(f"{name} tranches", total, f"must add up to {warrant['public']['shares']} shares")
        for field in ("milestone_gw", "target_usd"):
            values = [t[field] for t in tranches]
            if values != sorted(set(values)):
                say(f"{name} {field}", values, "must rise from tranche to tranche")
        if tranches[-1]["target_usd"] != warrant["public"]["final_target_usd"]:
            say(
                f"{name} target_usd",
                tranches[-1]["target_usd"],
                f"the last is public: {warrant['public']['final_target_usd']}",
            )
    return found


def summary() -> pd.Series:
    """Return counts of rows, sources and disagreements, and the oldest and newest figure."""
    facts = tables.resource("facts")
    dates = facts.loc[
        facts["as_of"].map(lambda d: bool(re.match(r"\d{4}", d))) & (facts["kind"] != "assumption"), "as_of"
    ]
    kinds = facts["kind"].value_counts()
    values = {
        "subjects": len(catalog.subjects()),
        "figures": len(facts),
        "of them assumptions": int(kinds.get("assumption", 0)),
        "with a range": int(np.sum(facts["range_kind"] != "")),
        "sources": len(catalog.sources()),
        "disagreements": len(catalog.disagreements()),
        "oldest sourced figure": dates.min(),
        "newest sourced figure": dates.max(),
    }
    return pd.Series(values, name="data")
