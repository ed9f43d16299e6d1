"""Which model should serve this request? The routing rules of a tieraudit audit, in one file.

Needs Python 3.9 or newer and nothing else. `routes.json` beside it holds the rules and, for each, the evidence.

    from tieraudit_route import load
    routes = load("routes.json")
    choice = routes.decide({"model": "gpt-5", "messages": messages, "tags": ["task/ticket-labels"]})
    client.chat.completions.create(model=choice.model, messages=messages)

The tag is optional where a rule knows the prompt by itself; routes.json lists what each rule matches. A rule only
ever moves a request down to a cheaper tier that was proven for its task. A request that no rule knows, or that
is unlike the audited ones (longer, with other parts), keeps the model it asked for. When the chosen model fails,
try `choice.fallbacks` in order; the last one is the model that was asked for.

To switch everything off: set TIERAUDIT_OFF=1, or "enabled": false in routes.json.
To try a request: python tieraudit_route.py routes.json < request.json
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

SCHEMA = "tieraudit-routes/1"
ALIAS = "task/"
# In this order: what the caller says, what the prompt is, what it matches, and what comes with it.
KINDS = ("tag", "system_sha256", "system_regex", "user_regex", "tools")
TEXT_PARTS = ("text", "input_text", "output_text")
SILENT_PARTS = ("tool_use", "tool_result", "refusal", "thinking", "redacted_thinking")
# A pattern sees this much of the beginning and of the end of a prompt, so that no prompt can hold the router up.
END_CHARS = 12_000
MAX_PATTERN_CHARS = 10_000


class RoutesError(ValueError):
    """The routes file cannot be used; the message says which rule and why."""


class Decision(NamedTuple):
    """Where a request goes. ``tier`` is None when it keeps the model that it asked for."""

    model: str | None
    tier: str | None
    route: str | None
    fallbacks: tuple[str, ...]
    base_url: str | None
    reason: str


class Seen(NamedTuple):
    """What the rules look at in a request."""

    tags: frozenset[str]
    system: str
    system_sha256: str
    user: str
    tools: frozenset[str]
    chars: int
    media: bool
    key: str


class Rule(NamedTuple):
    """One thing that a route knows its requests by."""

    kind: str
    value: Any
    route: Mapping[str, Any]

    def holds(self, seen: Seen) -> bool:
        """True when the request is recognised by this rule."""
        if self.kind == "tag":
            return self.value in seen.tags
        if self.kind == "system_sha256":
            return seen.system_sha256 in self.value
        if self.kind == "tools":
            return bool(seen.tools == self.value)
        text = seen.system if self.kind == "system_regex" else seen.user
        return bool(text) and self.value.search(_ends(text)) is not None


class Routes:
    """The rules of one routes.json, checked and compiled; `decide` is a pure function of the request."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Check ``document``; raises `RoutesError`."""
        if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
            raise RoutesError(f"not a routes file of the schema {SCHEMA}")
        try:
            self.enabled = bool(document.get("enabled", True))
            self.tiers: dict[str, Mapping[str, Any]] = {tier["name"]: tier for tier in document["tiers"]}
            self.routes: dict[str, Mapping[str, Any]] = {}
            rules = [rule for route in document["routes"] for rule in self._rules_of(route)]
        except (KeyError, TypeError, AttributeError) as error:
            raise RoutesError(f"routes file: {type(error).__name__}: {error}") from error
        # Of two rules of one kind that hold, the one that moves nothing wins.
        self._rules = sorted(rules, key=lambda rule: (KINDS.index(rule.kind), rule.route["tier"] is not None))

    def decide(self, request: Mapping[str, Any]) -> Decision:
        """Where ``request`` goes: a Chat Completions or Anthropic Messages body, with ``tags`` if there are any."""
        asked = request.get("model")
        alias = self.routes.get(asked[len(ALIAS) :]) if isinstance(asked, str) and asked.startswith(ALIAS) else None
        if alias is not None:
            # A caller that names the task instead of a model gets the model that served the task in the log.
            request = {**request, "tags": [*_strings(request.get("tags")), asked]}
            asked = next(iter(alias["models"]), asked)
        if not self.enabled or switched_off():
            return _kept(asked, None, "switched off")
        seen = look(request)
        rule = self.recognise(seen)
        return self.apply(rule, asked, seen) if rule else _kept(asked, None, "no route knows this request")

    def recognise(self, seen: Seen) -> Rule | None:
        """The first rule that holds, the strongest kind first; whether the request then moves, `apply` says."""
        return next((rule for rule in self._rules if rule.holds(seen)), None)

    def apply(self, rule: Rule, asked: Any, seen: Seen) -> Decision:
        """What a rule that holds does to a request for the model ``asked``."""
        route = rule.route
        refused = self._refusal(route, asked, seen)
        if refused:
            return _kept(asked, route["id"], f"{rule.kind}; {refused}")
        tier = self.tiers[route["tier"]]
        above = [self.tiers[name]["model"] for name in route.get("fallbacks", ())]
        return Decision(
            tier["model"], route["tier"], route["id"], (*above, asked), tier.get("base_url"), f"{rule.kind}; moved"
        )

    def _refusal(self, route: Mapping[str, Any], asked: Any, seen: Seen) -> str | None:
        """Why a recognised request keeps its model; None when it moves."""
        if route["tier"] is None:
            return "this task keeps its model"
        if asked not in route["models"]:
            return "the model asked for is none that this route moves from"
        if share_of(route["id"], seen.key) >= route.get("percent", 100):
            return "outside the rollout"
        return _unlike(route.get("guard", {}), seen)

    def _rules_of(self, route: Mapping[str, Any]) -> Iterator[Rule]:
        name = route["id"]
        if name in self.routes:
            raise RoutesError(f"route {name}: the id is used twice")
        for tier in [route["tier"], *route.get("fallbacks", ())]:
            if tier is not None and tier not in self.tiers:
                raise RoutesError(f"route {name}: unknown tier {tier!r}")
        if not isinstance(route["models"], list):
            raise RoutesError(f"route {name}: models must be a list")
        self.routes[name] = route
        for condition in route["match"]:
            for kind, value in condition.items():
                try:
                    yield Rule(kind, checked(kind, value), route)
                except RoutesError as error:
                    raise RoutesError(f"route {name}: {error}") from error


