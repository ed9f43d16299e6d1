"""The rules of the house that a machine can hold: layers, library bans, docstrings, sizes, nothing left behind."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MODULES = sorted((ROOT / "src").rglob("*.py"))
LARGEST_MODULE = 320


def test_the_layers_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_one_thing_in_its_first_line(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "no module docstring"
    assert len(docstring.splitlines()[0]) <= 120
    assert len(text.splitlines()) <= LARGEST_MODULE, "one thing per module"


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "NotImplementedError"])
def test_nothing_is_left_behind(word: str) -> None:
    found = [str(path.relative_to(ROOT)) for path in MODULES if word in path.read_text(encoding="utf-8")]
    assert not found
