"""The docs say what the code does: made pages are fresh, links resolve, commands in the README exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT
from tests.fixtures.commands import tieraudit

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
THIS_MACHINE = re.compile(r"/work/|/root/|\.library|farm-|pypi\.org/simple|registry\.npmjs")


def _make_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "docs/make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_line_page_is_what_help_prints() -> None:
    assert (ROOT / "docs/cli.md").read_text(encoding="utf-8") == _make_docs().cli_page(), "run: just docs"


def test_the_formats_page_has_the_fidelity_receipts_of_the_formats() -> None:
    assert (ROOT / "docs/formats.md").read_text(encoding="utf-8") == _make_docs().formats_page(), "run: just docs"


def test_the_mapping_on_the_formats_page_gives_the_receipt_that_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    section = page.split("\n## Any other log\n")[1].split("\n## ")[0]
    log, mapping, printed = re.findall(r"```[a-z]*\n(.*?)```", section, re.DOTALL)
    (tmp_path / "calls.jsonl").write_text(log, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = tieraudit(capsys, "ingest", "calls.jsonl", "--map", "mapping.toml")
    assert ran.code == 0
    assert ran.out == printed


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_tieraudit_command_in_the_docs_exists(page: Path) -> None:
    from tieraudit.cli.main import COMMANDS

    for block in re.findall(r"```(?:bash|sh|console)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if match := re.match(r"\$?\s*(?:uv run )?tieraudit ([a-z][a-z-]+)\b", line):
                assert match[1] in COMMANDS, line
                shlex.split(line, comments=True)


def test_no_page_names_the_machine_it_was_written_on() -> None:
    files = [*PAGES, *(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "pyproject.toml"]
    files = [path for path in files if path != Path(__file__).resolve()]
    found = [str(path.relative_to(ROOT)) for path in files if THIS_MACHINE.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_the_readme_opens_with_the_two_commands() -> None:
    head = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:30])
    assert "pip install uv && uv run tieraudit demo" in head
    assert "uv run pytest" in head
