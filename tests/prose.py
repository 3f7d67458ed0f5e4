"""Detectors of figures that are typed rather than computed, for the tests of what the notebooks say."""

import ast
import difflib
import functools
import html
import math
import re
from collections.abc import Iterable, Iterator

import nbformat

from gigafleet import catalog, parameters, tell
from gigafleet.tables import resource

# What a text may say of itself: levels of intervals, neutral figures, units, names of documents, other notebooks.
OF_ITSELF = (
    r"\b90 % (?:intervals?|bands?)\b|\b(?:bars|bands): 90 %(?=[,;])",
    r"\b90 % of (?:our |the simulated )?cases\b",
    r"\b5 to 95 %(?= of\b| \{\})",
    r"\b5th to (?:the )?95th percentile\b",
    r"\bend of the simulated 90 %",
    r"\bOf each 100 USD\b|\bof 100 USD are left\b",
    r"\bmore than 5 %(?= of draws\b| cannot\b)",
    r"\binterval holds 1\b",
    r": 1 is agreement\b",
    r"\bprice of 0 there\b",
    r": 0 is by chance, 1 always\b",
    r"\bbytes per 1,000 FLOP\b",
    r"\[10\^24 FLOP\]",
    r"\bCO2\b",
    r"\b10-Q\b",
    r"\beGRID2023\b",
    r"\b[Nn]otebooks? 0[0-8](?: and 0[0-8])?\b",
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
YEAR = r"20[1-3]\d"
DATES = (
    rf"\b{YEAR}Q[1-4]\b",
    rf"\b(?:(?:{MONTHS}|in|of|to|by|since|until|from|for|share|,) |mid-){YEAR}(?: to {YEAR})?"
    r"(?=\s*(?:$|[^\w\s%]|(?:to|in|and|are|is|lie|says|that)\b))",
)
SMALL = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
SPELLED = re.compile(
    rf"\b(?:(?:{TENS})-)?(?:{SMALL}|\w+teen|{TENS}|\w*(?:{SMALL}|hundred|{TENS})fold|hundreds?|thousands?|dozens?|percent"
    r"|half|halves|halved|twice|thrice|doubl(?:es?|ed|ing)|tripl(?:es?|ed|ing)|quadrupl\w+|twofold|threefold|tenfold"
    r"|(?:an?|one|two|three|several|few) (?:million|billion|trillion)s?"
    r"|(?:an?|one|two|three|four|nine) (?:third|quarter|fifth|sixth|eighth|tenth)s?(?= of\b)"
    r"|one (?:in|of) (?:\w+ )?(?:two|three|four|five|ten|hundred))\b",
    re.IGNORECASE,
)
# Words that count what the sentence itself has just named, quote a source, or name a unit.
COUNTED = (
    r"\b(?:the|these) two\b",
    r"(?:below|or) a million\b|^A million(?= tokens)|\bof a million(?= tokens)",
    r'"hundreds\s+of thousands(?: of GPUs)?"',
    r"\bbillion USD per GW are thousand USD per kW\b",
    r"\bper thousand(?= (?:\{\}|\w+) operations)",
    r"\bthousand trillion tokens\b",
    r"\b[Hh]alf-width\b",
)


@functools.cache
def names() -> re.Pattern:
    """Return the pattern of the names with figures in them that the data hold: parts, systems, models, formats."""
    subjects, models, known = resource("subjects"), resource("llms"), set()
    for column in ("subject", "name", "aliases"):
        known |= {name for cell in subjects[column].dropna() for name in str(cell).split(";")}
    known |= {word for name in known for word in name.split() if re.fullmatch(r"[A-Za-z]{2,}\d\w*", word)}
    known |= {word.removesuffix("X") for word in known if word.startswith("MI")}  # a family, such as MI300
    known |= {name for cell in subjects["architecture"].dropna() for name in re.findall(r"[A-Z]\w+ \d", cell)}
    known |= {*models["model"], *models["name"], *resource("sources")["source_id"]}
    known |= {c.removesuffix("_tflops").upper() for c in catalog.accelerators() if c.endswith("_tflops")}
    found = sorted((re.escape(name) for name in known if re.search(r"\d", name)), key=len, reverse=True)
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(found)})(?![\w-]|\.\d)")


def without(text: str, phrases: Iterable[str]) -> str:
    """Return a text without phrases, which are taken as they stand, whatever the breaks of its lines."""
    for phrase in phrases:
        text = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)".replace(r"\ ", r"\s+"), " ", text)
    return text


