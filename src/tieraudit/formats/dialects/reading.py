"""What one dialect says of a span, and how the dialects on one span are put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from tieraudit.domain import JsonObject, Output
from tieraudit.formats.answers import answer
from tieraudit.formats.bodies import finish as openai_finish
from tieraudit.formats.bodies import schema_format as openai_schema
from tieraudit.formats.dialects.images import with_images
from tieraudit.formats.fields import IDENTIFIER, decoded, first, listing, mapping, money, text
from tieraudit.formats.gateway_bodies import gateway_exchange, stream_of
from tieraudit.formats.messages import Conversation, role_of
from tieraudit.formats.prompts import conversation

# Words for why the model stopped that only frameworks use.
FINISHES = {"tool_call": "tool_calls", "max_output_tokens": "length", "eos": "stop", "completed": "stop"}
PART_TYPES = {
    "text", "image_url", "image", "input_text", "input_image", "tool_use", "tool_result", "tool-call", "tool-result",
    "file", "thinking", "reasoning",
}  # fmt: skip
BLOCKS = {"text", "toolUse", "toolResult", "reasoningContent"}  # of Bedrock's Converse
# What stands in the place of a provider where a framework does not know it.
FRAMEWORKS = {
    "", "_other", "unknown", "custom", "langchain", "langgraph", "llamaindex", "llama_index", "litellm", "crewai",
    "haystack", "semantic_kernel", "microsoft.agent_framework", "microsoft.semantic_kernel",
}  # fmt: skip
REDACTED = "__REDACTED__"
INDEX = re.compile(r"\d{1,6}")


class Kind(StrEnum):
    """What a span is: ``OUTER`` is a call unless the calls that it made are in the log as well."""

    CALL = "call"
    OUTER = "outer"
    AGENT = "agent"
    OTHER = "other"


@dataclass(slots=True)
class Reading:
    """The part of a call that one dialect tells; None and empty where it is silent.

    ``usage`` has the counts under the names of `COUNTS`, as logged. ``hints`` are names of the task by rank: the
    lowest is believed. ``complete`` False says that a part of the prompt is not in the log; ``whole`` True that the
    tools and settings of the request are known to be all there.
    """

    kind: Kind | None = None
    operation: str | None = None
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    stream: bool | None = None
    prompt: Conversation | None = None
    system: str | None = None
    tools: list[JsonObject] = field(default_factory=list)
    parameters: JsonObject = field(default_factory=dict)
    output: Output | None = None
    finish: str | None = None
    usage: JsonObject = field(default_factory=dict)
    cost: Decimal | None = None
    ttft_ms: float | None = None
    latency_ms: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    http_status: int | None = None
    conversation_id: str | None = None
    user_id: str | None = None
    hints: dict[int, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    metadata: JsonObject = field(default_factory=dict)
    complete: bool = True
    whole: bool = False

    def add(self, other: Reading) -> None:
        """Take from ``other`` what this one does not say; of prompts, the whole one that comes first."""
        if self.prompt is None and other.prompt is not None:
            self.complete, self.whole = other.complete, other.whole
        for name in ALONE:
            if getattr(self, name) is None:
                setattr(self, name, getattr(other, name))
        if self.output is not None and self.output.empty and other.output is not None:
            self.output = other.output
        self.tools = self.tools or other.tools
        for name in TOGETHER:
            setattr(self, name, {**getattr(other, name), **getattr(self, name)})
        self.tags = tuple(dict.fromkeys((*self.tags, *other.tags)))

    def hint(self, rank: int, value: Any) -> None:
        """Remember ``value`` as a name of the task; an id in it, new with every run, names nothing."""
        if (name := text(value)) is not None and (name := text(IDENTIFIER.sub("", name))) is not None:
            self.hints.setdefault(rank, name)


ALONE = (
    "kind", "operation", "provider", "request_model", "response_model", "response_id", "stream", "prompt", "system",
    "output", "finish", "cost", "ttft_ms", "latency_ms", "error_type", "error_message", "http_status",
    "conversation_id", "user_id",
)  # fmt: skip
COUNTS = (
    ("input", "input_tokens"),
    ("output", "output_tokens"),
    ("total", "total_tokens"),
    ("cached_tokens", "cache_read_input_tokens"),
    ("input_cache_write", "cache_creation_input_tokens"),
    ("reasoning_tokens", "reasoning_output_tokens"),
)
TOGETHER = ("parameters", "usage", "hints", "metadata")
# Ranks of names of a task.
PROMPT, FEATURE, STEP, AGENT, WORKFLOW = range(5)


def read_prompt(value: Any, found: Reading) -> None:
    """Take the prompt in ``value``; JSON that was cut off in the middle and masked text are no whole prompt."""
    value = decoded(value)
    if value is None or value in ("", "{}", [], {}):
        return
    prompt = conversation(with_images(value))
    if prompt is None:
        return
    found.prompt = prompt
    if isinstance(value, str) and value[:2] in ("[{", '{"'):
        found.complete = False
    if any(message.get("content") == REDACTED for message in prompt.messages):
        found.complete = False


def read_bodies(asked: Any, answered: Any, found: Reading) -> bool:
    """Take the call of two bodies as they were sent to an endpoint; False when there is no such request."""
    exchange = gateway_exchange(asked, answered)
    if exchange.request is None:
        return False
    parameters = dict(exchange.request)
    messages, tools = parameters.pop("messages"), parameters.pop("tools", [])
    found.prompt = Conversation(messages, tools, parameters, exchange.whole)
    found.whole = True
    if exchange.operation not in ("chat", "embeddings"):
        found.operation = exchange.operation
    if exchange.response is not None and not exchange.response.empty:
        found.output = exchange.response
    found.stream = stream_of(asked)
    found.request_model = text(mapping(asked).get("model")) or found.request_model
    found.response_model = exchange.response_model or found.response_model
    found.response_id = exchange.response_id
    found.user_id = found.user_id or exchange.user_id
    found.metadata = {**exchange.kept, **found.metadata}
    counts = ((name, getattr(exchange.usage, part)) for name, part in COUNTS)
    found.usage = {name: value for name, value in counts if value is not None}
    return True


def read_answer(value: Any, found: Reading, *, choices: int = 1) -> None:
    """Take the answer in ``value``; of several ``choices`` the first, else several messages are parts of one."""
    value = decoded(value)
    if isinstance(value, list):
        messages = [item for item in value if isinstance(item, dict)]
        if choices > 1 and messages and len(messages) == len(value):
            value = messages[:1]
        elif len(messages) > 1 and all(_is_piece(item) for item in messages):
            pieces = "".join(item["content"] for item in messages)
            value = [{**messages[-1], "content": pieces}]
    found.output = answer(with_images(value))
    if (refusal := _refusal(value)) is not None and (found.output is None or not found.output.tool_calls):
        reason = None if found.output is None else found.output.finish_reason
        found.output = Output(refusal=refusal, finish_reason=reason)


def _refusal(value: Any) -> str | None:
    """What the model said instead of an answer: a message's field or a part of it."""
    for message in [value] if isinstance(value, dict) else listing(value):
        if isinstance(message, dict):
            parts = [message, *(mapping(part) for part in listing(first(message, "parts", "content")))]
            for part in parts:
                told = first(part, "refusal", "content") if part.get("type") == "refusal" else part.get("refusal")
                if isinstance(told, str) and told:
                    return told
    return None


