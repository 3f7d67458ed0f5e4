"""What a batch runs: a scenario file, read and checked in full before anything starts."""

import dataclasses
import json
import math
import re
import typing
from pathlib import Path

import yaml

from gigafleet import catalog, parameters
from gigafleet.errors import unknown

NAME = re.compile(r"[a-z0-9-]{1,60}")
TOP_KEYS = ("defaults", "scenarios")
ENTRY_KEYS = ("name", "notebook", "parameters")


class ScenarioError(ValueError):
    """Everything that is wrong with a scenario file, one line each."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One notebook to run with the parameters of one scenario."""

    scenario: str
    notebook: str
    source: Path
    parameters: dict[str, object]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Safe YAML that notes a key given twice, and numbers that YAML 1.1 reads as another than a person does."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.problems: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    self.problems.append(f"line {key.start_mark.line + 1}: {key.value!r} is given twice")
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def plain_number(self, node: yaml.ScalarNode) -> int | float:
        value = (self.construct_yaml_int if node.tag.endswith("int") else self.construct_yaml_float)(node)
        if re.match(r"[-+]?0[0-9_]+$", node.value) or ":" in node.value:
            reading = f"YAML reads {node.value} as {value}; write a plain number, or put text in quotes"
            self.problems.append(f"line {node.start_mark.line + 1}: {reading}")
        return value


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.plain_number)


def _load(path: Path) -> tuple[object, list[str]]:
    """Return what the file holds, and what is wrong with it as YAML."""
    if not path.is_file():
        raise ScenarioError(f"scenario file {str(path)!r} does not exist")
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        try:
            return loader.get_single_data(), loader.problems
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: is not text in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        tab = " (indent with spaces, not tabs)" if "cannot start any token" in str(error.problem) else ""
        raise ScenarioError(f"{path}: line {error.problem_mark.line + 1}: is not YAML: {error.problem}{tab}") from None
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None


def _hints(message: str, values: dict) -> str:
    """Return a message about values with what to write for a number that YAML reads as text."""
    for name, value in values.items():
        if isinstance(value, str) and f"{name}: " in message:
            try:
                message += f" [{name}: YAML reads {value} as text; write {float(value):g} as a plain number]"
            except ValueError:
                continue
    return message


def _checked(notebook: str, values: object, where: str, problems: list[str]) -> dict | None:
    """Return the parameters as :func:`gigafleet.parameters.validate` does; note what is wrong and return None."""
    values = {} if values is None else values
    if not isinstance(values, dict):
        problems.append(f"{where}: parameters must be a list of 'name: value', not {values!r}")
        return None
    before = len(problems)
    known = parameters.model(notebook).model_fields
    fine = {}
    for name, value in values.items():
        if name not in known:
            problems.append(f"{where}: {unknown(f'parameter of {notebook}', name, known)} (given: {value!r})")
        elif isinstance(value, bool) and bool not in (known[name].annotation, *typing.get_args(known[name].annotation)):
            note = "YAML reads yes, no, on and off as true or false; put text in quotes"
            problems.append(f"{where}: {name}: must not be {str(value).lower()} [{note}]")
        else:
            fine[name] = value
    try:
        checked = parameters.validate(notebook, fine)
    except ValueError as error:
        problems.append(f"{where}: {_hints(str(error).removeprefix(f'{notebook}: '), fine)}")
        return None
    for name, value in checked.items():
        if isinstance(value, float) and not math.isfinite(value):
            problems.append(f"{where}: {name}: must be a finite number, not {value}")
    return checked if len(problems) == before else None


def _source(notebook: str, problems: list[str]) -> Path:
    """Return where a notebook is; note if it is not there or takes no parameters."""
    path = catalog.folder("notebooks") / f"{notebook}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        tagged = any("parameters" in cell["metadata"].get("tags", []) for cell in cells)
    except FileNotFoundError:
        problems.append(f"notebook {notebook}: {path} does not exist")
    except (ValueError, KeyError, TypeError, OSError):
        problems.append(f"notebook {notebook}: {path} is not a notebook")
    else:
        if not tagged:
            problems.append(f"notebook {notebook}: has no cell with the tag 'parameters'")
    return path


