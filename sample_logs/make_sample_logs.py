"""Make the sample logs: three weeks of model calls of a fictional shop, the same bytes on every run.

Run it from anywhere: `python sample_logs/make_sample_logs.py [folder]`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sample_logs import text_tasks
from sample_logs.calls import FAILURES, Call, Task, make_call
from sample_logs.catalogue import CATALOGUE
from sample_logs.langfuse_writer import trace_document
from sample_logs.vocab import Draft, Moment
from sample_logs.writers import Row, pair, spend_row, standard_payload

SEED = 20261026
FIRST_DAY = datetime(2026, 10, 26, tzinfo=UTC)
DAYS = 21
FAILURE_RATE = 0.015
CACHE_HITS = 3
# Weight of each weekday from Monday on, and of each hour from midnight on.
RHYTHMS = {
    "shop": (
        (10, 9, 9, 9, 10, 6, 5),
        (0, 0, 0, 0, 0, 1, 2, 4, 8, 10, 10, 9, 8, 9, 9, 8, 8, 8, 7, 6, 5, 3, 1, 1),
    ),
    "office": (
        (10, 10, 9, 9, 7, 0.3, 0.2),
        (0, 0, 0, 0, 0, 0, 1, 5, 9, 10, 10, 8, 5, 8, 9, 9, 7, 3, 1, 0, 0, 0, 0, 0),
    ),
    "scanner": (
        (10, 8, 8, 8, 10, 4, 0.5),
        (0, 0, 0, 0, 2, 9, 10, 6, 2, 1, 1, 1, 1, 4, 8, 6, 2, 1, 0, 0, 0, 0, 0, 0),
    ),
}


def moments(rng: Random, rhythm: str, count: int) -> list[Moment]:
    """Draw the times of the calls of a task, earliest first."""
    weekdays, hours = RHYTHMS[rhythm]
    days = rng.choices(range(DAYS), [weekdays[day % 7] for day in range(DAYS)], k=count)
    clock = rng.choices(range(24), hours, k=count)
    at = sorted(
        FIRST_DAY + timedelta(days=day, hours=hour, seconds=round(rng.uniform(0, 3600), 3))
        for day, hour in zip(days, clock, strict=True)
    )
    return [Moment(when, 40000 + int((when - FIRST_DAY).total_seconds() // 90)) for when in at]


def with_retries(rng: Random, call: Call) -> list[Call]:
    """Give the call, and now and then a failed attempt before it that shares its trace."""
    if rng.random() >= FAILURE_RATE:
        return [call]
    failure = rng.choices(sorted(FAILURES), (5, 3, 2))[0]
    failed = make_call(rng, call.task, deepcopy(call.draft), call.start, failure)
    failed.trace_id = call.trace_id
    call.start = round(failed.end + rng.uniform(0.5, 2.0), 3)
    return [failed, call]


def with_cache_hits(rng: Random, calls: list[Call]) -> list[Call]:
    """Repeat a few calls a minute later, answered by the gateway's cache."""
    done = [call for call in calls if call.failure is None]
    hits = []
    for call in rng.sample(done, CACHE_HITS):
        later = replace(call, start=round(call.end + rng.uniform(20, 90), 3), latency=0.012, first_token=0.012)
        hits.append(replace(later, cache_hit=True, trace_id=f"{rng.getrandbits(64):016x}"))
    return calls + hits


def plain_calls(rng: Random, task: Task, count: int) -> list[Call]:
    """Make calls that stand alone, with their failed attempts."""
    made = []
    for moment in moments(rng, task.rhythm, count):
        made += with_retries(rng, make_call(rng, task, task.build(rng, moment), moment.at.timestamp()))
    return made


def agent_runs(rng: Random, task: Task) -> list[list[Call]]:
    """Make calls that belong together in a trace."""
    runs = []
    for moment in moments(rng, task.rhythm, task.langfuse):
        run = [make_call(rng, task, task.build(rng, moment), moment.at.timestamp())]
        if run[0].draft.tool_calls:
            follow: Draft = text_tasks.agent_answer(rng, run[0].draft)
            run.append(make_call(rng, task, follow, run[0].end + 0.4))
        runs.append(run)
    return runs


def jsonl(rows: list[Row]) -> bytes:
    """Write rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def gzipped(data: bytes) -> bytes:
    """Compress without a time stamp."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()


def main(folder: Path) -> None:
    """Make every file."""
    labels: list[tuple[str, str]] = []
    gateway: list[tuple[float, Row]] = []
    own: list[tuple[float, Row]] = []
    spent: list[tuple[float, Row]] = []
    traces = folder / "langfuse-traces"
    traces.mkdir(parents=True, exist_ok=True)
    for old in traces.glob("*.trace.json"):
        old.unlink()
    for task in CATALOGUE:
        rng = Random(f"{SEED}:{task.name}")
        proxied = plain_calls(rng, task, task.litellm)
        if task.name in ("order_number", "urgency"):
            proxied = with_cache_hits(rng, proxied)
        gateway += [(call.end, standard_payload(rng, call)) for call in proxied]
        labels += [(row["id"], task.name) for _, row in gateway[-len(proxied) :] if proxied]
        direct = [(call.start, pair(rng, call)) for call in plain_calls(rng, task, task.pairs)]
        own += direct
        labels += [(row["id"], task.name) for _, row in direct]
        billed = [(call.end, spend_row(rng, call)) for call in plain_calls(rng, task, task.spend)]
        spent += billed
        labels += [(row["request_id"], task.name) for _, row in billed]
        prompt = ("help-answer", 4) if task.name == "help_answer" else None
        for run in agent_runs(rng, task):
            name = "help-centre" if prompt else "order-agent"
            document, ids = trace_document(rng, name, run, prompt)
            labels += [(source, task.name) for source in ids]
            path = traces / f"{name}-{document['trace']['timestamp'][:10]}-{document['trace']['id'][:6]}.trace.json"
            path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    for rows in (gateway, own, spent):
        rows.sort(key=lambda item: item[0])
    (folder / "litellm-gateway.jsonl.gz").write_bytes(gzipped(jsonl([row for _, row in gateway])))
    (folder / "openai-pairs.jsonl").write_bytes(jsonl([row for _, row in own]))
    (folder / "litellm-spend-logs.jsonl").write_bytes(jsonl([row for _, row in spent]))
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([("source_id", "task"), *sorted(labels)])
    print(f"{len(labels)} calls of {len(CATALOGUE)} tasks in {folder.name}/")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
