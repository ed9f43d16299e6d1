"""What a logged call is, apart from any log format: tokens, price, latency, failures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from sample_logs.vocab import Draft, Message, Moment

# USD per million tokens: input, cached input, output.
PRICES = {
    "gpt-5": (1.25, 0.125, 10.0),
    "gpt-5.1": (1.25, 0.125, 10.0),
    "gpt-5-mini": (0.25, 0.025, 2.0),
    "claude-sonnet-4-5": (3.0, 0.3, 15.0),
}
SERVED = {
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5.1": "gpt-5.1-2025-11-13",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
}
# Seconds to the first token, output tokens per second.
SPEED = {
    "gpt-5": (0.75, 85.0),
    "gpt-5.1": (0.55, 95.0),
    "gpt-5-mini": (0.40, 140.0),
    "claude-sonnet-4-5": (0.95, 68.0),
}
ID_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
FAILURES = {
    "rate_limit": (429, "RateLimitError", "rate_limit_exceeded", "Rate limit reached for {model} on requests per min."),
    "server": (500, "InternalServerError", "server_error", "The server had an error while processing your request."),
    "timeout": (408, "Timeout", "timeout", "Request timed out."),
}


@dataclass(frozen=True)
class Task:
    """A recurring task: how often it runs, when, on which model and with which parameters."""

    name: str
    build: Callable[[Random, Moment], Draft]
    model: str
    rhythm: str
    params: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    team: str = "support"
    litellm: int = 0
    pairs: int = 0
    langfuse: int = 0
    spend: int = 0
    reasoning: int = 0
    cached: int = 0
    error_rate: float = 0.0


@dataclass
class Call:
    """One call that was made, successful or not."""

    task: Task
    draft: Draft
    id: str
    trace_id: str
    start: float
    latency: float
    first_token: float
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cached_tokens: int
    failure: str | None = None
    cache_hit: bool = False

    @property
    def end(self) -> float:
        """Give the time at which the answer was complete."""
        return round(self.start + self.latency, 3)

    @property
    def params(self) -> dict[str, Any]:
        """Give the request parameters."""
        return {**self.task.params, **self.draft.params}

    @property
    def provider(self) -> str:
        """Name the provider as LiteLLM does."""
        return "anthropic" if self.task.model.startswith("claude") else "openai"

    @property
    def costs(self) -> tuple[float, float] | None:
        """Price the input and the output in USD, or nothing for a model without a list price."""
        if self.task.model not in PRICES:
            return None
        fresh, cached, output = PRICES[self.task.model]
        spent = (self.prompt_tokens - self.cached_tokens) * fresh + self.cached_tokens * cached
        return round(spent / 1e6, 10), round(self.completion_tokens * output / 1e6, 10)

    @property
    def cost(self) -> float:
        """Price the call in USD; a model without a list price counts as 0, as LiteLLM logs it."""
        return round(sum(self.costs or (0.0, 0.0)), 10)

    @property
    def message(self) -> Message:
        """Give the assistant message."""
        message: Message = {"role": "assistant", "content": self.draft.answer}
        return message | ({"tool_calls": self.draft.tool_calls} if self.draft.tool_calls else {})

    @property
    def finish_reason(self) -> str:
        """Say why the answer ended."""
        return "tool_calls" if self.draft.tool_calls else "stop"

    @property
    def usage(self) -> dict[str, Any]:
        """Give the usage block of a chat completion."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens, "audio_tokens": 0},
        }


def uuid(rng: Random) -> str:
    """Give a random UUID."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def completion_id(rng: Random) -> str:
    """Give an id as OpenAI makes them."""
    return "chatcmpl-" + "".join(rng.choice(ID_CHARS) for _ in range(29))


def _tokens(text: str) -> int:
    return math.ceil(len(text) / 4)


def _prompt_tokens(draft: Draft) -> int:
    total = 3
    for message in draft.messages:
        content = message["content"]
        parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        total += 4 + sum(_tokens(part["text"]) if part["type"] == "text" else 255 for part in parts)
        if "tool_calls" in message:
            total += _tokens(json.dumps(message["tool_calls"]))
    return total + (_tokens(json.dumps(draft.params["tools"])) if "tools" in draft.params else 0)


def make_call(rng: Random, task: Task, draft: Draft, start: float, failure: str | None = None) -> Call:
    """Turn a draft into a call with tokens and a latency that follows from them."""
    if draft.wrong is not None and rng.random() < task.error_rate:
        draft.answer = draft.wrong
    visible = _tokens(draft.answer or "") + (_tokens(json.dumps(draft.tool_calls)) if draft.tool_calls else 0)
    thought = 64 * round(rng.lognormvariate(math.log(task.reasoning / 64), 0.45)) if task.reasoning else 0
    first, speed = SPEED.get(task.model, (0.30, 60.0))
    first *= rng.lognormvariate(0.0, 0.35)
    latency = first + thought / speed + visible / (speed * rng.lognormvariate(0.0, 0.2))
    call = Call(
        task=task,
        draft=draft,
        id=f"chatcmpl-{uuid(rng)}" if task.model.startswith("claude") else completion_id(rng),
        trace_id=uuid(rng),
        start=round(start, 3),
        latency=round(latency, 3),
        first_token=round(first + thought / speed, 3),
        prompt_tokens=_prompt_tokens(draft),
        completion_tokens=thought + visible + 1,
        reasoning_tokens=thought,
        cached_tokens=task.cached if rng.random() < 0.5 else 0,
        failure=failure,
    )
    if failure:
        call.latency = {"rate_limit": 0.18, "server": 2.4, "timeout": 60.0}[failure] + round(rng.random(), 3)
        call.prompt_tokens = call.completion_tokens = call.reasoning_tokens = call.cached_tokens = 0
    return call
