"""`tieraudit replay` as a user runs it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.chat_server import ChatServer, chat_server
from tests.fixtures.small_audit import CONFIG, put_labels, right

from tieraudit.cli.main import run
from tieraudit.store import Store

Run = Callable[..., int]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(right) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `tieraudit replay` in a folder with a classified log and a config."""
    monkeypatch.chdir(tmp_path)
    text = CONFIG.format(small=server.base_url, frontier=server.base_url, extra="", more="")
    (tmp_path / "tieraudit.toml").write_text(text, encoding="utf-8")
    with Store(tmp_path / "tieraudit.duckdb") as store:
        put_labels(store)
        put_labels(store, "tiny", 20)
    return lambda *arguments: run(["replay", *arguments])


def test_the_verdicts_are_a_table(cli: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli() == 0
    out = capsys.readouterr().out
    assert "Route" in out
    assert "proven" in out
    assert "next: tieraudit report" in out


def test_json_has_the_keys_of_the_contract(cli: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("--json") == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert {"audit_id", "cases", "replies", "spent_usd", "verdicts"} <= set(result)
    assert result["verdicts"] == {"proven": 1, "refuted": 0, "undecided": 0, "not_auditable": 0, "pinned": 0}
    assert isinstance(result["spent_usd"], str)
    assert result["replies"] > 0
    assert [left["task"] for left in result["not_tested"]] == ["tiny"]


def test_a_finished_audit_says_so(cli: Run, server: ChatServer, capsys: pytest.CaptureFixture[str]) -> None:
    cli()
    asked = len(server.bodies)
    capsys.readouterr()
    assert cli() == 0
    shown = capsys.readouterr()
    assert "finished: nothing to do" in shown.err
    assert "proven" in shown.out
    assert len(server.bodies) == asked


def test_a_dry_run_shows_plan_and_worst_case_and_sends_nothing(
    cli: Run, server: ChatServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli("--dry-run") == 0
    out = capsys.readouterr().out
    assert "Route" in out
    assert "worst case" in out
    assert "20 calls can be replayed, 60 are needed" in out
    assert cli("--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["tasks"][0]["scorer"] == "label"
    assert plan["tasks"][0]["most_cases"] == 600
    assert isinstance(plan["worst_usd"], str)
    assert server.bodies == []


def test_a_budget_that_ends_first_is_exit_5_after_the_table(cli: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("--max-calls", "5") == 5
    shown = capsys.readouterr()
    assert "undecided" in shown.out
    assert "the limit of 5 calls is reached" in shown.err
    assert "hint:" in shown.err
    assert cli() == 0


def test_an_endpoint_that_bills_is_not_used_unasked(
    cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CONFIG.format(small="http://models.invalid/v1", frontier="http://models.invalid/v1", extra="", more="")
    (tmp_path / "tieraudit.toml").write_text(text.replace("max_retries = 1", "max_retries = 1\napi_key_env = 'K'"))
    monkeypatch.setenv("K", "key")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert cli() == 2
    err = capsys.readouterr().err
    assert "models.invalid" in err
    assert "--yes" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tier", "smal"], "unknown tier 'smal'"),
        (["--tier", "frontier"], "incumbent's"),
        (["--budget", "lots"], "not an amount"),
        (["--budget", "-1"], "not an amount"),
        (["--baseline", "best"], "unknown baseline"),
    ],
)
def test_a_wrong_option_is_exit_2(
    cli: Run, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(*arguments) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "hint:" in err


def test_before_classify_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Store(tmp_path / "tieraudit.duckdb").close()
    assert run(["replay"]) == 2
    assert "tieraudit classify" in capsys.readouterr().err
    assert run(["replay", "--db", "absent.duckdb"]) == 3
    assert "tieraudit ingest" in capsys.readouterr().err