def typed(text: str, phrases: Iterable[str] = ()) -> list[str]:
    """Return the figures that a text holds in digits, but for names, dates, what it says of itself, and phrases."""
    text = without(text, phrases)
    text = re.sub(r"`[A-Za-z_]\w*`", " ", text)
    for name in parameters.notebooks():
        text = text.replace(f"[{name}]({name}.ipynb)", " ")
    for pattern in (*OF_ITSELF, *DATES, names()):
        text = re.sub(pattern, " ", text)
    return re.findall(r"\S*\d\S*", text)


def spelled(text: str, phrases: Iterable[str] = ()) -> list[str]:
    """Return the figures that a text holds in words, but for phrases and what counts something just named."""
    text = without(text, phrases)
    for pattern in COUNTED:
        text = re.sub(pattern, " ", text)
    return SPELLED.findall(text)


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """Return what a cell says in its own words: its Markdown, or the texts in its code, ``{}`` for what is computed.

    Names of columns, keys and queries are not said.
    """
    if cell.cell_type == "markdown":
        return [cell.source]
    return [] if "parameters" in cell.metadata.get("tags", []) else list(_said(ast.parse(cell.source)))


def _said(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if not re.fullmatch(r"(?:[a-z]\w*_\w+)|0\d_\w+|@?\w+_", node.value):
            yield node.value
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _said(part.value)
        return
    for name, child in ast.iter_fields(node):
        if isinstance(node, ast.Subscript) and name == "slice" and isinstance(node.ctx, ast.Load):
            continue
        for one in child if isinstance(child, list) else [child]:
            if isinstance(one, ast.AST):
                yield from _said(one)


# Numbers that turn a unit into another, or a share into what is left of it, and are no figures themselves.
UNITS = {0.0, 1.0, 3600.0, 8760.0, 8.76e-6}
OPAQUE = {"digits", "axis", "when"}  # keywords that say how a figure is written, not what it is
FIRST = {"number": 1, "more_or_less": 1, "between": 2, "spans": 2}  # how many arguments of tell's are figures
BUILT = {"DataFrame", "Series", "assign", "Index", "array"}
AS_TEXT = {"str", "format", "repr"}
CHANGED = {"add", "sub", "mul", "div", "fillna", "clip", "where", "replace", "get"}
DRAWN = {"reference", "band", "marks", "points"}  # keywords of charts that draw a figure of their own


def constants(sources: Iterable[str], chosen: Iterable[str] = ()) -> list[str]:
    """Return what in code brings a number constant before a reader: as what :mod:`gigafleet.tell` is to say, in an
    f-string, in ``str`` or ``format``, as a cell of a table that the code builds, or as a mark in a chart.

    Digits, places, quantiles and factors between units are fine. A name that holds nothing but numbers is as bad as
    these.

    Parameters
    ----------
    sources
        The code of the cells of a notebook.
    chosen
        Names or numbers that the notebook chooses to ask for, such as the points of a map.
    """
    trees, held = [ast.parse(source) for source in sources], {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        for target, value in _bound(node):
            if isinstance(target, ast.Name) and target.id not in chosen and _bare(value, held):
                held[target.id] = value
    found = [ast.unparse(bad) for tree in trees for node in ast.walk(tree) for bad in _shown(node, held)]
    return [bad for bad in dict.fromkeys(found) if bad not in chosen]


def _bound(node: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
    """Return the names that a node binds, with what they stand for."""
    if isinstance(node, ast.comprehension):
        return [(node.target, node.iter)]
    if not isinstance(node, ast.Assign):
        return []
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return list(zip(target.elts, value.elts, strict=True))
    return [(name, value) for name in getattr(target, "elts", [target])]


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def _bare(value: ast.AST, held: dict[str, ast.AST]) -> bool:
    """Return whether an expression holds a number and nothing that was computed."""
    nodes = list(ast.walk(value))
    makers = [node.func for node in nodes if isinstance(node, ast.Call)]
    makers = [f for f in makers if isinstance(f, ast.Name) or ast.unparse(f).startswith(("np.", "pd.", "math."))]
    inside = {id(part) for maker in makers for part in ast.walk(maker)}
    names = [node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in inside]
    return all(name in held for name in names) and (bool(names) or any(map(_is_number, nodes)))


def _shown(node: ast.AST, held: dict[str, ast.AST]) -> Iterator[ast.AST]:
    """Return the number constants that one node brings before a reader."""
    if isinstance(node, ast.FormattedValue):
        yield from _figures(node.value, held)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        yield from _figures(node.right, held)  # "%s" % 87.5
    elif isinstance(node, ast.Call):
        name, module = _called(node), ast.unparse(getattr(node.func, "value", node.func))
        if module.endswith("plots"):
            shown = [k.value for k in node.keywords if k.arg in DRAWN]
        elif module == "tell":
            count = 1 if name in FIRST and isinstance(node.args[0], ast.Starred) else FIRST.get(name)
            shown = [*node.args[:count], *(k.value for k in node.keywords if k.arg not in OPAQUE)]
        else:
            shown = [*node.args, *(k.value for k in node.keywords)] if name in BUILT | AS_TEXT else []
        for argument in shown:
            yield from _figures(argument, held, module.endswith("plots"))


def _figures(node: ast.AST, held: dict[str, ast.AST], scales: bool = False) -> Iterator[ast.AST]:
    """Return the number constants in an expression that its value holds, rather than is scaled or picked by."""
    if _is_number(node):
        if not scales or not (node.value in UNITS or math.log10(abs(node.value)).is_integer()):
            yield node
        return
    if isinstance(node, ast.Name):
        if node.id in held:
            yield node
        return
    parts, scales = list(ast.iter_child_nodes(node)), False
    if isinstance(node, ast.BinOp):
        parts = [node.left] if isinstance(node.op, ast.Pow | ast.FloorDiv) else [node.left, node.right]
        scales = not _bare(node.left, held) or not _bare(node.right, held)
    elif isinstance(node, ast.Call):
        own = isinstance(node.func, ast.Name) or _called(node) in BUILT | {"float64"}
        parts = node.args[: 1 if _called(node) == "round" else None] if own or _called(node) in CHANGED else []
        scales, parts = not own, [*parts, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
    elif isinstance(node, ast.Subscript | ast.Attribute):
        parts = [node.value]
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.Compare | ast.JoinedStr):
        parts = []
    for part in parts:
        yield from _figures(part, held, scales)


FIGURE = re.compile(r"(?<![\w.])(?:20\d\d-\d\d(?:-\d\d)?(?!\d)|\d(?:[\d,]*\d)?(?:\.\d+)?(?:Q[1-4])?(?![\w]|\.\d))")


def said(notebook: nbformat.NotebookNode) -> dict[tuple[str, str], list[str]]:
    """Return what an executed notebook tells its reader outside of the cells of tables: (cell, kind) -> texts.

    Kinds are sentences, tiles, captions of tables, and titles, sources, labels and alternative texts of figures.
    """
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for kind, text in _told(output):
                found.setdefault((cell.id, kind), []).append(html.unescape(text).replace("\u00a0", " "))
    return found


def _told(output: nbformat.NotebookNode) -> Iterator[tuple[str, str]]:
    data, about = output.get("data", {}), output.get("metadata", {}).get("image/png")
    if "text/markdown" in data:
        yield "sentence", data["text/markdown"]
    for tile in data.get(tell.HEADLINE_MIME, ()):
        yield "tile", " ".join(tile[part] for part in ("label", "value", "unit", "interval"))
    for caption in re.findall(r"<caption>(.*?)</caption>", data.get("text/html", "")):
        yield "caption", caption
    if about:
        yield from ((kind, about[kind]) for kind in ("title", "source", "alt") if kind in about)
        yield from (("label", label) for label in about.get("labels", ()))


def figures(text: str) -> set[str]:
    """Return the figures of a text, years among them, but for names and what it says of itself."""
    for pattern in (*OF_ITSELF, names()):
        text = re.sub(pattern, " ", text)
    return set(FIGURE.findall(text))


def _words(text: str) -> list[str]:
    """Return the words of a text, one placeholder for all figures and names."""
    return [word if re.fullmatch(r"[a-z'-]+", word) else "@" for word in re.findall(r"[\w.,%'-]*\w", text)]


def partner(text: str, others: list[str]) -> str | None:
    """Return the text of another run that says the same of other results: the most alike by words, if half of them
    are, or if it begins alike."""
    ours = _words(text)
    alike = {other: difflib.SequenceMatcher(None, ours, _words(other), autojunk=False).ratio() for other in others}
    best = max(alike, key=alike.get, default=None)
    if best is None or (alike[best] < 0.5 and best.split()[:2] != text.split()[:2]):
        return None
    return best


def standing(base: dict, runs: list[dict]) -> tuple[dict[tuple, set[str]], list[str]]:
    """Return the figures that no run moves, by cell and kind, and the texts with figures that stand in no other run.

    Parameters
    ----------
    base, runs
        As :func:`said` gives them, of the run with the defaults and of runs with other parameters.
    """
    stays, alone = {}, []
    for where, ours in base.items():
        for text in ours:
            if not (kept := figures(text)):
                continue
            met = [other for run in runs if (other := partner(text, run.get(where, [])))]
            if not met:
                alone.append(text)
                continue
            for other in met:
                kept = kept & figures(other)
            if kept:
                stays.setdefault(where, set()).update(kept)
    return stays, alone
