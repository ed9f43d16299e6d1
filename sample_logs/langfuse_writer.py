"""Langfuse trace downloads: one document per trace, agent spans around the model calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

from sample_logs.calls import SERVED, Call

PROJECT = "cm3nordwand0001outfitters"
Row = dict[str, Any]


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(round(epoch, 3), UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _hex(rng: Random, count: int) -> str:
    return f"{rng.getrandbits(count * 4):0{count}x}"


def _observation(rng: Random, trace: str, parent: str | None, kind: str, name: str) -> Row:
    return {
        "id": _hex(rng, 16),
        "traceId": trace,
        "projectId": PROJECT,
        "parentObservationId": parent,
        "type": kind,
        "environment": "production",
        "name": name,
        "level": "DEFAULT",
        "statusMessage": None,
        "version": None,
        "model": None,
        "internalModelId": None,
        "modelParameters": None,
        "completionStartTime": None,
        "promptId": None,
        "promptName": None,
        "promptVersion": None,
        "timeToFirstToken": None,
        "usageDetails": {},
        "costDetails": {},
        "providedCostDetails": {},
        "metadata": "{}",
    }


def _timed(row: Row, start: float, end: float) -> Row:
    stamps = {"startTime": _iso(start), "endTime": _iso(end), "createdAt": _iso(end + 4), "updatedAt": _iso(end + 4)}
    return row | stamps | {"latency": round(end - start, 3)}


def _generation(rng: Random, trace: str, parent: str, call: Call, prompt: tuple[str, int] | None) -> Row:
    row = _timed(_observation(rng, trace, parent, "GENERATION", "chat " + call.task.model), call.start, call.end)
    params = dict(call.params)
    tools = params.pop("tools", None)
    given = {"tools": tools, "messages": call.draft.messages} if tools else call.draft.messages
    costs = call.costs or (0.0, 0.0)
    total = call.prompt_tokens + call.completion_tokens
    return row | {
        "model": SERVED[call.task.model],
        "modelParameters": params,
        "promptId": f"prm-{prompt[0]}-{prompt[1]}" if prompt else None,
        "promptName": prompt[0] if prompt else None,
        "promptVersion": prompt[1] if prompt else None,
        "input": json.dumps(given),
        "output": json.dumps(call.message),
        "usageDetails": {
            "input": call.prompt_tokens,
            "output": call.completion_tokens - call.reasoning_tokens,
            "output_reasoning_tokens": call.reasoning_tokens,
            "total": total,
        },
        "costDetails": {"input": costs[0], "output": costs[1], "total": call.cost},
        "inputCost": costs[0],
        "outputCost": costs[1],
        "totalCost": call.cost,
        "inputUsage": call.prompt_tokens,
        "outputUsage": call.completion_tokens,
        "totalUsage": total,
    }


def _last_text(call: Call) -> str:
    return str(next(turn["content"] for turn in reversed(call.draft.messages) if turn["role"] == "user"))


def trace_document(rng: Random, name: str, calls: list[Call], prompt: tuple[str, int] | None) -> tuple[Row, list[str]]:
    """Write the calls of one agent run as a trace; the agent span repeats what the calls hold."""
    trace = _hex(rng, 32)
    start, end = calls[0].start - 0.21, calls[-1].end + 0.03
    asked, said = _last_text(calls[0]), calls[-1].draft.answer
    root = _timed(_observation(rng, trace, None, "AGENT", name), start, end)
    root |= {"input": json.dumps({"messages": calls[-1].draft.messages}), "output": json.dumps(said)}
    observations, ids = [root], []
    if len(calls) == 1:
        lookup = _timed(_observation(rng, trace, root["id"], "SPAN", "retrieve-passage"), start + 0.02, start + 0.17)
        observations.append(lookup | {"input": json.dumps({"query": asked}), "output": json.dumps({"hits": 1})})
    for index, call in enumerate(calls):
        row = _generation(rng, trace, root["id"], call, prompt)
        observations.append(row)
        ids.append(row["id"])
        if call.draft.tool_calls and index + 1 < len(calls):
            function = call.draft.tool_calls[0]["function"]
            step = _observation(rng, trace, root["id"], "TOOL", function["name"])
            result = calls[index + 1].draft.messages[-1]["content"]
            step = _timed(step, call.end + 0.01, calls[index + 1].start - 0.01)
            observations.append(step | {"input": function["arguments"], "output": result})
    head = {
        "id": trace,
        "projectId": PROJECT,
        "name": name,
        "timestamp": _iso(start),
        "environment": "production",
        "tags": ["production"],
        "bookmarked": False,
        "release": "2026.44",
        "version": None,
        "userId": None,
        "sessionId": f"s-{_hex(rng, 10)}",
        "public": False,
        "input": json.dumps(asked),
        "output": json.dumps(said),
        "metadata": "{}",
        "createdAt": _iso(start),
        "updatedAt": _iso(end + 4),
        "scores": [],
        "latency": round(end - start, 3),
    }
    return {"trace": head, "observations": observations}, ids
