"""Input and output of one call as tracing tools record them: a provider's bodies, LangChain's objects, or less.

Bodies of OpenAI and Anthropic are read as such; anything else as the conversation and the answer that it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tieraudit.domain import Call, JsonObject, Output, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.answers import answer
from tieraudit.formats.anthropic_body import anthropic_exchange, anthropic_usage
from tieraudit.formats.base import Fragment, Where
from tieraudit.formats.bodies import Exchange, finish
from tieraudit.formats.chat import chat_request, token_usage
from tieraudit.formats.fields import count, decoded, first, listing, mapping, text
from tieraudit.formats.inclusive import inclusive
from tieraudit.formats.openai_body import openai_exchange
from tieraudit.formats.prompts import conversation
from tieraudit.formats.tools import openai_tools

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# Parts of a message that Chat Completions knows; with others a body is not read as one.
PARTS = ("text", "image_url", "input_audio", "file", "refusal")
PARAMETER_NAMES = {
    "stop_sequences": "stop", "max_output_tokens": "max_tokens", "max_tokens_to_sample": "max_tokens",
    "candidate_count": "n",
}  # fmt: skip
CHOICES = {"any": "required", "auto": "auto", "none": "none"}
MOST_LEVELS = 12
PARAMETERS = frozenset(
    {
        "temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "max_output_tokens", "n",
        "stop", "stop_sequences", "seed", "presence_penalty", "frequency_penalty", "repetition_penalty",
        "logit_bias", "logprobs", "top_logprobs", "response_format", "tools", "tool_choice", "parallel_tool_calls",
        "reasoning_effort", "reasoning", "verbosity", "modalities", "audio", "prediction", "service_tier",
        "web_search_options", "functions", "function_call", "thinking", "system", "instructions", "text",
        "output_format", "output_config", "include", "truncation", "previous_response_id", "extra_body",
    }
)  # fmt: skip
"""Parameters of a request, for logs that keep them in one place with what their users add."""


def leaf_calls(
    fragments: Sequence[Fragment],
    parents: Callable[[JsonObject], Iterable[str]],
    call: Callable[[JsonObject, Where], Call],
    *,
    own: str = "id",
    kind: str = "llm",
) -> Iterator[Call | Quarantined]:
    """The rows of one trace that no other of them stands below, as calls; the others as `Quarantined`.

    ``parents`` gives the ids of the rows around one, ``own`` names the id that they are known by.
    """
    around = {parent for fragment in fragments for parent in parents(fragment.record)}
    for fragment in fragments:
        row, where = fragment.record, fragment.where
        excerpt = f"{row.get('id')} {first(row, 'name', 'op_name') or ''}"
        if text(row.get(own)) in around:
            reason = f"not an LLM call of its own: {kind} around another"
            yield Quarantined(where.file, where.line, reason, excerpt)
            continue
        try:
            yield call(row, where)
        except Rejected as reason:
            yield Quarantined(where.file, where.line, reason.message, excerpt)


def traced_exchange(asked: Any, answered: Any, parameters: Mapping[str, Any]) -> Exchange:
    """The call of what went in and came out; ``parameters`` are those that stand beside the input."""
    asked, answered = unwrapped(decoded(asked)), unwrapped(decoded(answered))
    if isinstance(asked, list) and _chat(asked):
        asked = {"messages": asked}
    body = asked if isinstance(asked, dict) else {}
    made = answered if isinstance(answered, dict) else {}
    if (
        isinstance(answered, list)
        and answered
        and all(isinstance(item, dict) and "message" in item for item in answered)
    ):
        made = {"choices": answered}
    if "stop_reason" in mapping(made.get("message")):
        made = made["message"]
    whole = {**parameters, **{key: value for key, value in body.items() if value is not None}}
    if _anthropic(body, made):
        return anthropic_exchange(whole, made)
    if _items(answered):
        body, made = {"input": asked, **body}, {"object": "response", "output": answered}
        whole = {**parameters, **body}
    if "input" in body and ("instructions" in body or made.get("object") == "response"):
        return _finished(openai_exchange("responses", whole, made))
    if _chat(body.get("messages")) and _offered(whole) and (not made or "choices" in made or _said(made)):
        spoken = answered if isinstance(answered, str) and answered else None
        return _finished(openai_exchange("chat", whole, made, spoken=spoken))
    return _loose(asked, answered, parameters)


def traced_usage(*reports: Any) -> Usage:
    """Tokens of the first report that has any: the provider's own, or LangChain's with details by name."""
    for told in reports:
        report = mapping(told)
        apart = "input_tokens" in report and "cache_read_input_tokens" in report
        usage = _detailed(report) or (anthropic_usage(report) if apart else token_usage(report))
        if usage != Usage():
            return usage
    return Usage()


def unwrapped(value: Any, levels: int = MOST_LEVELS) -> Any:
    """``value`` with LangChain's serialised objects replaced by what they were made of."""
    if levels == 0:
        return value
    if isinstance(value, list):
        return [unwrapped(item, levels - 1) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("kwargs"), dict) and isinstance(value.get("id"), list) and value["id"]:
        value = {"type": str(value["id"][-1]), **value["kwargs"]}
    return {key: unwrapped(item, levels - 1) for key, item in value.items()}


