"""Bedrock bodies of any operation: Converse, and InvokeModel in the language of each model's maker.

Source of the field maps: "Inference request parameters and response fields for foundation models" in the Amazon
Bedrock user guide. Bodies with one prompt (Titan, Llama, Mistral, Cohere, AI21, DeepSeek, imported models) hold a text
with the model's own marks of turns, so such a call is a ``text_completion``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tieraudit.domain import JsonObject, Output, Usage
from tieraudit.formats.anthropic_body import anthropic_exchange
from tieraudit.formats.bodies import Exchange, finish
from tieraudit.formats.chat import chat_request, token_usage
from tieraudit.formats.converse_body import converse_exchange, converse_usage, fold_converse, is_converse_event
from tieraudit.formats.fields import count, first, listing, mapping, milliseconds, text
from tieraudit.formats.openai_body import openai_exchange
from tieraudit.formats.sse import fold_stream, is_stream

METRICS = "amazon-bedrock-invocationMetrics"
GUARDRAIL = "amazon-bedrock-guardrailAction"
PARAMETERS = {
    "max_tokens": "max_tokens", "max_gen_len": "max_tokens", "maxTokenCount": "max_tokens", "maxTokens": "max_tokens",
    "max_tokens_to_sample": "max_tokens", "temperature": "temperature", "top_p": "top_p", "topP": "top_p", "p": "top_p",
    "top_k": "top_k", "topK": "top_k", "k": "top_k", "stop": "stop", "stopSequences": "stop", "stop_sequences": "stop",
    "seed": "seed", "n": "n", "num_generations": "n", "numResults": "n", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}  # fmt: skip
PROMPTS = ("prompt", "inputText", "message")
NOT_KEPT = ("textGenerationConfig", "chat_history", "preamble", "stream", "return_prompt")
COHERE_ROLES = {"CHATBOT": "assistant", "SYSTEM": "system", "USER": "user"}
# A field that only such requests have -> the kind of call.
OTHER_KINDS = (
    ("embeddings", ("texts", "embeddingTypes", "embedding_types", "input_type", "embeddingConfig")),
    ("rerank", ("documents",)),
    ("image_generation", ("taskType", "text_prompts", "imageGenerationConfig", "textToImageParams", "aspect_ratio")),
)
SPOKEN = ("generation", "outputText", "completion", "text")
REASONS = ("stop_reason", "completionReason", "finish_reason", "finishReason")


def bedrock_exchange(asked: Mapping[str, Any], answer: Any, model: str | None) -> Exchange:
    """The call of a request body and an answer: a body, the list of events that it was streamed as, or None."""
    answered = fold_events(answer) if isinstance(answer, list) else mapping(answer)
    found = _exchange(asked, answered, model or "")
    metrics = mapping(answered.get(METRICS))
    if found.usage.input_tokens is None and metrics:
        found = replace(found, usage=converse_usage(metrics))
    action = text(answered.get(GUARDRAIL)) or text(answered.get("stopReason"))
    if action in ("INTERVENED", "GUARDRAIL_INTERVENED", "guardrail_intervened"):
        spoken = replace(found.response, finish_reason="content_filter") if found.response else None
        found = replace(found, response=spoken, kept={**found.kept, "guardrail_action": "INTERVENED"})
    trace = mapping(mapping(first(answered, "trace", "amazon-bedrock-trace")).get("guardrail"))
    if judges := {*mapping(trace.get("inputAssessment")), *mapping(trace.get("outputAssessments"))}:
        found = replace(found, kept={**found.kept, "guardrails": sorted(judges)})
    return found


def timing(answer: Any) -> tuple[float | None, float | None]:
    """(duration, time to the first token) in milliseconds, as Bedrock measured them."""
    answered = fold_events(answer) if isinstance(answer, list) else mapping(answer)
    metrics = mapping(answered.get(METRICS))
    latency = milliseconds(mapping(answered.get("metrics")).get("latencyMs"))
    if latency is None:
        latency = milliseconds(metrics.get("invocationLatency"))
    return latency, milliseconds(metrics.get("firstByteLatency"))


def model_name(model_id: str) -> tuple[str, str | None]:
    """(the model, the ARN that named it): of foundation models and inference profiles the id, else kind and id."""
    if not model_id.startswith("arn:"):
        return model_id, None
    resource = model_id.split(":", 5)[-1]
    kind, _, name = resource.partition("/")
    return (name if kind in ("foundation-model", "inference-profile") and name else resource), model_id


def fold_events(answer: list[Any]) -> JsonObject:
    """The body that a list of events streams, in whatever maker's language; a word such as ``[DONE]`` is no event."""
    events = [event for item in answer if (event := mapping(item))]
    if is_stream(events):
        folded = fold_stream(list(events))
    elif any(is_converse_event(event) for event in events):
        folded = fold_converse(events)
    else:
        folded = {}
        pieces: list[str] = []
        for event in events:
            folded.update({key: value for key, value in event.items() if not isinstance(value, list | dict)})
            piece, reason = _spoken(event)
            pieces.append(piece or "")
            if reason:
                folded["stop_reason"] = reason
        folded = {key: value for key, value in folded.items() if key not in SPOKEN}
        if pieces:
            folded["generation"] = "".join(pieces)
    for event in events:
        folded.update({key: value for key, value in event.items() if str(key).startswith("amazon-bedrock-")})
    return folded


