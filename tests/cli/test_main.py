"""The frame of every command: global options in either place, help, version, exit codes, errors without tracebacks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fixtures.commands import tieraudit

from tieraudit import __version__
from tieraudit.cli import main
from tieraudit.cli.main import COMMANDS, hoist_globals
from tieraudit.errors import (
    BackendError,
    BudgetReached,
    CheckFailed,
    InputError,
    StoreError,
    TierauditError,
    UsageError,
)


def failing(error: BaseException) -> Callable[..., None]:
    """A command line that ends in ``error``."""

    def command_line(*_: object, **__: object) -> None:
        raise error

    return command_line


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_prints(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = tieraudit(capsys, command, "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert f"Usage: tieraudit {command}" in ran.out
    assert "Exit codes: 0 done, 1 alarm or failed check, 2 usage or config" in ran.out
    assert len(ran.out.splitlines()) > 10, "a newcomer can work from it"
    assert "tieraudit " in ran.out.split("Options:")[0].split("\n", 1)[1], "it says what to run"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_the_help_lists_the_commands_in_the_order_of_the_work(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = tieraudit(capsys, *arguments)
    text = ran.out + ran.err
    places = [text.index(f"\n  {command} ") for command in COMMANDS]
    assert places == sorted(places)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    ran = tieraudit(capsys, "--version")
    assert (ran.code, ran.out) == (0, f"tieraudit {__version__}\n")


@pytest.mark.parametrize("place", ["before", "after"])
def test_global_options_work_in_either_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    options = ["--json", "--quiet", "--db", str(tmp_path / "x.duckdb"), f"--config={tmp_path / 'x.toml'}"]
    arguments = [*options, "status"] if place == "before" else ["status", *options]
    ran = tieraudit(capsys, *arguments)
    assert ran.code == 0
    assert json.loads(ran.out)["next"].startswith(f"tieraudit --db {tmp_path / 'x.duckdb'}")


@pytest.mark.parametrize(
    ("given", "hoisted"),
    [
        (["status", "--json"], ["--json", "status"]),
        (["ingest", "a", "--db", "x", "b", "-q"], ["--db", "x", "-q", "ingest", "a", "b"]),
        (["ingest", "--config=c.toml", "a"], ["--config=c.toml", "ingest", "a"]),
        (["ingest", "--", "--json"], ["ingest", "--", "--json"]),
        (["status", "--db"], ["--db", "status"]),
    ],
)
def test_global_options_move_to_the_front(given: list[str], hoisted: list[str]) -> None:
    assert hoist_globals(given) == hoisted


@pytest.mark.parametrize(
    "arguments",
    [["statsu"], ["status", "--colour"], ["--colour", "status"], ["status", "extra"], ["monitor"], ["status", "--db"]],
)
def test_what_the_command_line_does_not_know_is_exit_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = tieraudit(capsys, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckFailed("x"), 1),
        (UsageError("x"), 2),
        (InputError("x"), 3),
        (StoreError("x"), 3),
        (BackendError("x"), 4),
        (BudgetReached("x"), 5),
        (KeyboardInterrupt(), 130),
        (RuntimeError("secret prompt"), 1),
    ],
)
def test_every_ending_has_its_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    monkeypatch.setattr(main, "build", lambda wanted: failing(error))
    ran = tieraudit(capsys, "status")
    assert (ran.code, ran.out) == (code, "")
    assert "secret prompt" not in ran.err, "what we did not foresee may hold content of a log"


def test_an_error_says_what_and_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    ran = tieraudit(capsys, "classify", "--db", "no-such.duckdb")
    assert ran.code == 3
    assert ran.err.splitlines() == [
        "error: no-such.duckdb: there is no such database",
        "hint: start with `tieraudit ingest PATH...`",
    ]


def test_an_error_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    ran = tieraudit(capsys, "classify", "--db", "a\x1b[2J.duckdb")
    assert "\x1b" not in ran.err


def test_a_config_that_cannot_be_read_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text('[tiers.small]\nmodle = "x"\n')
    ran = tieraudit(capsys, "export-config", "--router", "portable", "--config", tmp_path / "bad.toml")
    assert ran.code == 2
    assert "did you mean 'model'?" in ran.err


def test_only_the_last_resort_hides_an_error_and_a_switch_shows_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "build", lambda wanted: failing(RuntimeError("secret prompt")))
    assert "TIERAUDIT_DEBUG=1" in tieraudit(capsys, "status").err
    monkeypatch.setenv("TIERAUDIT_DEBUG", "1")
    with pytest.raises(RuntimeError):
        tieraudit(capsys, "status")


def test_the_program_is_installed_under_its_name(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("tieraudit")
    done = subprocess.run([program, "status"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "next: tieraudit ingest" in done.stdout


def test_a_reader_that_goes_away_sees_no_error(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("tieraudit")
    with subprocess.Popen(
        [program, "status", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(timeout=120)


def test_every_error_is_a_kind_of_the_one_base() -> None:
    for kind in (CheckFailed, UsageError, InputError, StoreError, BackendError, BudgetReached):
        assert issubclass(kind, TierauditError)