def _is_piece(message: JsonObject) -> bool:
    """True for a message that is nothing but text: a stream recorded message by message."""
    return set(message) <= {"role", "content"} and isinstance(message.get("content"), str)


def finish(value: Any) -> str | None:
    """Why the model stopped, in OpenAI's words; the first of several."""
    value = decoded(value)
    if isinstance(value, list):
        value = value[0] if value else None
    word = text(value)
    if word is None or word.lower() in ("unknown", "none", "null", "other", "error"):
        return None
    plain = word.lower().replace("-", "_").removeprefix("finish_reason_")
    return openai_finish(FINISHES.get(plain, plain))


def nested(attributes: Mapping[str, Any], prefix: str) -> Any:
    """The tree below ``prefix``: dotted names as mappings, numbered ones as lists in the order of their numbers."""
    root: JsonObject = {}
    for key in attributes:
        if not key.startswith(prefix + "."):
            continue
        at = root
        *path, last = key[len(prefix) + 1 :].split(".")
        for step in path[:32]:
            inner = at.setdefault(step, {})
            at = inner if isinstance(inner, dict) else at.setdefault(step + ".", {})
        at.setdefault(last, attributes[key])
    return _listed(root, 33)


def _listed(node: Any, depth: int) -> Any:
    if not isinstance(node, dict) or not depth:
        return node
    if node and all(INDEX.fullmatch(key) for key in node):
        return [_listed(node[key], depth - 1) for key in sorted(node, key=int)]
    return {key: _listed(item, depth - 1) for key, item in node.items()}


