"""Small notebooks and their parameter models, so that these tests need neither data nor models."""

import base64
import contextlib
import functools
import io
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
import yaml
from PIL import Image
from pydantic import Field, field_validator

from gigafleet import catalog, parameters, report
from gigafleet.errors import unknown


class Sample(parameters.Parameters):
    """A sample of everything."""

    count: int = Field(3, ge=1, le=100, description="how many")
    share: float | None = Field(None, ge=0, le=1, description="part of the whole")
    place: str = Field("us", description="where")
    parts: list[str] = Field(["a"], description="which")
    sure: bool = Field(False, description="whether")

    @field_validator("place")
    @classmethod
    def _place(cls, value: str) -> str:
        if value not in ("us", "texas", "norway"):
            raise unknown("place", value, ("us", "texas", "norway"))
        return value


class Fragile(parameters.Parameters):
    """Breaks in the way asked for."""

    how: str = Field("not", description="which way")


PARAMETERS_CELL = """\
count = 3  # how many
share = None  # part of the whole
place = "us"  # where
parts = ["a"]  # which
sure = False  # whether"""
HEADLINE = """\
tiles = [{"label": "units in place", "value": str(count), "unit": "units", "interval": "1 to 9"}]
data = {"application/vnd.gigafleet.headline+json": tiles, "text/html": f"<b>{count} units</b>", "text/plain": "units"}
display(data, raw=True)"""
TABLE = """\
from IPython.display import HTML
HTML("<table><thead><tr><th>GPU</th><th>draw [W]</th></tr></thead><tbody>"
     "<tr><td>H100</td><td>700</td></tr><tr><td>H200</td><td>–</td></tr></tbody></table>")"""
MACHINE = """\
import os, sys, warnings, gigafleet
print(os.getcwd(), gigafleet.__file__, object())
warnings.warn("from this cell")
print(f"{count} in {place}")"""
BREAKS = ("not", "raise", "two lines", "exit", "die")
BREAK = """\
import json, os, sys, time
if how == "raise":
    print("about to fail")
    json.loads(None)
if how == "two lines":
    raise ValueError("first line\\nsecond line")
if how == "exit":
    sys.exit(0)
if how == "sleep":
    time.sleep(30)
if how == "die":
    os._exit(3)
print("came through")"""


def png(width: int = 40, height: int = 20) -> str:
    """Return a small red image, as a notebook holds it."""
    file = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 20, 20, 255)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def figure() -> str:
    """Return code that shows a figure with its text, and one without."""
    metadata = '{"image/png": {"alt": "A rise from 1 to <9> & more", "width": 40}}'
    shown = f'{{"image/png": "{png()}", "text/plain": "figure"}}, raw=True'
    return f"display({shown}, metadata={metadata})\ndisplay({shown})"


def notebook(path: Path, *cells: str) -> Path:
    """Write a notebook. A cell that starts with # and a blank is text; the first one of code holds the parameters."""
    made = nbformat.v4.new_notebook()
    tagged = False
    for number, source in enumerate(cells):
        kind = nbformat.v4.new_markdown_cell if source.startswith("# ") else nbformat.v4.new_code_cell
        cell = kind(source, id=f"cell-{number}-of-{path.stem.replace('_', '-')}")
        if cell.cell_type == "code" and not tagged:
            cell.metadata["tags"] = ["parameters"]
            tagged = True
        made.cells.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(made) + "\n", encoding="utf-8")
    return path


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put two notebooks, ``00_sample`` and ``01_fragile``, in the place of the project's own."""
    text = "# What is in place?\n\nHow **many** units are in place, and where?"
    notebook(folder / "00_sample.ipynb", text, PARAMETERS_CELL, HEADLINE, figure(), TABLE, MACHINE)
    fragile = "# Fragile\n\nDoes it hold?"
    notebook(folder / "01_fragile.ipynb", fragile, 'how = "not"  # which way', BREAK, 'print("the end")')
    data = catalog.folder()
    monkeypatch.setattr(catalog, "folder", lambda part="data": folder if part == "notebooks" else data)
    monkeypatch.setattr(parameters, "MODELS", {"00_sample": Sample, "01_fragile": Fragile})
    return folder


def scenario_file(path: Path, *entries: tuple | str, **more: object) -> Path:
    """Write a scenario file of entries (name, notebook, parameters), or of text."""
    if entries and isinstance(entries[0], str):
        path.write_text(entries[0], encoding="utf-8")
    else:
        keys = ("name", "notebook", "parameters")
        content = {"scenarios": [dict(zip(keys, entry, strict=False)) for entry in entries], **more}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    """The folder of the two notebooks."""
    return install(tmp_path / "notebooks", monkeypatch)


@pytest.fixture
def scenarios(tmp_path):
    """Return :func:`scenario_file` for one file."""
    return functools.partial(scenario_file, tmp_path / "cases.yaml")


@dataclass
class Batch:
    """A batch that was run, with what it said."""

    folder: Path
    file: Path
    status: int
    said: str

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def notebook(self, path: str) -> nbformat.NotebookNode:
        return nbformat.read(self.folder / path, as_version=4)


def run(file: Path, folder: Path, jobs: int = 2) -> Batch:
    """Run a batch."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = report.make(file, folder, jobs, False)
    return Batch(folder, file, status, said.getvalue())


@pytest.fixture(scope="session")
def batch(tmp_path_factory):
    """A batch with runs that go well and runs that fail in each way; made once."""
    place = tmp_path_factory.mktemp("batch")
    with pytest.MonkeyPatch.context() as monkeypatch:
        install(place / "notebooks", monkeypatch)
        breaks = [(f"b-{way.replace(' ', '-')}", "01_fragile", {"how": way}) for way in BREAKS]
        good = [("base", "00_sample"), ("other", "00_sample", {"count": 7, "place": "texas", "parts": ["x", "y"]})]
        file = scenario_file(place / "cases.yaml", *breaks, *good, defaults={"00_sample": {"share": 0.5}})
        return run(file, place / "reports")
