"""Executes the notebooks of a folder in place with their defaults: ``python -m gigafleet.report.refresh notebooks``.

Stored outputs let a reader on a code host see tables and figures, and nbval compare them. Only outputs and execution
counts change.
"""

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


def main(arguments: list[str]) -> int:
    """Return 0, or 1 where a notebook failed, or 2 where there is none."""
    path = Path(arguments[0]) if len(arguments) == 1 else None
    if path is None or not any(path.glob("*.ipynb")):
        print("usage: python -m gigafleet.report.refresh FOLDER (with notebooks in it)", file=sys.stderr)
        return 2
    return int(bool(folder(path)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
