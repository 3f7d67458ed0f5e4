"""Claims of an article, held against figures of the data package and answers of the models.

A claim is a row of ``data/claims.csv``, or of a file with the same columns. What it is held against is written as
one of

- ``fact SUBJECT QUANTITY [CONDITION]``: the preferred figure, with its range;
- ``primary SUBJECT QUANTITY [CONDITION]``: the newest figure of a primary source, preferred or not;
- ``ratio SUBJECT QUANTITY / SUBJECT QUANTITY``: of two preferred figures;
- ``from_version SUBJECT QUANTITY``: a version; the claimed one must be this or a later one;
- ``attribute SUBJECT COLUMN``: a text of ``subjects.csv`` that must hold the claimed words;
- ``formats SUBJECT``: the number formats that an accelerator has a figure for;
- ``only_formats SUBJECT [FORMAT ...]``: that of these, or of all for AI, it has none that is not claimed;
- ``deal DEAL ANSWER GIGAWATTS``: the samples of an answer of :func:`gigafleet.deal.evaluate`;
- ``term DEAL PATH``: a term of ``deals.yaml``, its keys joined by points.

A claim is *supported* where it agrees within its tolerance; *outdated* where it agrees with an older figure of a
primary source instead; *contradicted* where it agrees with neither; and it *cannot be checked* where there is nothing
to hold it against, or where the models cannot tell.

One rule holds for every range: a claim and a range agree where they overlap, as in :mod:`gigafleet.published`. A claim
that does not overlap the figure is contradicted, and "more than" a figure has no upper end.

An answer of the models is a distribution, and its range the 90 % interval. A wide one overlaps almost everything, so to
overlap is no support: a claim is supported only where the median lies in it, give or take the tolerance. It is
contradicted where it does not overlap the interval, so that fewer than one sample in twenty lies as far out as it. In
between the models cannot tell. The share of samples that lie in the claim is told each time.
"""

import csv
import difflib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from gigafleet import catalog, evidence
from gigafleet.errors import unknown
from gigafleet.evidence import ASSUMPTION, KINDS, YEAR, Figure
from gigafleet.tables import resource
from gigafleet.tell import number, when

VERDICTS = ("supported", "outdated", "cannot be checked", "contradicted")  # from the best to the worst
SUPPORTED, OUTDATED, UNCHECKED, CONTRADICTED = VERDICTS
NUMBERS = ("low", "high", "tolerance")


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
        for column in ("against", "other_against"):
            words = row[column].split()
            if words and words[0] not in KINDS:
                raise ValueError(f"{where}, column {column}: {unknown('kind of reference', words[0], KINDS)}")


def check(table: pd.DataFrame | None = None, n: int = 4096, seed: int = 0) -> pd.DataFrame:
    """Return the verdict on every claim, in each of its readings.

    Parameters
    ----------
    table
        From :func:`read`; those of ``data/claims.csv`` if None.
    n, seed
        Samples behind answers of the models.

    Returns
    -------
    DataFrame
        One row a reading: ``claim_id``, ``claim``, ``claimed``, ``reading``, ``verdict`` (one of :data:`VERDICTS`),
        ``figure`` (text), ``low``, ``value``, ``high``, ``unit``, ``miss_percent`` (claimed over the nearest end of the
        figure, or over the median of an answer, less one; 0 where they overlap, NaN for texts and dates),
        ``share_within`` (share of the samples of an answer that lie in the claim, which its tolerance widens; NaN for
        all else), ``source``, ``as_of``, ``source_id`` (several with semicolons between; empty for answers of the
        models), ``remark`` (what the check has to say), ``note`` (that of the claim) and ``evidence``, the kind of
        thing that it is held against.

    Raises
    ------
    ValueError, UnknownNameError
        Naming the claim, its line where :func:`read` gave it, and what in its reference is not known.
    """
    table = read() if table is None else table
    rows, answers, lines = [], {}, table.attrs.get("lines", {})
    for _, claim in table.iterrows():
        where = f"{lines.get(claim['claim_id'], '')}claim {claim['claim_id']!r}"
        for reading, against in (("reading", "against"), ("other_reading", "other_against")):
            if against == "other_against" and not claim[against]:
                continue
            try:
                figure = evidence.resolve(claim[against], n, seed, answers)
                rows.append(_verdict(claim, claim[reading], figure))
            except TypeError:
                form = f"{claim[against]!r} does not have the form of its kind"
                raise ValueError(f"{where}, column {against}: {form}") from None
            except (ValueError, KeyError, IndexError) as error:
                raise ValueError(f"{where}, column {against}, {claim[against]!r}: {error}") from None
    return pd.DataFrame(rows)


