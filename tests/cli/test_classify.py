"""tieraudit classify: the table, one task in full, a person's edits, and the files for other programs."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet
import pytest
from tests.fixtures.calls import insert_calls
from tests.fixtures.commands import Ran, tieraudit
from tests.fixtures.task_logs import support_log

from tieraudit.store import Store

Capture = pytest.CaptureFixture[str]
LOG = support_log(200)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database of 200 calls of five tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    with Store(tmp_path / "tieraudit.duckdb") as store:
        insert_calls(store, LOG.calls)
    return tmp_path


def task_id(ran: Ran, name: str) -> str:
    return str(next(task["id"] for task in ran.json["tasks"] if task["name"] == name))


def test_it_finds_the_tasks_and_prints_them_in_a_hundred_columns(here: Path, capsys: Capture) -> None:
    ran = tieraudit(capsys, "classify")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "200 calls in 5 tasks" in lines[-1]
    row = next(line for line in lines if "Extract order number" in line)
    for cell in ("20.0%", "$0.04", "extraction", "small", "regex"):
        assert cell in row


def test_for_machines_it_prints_the_keys_of_the_contract(here: Path, capsys: Capture) -> None:
    found = tieraudit(capsys, "classify", "--json").json
    assert set(found) == {"calls", "tail_calls", "tasks"}
    keys = {"id", "name", "type", "prior", "stakes", "calls", "spend_usd", "share_of_spend", "mixed", "recogniser"}
    for task in found["tasks"]:
        assert keys <= set(task)
        assert set(task["recogniser"]) == {"kind", "precision", "recall"}
        assert task["spend_usd"] == "0.040000000"
        assert task["share_of_spend"] == 0.2


def test_the_list_shows_what_stands_and_changes_nothing(here: Path, capsys: Capture) -> None:
    before = tieraudit(capsys, "classify", "--json").json
    assert tieraudit(capsys, "classify", "--list", "--json").json == before


def test_a_list_before_the_first_classify_says_what_to_run(here: Path, capsys: Capture) -> None:
    ran = tieraudit(capsys, "classify", "--list")
    assert ran.code == 2
    assert "no tasks yet" in ran.err
    assert "hint: run `tieraudit classify` first" in ran.err


def test_one_task_in_full(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--show", "extract order number")
    assert ran.code == 0
    assert "Today is «date». You are talking to «name»." in " ".join(ran.out.replace("«date», ", "").split())
    assert ran.out.count("  < My ") == 3
    assert "answers: short" in ran.out
    assert "system_regex (precision 100.0%, recall 100.0%)" in ran.out
    assert "latency: median 800" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 100


def test_one_task_in_full_for_machines(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    sheet = tieraudit(capsys, "classify", "--show", "Extract order number", "--json").json
    assert len(sheet["examples"]) == 3
    assert sheet["recognisers"][0]["value"]
    assert sheet["numbers"]["calls"] == 40


def test_an_unknown_task_is_an_error_with_the_closest_names(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--show", "extract orders")
    assert ran.code == 2
    assert "there is no task 'extract orders'" in ran.err
    assert "'Extract order number'" in ran.err


def test_a_name_given_by_a_person_stays(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--rename", "Extract order number", "Order ids")
    assert ran.code == 0
    assert ran.out == ""
    assert "is now called 'Order ids'" in ran.err
    assert "Order ids" in tieraudit(capsys, "classify").out


def test_a_name_that_is_taken_is_refused(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--rename", "Extract order number", "summarise message")
    assert ran.code == 2
    assert "another task is called" in ran.err


def test_a_merge_joins_two_tasks_at_once(here: Path, capsys: Capture) -> None:
    first = tieraudit(capsys, "classify", "--json")
    into = task_id(first, "Route message to team")
    ran = tieraudit(capsys, "classify", "--merge", "Classify sentiment of message", into, "--json")
    assert {task["id"]: task["calls"] for task in ran.json["tasks"]}[into] == 80
    assert len(ran.json["tasks"]) == 4


def test_a_pin_is_shown_and_stays(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--pin", "Summarise message", "frontier", "--reason", "agents rely on it")
    assert ran.code == 0
    tieraudit(capsys, "classify")
    tasks = tieraudit(capsys, "classify", "--list", "--json").json["tasks"]
    pins = {task["name"]: task["pin"] for task in tasks if task["pin"]}
    assert pins == {"Summarise message": {"tier": "frontier", "reason": "agents rely on it"}}
    assert "pinned to frontier" in tieraudit(capsys, "classify", "--show", "Summarise message").out


def test_a_pin_to_an_unknown_tier_is_refused(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--pin", "Summarise message", "huge")
    assert ran.code == 2
    assert "known tiers: small, frontier" in ran.err


def test_changes_go_one_at_a_time(here: Path, capsys: Capture) -> None:
    ran = tieraudit(capsys, "classify", "--show", "a", "--rename", "b", "c")
    assert ran.code == 2
    assert "one at a time" in ran.err


def test_known_labels_are_compared(here: Path, capsys: Capture) -> None:
    labels = here / "labels.csv"
    with labels.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source_id", "task"])
        writer.writerows((call.source_id, task) for call, task in zip(LOG.calls, LOG.truth, strict=True))
        writer.writerow(["elsewhere", "sentiment"])
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--labels", labels)
    assert "200 calls with a known task: V-measure 1.000" in ran.out
    assert "1 calls of" in ran.err
    assert tieraudit(capsys, "classify", "--labels", labels, "--json").json["agreement"]["adjusted_rand"] == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "columns source_id and task"),
        ("source_id,task\nx,y\n", "none of its 1 calls"),
        (None, "cannot be read"),
    ],
)
def test_a_labels_file_that_cannot_be_used_is_an_input_error(
    here: Path, capsys: Capture, content: str | None, message: str
) -> None:
    tieraudit(capsys, "classify")
    if content is not None:
        (here / "labels.csv").write_text(content)
    ran = tieraudit(capsys, "classify", "--labels", "labels.csv")
    assert ran.code == 3
    assert message in ran.err


@pytest.mark.parametrize("name", ["tasks.csv", "tasks.parquet"])
def test_assignments_are_handed_over(here: Path, capsys: Capture, name: str) -> None:
    tieraudit(capsys, "classify")
    ran = tieraudit(capsys, "classify", "--assignments", name)
    assert ran.code == 0
    assert "200 calls written" in ran.err
    if name.endswith(".csv"):
        with (here / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = pyarrow.parquet.read_table(here / name).to_pylist()
    assert set(rows[0]) == {"source_id", "call_id", "task_id"}
    assert {row["source_id"] for row in rows} == {call.source_id for call in LOG.calls}
    assert len({row["task_id"] for row in rows}) == 5


def test_assignments_go_to_csv_or_parquet_only(here: Path, capsys: Capture) -> None:
    tieraudit(capsys, "classify")
    assert tieraudit(capsys, "classify", "--assignments", "tasks.xlsx").code == 2
    ran = tieraudit(capsys, "classify", "--assignments", "nowhere/tasks.csv")
    assert ran.code == 2
    assert "cannot be written" in ran.err


def test_an_empty_database_says_how_to_begin(tmp_path: Path, capsys: Capture) -> None:
    Store(tmp_path / "empty.duckdb").close()
    ran = tieraudit(capsys, "classify", "--db", tmp_path / "empty.duckdb")
    assert ran.code == 3
    assert "tieraudit ingest" in ran.err


def test_text_from_the_log_moves_no_cursor(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = support_log(0)
    for _ in range(30):
        log.add(
            "one", "Extract the \x1b[31mred [bold]number[/bold] now.", f"\x1b]0;title\x07 {log.complaint()}", "\x1b[2J7"
        )
    with Store(tmp_path / "tieraudit.duckdb") as store:
        insert_calls(store, log.calls)
    shown = tieraudit(capsys, "classify").out
    name = tieraudit(capsys, "classify", "--list", "--json").json["tasks"][0]["id"]
    shown += tieraudit(capsys, "classify", "--show", name).out
    assert "\x1b" not in shown
    assert "\x07" not in shown
