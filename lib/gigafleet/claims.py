"""Claims of an article, held against figures of the data package and answers of the models.

A claim is a row of ``data/claims.csv``, or of a file with the same columns. What it is held against is written as
one of

- ``fact SUBJECT QUANTITY [CONDITION]``: the preferred figure, with its range;
- ``ratio SUBJECT QUANTITY / SUBJECT QUANTITY``: of two preferred figures;
- ``attribute SUBJECT COLUMN``: a text of ``subjects.csv`` that must hold the claimed words;
- ``formats SUBJECT`` and ``only_formats SUBJECT``: the number formats that an accelerator has a figure for;
- ``deal DEAL ANSWER GIGAWATTS``: the 90 % interval of an answer of :func:`gigafleet.deal.evaluate`;
- ``term DEAL PATH``: a term of ``deals.yaml``, its keys joined by points.

A claim is *supported* where it agrees within its tolerance; *outdated* where it agrees with an older figure of a
primary source instead; *contradicted* where it agrees with neither; and it *cannot be checked* where there is nothing
to hold it against.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gigafleet import catalog, deal, uncertainty
from gigafleet.errors import unknown
from gigafleet.tables import resource
from gigafleet.tell import number

KINDS = ("fact", "ratio", "attribute", "formats", "only_formats", "deal", "term")
EVIDENCE = {"fact": "a figure", "ratio": "a ratio of figures", "attribute": "a text", "formats": "a list of figures"}
EVIDENCE |= {"only_formats": "a list of figures", "deal": "an answer of the models", "term": "a term of the deal"}
VERDICTS = ("supported", "outdated", "contradicted", "cannot be checked")
PRIMARY = ("datasheet", "vendor-announcement", "filing", "measured")
FORMATS = ("fp64", "fp32", "fp16", "bf16", "fp8", "fp6", "fp4", "int8")
AI_FORMATS = ("fp16", "bf16", "fp8", "fp6", "fp4", "int8")
NUMBERS = ("low", "high", "tolerance")


@dataclass(frozen=True)
class Figure:
    """What a claim is held against: a range or a text, where it comes from, and older figures of the same."""

    low: float = np.nan
    value: float = np.nan
    high: float = np.nan
    text: str = ""
    unit: str = ""
    source: str = ""
    as_of: str = ""
    source_id: str = ""
    older: list = field(default_factory=list)


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
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8", index_col=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{file.name}: this is no CSV in UTF-8 with a header: {error}") from None
    if list(table.columns) != list(own.columns):
        raise ValueError(f"{file.name}: columns are {list(table.columns)}, not {list(own.columns)}")
    for name in NUMBERS:
        numbers = pd.to_numeric(table[name].replace("", np.nan), errors="coerce")
        wrong = table.index[numbers.isna() & table[name].ne("")]
        if len(wrong):
            where = f"{file.name}, line {wrong[0] + 2}, column {name}"
            raise ValueError(f"{where}: {table.loc[wrong[0], name]!r} is not a number")
        table[name] = numbers
    return _sound(table, file.name)


def _sound(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return claims that can be read; an error names the line that cannot."""
    if table.empty:
        raise ValueError(f"{name}: there is no claim in it")
    for i, row in table.iterrows():
        where = f"{name}, line {i + 2}"
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
        for column in ("against", "other_against"):
            try:
                words = row[column].split()
                if words and words[0] not in KINDS:
                    raise unknown("kind of reference", words[0], KINDS)
            except ValueError as error:
                raise ValueError(f"{where}, column {column}: {error}") from None
    return table


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
        figure, less one; 0 where they overlap, NaN for texts), ``source``, ``as_of``, ``source_id``, ``note`` and
        ``evidence``, the kind of thing that it is held against.

    Raises
    ------
    ValueError, UnknownNameError
        Naming the claim and what in its reference is not known.
    """
    table = read() if table is None else table
    rows, answers = [], {}
    for _, claim in table.iterrows():
        for reading, against in (("reading", "against"), ("other_reading", "other_against")):
            if against == "other_against" and not claim[against]:
                continue
            try:
                figure = _figure(claim[against], n, seed, answers)
            except TypeError:
                form = f"{claim[against]!r} does not have the form of its kind"
                raise ValueError(f"claim {claim['claim_id']!r}, {against}: {form}") from None
            except (ValueError, KeyError, IndexError) as error:
                raise ValueError(f"claim {claim['claim_id']!r}, {against} {claim[against]!r}: {error}") from None
            kind = EVIDENCE.get(claim[against].split(" ")[0], "nothing")
            rows.append(_verdict(claim, claim[reading], figure) | {"evidence": kind})
    return pd.DataFrame(rows)


def _figure(reference: str, n: int, seed: int, answers: dict) -> Figure | None:
    """Return what a reference points at; None where it is empty or nothing is known."""
    if not reference:
        return None
    kind, *words = reference.split()
    if kind == "ratio":
        cut = words.index("/")
        over, under = _fact(*words[:cut]), _fact(*words[cut + 1 :])
        if over is None or under is None:
            return None
        older = [(f"{text}", low / under.value, high / under.value) for text, low, high in over.older]
        ends = over.low / under.high, over.value / under.value, over.high / under.low
        return Figure(*ends, unit="times", source=over.source, as_of=over.as_of, source_id=over.source_id, older=older)
    if kind == "fact":
        return _fact(*words)
    if kind == "deal":
        return _answer(*words, n=n, seed=seed, answers=answers)
    if kind in ("formats", "only_formats"):
        facts = catalog.facts().query("subject == @words[0] and preferred")
        names = FORMATS if kind == "formats" else AI_FORMATS
        has = [f for f in names if (facts["quantity"].isin([f"{f}_tflops", f"{f}_tops"]) & (facts["value"] > 0)).any()]
        unit = "only" if kind == "only_formats" else ""
        return Figure(text=", ".join(has), unit=unit, source=_publisher(facts)) if has else None
    if kind == "attribute":
        subjects = catalog.subjects()
        if words[0] not in subjects.index:
            raise unknown("subject", words[0], subjects.index)
        if words[1] not in subjects:
            raise unknown("attribute", words[1], subjects.columns)
        text = subjects.loc[words[0], words[1]]
        return Figure(text=text, source="subjects of the data package") if text else None
    if kind == "term":
        return _term(*words)
    raise unknown("kind of reference", kind, KINDS)


def _publisher(rows: pd.DataFrame) -> str:
    return ", ".join(dict.fromkeys(catalog.sources()["publisher"].reindex(rows["source_id"]).dropna().head(1)))


def _fact(subject: str, quantity: str, condition: str | None = None) -> Figure | None:
    """Return a preferred figure with its range, and older ones of primary sources."""
    short = catalog.subject_of(subject)
    if not catalog.has(short, quantity, *([condition] if condition else [])):
        book = catalog.quantities()
        if quantity not in book.index:
            raise unknown("quantity", quantity, book.index)
        if (
            condition
            and book.loc[quantity, "conditions"] != "any"
            and condition not in book.loc[quantity, "conditions"]
        ):
            raise unknown(f"condition of {quantity}", condition, book.loc[quantity, "conditions"])
        return None
    row = catalog.ranges({"it": (short, quantity, condition) if condition else (short, quantity)}).loc["it"]
    mid = catalog.value(short, quantity, condition)
    rows = catalog.provenance(short, quantity)
    chosen = rows[rows["preferred"]]
    chosen = chosen[chosen["condition"].eq(condition)] if condition else chosen
    best = chosen.iloc[0]
    others = rows[~rows["preferred"] & rows["condition"].eq(best["condition"]) & rows["kind"].isin(PRIMARY)]
    others = others[others["as_of"].astype(str) < str(best["as_of"])]
    titles = others["publisher"] + ", " + others["as_of"].astype(str)
    ends = (others[end].fillna(others["value"]) for end in ("low", "high"))
    older = list(zip(titles, *ends, strict=True))
    where = {"source": best["publisher"], "as_of": str(best["as_of"]), "unit": row["unit"]}
    where["source_id"] = best["source_id"]
    return Figure(float(row["low"]), mid, float(row["high"]), older=older, **where)


def _answer(name: str, answer: str, gigawatts: str, *, n: int, seed: int, answers: dict) -> Figure | None:
    """Return the 90 % interval of an answer of the models at a capacity."""
    if answer not in deal.UNITS:
        raise unknown("answer", answer, deal.UNITS)
    key = (name, float(gigawatts))
    if key not in answers:
        found = deal.evaluate(deal=name, n=n, seed=seed, capacity_gw=float(gigawatts))
        answers[key] = uncertainty.interval(found)
    low, middle, high = answers[key].loc[answer, ["low", "median", "high"]]
    if not np.isfinite(middle):
        return None
    return Figure(low, middle, high, unit=deal.UNITS[answer] or answer, source="gigafleet, 90 % interval")


def _term(name: str, path: str) -> Figure | None:
    """Return a term of a deal."""
    found, keys = catalog.deal(name), path.split(".")
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            raise unknown(f"term of {name}", path, found if isinstance(found, dict) else [])
        found = found[key]
    if found is None:
        return None
    source = f"terms of {catalog.deal(name)['buyer']}'s deal, as filed or announced"
    if isinstance(found, int | float):
        return Figure(float(found), float(found), float(found), source=source)
    return Figure(text=str(found), source=source)


def _verdict(claim: pd.Series, reading: str, figure: Figure | None) -> dict:
    """Return a row of :func:`check`."""
    low = claim["low"]
    high = low if np.isnan(claim["high"]) else claim["high"]
    figures = "" if np.isnan(low) else f"{low:,.12g}" if low == high else f"{low:,.12g} to {high:,.12g}"
    claimed = claim["text"] or figures
    row = {"claim_id": claim["claim_id"], "claim": claim["claim"], "claimed": claimed, "reading": reading}
    blank = {"figure": "", "low": np.nan, "value": np.nan, "high": np.nan, "unit": "", "miss_percent": np.nan}
    if figure is not None and bool(claim["text"]) != bool(figure.text):  # a word against a figure, or the reverse
        figure = None
    if figure is None or not claimed:
        empty = {"source": "", "as_of": "", "source_id": "", "note": claim["note"]}
        return row | {"verdict": VERDICTS[3]} | blank | empty
    facts = {"low": figure.low, "value": figure.value, "high": figure.high, "unit": figure.unit}
    facts |= {"source": figure.source, "as_of": figure.as_of, "note": claim["note"], "figure": figure.text}
    facts["source_id"] = figure.source_id
    if figure.text:
        said, real = ([w.strip().casefold() for w in t.split(",")] for t in (claim["text"], figure.text))
        within = all(_says(figure.text, word) for word in said)
        holds = set(said) == set(real) if figure.unit == "only" else within
        return row | {"verdict": VERDICTS[0 if holds else 2], "miss_percent": np.nan} | facts | {"unit": ""}
    spare = 0.0 if np.isnan(claim["tolerance"]) else claim["tolerance"]
    miss = _miss(low, high, figure.low, figure.high)
    verdict = VERDICTS[0] if abs(miss) <= spare + 1e-12 else VERDICTS[2]
    if verdict != VERDICTS[0]:
        for text, least, most in figure.older:
            if abs(_miss(low, high, least, most)) <= spare + 1e-12:
                verdict, facts["note"] = VERDICTS[1], f"agrees with {text}"
    return row | {"verdict": verdict, "miss_percent": 100 * miss} | facts


def _says(text: str, word: str) -> bool:
    """Return whether a text holds a word or phrase, whole: CDNA 4 is not in CDNA 45, nor HBM in HBM4.

    >>> _says("CDNA 5 (gfx1250)", "cdna 5"), _says("HBM4", "hbm")
    (True, False)
    """
    return re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()) is not None


def _miss(low: float, high: float, least: float, most: float) -> float:
    """Return how far a claimed range lies from a figure's: 0 where they overlap, else claimed over the nearest end of
    the figure, less one."""
    if low > most:
        return low / most - 1
    return high / least - 1 if high < least else 0.0


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return verdicts as text for a table, one row a reading: verdict, figure, miss, source."""
    same = table["low"].map(number) == table["high"].map(number)
    ends = table["low"].map(number) + (" to " + table["high"].map(number)).where(~same, "")
    figure = (ends + " " + table["unit"]).where(table["low"].notna(), table["figure"]).str.strip()
    older = table["note"].where(table["verdict"] == VERDICTS[1], "").map(lambda note: f"; {note}" if note else "")
    miss = table["miss_percent"].map(lambda m: "" if np.isnan(m) else "none" if m == 0 else f"{m:+.2g} %")
    source = table["source"] + table["as_of"].map(lambda d: f", {d}" if d else "")
    claim = table["claim"] + table["reading"].map(lambda text: f" ({text})" if text else "")
    columns = {"claim": claim, "verdict": table["verdict"], "figure": figure + older, "off by": miss, "source": source}
    return pd.DataFrame(columns).set_index(table["claim_id"].rename(None))


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many claims have each verdict, by the first of their readings and by the best."""
    rank = table["verdict"].map(VERDICTS.index)
    best = rank.groupby(table["claim_id"]).min().map(VERDICTS.__getitem__)
    first = table.drop_duplicates("claim_id")["verdict"]
    each = {"as it is written": first.value_counts(), "in its best reading": best.value_counts()}
    return pd.DataFrame(each).reindex(list(VERDICTS)).fillna(0).astype(int)


def distance(miss_percent: pd.Series) -> pd.Series:
    """Return how far claims are off, as factors either way: half and twice are the same distance."""
    return np.log(1 + miss_percent / 100).abs()


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return claimed over real of the claims with figures, by claim and reading: ``value`` (1 where they overlap), and
    ``low`` and ``high`` where one figure is claimed [times]."""
    known = table[table["value"].notna()]
    single = ~known["claimed"].str.contains(" to ")
    claimed = known["claimed"].where(single).str.replace(",", "").astype(float)
    label = known["claim_id"] + known["reading"].map(lambda text: f": {text}" if text else "")
    value = 1 + known["miss_percent"] / 100
    found = pd.DataFrame({"value": value, "low": claimed / known["high"], "high": claimed / known["low"]})
    found["low"], found["high"] = found[["low", "value"]].min(axis=1), found[["high", "value"]].max(axis=1)
    return found.set_index(label)


def by_source(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many readings have each verdict, by what they are held against."""
    found = table.groupby(["evidence", "verdict"]).size().unstack(fill_value=0)
    return found.reindex(columns=list(VERDICTS), fill_value=0).rename_axis(None).rename_axis(columns=None)
