"""Anthropic Messages request and response side by side, one JSON object a line, in the envelopes of `pairs`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from tieraudit.domain import Call, JsonObject, Output
from tieraudit.errors import Rejected
from tieraudit.formats.anthropic_body import anthropic_exchange
from tieraudit.formats.base import Where
from tieraudit.formats.fields import mapping
from tieraudit.formats.pairs import FIELDS_OF_PAIRS, Pair, open_pair, pair_call

ANTHROPIC_FIELDS = {
    "messages": "`system`, `messages` of the request",
    "tools": "`request.tools`",
    "tool_choice": "`request.tool_choice`",
    "response_format": "`request.output_format`, `request.output_config`",
    "parameters": "`max_tokens`, `temperature`, `top_p`, `top_k`, `stop_sequences`, `thinking` of the request",
    "text": "`text` blocks of the response's `content`; raw events are folded",
    "tool_calls": "`tool_use` blocks of the response's `content`",
    "finish_reason": "`stop_reason`",
    "input_tokens": "`usage.input_tokens` plus the cached ones",
    "cache_read_input_tokens": "`usage.cache_read_input_tokens`",
    "cache_creation_input_tokens": "`usage.cache_creation_input_tokens`, `usage.cache_creation`",
    "output_tokens": "`usage.output_tokens`",
    "reasoning_output_tokens": "`usage.output_tokens_details`",
}
"""Where the bodies of a Messages call have each field."""


class AnthropicPairs:
    """Messages calls are read in full; thinking blocks are the model's own notes and are left out."""

    name = "anthropic-pairs"
    title = "Anthropic Messages request and response pairs (JSON lines)"
    fields: ClassVar[dict[str, str]] = {
        **FIELDS_OF_PAIRS,
        **ANTHROPIC_FIELDS,
        "started_at": "`timestamp`, `started_at` ..., else the `date` header",
        "user_id": "`user_id`, `user`, else `request.metadata.user_id`",
        "metadata": "`metadata`; settings that Chat Completions does not have",
    }

    def matches(self, record: JsonObject) -> float:
        """Likely when the bodies speak Anthropic's language and do not go to Bedrock or Vertex."""
        pair = open_pair(record)
        return 0.9 if pair is not None and _is_anthropic(pair) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is not such a pair or has no time."""
        pair = open_pair(record)
        if pair is None:
            raise Rejected("not a request with its response")
        if not _is_anthropic(pair):
            raise Rejected("not Anthropic Messages")
        found = anthropic_exchange(pair.request, pair.response)
        request = {key: value for key, value in pair.request.items() if key != "metadata"}
        if isinstance(pair.answer, str) and not pair.streamed and pair.answer:
            found = replace(found, response=Output(text=pair.answer))
        call = pair_call(self.name, record, replace(pair, request=request), found, where)
        own = pair.response.get("type") in ("message", "error")
        yield replace(call, provider=call.provider or ("anthropic" if own else None))


def _is_anthropic(pair: Pair) -> bool:
    path = pair.path.rstrip("/")
    if path.endswith("/count_tokens") or "/model/" in path or ":" in path or "messages" not in pair.request:
        return False
    if path and "/messages" not in path:
        return pair.response.get("type") == "message" and "choices" not in pair.response
    if path.endswith("/messages"):
        return "choices" not in pair.response
    if pair.response.get("type") == "message":
        return True
    if pair.response.get("type") == "error" and mapping(pair.response.get("error")):
        return True
    return ("stop_reason" in pair.response or "system" in pair.request) and "choices" not in pair.response
