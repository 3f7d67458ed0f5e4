"""Claims of an article, held against figures of the data package and answers of the models.

A claim is a row of ``data/claims.csv``, or of a file with the same columns (:mod:`gigafleet.claims_file`). What it is
held against is written as one of

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
to hold it against, or where its range cannot tell.

One rule holds for every range, of a figure as of an answer of the models: a wide one overlaps almost everything, so to
overlap is no support. A claim is supported where it holds, give or take its tolerance, what the range stands for: the
middle of a 90 % interval (``p5_p95``, and every answer), or all of it where its ends are what different sources
publish, or alternatives (``min_max``, ``options``), or a bound such as "more than". It is contradicted where it holds
no part of the range. In between the range cannot tell: the claim holds for some of those sources only, or for a tail.
Of an answer the share of samples that lie in the claim is told each time.

A second reference is another reading of the same words, or, where ``other_is`` says ``comparison``, what the claim
would fit if it said something else. A comparison is shown beside and counts for nothing.
"""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from gigafleet import catalog, evidence
from gigafleet.claims_file import COMPARISON, read
from gigafleet.errors import unknown
from gigafleet.evidence import ASSUMPTION, BOUND, INTERVAL, OPTIONS, PUBLISHED, YEAR, Figure
from gigafleet.tell import count, number, when

