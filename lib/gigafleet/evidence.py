"""What a claim is held against: references written as words, resolved to figures, texts and answers of the models."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from gigafleet import catalog, deal, published, tell, uncertainty
from gigafleet.errors import require, unknown

KINDS = (
    "fact",
    "primary",
    "ratio",
    "from_version",
    "attribute",
    "formats",
    "only_formats",
    "deal",
    "term",
)
TEXTS = ("from_version", "attribute", "formats", "only_formats")  # kinds that hold a text; a term may hold either
ANSWER, ASSUMPTION, NOTHING = "an answer of the models", "an assumption", "nothing"
INTERVAL, PUBLISHED, OPTIONS, BOUND = "a 90 % interval", "what is published", "alternatives", "a bound"
WIDTHS = {"": "", "p5_p95": INTERVAL, "options": OPTIONS, "min_max": PUBLISHED}  # by range_kind; a bound by condition
TERM_UNITS = {"shares": "shares", "_gw": "GW", "_usd": "USD", "_years": "years"}  # by how a term's name ends
YEAR = "year"  # unit of a quarter, given as the year at its start
PRIMARY = ("datasheet", "vendor-announcement", "filing", "measured")
FORMATS = ("fp64", "fp32", "fp16", "bf16", "fp8", "fp6", "fp4", "int8")
AI_FORMATS = ("fp16", "bf16", "fp8", "fp6", "fp4", "int8")


@dataclass(frozen=True)
class Figure:
    """What a claim is held against: a range, samples or a text, where it comes from, and older figures of the same.

    ``rule`` says how the claim is held against it: ``range``, ``samples``, ``words`` (the text must hold them),
    ``formats`` (so, and they are formats), ``only`` (they must hold all of ``among`` that the text has) or ``from`` (a
    version, or a later one). ``width`` says why low and high differ: see :data:`WIDTHS`. ``older`` holds the older
    figures; ``note`` what there is to say besides, and ``others`` the sources of what it tells.
    """

    evidence: str = NOTHING
    rule: str = "range"
    low: float = np.nan
    value: float = np.nan
    high: float = np.nan
    text: str = ""
    unit: str = ""
    width: str = ""
    source: str = ""
    as_of: str = ""
    source_id: str = ""
    note: str = ""
    samples: np.ndarray | None = None
    among: tuple = ()
    older: list["Figure"] = field(default_factory=list)
    others: tuple = ()

    @property
    def known(self) -> bool:
        """Whether there is anything to hold a claim against."""
        return bool(self.text) or not np.isnan(self.value)


def resolve(reference: str, n: int, seed: int, answers: dict) -> Figure:
    """Return what a reference points at, which is nothing where it is empty or no figure is known.

    Parameters
    ----------
    reference
        A kind of :data:`KINDS` and its words; see :mod:`gigafleet.claims`.
    n, seed
        Samples behind answers of the models.
    answers
        Samples of deals that were drawn before, by deal and gigawatts; what is drawn is added.

    Raises
    ------
    UnknownNameError, ValueError, TypeError
        If the reference names what is not known, or does not have the form of its kind.
    """
    if not reference:
        return Figure()
    kind, *words = reference.split()
    if kind == "deal":
        return _answer(*words, n=n, seed=seed, answers=answers)
    simple = {"fact": _fact, "primary": _primary, "ratio": _ratio, "from_version": _version, "attribute": _attribute}
    simple |= {"formats": _formats, "only_formats": _only, "term": _term}
    if kind not in simple:
        raise unknown("kind of reference", kind, KINDS)
    return simple[kind](*words)


def asks_for(reference: str, figure: Figure) -> str:
    """Return which column a claim must fill to be held against this: ``text`` or ``low``; "" where nothing tells."""
    kind = reference.split()[0] if reference else "term"
    if kind == "term":
        return "" if not figure.known else "text" if figure.text else "low"
    return "text" if kind in TEXTS else "low"


def _known(quantity: str, condition: str | None) -> str:
    """Return the condition meant, the quantity's first if none is named."""
    book = catalog.quantities()
    if quantity not in book.index:
        raise unknown("quantity", quantity, book.index)
    conditions = book.loc[quantity, "conditions"]
    if condition and conditions != "any" and condition not in conditions:
        raise unknown(f"condition of {quantity}", condition, conditions)
    return condition or conditions[0]


