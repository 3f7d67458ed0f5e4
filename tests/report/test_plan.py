"""Everything that can be wrong with a scenario file is found before anything runs."""

import json

import pytest

from gigafleet import catalog, parameters
from gigafleet.report import plan

FILE = """\
defaults:
  00_sample: {count: 5, place: texas}
scenarios:
  - {name: base, notebook: 00_sample}
  - name: other
    notebook: 00_sample
    parameters:
      count: 7
  - {name: base, notebook: 01_fragile, parameters: }
"""


@pytest.fixture
def refused(notebooks, scenarios):
    """Return a function that gives the message with which a file is refused."""

    def message(*entries, **more):
        with pytest.raises(plan.ScenarioError) as caught:
            plan.read(scenarios(*entries, **more))
        return str(caught.value)

    return message


def test_jobs_inherit_defaults_and_override_them(notebooks, scenarios):
    jobs = plan.read(scenarios(FILE))
    assert [(job.scenario, job.notebook, job.parameters) for job in jobs] == [
        ("base", "00_sample", {"count": 5, "place": "texas"}),
        ("other", "00_sample", {"count": 7, "place": "texas"}),
        ("base", "01_fragile", {}),
    ]
    assert [job.source for job in jobs] == [notebooks / f"{job.notebook}.ipynb" for job in jobs]


def test_all_problems_are_reported_at_once_and_located(refused):
    message = refused(
        ("base", "00_sample", {"count": 0, "plase": "us"}),
        ("Base Case", "00_sampel"),
        ("base", "00_sample", {"place": "texass"}),
        defaults={"01_fragile": {"hwo": "raise"}, "02_none": {}},
        scenario=[],
    )
    lines = message.splitlines()
    assert lines[0].endswith("cases.yaml: 9 problems, nothing was run")
    for expected in (
        "unknown key 'scenario'; did you mean 'scenarios'? known: defaults, scenarios",
        "defaults of 01_fragile: unknown parameter of 01_fragile 'hwo'; did you mean 'how'? known: how (given: 'rai",
        "defaults: unknown notebook '02_none'; known: 00_sample, 01_fragile",
        "scenario 'base', notebook 00_sample: unknown parameter of 00_sample 'plase'; did you mean 'place'?",
        "scenario 'base', notebook 00_sample: count: Input should be greater than or equal to 1 (given: 0)",
        "scenario 2: name must be 1 to 60 of a-z, 0-9 and -, not 'Base Case'",
        "scenario 2: unknown notebook '00_sampel'; did you mean '00_sample'? known: 00_sample, 01_fragile",
        "scenario 'base', notebook 00_sample: place: unknown place 'texass'; did you mean 'texas'? known: us, texas",
        "scenario 'base': is given twice for notebook 00_sample",
    ):
        assert sum(line.strip().startswith(expected) for line in lines) == 1, (expected, message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scenarios:\n  - {name: a, notebook: 00_sample\n", "cases.yaml: line 3: is not YAML: "),
        ("scenarios:\n\t- name: a\n", "line 2: is not YAML: found character that cannot start any token (indent with"),
        ("", "must have 'scenarios' at its top, not None"),
        ("- a\n", "must have 'scenarios' at its top, not ['a']"),
        ("scenarios: []\n", "scenarios must be a list with at least one entry, not []"),
        ("scenarios: {}\n", "scenarios must be a list with at least one entry, not {}"),
        (
            "defaults: 3\nscenarios: [{name: a, notebook: 00_sample}]\n",
            "defaults must be notebooks with their parameters",
        ),
        (
            "defaults: []\nscenarios: [{name: a, notebook: 00_sample}]\n",
            "defaults must be notebooks with their parameters",
        ),
        (
            "scenarios: [{name: a, notebook: 00_sample, parameters: 0}]\n",
            "parameters must be a list of 'name: value', not 0",
        ),
        ("scenarios: [a]\n", "scenario 1: must have name, notebook, parameters, not 'a'"),
        ("scenarios: [{notebook: 00_sample}]\n", "scenario 1: name must be 1 to 60 of a-z, 0-9 and -, not None"),
        ("scenarios: [{name: no, notebook: 00_sample}]\n", "not False; put it in quotes"),
        ("scenarios: [{name: 2026-10-06, notebook: 00_sample}]\n", "not datetime.date(2026, 10, 6); put it in quotes"),
        ("scenarios: [{name: ../up, notebook: 00_sample}]\n", "scenario 1: name must be"),
        (f"scenarios: [{{name: {'x' * 61}, notebook: 00_sample}}]\n", "scenario 1: name must be"),
        ("scenarios: [{name: a, notebook: 7}]\n", "scenario 'a': unknown notebook 7"),
        ("scenarios: [{name: a, notebook: [00_sample]}]\n", "scenario 'a': unknown notebook ['00_sample']"),
        (
            "scenarios: [{name: a, notebook: 00_sample, params: {}}]\n",
            "scenario 'a': unknown key 'params'; did you mean 'parameters'?",
        ),
        (
            "scenarios: [{name: a, notebook: 00_sample, parameters: [1]}]\n",
            "parameters must be a list of 'name: value'",
        ),
    ],
)
def test_form(refused, text, expected):
    assert expected in refused(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("count: 1e1", "[count: YAML reads 1e1 as text; write 10 as a plain number]"),
        ("count: 012", "line 1: YAML reads 012 as 10; write a plain number"),
        ("count: 1:30", "line 1: YAML reads 1:30 as 90"),
        ("count: yes", "count: must not be true [YAML reads yes, no, on and off as true or false"),
        ("share: on", "share: must not be true"),
        ("place: no", "place: must not be false [YAML reads yes, no, on and off as true or false; put text in quotes]"),
        ("share: .nan", "notebook 00_sample: share: "),
        ("share: .inf", "notebook 00_sample: share: "),
        ("sure: 1e9", "sure: Input should be a valid boolean"),
        ("count: 3, count: 4", "line 1: 'count' is given twice"),
        ("parts: a", "parts: Input should be a valid list (given: 'a')"),
    ],
)
def test_pitfalls_of_yaml(refused, value, expected):
    assert expected in refused(f"scenarios: [{{name: a, notebook: 00_sample, parameters: {{{value}}}}}]")