def load(path: str) -> Routes:
    """Read a routes file; raises `RoutesError` when it is no such file and OSError when it cannot be read."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123  callers pass plain strings
        try:
            document = json.load(file)
        except ValueError as error:
            raise RoutesError(f"{path}: not JSON: {error}") from error
    return Routes(document)


def switched_off() -> bool:
    """True when the environment switches all routes off."""
    return os.environ.get("TIERAUDIT_OFF", "").strip().lower() not in ("", "0", "false", "no")


def share_of(route: str, key: str) -> float:
    """A number in [0, 100), always the same for one route and one user: below the percentage, the request moves."""
    return int(_sha256(f"{route}\n{key}")[:8], 16) / 0x100000000 * 100


def look(request: Mapping[str, Any]) -> Seen:
    """What the rules need to know of a request; anything that is not of the usual shape counts as absent."""
    messages = [message for message in _list(request.get("messages")) if isinstance(message, Mapping)]
    system = [message.get("content") for message in messages if message.get("role") in ("system", "developer")]
    contents = [message.get("content") for message in messages]
    if "system" in request:
        system = [request["system"], *system]
        contents = [request["system"], *contents]
    users = [text_of(message.get("content")) for message in messages if message.get("role") == "user"]
    system_text = " ".join(text_of(content) for content in system).strip()
    return Seen(
        tags=frozenset(_tags(request)),
        system=system_text,
        system_sha256=_sha256(system_text) if system_text else "",
        user=users[-1] if users else "",
        tools=frozenset(_tool_names(request)),
        chars=sum(len(text_of(content)) for content in contents),
        media=any(_has_media(content) for content in contents),
        key=_key(request, users),
    )


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or its text parts joined with one space."""
    if isinstance(content, str):
        return content
    parts = [part for part in _list(content) if isinstance(part, Mapping)]
    return " ".join(str(part.get("text") or "") for part in parts if part.get("type") in TEXT_PARTS)