def _chat(messages: Any) -> bool:
    """True for messages that every part of is in Chat Completions' own words."""
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(
            isinstance(item, dict)
            and item.get("role") in ROLES
            and "parts" not in item
            and all(
                isinstance(part, str) or (isinstance(part, dict) and part.get("type") in PARTS)
                for part in (item["content"] if isinstance(item.get("content"), list) else ())
            )
            and all("function" in mapping(call) for call in listing(item.get("tool_calls")))
            for item in messages
        )
    )


def _offered(whole: Mapping[str, Any]) -> bool:
    """True when every tool is in Chat Completions' own words."""
    tools = listing(whole.get("tools"))
    choice = whole.get("tool_choice")
    return all(isinstance(tool, dict) and "function" in tool for tool in tools) and (
        not isinstance(choice, dict) or "function" in choice
    )


def _anthropic(body: JsonObject, made: JsonObject) -> bool:
    stopped = isinstance(made.get("content"), list) and "stop_reason" in made
    return "messages" in body and (made.get("type") == "message" or stopped)


def _items(answered: Any) -> bool:
    """True for the output of the Responses API alone."""
    kinds = [item.get("type") for item in answered if isinstance(item, dict)] if isinstance(answered, list) else []
    return any(kind in ("message", "function_call", "reasoning") for kind in kinds)


def _said(made: JsonObject) -> bool:
    return made.get("role") == "assistant" and (made.get("content") is None or isinstance(made["content"], str))


def _finished(found: Exchange) -> Exchange:
    if found.response is None:
        return found
    reason = finish(found.response.finish_reason, called=bool(found.response.tool_calls))
    return replace(found, response=replace(found.response, finish_reason=reason))


def _loose(asked: Any, answered: Any, parameters: Mapping[str, Any]) -> Exchange:
    prompt, response = conversation(asked), _answer(answered)
    made = mapping(answered)
    request, complete, kept = None, True, dict[str, Any]()
    if prompt is not None:
        # Beside the messages of a framework stands what it was told itself, which no model endpoint knows.
        known = {key: value for key, value in prompt.parameters.items() if key in PARAMETERS}
        kept = {key: value for key, value in prompt.parameters.items() if key not in (*PARAMETERS, "model", "stream")}
        told = {**parameters, **known}
        tools = prompt.tools or openai_tools(told.get("tools"))
        rest = {PARAMETER_NAMES.get(key, key): value for key, value in told.items() if key not in ("tools", "system")}
        if (choice := _choice(rest.pop("tool_choice", None))) is not None:
            rest["tool_choice"] = choice
        system, messages = text(told.get("system")), list(prompt.messages)
        if system and messages[0].get("role") not in ("system", "developer"):
            messages.insert(0, {"role": "system", "content": system})
        request = chat_request({**rest, "tools": tools or None}, messages)
        called = bool(response and response.tool_calls) or any("tool_calls" in item for item in request["messages"])
        complete = prompt.complete and not (called and not request.get("tools"))
        complete = complete and len(tools) >= len(listing(told.get("tools")))
    return Exchange(
        request=request,
        response=response,
        usage=traced_usage(made.get("usage_metadata"), made.get("usage")),
        complete=complete,
        kept=kept,
        response_model=text(made.get("model")),
        response_id=text(made.get("id")),
    )


def _answer(answered: Any) -> Output | None:
    """The answer, with why it ended from wherever it is told; LangChain has it beside its message."""
    told = answered if isinstance(answered, dict) else {}
    if "output" in told and len(told) == 1:
        return _answer(told["output"])
    for inner in ("generations", "messages"):
        items = told.get(inner)
        while isinstance(items, list) and items and isinstance(items[0], list):
            items = items[0]
        if isinstance(items, list) and items:
            return _answer(items[0] if inner == "generations" else items[-1])
    message = mapping(told.get("message"))
    if "generation_info" in told or message:
        found = answer({"role": "assistant", **message} if message else text(told.get("text")))
    else:
        found = answer(answered)
    if found is None:
        return None
    info, described = mapping(told.get("generation_info")), mapping((message or told).get("response_metadata"))
    named = ("finish_reason", "stop_reason", "finishReason", "stopReason")
    reason = (
        found.finish_reason or text(first(info, *named)) or text(first(described, *named)) or text(first(told, *named))
    )
    refusal = found.refusal or text(mapping((message or told).get("additional_kwargs")).get("refusal"))
    return replace(found, finish_reason=finish(reason, called=bool(found.tool_calls)), refusal=refusal)


def _choice(choice: Any) -> Any:
    if not isinstance(choice, dict) or "function" in choice:
        return choice
    if text(choice.get("name")):
        return {"type": "function", "function": {"name": choice["name"]}}
    return CHOICES.get(str(choice.get("type")))


def _detailed(report: JsonObject) -> Usage | None:
    """LangChain's ``usage_metadata``: details by name, those of a service tier with its name before."""
    given, made = mapping(report.get("input_token_details")), mapping(report.get("output_token_details"))
    if not given and not made:
        return None
    return inclusive(
        count(report.get("input_tokens")),
        _sum(given, "cache_read"),
        _sum(given, "cache_creation") or _sum(given, "_input_tokens"),
        count(report.get("output_tokens")),
        _sum(made, "reasoning"),
        count(report.get("total_tokens")),
    )


def _sum(details: JsonObject, end: str) -> int | None:
    known = [number for key, value in details.items() if key.endswith(end) and (number := count(value)) is not None]
    return sum(known) if known else None
