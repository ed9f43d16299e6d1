"""`tieraudit ingest` as a person and a script see it: receipt, JSON, exit codes, hints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tieraudit.cli import main
from tieraudit.config import TEMPLATE, load_config

LOGS = Path(__file__).resolve().parents[1] / "fixtures" / "logs"
FOUR = [LOGS / name for name in ("langfuse-trace.json", "litellm-spend.jsonl", "litellm.jsonl", "openai-pairs.jsonl")]
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> int:
        return main.run(["ingest", *map(str, arguments)])

    return run


def test_the_receipt_is_readable_at_a_hundred_columns(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*FOUR) == 0
    out = capsys.readouterr().out
    assert "4 files, 32 rows: 27 new calls, 1 already known, 4 in quarantine" in out
    assert "from 2026-10-26 12:00 to 2026-10-26 16:09 UTC" in out
    assert "gpt-4o-mini" in out and "computed USD" in out
    assert "MAX_STRING_LENGTH_PROMPT_IN_DB" in out
    assert "not an LLM call: SPAN" in out
    lines = [line for line in out.splitlines() if str(LOGS) not in line]
    assert max(map(len, lines)) <= 100


def test_the_same_again_says_that_nothing_is_new(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(LOGS / "litellm.jsonl")
    capsys.readouterr()
    assert run(LOGS / "litellm.jsonl") == 0
    assert "nothing new" in capsys.readouterr().out


def test_json_goes_to_stdout_alone(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(LOGS / "openai-pairs.jsonl", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rows_kept"] == 10
    assert isinstance(result["by_model"][0]["computed_cost_usd"], str)
    assert result["first_call"] == "2026-10-26T12:00:00+00:00"


def test_the_first_run_writes_a_commented_config_and_never_overwrites_one(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run(LOGS / "litellm.jsonl")
    assert "wrote tieraudit.toml" in capsys.readouterr().err
    assert Path("tieraudit.toml").read_text() == TEMPLATE
    assert load_config(None).path == Path("tieraudit.toml")
    Path("tieraudit.toml").write_text("# mine\n")
    run(LOGS / "litellm.jsonl")
    assert Path("tieraudit.toml").read_text() == "# mine\n"


def test_quiet_is_quiet(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(LOGS / "litellm.jsonl", "--quiet") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "error", "hint"),
    [
        (["absent.jsonl"], 3, "absent.jsonl: there is no such file", "check the path"),
        (["empty.jsonl"], 3, "empty.jsonl: the file is empty", "check the export"),
        (["text.jsonl"], 3, "text.jsonl: not a log", "JSON, CSV or Parquet"),
        (["other.jsonl"], 3, "other.jsonl: not a log in a format that is known (its keys are hello)", "--format"),
        (["folder"], 3, "folder: no log files in this directory", ".jsonl"),
        (["good.jsonl", "--format", "litelm"], 2, "unknown formats 'litelm'", "did you mean 'litellm'"),
        (["good.jsonl", "--since", "yesterday"], 2, "--since: not a date", "2026-11-01"),
        (["good.jsonl", "--db", "text.jsonl"], 3, "text.jsonl: not a database", "--db"),
    ],
)
def test_errors_say_what_where_and_the_way_out(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, error: str, hint: str
) -> None:
    Path("empty.jsonl").write_text("")
    Path("text.jsonl").write_text("just words, and enough of them to fill more than one line of a file\n" * 200)
    Path("other.jsonl").write_text('{"hello": 1}\n')
    Path("good.jsonl").write_bytes((LOGS / "litellm.jsonl").read_bytes())
    Path("folder").mkdir()
    assert run(*arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert error in captured.err.replace("\n", " ")
    assert "hint:" in captured.err and hint in captured.err
    assert "Traceback" not in captured.err


def test_a_first_run_that_reads_nothing_leaves_no_database(run: Run) -> None:
    assert run("absent.jsonl") == 3
    assert not Path("tieraudit.duckdb").exists()
    assert not Path("tieraudit.toml").exists()


def test_a_bad_file_among_good_ones_is_an_error_after_the_good_ones_are_kept(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.jsonl").write_text("hello\n")
    assert run("bad.jsonl", LOGS / "litellm.jsonl") == 3
    captured = capsys.readouterr()
    assert "9 new calls" in captured.out
    assert "bad.jsonl: not a log" in captured.err
    assert run(LOGS / "litellm.jsonl") == 0
    assert "nothing new" in capsys.readouterr().out


def test_days_are_whole_days_in_utc(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(LOGS / "litellm.jsonl", "--since", "2026-10-26T12:04", "--until", "2026-10-26", "--json")
    assert json.loads(capsys.readouterr().out)["rows_kept"] == 5
    run(LOGS / "litellm.jsonl", "--until", "2026-10-25", "--json", "--db", "b.duckdb")
    result = json.loads(capsys.readouterr().out)
    assert (result["rows_kept"], result["rows_outside"]) == (0, 9)


def test_log_content_cannot_move_the_cursor(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    line = json.loads((LOGS / "litellm.jsonl").read_text().splitlines()[0])
    line["model"] = "evil\x1b[2J[bold]model"
    Path("evil.jsonl").write_text(json.dumps(line))
    assert run("evil.jsonl") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]model" in out


def test_help_names_the_formats_and_what_comes_next(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = " ".join(capsys.readouterr().out.split())
    for word in ("litellm-spend", "langfuse-trace", "openai-pairs", ".gz", "Next: tieraudit classify", "Exit codes"):
        assert word in out
