"""Makes HTML of executed notebooks: a page each, and an index of all with their headline numbers.

Pages are self-contained: no script, nothing from the network. All that a page says comes from its notebook, so that it
can be made again from the notebook alone, to the same bytes.
"""

import base64
import copy
import functools
import html
import io
import os
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import nbformat
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from PIL import Image

from gigafleet import parameters
from gigafleet.report import clean
from gigafleet.report.tables import align
from gigafleet.tell import HEADLINE_MIME

THUMBNAIL_PX = (640, 360)
TILES = 4
MARKER = "papermill-error-cell-tag"
_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass
class Card:
    """What the index says about one report. Paths are relative to the folder of the reports."""

    scenario: str
    notebook: str
    title: str
    question: str
    failure: str
    chosen: dict[str, str]
    page: str
    executed: str
    seconds: float | None = None
    tiles: list[dict] = field(default_factory=list)
    thumbnail: str = ""
    alt: str = ""


def _plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def _opening(notebook: NotebookNode) -> tuple[str, str]:
    """Return the first heading, and the paragraph that follows it."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    markup = markdown2html(text)
    heading = re.search(r"<h([1-6])[^>]*>(.*?)</h\1>", markup, re.S)
    title = _plain(re.sub(r'<a class="anchor-link".*?</a>', "", heading[2], flags=re.S)) if heading else ""
    paragraph = re.search(r"<p>(.*?)</p>", markup[heading.end() if heading else 0 :], re.S)
    return title, _plain(paragraph[1]) if paragraph else ""


def _say(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_say, value))
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


def _chosen(notebook: str, values: dict) -> dict[str, str]:
    """Return the parameters that differ from their defaults, as text."""
    rows = [(row["parameter"], row["default"]) for row in parameters.described(notebook)]
    return {name: _say(values[name]) for name, default in rows if values.get(name, default) != default}


def _outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def _tiles(notebook: NotebookNode) -> list[dict]:
    """Return the first headline numbers of a notebook."""
    for output in _outputs(notebook):
        tiles = output.get("data", {}).get(HEADLINE_MIME)
        if isinstance(tiles, list):
            keys = ("label", "value", "unit", "interval")
            return [{key: str(tile.get(key, "")) for key in keys} for tile in tiles if isinstance(tile, dict)][:TILES]
    return []


def _thumbnail(notebook: NotebookNode) -> tuple[str, str]:
    """Return the first figure, small, as a data URI, with its text; both empty if there is none."""
    for output in _outputs(notebook):
        if "image/png" in output.get("data", {}):
            try:
                with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as image:
                    small = Image.new("RGB", image.size, "white")
                    small.paste(image, mask=image.convert("RGBA").getchannel("A"))
            except (OSError, ValueError):
                continue
            small.thumbnail(THUMBNAIL_PX, Image.Resampling.LANCZOS)
            file = io.BytesIO()
            small.quantize(64).save(file, "PNG", optimize=True)
            alt = output.metadata.get("image/png", {}).get("alt", "")
            return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}", alt
    return "", ""


@functools.cache
def _exporter() -> HTMLExporter:
    exporter = HTMLExporter(template_name="basic", exclude_input=True, exclude_anchor_links=True)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    return exporter


def _body(notebook: NotebookNode) -> str:
    """Return text and outputs of a notebook as HTML, without heading and traceback, which the page shows at its top."""
    shown = copy.deepcopy(notebook)
    for cell in shown.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
            for output in cell.outputs:
                for kind in ("image/png", "image/jpeg"):
                    if kind in output.get("data", {}):
                        output.metadata.setdefault(kind, {}).setdefault("alt", "Figure")
    shown.cells = [cell for cell in shown.cells if cell.cell_type != "code" or cell.outputs]
    body, _ = _exporter().from_notebook_node(shown)
    return align(re.sub(r"<h1[^>]*>.*?</h1>", "", body, count=1, flags=re.S))


def _traceback(notebook: NotebookNode) -> str:
    lines = [line for o in _outputs(notebook) if o.output_type == "error" for line in o.traceback]
    return clean.plain("\n".join(lines))


def page(path: Path, seconds: float | None = None) -> Card:
    """Make the page of an executed notebook beside it.

    Parameters
    ----------
    path
        ``<scenario>/<notebook>.ipynb`` as :func:`gigafleet.report.run.one` left it.
    seconds
        How long the run took, for the index; not on the page.

    Returns
    -------
    Card
        What the index says about it.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if MARKER not in cell.metadata.get("tags", [])]
    about = notebook.metadata["gigafleet"]
    title, question = _opening(notebook)
    thumbnail, alt = _thumbnail(notebook)
    card = Card(
        scenario=about["scenario"],
        notebook=about["notebook"],
        title=title or about["notebook"],
        question=textwrap.shorten(question, 240, placeholder=" …"),
        failure=about["failure"],
        chosen=_chosen(about["notebook"], about["parameters"]),
        page=f"{path.parent.name}/{path.stem}.html",
        executed=f"{path.parent.name}/{path.name}",
        seconds=seconds,
        tiles=_tiles(notebook),
        thumbnail=thumbnail,
        alt=alt,
    )
    content = _templates.get_template("page.html.j2").render(
        card=card, body=_body(notebook), traceback=_traceback(notebook), executed=path.name
    )
    clean.write(path.with_suffix(".html"), content)
    return card


def index(cards: list[Card], folder: Path, scenarios: str, planned: int) -> Path:
    """Make ``index.html`` of a batch.

    Parameters
    ----------
    cards
        One a report; notebooks are shown in reading order, the scenarios of each in the order given.
    folder
        Folder of the reports.
    scenarios
        Name of the scenario file.
    planned
        How many reports the file asks for.

    Returns
    -------
    Path
        Of the index.
    """
    groups = []
    for name in parameters.notebooks():
        own = [card for card in cards if card.notebook == name]
        if own:
            purpose = (parameters.model(name).__doc__ or "").strip().splitlines()
            groups.append((name, purpose[0].rstrip(".") if purpose else "", own))
    made = {card.page for card in cards}
    earlier = sorted(p.relative_to(folder).as_posix() for p in folder.glob("*/*.html"))
    content = _templates.get_template("index.html.j2").render(
        groups=groups,
        scenarios=scenarios,
        failed=sum(bool(card.failure) for card in cards),
        done=sum(not card.failure for card in cards),
        planned=planned,
        earlier=[p for p in earlier if p not in made and os.path.exists(folder / Path(p).with_suffix(".ipynb"))],
    )
    path = folder / "index.html"
    clean.write(path, content)
    return path