def _rows(subject: str, quantity: str, condition: str) -> pd.DataFrame:
    """Return every row of a quantity under one condition, with the publisher and the access of its source."""
    rows = catalog.facts()
    rows = rows[rows["subject"].eq(subject) & rows["quantity"].eq(quantity) & rows["condition"].eq(condition)]
    return rows.join(catalog.sources()[["publisher", "access"]], on="source_id")


def _is_primary(rows: pd.DataFrame) -> pd.Series:
    """Return which rows of :func:`_rows` are of a primary source that did not reach us unverified."""
    return rows["kind"].isin(PRIMARY) & rows["access"].ne("unverified")


def _fact(subject: str, quantity: str, condition: str | None = None) -> Figure:
    """Return a preferred figure with its range, and older ones of primary sources."""
    short = catalog.subject_of(subject)
    _known(quantity, condition)
    if not catalog.has(short, quantity, condition):
        return Figure(unit=catalog.quantities().loc[quantity, "unit"])
    best = catalog.preferred(short, quantity, condition)
    rows = _rows(short, quantity, best["condition"])
    return _of_row(rows[rows["preferred"]].iloc[0], rows[~rows["preferred"]])


def _primary(subject: str, quantity: str, condition: str | None = None) -> Figure:
    """Return the newest figure of a primary source, preferred here or not; if there is none, what others state."""
    short = catalog.subject_of(subject)
    rows = _rows(short, quantity, _known(quantity, condition)).sort_values("as_of", kind="stable")
    primary = rows[_is_primary(rows)]
    if primary.empty:
        rows = rows[rows["kind"] != "assumption"]
        others = _stated(rows)
        note = f"no primary source has a figure; others state {others}" if others else ""
        return Figure(unit=catalog.quantities().loc[quantity, "unit"], note=note, others=tuple(rows["source_id"]))
    return _of_row(primary.iloc[-1], primary.iloc[:-1])


def _of_row(best: pd.Series, others: pd.DataFrame) -> Figure:
    """Return the figure of one row of :func:`_rows`; of the others it takes those that are older and primary.

    Where the one is no primary figure, and none of a series, the note tells what others state.
    """
    low, value, high = _ends(best)
    older = others[_is_primary(others) & (others["as_of"].astype(str) < str(best["as_of"]))]
    past = [Figure("", "range", *_ends(row), width=_width(row), **_where(row)) for _, row in older.iterrows()]
    kind = "a primary figure" if _is_primary(best.to_frame().T).iloc[0] else "a secondary figure"
    kind = ASSUMPTION if best["kind"] == "assumption" else kind
    told = kind != "a primary figure" and not catalog.quantities().loc[best["quantity"], "series"]
    others = others[told & others["kind"].ne("assumption")]
    source = f"assumption of {best['publisher']}" if kind == ASSUMPTION else best["publisher"]
    where = {"width": _width(best)} | _where(best) | {"source": source}
    where |= {"note": f"others state {_stated(others)}", "others": tuple(others["source_id"])} if len(others) else {}
    return Figure(kind, "range", low, value, high, unit=best["unit"], older=past, **where)


def _ends(row: pd.Series) -> tuple[float, float, float]:
    """Return low, value and high of a row of the facts; a value that is not given is the geometric mean.

    As in :mod:`gigafleet.published`, "more than" has no upper end, and "less than" begins at 0.
    """
    value = float(np.sqrt(row["low"] * row["high"]) if np.isnan(row["value"]) else row["value"])
    low, high = (value if np.isnan(row[end]) else float(row[end]) for end in ("low", "high"))
    low = 0.0 if row["condition"] in published.CAPS else low
    return low, value, np.inf if row["condition"] in published.FLOORS else high


def _width(row: pd.Series) -> str:
    """Return why the ends of a row of the facts differ."""
    return BOUND if row["condition"] in (*published.CAPS, *published.FLOORS) else WIDTHS[row["range_kind"]]


