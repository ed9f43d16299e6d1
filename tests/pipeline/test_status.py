"""status: each step as far as it is done, and the command that comes next."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.fixtures.audited import (
    CONFIG,
    DAYS,
    MONDAY,
    audited_store,
    calls,
    insert_audit,
    insert_log,
    insert_tasks,
)
from tests.fixtures.calls import insert_calls

from tieraudit.pipeline.export import export_config
from tieraudit.pipeline.monitor import monitor
from tieraudit.pipeline.status import NOTHING, Status, status
from tieraudit.store import Store

LOG = calls(days=3)
STEPS = ["ingest", "classify", "replay", "report", "export-config", "monitor"]


def done(found: Status) -> list[str]:
    assert [step.name for step in found.steps] == STEPS
    return [step.name for step in found.steps if step.done]


def test_an_empty_database_begins_with_ingest() -> None:
    with Store(None) as store:
        found = status(store)
    assert (done(found), found.next) == ([], "tieraudit ingest PATH...")
    assert found.next == NOTHING.next
    assert done(NOTHING) == []


def test_calls_without_tasks_are_to_be_classified() -> None:
    with Store(None) as store:
        insert_calls(store, [call for _, call in LOG])
        found = status(store)
    assert (done(found), found.next) == (["ingest"], "tieraudit classify")
    assert found.steps[0].detail == f"{len(LOG)} calls from 2026-10-05 to 2026-10-07, {len(LOG)} with their prompts"


def test_calls_that_came_after_the_last_classify_are_to_be_classified() -> None:
    with audited_store(log=LOG) as store:
        later = calls(MONDAY + timedelta(days=DAYS), 1, source_file="later.jsonl")
        insert_calls(store, [call for _, call in later])
        found = status(store)
    assert found.next == "tieraudit classify"
    assert found.steps[1].detail == f"5 tasks, but {len(later)} calls came later"


def test_tasks_without_an_audit_are_to_be_replayed() -> None:
    with Store(None) as store:
        insert_log(store, LOG)
        insert_tasks(store, LOG)
        found = status(store)
    assert (done(found), found.next) == (["ingest", "classify"], "tieraudit replay")


@pytest.mark.parametrize(("ended", "says"), [("running", "not finished"), ("interrupted", "interrupted")])
def test_an_audit_that_did_not_end_is_to_be_replayed_on(ended: str, says: str) -> None:
    with Store(None) as store:
        insert_log(store, LOG)
        insert_tasks(store, LOG)
        insert_audit(store, status=ended)
        found = status(store)
    assert found.next == "tieraudit replay"
    assert says in found.steps[2].detail


def test_a_finished_audit_is_to_be_reported_and_exported(tmp_path: Path) -> None:
    with audited_store(log=LOG) as store:
        found = status(store)
        assert done(found) == ["ingest", "classify", "replay", "report"]
        assert found.next == "tieraudit report, then tieraudit export-config --router NAME"
        assert "4 proven" in found.steps[2].detail
        export_config(store, CONFIG, "portable", tmp_path, check=False)
        exported = status(store)
    assert done(exported) == [*STEPS[:5]]
    assert exported.next == "tieraudit monitor PATH..."
    assert exported.steps[4].detail.startswith("portable, ")


def test_an_export_of_an_older_audit_is_not_of_this_one(tmp_path: Path) -> None:
    with audited_store(log=LOG) as store:
        export_config(store, CONFIG, "portable", tmp_path, check=False)
        insert_audit(store, audit_id="20261108-0002", days_later=7)
        found = status(store)
    assert "export-config" not in done(found)
    assert found.steps[4].detail == "of an older audit"


def test_the_last_check_is_shown() -> None:
    with audited_store(log=LOG) as store:
        with Store(None) as week:
            insert_log(week, calls(MONDAY + timedelta(days=DAYS), 3, source_file="next.jsonl"))
            monitor(store, week, CONFIG)
        found = status(store)
    assert found.steps[5].detail.startswith("last check: ok, ")
