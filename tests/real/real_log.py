"""A four-week LiteLLM log from public data sets: real questions, gold answers as the incumbent's, a real rhythm."""

from __future__ import annotations

import ast
import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 10, 19, tzinfo=UTC)
WEEKS = 4
MODEL = "gpt-5"
SIMPLE = (
    "You are the back office's function caller. Call the one function that answers the request, with exact arguments."
)
MULTIPLE = "Several functions are on offer. Choose the single function that fits what the user wants and call it once."
BANKING = (
    "You route messages of a bank's customers. Answer with exactly one of these intents and nothing else: {labels}."
)
BOOKING = (
    "Read a guest's message to a restaurant and return what it says as one JSON object with the keys people, date, "
    "time, first_name and last_name. Copy the words of the message. Use null for what it does not say."
)
SLOTS = ("people", "date", "time", "first_name", "last_name")


@dataclass(frozen=True)
class Question:
    """One request with the answer that is known to be right."""

    task: str
    system: str
    user: str
    tools: list[dict[str, Any]] | None = None
    text: str | None = None
    tool_call: dict[str, Any] | None = None


def questions(data: Path, seed: int = 7) -> list[Question]:
    """All questions of the log, in a seeded order."""
    found = [*_banking(data, 2600), *_booking(data, 1600), *_bfcl(data, "simple_python"), *_bfcl(data, "multiple")]
    random.Random(seed).shuffle(found)
    return found


def write_log(data: Path, path: Path, seed: int = 7) -> list[Question]:
    """Write the log as LiteLLM StandardLoggingPayload JSONL; returns its questions in order."""
    asked = questions(data, seed)
    with path.open("w", encoding="utf-8") as file:
        for number, (question, moment) in enumerate(zip(asked, _arrivals(data, len(asked), seed), strict=True)):
            file.write(json.dumps(_payload(number, question, moment)) + "\n")
    return asked


def parse_calls(text: str) -> list[tuple[str, dict[str, Any]]] | None:
    """The function calls that a model wrote as Python, as in ``[f(a=1)]``; None when it wrote something else."""
    try:
        tree = ast.parse(text.replace("<end_of_turn>", "").strip(), mode="eval").body
        calls = tree.elts if isinstance(tree, ast.List) else [tree]
        return [_parse_call(call) for call in calls]
    except (SyntaxError, ValueError, AttributeError):
        return None


def _parse_call(call: ast.expr) -> tuple[str, dict[str, Any]]:
    if not isinstance(call, ast.Call):
        raise ValueError("not a call")
    arguments = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    return function_name(ast.unparse(call.func)), arguments


def function_name(name: str) -> str:
    """OpenAI's function names take no dots."""
    return name.replace(".", "_")


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _banking(data: Path, count: int) -> Iterator[Question]:
    labels = json.loads((data / "banking77/categories.json").read_text(encoding="utf-8"))
    system = BANKING.format(labels=", ".join(labels))
    with (data / "banking77/train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in random.Random(1).sample(rows, count):
        yield Question("banking", system, row["text"], text=row["category"])


def _booking(data: Path, count: int) -> Iterator[Question]:
    rows = json.loads((data / "restaurant8k/train_1.json").read_text(encoding="utf-8"))
    for row in random.Random(2).sample(rows, count):
        text = row["userInput"]["text"]
        answer: dict[str, str | None] = dict.fromkeys(SLOTS)
        for label in row.get("labels", []):
            span = label["valueSpan"]
            answer[label["slot"]] = text[span.get("startIndex", 0) : span["endIndex"]]
        yield Question("booking", BOOKING, text, text=json.dumps(answer))


def _bfcl(data: Path, category: str) -> Iterator[Question]:
    folder = data / "bfcl"
    truths = {row["id"]: row["ground_truth"] for row in read_jsonl(folder / f"possible_answer/BFCL_v4_{category}.json")}
    for row in read_jsonl(folder / f"questions/BFCL_v4_{category}.json"):
        name, allowed = next(iter(truths[row["id"]][0].items()))
        gold = {"name": function_name(name), "arguments": json.dumps(_first_choice(allowed))}
        tools = [_tool(function, allowed if function["name"] == name else {}) for function in row["function"]]
        system = SIMPLE if category.startswith("simple") else MULTIPLE
        yield Question(category, system, row["question"][0][0]["content"], tools=tools, tool_call=gold)


def _first_choice(allowed: dict[str, list[Any]]) -> dict[str, Any]:
    """The first allowed value of each argument that must be given; an empty string among them means optional."""
    return {key: _plain(values[0]) for key, values in allowed.items() if "" not in values}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner[0]) for key, inner in value.items() if "" not in inner}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _tool(function: dict[str, Any], allowed: dict[str, list[Any]]) -> dict[str, Any]:
    parameters = _schema(function["parameters"])
    for name, values in allowed.items():
        given = [value for value in values if value != ""]
        if "" in values and given and name in parameters["properties"]:
            parameters["properties"][name]["default"] = given[0]
    return {
        "type": "function",
        "function": {
            "name": function_name(function["name"]),
            "description": function["description"],
            "parameters": parameters,
        },
    }