def _known_keys(entry: dict, known: tuple[str, ...], where: str, problems: list[str]) -> None:
    problems.extend(f"{where}{unknown('key', key, known)}" for key in entry if key not in known)


def _notebook(name: object, where: str, problems: list[str]) -> str | None:
    if isinstance(name, str) and name in parameters.notebooks():
        return name
    problems.append(f"{where}: {unknown('notebook', name, parameters.notebooks())}")
    return None


def _defaults(content: dict, problems: list[str]) -> dict[str, dict | None]:
    """Return the checked defaults by notebook; None for those with something wrong."""
    given = {} if content.get("defaults") is None else content["defaults"]
    if not isinstance(given, dict):
        problems.append(f"defaults must be notebooks with their parameters, not {given!r}")
        return {}
    checked = {}
    for name, values in given.items():
        if _notebook(name, "defaults", problems):
            where = f"defaults of {name}"
            checked[name] = values or {} if _checked(name, values, where, problems) is not None else None
    return checked


def _job(entry: object, number: int, defaults: dict[str, dict | None], problems: list[str]) -> Job | None:
    where = f"scenario {number}"
    if not isinstance(entry, dict):
        problems.append(f"{where}: must have {', '.join(ENTRY_KEYS)}, not {entry!r}")
        return None
    before = len(problems)
    name = entry.get("name")
    if isinstance(name, str) and NAME.fullmatch(name):
        where = f"scenario {name!r}"
    else:
        quotes = "" if name is None or isinstance(name, str) else "; put it in quotes"
        problems.append(f"{where}: name must be 1 to 60 of a-z, 0-9 and -, not {name!r}{quotes}")
    _known_keys(entry, ENTRY_KEYS, f"{where}: ", problems)
    notebook = _notebook(entry.get("notebook"), where, problems)
    if notebook is None:
        return None
    own = entry.get("parameters")
    inherited = defaults.get(notebook) or {}
    values = {**inherited, **own} if isinstance(own, dict) else inherited if own is None else own
    checked = _checked(notebook, values, f"{where}, notebook {notebook}", problems)
    if checked is None or len(problems) > before:
        return None
    return Job(name, notebook, Path(), checked)


def read(path: str | Path) -> list[Job]:
    """Return the jobs of a scenario file, all checked.

    Parameters
    ----------
    path
        YAML with ``defaults: {notebook: {parameter: value}}`` and ``scenarios: [{name, notebook, parameters: {...}}]``.

    Raises
    ------
    ScenarioError
        Naming everything that is wrong: the file, the scenario, the parameter, the value given and what is allowed.
    """
    path = Path(path)
    content, problems = _load(path)
    if not isinstance(content, dict):
        raise ScenarioError(f"{path}: must have 'scenarios' at its top, not {content!r}")
    _known_keys(content, TOP_KEYS, "", problems)
    defaults = _defaults(content, problems)
    entries = content.get("scenarios")
    if not isinstance(entries, list) or not entries:
        problems.append(f"scenarios must be a list with at least one entry, not {entries!r}")
        entries = []
    jobs = [_job(entry, number, defaults, problems) for number, entry in enumerate(entries, 1)]
    asked = [(str(e.get("name")), e.get("notebook")) for e in entries if isinstance(e, dict)]
    asked = [(name, notebook) for name, notebook in asked if notebook in parameters.notebooks()]
    for name, notebook in dict.fromkeys(pair for pair in asked if asked.count(pair) > 1):
        problems.append(f"scenario {name!r}: is given twice for notebook {notebook}; give one another name")
    sources = {notebook: _source(notebook, problems) for notebook in dict.fromkeys(notebook for _, notebook in asked)}
    if problems:
        head = f"{path}: {len(problems)} problem{'s' if len(problems) > 1 else ''}, nothing was run"
        raise ScenarioError("\n  ".join([head, *problems]))
    return [dataclasses.replace(job, source=sources[job.notebook]) for job in jobs]