VERDICTS = ("supported", "outdated", "cannot be checked", "contradicted")  # from the best to the worst
SUPPORTED, OUTDATED, UNCHECKED, CONTRADICTED = VERDICTS
CLAIMED = ("claimed_low", "claimed_high")
CANNOT_TELL = {  # why a range with which a claim overlaps does not support it
    PUBLISHED: "published figures disagree, and the claim holds for a part of their range only",
    OPTIONS: "the claim holds for some of the alternatives only",
    BOUND: "the source gives a bound only",
}


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
        One row a reading: ``claim_id``, ``claim``, ``claimed``, ``claimed_low``, ``claimed_high``, ``tolerance``,
        ``reading``, ``counted`` (False for a comparison), ``verdict`` (one of :data:`VERDICTS`), ``figure`` (text),
        ``low``, ``value``, ``high``, ``unit``, ``miss_percent`` (claimed over the nearest end of the figure, or
        over the middle of a 90 % interval, less one; 0 where they overlap, NaN for texts and dates),
        ``share_within`` (share of the samples of an answer that lie in the claim, which its tolerance widens; NaN for
        all else), ``source``, ``as_of``, ``source_id`` (several with semicolons between; empty for answers of the
        models), ``remark`` (what the check has to say), ``note`` (that of the claim) and ``evidence``, the kind of
        thing that it is held against.

    Raises
    ------
    ValueError, UnknownNameError
        Naming the claim, its line where :func:`read` gave it, and what in its reference is not known, or in which
        column the claim should be.
    """
    table = read() if table is None else table
    rows, answers, lines = [], {}, table.attrs.get("lines", {})
    for _, claim in table.iterrows():
        where, asked = f"{lines.get(claim['claim_id'], '')}claim {claim['claim_id']!r}", set()
        for reading, against in (("reading", "against"), ("other_reading", "other_against")):
            if against == "other_against" and not claim[against]:
                continue
            try:
                figure = evidence.resolve(claim[against], n, seed, answers)
                asked.add(_asked(claim, evidence.asks_for(claim[against], figure)))
                counted = against == "against" or claim["other_is"] != COMPARISON
                rows.append(_verdict(claim, claim[reading], figure) | {"counted": counted})
            except TypeError:
                form = f"{claim[against]!r} does not have the form of its kind"
                raise ValueError(f"{where}, column {against}: {form}") from None
            except (ValueError, KeyError, IndexError) as error:
                raise ValueError(f"{where}, column {against}, {claim[against]!r}: {error}") from None
        idle = {"text": claim["text"], "low": "" if np.isnan(claim["low"]) else f"{claim['low']:g}"}
        for column, cell in idle.items():
            if cell and "" not in asked and column not in asked:
                raise ValueError(f"{where}, column {column}: {cell!r} is claimed, and held against nothing")
    return pd.DataFrame(rows)


def _asked(claim: pd.Series, column: str) -> str:
    """Return the column that a reference asks for; raise if the claim is not there."""
    text, none = claim["text"], np.isnan(claim["low"])
    wrong = "the claim is in the wrong column: this is a"
    if column == "text" and not text:
        low = "" if none else f"{claim['low']:.12g}"
        given = "the claimed text is missing in column text" if none else f"{wrong} text, and column text is empty"
        raise ValueError(f"{given}; low holds {low!r}")
    if column == "low" and none:
        given = f"{wrong} figure, and column low is empty" if text else "the claimed figure is missing in column low"
        raise ValueError(f"{given}; text holds {text!r}")
    return column


def _verdict(claim: pd.Series, reading: str, figure: Figure) -> dict:
    """Return a row of :func:`check`."""
    low = claim["low"]
    high = low if np.isnan(claim["high"]) else claim["high"]
    ends = dict.fromkeys(when(end) if figure.unit == YEAR else f"{end:,.12g}" for end in (low, high))
    claimed = "" if np.isnan(low) else " to ".join(ends)
    claimed = claim["text"] if figure.text else claimed
    if not figure.known:
        kept = {"unit": figure.unit, "others": figure.others}
        figure = Figure(note=figure.note or "nothing to hold it against", **kept)
    spare = 0.0 if np.isnan(claim["tolerance"]) else claim["tolerance"]
    found = {"verdict": UNCHECKED, "miss_percent": np.nan, "share_within": np.nan, "remark": ""}
    if figure.text:
        found["verdict"] = SUPPORTED if _holds(claim["text"], figure) else CONTRADICTED
    elif figure.known:
        judge = _against_samples if figure.rule == "samples" else _against_range
        found |= judge(low, high, spare + 1e-12, figure)  # a little more, for rounding
        found["miss_percent"] = np.nan if figure.unit == YEAR else found["miss_percent"]
    row = {"claim_id": claim["claim_id"], "claim": claim["claim"], "claimed": claimed or claim["text"]}
    row |= {"claimed_low": low, "claimed_high": high} if not figure.text else dict.fromkeys(CLAIMED, np.nan)
    row["tolerance"] = np.nan if figure.text else claim["tolerance"]
    row |= {"reading": reading, "figure": f"{figure.text} {figure.unit}".strip() if figure.text else ""}
    row |= {name: getattr(figure, name) for name in ("low", "value", "high", "source", "as_of", "source_id")}
    row |= found | {"unit": "" if figure.text else figure.unit, "note": claim["note"], "evidence": figure.evidence}
    row["source_id"] = "; ".join(dict.fromkeys([*filter(None, [row["source_id"]]), *figure.others]))
    return row | {"remark": "; ".join(text for text in (found["remark"], figure.note) if text)}


def _holds(text: str, figure: Figure) -> bool:
    """Return whether claimed words, with commas between, or a claimed version agree with a text."""
    if figure.rule == "from":
        return _version(text) >= _version(figure.text)
    if figure.rule in ("formats", "only"):
        for word in text.split(","):
            if word.strip().casefold() not in evidence.FORMATS:
                raise unknown("format in column text", word.strip(), evidence.FORMATS)
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
    verdict, miss = _judged(low, high, spare, figure)
    found = {"verdict": verdict, "miss_percent": 100 * miss}
    if verdict == UNCHECKED:
        middle = (
            f"the middle of the range, {evidence.said(figure.value, figure.value, figure.unit)}, is not in the claim"
        )
        found["remark"] = CANNOT_TELL.get(figure.width, middle)
    if verdict == CONTRADICTED:
        for older in figure.older:
            if _judged(low, high, spare, older)[0] == SUPPORTED:
                both = "; ".join(dict.fromkeys([figure.source_id, older.source_id]))
                agrees = f"agrees with {older.source}, {older.as_of}"
                found |= {"verdict": OUTDATED, "remark": agrees, "source_id": both}
    return found


def _against_samples(low: float, high: float, spare: float, figure: Figure) -> dict:
    """Return verdict, miss and share of a claimed range against samples."""
    verdict, miss = _judged(low, high, spare, replace(figure, width=INTERVAL))
    least, most = _widened(low, high, spare)
    within = float(np.mean((figure.samples >= least) & (figure.samples <= most)))
    share = f"{number(100 * within, 2)} % of samples lie in the claim"
    if verdict == CONTRADICTED and not within:
        share = "no sample lies in the claim"
    remark = f"the models cannot tell: {share}" if verdict == UNCHECKED else share
    return {"verdict": verdict, "miss_percent": 100 * miss, "share_within": within, "remark": remark}


def _judged(low: float, high: float, spare: float, figure: Figure) -> tuple[str, float]:
    """Return the verdict on a claimed range by one figure, and the miss; the rule is the module's."""
    least, most = _widened(low, high, spare)
    first, last = (figure.value, figure.value) if figure.width == INTERVAL else (figure.low, figure.high)
    miss = _miss(low, high, first, last)
    if least <= first and last <= most:
        return SUPPORTED, miss
    return (CONTRADICTED if least > figure.high or most < figure.low else UNCHECKED), miss


def _widened(low: float, high: float, spare: float) -> tuple[float, float]:
    """Return the ends of the figures that a claimed range agrees with, give or take a share."""
    down, up = 1 / (1 + spare), 1 / (1 - spare) if spare < 1 else np.inf
    return low * (down if low >= 0 else up), high * (up if high > 0 else down)


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


