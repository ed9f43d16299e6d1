"""OpenAI request and response side by side, one JSON object a line, in the envelopes of `pairs`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tieraudit.domain import Call, JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.chat import error_of
from tieraudit.formats.fields import mapping
from tieraudit.formats.openai_body import PATHS, openai_exchange, openai_operation
from tieraudit.formats.pairs import FIELDS_OF_PAIRS, Pair, open_pair, pair_call


class OpenAIPairs:
    """Chat Completions, Responses and legacy completions are read in full; other operations are kept and counted."""

    name = "openai-pairs"
    title = "OpenAI request and response pairs (JSON lines)"
    fields: ClassVar[dict[str, str]] = {
        **FIELDS_OF_PAIRS,
        "messages": "`request.messages`, `request.input` with `instructions`",
        "tools": "`request.tools`",
        "tool_choice": "`request.tool_choice`",
        "response_format": "`request.response_format`, `request.text.format`",
        "parameters": "the rest of the request",
        "text": "the response; raw events are folded",
        "tool_calls": "the response",
        "refusal": "the response",
        "finish_reason": "the response",
        "input_tokens": "`usage`",
        "cache_read_input_tokens": "`usage`",
        "cache_creation_input_tokens": "`usage`",
        "output_tokens": "`usage`",
        "reasoning_output_tokens": "`usage`",
        "total_tokens": "`usage`",
    }

    def matches(self, record: JsonObject) -> float:
        """Likely when both halves are there and neither speaks another provider's language."""
        pair = open_pair(record)
        if pair is None or _foreign(pair):
            return 0.0
        if openai_operation(pair.path, pair.request, pair.response) is None:
            return 0.0
        known = "choices" in pair.response or "output" in pair.response or error_of(pair.response) or pair.streamed
        return 0.9 if known else 0.6

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is not such a pair or has no time."""
        pair = open_pair(record)
        if pair is None:
            raise Rejected("not a request with its response")
        if _foreign(pair):
            raise Rejected("not in OpenAI's format")
        kind = openai_operation(pair.path, pair.request, pair.response)
        if kind is None:
            raise Rejected("neither messages nor input nor prompt in the request")
        yield pair_call(self.name, record, pair, _exchange(record, pair, kind), where)


def _exchange(record: JsonObject, pair: Pair, kind: str) -> Exchange:
    spoken = pair.answer if isinstance(pair.answer, str) and not pair.streamed else None
    return openai_exchange(kind, pair.request, pair.response, mapping(record.get("usage")), spoken=spoken)


def _foreign(pair: Pair) -> bool:
    """True for Anthropic, Gemini and Bedrock bodies, which have formats of their own."""
    path = pair.path
    known = any(path.endswith(end) for end in PATHS)
    if path and not known and ("messages" in path.rsplit("/", 1)[-1] or ":" in path or "/model/" in path):
        return True
    if pair.response.get("type") in ("message", "error") or "candidates" in pair.response:
        return True
    if "anthropic_version" in pair.request or "contents" in pair.request:
        return True
    return not known and "messages" in pair.request and ("system" in pair.request or "stop_reason" in pair.response)
