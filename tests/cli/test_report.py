"""`tieraudit report`: formats, files, stdout, colour, and errors with a hint."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fixtures.replayed import config_text, put_audit, replayed_store

from tieraudit.cli.main import run
from tieraudit.store import Store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an audited database and its configuration; the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tieraudit.toml").write_text(config_text(), encoding="utf-8")
    replayed_store(tmp_path / "tieraudit.duckdb").close()
    return tmp_path


def test_without_options_the_report_is_printed(here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["report"]) == 0
    out, _ = capfdbinary.readouterr()
    assert out.decode().startswith("Moving 1 of 4 tasks to a cheaper model saves $6.01 a month.\n")
    assert b"\x1b[" not in out
    assert not (here / "reports").exists()


def test_each_format_is_a_file_in_the_folder(here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["report", "--format", "html, xlsx,md,json", "--out", "for/the/board"]) == 0
    written = sorted(path.name for path in (here / "for/the/board").iterdir())
    assert written == ["report.html", "report.json", "report.md", "report.xlsx"]
    out, talk = capfdbinary.readouterr()
    assert out == b""
    assert b"wrote for/the/board/report.html" in talk


def test_the_same_command_writes_the_same_bytes(here: Path) -> None:
    for folder in ("one", "two"):
        assert run(["--quiet", "report", "--format", "html,xlsx,md,json", "--out", folder]) == 0
    for path in (here / "one").iterdir():
        assert path.read_bytes() == (here / "two" / path.name).read_bytes()


def test_json_goes_to_stdout_alone(here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["report", "--json"]) == 0
    out, _ = capfdbinary.readouterr()
    document = json.loads(out)
    assert document["audit_id"] == "a-1"
    assert document["totals"]["savings_usd_month"] == "6.014450000"


def test_a_new_pin_is_seen_at_once(here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    pin = '[[pins]]\ntask = "triage"\ntier = "frontier"\nreason = "cost of error"'
    (here / "tieraudit.toml").write_text(config_text(pin), encoding="utf-8")
    assert run(["report"]) == 0
    out, _ = capfdbinary.readouterr()
    assert out.decode().startswith("Nothing moves yet: the bill stays at $13.82 a month.")
    assert "pinned to frontier in tieraudit.toml: cost of error" in out.decode()


def test_an_unknown_format_names_the_known_ones(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--format", "htlm"]) == 2
    _, talk = capfd.readouterr()
    assert "unknown renderers 'htlm'" in talk
    assert "did you mean 'html'?" in talk
    assert run(["report", "--format", ","]) == 2


def test_no_database_and_no_audit_say_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["report"]) == 3
    assert "tieraudit ingest" in capfd.readouterr().err
    Store(tmp_path / "tieraudit.duckdb").close()
    assert run(["report"]) == 3
    assert "tieraudit replay" in capfd.readouterr().err


def test_an_audit_without_calls_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Store(tmp_path / "tieraudit.duckdb") as store:
        put_audit(store)
    assert run(["report"]) == 3
    assert "tieraudit ingest" in capfd.readouterr().err


def test_a_folder_that_cannot_be_made_is_an_error_with_a_hint(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "taken").write_text("a file", encoding="utf-8")
    assert run(["report", "--format", "md", "--out", "taken"]) == 2
    talk = capfd.readouterr().err
    assert "taken/report.md: cannot be written" in talk
    assert "--out" in talk


def on_a_terminal(folder: Path, **environment: str) -> str:
    """What `tieraudit report` prints when stdout is a terminal."""
    master, slave = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    command = [sys.executable, "-c", "from tieraudit.cli.main import main; main()", "report"]
    with subprocess.Popen(command, cwd=folder, stdout=slave, env={**env, "TERM": "xterm", **environment}) as process:
        os.close(slave)
        printed = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            printed += part
    os.close(master)
    assert process.returncode == 0
    return printed.decode()


def test_a_person_at_a_terminal_sees_colour(here: Path) -> None:
    assert "\x1b[32mproven" in on_a_terminal(here)


def test_no_color_is_honoured(here: Path) -> None:
    assert "\x1b[" not in on_a_terminal(here, NO_COLOR="1")
