"""What is kept of an executed notebook: the same bytes from every run, and nothing of the machine that ran it."""

import os
import re
import sysconfig
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gigafleet import catalog

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
PASSING = ("papermill", "execution")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _machine(folder: Path) -> list[tuple[re.Pattern, str]]:
    """Return the patterns of this machine's paths and addresses, longest path first, and what stands in for each."""
    package = Path(catalog.__file__).resolve().parent
    roots = {
        sysconfig.get_path("purelib"): "",
        sysconfig.get_path("platlib"): "",
        sysconfig.get_path("stdlib"): "",
        str(package.parent): "",
        str(folder.resolve()): "",
        str(catalog.folder().resolve()): "data",
        tempfile.gettempdir(): "tmp",
        os.getcwd(): "",
    }
    home = str(Path.home())
    roots.update({"~" + root.removeprefix(home): short for root, short in roots.items() if root.startswith(home)})
    roots[home] = "~"
    before = r"(^|[^\w./:~-]|file://|\x1b\[[\d;]*m)"
    patterns = [(re.compile(r"[^\s\"'<>(\x1b]*ipykernel_\d+[/\\]\d+\.py"), "cell")]
    for root in sorted((r for r in roots if len(Path(r).parts) > 1), key=len, reverse=True):
        short = roots[root]
        patterns.append((re.compile(before + re.escape(root) + r"[/\\]", re.M), rf"\1{short and short + '/'}"))
        patterns.append((re.compile(before + re.escape(root) + r"(?![\w-])", re.M), rf"\1{short or '.'}"))
    patterns.append((re.compile(r"(?<= at )0x[0-9a-f]{6,}"), "0x0"))
    return patterns


def _scrub(content: object, patterns: list[tuple[re.Pattern, str]]) -> object:
    if isinstance(content, str):
        for pattern, instead in patterns:
            content = pattern.sub(instead, content)
        return content
    if isinstance(content, list):
        return [_scrub(item, patterns) for item in content]
    if isinstance(content, dict):
        return {k: v if k.startswith("image/") else _scrub(v, patterns) for k, v in content.items()}
    return content


def plain(text: str) -> str:
    """Return text without the codes that color it on a terminal."""
    return _ANSI.sub("", text)


def clean(notebook: NotebookNode, source: NotebookNode, folder: Path) -> NotebookNode:
    """Strip an executed notebook, in place, of times, durations, paths and random ids.

    Parameters
    ----------
    notebook
        As papermill leaves it.
    source
        The notebook before it ran; the ids of its cells are kept, others are made from their place.
    folder
        Where it ran.
    """
    notebook.metadata.pop("papermill", None)
    notebook.metadata.update(kernelspec=dict(KERNELSPEC), language_info=dict(LANGUAGE))
    patterns = _machine(folder)
    known = {cell.get("id") for cell in source.cells}
    for number, cell in enumerate(notebook.cells):
        for key in PASSING:
            cell.metadata.pop(key, None)
        tags = cell.metadata.get("tags", [])
        if not tags:
            cell.metadata.pop("tags", None)
        if cell.get("id") not in known:
            cell["id"] = "injected-parameters" if "injected-parameters" in tags else f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs = nbformat.from_dict(_scrub(cell.outputs, patterns))
    return notebook


def text(notebook: NotebookNode) -> str:
    """Return a notebook as the text of its file."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def write(path: Path, content: str) -> None:
    """Write a text file in one step: a crash leaves the earlier one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(content, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
