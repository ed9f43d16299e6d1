"""The dialects in which instrumentations describe a call on a span: one module each, one line in this table.

A module has ``knows(attributes)`` and ``read(span)``. A span may speak several at once (Vercel's own names beside the
conventions, for example): what each says is put together, and where two say the same, the earlier line is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tieraudit.domain import JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.dialects import (
    adk,
    events,
    genai,
    indexed,
    langfuse_sdk,
    mlflow_spans,
    openinference,
    openlit,
    pydantic_ai,
    vercel,
)
from tieraudit.formats.dialects.reading import Kind, Reading
from tieraudit.formats.fields import first


class Dialect(NamedTuple):
    """How to tell a dialect by a span's attributes, and how to read it."""

    knows: Callable[[Mapping[str, Any]], bool]
    read: Callable[[JsonObject], Reading]


DIALECTS: dict[str, Dialect] = {
    "langfuse": Dialect(langfuse_sdk.knows, langfuse_sdk.read),
    "openinference": Dialect(openinference.knows, openinference.read),
    "vercel": Dialect(vercel.knows, vercel.read),
    "adk": Dialect(adk.knows, adk.read),
    "mlflow": Dialect(mlflow_spans.knows, mlflow_spans.read),
    "pydantic-ai": Dialect(pydantic_ai.knows, pydantic_ai.read),
    "genai": Dialect(genai.knows, genai.read),
    "indexed": Dialect(indexed.knows, indexed.read),
    "openlit": Dialect(openlit.knows, openlit.read),
}
# On a span that says nothing of its kind, these are the traces that only a call of a model leaves.
WEAK = (
    "gen_ai.usage.",
    "llm.token_count.",
    "llm.input_messages.",
    "llm.usage.",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.content.",
)


def speaks(span: JsonObject) -> bool:
    """True when a dialect knows the span or one of its events."""
    attributes = span["attributes"]
    return events.knows(_names(span)) or any(dialect.knows(attributes) for dialect in DIALECTS.values())


def read_span(span: JsonObject) -> Reading:
    """What all dialects on the span say together; its ``kind`` is always set.

    Raises `Rejected` when a value is nested too deeply: JSON in an attribute is not checked before.
    """
    try:
        return _read(span)
    except RecursionError as error:
        raise Rejected("nested too deeply") from error


def _read(span: JsonObject) -> Reading:
    attributes = span["attributes"]
    found = Reading()
    for dialect in DIALECTS.values():
        if dialect.knows(attributes):
            found.add(dialect.read(span))
    if span.get("events"):
        found.add(events.read(span))
    if found.kind is None:
        models = first(attributes, "gen_ai.request.model", "gen_ai.response.model", "llm.model_name")
        weak = models is not None or any(key.startswith(WEAK) for key in attributes)
        found.kind = Kind.CALL if weak else Kind.OTHER
    if found.kind in (Kind.CALL, Kind.OUTER) and found.operation is None:
        found.operation = "chat"
    return found


def _names(span: JsonObject) -> dict[str, bool]:
    return {str(event.get("name")): True for event in span.get("events") or ()}
