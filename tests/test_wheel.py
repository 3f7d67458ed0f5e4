"""The wheel carries tables and notebooks, the source archive builds the same wheel, a checkout reads its own tables."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from gigafleet import catalog

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = re.compile(
    r"gigafleet/(\w+/)*(\w+\.py|templates/[\w.]+\.(css|j2))"
    r"|gigafleet/data/(\w+/)*[\w-]+\.(csv|yaml|md)"
    r"|gigafleet/notebooks/\d\d_\w+\.ipynb"
    r"|gigafleet-[\d.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)


def build(source: Path, target: Path, *kinds: str) -> None:
    """Build archives of a source tree without the network, with the back end of this environment."""
    chosen = [word for kind in kinds for word in ("-t", kind)]
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(target), *chosen]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "sdist", "wheel")
    return folder


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel, unpacked as an installer would: it is pure Python."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(code: str, path: Path | None, cwd: Path) -> dict:
    """Run code in a fresh interpreter, with Gigafleet from a folder or as it is installed; return its `answer`."""
    environment = {k: v for k, v in os.environ.items() if k not in ("GIGAFLEET_DATA", "PYTHONPATH")}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    code = f"{code}\nimport json; print('ANSWER' + json.dumps(answer))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("ANSWER")[2])


WHERE = """
import gigafleet
from gigafleet import catalog
answer = {
    "code": gigafleet.__file__, "data": str(catalog.folder()), "notebooks": str(catalog.folder("notebooks")),
    "accelerators": list(catalog.accelerators().index),
}
"""


def test_nothing_else_is_in_the_wheel(wheel):
    assert [name for name in sorted(names(wheel)) if not ALLOWED.fullmatch(name)] == []


def test_all_that_belongs_in_the_wheel_is_there(wheel):
    code = [p for p in (ROOT / "lib").rglob("*.*") if p.is_file() and p.parent.name != "__pycache__"]
    expected = {p.relative_to(ROOT / "lib").as_posix() for p in code}
    expected |= {f"gigafleet/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "data").rglob("[!.]*.*")}
    expected |= {f"gigafleet/notebooks/{p.name}" for p in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert {"gigafleet/cli.py", "gigafleet/data/facts.csv", "gigafleet/data/datapackage.yaml"} <= expected
    assert sorted(expected - names(wheel)) == []


def test_the_source_archive_builds_the_same_wheel(built, wheel, tmp_path):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert not [p for p in source.rglob("*") if p.name in {".git", ".venv", "reports", "__pycache__"}]
    assert {"LICENSE", "Makefile", "requirements.lock", "environment.yml", "tests"} <= {
        p.name for p in source.iterdir()
    }
    build(source, tmp_path / "again", "wheel")
    assert names(next((tmp_path / "again").glob("*.whl"))) == names(wheel)


def test_the_wheel_reads_its_own_tables_and_notebooks(installed, tmp_path):
    answer = run(WHERE, installed, tmp_path)
    inside = installed / "gigafleet"
    assert answer == {
        "code": str(inside / "__init__.py"),
        "data": str(inside / "data"),
        "notebooks": str(inside / "notebooks"),
        "accelerators": list(catalog.accelerators().index),
    }
    assert {p.name for p in (inside / "notebooks").iterdir()} == {
        p.name for p in (ROOT / "notebooks").glob("[0-9]*.ipynb")
    }


def test_the_command_of_the_wheel_checks_its_tables(installed, tmp_path):
    (entry,) = next(iter(importlib.metadata.distributions(path=[str(installed)]))).entry_points
    assert (entry.group, entry.name) == ("console_scripts", "gigafleet")
    code = f"import gigafleet\nfrom {entry.module} import {entry.attr} as command"
    code += "\nanswer = [gigafleet.__file__, command(['check']), command(['list', 'notebooks'])]"
    assert run(code, installed, tmp_path) == [str(installed / "gigafleet" / "__init__.py"), 0, 0]


def test_a_checkout_reads_its_own_tables(tmp_path):
    if not Path(catalog.__file__).is_relative_to(ROOT):
        pytest.skip("these tests run against an installed wheel")
    answer = run(WHERE, None, tmp_path)
    assert answer["code"] == str(ROOT / "lib" / "gigafleet" / "__init__.py")
    assert (answer["data"], answer["notebooks"]) == (str(ROOT / "data"), str(ROOT / "notebooks"))


def test_strays_stay_out(tmp_path):
    """Reports, caches and drafts that lie in a checkout do not get into its wheel."""
    copy = tmp_path / "copy"
    skip = shutil.ignore_patterns(".venv*", ".git", ".hypothesis", "reports*", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=skip)
    strays = [
        "reports/a/00_overview.html",
        "notebooks/.ipynb_checkpoints/00_overview-checkpoint.ipynb",
        "lib/gigafleet/__pycache__/cli.cpython-311.pyc",
        "data/.facts.csv.swp",
        "notebooks/.keep",
        "notebooks/reports/index.html",
        "notebooks/Untitled.ipynb",
        "data/scenarios/index.html",
    ]
    for stray in strays:
        (copy / stray).parent.mkdir(parents=True, exist_ok=True)
        (copy / stray).write_text("{}", encoding="utf-8")
    build(copy, tmp_path / "dist", "wheel")
    found = names(next((tmp_path / "dist").glob("*.whl")))
    assert [name for name in sorted(found) if not ALLOWED.fullmatch(name)] == []