def test_a_key_given_twice_is_an_error_with_its_line(refused):
    assert "line 10: 'scenarios' is given twice" in refused(FILE + "scenarios: [{name: a, notebook: 00_sample}]\n")


def test_what_has_the_form_of_yaml_passes(notebooks, scenarios):
    text = "scenarios: [{name: a, notebook: 00_sample, parameters: {count: 10, share: 1.0e-1, sure: yes}}]"
    assert plan.read(scenarios(text))[0].parameters == {"count": 10, "share": 0.1, "sure": True}


def test_files_that_cannot_be_read(notebooks, tmp_path):
    with pytest.raises(plan.ScenarioError, match=r"none\.yaml' does not exist"):
        plan.read(tmp_path / "none.yaml")
    with pytest.raises(plan.ScenarioError, match="does not exist"):
        plan.read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("# caf\xe9".encode("latin-1"))
    with pytest.raises(plan.ScenarioError, match="is not text in UTF-8"):
        plan.read(tmp_path / "latin.yaml")
    (tmp_path / "control.yaml").write_text("a: \x01", encoding="utf-8")
    with pytest.raises(plan.ScenarioError, match=r"control\.yaml: is not YAML: [^\n]*$"):
        plan.read(tmp_path / "control.yaml")


def test_notebooks_that_cannot_be_run(refused, notebooks):
    (notebooks / "00_sample.ipynb").unlink()
    fragile = notebooks / "01_fragile.ipynb"
    content = json.loads(fragile.read_text(encoding="utf-8"))
    content["cells"][1]["metadata"] = {}
    fragile.write_text(json.dumps(content), encoding="utf-8")
    message = refused(("a", "00_sample"), ("a", "01_fragile"))
    assert "notebook 00_sample: " in message
    assert "00_sample.ipynb does not exist" in message
    assert "notebook 01_fragile: has no cell with the tag 'parameters'" in message
    fragile.write_text("{", encoding="utf-8")
    assert "01_fragile.ipynb is not a notebook" in refused(("a", "01_fragile"))


def test_the_default_file_runs_every_notebook_in_several_scenarios():
    jobs = plan.read(catalog.folder() / "scenarios" / "default.yaml")
    for notebook in parameters.notebooks():
        base, *others = (job for job in jobs if job.notebook == notebook)
        assert base.scenario == "base"
        assert others
        assert all(other.parameters != base.parameters for other in others)
        assert base.source.is_file()
