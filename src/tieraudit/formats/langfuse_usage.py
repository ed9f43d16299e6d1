"""Langfuse token counts in one convention: its instrumentations disagree on names and on what includes what."""

from __future__ import annotations

from tieraudit.domain import JsonObject, Usage
from tieraudit.formats.fields import count, first, mapping

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
    if not (given or made or read or written):
        return Usage()
    apart, thought = (read or 0) + (written or 0), reasoned or 0
    given, made = given or 0, made or 0
    inside_in, inside_out = _included(given, made, apart, thought, total)
    return Usage(
        input_tokens=given if inside_in else given + apart,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        output_tokens=(made if inside_out else made + thought) if made or thought or embedding else None,
        reasoning_output_tokens=reasoned,
        total_tokens=total,
    )


def _included(given: int, made: int, apart: int, thought: int, total: int | None) -> tuple[bool, bool]:
    """Whether cached tokens are inside the input and reasoning tokens inside the output: as the total says."""
    for inside_in, inside_out in ((True, True), (False, False), (False, True), (True, False)):
        if given + (0 if inside_in else apart) + made + (0 if inside_out else thought) == total:
            return inside_in, inside_out
    return apart <= given, thought <= made
