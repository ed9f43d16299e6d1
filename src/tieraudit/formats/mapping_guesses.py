"""How a starter mapping knows a field: by the last key of its path, and by what the values there are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tieraudit.formats.fields import TASK_KEYS, count, milliseconds, money, text, time
from tieraudit.formats.mapping_source import opened

HALF = 0.5
Column = list[Any]
"""What the records have at one path."""


def _most(test: Callable[[Any], bool], share: float = 0.8) -> Callable[[Column], bool]:
    """True for values most of which pass ``test``: every log has rows that are cut off, failed or of another kind."""
    return lambda values: sum(map(test, values)) >= share * len(values)


def _named(value: Any) -> bool:
    return text(value) is not None and len(str(value)) < 200


def _body(*marks: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(opened(value), dict) and any(mark in opened(value) for mark in marks)


def _messages(value: Any) -> bool:
    value = opened(value)
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and "role" in item for item in value)


@dataclass(frozen=True, slots=True)
class Guess:
    """How to know a field: the last keys of its path, best first, and what its values must be."""

    field: str
    keys: str
    fits: Callable[[Column], bool]
    example: str
    shown: bool = False  # whether a value may stand beside it: never what people wrote

    def rank(self, key: str) -> int | None:
        """How well ``key`` names the field, 0 best; None when it does not."""
        names = self.keys.split()
        return next((rank for rank, name in enumerate(names) if re.fullmatch(name, key)), None)


_are_messages = _most(_messages, HALF)
_is_time = _most(lambda value: isinstance(time(value), datetime))
_is_number = _most(lambda value: milliseconds(value) is not None)
_is_count = _most(lambda value: count(value) is not None)
_is_flag = _most(lambda value: isinstance(value, bool) or str(value).lower() in ("true", "false", "hit", "miss"))
_is_text = _most(lambda value: isinstance(value, str))
_is_name = _most(_named)
_is_status = _most(lambda value: (count(value) or 0) in range(100, 600))
_is_money = _most(lambda value: money(value) is not None)
_is_error = _most(lambda value: isinstance(opened(value), dict | str | bool))
_is_list = _most(lambda value: isinstance(opened(value), list))
_is_mapping = _most(lambda value: isinstance(opened(value), dict))
_is_usage = _most(_body("prompt_tokens", "input_tokens"), HALF)
_is_request = _most(_body("messages", "contents"), HALF)
_is_response = _most(_body("choices", "candidates", "output", "stop_reason"), HALF)
_DURATION = "_?(ms|millis|milliseconds|s|sec|secs|seconds|us|ns)?"
GUESSES = (
    Guess("request", "body request request_body req payload input kwargs params .*", _is_request, "request.body"),
    Guess("response", "body response response_body res output result completion .*", _is_response, "response.body"),
    Guess("messages", "messages prompt_messages input_messages history chat prompt question input query instruction",
          lambda values: _are_messages(values) or _is_text(values), "messages"),
    Guess("system", "system system_prompt system_message", _is_text, "system"),
    Guess("text", "completion answer output response reply generation result text output_text content",
          _is_text, "choices.0.message.content"),
    Guess("started_at", "started_at start_time request_time requested_at timestamp time ts created_at created date "
          "datetime event_time at logged_at request_created_at .*_timestamp .*_created_at", _is_time, "timestamp",
          shown=True),
    Guess("ended_at", "ended_at end_time finished_at completed_at response_time", _is_time, "ended_at", shown=True),
    Guess("source_id", "request_id call_id id uuid generation_id event_id log_id", _is_name, "id"),
    Guess("request_model", "request_model requested_model model model_name model_id engine deployment llm "
          "llm_model ai_model",
          _is_name, "model", shown=True),
    Guess("response_model", "response_model served_model actual_model resolved_model", _is_name, "served_model",
          shown=True),
    Guess("provider", "provider vendor llm_provider model_provider", _is_name, "provider", shown=True),
    Guess("usage", "usage token_usage tokens", _is_usage, "usage"),
    Guess("input_tokens", "input_tokens prompt_tokens tokens_in tokens_prompt in_tokens input_token_count",
          _is_count, "prompt_tokens", shown=True),
    Guess("cache_read_input_tokens", "cache_read_input_tokens cached_tokens cache_read_tokens prompt_cache_hit_tokens",
          _is_count, "cached_tokens", shown=True),
    Guess("cache_creation_input_tokens", "cache_creation_input_tokens cache_write_tokens", _is_count,
          "cache_write_tokens", shown=True),
    Guess("output_tokens", "output_tokens completion_tokens tokens_out tokens_completion output_token_count",
          _is_count, "completion_tokens", shown=True),
    Guess("reasoning_output_tokens", "reasoning_tokens reasoning_output_tokens thinking_tokens", _is_count,
          "reasoning_tokens", shown=True),
    Guess("total_tokens", "total_tokens tokens_total tokens", _is_count, "total_tokens", shown=True),
    Guess("latency_ms", f"latency{_DURATION} duration{_DURATION} elapsed{_DURATION} took{_DURATION} "
          f"response_time{_DURATION} delay{_DURATION} time_taken{_DURATION} runtime{_DURATION}", _is_number,
          "latency_ms", shown=True),
    Guess("time_to_first_token_ms", f"time_to_first_token{_DURATION} ttft{_DURATION} first_token{_DURATION}",
          _is_number, "ttft_ms", shown=True),
    Guess("logged_cost_usd", "cost_usd usd cost total_cost spend price cost_cents cents amount", _is_money, "cost",
          shown=True),
    Guess("http_status", "http_status status_code http_code response_code response_status status code", _is_status,
          "status_code", shown=True),
    Guess("error_type", "error_type error exception failure status outcome", _is_error, "error"),
    Guess("error_message", "error_message error_msg error_detail", _is_text, "error_message"),
    Guess("finish_reason", "finish_reason stop_reason", _is_name, "finish_reason", shown=True),
    Guess("stream", "stream streamed streaming is_stream", _is_flag, "stream", shown=True),
    Guess("cache_hit", "cache_hit cached from_cache is_cached", _is_flag, "cache_hit", shown=True),
    Guess("tool_calls", "tool_calls", _is_list, "choices.0.message.tool_calls"),
    Guess("tools", "tools functions", _is_list, "tools"),
    Guess("tool_choice", "tool_choice", lambda values: True, "tool_choice"),
    Guess("response_format", "response_format", lambda values: True, "response_format"),
    Guess("refusal", "refusal", _is_text, "refusal"),
    Guess("trace_id", "trace_id trace", _is_name, "trace_id"),
    Guess("conversation_id", "conversation_id session_id thread_id chat_id session", _is_name, "session_id"),
    Guess("user_id", "user_id user end_user customer_id customer account_id", _is_name, "user_id"),
    Guess("task_hint", " ".join(TASK_KEYS), _is_name, "task", shown=True),
    Guess("tags", "tags labels", lambda values: _is_list(values) or _is_text(values), "tags"),
    Guess("metadata", "metadata meta properties attributes extra context", _is_mapping, "metadata"),
    Guess("feedback", "feedback rating thumbs user_rating user_score score", _is_number, "rating"),
)  # fmt: skip
# What a whole body brings along when it has the key, so that it is not looked for elsewhere.
TOKENS = tuple(guess.field for guess in GUESSES if guess.field.endswith("_tokens"))
BROUGHT: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "request": (("", ("messages", "system", "tools", "tool_choice", "response_format")), ("model", ("request_model",)),
               ("stream", ("stream",))),
    "response": (("", ("text", "tool_calls", "refusal", "finish_reason")), ("model", ("response_model",)),
                ("usage", ("usage", *TOKENS)), ("usageMetadata", ("usage", *TOKENS))),
    "usage": (("", TOKENS),),
}  # fmt: skip
