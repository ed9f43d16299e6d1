"""Bedrock runtime request and response side by side, one JSON object a line, in the envelopes of `pairs`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar
from urllib.parse import unquote

from tieraudit.domain import Call, JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.bedrock_body import METRICS, bedrock_exchange, model_name, timing
from tieraudit.formats.fields import first, text
from tieraudit.formats.pairs import FIELDS_OF_PAIRS, Pair, open_pair, pair_call

OPERATIONS = ("invoke", "converse", "invoke-with-response-stream", "converse-stream")
BEDROCK_FIELDS = {
    "messages": "`system`, `messages` of Converse and native bodies; `prompt`, `inputText`, `message`",
    "tools": "`toolConfig.tools`, `tools`",
    "tool_choice": "`toolConfig.toolChoice`, `tool_choice`",
    "response_format": "`outputConfig.textFormat`, `output_config`",
    "parameters": "`inferenceConfig`, `additionalModelRequestFields`, `textGenerationConfig`, the native names",
    "text": "`output.message` and the native names; events are folded",
    "tool_calls": "`toolUse`, `tool_use`",
    "finish_reason": "`stopReason` and the native names; a guardrail's action",
    "input_tokens": "`usage`, `inputTextTokenCount`, `prompt_token_count`, plus the cached ones",
    "cache_read_input_tokens": "`usage`",
    "cache_creation_input_tokens": "`usage`",
    "output_tokens": "`usage`, `tokenCount`, `generation_token_count`",
    "total_tokens": "`usage.totalTokens`",
}
"""Where the bodies of a Bedrock call have each field."""


class BedrockPairs:
    """Converse and the native bodies of Anthropic, Nova, Titan, Llama, Mistral, Cohere and AI21 models are read."""

    name = "bedrock-pairs"
    title = "Bedrock runtime request and response pairs (JSON lines)"
    fields: ClassVar[dict[str, str]] = {
        **{key: value for key, value in FIELDS_OF_PAIRS.items() if key not in ("stream", "response_model")},
        **BEDROCK_FIELDS,
        "started_at": "`timestamp`, `started_at` ..., else the `date` header",
        "latency_ms": "`latency_ms`, `duration_ms` ..., else `metrics.latencyMs`",
        "provider": "`provider`, else always aws",
        "request_model": "the path of the address, else `modelId`",
        "response_model": "the `model` of an Anthropic answer",
        "stream": "the path of the address",
        "metadata": "`metadata`; settings that Chat Completions does not have; a guardrail's action",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the request goes to an operation of bedrock-runtime."""
        pair = open_pair(record)
        return 0.95 if pair is not None and _target(pair) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is not such a pair or has no time."""
        pair = open_pair(record)
        if pair is None:
            raise Rejected("not a request with its response")
        target = _target(pair)
        if target is None:
            raise Rejected("not a call of Bedrock's runtime")
        model, operation = target
        answer = pair.events or pair.response
        found = bedrock_exchange(pair.request, answer, model)
        told = text(first(pair.response, "message", "Message"))
        if pair.status is not None and pair.status >= 400 and found.error is None:
            found = replace(found, error=(text(pair.response.get("__type")) or f"http_{pair.status}", told))
        call = pair_call(self.name, record, pair, found, where)
        latency, first_token = timing(answer)
        yield replace(
            call,
            provider=text(record.get("provider")) or "aws",
            request_model=model,
            stream=operation.endswith("-stream"),
            latency_ms=latency if call.latency_ms is None else call.latency_ms,
            time_to_first_token_ms=first_token if call.time_to_first_token_ms is None else call.time_to_first_token_ms,
        )


def _target(pair: Pair) -> tuple[str, str] | None:
    """(model, operation) from the path ``/model/ID/OPERATION``, or from a body of Converse that names its model."""
    head, _, rest = pair.path.partition("/model/")
    model, _, operation = rest.rpartition("/")
    if model and not head.strip("/") and operation in OPERATIONS:
        return model_name(unquote(model))[0], operation
    named = text(pair.request.get("modelId"))
    if not pair.path and named and ("messages" in pair.request or "inferenceConfig" in pair.request):
        return model_name(named)[0], "converse-stream" if METRICS in pair.response else "converse"
    return None
