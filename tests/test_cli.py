"""The command line: what it lists and checks, and one clear line with exit status 2 on bad input."""

import shlex
import shutil
import subprocess
import sys

import pytest

from gigafleet import catalog, parameters, tables
from gigafleet.cli import main

SCENARIOS = """
defaults: {00_overview: {samples: 64}}
scenarios:
  - {name: one-gigawatt, notebook: 00_overview, parameters: {capacity_gw: 1, region: us}}
  - {name: on-paper, notebook: 01_accelerators}
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A copy of the tables that a test may spoil."""
    copy = shutil.copytree(catalog.folder(), tmp_path / "data")
    monkeypatch.setenv("GIGAFLEET_DATA", str(copy))
    catalog.reload()
    yield copy
    monkeypatch.undo()
    catalog.reload()


def failure(capsys, *arguments: str) -> str:
    """Return the one line that a command fails with on bad input."""
    try:
        status = main(list(arguments))
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("gigafleet: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err


def test_accelerators(capsys):
    assert main(["list", "accelerators"]) == 0
    lines = capsys.readouterr().out.splitlines()
    header, rows = lines[0].split(), {line.split()[0]: line.split() for line in lines[1:] if line}
    assert header[:2] == ["accelerator", "vendor"]
    assert set(catalog.accelerators().index) <= set(rows)
    assert rows["MI300X"][header.index("memory_gb")] == "192"
    assert rows["MI300X"][header.index("fp4_tflops")] == "-"


def test_systems(capsys):
    assert main(["list", "systems"]) == 0
    out = capsys.readouterr().out
    assert set(catalog.systems().index) <= {line.split()[0] for line in out.splitlines() if line}
    assert "\nHelios " in out


def test_notebooks_with_their_parameters(capsys):
    assert main(["list", "notebooks"]) == 0
    out = capsys.readouterr().out
    for name in parameters.notebooks():
        assert f"{name}: {parameters.model(name).__doc__.splitlines()[0]}\n" in out
        for entry in parameters.described(name):
            assert f"\n  {entry['parameter']} " in out
    assert ["capacity_gw", "None", "GW", "above", "0", "and", "at", "most", "100,"] in [
        line.split()[:9] for line in out.splitlines()
    ]


def test_scenarios(capsys, data):
    (data / "scenarios").mkdir(exist_ok=True)
    (data / "scenarios" / "try.yaml").write_text(SCENARIOS, encoding="utf-8")
    assert main(["list", "scenarios"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["try.yaml", "one-gigawatt", "00_overview", "capacity_gw=1,", "region=us"] in lines
    assert ["try.yaml", "on-paper", "01_accelerators", "-"] in lines


def test_check_prints_a_summary(capsys):
    assert main(["check"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert dict(line.rsplit(maxsplit=1) for line in out.splitlines())["figures"] == str(len(tables.resource("facts")))


def test_check_names_what_is_wrong(capsys, data):
    text = (data / "facts.csv").read_text(encoding="utf-8")
    lines = text.splitlines()
    wrong = next(i for i, line in enumerate(lines) if line.startswith("MI300X,memory_gb,"))
    lines[wrong] = lines[wrong].replace("MI300X,memory_gb,", "MI300X,memory_kg,")
    (data / "facts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    catalog.reload()
    assert main(["check"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"facts.csv, line {wrong + 1}, column quantity: 'memory_kg'" in err
    assert err.splitlines()[-1].endswith("in the tables")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["reprot"], "unknown command 'reprot'; did you mean 'report'? known: report, list, check"),
        (["list", "acelerators"], "unknown list 'acelerators'; did you mean 'accelerators'? known: accelerators,"),
        (["list"], "required: accelerators | systems | notebooks | scenarios"),
        ([], "required: report | list | check"),
        (["check", "--jobs", "2"], "unrecognized arguments: --jobs"),
        (["report", "--job", "2"], "unrecognized arguments: --job"),
        (["report", "no-such.yaml"], "no scenario file 'no-such.yaml'; data/scenarios holds: "),
        (["report", "--jobs", "0"], "--jobs: must be a whole number of at least 1, not 0"),
        (["report", "--jobs", "-1"], "--jobs: must be a whole number of at least 1, not -1"),
        (["report", "--jobs", "two"], "--jobs: must be a whole number of at least 1, not two"),
    ],
)
def test_bad_input(capsys, arguments, says):
    assert says in failure(capsys, *arguments)


def test_a_table_that_cannot_be_read(capsys, data):
    (data / "facts.csv").write_text("subject,quantity\n", encoding="utf-8")
    catalog.reload()
    assert "facts.csv: columns are ['subject', 'quantity'], not ['subject'," in failure(capsys, "list", "accelerators")


def test_python_m_is_the_same_command(tmp_path):
    def run(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    assert run(sys.executable, "-m", "gigafleet", "--version").startswith("gigafleet 0.")
    assert run(sys.executable, "-m", "gigafleet", "--help").startswith("usage: gigafleet ")


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    command = f"{shlex.quote(sys.executable)} -m gigafleet list systems | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.startswith("system ")


def test_fit_writes_the_efficiencies_beside_the_data(tmp_path, monkeypatch, capsys):
    from gigafleet import catalog, tables

    folder = tmp_path / "data"
    shutil.copytree(catalog.folder(), folder)
    kept = (folder / "efficiencies.csv").read_text(encoding="utf-8")
    (folder / "efficiencies.csv").write_text(
        kept.splitlines()[0] + "\n" + kept.splitlines()[1] + "\n", encoding="utf-8"
    )
    monkeypatch.setenv("GIGAFLEET_DATA", str(folder))
    catalog.reload()
    try:
        assert main(["fit"]) == 0
    finally:
        monkeypatch.undo()
        catalog.reload()
    assert "widths of bands from" in capsys.readouterr().out
    written = (folder / "efficiencies.csv").read_text(encoding="utf-8")
    assert len(written.splitlines()) == len(kept.splitlines())
    assert tables.folder() == catalog.folder()