def _exchange(asked: Mapping[str, Any], answered: Mapping[str, Any], model: str) -> Exchange:
    message = mapping(mapping(answered.get("output")).get("message"))
    if "anthropic_version" in asked or answered.get("type") == "message" or "max_tokens_to_sample" in asked:
        return anthropic_exchange(asked, _as_completion(answered))
    if message or "inferenceConfig" in asked or ("messages" in asked and _is_converse(asked)):
        return converse_exchange(asked, answered)
    if "messages" in asked:
        chat = "anthropic" in model and "choices" not in answered
        return anthropic_exchange(asked, answered) if chat else openai_exchange("chat", asked, answered)
    if "embedding" in answered or "embeddings" in answered or "embed" in model:
        tokens = count(answered.get("inputTextTokenCount"))
        usage = Usage(input_tokens=tokens, output_tokens=0) if tokens else Usage()
        return Exchange(None, None, usage=usage, operation="embeddings")
    for kind, names in OTHER_KINDS:
        if any(name in asked for name in names) and "message" not in asked:
            return Exchange(None, None, operation=kind)
    return _prompt_exchange(asked, answered)


def _as_completion(answered: Mapping[str, Any]) -> Mapping[str, Any]:
    """A folded stream of the older Anthropic bodies looks like one of Llama's."""
    if "content" not in answered and isinstance(answered.get("generation"), str):
        return {**answered, "completion": answered["generation"]}
    return answered


def _is_converse(asked: Mapping[str, Any]) -> bool:
    """Converse blocks have no ``type``: what they are is the name of their only field."""
    if "toolConfig" in asked or "additionalModelRequestFields" in asked or "guardrailConfig" in asked:
        return True
    for item in listing(asked.get("messages")):
        for block in listing(mapping(item).get("content")):
            if isinstance(block, dict):
                return "type" not in block
    return False


def _prompt_exchange(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> Exchange:
    """A body with one prompt, or Cohere's with a message and the turns before it."""
    prompt = first(asked, *PROMPTS)
    chat = "message" in asked and "prompt" not in asked
    messages: list[JsonObject] = []
    if text(asked.get("preamble")):
        messages.append({"role": "system", "content": asked["preamble"]})
    for item in listing(asked.get("chat_history")):
        turn = mapping(item)
        role = COHERE_ROLES.get(str(turn.get("role")).upper(), "user")
        messages.append({"role": role, "content": str(turn.get("message") or "")})
    if isinstance(prompt, str):
        messages.append({"role": "user", "content": prompt})
    given = {**mapping(asked.get("textGenerationConfig")), **asked}
    request = chat_request(
        {new: given[old] for old, new in PARAMETERS.items() if given.get(old) not in (None, [])}, list(messages)
    )
    spoken, reason = _spoken(answered)
    response = Output(text=spoken or None, finish_reason=finish(reason)) if spoken is not None else None
    lossless = not any(asked.get(key) for key in ("tools", "connectors", "documents", "tool_results", "images"))
    return Exchange(
        request=request if messages else None,
        response=response,
        usage=_prompt_usage(answered),
        operation="chat" if chat or not messages else "text_completion",
        complete=lossless,
        kept={key: asked[key] for key in asked if key not in (*PARAMETERS, *PROMPTS, *NOT_KEPT) and asked[key]},
        response_id=text(answered.get("id")),
    )


def _spoken(body: Mapping[str, Any]) -> tuple[str | None, Any]:
    """(text, why it ended) of a body or an event in any maker's language."""
    for key in SPOKEN:
        if isinstance(body.get(key), str):
            return body[key], first(body, *REASONS)
    for key in ("results", "outputs", "generations", "completions", "choices"):
        for item in listing(body.get(key))[:1]:
            inner = mapping(item)
            reason = first(inner, *REASONS)
            said = {**inner, **mapping(inner.get("data"))}
            found = next((said[name] for name in SPOKEN if isinstance(said.get(name), str)), None)
            return found, mapping(reason).get("reason") if isinstance(reason, dict) else reason
    return None, first(body, *REASONS)


def _prompt_usage(answered: Mapping[str, Any]) -> Usage:
    reported = mapping(answered.get("usage"))
    if reported:
        return token_usage(reported)
    result = mapping(next(iter(listing(answered.get("results"))), None))
    asked = count(first(answered, "prompt_token_count", "inputTextTokenCount"))
    out = count(first(answered, "generation_token_count", "totalOutputTextTokenCount"))
    out = count(result.get("tokenCount")) if out is None else out
    return Usage(input_tokens=asked, output_tokens=out) if asked or out else Usage()
