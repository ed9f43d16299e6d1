"""What of a logged request a target cannot take: read from its refusal, or known of an engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PROVIDER_ONLY = frozenset(
    {
        "audio",
        "metadata",
        "modalities",
        "moderation",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
        "verbosity",
        "web_search_options",
    }
)
"""Chat Completions fields that address the provider's own services: vLLM and llama.cpp ignore them silently."""

NEVER_DROPPED = frozenset({"messages", "model", "tools"})
"""Without these it is another request: a target that refuses them has failed the case."""

OTHER_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""The same limit under its old and its new name; a target that refuses one is offered the other."""

# A word in a refusal names a field only when it is quoted or announced: "user", "stop" and "n" are words too.
_NAMED = r"""(?:["'`]{name}["'`])|(?:(?:parameters?|arguments?|fields?|param)(?: supplied)?:?\s+{name}\b)"""
_LASTING = re.compile(r"unsupported|unknown|unrecogni[sz]ed|not permitted|not support|unexpected", re.IGNORECASE)
_TEXT_PARTS = frozenset({"text", "refusal"})


@dataclass(slots=True)
class Fit:
    """How requests are changed for one model: fields to leave out, and limits to send under their other name."""

    dropped: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Fit:
        """A fit that can grow for one request alone."""
        return Fit(set(self.dropped), dict(self.renamed))

    def refuse(self, name: str, request: Mapping[str, Any], *, rename: bool) -> None:
        """The target refused the field sent as ``name``: leave it out, or offer a limit under its other name."""
        sent_as = {new: old for old, new in self.renamed.items()}
        original = sent_as.get(name, name)
        other = OTHER_NAME.get(original)
        if rename and name == original and other and other not in request:
            self.renamed[original] = other
        else:
            self.dropped.add(original)

    def apply(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The body to send, and the names of the request's fields that are not in it."""
        body = {self.renamed.get(key, key): value for key, value in request.items() if key not in self.dropped}
        return body, tuple(sorted(key for key in request if key in self.dropped))


def refused_field(body: Mapping[str, Any], param: str | None, message: str) -> str | None:
    """The field of ``body`` that a refusal (HTTP 400 or 422) names, or None when it names none that can go.

    ``param`` is the error's own field for it where the server fills it (``response_format.json_schema`` counts as
    ``response_format``).
    """
    top = (param or "").removeprefix("body.").split(".")[0].split("[")[0]
    top = top if top in body else OTHER_NAME.get(top, top)
    if top in body:
        return None if top in NEVER_DROPPED else top
    names = [name for name in body if name not in NEVER_DROPPED]
    return next((name for name in names if re.search(_NAMED.format(name=re.escape(name)), message)), None)


def lasting(message: str) -> bool:
    """True when a refusal is about the field itself and not about this one value: the next request need not try."""
    return bool(_LASTING.search(message))


def has_media(request: Mapping[str, Any]) -> bool:
    """True when a message carries an image, audio or a file."""
    messages = request.get("messages")
    return any(_media(message.get("content")) for message in messages or () if isinstance(message, Mapping))


def _media(content: Any) -> bool:
    parts: Iterable[Any] = content if isinstance(content, list) else ()
    return any(isinstance(part, Mapping) and part.get("type") not in _TEXT_PARTS for part in parts)
