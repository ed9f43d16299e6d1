"""Anthropic message batches: results joined with the requests that were submitted, on ``custom_id``.

Source of the field map: https://docs.claude.com/en/api/retrieving-message-batch-results. The results hold no time at
all; it is taken from ``created_at`` beside the requests, or in any line that somebody put it into. A batch costs half
of the list price: its calls carry the tag ``batch``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from tieraudit.domain import Call, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.anthropic_body import anthropic_exchange
from tieraudit.formats.anthropic_pairs import ANTHROPIC_FIELDS
from tieraudit.formats.base import Fragment, Where
from tieraudit.formats.chat import error_of
from tieraudit.formats.fields import first, listing, mapping, text, time
from tieraudit.formats.openai_batch import INPUT, OUTPUT, chosen, distinct

RESULTS = ("succeeded", "errored", "canceled", "expired")
TIMES = ("created_at", "submitted_at", "started_at", "timestamp", "ended_at")


class AnthropicBatch:
    """Requests as lines ``{custom_id, params}`` or one document ``{requests: [...], created_at}``."""

    name = "anthropic-batch"
    title = "Anthropic message batches: results and requests (with created_at)"
    fields: ClassVar[dict[str, str]] = {
        **{
            name: told.replace("of the request", "of `params`").replace("`request.", "`params.")
            for name, told in ANTHROPIC_FIELDS.items()
        },
        "source_id": "`result.message.id`, else `custom_id`",
        "started_at": "`created_at` beside `requests` (results have no time), else such a field in the line",
        "provider": "always anthropic",
        "request_model": "`params.model`",
        "response_model": "`result.message.model`",
        "error_type": "`result.error`, else the words canceled and expired",
        "error_message": "`result.error.message`",
        "user_id": "`params.metadata.user_id`",
        "tags": "always batch",
        "metadata": "`custom_id`; settings that Chat Completions does not have",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure for a line of results, a line of requests, or the document that was submitted."""
        return 1.0 if _is_result(record) or _is_request(record) or _submitted(record) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Fragment | Quarantined]:
        """The halves of calls in ``record``; raises `Rejected` when there are none."""
        if _is_result(record):
            yield _fragment(record, OUTPUT, where)
        elif _is_request(record):
            yield _fragment(record, INPUT, where)
        elif submitted := _submitted(record):
            at = {"created_at": first(record, *TIMES)}
            for item in submitted:
                if _is_request(item):
                    yield _fragment({**at, **item}, INPUT, where)
                else:
                    yield Quarantined(where.file, where.line, "not a request of a batch")
        else:
            raise Rejected("neither a result nor a request of a message batch")

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """One call for every result; requests that have none yet give nothing."""
        asked = [item.record for item in fragments if item.part == INPUT]
        for item in fragments:
            if item.part == OUTPUT:
                try:
                    yield _call(item, asked)
                except Rejected as reason:
                    yield Quarantined(item.where.file, item.where.line, reason.message, item.key)


def _is_result(record: JsonObject) -> bool:
    result = record.get("result")
    return "custom_id" in record and isinstance(result, dict) and result.get("type") in RESULTS


def _is_request(record: JsonObject) -> bool:
    return "custom_id" in record and isinstance(record.get("params"), dict)


def _submitted(record: JsonObject) -> list[JsonObject]:
    """The requests of a document as it was submitted."""
    items = [mapping(item) for item in listing(record.get("requests"))]
    return items if items and _is_request(items[0]) else []


def _fragment(record: JsonObject, part: str, where: Where) -> Fragment:
    key = text(record.get("custom_id"))
    if key is None:
        raise Rejected("no custom_id")
    return Fragment(key, part, record, where)


def _call(item: Fragment, asked: list[JsonObject]) -> Call:
    result = mapping(item.record.get("result"))
    message = mapping(result.get("message"))
    model = text(message.get("model"))
    body = chosen(distinct([mapping(row.get("params")) for row in asked]), model)
    own = time(first(item.record, *TIMES) or first(result, *TIMES))
    stated = [time(first(row, *TIMES)) for row in asked if body and mapping(row.get("params")) == body]
    start = own or min((moment for moment in stated if moment is not None), default=None)
    if start is None:
        raise Rejected("no start time: give created_at beside the requests")
    found = anthropic_exchange(body, message)
    error = _error(result)
    wanted = text(body.get("model"))
    return Call(
        source_format=AnthropicBatch.name,
        source_file=item.where.file,
        source_line=item.where.line,
        source_id=found.response_id or item.key,
        started_at=start,
        request=found.request,
        response=found.response if found.request is not None and not error[0] else None,
        content_state=found.state(failed=bool(error[0])),
        provider="anthropic",
        # A result with a time of its own is a call before its request is known, and must stay the same call after.
        request_model=model if own is not None else wanted,
        response_model=model,
        operation=found.operation,
        stream=False,
        usage=found.usage,
        error_type=error[0],
        error_message=error[1],
        user_id=found.user_id,
        tags=("batch",),
        metadata={**found.kept, "batch": True, "custom_id": item.key},
    )


def _error(result: JsonObject) -> tuple[str | None, str | None]:
    kind = text(result.get("type"))
    if kind == "succeeded":
        return None, None
    told = mapping(result.get("error"))  # nested in another error, or flat
    return error_of(told) or error_of(result) or (kind or "error", None)
