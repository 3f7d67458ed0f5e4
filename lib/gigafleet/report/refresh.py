"""Executes the notebooks of a folder in place with their defaults: ``python -m gigafleet.report.refresh notebooks``.

A second argument names a picture to make: the first figure of the first notebook, for the README.

Stored outputs let a reader on a code host see tables and figures, and nbval compare them. Only outputs and execution
counts change.
"""

import base64
import sys
from pathlib import Path

import nbformat

from gigafleet.report import clean, run

JOBS = 2


def one(path: Path, timeout_s: float = run.TIMEOUT_S) -> tuple[Path, str]:
    """Execute a notebook and store its outputs in it; one that fails stays as it is.

    Parameters
    ----------
    path
        The notebook.
    timeout_s
        Longest time for one cell [s].

    Returns
    -------
    tuple
        The path, and the last line of the exception, "" if there is none.
    """
    source, executed, failure = run.execute(path, {}, timeout_s)
    if failure:
        return path, failure
    stored = nbformat.v4.upgrade(source)
    for cell, ran in zip(stored.cells, executed.cells, strict=True):
        cell["id"] = ran.id
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    content = clean.text(clean.clean(stored, source, path.parent))
    if content != path.read_text(encoding="utf-8"):
        clean.write(path, content)
    return path, ""


def folder(path: Path, jobs: int = JOBS, timeout_s: float = run.TIMEOUT_S) -> dict[str, str]:
    """Execute all notebooks of a folder in place, and return the failures by the notebook's name."""
    failures = {}

    def finished(result: tuple[Path, str]) -> None:
        notebook, failure = result
        print(f"{notebook.stem}: {f'{failure} (left as it was)' if failure else 'done'}")
        if failure:
            failures[notebook.stem] = failure

    run.parallel(lambda notebook: one(notebook, timeout_s), sorted(path.glob("*.ipynb")), jobs, finished)
    return failures


def picture(folder: Path) -> bytes:
    """Return the first figure that is stored in the first notebook of a folder, as PNG."""
    notebook = nbformat.read(min(folder.glob("*.ipynb")), as_version=4)
    outputs = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return base64.b64decode(next(data["image/png"] for data in outputs if "image/png" in data))


def main(arguments: list[str]) -> int:
    """Return 0, or 1 where a notebook failed, or 2 where there is none."""
    path = Path(arguments[0]) if len(arguments) in (1, 2) else None
    if path is None or not any(path.glob("*.ipynb")):
        print("usage: python -m gigafleet.report.refresh FOLDER (with notebooks in it) [PICTURE]", file=sys.stderr)
        return 2
    if folder(path):
        return 1
    if len(arguments) == 2:
        Path(arguments[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(arguments[1]).write_bytes(picture(path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
