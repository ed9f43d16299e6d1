"""OpenAI bodies of any operation: Chat Completions, Responses and legacy completions in full, others counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tieraudit.domain import JsonObject, Output
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.chat import chat_output, chat_request, error_of, token_usage
from tieraudit.formats.fields import first, listing, mapping, text
from tieraudit.formats.responses import responses_output, responses_request

PATHS = {
    "/chat/completions": "chat", "/responses": "responses", "/embeddings": "embeddings", "/moderations": "moderation",
    "/completions": "text_completion", "/images/generations": "image_generation",
    "/audio/transcriptions": "transcription", "/audio/speech": "speech",
}  # fmt: skip
OBJECTS = {
    "chat.completion": "chat", "chat.completion.chunk": "chat", "response": "responses",
    "text_completion": "text_completion", "list": "embeddings",
}  # fmt: skip


def openai_operation(path: str, asked: Mapping[str, Any], answered: Mapping[str, Any]) -> str | None:
    """What was asked for: by the path, else by the kind of answer, else by the fields of the request."""
    for end, kind in PATHS.items():
        if path.endswith(end):
            return kind
    if "messages" in asked:
        return "chat"
    named = OBJECTS.get(str(answered.get("object")))
    if "input" in asked:
        return named or ("responses" if "output" in answered or "instructions" in asked else "embeddings")
    return "text_completion" if "prompt" in asked else None


def openai_exchange(
    kind: str, asked: Mapping[str, Any], answered: Mapping[str, Any], *reports: Mapping[str, Any], spoken: Any = None
) -> Exchange:
    """The call of a request body and a response body, either of which may be empty.

    ``reports`` are more places for the usage, ``spoken`` an answer that is bare text.
    """
    operation, request, complete, kept = _request(kind, asked)
    usage = token_usage(mapping(answered.get("usage")), *reports)
    if kind == "embeddings" and usage.output_tokens is None:
        usage = replace(usage, output_tokens=0)
    error = error_of(answered)
    if error is None and answered.get("status") == "failed":
        error = "failed", None
    tier = text(answered.get("service_tier"))
    if tier not in (None, "default", "auto", "standard"):  # billed at other rates
        kept = {**kept, "served_service_tier": tier}
    return Exchange(
        request=request if request and request.get("messages") else None,
        response=Output(text=spoken) if isinstance(spoken, str) else _response(kind, answered),
        usage=usage,
        operation=operation,
        complete=complete,
        kept=kept,
        response_model=text(answered.get("model")),
        response_id=text(answered.get("id")),
        user_id=text(first(asked, "user", "safety_identifier")),
        error=error,
    )


def _request(kind: str, body: Mapping[str, Any]) -> tuple[str, JsonObject | None, bool, JsonObject]:
    """(operation, canonical request, whether it is complete, what goes to the metadata)."""
    if kind == "responses":
        mapped = responses_request(body)
        return "chat" if mapped.lossless else kind, mapped.request, mapped.complete, mapped.kept
    if kind == "chat":
        return kind, chat_request(body, listing(body.get("messages"))), True, {}
    if kind == "text_completion":
        prompt = body.get("prompt")
        asked = {key: value for key, value in body.items() if key != "prompt"}
        return kind, chat_request(asked, prompt if isinstance(prompt, list) else [prompt]), True, {}
    return kind, None, True, {}


def _response(kind: str, answered: Mapping[str, Any]) -> Output | None:
    if kind == "responses" or ("output" in answered and "choices" not in answered):
        return responses_output(answered)
    if "role" in answered and "choices" not in answered:
        return chat_output({"choices": [{"message": answered}]})
    return chat_output(answered)