def _where(row: pd.Series) -> dict:
    """Return where a row of the facts comes from."""
    return {"source": row["publisher"], "as_of": str(row["as_of"]), "source_id": row["source_id"]}


def said(low: float, high: float, unit: str) -> str:
    """Return a figure's ends with their unit as text; those of a quarter as quarters.

    >>> said(2.0, 2.5, "kW"), said(2026.5, 2026.75, "year"), said(10.0, float("inf"), "GW"), said(6, 6, "generation")
    ('2 to 2.5 kW', '2026Q3 to 2026Q4', '10 or more GW', 'generation 6')
    """
    if unit == YEAR:
        return " to ".join(dict.fromkeys([tell.when(low), tell.when(high)]))
    return with_unit(tell.between(low, high), unit)


def with_unit(text: str, unit: str) -> str:
    """Return a figure's text with its unit; a share or a ratio is a number alone."""
    unit = "" if unit in ("share", "ratio") else unit
    return f"{unit} {text}" if unit == "generation" else f"{text} {unit}".strip()


def _stated(rows: pd.DataFrame) -> str:
    """Return what rows of the facts state, as text."""
    found = []
    for _, row in rows.sort_values("as_of", kind="stable").iterrows():
        low, _, high = _ends(row)
        found.append(f"{said(low, high, row['unit'])} ({row['publisher']}, {row['as_of']})")
    return ", ".join(found)


def _ratio(*words: str) -> Figure:
    """Return the ratio of two preferred figures, its ends from theirs; a figure over 0 is an error."""
    if words.count("/") != 1:
        raise ValueError("a ratio needs one '/' between its figures")
    cut = words.index("/")
    over, under = _fact(*words[:cut]), _fact(*words[cut + 1 :])
    if not over.known or not under.known:
        return Figure()
    if not (under.low >= 0 and under.value > 0):
        what = f"'{' '.join(words[cut + 1 :])}', which is {said(under.low, under.high, under.unit)}"
        raise ValueError(f"a ratio needs a figure above 0 below its '/', not {what}")
    assumed = ASSUMPTION in (over.evidence, under.evidence)
    return replace(
        _divided(over, under),
        evidence=ASSUMPTION if assumed else "a ratio of figures",
        source=", ".join(dict.fromkeys([over.source, under.source])),
        source_id="; ".join(dict.fromkeys([over.source_id, under.source_id])),
        as_of=" and ".join(dict.fromkeys([over.as_of, under.as_of])),
        note="",
        others=(),
        older=[_divided(older, under) for older in over.older],
    )


def _divided(over: Figure, under: Figure) -> Figure:
    """Return one figure over another; its width is that of the two which tells less about the middle."""
    width = next((w for w in (BOUND, PUBLISHED, OPTIONS, INTERVAL) if w in (over.width, under.width)), "")
    return replace(
        over,
        low=over.low / under.high,
        value=over.value / under.value,
        high=over.high / under.low if under.low else np.inf,
        unit="times",
        width=width,
    )


def _version(subject: str, quantity: str) -> Figure:
    """Return a version from its parts, each of which is a row of the facts."""
    short, versions = catalog.subject_of(subject), catalog.quantities().query("unit == 'version'").index
    if quantity not in versions:
        raise unknown("quantity that is a version", quantity, versions)
    parts = [_fact(short, quantity, part) for part in catalog.quantities().loc[quantity, "conditions"]]
    if not all(part.known for part in parts):
        return Figure()
    text = ".".join(f"{part.value:.0f}" for part in parts)
    return replace(parts[0], rule="from", text=text, unit="or later", low=np.nan, value=np.nan, high=np.nan, older=[])


def _attribute(subject: str, column: str) -> Figure:
    """Return a text of a subject; one without a source counts as an assumption."""
    subjects = catalog.subjects()
    if subject not in subjects.index:
        raise unknown("subject", subject, subjects.index)
    if column not in subjects:
        raise unknown("attribute", column, subjects.columns)
    row = subjects.loc[subject]
    return _text(row[column], "a text", [row["source_id"] or "assumption"])


