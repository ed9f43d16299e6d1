"""How fast and how large is an ingest? Against DuckDB reading the same lines as text, and against llm-route-audit.

    python benchmarks/ingest.py [CALLS] [--peer COMMAND]

Writes a LiteLLM StandardLoggingPayload log of CALLS calls (1,000,000 unless told) of about 2 KB, and a tenth of it, to
a temporary folder. Each contestant runs as a process of its own, in turns, so that a busy machine slows all of them:

- duckdb: CREATE TABLE t AS SELECT * FROM read_ndjson_objects(file), which takes nothing out of the lines;
- tieraudit: `tieraudit ingest`, with everything that it does;
- llm-route-audit: `COMMAND import` on 100,000 calls, when --peer names its command (pip install llm-route-audit).

Time is wall clock; memory is the largest sum of resident memory over the process and its children.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROUNDS = 2
WORDS = [
    "order", "parcel", "invoice", "refund", "address", "delivery", "number", "please", "could", "today", "month",
    "change", "account", "message", "customer", "service", "because", "waiting", "already", "another", "question",
    "colour", "jacket", "receipt", "morning", "without", "between", "answer", "problem",
]  # fmt: skip
DUCKDB = (
    "import duckdb, sys; c = duckdb.connect(sys.argv[2]);"
    'c.execute("CREATE TABLE t AS SELECT * FROM read_ndjson_objects(?)", [sys.argv[1]]); c.close()'
)


class Run(NamedTuple):
    """Seconds and MiB of one process."""

    seconds: float
    mib: float


def call(rng: random.Random, number: int) -> dict[str, object]:
    """One payload as LiteLLM's callbacks write it, with the fields that they write."""
    start = 1_793_000_000 + number * 1.5
    prompt, completion = rng.randrange(180, 320), rng.randrange(5, 60)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    question = " ".join(rng.choices(WORDS, k=rng.randrange(40, 70)))
    return {
        "id": f"chatcmpl-{number:012d}",
        "trace_id": f"{rng.getrandbits(64):016x}",
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": None,
        "status": "success",
        "custom_llm_provider": "openai",
        "startTime": start,
        "endTime": round(start + rng.uniform(0.3, 2.5), 3),
        "completionStartTime": round(start + 0.3, 3),
        "model": "gpt-4o-mini",
        "model_group": "quick",
        "model_id": f"{rng.getrandbits(128):032x}",
        "api_base": "https://api.openai.com/v1/",
        "metadata": {
            "user_api_key_hash": f"{rng.getrandbits(256):064x}",
            "user_api_key_alias": "support",
            "spend_logs_metadata": None,
            "requester_metadata": {},
            "usage_object": usage,
        },
        "response_cost": round(prompt * 1.5e-7 + completion * 6e-7, 10),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "request_tags": ["support"],
        "end_user": f"customer-{rng.randrange(9000)}",
        "messages": [
            {"role": "system", "content": f"You sort the mail of a shop. Topic {number % 12}. Answer with one word."},
            {"role": "user", "content": question},
        ],
        "response": {
            "id": f"chatcmpl-{number:012d}",
            "object": "chat.completion",
            "created": int(start),
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": rng.choice(WORDS), "tool_calls": None},
                }
            ],
            "usage": usage,
        },
        "model_parameters": {"temperature": 0, "max_tokens": 64},
        "hidden_params": {"litellm_model_name": "gpt-4o-mini", "response_cost": None},
    }


def write_log(path: Path, calls: int) -> Path:
    """The same bytes for the same number of calls."""
    rng = random.Random(20261122)
    with path.open("w", encoding="utf-8") as file:
        for number in range(calls):
            file.write(json.dumps(call(rng, number)) + "\n")
    return path


def measure(command: list[str], folder: Path) -> Run:
    """Run ``command`` and watch its memory and its children's; raises when it fails."""
    started, largest = time.perf_counter(), 0.0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None:
            largest = max(largest, resident_mib(process.pid))
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            raise RuntimeError(process.stderr.read().decode()[-2000:] if process.stderr else "failed")
    return Run(seconds, largest)


def resident_mib(pid: int) -> float:
    """The memory of a process and everything below it; 0 when it is gone (Linux)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        tasks = Path(f"/proc/{pid}/task").iterdir()
        below = {int(child) for task in tasks for child in (task / "children").read_text().split()}
    except OSError:
        return 0.0
    own = next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)
    return own + sum(map(resident_mib, below))


def duckdb_run(log: Path, folder: Path) -> Run:
    """DuckDB's own reader, into a new database."""
    database = folder / "lines.duckdb"
    database.unlink(missing_ok=True)
    return measure([sys.executable, "-c", DUCKDB, str(log), str(database)], folder)


def tieraudit_run(log: Path, folder: Path) -> Run:
    """The whole ingest, into a new database."""
    database = folder / "audit.duckdb"
    database.unlink(missing_ok=True)
    return measure([sys.executable, "-m", "tieraudit", "--db", str(database), "ingest", str(log)], folder)


def peer_run(peer: str, log: Path, folder: Path) -> Run:
    """The peer's import, into a new file."""
    out = folder / "peer.jsonl"
    out.unlink(missing_ok=True)
    return measure([peer, "import", str(log), "--format", "litellm", "--out", str(out)], folder)


def best(runs: list[Run]) -> Run:
    """The fastest time and the largest memory."""
    return Run(min(run.seconds for run in runs), max(run.mib for run in runs))


def told(name: str, calls: int, run: Run) -> str:
    """One line of the table."""
    each = run.seconds / calls * 1e6
    return f"{name:<16} {calls:>9,} calls {run.seconds:>8.1f} s {each:>7.1f} us a call {run.mib:>7.0f} MiB"


def main() -> None:
    """Print the table and the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("calls", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--peer", help="the command of llm-route-audit")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tenth = given.calls // 10
        large, small = write_log(folder / "large.jsonl", given.calls), write_log(folder / "small.jsonl", tenth)
        print(f"{large.stat().st_size / given.calls:,.0f} bytes a call")
        runs = [
            (duckdb_run(large, folder), tieraudit_run(large, folder), tieraudit_run(small, folder))
            for _ in range(ROUNDS)
        ]
        duck, ours, ours_small = (best(list(column)) for column in zip(*runs, strict=True))
        print(told("duckdb", given.calls, duck))
        print(told("tieraudit", given.calls, ours))
        print(told("tieraudit", tenth, ours_small))
        print(f"time against duckdb: {ours.seconds / duck.seconds:.2f}")
        print(f"time a call, {given.calls:,} against {tenth:,}: {ours.seconds / ours_small.seconds / 10:.2f}")
        if given.peer:
            peer = best([peer_run(given.peer, small, folder) for _ in range(ROUNDS)])
            print(told("llm-route-audit", tenth, peer))
            print(f"llm-route-audit takes {peer.seconds / ours_small.seconds:.1f} times as long")


if __name__ == "__main__":
    main()
