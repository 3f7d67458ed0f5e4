"""pyproject.toml, environment.yml and requirements.lock say the same."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import gigafleet

ROOT = Path(__file__).resolve().parents[1]
FILES = ("pyproject.toml", "environment.yml", "requirements.lock")
CONDA_NAMES = {"matplotlib-base": "matplotlib", "seaborn-base": "seaborn", "quantlib-python": "quantlib"}
# The ends of each series: a marker may tell 3.11.4 from 3.11.5.
PYTHONS = ("3.11.0", "3.11.13", "3.12.0", "3.12.11", "3.13.0", "3.13.7")
ENTRY = re.compile(
    r"^(?P<requirement>[A-Za-z0-9][\w.-]*==[^\\]*?)(?P<hashes>(?: *\\\n +--hash=sha256:[0-9a-f]{64})*)$", re.M
)


def _declared(project: dict) -> dict[str, SpecifierSet]:
    """Return every requirement that a table of pyproject.toml declares: to run, to test, to build."""
    lines = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["test"]
    found = {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}
    for requirement in map(Requirement, project["build-system"]["requires"]):
        found.setdefault(canonicalize_name(requirement.name), requirement.specifier)
    return found


def _conda(lines: list) -> tuple[dict[str, SpecifierSet], list]:
    """Return the packages of environment.yml under their name on PyPI, and its lines for pip."""
    plain = [line.partition(" ") for line in lines if isinstance(line, str)]
    packages = {canonicalize_name(CONDA_NAMES.get(name, name)): SpecifierSet(bounds) for name, _, bounds in plain}
    return packages, [line for entry in lines if isinstance(entry, dict) for line in entry["pip"]]


def _locked(entries: list[Requirement], python: str) -> dict[str, list[str]]:
    """Return the versions that a lock holds for one Python on Linux."""
    machine = {"python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": "linux"}
    found: dict[str, list[str]] = {}
    for entry in entries:
        if entry.marker is None or entry.marker.evaluate(machine):
            found.setdefault(canonicalize_name(entry.name), []).append(str(entry.specifier).removeprefix("=="))
    return found


def _lock_form(lock: str) -> list[str]:
    """Return what is wrong with the lock whatever it locks: an address, an option, an entry without a hash."""
    wrong = []
    rest = ENTRY.sub("", lock)
    wrong += [
        f"lock: neither a pinned package nor a hash: {line.strip()}" for line in rest.splitlines() if line.strip()
    ]
    wrong += [f"lock: holds an address: {line.strip()}" for line in lock.splitlines() if re.search(r"\w+://|@ ", line)]
    for match in ENTRY.finditer(lock):
        if not match["hashes"]:
            wrong.append(f"lock: {match['requirement'].strip()} has no hash")
    return wrong


def disagreements(pyproject: str, environment: str, lock: str) -> list[str]:
    """Return all on which the texts of the three files disagree, and what a lock must not hold."""
    wrong = _lock_form(lock)
    project, conda = tomllib.loads(pyproject), yaml.safe_load(environment)
    declared = _declared(project)
    packages, pip_lines = _conda(conda["dependencies"])

    python, pythons = packages.pop("python", SpecifierSet()), SpecifierSet(project["project"]["requires-python"])
    if python != pythons:
        wrong.append(f"python: pyproject has {pythons}, environment.yml {python}")
    series = {v.rpartition(".")[0] for v in PYTHONS if v in pythons}
    classifiers = {c.rpartition(" ")[2] for c in project["project"]["classifiers"] if "Python :: 3." in c}
    if series != classifiers:
        wrong.append(f"python: pyproject allows {sorted(series)}, its classifiers name {sorted(classifiers)}")
    if packages.pop("pip", None) is None or pip_lines != ["-e ."]:
        wrong.append(f"pip: environment.yml must install the project alone by pip, not {pip_lines}")

    for name in sorted(declared.keys() | packages.keys()):
        bounds = [str(side[name]) if name in side else "nothing" for side in (declared, packages)]
        if bounds[0] != bounds[1]:
            wrong.append(f"{name}: pyproject has {bounds[0]}, environment.yml {bounds[1]}")

    entries = [Requirement(match["requirement"]) for match in ENTRY.finditer(lock)]
    for version in PYTHONS:
        locked = _locked(entries, version)
        for name, versions in locked.items():
            if len(versions) > 1:
                wrong.append(f"{name}: the lock has {' and '.join(versions)} for Python {version}")
        for name, bounds in declared.items():
            versions = locked.get(name, [])
            if not versions or versions[0] not in bounds:
                wrong.append(f"{name}: pyproject has {bounds}, the lock {versions or 'nothing'} for Python {version}")
    return wrong


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}


def test_the_files_agree(texts):
    assert disagreements(*texts.values()) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("pyproject.toml", '"pandas>=3.0"', '"pandas>=3.1"', "pandas: pyproject has >=3.1, environment.yml >=3.0"),
        ("pyproject.toml", '"pandas>=3.0"', '"pandas>=99"', "pandas: pyproject has >=99, the lock "),
        ("pyproject.toml", '    "scipy>=1.15",\n', "", "scipy: pyproject has nothing, environment.yml >=1.15"),
        ("pyproject.toml", '"ruff>=', '"extra>=1", "ruff>=', "extra: pyproject has >=1, environment.yml nothing"),
        ("pyproject.toml", '"ruff>=', '"extra>=1", "ruff>=', "extra: pyproject has >=1, the lock nothing"),
        ("pyproject.toml", '= ["hatchling>=1.27"]', '= ["flit_core"]', "flit-core: pyproject has , the lock nothing"),
        ("pyproject.toml", ">=3.11,<3.14", ">=3.11", "python: pyproject has >=3.11, environment.yml <3.14,>=3.11"),
        (
            "pyproject.toml",
            ">=3.11,<3.14",
            ">=3.12,<3.14",
            "python: pyproject allows ['3.12', '3.13'], its classifiers",
        ),
        ("environment.yml", "numpy >=2.2", "numpy >=2.1", "numpy: pyproject has >=2.2, environment.yml >=2.1"),
        ("environment.yml", "numpy >=2.2", "numpy", "numpy: pyproject has >=2.2, environment.yml "),
        ("environment.yml", "seaborn-base", "seaborn-core", "seaborn: pyproject has >=0.13.2, environment.yml nothing"),
        ("environment.yml", "  - tqdm >=4.67\n", "", "tqdm: pyproject has >=4.67, environment.yml nothing"),
        ("environment.yml", "python >=3.11,<3.14", "python >=3.11,<3.13", "python: pyproject has <3.14,>=3.11, env"),
        ("environment.yml", "- -e .", "- -e .\n      - seaborn", "pip: environment.yml must install the project alone"),
        ("requirements.lock", "\npandas==3.", "\npandas==2.", "pandas: pyproject has >=3.0, the lock ['2."),
        ("requirements.lock", "\npandas==3.", "\npandaz==3.", "pandas: pyproject has >=3.0, the lock nothing"),
        (
            "requirements.lock",
            "\nnumpy==2.4.6 ; python_full_version < '3.12'",
            "\nnumpy==2.4.6",
            "numpy: the lock has ",
        ),
        (
            "requirements.lock",
            "\npandas==3.",
            "\n-i example\npandas==3.",
            "lock: neither a pinned package nor a hash: -i ex",
        ),
        (
            "requirements.lock",
            "\npandas==3.",
            "\npandas @ file://x\npandas==3.",
            "lock: holds an address: pandas @ file",
        ),
        ("requirements.lock", "\npandas==3.", "\nextra==1.0\npandas==3.", "lock: extra==1.0 has no hash"),
        (
            "requirements.lock",
            "\npandas==3.",
            "\nextra\npandas==3.",
            "lock: neither a pinned package nor a hash: extra",
        ),
    ],
)
def test_a_disagreement_is_found(texts, file, old, new, says):
    assert texts[file].count(old) == 1
    found = disagreements(*(texts | {file: texts[file].replace(old, new)}).values())
    assert [line for line in found if line.startswith(says)], found


def test_make_takes_the_same_pythons(texts):
    low, high = (3, 11), (3, 13)
    assert f"({low[0]}, {low[1]}) <= sys.version_info[:2] <= ({high[0]}, {high[1]})" in (ROOT / "Makefile").read_text()
    series = [f"3.{minor}" for minor in range(low[1], high[1] + 1)]
    assert sorted({v.rpartition(".")[0] for v in PYTHONS}) == series
    assert SpecifierSet(tomllib.loads(texts["pyproject.toml"])["project"]["requires-python"]) == SpecifierSet(
        f">=3.{low[1]},<3.{high[1] + 1}"
    )


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run make in a copy of the files that it reads."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        if not (folder / name).exists():
            shutil.copy(ROOT / name, folder)
    ours = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON", "VENV"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("answer", "says"), [("echo is 3.10", "is 3.10"), ("exit 1", "does not run")])
def test_make_says_in_one_line_which_python_it_needs(tmp_path, answer, says):
    python = tmp_path / "python3.10"
    python.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    python.chmod(0o755)
    done = make(tmp_path, "test", f"PYTHON={python}")
    assert done.returncode == 2
    line, *rest = done.stderr.splitlines()
    assert line.startswith(f"Gigafleet needs Python 3.11, 3.12 or 3.13, and {python} {says}: ")
    assert [text for text in rest if not text.startswith("make: ***")] == []
    assert not (tmp_path / ".venv").exists()


def test_make_installs_again_whenever_what_it_installs_changed(tmp_path):
    def installs(*arguments: str) -> str:
        planned = make(tmp_path, "-n", "lint", *arguments).stdout
        return next(iter(re.findall(r"> (\.venv/gigafleet-\d+)$", planned, re.M)), "")

    stamp = installs()
    assert stamp
    (tmp_path / ".venv").mkdir()
    (tmp_path / stamp).write_text("\n", encoding="utf-8")
    assert installs() == ""
    for name in ("requirements.lock", "pyproject.toml"):
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        assert installs() not in ("", stamp)
        (tmp_path / installs()).write_text("\n", encoding="utf-8")
        assert installs() == ""
    assert installs("PYTHON=python3.12") != ""


def test_make_removes_only_what_it_made(tmp_path):
    (tmp_path / "mine").mkdir()
    for target in ("clean", "lint"):
        done = make(tmp_path, target, "VENV=mine")
        assert done.returncode == 2
        assert done.stderr.startswith("VENV=mine exists and was not made here: ")
    assert (tmp_path / "mine").is_dir()


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "version"} <= citation.keys()
    assert citation["version"] == gigafleet.__version__
