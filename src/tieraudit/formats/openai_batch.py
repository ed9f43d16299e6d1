"""OpenAI and Azure Batch files: what was submitted, what came back and what failed, joined on ``custom_id``.

Source of the field map: https://platform.openai.com/docs/api-reference/batch and real output files of both. The lines
of the three files come in any order. A batch costs half of the list price: its calls carry the tag ``batch``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from tieraudit.domain import Call, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Fragment, Where
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.chat import error_of
from tieraudit.formats.fields import count, encoded, first, labels, listing, mapping, started, task_hint, text
from tieraudit.formats.openai_body import openai_exchange, openai_operation

INPUT, OUTPUT = "input", "output"
# The ids of OpenAI begin with the second in which they were made, in hexadecimal digits.
DATED = re.compile(r"batch_req_([0-9a-f]{8})")


class OpenAIBatch:
    """An answer whose request is in no file that was given is a call without prompt."""

    name = "openai-batch"
    title = "OpenAI and Azure Batch input, output and error files"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`response.body.id`, else `id`, else `response.request_id`",
        "started_at": "`response.body.created`, else the second in the `id` of OpenAI",
        "provider": "azure with filter results in the body, openai by the `id`",
        "request_model": "`response.body.model`, which every output has; what was asked for stands in the metadata",
        "response_model": "`response.body.model`",
        "messages": "`body` of the input file",
        "tools": "`body.tools` of the input file",
        "tool_choice": "`body.tool_choice` of the input file",
        "response_format": "`body.response_format`, `body.text.format` of the input file",
        "parameters": "the rest of `body` of the input file",
        "text": "`response.body`",
        "tool_calls": "`response.body`",
        "refusal": "`response.body`",
        "finish_reason": "`response.body`",
        "input_tokens": "`response.body.usage`",
        "cache_read_input_tokens": "`response.body.usage`",
        "output_tokens": "`response.body.usage`",
        "reasoning_output_tokens": "`response.body.usage`",
        "total_tokens": "`response.body.usage`",
        "error_type": "`error`, `response.body.error`, else the HTTP status",
        "error_message": "`error`, `response.body.error`",
        "http_status": "`response.status_code`",
        "conversation_id": "`body.metadata.conversation_id`, `session_id` ... of the input file",
        "user_id": "`body.user` of the input file",
        "task_hint": "`body.metadata.task`, `feature` ... of the input file",
        "tags": "always batch; `body.metadata.tags` of the input file",
        "metadata": "`custom_id`, `body.metadata`, the model asked for",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure for a line of one of the three files."""
        return 1.0 if _part(record) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Fragment]:
        """The line as one half of a call; raises `Rejected` when it is of none of the three files."""
        part = _part(record)
        key = text(record.get("custom_id"))
        if part is None or key is None:
            raise Rejected("not a line of a batch file")
        yield Fragment(key, part, record, where)

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """One call for every answer; requests that have none yet give nothing."""
        asked = distinct([mapping(item.record.get("body")) for item in fragments if item.part == INPUT])
        for item in fragments:
            if item.part != OUTPUT:
                continue
            try:
                yield _call(item, asked)
            except Rejected as reason:
                yield Quarantined(item.where.file, item.where.line, reason.message, item.key)


def distinct(bodies: list[JsonObject]) -> list[JsonObject]:
    """``bodies`` without repetitions: the same file may have been read twice."""
    return list({encoded(body): body for body in bodies}.values())


def chosen(asked: list[JsonObject], model: str | None) -> JsonObject:
    """The request that was answered: an id is only unique within one batch, so the model must agree when more fit.

    Empty when it cannot be told: a wrong prompt would be worse than none.
    """
    if len(asked) < 2:
        return asked[0] if asked else {}
    fits = [name for body in asked if (name := text(body.get("model"))) and f"{model}-".startswith(f"{name}-")]
    best = max(fits, key=len, default=None)  # of gpt-4o and gpt-4o-mini the longer one is answered by gpt-4o-mini-2024
    found = [body for body in asked if best is not None and text(body.get("model")) == best]
    return found[0] if len(found) == 1 else {}


def _part(record: JsonObject) -> str | None:
    if "custom_id" not in record:
        return None
    if isinstance(record.get("body"), dict) and "url" in record:
        return INPUT
    response = record.get("response")
    if isinstance(response, dict) and ("status_code" in response or "body" in response):
        return OUTPUT
    return OUTPUT if mapping(record.get("error")) and response is None else None


def _call(item: Fragment, asked: list[JsonObject]) -> Call:
    record = item.record
    response = mapping(record.get("response"))
    answered = mapping(response.get("body"))
    model = text(answered.get("model"))
    body = chosen(asked, model)
    found = _exchange(body, answered)
    status = count(response.get("status_code"))
    error = error_of(record) or found.error or ((f"http_{status}", None) if status and status >= 400 else (None, None))
    told = mapping(body.get("metadata"))
    dated = DATED.match(str(record.get("id")))
    wanted = text(body.get("model"))
    return Call(
        source_format=OpenAIBatch.name,
        source_file=item.where.file,
        source_line=item.where.line,
        source_id=found.response_id or text(record.get("id")) or text(response.get("request_id")),
        started_at=started(first(answered, "created", "created_at"), int(dated[1], 16) if dated else None),
        request=found.request,
        response=found.response if found.request is not None and not error[0] else None,
        content_state=found.state(failed=bool(error[0])),
        provider=_provider(record, answered),
        request_model=model,
        response_model=model,
        operation=found.operation,
        stream=False,
        usage=found.usage,
        error_type=error[0],
        error_message=error[1],
        http_status=status,
        conversation_id=text(first(told, "conversation_id", "session_id", "thread_id")),
        user_id=found.user_id,
        task_hint=task_hint(told),
        tags=("batch", *labels(told.get("tags"))),
        metadata={
            **{key: value for key, value in told.items() if key != "tags"},
            **found.kept,
            "batch": True,
            "custom_id": item.key,
            **({"request_model": wanted} if wanted and wanted != model else {}),
        },
    )


def _exchange(body: JsonObject, answered: JsonObject) -> Exchange:
    """The two halves together; without the request the answer tells what kind of call it was."""
    kind = openai_operation("", body, answered)
    if kind is None:
        told = str(answered.get("object"))
        kind = "embeddings" if told == "list" else "responses" if told == "response" else "chat"
    found = openai_exchange(kind, body, answered)
    return found if body or found.operation == "embeddings" else openai_exchange("chat", {}, answered)


def _provider(record: JsonObject, answered: JsonObject) -> str | None:
    choice: Any = next(iter(listing(answered.get("choices"))), None)
    if "prompt_filter_results" in answered or "content_filter_results" in mapping(choice):
        return "azure"
    return "openai" if str(record.get("id")).startswith("batch_req_") else None
