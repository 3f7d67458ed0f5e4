"""The notebooks: form, stored outputs, and runs through papermill with defaults and with other parameters."""

import ast
import base64
import re
import subprocess
import sys

import nbformat
import numpy as np
import papermill
import pytest
import yaml

from gigafleet import catalog, parameters, report
from gigafleet.report import refresh

FOLDER = catalog.folder("notebooks")
NAMES = parameters.notebooks()


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code(notebook: nbformat.NotebookNode) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_notebook_has_a_parameter_model_and_every_model_a_notebook():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_form(name):
    """A title, one tagged cell, short cells without logic, stable ids, the kernel that every Jupyter has."""
    notebook = read(name)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert [cell.source for cell in notebook.cells if cell.cell_type == "markdown"][1] == "## The answer"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells) == 1
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in code(notebook):
        tree = ast.parse(cell.source)
        banned = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.Try, ast.With)
        assert not any(isinstance(node, banned) for node in ast.walk(tree)), cell.source
        lines = [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert len(lines) <= 12, cell.source


@pytest.mark.parametrize("name", NAMES)
def test_parameters_cell_repeats_the_model(name):
    """Papermill sees every parameter; name, default and comment are those of the model."""
    notebook = read(name)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    fields = parameters.model(name).model_fields
    stated = [re.fullmatch(r"(\w+) = (.+?)  # (.+)", line).groups() for line in cell.source.splitlines()]
    assert [(n, ast.literal_eval(v), c) for n, v, c in stated] == [
        (n, f.default, f.description) for n, f in fields.items()
    ]
    assert list(papermill.inspect_notebook(str(FOLDER / f"{name}.ipynb"))) == list(fields)


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs(name):
    """Run in order, without errors or warnings, every figure with its alt text, nothing of the machine."""
    notebook = read(name)
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert all(output.output_type in ("display_data", "execute_result") for output in outputs)
    figures = [output for output in outputs if "image/png" in output.data]
    assert len(figures) >= 3
    assert all(output.metadata["image/png"]["alt"] for output in figures)
    assert not re.search(r"[\"' ]/(home|root|work|tmp|Users)/", nbformat.writes(notebook))


def test_stored_figures_are_small():
    sizes = [
        len(base64.b64decode(output.data["image/png"]))
        for name in NAMES
        for cell in code(read(name))
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert sum(sizes) < 0.55e6 * len(NAMES)


def test_the_picture_of_the_readme_is_that_of_the_overview():
    """`make notebooks` writes both; a README beside other figures would show an old one."""
    assert (FOLDER.parent / "docs" / "overview.png").read_bytes() == refresh.picture(FOLDER)
    assert "docs/overview.png" in (FOLDER.parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    return folder, report.make(catalog.folder() / "scenarios" / "default.yaml", folder, jobs=2, progress=False)


def test_default_scenarios_all_run(batch):
    """Each notebook through papermill with its defaults and with another set of parameters."""
    folder, status = batch
    assert status == 0
    for name in NAMES:
        pages = list(folder.glob(f"*/{name}.html"))
        assert len(pages) >= 2
        assert (folder / "base" / f"{name}.ipynb").exists()
        for page in pages:
            assert page.with_suffix(".ipynb").exists()
    assert (folder / "index.html").exists()


# Parameters under which every figure of the sentences moves.
OTHER = {
    "00_overview": {
        "deal": "nvidia-openai",
        "capacity_gw": 1.5,
        "region": "texas",
        "capacity_basis": "it",
        "samples": 512,
    },
    "01_accelerators": {"vendors": ["NVIDIA"], "format": "fp4", "subject": "H100", "quantity": "tdp_w"},
    "02_fleet_mix": {
        "capacity_gw": 0.8,
        "work": 0.8,
        "objective": "cost",
        "region": "texas",
        "training_share": 0.5,
        "mi455x": 30000,
        "mi355x": 150000,
        "samples": 256,
    },
    "03_amd_vs_nvidia": {
        "amd": ["MI300X"],
        "nvidia": ["H100", "B200"],
        "format": "bf16",
        "rate": 0.1,
        "model": "gpt-oss-120b",
        "interactivity": 20,
    },
    "04_rollout": {
        "deal": "amd-anthropic",
        "schedule": "late",
        "region": "texas",
        "capacity_basis": "it",
        "software_gain": 0.2,
        "samples": 128,
    },
    "05_revenue": {"scenario": "fast", "meta": False, "anthropic": False, "weighted": True, "samples": 256},
    "06_warrant": {
        "deal": "amd-meta",
        "valuation_date": "2026-10-06",
        "volatility": 0.4,
        "tranches": 4,
        "samples": 256,
    },
    "07_claim_check": {"claims": "articles/nvidia-openai.csv", "samples": 64, "seed": 3},
    "08_model_check": {"hold_out": "generation", "work": "inference"},
}


def sentences(path) -> set[str]:
    """Return the sentences with figures that a run built from its results."""
    outputs = [
        o for cell in code(nbformat.read(path, as_version=4)) for o in cell.outputs if o.output_type == "display_data"
    ]
    return {o.data["text/markdown"] for o in outputs if re.search(r"\d", o.data.get("text/markdown", ""))}


# Figures that the other parameters leave alone: a default kept, OpenAI's own accounts and AMD's remark, terms that both
# of AMD's warrants share, and a roofline that nothing is fitted in.
STANDING = {
    "02_fleet_mix": {"80,000"},
    "05_revenue": {"600", "665", "46", "5"},
    "06_warrant": {"6", "160", "96", "105"},
    "08_model_check": {"240"},
}


def standing(base: set[str], other: set[str]) -> set[str]:
    """Return the figures that are the same in sentences of two runs that have the same words."""
    found, cut = set(), {}
    for text in other:
        left = re.sub("|".join(OF_ITSELF), "", text)
        cut.setdefault(NUMBER.sub("@", left), []).append(NUMBER.findall(left))
    for text in base:
        left = re.sub("|".join(OF_ITSELF), "", text)
        for figures in cut.get(NUMBER.sub("@", left), []):
            found |= {a for a, b in zip(NUMBER.findall(left), figures, strict=True) if a == b}
    return found


def test_a_figure_that_stays_beside_one_that_moves_is_found():
    """A number typed, or given to a formatting call, into a sentence whose other figure is computed."""
    assert standing({"It takes 3.1 GW and 98.7 TWh."}, {"It takes 4.2 GW and 98.7 TWh."}) == {"98.7"}
    assert standing({"It takes 3.1 GW."}, {"It takes 4.2 GW."}) == set()


def test_other_parameters_move_every_sentence(batch, tmp_path):
    """A sentence that stays when its figures move would be typed, not computed."""
    scenarios = [{"name": "other", "notebook": name, "parameters": OTHER[name]} for name in NAMES]
    (tmp_path / "other.yaml").write_text(yaml.safe_dump({"scenarios": scenarios}), encoding="utf-8")
    assert report.make(tmp_path / "other.yaml", tmp_path, jobs=2, progress=False) == 0
    for name in NAMES:
        base, other = sentences(batch[0] / "base" / f"{name}.ipynb"), sentences(tmp_path / "other" / f"{name}.ipynb")
        assert len(base) >= 2
        assert not base & other
        assert not standing(base, other) - STANDING.get(name, set())


def test_the_overview_runs_for_every_deal(tmp_path):
    """Also for those without a price, a system or a published figure."""
    scenarios = [
        {"name": d, "notebook": "00_overview", "parameters": {"deal": d, "samples": 64}} for d in catalog.deals()
    ]
    (tmp_path / "deals.yaml").write_text(yaml.safe_dump({"scenarios": scenarios}), encoding="utf-8")
    assert report.make(tmp_path / "deals.yaml", tmp_path, jobs=2, progress=False) == 0


def test_plain_papermill_runs_from_anywhere(tmp_path):
    """`papermill in out -p name value`, in a folder that is not the checkout."""
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(FOLDER / "00_overview.ipynb"), "out.ipynb"]
    run = subprocess.run(
        [*command, "-p", "samples", "64", "-p", "deal", "amd-anthropic"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Anthropic" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")


def test_plain_papermill_refuses_a_misspelt_parameter(tmp_path):
    """Papermill alone would only warn; the notebook itself stops with what is allowed."""
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(
            str(FOLDER / "00_overview.ipynb"), str(tmp_path / "out.ipynb"), {"capcity_gw": 1.0}, progress_bar=False
        )
    assert "unknown parameter of 00_overview 'capcity_gw'; did you mean 'capacity_gw'" in str(caught.value)


UNITS = {  # unit in a text -> units of the tables, and how many of theirs it is
    "years": {"years": 1},
    "kW": {"kW": 1, "W": 1000},
    "W": {"W": 1, "kW": 0.001},
    "GW": {"GW": 1, "MW": 1000},
    "GB": {"GB": 1},
    "TB/s": {"TB/s": 1, "GB/s": 1000},
    "USD": {"USD": 1},
    "%": {"share": 0.01, "share/year": 0.01},
}


def figures_in_tables(unit: str) -> set[str]:
    """Return the figures of the data package in a unit, to four digits; the level of intervals is one, too."""
    facts, found = catalog.facts(), {"90"} if unit == "%" else set()
    for theirs, size in UNITS[unit].items():
        rows = facts.loc[facts["unit"].eq(theirs), ["value", "low", "high"]].to_numpy(float).ravel()
        found |= {f"{figure / size:.4g}" for figure in rows[np.isfinite(rows)]}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_with_a_unit_in_a_text_stands_in_a_table(name):
    """What a Markdown cell says with a unit, such as "3 to 7 years", is in the data package; the rest is computed."""
    known = {unit: figures_in_tables(unit) for unit in UNITS}
    pattern = re.compile(r"(?<![\w.])([\d.,]*\d)(?: (?:to|and) ([\d.,]*\d))? ?(years|kW|W|GW|GB|TB/s|USD|%)(?!\w)")
    for cell in read(name).cells:
        if cell.cell_type != "markdown":
            continue
        for low, high, unit in pattern.findall(cell.source):
            for figure in filter(None, (low, high)):
                assert f"{float(figure.replace(',', '')):.4g}" in known[unit], f"{figure} {unit}: {cell.source}"


# What a text may say of itself and of the project: levels of intervals, notebooks, years, generations, units.
OF_ITSELF = [
    r"90 %",
    r"(5 to 95|more than 5) %",
    r"[Nn]otebooks? \d\d( and \d\d)?",
    r"20\d\d",
    r"CDNA \d",
    r"factor of 1\.5",  # the band of errors that the aims of the model are set in
    r"10\^24 FLOP",
    r"1,000 FLOP",
    r"(each|of) 100 USD",
    r"above 0\.05",  # of what a table shows
    r"(?<![\d.,])[01](?![\d.]|,\d)",
]
NUMBER = re.compile(r"(?<![\w.\-/])\$?(\d(?:[\d,]*\d)?(?:\.\d+)?)(?:bn|tn|m|x|k|kW|MW|GW|TWh|USD)?(?![\w\-]|\.\d)")
# Figures of the data package that a text repeats: (subject, quantity, condition, column, how many of ours it is).
EFFECT = ("amd-openai", "warrant_effect_share", "of_content", "value", 100)
LIFE, WORK = ("ai-datacenter", "it_life_years", "it"), ("instinct-rollout", "work_per_kw_ratio", "mi500")
REPEATED = {
    "00_overview": {"5": EFFECT},
    "04_rollout": {
        "3": (*LIFE, "low", 1),
        "5": (*LIFE, "value", 1),
        "7": (*LIFE, "high", 1),
        "1.28": (*WORK, "low", 1),
        "2.47": (*WORK, "high", 1),
    },
    "06_warrant": {"5": EFFECT},
}
# What a notebook chose to ask: tokens of a request, requests per accelerator; gigawatts of the lines in a chart.
CHOSEN = {"03_amd_vs_nvidia": {"1,024", "16", "64", "256"}, "05_revenue": {"6"}}


def texts(cell) -> list[str]:
    """Return what a cell says in its own words: Markdown without code and addresses, the texts in code."""
    if cell.cell_type == "markdown":
        return [re.sub(r"`[^`]*`|\]\([^)]*\)", "", cell.source)]
    if "parameters" in cell.metadata.get("tags", []):
        return []
    nodes = ast.walk(ast.parse(cell.source))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


@pytest.mark.parametrize("name", NAMES)
def test_no_figure_is_typed(name):
    """Every number in the prose is computed, stands in the data package, or is of the text itself."""
    facts = catalog.facts().query("preferred").set_index(["subject", "quantity", "condition"])
    for token, (*where, column, size) in REPEATED.get(name, {}).items():
        assert size * facts.loc[tuple(where), column] == pytest.approx(float(token))
    allowed = {*REPEATED.get(name, {}), *CHOSEN.get(name, set())}
    for cell in read(name).cells:
        for text in texts(cell):
            left = re.sub("|".join(OF_ITSELF), "", text)
            typed = set(NUMBER.findall(left)) - allowed
            assert not typed, f"{typed}: {text}"


def test_a_typed_figure_is_found():
    cell = nbformat.v4.new_code_cell('tell.say(f"AMD earns {x} of 999.5 billion USD, 78.31 percent")')
    left = [n for text in texts(cell) for n in NUMBER.findall(text)]
    assert left == ["999.5", "78.31"]
    text = nbformat.v4.new_markdown_cell("It draws 123 TWh, see `x = 5` and [this](a-7.html); MI455X has 40 PFLOPS.")
    assert NUMBER.findall(texts(text)[0]) == ["123", "40"]
    assert NUMBER.findall("987bn, $98.7m, 9.87x and 98.7GW") == ["987", "98.7", "9.87", "98.7"]
