"""Claims of an article as they stand in a file: read, and refused where a row cannot be read."""

import csv
import difflib
import io
from pathlib import Path

import numpy as np
import pandas as pd

from gigafleet import catalog
from gigafleet.errors import unknown
from gigafleet.evidence import KINDS
from gigafleet.tables import resource

NUMBERS = ("low", "high", "tolerance")
READING, COMPARISON = "reading", "comparison"  # what a second reference is; a reading if nothing is said


def read(path: str | None = None) -> pd.DataFrame:
    """Return claims: those of ``data/claims.csv``, or of another file with the same columns, here or in the data.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file, the line, the column, the value and what is allowed.
    """
    own = resource("claims")
    if path is None:
        return own.copy()
    file = next((f for f in (Path(path), catalog.folder() / path) if f.is_file()), None)
    if file is None:
        raise FileNotFoundError(f"claims: there is no file {path!r}, here or in the data")
    table, lines = _cells(file, list(own.columns))
    for name in NUMBERS:
        numbers = pd.to_numeric(table[name].replace("", np.nan), errors="coerce")
        wrong = table.index[numbers.isna() & table[name].ne("")]
        if len(wrong):
            where = f"{file.name}, line {lines[wrong[0]]}, column {name}"
            raise ValueError(f"{where}: {table.loc[wrong[0], name]!r} is not a number, such as 40000 or 0.5, nor empty")
        table[name] = numbers
    _sound(table, file.name, lines)
    table.attrs["lines"] = {name: f"{file.name}, line {n}, " for name, n in zip(table["claim_id"], lines, strict=True)}
    return table


def _cells(file: Path, columns: list[str]) -> tuple[pd.DataFrame, list[int]]:
    """Return the cells of a CSV as texts, and the line at which each row begins; blank lines are skipped."""
    rows, lines, last = [], [], 0
    try:
        raw = file.read_bytes()
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        for row in reader:
            if row:
                rows.append(row)
                lines.append(last + 1)
            last = reader.line_num
    except (csv.Error, UnicodeDecodeError) as error:
        last = raw.count(b"\n", 0, error.start) if isinstance(error, UnicodeDecodeError) else last
        raise ValueError(f"{file.name}, line {last + 1}: this is no CSV in UTF-8 with a header: {error}") from None
    head = rows[0] if rows else []
    if head != columns:
        raise ValueError(f"{file.name}: columns are {head}, not {columns}")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(columns):
            what = f"it has {len(row)} cells, from {row[0]!r} to {row[-1]!r}, and must have {len(columns)}"
            raise ValueError(f"{file.name}, line {line}: {what}; a text with a comma needs quotes around it")
    return pd.DataFrame(rows[1:], columns=columns, dtype=str), lines[1:]


def _sound(table: pd.DataFrame, name: str, lines: list[int]) -> None:
    """Raise on the first claim that cannot be read, and name its line."""
    if table.empty:
        raise ValueError(f"{name}: there is no claim in it")
    known = catalog.sources().index
    for i, row in table.iterrows():
        where = f"{name}, line {lines[i]}"
        if not 0 <= (0.0 if np.isnan(row["tolerance"]) else row["tolerance"]) <= 1:
            raise ValueError(f"{where}, column tolerance: {row['tolerance']:g} must be from 0 to 1")
        if np.isnan(row["low"]) and not np.isnan(row["high"]):
            raise ValueError(f"{where}, column low: it is empty, and high is not")
        if np.isinf([row["low"], row["high"]]).any():
            raise ValueError(f"{where}: low and high must be finite")
        if not row["claim_id"] or not row["claim"]:
            raise ValueError(f"{where}: a claim needs claim_id and claim")
        if row["claim_id"] in set(table["claim_id"].iloc[:i]):
            raise ValueError(f"{where}, column claim_id: {row['claim_id']!r} is there twice")
        if row["low"] > row["high"]:
            raise ValueError(f"{where}: low must not exceed high, {row['low']:g} and {row['high']:g}")
        if row["source_id"] not in known:
            near = "".join(f"; did you mean {n!r}?" for n in difflib.get_close_matches(row["source_id"], known, n=1))
            raise ValueError(f"{where}, column source_id: {row['source_id']!r} must be in sources.csv{near}")
        if row["other_is"] not in ("", READING, COMPARISON):
            what = unknown("kind of second reference", row["other_is"], [READING, COMPARISON])
            raise ValueError(f"{where}, column other_is: {what}")
        if not row["other_against"] and (row["other_reading"] or row["other_is"]):
            raise ValueError(f"{where}, column other_against: it is empty, and other_reading or other_is is not")
        for column in ("against", "other_against"):
            words = row[column].split()
            if words and words[0] not in KINDS:
                raise ValueError(f"{where}, column {column}: {unknown('kind of reference', words[0], KINDS)}")