def _verdict(claim: pd.Series, reading: str, figure: Figure) -> dict:
    """Return a row of :func:`check`."""
    low = claim["low"]
    high = low if np.isnan(claim["high"]) else claim["high"]
    ends = dict.fromkeys(when(end) if figure.unit == YEAR else f"{end:,.12g}" for end in (low, high))
    claimed = "" if np.isnan(low) else " to ".join(ends)
    claimed = claim["text"] if figure.text else claimed
    if not figure.known or not claimed:  # nothing there, or a word against a figure, or the reverse
        figure = Figure(note=figure.note or "nothing to hold it against", others=figure.others)
    spare = 0.0 if np.isnan(claim["tolerance"]) else claim["tolerance"]
    found = {"verdict": UNCHECKED, "miss_percent": np.nan, "share_within": np.nan, "remark": ""}
    if figure.text:
        found["verdict"] = SUPPORTED if _holds(claim["text"], figure) else CONTRADICTED
    elif figure.known:
        judge = _against_samples if figure.rule == "samples" else _against_range
        found |= judge(low, high, spare, figure)
        found["miss_percent"] = np.nan if figure.unit == YEAR else found["miss_percent"]
    row = {"claim_id": claim["claim_id"], "claim": claim["claim"], "claimed": claimed or claim["text"]}
    row |= {"reading": reading, "figure": f"{figure.text} {figure.unit}".strip() if figure.text else ""}
    row |= {name: getattr(figure, name) for name in ("low", "value", "high", "source", "as_of", "source_id")}
    row |= found | {"unit": "" if figure.text else figure.unit, "note": claim["note"], "evidence": figure.evidence}
    row["source_id"] = "; ".join(dict.fromkeys([*filter(None, [row["source_id"]]), *figure.others]))
    return row | {"remark": "; ".join(text for text in (found["remark"], figure.note) if text)}


def _holds(text: str, figure: Figure) -> bool:
    """Return whether claimed words, with commas between, or a claimed version agree with a text."""
    if figure.rule == "from":
        return _version(text) >= _version(figure.text)
    said, real = ([word.strip().casefold() for word in t.split(",")] for t in (text, figure.text))
    if figure.rule == "only":
        return not set(real) & set(figure.among) - set(said)
    return all(_says(figure.text, word) for word in said)


def _version(text: str) -> tuple[int, ...]:
    """Return a version as numbers that compare as versions do.

    >>> _version("7.2") < _version("7.14"), _version("7.0") == _version("7")
    (True, True)
    """
    if not re.fullmatch(r"\d+(\.\d+)*", text):
        raise ValueError(f"the claimed version {text!r} must be numbers with points between")
    parts = [int(part) for part in text.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _against_range(low: float, high: float, spare: float, figure: Figure) -> dict:
    """Return verdict and miss of a claimed range against a figure and older ones."""
    miss = _miss(low, high, figure.low, figure.high)
    found = {"verdict": SUPPORTED if abs(miss) <= spare + 1e-12 else CONTRADICTED, "miss_percent": 100 * miss}
    if found["verdict"] == CONTRADICTED:
        for text, least, most, source in figure.older:
            if abs(_miss(low, high, least, most)) <= spare + 1e-12:
                both = "; ".join(dict.fromkeys([figure.source_id, source]))
                found |= {"verdict": OUTDATED, "remark": f"agrees with {text}", "source_id": both}
    return found


def _against_samples(low: float, high: float, spare: float, figure: Figure) -> dict:
    """Return verdict, miss and share of a claimed range against samples; the rule is the module's."""
    down, up = 1 / (1 + spare), 1 / (1 - spare) if spare < 1 else np.inf
    least, most = low * (down if low >= 0 else up), high * (up if high > 0 else down)
    within = float(np.mean((figure.samples >= least) & (figure.samples <= most)))
    miss = _miss(low, high, figure.value, figure.value)
    share = f"{number(100 * within, 2)} % of samples lie in the claim"
    if abs(miss) <= spare + 1e-12:
        verdict = SUPPORTED
    elif least > figure.high or most < figure.low:
        verdict, share = CONTRADICTED, share if within else "no sample lies in the claim"
    else:
        verdict, share = UNCHECKED, f"the models cannot tell: {share}"
    return {"verdict": verdict, "miss_percent": 100 * miss, "share_within": within, "remark": share}


def _says(text: str, word: str) -> bool:
    """Return whether a text holds a word or phrase, whole: CDNA 4 is not in CDNA 45, nor HBM in HBM4.

    >>> _says("CDNA 5 (gfx1250)", "cdna 5"), _says("HBM4", "hbm")
    (True, False)
    """
    return re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()) is not None


