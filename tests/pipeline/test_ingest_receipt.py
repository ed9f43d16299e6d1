"""The receipt: gaps, differences of cost, bills and invoices, retries, and logs kept without their content."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.errors import UnknownFormat
from tieraudit.pipeline.ingest import IngestOptions, ingest
from tieraudit.pipeline.receipt import Receipt
from tieraudit.store import Store

START = datetime(2026, 10, 26, 8, 30, tzinfo=UTC)


def pair(number: int, hours: float = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "timestamp": (START + timedelta(hours=hours, seconds=number)).isoformat(),
        "provider": "openai",
        "request": {"model": "gpt-4o", "messages": [{"role": "user", "content": f"question {number}"}]},
        "response": {
            "model": "gpt-4o-2024-08-06",
            "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 100_000, "total_tokens": 1_100_000},
        },
        **changes,
    }


def read(store: Store, tmp_path: Path, rows: Iterable[dict[str, Any]], **options: Any) -> Receipt:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ingest(store, [log], IngestOptions(**options))


@pytest.fixture
def store() -> Store:
    return Store(None)


def test_whole_hours_without_calls_are_told_longest_first(store: Store, tmp_path: Path) -> None:
    receipt = read(store, tmp_path, [pair(1), pair(2, 2), pair(3, 3), pair(4, 8)])
    assert receipt.hours_without_calls == 5
    assert [(gap.gap_from.hour, gap.gap_to.hour, gap.hours) for gap in receipt.gaps] == [(12, 16, 4), (9, 10, 1)]


def test_calls_in_every_hour_leave_no_gap(store: Store, tmp_path: Path) -> None:
    receipt = read(store, tmp_path, [pair(1), pair(2, 1), pair(3, 2)])
    assert (receipt.hours_without_calls, receipt.gaps) == (0, ())


@pytest.mark.parametrize(("logged", "difference"), [("3.50", 0.0), ("3.85", 0.1), ("2.80", -0.2)])
def test_logged_and_computed_cost_stand_side_by_side(
    store: Store, tmp_path: Path, logged: str, difference: float
) -> None:
    receipt = read(store, tmp_path, [pair(1, cost_usd=logged), pair(2)])
    (line,) = receipt.by_model
    assert (line.logged_cost_usd, line.computed_cost_usd) == (Decimal(logged), Decimal("7"))
    assert line.difference == pytest.approx(difference), "only calls that have both costs are compared"


def test_an_invoice_stands_beside_the_cost_of_the_calls(store: Store, tmp_path: Path) -> None:
    receipt = read(store, tmp_path, [pair(1), pair(2)], invoice_usd=Decimal("8.75"))
    assert (receipt.invoice_usd, receipt.cost_usd) == (Decimal("8.75"), Decimal("7"))


def test_a_providers_usage_report_is_held_against_the_log(store: Store, tmp_path: Path) -> None:
    day = int(START.replace(hour=0, minute=0).timestamp())
    result = {"object": "organization.usage.completions.result", "input_tokens": 4_000_000, "output_tokens": 200_000}
    result |= {"num_model_requests": 3, "model": "gpt-4o-2024-08-06"}
    bucket = {"object": "bucket", "start_time": day, "end_time": day + 86_400, "results": [result]}
    report = tmp_path / "usage.json"
    report.write_text(json.dumps({"object": "page", "data": [bucket], "has_more": False}))
    read(store, tmp_path, [pair(1), pair(2), pair(3, 30)])
    receipt = ingest(store, [report])
    assert receipt.rows_kept == 0
    (bill,) = receipt.bills
    assert (bill.provider, bill.billed_calls, bill.logged_calls) == ("openai", 3, 2)
    assert (bill.billed_input_tokens, bill.logged_input_tokens) == (4_000_000, 2_000_000)


def test_a_retry_is_kept_linked_and_counted(store: Store, tmp_path: Path) -> None:
    failed = pair(1, trace_id="t1", response={"error": {"code": "rate_limit", "message": "slow down"}})
    again = pair(2, trace_id="t1", request=failed["request"])
    other = pair(3, trace_id="t1")
    alone = pair(4, trace_id="t2", response={"error": {"code": "server_error", "message": "no"}})
    receipt = read(store, tmp_path, [failed, again, other, alone])
    assert (receipt.rows_kept, receipt.retried) == (4, 1)


@pytest.mark.parametrize(("keep", "low", "high"), [("all", 400, 400), ("none", 0, 0), ("sample", 15, 75)])
def test_content_is_kept_of_all_some_or_no_calls_and_the_cost_of_all(
    store: Store, tmp_path: Path, keep: str, low: int, high: int
) -> None:
    receipt = read(store, tmp_path, [pair(number) for number in range(400)], keep=keep)
    assert (receipt.rows_kept, receipt.cost_usd) == (400, Decimal("1400"))
    query = "SELECT count(request), count(response), count(*) FILTER (content_state = 'full') FROM calls"
    ((requests, responses, full),) = store._connection.execute(query).fetchall()
    assert requests == responses == full
    assert low <= full <= high


def test_the_sample_of_content_is_the_same_in_every_run(tmp_path: Path) -> None:
    kept = []
    for rows in (range(300), reversed(range(300))):
        with Store(None) as store:
            read(store, tmp_path, [pair(number) for number in rows], keep="sample")
            query = "SELECT source_id FROM calls WHERE request IS NOT NULL ORDER BY 1"
            kept.append(store._connection.execute(query).fetchall())
    assert kept[0] == kept[1] != []


def test_a_batch_is_priced_at_half_the_list(store: Store, tmp_path: Path) -> None:
    body = pair(1)["response"] | {"id": "chatcmpl-1", "object": "chat.completion", "created": int(START.timestamp())}
    asked = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": pair(1)["request"]}
    answered = {"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}
    (tmp_path / "in.jsonl").write_text(json.dumps(asked) + "\n")
    (tmp_path / "out.jsonl").write_text(json.dumps(answered) + "\n")
    receipt = ingest(store, [tmp_path / "in.jsonl", tmp_path / "out.jsonl"])
    assert (receipt.rows_kept, receipt.rows_parts, receipt.content_share) == (1, 1, 1.0)
    assert receipt.cost_usd == Decimal("1.75"), "half of what the same call costs at once"


@pytest.mark.parametrize("keep", ["none", "sample"])
def test_no_part_of_a_call_keeps_what_the_call_must_not(store: Store, keep: str) -> None:
    logs = Path(__file__).resolve().parents[1] / "fixtures" / "logs"
    first = ingest(store, sorted(logs.glob("openai-batch*.*")), IngestOptions(keep=keep))  # type: ignore[arg-type]
    assert first.rows_kept > 0
    assert store._connection.execute("SELECT DISTINCT record FROM fragments").fetchall() == [("{}",)]
    assert [item.cause for item in first.missing] == [f"--keep-content {keep} left it out"]
    again = ingest(store, sorted(logs.glob("openai-batch*.*")), IngestOptions(keep=keep))  # type: ignore[arg-type]
    assert (again.rows_kept, again.filled) == (0, 0)


def test_a_table_beside_the_logs_is_skipped_and_a_named_one_is_an_error(store: Store, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,label\na,b\n")
    receipt = read(store, tmp_path, [pair(1)])
    assert receipt.rows_kept == 1
    receipt = ingest(store, [tmp_path])
    assert (receipt.failed, [Path(name).name for name in receipt.skipped]) == ((), ["labels.csv"])
    with pytest.raises(UnknownFormat, match=r"labels\.csv"):
        ingest(store, [tmp_path / "labels.csv"])
