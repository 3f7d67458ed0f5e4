"""Reads the tables of the data package ``data/`` as they stand, with the types that ``datapackage.yaml`` gives them.

Loading converts types and raises on what it cannot read. Constraints, keys and conventions are the work of
:mod:`gigafleet.check`. The folder is the checkout's ``data/``, or the copy inside an installed wheel, or the one
named by the variable ``GIGAFLEET_DATA``.
"""

import csv
import functools
import os
from pathlib import Path

import pandas as pd
import yaml

_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def folder(part: str = "data") -> Path:
    """Return where the tables (``data``) or the notebooks (``notebooks``) are."""
    if part == "data" and (named := os.environ.get("GIGAFLEET_DATA")):
        return Path(named)
    here = Path(__file__).resolve().parent
    inside = here / part
    return inside if inside.is_dir() else here.parents[1] / part


def read_yaml(path: Path) -> object:
    """Return what a YAML file holds."""
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=_YAML)


@functools.cache
def package() -> dict:
    """Return the description of the tables, ``datapackage.yaml``."""
    return read_yaml(folder() / "datapackage.yaml")


def _numbers(column: pd.Series, where: str) -> pd.Series:
    try:
        return pd.to_numeric(column.where(column != "")).astype(float)
    except ValueError:
        bad = next(i for i, text in column.items() if text and pd.isna(pd.to_numeric(text, errors="coerce")))
        raise ValueError(f"{where}, line {bad + 2}, column {column.name}: {column[bad]!r} is not a number") from None


def _check_lines(path: Path) -> None:
    """Raise on the first row that has more or fewer cells than the header."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        width = len(next(rows, []))
        for row in rows:
            if row and len(row) != width:
                what = f"{len(row)} cells instead of {width}"
                raise ValueError(
                    f"{path.name}, line {rows.line_num}: {what}; a text with a comma or a quote needs quotes around it"
                )


@functools.cache
def resource(name: str) -> pd.DataFrame:
    """Return one table, typed; absent numbers are NaN, absent texts empty. It is read once: copy it before you change
    it."""
    entry = next(r for r in package()["resources"] if r["name"] == name)
    path = folder() / entry["path"]
    _check_lines(path)
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    fields = entry["schema"]["fields"]
    if list(table.columns) != [f["name"] for f in fields]:
        raise ValueError(f"{path.name}: columns are {list(table.columns)}, not {[f['name'] for f in fields]}")
    for field in fields:
        column = table[field["name"]]
        if field["type"] == "number":
            table[field["name"]] = _numbers(column, path.name)
        elif field["type"] == "boolean":
            known = {**dict.fromkeys(field["trueValues"], True), **dict.fromkeys(field["falseValues"], False)}
            wrong = column[~column.isin(known)]
            if len(wrong):
                where = f"{path.name}, line {wrong.index[0] + 2}, column {field['name']}"
                raise ValueError(f"{where}: {wrong.iloc[0]!r} is not one of {list(known)}")
            table[field["name"]] = column.map(known).astype(bool)
    return table
