"""Pydantic AI and Logfire: messages as lists of events, ``model_request_parameters``, bodies as ``request_data``.

Source: pydantic/pydantic-ai, models/instrumented.py; pydantic/logfire, integrations/llm_providers. The span of an agent
run holds the whole conversation; with one answer in it, it is that call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.dialects import events
from tieraudit.formats.dialects.reading import (
    AGENT,
    Kind,
    Reading,
    answers_in,
    dollars,
    parameter,
    read_answer,
    read_bodies,
    read_prompt,
    schema_format,
)
from tieraudit.formats.fields import decoded, first, labels, listing, mapping, milliseconds, text
from tieraudit.formats.tools import openai_tools

RUNS = ("pydantic_ai.all_messages", "all_messages_events", "all_messages")
OWN = {"model_request_parameters", "request_data", "response_data", "operation.cost", "final_result", *RUNS}


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for a run, for a call, and for a body that Logfire's own integrations record."""
    return bool(OWN & attributes.keys()) or "gen_ai" in str(attributes.get("events"))[:500]


def read(span: JsonObject) -> Reading:
    """A run, or a call."""
    attributes = span["attributes"]
    found = Reading()
    found.cost = dollars(attributes.get("operation.cost"))
    found.tags = labels(attributes.get("logfire.tags"))
    found.hint(AGENT, attributes.get("agent_name"))
    if (key := next((key for key in RUNS if key in attributes), None)) is not None:
        _run(attributes, key, found)
    elif "events" in attributes:
        told = [events.from_attribute(mapping(item)) for item in listing(attributes["events"])]
        found.add(events.read({**span, "events": told}))
    if "request_data" in attributes:
        _logfire(span, found)
    _tools(mapping(attributes.get("model_request_parameters")), found)
    return found


def _run(attributes: Mapping[str, Any], key: str, found: Reading) -> None:
    """A run with one answer at its end is that call, unless its own span is there too."""
    told = [decoded(item) for item in listing(attributes[key])]
    found.kind = Kind.OUTER if answers_in(told) == 1 and answers_in(told[-1:]) == 1 else Kind.AGENT
    found.operation = "chat"
    found.request_model = text(attributes.get("model_name"))
    if found.kind is Kind.OUTER:
        read_prompt(told[:-1], found)
        read_answer(told[-1:], found)
        found.complete = False  # the offered tools are not among the attributes of a run


def _logfire(span: JsonObject, found: Reading) -> None:
    attributes = span["attributes"]
    asked, answered = mapping(attributes["request_data"]), mapping(attributes.get("response_data"))
    if "model" in asked:
        # A stream is two spans: the request, and when it is over a log with both, its length and no duration.
        begun = asked.get("stream") is True and "response_data" not in attributes and not span.get("failed")
        found.kind, found.operation = Kind.OTHER if begun else Kind.CALL, "chat"
    seconds = milliseconds(attributes.get("duration"))
    found.latency_ms = None if seconds is None else seconds * 1000
    if "input" in asked and "embedding" in str(asked.get("model")):
        found.operation = "embeddings"
    elif not read_bodies(asked, {"usage": answered.get("usage")}, found):
        read_prompt(first(asked, "messages", "input", "prompt"), found)
    found.request_model = text(asked.get("model"))
    read_answer(first(answered, "message", "combined_chunk_content"), found)


def _tools(asked: JsonObject, found: Reading) -> None:
    """Output tools are how a structured answer is asked for; without leave to answer in text, one must be called."""
    offered = openai_tools(listing(asked.get("output_tools")))
    found.tools = [*openai_tools(listing(asked.get("function_tools"))), *offered]
    if offered and parameter(asked.get("allow_text_output")) is False:
        found.parameters["tool_choice"] = "required"
    shape = mapping(asked.get("output_object"))
    if asked.get("output_mode") == "native" and shape:
        schema = first(shape, "json_schema", "schema")
        if (form := schema_format(schema, shape.get("name"), shape.get("description"))) is not None:
            found.parameters["response_format"] = form
    if asked:
        found.whole = True