def gaps(attributes: Mapping[str, Any], prefix: str) -> bool:
    """True when numbers are missing below ``prefix``: an SDK dropped attributes above its limit."""
    numbers = {
        int(step)
        for key in attributes
        if key.startswith(prefix + ".") and INDEX.fullmatch(step := key[len(prefix) + 1 :].partition(".")[0])
    }
    return bool(numbers) and max(numbers) != len(numbers) - 1


def parts_in(content: Any) -> Any:
    """A message's content, decoded when it is a list of parts written as JSON."""
    value = decoded(content) if isinstance(content, str) and content[:2] == "[{" else content
    if isinstance(value, list) and all(isinstance(item, dict) and _is_part(item) for item in value):
        return value
    return content


def _is_part(item: JsonObject) -> bool:
    return item.get("type") in PART_TYPES or (len(item) == 1 and not BLOCKS.isdisjoint(item))


def parameter(value: Any) -> Any:
    """A setting of the request; numbers and booleans that come as text are read."""
    value = decoded(value)
    if not isinstance(value, str):
        return value
    word = text(value)
    if word in ("true", "false", "True", "False"):
        return word.lower() == "true"
    number = decoded(f"[{word}]") if word else None
    return number[0] if isinstance(number, list) and isinstance(number[0], int | float) else word


def flag(value: Any) -> bool | None:
    """A boolean, also as text."""
    read = parameter(value)
    return read if isinstance(read, bool) else None


def provider(value: Any) -> str | None:
    """A provider's name in small letters, without the kind of API that some dialects append; frameworks are none."""
    name = (text(value) or "").lower()
    name = name.removesuffix(".responses").removesuffix(".chat").removesuffix(".messages")
    return None if name in FRAMEWORKS else name


def dollars(value: Any) -> Decimal | None:
    """Money that is more than nothing: the dialects write 0 for a price that they do not know."""
    amount = money(value)
    return amount or None


def under(attributes: Mapping[str, Any], prefix: str) -> JsonObject:
    """The attributes whose names begin with ``prefix``, without it, decoded."""
    return {
        key.removeprefix(prefix): decoded(value)
        for key, value in attributes.items()
        if key.startswith(prefix) and value is not None and len(key) > len(prefix)
    }


def schema_format(schema: Any, name: Any = None, description: Any = None) -> JsonObject | None:
    """A JSON schema as a ``response_format``; None when it is none."""
    shape = mapping(schema)
    if not shape:
        return None
    named = text(name) or text(shape.get("title")) or "answer"
    form = openai_schema(shape, re.sub(r"[^a-zA-Z0-9_-]", "_", named)[:64])
    if text(description):
        form["json_schema"]["description"] = description
    return form


def answers_in(value: Any) -> int:
    """How many answers of the model a recorded conversation holds."""
    return sum(isinstance(item, dict) and role_of(item) == "assistant" for item in listing(value))