def worded(table: pd.DataFrame) -> pd.Series:
    """Return each claim in words, with what it is taken to mean, or what it is compared with."""
    meant = table["reading"].where(table["counted"], "for comparison: " + table["reading"])
    return table["claim"] + meant.map(lambda text: f" ({text})" if text else "")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return verdicts as text for a table, one row a reading: what is claimed, with its tolerance, verdict, figure with
    remarks, miss, source, note."""
    remark = ("; " + table["remark"]).where(table["remark"] != "", "")
    miss = table["miss_percent"].map(_miss_said)
    source = table["source"] + table["as_of"].map(lambda d: f", {d}" if d else "")
    figure = (figures(table) + remark).str.removeprefix("; ")
    unit = table["unit"].where(table["claimed_low"].notna() & table["unit"].ne(YEAR), "")
    taken = [evidence.with_unit(*row) for row in zip(table["claimed"], unit, strict=True)]
    spare = table["tolerance"].map(lambda share: f" \u00b1 {number(100 * share, 2)} %" if share > 0 else "")
    columns = {"claim": worded(table), "taken as": taken + spare}
    columns["verdict"] = table["verdict"].where(table["counted"], "not counted (" + table["verdict"] + ")")
    columns |= {"figure": figure, "off by": miss, "source": source, "note": table["note"]}
    return pd.DataFrame(columns).set_index(table["claim_id"].rename(None))


def _miss_said(percent: float) -> str:
    """Return a miss as text.

    >>> _miss_said(187.3), _miss_said(-0.66), _miss_said(0), _miss_said(float("nan"))
    ('+190\\xa0%', '-0.66\\xa0%', 'none', '')
    """
    if np.isnan(percent) or percent == 0:
        return "" if np.isnan(percent) else "none"
    return f"{'+' if percent > 0 else '-'}{number(abs(percent), 2)}\u00a0%"


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many claims have each verdict, by the first of their readings and by the best, in the order of
    :data:`VERDICTS`: one that cannot be checked counts before one that is contradicted. Comparisons are left out."""
    table = table[table["counted"]]
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
    So is a comparison.
    """
    known = table["verdict"].eq(CONTRADICTED) & table["miss_percent"].notna() & table["evidence"].ne(ASSUMPTION)
    known &= table["counted"]
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


def marked(table: pd.DataFrame) -> dict[str, str]:
    """Return the labels of :func:`label` with what a chart has no room for: the share of samples that lie in the
    claim, and that a comparison does not count."""
    share = table["share_within"].map(lambda s: "" if np.isnan(s) else f"{number(100 * s, 2)} % of samples")
    other = pd.Series("not counted", table.index).where(~table["counted"], "")
    told = [", ".join(filter(None, both)) for both in zip(share, other, strict=True)]
    return {old: f"{old} ({text})" if text else old for old, text in zip(label(table), told, strict=True)}


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return claimed over real of the claims with figures, by claim and reading [times].

    ``value`` is 1 where they overlap; ``low`` and ``high`` are what it would be at the ends of our figure, for the
    claimed figure that is nearest to its middle. An end that is 0 or open gives none. Dates are left out.
    """
    known = table[table["miss_percent"].notna()]
    nearest = known["value"].clip(known["claimed_low"], known["claimed_high"])
    ends = {"low": nearest / known["high"], "high": nearest / known["low"]}
    found = pd.DataFrame({"value": 1 + known["miss_percent"] / 100} | ends)
    found = found.where(found.gt(0) & found.lt(np.inf))
    found["low"], found["high"] = found[["low", "value"]].min(axis=1), found[["high", "value"]].max(axis=1)
    return found.set_index(label(known))


def by_source_said(table: pd.DataFrame) -> str:
    """Return the takeaway of :func:`by_source` as a title."""
    found = by_source(table).sum(axis=1)
    known = found.drop(evidence.NOTHING, errors="ignore")
    return f"{known.sum()} of {found.sum()} readings have evidence to be held against, of {count(len(known), 'kind')}"


def by_source(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many readings have each verdict, by what they are held against; comparisons are left out."""
    found = table[table["counted"]].groupby(["evidence", "verdict"]).size().unstack(fill_value=0)
    return found.reindex(columns=list(VERDICTS), fill_value=0).rename_axis(None).rename_axis(columns=None)


def sources(table: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the sources of claims and of what they are held against, rows of :func:`gigafleet.catalog.sources`."""
    used = {name for ids in verdicts["source_id"] for name in ids.split("; ")} | set(table["source_id"])
    known = catalog.sources()
    return known.loc[sorted(used & set(known.index))]
