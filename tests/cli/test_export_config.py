"""tieraudit export-config: files, rules and checks for people and for machines."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.audited import AUDIT, MOOD, audited_store
from tests.fixtures.commands import Ran, tieraudit

from tieraudit.routers import ROUTERS
from tieraudit.store import Store

CONFIG = """
[tiers.small]
model = "Qwen/Qwen3.5-9B"
engine = "vllm"
input_usd_per_mtok = 0.02
output_usd_per_mtok = 0.04
[tiers.mid]
model = "gpt-5-mini"
engine = "openai"
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"
input_usd_per_mtok = 0.25
output_usd_per_mtok = 2
[tiers.frontier]
engine = "openai"
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audited database, made once."""
    path = tmp_path_factory.mktemp("audited") / "tieraudit.duckdb"
    audited_store(path).close()
    return path


@pytest.fixture
def folder(tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of it, to work in."""
    shutil.copy(database, tmp_path)
    (tmp_path / "tieraudit.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    return tieraudit(capsys, "export-config", *arguments)


def test_it_writes_the_files_and_says_what_moves(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = export(capsys, "--router", "litellm")
    assert ran.code == 0, ran.err
    assert {path.name for path in (folder / "reports/router-litellm").iterdir()} == {
        "config.yaml",
        "routes.json",
        "tieraudit_hook.py",
        "tieraudit_route.py",
    }
    assert "Order numbers" in ran.out
    assert "small: Qwen/Qwen3.5-9B" in ran.out
    assert "wrote reports/router-litellm/config.yaml" in ran.out
    assert 'mood: the caller adds  metadata: {"tags": ["task/mood"]}' in ran.out
    assert "checks hold" in ran.out
    assert "FAILED" not in ran.out


def test_for_machines_it_prints_the_keys_of_the_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = export(capsys, "--router", "portable", "--json", "--out", "here")
    assert ran.code == 0, ran.err
    assert {"router", "files", "rules", "checks"} <= set(ran.json)
    assert (ran.json["router"], ran.json["rules"], ran.json["audit_id"]) == ("portable", 3, AUDIT)
    assert ran.json["files"] == ["here/routes.json", "here/tieraudit_route.py"]
    assert all(set(check) == {"name", "expected", "got", "ok"} for check in ran.json["checks"])
    assert isinstance(ran.json["routes"][0]["savings_usd_month"], str)
    assert ran.err == ""


def test_a_canary_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = export(capsys, "--router", "portable", "--canary", "10")
    assert ran.code == 0, ran.err
    assert "Rollout: 10 % of the users move." in ran.out
    assert '"percent": 10' in (folder / "reports/router-portable/routes.json").read_text()


@pytest.mark.parametrize("percent", ["0", "101", "ten"])
def test_a_canary_that_is_no_percentage_is_a_usage_error(
    folder: Path, capsys: pytest.CaptureFixture[str], percent: str
) -> None:
    ran = export(capsys, "--router", "portable", "--canary", percent)
    assert (ran.code, "--canary" in ran.err) == (2, True)


def test_a_check_that_does_not_hold_ends_with_exit_1_after_the_result(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    router = ROUTERS.get("portable")
    texts = router.files

    def broken(plan: Any) -> dict[str, str]:
        found = texts(plan)
        return {**found, "routes.json": found["routes.json"].replace('"tier": "mid"', '"tier": "small"')}

    monkeypatch.setattr(router, "files", broken)
    ran = export(capsys, "--router", "portable")
    assert ran.code == 1
    assert "FAILED ticket-labels: a logged call: expected mid: gpt-5-mini, got small: Qwen/Qwen3.5-9B" in ran.out
    assert "checks of the exported files did not hold" in ran.err
    assert "hint: do not deploy them" in ran.err
    unchecked = export(capsys, "--router", "portable", "--no-check")
    assert (unchecked.code, "checks" in unchecked.out) == (0, False)


def test_without_a_router_or_with_an_unknown_one_it_says_which_there_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(capsys).code == 2
    ran = export(capsys, "--router", "portabel")
    assert ran.code == 2
    assert "unknown routers 'portabel'" in ran.err
    assert "did you mean 'portable'?" in ran.err
    assert not (folder / "reports").exists()


def test_without_an_audit_it_says_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = export(capsys, "--router", "portable")
    assert (ran.code, "tieraudit ingest" in ran.err) == (3, True)
    Store(tmp_path / "tieraudit.duckdb").close()
    ran = export(capsys, "--router", "portable")
    assert (ran.code, "tieraudit replay" in ran.err) == (2, True)


def test_a_tier_that_changed_since_the_audit_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tieraudit.toml").write_text(CONFIG.replace("Qwen/Qwen3.5-9B", "Other/Model-1B"))
    ran = export(capsys, "--router", "portable")
    assert ran.code == 2
    assert not (folder / "reports").exists()


def test_a_task_that_is_pinned_after_the_audit_no_longer_moves(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = '[[pins]]\ntask = "Order*"\ntier = "frontier"\nreason = "the boss says so"\n'
    (folder / "tieraudit.toml").write_text(CONFIG + pin)
    ran = export(capsys, "--router", "portable", "--json")
    assert ran.code == 0, ran.err
    assert {rule["name"] for rule in ran.json["routes"]} == {"Ticket labels", "Mood"}


def test_a_task_that_is_pinned_to_a_cheap_tier_moves(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pin = '[[pins]]\ntask = "Contract*"\ntier = "mid"\nreason = "drafts only"\n'
    (folder / "tieraudit.toml").write_text(CONFIG + pin)
    ran = export(capsys, "--router", "portable", "--json")
    assert ran.code == 0, ran.err
    assert {rule["name"]: rule["tier"] for rule in ran.json["routes"]}["Contract review"] == "mid"


def test_a_task_name_cannot_move_the_cursor(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(folder / "tieraudit.duckdb") as store:
        rows = store.rows("export_tasks", audit_id=AUDIT)
        assert MOOD in {row["task_id"] for row in rows}
        store.execute("classify_rename_task", task_id=MOOD, name="Mood\x1b[2J [bold]x")
    ran = export(capsys, "--router", "portable")
    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out
    assert "Mood\\x1b[2J" in ran.out
    assert "[bold]x" in ran.out
