"""The parameters of the notebooks: one model each, for papermill, for a reader in JupyterLab and for the documentation.

A batch validates all parameters before a kernel starts (:func:`validate`). A notebook reads its own through
:func:`read`, so that plain papermill and a person who edits the cell get the same errors.
"""

import ast

from pydantic import ValidationError

from gigafleet import catalog
from gigafleet.errors import unknown
from gigafleet.notebook_models import MODELS, Parameters


def notebooks() -> list[str]:
    """Return the names of the notebooks, in reading order."""
    return list(MODELS)


def model(notebook: str) -> type[Parameters]:
    """Return the parameter model of a notebook; an unknown name is an error that suggests the nearest."""
    if notebook not in MODELS:
        raise unknown("notebook", notebook, MODELS)
    return MODELS[notebook]


def _message(problem: dict) -> str:
    """Return one line on what pydantic found: the parameter, what is allowed and the value given."""
    text = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return text
    return f"{'.'.join(map(str, problem['loc']))}: {text} (given: {problem['input']!r})"


def _parse(notebook: str, values: dict) -> Parameters:
    chosen = model(notebook)
    for name in values:
        if name not in chosen.model_fields:
            raise unknown(f"parameter of {notebook}", name, chosen.model_fields)
    try:
        return chosen(**values)
    except ValidationError as error:
        lines = [_message(problem) for problem in error.errors()]
        raise ValueError(f"{notebook}: " + "; ".join(lines)) from None


def validate(notebook: str, values: dict) -> dict:
    """Return the given parameters, checked and normalized.

    Parameters
    ----------
    notebook
        Name without its ending, such as ``00_overview``.
    values
        Parameter -> value; those left out keep their defaults and stay out.

    Raises
    ------
    UnknownNameError, ValueError
        Naming the notebook or parameter that is not known, or every value that is not allowed.

    >>> validate("03_amd_vs_nvidia", {"amd": "mi300x, MI450"})
    {'amd': ['MI300X', 'MI455X']}
    """
    parsed = _parse(notebook, values)
    return {name: parsed.model_dump(mode="json")[name] for name in values}


def read(notebook: str, namespace: dict) -> Parameters:
    """Return a notebook's parameters from its own variables, checked.

    Parameters
    ----------
    notebook
        Name without its ending.
    namespace
        The notebook's ``globals()``.

    Raises
    ------
    UnknownNameError, ValueError
        As :func:`validate`, and where papermill injected a parameter that the notebook does not have.
    """
    for cell in namespace.get("In", []):
        if cell.startswith("# Parameters"):
            targets = [t.id for line in ast.parse(cell).body if isinstance(line, ast.Assign) for t in line.targets]
            for name in targets:
                if name not in model(notebook).model_fields:
                    raise unknown(f"parameter of {notebook}", name, model(notebook).model_fields)
    return _parse(notebook, {name: namespace[name] for name in model(notebook).model_fields if name in namespace})


def described(notebook: str) -> list[dict[str, object]]:
    """Return name, default, what is allowed and description of a notebook's parameters, one dict each."""
    chosen = model(notebook)
    schema = chosen.model_json_schema()["properties"]
    return [
        {
            "parameter": n,
            "default": f.default,
            "allowed": _deals(notebook, n) or _allowed(n, schema[n]),
            "description": f.description,
        }
        for n, f in chosen.model_fields.items()
    ]


WORDS = {"end": "2029Q4 to 2036Q4", "valuation_date": "grant, day_after, latest, YYYY-MM-DD"}


def _deals(notebook: str, name: str) -> str:
    """Return the deals that a notebook takes; nothing for another parameter."""
    with_warrant = notebook == "06_warrant"
    known = [deal for deal, terms in catalog.deals().items() if terms["warrant"] or not with_warrant]
    return ", ".join(known) if name == "deal" else ""


def _allowed(name: str, schema: dict) -> str:
    """Return the bounds or the choices of a parameter, from its JSON schema and the data."""
    if name == "region":
        return ", ".join(catalog.complete_regions())
    if name in WORDS:
        return WORDS[name]
    if schema.get("type") == "boolean":
        return "True, False"
    parts = [schema, *schema.get("anyOf", [])]
    words = {"exclusiveMinimum": "above", "minimum": "at least", "exclusiveMaximum": "below", "maximum": "at most"}
    bounds = [f"{word} {part[key]:,.12g}" for part in parts for key, word in words.items() if key in part]
    choices = [str(choice) for part in parts for choice in part.get("enum", [])]
    empty = ["None"] if any(part.get("type") == "null" for part in parts) else []
    return ", ".join([" and ".join(bounds)] * bool(bounds) + choices + empty)
