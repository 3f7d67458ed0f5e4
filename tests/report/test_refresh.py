"""Notebooks that are executed in place."""

import subprocess
import sys

import nbformat
import pytest
from conftest import BREAK, HEADLINE, PARAMETERS_CELL, figure, notebook

from gigafleet.report import refresh


@pytest.fixture
def folder(tmp_path):
    text = "# Title\n\nWhat is in place?"
    notebook(tmp_path / "00_good.ipynb", text, PARAMETERS_CELL, HEADLINE, figure(), "import os\nprint(os.getcwd())")
    notebook(tmp_path / "01_bad.ipynb", 'how = "raise"', BREAK, 'print("the end")')
    notebook(tmp_path / "02_exit.ipynb", 'how = "exit"', BREAK)
    return tmp_path


def test_outputs_are_stored_and_nothing_else_changes(folder):
    path = folder / "00_good.ipynb"
    before = nbformat.read(path, as_version=4)
    bad = {p: p.read_bytes() for p in (folder / "01_bad.ipynb", folder / "02_exit.ipynb")}
    failures = refresh.folder(folder)
    assert failures == {
        "01_bad": "TypeError: the JSON object must be str, bytes or bytearray, not NoneType",
        "02_exit": "SystemExit: 0",
    }
    assert {p: p.read_bytes() for p in bad} == bad
    after = nbformat.read(path, as_version=4)
    nbformat.validate(after)
    assert (after.nbformat, after.nbformat_minor) == (4, 5)
    for old, new in zip(before.cells, after.cells, strict=True):
        assert (new.id, new.source, new.metadata) == (old.id, old.source, old.metadata)
    assert [cell.execution_count for cell in after.cells[1:]] == [1, 2, 3, 4]
    assert after.cells[4].outputs[0].text == ".\n"
    assert set(after.metadata) == {"kernelspec", "language_info"}
    first = path.read_bytes()
    stamp = path.stat().st_mtime_ns
    assert refresh.one(path) == (path, "")
    assert path.read_bytes() == first
    assert path.stat().st_mtime_ns == stamp


def test_stale_outputs_are_replaced(tmp_path):
    path = notebook(tmp_path / "a.ipynb", "x = 1", "print(x)")
    stale = nbformat.read(path, as_version=4)
    stale.cells[1].outputs = [nbformat.v4.new_output("stream", text="stale")]
    stale.cells[1].execution_count = 9
    path.write_text(nbformat.writes(stale), encoding="utf-8")
    assert refresh.one(path) == (path, "")
    made = nbformat.read(path, as_version=4)
    assert [output.text for output in made.cells[1].outputs] == ["1\n"]


def test_the_command(tmp_path):
    notebook(tmp_path / "bad.ipynb", "1 / 0")
    command = [sys.executable, "-m", "gigafleet.report.refresh"]
    ran = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout == "bad: ZeroDivisionError: division by zero (left as it was)\n"
    empty = subprocess.run([*command, str(tmp_path / "none")], capture_output=True, text=True, check=False)
    assert empty.returncode == 2
    assert "usage" in empty.stderr
