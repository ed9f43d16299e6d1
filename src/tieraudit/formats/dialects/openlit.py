"""OpenLIT and other instrumentations that put a whole transcript into ``gen_ai.prompt`` and ``gen_ai.completion``.

Source: openlit/openlit, sdk/python/src/openlit/semcov; GenAI conventions up to 1.27. The same pair is also written as
events (see `events`); everything else of OpenLIT has the names of the current conventions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.dialects.reading import WORKFLOW, Reading, read_answer, read_prompt
from tieraudit.formats.fields import first

OWN = {
    "gen_ai.prompt", "gen_ai.completion", "gen_ai.content.prompt", "gen_ai.content.completion",
    "gen_ai.application_name",
}  # fmt: skip


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for the two attributes, and for the name of the application."""
    return not OWN.isdisjoint(attributes)


def read(span: JsonObject) -> Reading:
    """Prompt and answer."""
    attributes = span["attributes"]
    found = Reading()
    read_prompt(first(attributes, "gen_ai.prompt", "gen_ai.content.prompt"), found)
    read_answer(first(attributes, "gen_ai.completion", "gen_ai.content.completion"), found)
    found.hint(WORKFLOW, attributes.get("gen_ai.application_name"))
    return found