def _miss(low: float, high: float, least: float, most: float) -> float:
    """Return how far a claimed range lies from a figure's: 0 where they overlap, else claimed over the nearest end of
    the figure, less one."""
    with np.errstate(divide="ignore"):
        if low > most:
            return float(np.divide(low, most) - 1)
        return float(np.divide(high, least) - 1) if high < least else 0.0


def figures(table: pd.DataFrame) -> pd.Series:
    """Return what each verdict is held against as text: ends with unit, or words."""
    ends = [evidence.said(*row) for row in zip(table["low"], table["high"], table["unit"], strict=True)]
    return pd.Series(ends, table.index, dtype=str).where(table["low"].notna(), table["figure"]).str.strip()


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return verdicts as text for a table, one row a reading: verdict, figure with remarks, miss, source, note."""
    remark = ("; " + table["remark"]).where(table["remark"] != "", "")
    miss = table["miss_percent"].map(lambda m: "" if np.isnan(m) else "none" if m == 0 else f"{m:+.2g}\u00a0%")
    source = table["source"] + table["as_of"].map(lambda d: f", {d}" if d else "")
    claim = table["claim"] + table["reading"].map(lambda text: f" ({text})" if text else "")
    figure = (figures(table) + remark).str.removeprefix("; ")
    columns = {"claim": claim, "verdict": table["verdict"], "figure": figure, "off by": miss, "source": source}
    columns["note"] = table["note"]
    return pd.DataFrame(columns).set_index(table["claim_id"].rename(None))


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many claims have each verdict, by the first of their readings and by the best, in the order of
    :data:`VERDICTS`: one that cannot be checked counts before one that is contradicted."""
    rank = table["verdict"].map(VERDICTS.index)
    best = rank.groupby(table["claim_id"]).min().map(VERDICTS.__getitem__)
    first = table.drop_duplicates("claim_id")["verdict"]
    each = {"as it is written": first.value_counts(), "in its best reading": best.value_counts()}
    return pd.DataFrame(each).reindex(list(VERDICTS)).fillna(0).astype(int)


def distance(miss_percent: pd.Series) -> pd.Series:
    """Return how far claims are off, as factors either way: half and twice are the same distance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(1 + miss_percent / 100).abs()


def furthest(table: pd.DataFrame) -> pd.Series | None:
    """Return the contradicted reading whose figure is the furthest off; None if there is none.

    One that is held against an assumption of ours is left out: it says nothing about the claim that we did not assume.
    """
    known = table["verdict"].eq(CONTRADICTED) & table["miss_percent"].notna() & table["evidence"].ne(ASSUMPTION)
    return table.loc[distance(table["miss_percent"][known]).idxmax()] if known.any() else None


def furthest_said(table: pd.DataFrame) -> str:
    """Return the takeaway of :func:`furthest` as a title."""
    top = furthest(table)
    if top is None:
        return "No figure that we did not assume contradicts a claim"
    times = number(1 + top["miss_percent"] / 100, 2)
    return f'Furthest off is "{label(table)[top.name]}", at {times} times the figure; our own assumptions aside'


def label(table: pd.DataFrame) -> pd.Series:
    """Return what a figure calls each reading: the claim, and what it is taken to mean if the words can mean two."""
    return table["claim_id"] + table["reading"].map(lambda text: f": {text}" if text else "")


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return claimed over real of the claims with figures, by claim and reading: ``value`` (1 where they overlap), and
    ``low`` and ``high`` by the ends of ours, where one figure is claimed or an answer's median lies outside [times].
    An end that is 0 or open gives none. Dates are left out."""
    known = table[table["miss_percent"].notna()]
    single = ~known["claimed"].str.contains(" to ")
    value = 1 + known["miss_percent"] / 100
    nearest = (value * known["value"]).where(known["share_within"].notna() & (value != 1))
    claimed = known["claimed"].where(single).str.replace(",", "").astype(float).fillna(nearest)
    found = pd.DataFrame({"value": value, "low": claimed / known["high"], "high": claimed / known["low"]})
    found = found.where(found.gt(0) & found.lt(np.inf))
    found["low"], found["high"] = found[["low", "value"]].min(axis=1), found[["high", "value"]].max(axis=1)
    return found.set_index(label(known))


def by_source(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many readings have each verdict, by what they are held against."""
    found = table.groupby(["evidence", "verdict"]).size().unstack(fill_value=0)
    return found.reindex(columns=list(VERDICTS), fill_value=0).rename_axis(None).rename_axis(columns=None)


def sources(table: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the sources of claims and of what they are held against, rows of :func:`gigafleet.catalog.sources`."""
    used = {name for ids in verdicts["source_id"] for name in ids.split("; ")} | set(table["source_id"])
    known = catalog.sources()
    return known.loc[sorted(used & set(known.index))]
