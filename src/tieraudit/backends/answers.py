"""Chat Completions bodies and streams -> Output and Usage, whichever server wrote them.

Field map: the Chat Completions reference of OpenAI (`choices[].message`, `choices[].delta`, `usage`); servers that
leave out a tool call's index or answer in content parts are read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tieraudit.backends.base import CaseFailed
from tieraudit.domain import JsonObject, Output, Usage


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one response says; `usage` has only None fields when the server did not tell."""

    output: Output
    usage: Usage
    served_model: str | None


def parse_completion(body: Any) -> Parsed:
    """Read a whole response; raises `CaseFailed` (malformed_answer) when it is not a Chat Completion."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        calls = [_tool_call(item) for item in message.get("tool_calls") or ()]
        if message.get("function_call"):
            calls.append(_tool_call({"function": message["function_call"]}))
        output = Output(
            text=text_of(message.get("content")),
            tool_calls=tuple(calls),
            refusal=message.get("refusal"),
            finish_reason=choice.get("finish_reason"),
        )
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise CaseFailed("malformed_answer", "the response is not a Chat Completion") from error
    return Parsed(output, parse_usage(body.get("usage")), _text_or_none(body.get("model")))


def parse_usage(raw: Any) -> Usage:
    """The tokens of one response; cached ones are inside the input, reasoning ones inside the output."""
    if not isinstance(raw, Mapping):
        return Usage()
    read = raw.get("prompt_tokens_details")
    made = raw.get("completion_tokens_details")
    return Usage(
        input_tokens=_count(raw.get("prompt_tokens")),
        cache_read_input_tokens=_count(read.get("cached_tokens")) if isinstance(read, Mapping) else None,
        output_tokens=_count(raw.get("completion_tokens")),
        reasoning_output_tokens=_count(made.get("reasoning_tokens")) if isinstance(made, Mapping) else None,
        total_tokens=_count(raw.get("total_tokens")),
    )


def text_of(content: Any) -> str | None:
    """Text content, given as a string or as a list of parts."""
    if isinstance(content, list):
        texts = [part.get("text") or "" for part in content if isinstance(part, Mapping)]
        return "".join(texts)
    return content if isinstance(content, str) else None


@dataclass(slots=True)
class StreamFold:
    """Folds the chunks of one stream into the message they make; only the first choice is kept."""

    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: list[JsonObject] = field(default_factory=list)
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    served_model: str | None = None
    _by_index: dict[int, JsonObject] = field(default_factory=dict)

    def add(self, chunk: Mapping[str, Any]) -> bool:
        """Take one chunk; returns True when it carries something that the model generated."""
        self.served_model = self.served_model or _text_or_none(chunk.get("model"))
        if chunk.get("usage"):
            self.usage = parse_usage(chunk["usage"])
        generated = False
        for choice in _first_choice(chunk.get("choices")):
            generated = self._delta(choice.get("delta") or {}) or generated
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
        return generated

    @property
    def complete(self) -> bool:
        """False when the stream ended before the model did."""
        return self.finish_reason is not None or self.usage.output_tokens is not None

    def parsed(self) -> Parsed:
        """The whole message."""
        output = Output(
            text="".join(self.texts) if self.texts else None,
            tool_calls=tuple(_tool_call(call) for call in self.calls),
            refusal="".join(self.refusals) or None,
            finish_reason=self.finish_reason,
        )
        return Parsed(output, self.usage, self.served_model)

    def _delta(self, delta: Mapping[str, Any]) -> bool:
        text = text_of(delta.get("content"))
        if text:
            self.texts.append(text)
        if delta.get("refusal"):
            self.refusals.append(delta["refusal"])
        parts = list(delta.get("tool_calls") or ())
        if delta.get("function_call"):
            parts.append({"index": 0, "function": delta["function_call"]})
        for part in parts:
            self._tool_part(part)
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        return bool(text or delta.get("refusal") or parts or thought)

    def _tool_part(self, part: Mapping[str, Any]) -> None:
        function = part.get("function") or {}
        call = self._call_of(part, named=bool(function.get("name")))
        call["id"] = call["id"] or part.get("id")
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""

    def _call_of(self, part: Mapping[str, Any], *, named: bool) -> JsonObject:
        # Without an index, a part that names a function begins a call and any other part continues the last one.
        index = part.get("index")
        if index is not None and index in self._by_index:
            return self._by_index[index]
        if index is None and self.calls and not named:
            return self.calls[-1]
        call: JsonObject = {"id": None, "function": {"name": "", "arguments": ""}}
        self.calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call


def _tool_call(raw: Mapping[str, Any]) -> JsonObject:
    function = raw["function"]
    return {
        "id": raw.get("id"),
        "type": "function",
        "function": {"name": function["name"], "arguments": function.get("arguments") or ""},
    }


def _first_choice(choices: Any) -> Iterable[Mapping[str, Any]]:
    return (choice for choice in choices or () if not choice.get("index"))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