def _schema(node: Any) -> Any:
    """BFCL's Python type names as JSON Schema."""
    kinds = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}
    if isinstance(node, dict):
        return {
            key: kinds.get(value, value) if key == "type" and isinstance(value, str) else _schema(value)
            for key, value in node.items()
        }
    return [_schema(item) for item in node] if isinstance(node, list) else node


def _arrivals(data: Path, count: int, seed: int) -> list[datetime]:
    """Moments in the four weeks, as dense as the requests per hour of a real service."""
    with (data / "burstgpt_hourly/by_bin_15m.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    busy = [0.0] * (WEEKS * 7 * 24)
    for row in rows:
        busy[int(row["time_bin"]) // 3600 % len(busy)] += float(row["avg_turns"]) * float(row["session_count"])
    rng = random.Random(seed)
    hours = rng.choices(range(len(busy)), weights=busy, k=count)
    return sorted(START + timedelta(hours=hour, seconds=rng.uniform(0, 3600)) for hour in hours)


def _payload(number: int, question: Question, moment: datetime) -> dict[str, Any]:
    call = question.tool_call
    tool_calls = [{"id": f"call_{number}", "type": "function", "function": call}] if call else None
    message = {"role": "assistant", "content": question.text, "tool_calls": tool_calls}
    tools = {"tools": question.tools} if question.tools else {}
    size = len(question.system) + len(question.user) + len(json.dumps(question.tools or ""))
    usage = {"prompt_tokens": size // 4, "completion_tokens": 1 + len(json.dumps(message)) // 8}
    started = moment.timestamp()
    return {
        "id": f"chatcmpl-real-{number:06d}",
        "trace_id": f"trace-{number:06d}",
        "call_type": "acompletion",
        "status": "success",
        "startTime": started,
        "endTime": started + 1.2,
        "completionStartTime": started + 0.4,
        "response_time": 1.2,
        "custom_llm_provider": "openai",
        "model": MODEL,
        "model_group": MODEL,
        "messages": [{"role": "system", "content": question.system}, {"role": "user", "content": question.user}],
        "model_parameters": {"temperature": 0, "max_tokens": 128, **tools},
        "response": {
            "id": f"chatcmpl-real-{number:06d}",
            "model": f"{MODEL}-2025-08-07",
            "choices": [{"index": 0, "finish_reason": "tool_calls" if call else "stop", "message": message}],
            "usage": {**usage, "total_tokens": sum(usage.values())},
        },
        **usage,
        "total_tokens": sum(usage.values()),
        "response_cost": None,
        "cache_hit": None,
        "request_tags": [],
        "metadata": {},
    }
