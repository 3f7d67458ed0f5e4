"""The notebooks: form, stored outputs, and runs through papermill with defaults and with other parameters."""

import ast
import base64
import re
import subprocess
import sys

import nbformat
import papermill
import prose
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


# Parameters under which the figures of the sentences move, with those of the default scenarios.
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
        "mi300x": 70000,
        "samples": 256,
    },
    "03_amd_vs_nvidia": {
        "amd": ["MI355X"],
        "nvidia": ["GB200", "R200"],
        "format": "fp4",
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
        "valuation_date": "2026-08-04",
        "volatility": 0.4,
        "drift": 0.2,
        "tranches": 4,
        "first_target_usd": 250,
        "samples": 256,
    },
    "07_claim_check": {"claims": "articles/nvidia-openai.csv", "samples": 64, "seed": 3},
    "08_model_check": {"hold_out": "generation", "work": "inference"},
}
# A second set, for what the first leaves out: of all other deals, only Meta's has a warrant.
MORE = {"00_overview": {"deal": "amd-meta", "region": "texas", "samples": 256, "seed": 1}}
# Figures that no parameter moves, by notebook and cell.
STANDING = {
    "00_overview": {
        "00-13": "54",  # content and racks of a gigawatt at the meter, whatever the deal
        "00-26": "64.9 97.3",  # both of AMD's warrants are of one size, and their newest price is the same
        "00-29": "250 14",  # the band of a generation without results, whatever the part; answers in the table
        "00-31": "2028",  # the year that the answer is named for
        "00-33": "10 3",  # rows and columns of the map
        "00-34": "0.05",  # see test_prose.ASKED
        "00-40": "3",  # regions
        "00-44": "18.9 35 60",  # what others say of any gigawatt
    },
    "02_fleet_mix": {
        "02-06": "0",  # ends of intervals of counts that cannot be negative, and shares that are whole
        "02-40": "0 100",
        "02-07": "0",
        "stopped": "1",
        "02-11": "3 5",  # accelerators and kinds of work
        "02-17": "0 5",  # an end that cannot be negative; ways to do the work
        "02-24": "21 100",  # points of the line, and a median that is the same by chance
        "02-30": "0.3",  # the first point of the map, test_prose.CHOSEN
    },
    "03_amd_vs_nvidia": {
        "03-09": "0.942 1.13 0.831 1.20 1.03 1.28",  # peaks in FP8 and FP4 stand in one ratio
        "03-flip-1": "2.74 2.95",  # so does the break-even, of the same pair
        "03-57": "0 2 5",  # operating points of Rubin, racks
        "03-59": "16 256",  # see test_prose.ASKED
    },
    "04_rollout": {  # calendar years, which the code asks for
        "04-07": "2036",
        "04-14": "2026 2036",
        "04-16": "2028 2034",
        "04-19": "47 56 65",  # what accelerators draw on average of what they may, whatever the deal
        "04-23": "2036",
        "04-36": "2030",
        "04-41": "0",  # the low end of gigawatts that some draws never buy
        "04-43": "2031",
    },
    "05_revenue": {
        "05-06": "2029",  # the best year, which most samples of all scenarios have in common
        "05-09": "2029",
        "05-24": "90",  # all but the tails of the samples, in every scenario
        "05-13": "2026",  # dates of documents, and the years that analysts speak of
        "05-16": "2027",
        "05-22": "1 6",  # see test_prose.stated
        "05-27": "11.5 2026Q2 2026Q3",  # AMD's newest report and its guidance
        "05-30": "11.8 15 20",  # accelerators and content of a gigawatt, before any deal
        "05-36": "5",  # AMD's remark
        "05-41": "2026",
        "05-42": "179 2026 2030 278 46 600 665",  # OpenAI's own words and accounts
        "05-43": "5",  # AMD's stake in Anthropic
        "05-46": "12 2026",  # the rate of the data, and the date that it discounts to
    },
    "06_warrant": {  # both of AMD's warrants have the same size and last target, and bind to the same gigawatt
        "06-06": "6",
        "06-09": "1",
        "06-10": "2025-10-06 203.71",  # the close of that day
        "06-23": "200 600 55",  # ends of the map, and the volatility that its title reads
        "06-30": "600",
        "06-34": "1,632.5",  # AMD's shares outstanding
        "06-38": "160 6",
        "06-39": "105 96",  # SemiAnalysis' figure, and all shares at the last target
        "06-44": "5",  # AMD's remark
        "06-46": "5 4.31 5.25 6.23",
        "06-50": "2022",  # another warrant
    },
    "07_claim_check": {"07-05": "2"},  # outdated claims, as many in both articles
    "08_model_check": {
        "08-04": "1.5",  # the factor that counts as near
        "08-05": "1.5 2",  # and a bias that happens to be the same
        "08-07": "1.5",
        "08-17": "46 49",  # the aims of the model, and what was measured of chips
        "08-ceil-2": "51 64 73 87 2 24",
        "08-23": "240",  # a roofline without losses, in which nothing is fitted
        "08-params": "2",
    },
}


@pytest.fixture(scope="module")
def runs(batch, tmp_path_factory):
    """Return what every run told, by notebook: that with the defaults first, then those with other parameters."""
    folder = tmp_path_factory.mktemp("other")
    asked = [("other", name, OTHER[name]) for name in NAMES] + [("more", *item) for item in MORE.items()]
    scenarios = [{"name": name, "notebook": notebook, "parameters": p} for name, notebook, p in asked]
    (folder / "other.yaml").write_text(yaml.safe_dump({"scenarios": scenarios}), encoding="utf-8")
    assert report.make(folder / "other.yaml", folder, jobs=2, progress=False) == 0
    pages = {name: sorted(path for f in (batch[0], folder) for path in f.glob(f"*/{name}.ipynb")) for name in NAMES}
    first = {name: sorted(paths, key=lambda path: path.parent.name != "base") for name, paths in pages.items()}
    return {name: [prose.said(nbformat.read(path, as_version=4)) for path in paths] for name, paths in first.items()}


@pytest.mark.parametrize("name", NAMES)
def test_no_figure_stays_when_its_value_moves(runs, name):
    """A figure that is typed, or a constant of the code, is the same in every run; a computed one is not in all."""
    base, *others = runs[name]
    stays, alone = prose.standing(base, others)
    assert {kind for _, kind in base} >= {"sentence", "title", "source", "alt", "caption"}
    stays = {where: kept - set(STANDING.get(name, {}).get(where[0], "").split()) for where, kept in stays.items()}
    assert not {where: kept for where, kept in stays.items() if kept}
    assert not alone, "no other run says this, so nothing tells whether its figures move"


def test_the_overview_runs_for_every_deal(tmp_path):
    """Also for those without a price, a system or a published figure; the runs above and below have the others."""
    elsewhere = {"amd-openai", "amd-anthropic", OTHER["00_overview"]["deal"], MORE["00_overview"]["deal"]}
    scenarios = [
        {"name": d, "notebook": "00_overview", "parameters": {"deal": d, "samples": 64}}
        for d in catalog.deals()
        if d not in elsewhere
    ]
    assert scenarios
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
