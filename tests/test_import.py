"""Importing the package and asking for help stay cheap, and need nothing that is not declared."""

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gigafleet

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "numpy",
    "pandas",
    "matplotlib",
    "scipy",
    "xarray",
    "pydantic",
    "frictionless",
    "nbformat",
    "papermill",
    "yaml",
)
HELP = "from gigafleet.cli import main\ntry: main({})\nexcept SystemExit as end: assert end.code == 0"
MODULES = sorted(
    ".".join(path.relative_to(ROOT / "lib").with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "lib").rglob("*.py")
)


def python(code: str) -> str:
    """Return what a fresh interpreter prints, run in a folder of no meaning."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "code",
    ["import gigafleet", HELP.format(["--help"]), HELP.format(["report", "--help"])],
    ids=["import", "help", "help of a command"],
)
def test_nothing_heavy_is_imported(code):
    loaded = python(f"{code}\nimport sys; print('LOADED', *sys.modules)").split("LOADED")[1].split()
    assert "gigafleet" in loaded
    assert sorted(set(HEAVY) & set(loaded)) == []


def test_submodules_come_on_demand():
    assert python("import gigafleet; print(gigafleet.catalog.__name__)") == "gigafleet.catalog\n"
    assert set(gigafleet.__all__) <= set(dir(gigafleet))
    for name in gigafleet.__all__:
        assert getattr(gigafleet, name).__name__ == f"gigafleet.{name}"
    with pytest.raises(AttributeError, match="no attribute 'catalogue'"):
        _ = gigafleet.catalogue


def test_every_module_imports_without_the_tools_of_the_tests():
    tools = ["pytest", "hypothesis", "nbval", "ruff", "hatchling", "packaging.requirements", "QuantLib", "distributed"]
    python(
        f"import importlib, sys\nfor tool in {tools}: sys.modules[tool] = None\n"
        f"for module in {[m for m in MODULES if not m.endswith('__main__')]}: importlib.import_module(module)"
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
    return {_plain(re.match(r"[\w.-]+", line)[0]) for line in lines}


def _imported(folder: str) -> dict[str, str]:
    """Return the distributions that files of a folder import, each with one file that does."""
    owners = importlib.metadata.packages_distributions()
    found = {}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in (n.split(".")[0] for n in names):
                if name not in sys.stdlib_module_names and name in owners:
                    found[_plain(owners[name][0])] = path.name
    return found


@pytest.mark.parametrize(("folder", "extras"), [("lib", ()), ("tests", ("test",)), ("benchmarks", ("test",))])
def test_every_import_is_declared(folder, extras):
    undeclared = {k: v for k, v in _imported(folder).items() if k not in _declared(*extras) | {"gigafleet"}}
    assert undeclared == {}