def _text(text: str, evidence: str, ids: list[str]) -> Figure:
    """Return a text with its sources: the first by name, all by their ids."""
    if not text:
        return Figure()
    first = catalog.sources().loc[ids[0]]
    if ids[0] == "assumption":
        evidence = ASSUMPTION
    publisher = f"assumption of {first['publisher']}" if evidence == ASSUMPTION else first["publisher"]
    where = {"source": publisher, "as_of": str(first["published"]), "source_id": "; ".join(ids)}
    return Figure(evidence, "words", text=text, **where)


def _formats(subject: str) -> Figure:
    """Return the number formats for which an accelerator has a figure."""
    return replace(_with_figures(subject, FORMATS), rule="formats")


def _only(subject: str, *among: str) -> Figure:
    """Return the formats for AI for which an accelerator has a figure, to be held to those named, or to all."""
    for name in among:
        if name not in AI_FORMATS:
            raise unknown("format for AI", name, AI_FORMATS)
    return replace(_with_figures(subject, AI_FORMATS), rule="only", among=among or AI_FORMATS)


def _with_figures(subject: str, names: tuple) -> Figure:
    short, facts = catalog.subject_of(subject), catalog.facts()
    rows = facts[facts["subject"].eq(short) & facts["preferred"] & facts["value"].gt(0)]
    rows = {name: rows[rows["quantity"].isin([f"{name}_tflops", f"{name}_tops"])] for name in names}
    has = [name for name in names if len(rows[name])]
    ids = pd.concat([rows[name]["source_id"] for name in has]).value_counts().index.tolist() if has else []
    return _text(", ".join(has), "a list of figures", ids)


def _answer(name: str, answer: str, gigawatts: str, *, n: int, seed: int, answers: dict) -> Figure:
    """Return the samples of an answer of the models at a capacity, and their 90 % interval."""
    if answer not in deal.UNITS:
        raise unknown("answer", answer, deal.UNITS)
    require(f"the capacity of {name} [GW]", gigawatts, above=0)
    key = (name, float(gigawatts))
    if key not in answers:
        answers[key] = deal.evaluate(deal=name, n=n, seed=seed, capacity_gw=float(gigawatts))
    samples = answers[key][answer].dropna().to_numpy(float)
    if not len(samples):
        return Figure()
    ends = uncertainty.interval(samples)
    unit = deal.UNITS[answer] or deal.NAMES[answer]
    source = "gigafleet, 90 % interval"
    known = {"unit": unit, "width": INTERVAL, "source": source, "samples": samples}
    return Figure(ANSWER, "samples", *ends[["low", "median", "high"]], **known)


def _term(name: str, path: str) -> Figure:
    """Return a term of a deal, with the sources of the innermost block that names any; nothing where a deal lacks a
    block that others have."""
    terms, keys = catalog.deal(name), path.split(".")
    found, ids = terms, terms["public"]["sources"]
    for key in keys:
        if found is None and any(path in _terms(each) for each in catalog.deals().values()):
            return Figure()
        if not isinstance(found, dict) or key not in found:
            raise unknown(f"term of {name}", path, _terms(terms))
        found = found[key]
        ids = found.get("sources", ids) if isinstance(found, dict) else ids
    if isinstance(found, dict | list):
        below = [f"{path}.{term}" for term in _terms(found)] if isinstance(found, dict) else []
        what = f"below it are {', '.join(below)}" if below else f"known: {', '.join(_terms(terms))}"
        raise ValueError(f"{path!r} is a {'block' if below else 'list'} and no term; {what}")
    if found is None:
        return Figure()
    figure = _text(str(found), "a term of the deal", ["assumption"] if "assumed" in keys else ids)
    if isinstance(found, int | float):
        unit = next((unit for end, unit in TERM_UNITS.items() if keys[-1].endswith(end)), "")
        ends = dict.fromkeys(("low", "value", "high"), float(found))
        return replace(figure, rule="range", text="", unit=unit, **ends)
    return figure


def _terms(block: dict) -> list[str]:
    """Return the paths of the terms in a block, lists left out."""
    paths = []
    for key, found in block.items():
        if isinstance(found, dict):
            paths += [f"{key}.{path}" for path in _terms(found)]
        elif not isinstance(found, list):
            paths.append(str(key))
    return paths
