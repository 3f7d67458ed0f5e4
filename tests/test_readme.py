"""The examples of the README run as they stand."""

import re

import pytest

from gigafleet import catalog

TEXT = (catalog.folder("notebooks").parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_there_are_examples():
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_runs(number):
    exec(compile(BLOCKS[number], f"README.md, example {number}", "exec"), {})
