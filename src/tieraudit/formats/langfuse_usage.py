"""Langfuse token counts in one convention: its instrumentations disagree on names and on what includes what."""

from __future__ import annotations

from tieraudit.domain import JsonObject, Usage
from tieraudit.formats.fields import count, first, mapping
from tieraudit.formats.inclusive import inclusive

READ = (
    "input_cached_tokens", "input_cache_read", "prompt_details.cache_read", "cache_read_input_tokens", "cached_tokens",
)  # fmt: skip
WRITTEN = ("input_cache_creation", "input_cache_write", "prompt_details.cache_write", "cache_creation_input_tokens")
REASONED = ("output_reasoning_tokens", "output_reasoning", "completion_details.reasoning", "reasoning_tokens")


def langfuse_usage(item: JsonObject, *, embedding: bool) -> Usage:
    """Tokens with cached and reasoning ones included, however the instrumentation counted them."""
    details = mapping(item.get("usageDetails")) or mapping(item.get("usage"))
    given = count(first(details, "input", "promptTokens")) or count(item.get("inputUsage"))
    made = count(first(details, "output", "completionTokens")) or count(item.get("outputUsage"))
    total = count(first(details, "total", "totalTokens")) or count(item.get("totalUsage"))
    read, written, reasoned = (count(first(details, *keys)) for keys in (READ, WRITTEN, REASONED))
    return inclusive(given, read, written, made, reasoned, total, embedding=embedding)