def _kept(asked: Any, route: str | None, reason: str) -> Decision:
    return Decision(asked, None, route, (), None, reason)


def _unlike(guard: Mapping[str, Any], seen: Seen) -> str | None:
    """How a request differs from the audited ones, where the evidence does not reach."""
    if seen.chars > guard.get("max_chars", seen.chars):
        return "longer than what was audited"
    if seen.tools and not guard.get("tools", True):
        return "has tools, unlike what was audited"
    if seen.media and not guard.get("media", True):
        return "has parts that are not text, unlike what was audited"
    return None


def checked(kind: str, value: Any) -> Any:
    """What a rule of this kind compares with: a string, a set of names, or a compiled pattern; raises `RoutesError`."""
    if kind in ("system_sha256", "tools"):
        values = _strings(value)
        if not values or (not isinstance(value, str) and len(values) != len(value)):
            raise RoutesError(f"{kind} must be a list of strings")
        return frozenset(values)
    if kind not in KINDS:
        raise RoutesError(f"cannot match by {kind!r}; known: {', '.join(KINDS)}")
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PATTERN_CHARS:
        raise RoutesError(f"{kind} must be a string of at most {MAX_PATTERN_CHARS} characters")
    if kind == "tag":
        return value
    try:
        return re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise RoutesError(f"{kind} is not a valid pattern: {error}") from error


def _ends(text: str) -> str:
    return text if len(text) <= 2 * END_CHARS else f"{text[:END_CHARS]}\n{text[-END_CHARS:]}"


def _tags(request: Mapping[str, Any]) -> Iterator[str]:
    yield from _strings(request.get("tags"))
    for name in ("metadata", "litellm_metadata"):
        metadata = request.get(name)
        if isinstance(metadata, Mapping):
            yield from _strings(metadata.get("tags"))


def _tool_names(request: Mapping[str, Any]) -> Iterator[str]:
    for tool in [*_list(request.get("tools")), *_list(request.get("functions"))]:
        if isinstance(tool, Mapping):
            function = tool.get("function")
            name = function.get("name") if isinstance(function, Mapping) else tool.get("name") or tool.get("type")
            if isinstance(name, str):
                yield name


def _has_media(content: Any) -> bool:
    parts = [part.get("type") for part in _list(content) if isinstance(part, Mapping)]
    return any(kind not in TEXT_PARTS and kind not in SILENT_PARTS for kind in parts)


def _key(request: Mapping[str, Any], users: list[str]) -> str:
    """The user or conversation, so that neither sees its answers change from call to call."""
    metadata = request.get("metadata")
    named = metadata if isinstance(metadata, Mapping) else {}
    candidates = (request.get("user"), named.get("user_id"), named.get("conversation_id"), named.get("session_id"))
    found = next((str(value) for value in candidates if isinstance(value, (str, int)) and value != ""), None)
    return found if found is not None else (users[0] if users else "")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _strings(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [item for item in _list(value) if isinstance(item, str)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _documents(text: str) -> list[Any]:
    """One JSON document, or one a line."""
    try:
        found = [json.loads(text)]
    except ValueError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not all(isinstance(request, Mapping) for request in found):
        raise RoutesError("a request must be a JSON object")
    return found


def main(arguments: list[str]) -> int:
    """One decision as a line of JSON for each request on standard input; returns 2 when something cannot be read."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python tieraudit_route.py routes.json < request.json\n")
        return 2
    try:
        routes = load(arguments[0])
        for request in _documents(sys.stdin.read()):
            sys.stdout.write(json.dumps(routes.decide(request)._asdict()) + "\n")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
