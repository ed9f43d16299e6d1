"""Tool definitions of many makers in OpenAI's shape, so that a replay offers the same tools.

Known: Chat Completions, Responses (flat), Anthropic ``input_schema``, Vercel ``inputSchema``, Pydantic AI
``parameters_json_schema``, Gemini ``function_declarations``.
"""

from __future__ import annotations

from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.fields import decoded, first, listing, mapping

SCHEMAS = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema")


def openai_tools(value: Any) -> list[JsonObject]:
    """The function tools in ``value``: a list, a mapping by name, or either as JSON; others are left out."""
    value = decoded(value)
    if isinstance(value, dict):
        value = list(value.values()) if all(isinstance(item, dict) for item in value.values()) else [value]
    found: list[JsonObject] = []
    for item in listing(value):
        found += _tool(mapping(item))
    return found


def _tool(item: JsonObject) -> list[JsonObject]:
    declared = first(item, "function_declarations", "functionDeclarations")
    if declared is not None:
        return openai_tools(declared)
    function = mapping(item.get("function")) or item
    name = function.get("name")
    if not isinstance(name, str) or item.get("type", "function") not in ("function", "tool", "custom"):
        return []
    tool: JsonObject = {"name": name}
    if isinstance(description := function.get("description"), str):
        tool["description"] = description
    if schema := mapping(first(function, *SCHEMAS)):
        tool["parameters"] = schema
    if isinstance(strict := function.get("strict"), bool):
        tool["strict"] = strict
    return [{"type": "function", "function": tool}]
