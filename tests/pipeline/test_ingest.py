"""Ingest: every row is kept, known or in quarantine; once is enough; costs come from dated prices; secrets stay out."""

from __future__ import annotations

import gzip
import json
import random
import re
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Usage
from tieraudit.errors import InputError, UsageError
from tieraudit.formats import framing
from tieraudit.pipeline import workers
from tieraudit.pipeline.ingest import IngestOptions, ingest
from tieraudit.pipeline.receipt import Receipt
from tieraudit.pricing import usd_for
from tieraudit.store import Store

LOGS = Path(__file__).resolve().parents[1] / "fixtures" / "logs"
PAYLOADS, SPEND = LOGS / "litellm.jsonl", LOGS / "litellm-spend.jsonl"
TRACE, PAIRS = LOGS / "langfuse-trace.json", LOGS / "openai-pairs.jsonl"


def query(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return store._connection.execute(sql).fetchall()


def contents(store: Store) -> list[list[tuple[Any, ...]]]:
    columns = "* EXCLUDE (started_at), epoch_us(started_at)"
    return [query(store, f"SELECT {columns} FROM calls ORDER BY ALL"), query(store, "FROM quarantine ORDER BY ALL")]


def balanced(receipt: Receipt) -> bool:
    return receipt.rows_read == receipt.rows_kept + receipt.rows_duplicate + receipt.rows_quarantined


def pair(number: int, **changes: Any) -> dict[str, Any]:
    record = {
        "id": f"call-{number}",
        "timestamp": (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat(),
        "provider": "openai",
        "request": {"model": "gpt-4o", "messages": [{"role": "user", "content": f"question {number}"}]},
        "response": {
            "model": "gpt-4o-2024-08-06",
            "choices": [{"message": {"role": "assistant", "content": f"answer {number}"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10},
        },
    }
    return {**record, **changes}


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def store() -> Store:
    return Store(None)


@pytest.mark.parametrize(
    ("path", "rows"),
    [(PAYLOADS, (10, 9, 0, 1)), (SPEND, (4, 4, 0, 0)), (TRACE, (8, 5, 0, 3)), (PAIRS, (10, 10, 0, 0))],
)
def test_every_row_of_a_file_is_accounted_for(store: Store, path: Path, rows: tuple[int, ...]) -> None:
    receipt = ingest(store, [path])
    assert (receipt.rows_read, receipt.rows_kept, receipt.rows_duplicate, receipt.rows_quarantined) == rows
    assert balanced(receipt)
    assert query(store, "SELECT count(*) FROM calls") == [(receipt.rows_kept,)]
    assert query(store, "SELECT rows_read, rows_kept FROM ingests") == [rows[:2]]


@pytest.mark.parametrize("path", [PAYLOADS, SPEND, TRACE, PAIRS])
def test_the_same_file_twice_changes_nothing(store: Store, path: Path) -> None:
    first = ingest(store, [path])
    before = contents(store)
    second = ingest(store, [path])
    assert contents(store) == before
    assert second.nothing_new and not first.nothing_new
    assert second.rows_duplicate == first.rows_kept
    assert second.rows_quarantined == first.rows_quarantined
    assert balanced(second)


def test_a_renamed_and_packed_copy_brings_nothing_new(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "export-2.gz"
    copy.write_bytes(gzip.compress(PAYLOADS.read_bytes()))
    ingest(store, [PAYLOADS])
    assert ingest(store, [copy]).nothing_new


def test_the_same_file_named_twice_is_read_once(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [pair(1)])
    receipt = ingest(store, [path, tmp_path, path])
    assert (len(receipt.files), receipt.rows_read) == (1, 1)


@pytest.mark.parametrize("batch", [1, 3, 4000])
def test_a_call_twice_in_one_file_is_kept_once(
    store: Store, tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((framing, "CHUNK"), (framing, "BLOCK"), (workers, "BYTES")):
        monkeypatch.setattr(module, name, batch)
    path = write(tmp_path / "log.jsonl", [pair(number % 5) for number in range(12)])
    receipt = ingest(store, [path])
    assert (receipt.rows_read, receipt.rows_kept, receipt.rows_duplicate) == (12, 5, 7)


@pytest.mark.parametrize("order", [[PAYLOADS, SPEND], [SPEND, PAYLOADS]])
def test_a_call_in_two_exports_is_one_call_with_its_content(store: Store, order: list[Path]) -> None:
    receipt = ingest(store, order)
    assert (receipt.rows_kept, receipt.rows_duplicate) == (12, 1)
    assert receipt.filled == (1 if order[0] == SPEND else 0)
    [(state, answer)] = query(
        store, "SELECT content_state, response->>'$.text' FROM calls WHERE source_id = 'chatcmpl-a1'"
    )
    assert (state, answer) == ("full", "delivery")
    assert query(store, "SELECT sum(rows_kept) = (SELECT count(*) FROM calls) FROM ingests") == [(True,)]


def test_calls_without_an_id_are_told_apart_by_content(store: Store, tmp_path: Path) -> None:
    records = [pair(number, id=None) for number in (1, 1, 2)]
    receipt = ingest(store, [write(tmp_path / "log.jsonl", records)])
    assert (receipt.rows_kept, receipt.rows_duplicate) == (2, 1)


def test_the_store_and_the_single_price_agree_to_the_last_digit(store: Store, tmp_path: Path) -> None:
    noise = random.Random(3)
    models = [
        ("openai", "gpt-4o"),
        ("openai", "o3"),
        ("google", "gemini-2.5-pro"),
        ("anthropic", "claude-sonnet-4-5"),
        ("", "unheard-of"),
    ]
    records = []
    for number in range(400):
        provider, model = noise.choice(models)
        size = noise.choice([0, 7, 1_234, 199_999, 200_000, 200_001, 900_003])
        made = noise.randrange(5000)
        usage = {
            "prompt_tokens": size,
            "completion_tokens": made,
            "prompt_tokens_details": {"cached_tokens": size // 3, "cache_write_tokens": size // 5},
            "completion_tokens_details": {"reasoning_tokens": made // 2},
        }
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=noise.randrange(690), seconds=noise.randrange(86_400))
        response = {**pair(number)["response"], "model": model, "usage": usage}
        request = {**pair(number)["request"], "model": model}
        records.append(pair(number, provider=provider, timestamp=at.isoformat(), request=request, response=response))
    ingest(store, [write(tmp_path / "log.jsonl", records)])
    rows = query(
        store,
        """SELECT provider, request_model, epoch_us(started_at), computed_cost_usd, cost_usd, input_tokens,
            cache_read_input_tokens, cache_creation_input_tokens, output_tokens, reasoning_output_tokens FROM calls""",
    )
    assert len(rows) == 400
    for provider, model, us, computed, cost, *tokens in rows:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
        expected = usd_for(Usage(*tokens), provider, model, at)
        assert computed == cost == expected, (provider, model, at, tokens)
        assert (computed is None) == (model == "unheard-of")


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({}, "0.000350000"),
        ({"cost_usd": 0.5}, "0.500000000"),
        ({"cost_usd": 0}, "0.000350000"),
        ({"cost_usd": 0.5, "cache_hit": True}, "0E-9"),
        ({"provider": "azure", "request": {"model": "our-deployment", "messages": []}}, "0.000350000"),
        ({"response": {"status": 500, "body": {"error": {"message": "down"}}}}, "0E-9"),
        ({"provider": "hosted_vllm"}, None),
    ],
    ids=["computed", "logged", "logged zero", "cache hit", "deployment name", "failed", "self-hosted"],
)
def test_a_call_costs_what_the_log_says_else_what_the_price_says(
    store: Store, tmp_path: Path, changes: dict[str, Any], cost: str | None
) -> None:
    receipt = ingest(store, [write(tmp_path / "log.jsonl", [pair(1, **changes)])])
    assert query(store, "SELECT cost_usd FROM calls") == [(None if cost is None else Decimal(cost),)]
    assert receipt.unpriced_calls == (1 if cost is None else 0)


def test_the_answering_models_price_comes_before_that_of_the_model_asked_for(store: Store, tmp_path: Path) -> None:
    record = pair(1)
    record["response"]["model"] = "gpt-4o-mini-2024-07-18"
    ingest(store, [write(tmp_path / "log.jsonl", [record])])
    assert query(store, "SELECT computed_cost_usd FROM calls") == [(Decimal("0.000021000"),)]


def test_unpriced_models_are_named_and_never_zero(store: Store, tmp_path: Path) -> None:
    records = [pair(1), pair(2, provider="hosted_vllm"), pair(3, response={**pair(3)["response"], "usage": {}})]
    receipt = ingest(store, [write(tmp_path / "log.jsonl", records)])
    assert receipt.unpriced_calls == 2
    assert {(line.provider, line.model, line.calls, line.without_tokens) for line in receipt.unpriced} == {
        ("hosted_vllm", "gpt-4o", 1, 0), ("openai", "gpt-4o", 1, 1),
    }  # fmt: skip
    assert {line.provider: line.computed_cost_usd for line in receipt.by_model} == {
        "openai": Decimal("0.00035"), "hosted_vllm": None,
    }  # fmt: skip


def test_prices_of_an_older_release_are_replaced(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [pair(1)])
    ingest(store, [path])
    store._connection.execute("UPDATE price_table SET source = 'genai-prices 0.0.1: openai/gpt-4o'")
    ingest(store, [write(tmp_path / "log2.jsonl", [pair(2)])])
    assert query(store, "SELECT count(*) FROM price_table WHERE source LIKE 'genai-prices 0.0.1:%'") == [(0,)]
    assert query(store, "SELECT count(*), count(cost_usd) FROM calls") == [(2, 2)]


SECRET = "sk-proj-" + "q1W2e3R4" * 5


def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    record = pair(
        1,
        user=SECRET,
        tags=[SECRET],
        trace_id=SECRET,
        session_id=SECRET,
        metadata={"task": SECRET, "note": [SECRET], SECRET: "x", "api_key": "short-but-secret"},
    )
    record["request"]["messages"][0]["content"] = f"my key is {SECRET}"
    record["request"]["tools"] = [{"type": "function", "function": {"name": "f", "description": SECRET}}]
    record["response"]["choices"][0]["message"]["content"] = json.dumps({"password": "hunter2hunter2", "k": SECRET})
    failed = pair(2, response={"status": 401, "body": {"error": {"message": f"bad key {SECRET}", "code": "no"}}})
    lines = [json.dumps(record), json.dumps(failed), f'{{"key": "{SECRET}", broken', json.dumps({"key": SECRET})]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines), encoding="utf-8")
    path = tmp_path / "a.duckdb"
    with Store(path) as store:
        receipt = ingest(store, [log])
        everything = str(
            [query(store, f"SELECT {table}::VARCHAR FROM {table}") for table in ("calls", "quarantine", "ingests")]
        )
    assert receipt.rows_read == 4 and receipt.rows_kept == 2
    for secret in (SECRET, "hunter2", "short-but-secret"):
        assert secret not in everything
        assert secret.encode() not in path.read_bytes()
        assert secret not in str(receipt.to_json())
    assert "[secret:openai_key]" in everything
    assert receipt.found["secret:openai_key"] >= 8


def test_personal_data_stay_unless_redact_is_asked_for(tmp_path: Path) -> None:
    record = pair(1, user="bob@example.org")
    record["request"]["messages"][0]["content"] = "I am bob@example.org"
    record["response"]["choices"][0]["message"]["content"] = "Hello bob@example.org"
    path = write(tmp_path / "log.jsonl", [record])
    plain, redacted = Store(None), Store(None)
    assert dict(ingest(plain, [path]).found) == {}
    receipt = ingest(redacted, [path], IngestOptions(redact=True))
    sql = "SELECT request->>'$.messages[0].content', response->>'$.text', user_id FROM calls"
    assert query(plain, sql) == [("I am bob@example.org", "Hello bob@example.org", "bob@example.org")]
    [(asked, answered, user)] = query(redacted, sql)
    placeholder = asked.removeprefix("I am ")
    assert re.fullmatch(r"\[email:[0-9a-f]{4}\]", placeholder) and answered == f"Hello {placeholder}"
    assert re.fullmatch(r"\[user:[0-9a-f]{4}\]", user)
    again = Store(None)
    again._connection.execute("INSERT INTO redaction_key VALUES (?)", [query(redacted, "FROM redaction_key")[0][0]])
    ingest(again, [path], IngestOptions(redact=True))
    assert query(again, sql) == [(asked, answered, user)]
    assert receipt.found["email"] == 3
    assert query(plain, "SELECT call_id FROM calls") == query(redacted, "SELECT call_id FROM calls")


def test_only_calls_inside_the_window_are_read(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [pair(number) for number in range(10)])
    begin = datetime(2026, 11, 1, 0, 3, tzinfo=UTC)
    receipt = ingest(store, [path], IngestOptions(since=begin, until=begin + timedelta(minutes=4)))
    assert (receipt.rows_read, receipt.rows_kept, receipt.rows_outside) == (4, 4, 6)
    assert (receipt.first_call, receipt.last_call) == (begin, begin + timedelta(minutes=3))


def test_a_folder_is_walked_in_order_and_others_are_named(store: Store, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write(tmp_path / "b" / "1.JSONL", [pair(1)])
    write(tmp_path / "a.ndjson", [pair(2)])
    (tmp_path / "c.json.gz").write_bytes(gzip.compress(json.dumps([pair(3), pair(4)]).encode()))
    (tmp_path / "notes.txt").write_text("not a log")
    receipt = ingest(store, [tmp_path])
    assert [Path(name).name for name in receipt.files] == ["a.ndjson", "1.JSONL", "c.json.gz"]
    assert [Path(name).name for name in receipt.skipped] == ["notes.txt"]
    assert receipt.rows_kept == 4


def test_a_file_is_read_whatever_its_name_when_it_is_named(store: Store, tmp_path: Path) -> None:
    assert ingest(store, [write(tmp_path / "export.log", [pair(1)])]).rows_kept == 1


def test_a_file_that_is_no_log_does_not_cost_the_others(store: Store, tmp_path: Path) -> None:
    bad = tmp_path / "a.jsonl"
    bad.write_text("hello\n")
    good = write(tmp_path / "b.jsonl", [pair(1)])
    receipt = ingest(store, [bad, good, tmp_path / "absent.jsonl"])
    assert receipt.rows_kept == 1
    assert len(receipt.failed) == 2
    assert query(store, "SELECT count(*) FROM ingests") == [(1,)]


def test_no_readable_file_at_all_is_an_error(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("hello\n")
    (tmp_path / "b.jsonl").write_text("")
    with pytest.raises(InputError, match=r"a\.jsonl: not a log.*and 1 more"):
        ingest(store, [tmp_path])
    assert query(store, "SELECT count(*) FROM ingests") == [(0,)]


def test_a_wrong_format_by_name_keeps_the_rows_in_quarantine_and_says_so(store: Store) -> None:
    receipt = ingest(store, [PAYLOADS], IngestOptions(format="langfuse-trace"))
    assert (receipt.rows_kept, receipt.rows_quarantined) == (0, 10)
    assert "not a Langfuse trace download; so are all 10 rows" in receipt.failed[0].message
    assert "--format" in receipt.failed[0].hint
    with pytest.raises(UsageError, match="unknown formats 'langfuse'"):
        ingest(store, [PAYLOADS], IngestOptions(format="langfuse"))


def test_a_trace_of_other_things_alone_is_no_failure(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"trace": {"id": "t"}, "observations": [{"id": "s", "type": "SPAN", "name": "x"}]}))
    receipt = ingest(store, [path])
    assert (receipt.rows_quarantined, receipt.failed) == (1, ())


def test_reasons_are_counted_with_an_example_each(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(
        json.dumps(pair(1)).encode() + b"\n{bad\n{worse\n" + b'{"a": "\xff"}\n' + json.dumps({"x": 1}).encode() + b"\n"
    )
    receipt = ingest(store, [path])
    assert [(item.reason, item.count, item.example) for item in receipt.quarantine] == [
        ("not valid JSON", 2, f"{path}:2"),
        ("not valid UTF-8", 1, f"{path}:4"),
        ("not a request with its response", 1, f"{path}:5"),
    ]
    assert query(store, "SELECT source_line, reason FROM quarantine WHERE source_line = 3") == [(3, "not valid JSON")]


def test_the_receipt_says_why_content_is_missing_and_what_to_do(store: Store) -> None:
    receipt = ingest(store, [SPEND])
    assert receipt.content_share == 0.25
    cures = " ".join(item.cure for item in receipt.missing)
    assert "store_prompts_in_spend_logs: true" in cures
    assert "MAX_STRING_LENGTH_PROMPT_IN_DB" in cures
    assert sum(item.calls for item in receipt.missing) == 3


def test_the_receipt_as_json_has_the_keys_of_the_contract(store: Store) -> None:
    result = ingest(store, [PAYLOADS, PAIRS]).to_json()
    contract = (
        "files rows_read rows_kept rows_duplicate rows_quarantined quarantine by_format by_model content_share"
        " unpriced_calls first_call last_call"
    )
    assert list(result)[:12] == contract.split()
    assert result["files"] == 2
    assert result["by_format"] == {"litellm": 9, "openai-pairs": 10}
    assert set(result["quarantine"][0]) == {"reason", "count", "example"}
    assert list(result["by_model"][0]) == [
        "provider", "model", "calls", "logged_cost_usd", "computed_cost_usd", "difference",
    ]  # fmt: skip
    assert sum(line["calls"] for line in result["by_model"]) == result["rows_kept"]


def test_hostile_text_is_data(store: Store, tmp_path: Path) -> None:
    texts = ["'; DROP TABLE calls; --", "$1 {{x}} %s", "\x00\x1b[2J\u202e", "🙂 ﷽ ǆ", "</script>", "=1+1"]
    records = [pair(number, tags=[text], user=text, metadata={text: text}) for number, text in enumerate(texts)]
    for record, text in zip(records, texts, strict=True):
        record["request"]["messages"][0]["content"] = text
    receipt = ingest(store, [write(tmp_path / "log.jsonl", records)])
    assert receipt.rows_kept == len(texts)
    kept = {json.loads(row[0])["messages"][0]["content"] for row in query(store, "SELECT request FROM calls")}
    assert kept == set(texts)


def test_a_deeply_nested_call_is_in_quarantine(store: Store, tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(900):
        deep = {"a": deep}
    record = pair(2, metadata={"deep": deep, "api_key": "x"})
    path = tmp_path / "log.jsonl"
    text = json.dumps(pair(1)) + "\n" + json.dumps(record) + "\n"
    path.write_text(text, encoding="utf-8")
    receipt = ingest(store, [path], IngestOptions(redact=True))
    assert receipt.rows_kept + receipt.rows_quarantined == 2
    assert receipt.rows_kept >= 1


SAMPLES = {
    "litellm/standard_logging_payload.jsonl": (21, 21, 0, 0),
    "litellm/spend_logs_rows.jsonl": (20, 20, 0, 0),
    "http_pairs/openai_chat.jsonl": (24, 24, 0, 0),
    "http_pairs/openai_responses.jsonl": (11, 11, 0, 0),
    "http_pairs/anthropic_messages.jsonl": (9, 9, 0, 0),
    "http_pairs/bedrock_runtime.jsonl": (13, 13, 0, 0),
    "bedrock/model_invocation_log.jsonl": (7, 5, 0, 2),
    "vertex/request_response_row.json": (1, 1, 0, 0),
    "azure-openai/apim_gateway.log": (2, 2, 0, 0),
    "azure-openai/request_response_diagnostic.log": (3, 2, 0, 1),
    "anthropic/message_batch_results.jsonl": (2, 0, 0, 2),
    "openai/batch/out.jsonl": (1, 1, 0, 0),
    "langfuse/ui-trace-json": (88, 22, 0, 66),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("packed", [False, True])
def test_real_exports_lose_nothing_silently(
    store: Store, shared: Path, tmp_path: Path, name: str, packed: bool
) -> None:
    source = shared / "samples" / name
    if not source.exists():
        pytest.skip("needs the sample logs beside the checkout")
    if packed:
        for item in [source] if source.is_file() else sorted(source.iterdir()):
            with gzip.open(tmp_path / f"{item.name}.gz", "wb") as out, item.open("rb") as given:
                shutil.copyfileobj(given, out)
        source = tmp_path
    receipt = ingest(store, [source])
    assert (receipt.rows_read, receipt.rows_kept, receipt.rows_duplicate, receipt.rows_quarantined) == SAMPLES[name]
    assert not receipt.failed
    if name.startswith("langfuse"):
        assert {item.reason for item in receipt.quarantine} == {
            *(f"not an LLM call: {kind}" for kind in ("SPAN", "TOOL", "AGENT", "CHAIN")),
            "not an LLM call of its own: GENERATION around another",
        }  # fmt: skip
