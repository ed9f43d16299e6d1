"""What must not reach the store: secrets always, personal data when asked; counted by kind, never shown.

Secrets (keys, tokens, passwords) become ``[secret:kind]``. Personal data become ``[email:3f2a]``: four digits of a
keyed hash, so that one value has one placeholder in the whole store and no list of values is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from hashlib import blake2b
from importlib.metadata import entry_points
from os import urandom
from typing import Any

import msgspec

from tieraudit.redaction.personal import PERSONAL, bare, find_personal
from tieraudit.redaction.secrets import SECRET_SIGNS, may_hold_secret, scrub_secrets, secret_field, secret_header

__all__ = ["PLACEHOLDER", "SECRET_SIGNS", "Redactor", "may_hold_secret", "scrub_secrets"]

# A package that knows names offers a function (text) -> [(start, end), ...] in the entry-point group tieraudit.names.
NameFinder = Callable[[str], Iterable[tuple[int, int]]]
# What stands in place of secrets and personal data, without its brackets.
_KINDS = "|".join(dict.fromkeys([*(kind.name for kind in PERSONAL), "name", "user"]))
PLACEHOLDER = rf"(?:secret:[a-z_]+|(?:{_KINDS}):[0-9a-f]{{4}})"
_PLACED = re.compile(rf"\[{PLACEHOLDER}\]")


@cache
def name_finders() -> list[NameFinder]:
    """The finders of names that installed packages offer."""
    return [point.load() for point in entry_points(group="tieraudit.names")]


class Redactor:
    """Cleans calls and counts what it found by kind in ``found``.

    Secrets are always taken out; ``personal`` adds what `tieraudit.redaction.personal` knows and the names that an
    installed finder of names reports. With the same ``key`` the same value gets the same placeholder; without one,
    within this object only.
    """

    def __init__(self, *, personal: bool = False, key: bytes = b"") -> None:
        self.personal = personal
        self.found: Counter[str] = Counter()
        self._key = key or urandom(16)

    def text(self, text: str) -> str:
        """``text`` cleaned."""
        return str(self.clean(text))

    def clean(self, value: Any) -> Any:
        """``value`` (a string, list, mapping or scalar) cleaned throughout; itself when there is nothing to clean.

        Raises RecursionError on nesting beyond the interpreter's limit.
        """
        if not self.personal and not _worth_a_walk(value):
            return value

        def one(text: str) -> str:
            text = scrub_secrets(text, self.found)
            return self._without_personal(text) if self.personal else text

        return _walk(value, one, self.found)

    def person(self, user_id: str) -> str:
        """An id of a user, replaced as a whole when it holds personal data."""
        cleaned = self.text(user_id)
        return cleaned if not self.personal or cleaned == user_id else self._placeholder("user", user_id)

    def _without_personal(self, text: str) -> str:
        if len(text) < 6 and not self._name_finders:
            return text
        spans = [(*match.span(), match.group()) for match in _PLACED.finditer(text)]
        for kind, match, value in find_personal(text):
            group = "value" if match.re.groups else 0
            self._place(spans, match.start(group), match.end(group), kind, value)
        for finder in self._name_finders:
            for start, end in finder(text):
                self._place(spans, start, end, "name", text[start:end])
        if not spans:
            return text
        parts, at = [], 0
        for start, end, placeholder in sorted(spans):
            parts += [text[at:start], placeholder]
            at = end
        return "".join([*parts, text[at:]])

    def _place(self, spans: list[tuple[int, int, str]], start: int, end: int, kind: str, value: str) -> None:
        if start >= end or any(start < taken and first < end for first, taken, _ in spans):
            return
        self.found[kind] += 1
        spans.append((start, end, self._placeholder(kind, value)))

    def _placeholder(self, kind: str, value: str) -> str:
        digest = blake2b(f"{kind}:{bare(value)}".encode("utf-8", "replace"), key=self._key, digest_size=2)
        return f"[{kind}:{digest.hexdigest()}]"

    @cached_property
    def _name_finders(self) -> list[NameFinder]:
        return name_finders()


def _worth_a_walk(value: Any) -> bool:
    """False when the JSON of ``value`` shows no sign of a secret, nor can a name of a field hide one."""
    if isinstance(value, str):
        return may_hold_secret(value)
    try:
        return may_hold_secret(msgspec.json.encode(value))
    except (TypeError, UnicodeEncodeError):
        return True


def _walk(value: Any, one: Callable[[str], str], found: Counter[str]) -> Any:
    if isinstance(value, str):
        return one(value)
    if isinstance(value, list | tuple):
        items = [_walk(item, one, found) for item in value]
        if len(value) == 2 and all(isinstance(item, str) for item in value) and secret_header(*value):
            items[1] = _hidden(value[1], items[1], found)
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        cleaned = {one(str(key)): _field(str(key), item, one, found) for key, item in value.items()}
        return _named_value(value, cleaned, found) if "value" in value else cleaned
    return value


def _field(key: str, value: Any, one: Callable[[str], str], found: Counter[str]) -> Any:
    cleaned = _walk(value, one, found)
    if isinstance(value, str) and secret_field(key, value):
        return _hidden(value, cleaned, found)
    return cleaned


def _named_value(value: dict[Any, Any], cleaned: dict[str, Any], found: Counter[str]) -> dict[str, Any]:
    """A field written as {"name": "Authorization", "value": "..."}."""
    content = value["value"]
    for label in ("name", "key", "header"):
        name = value.get(label)
        if isinstance(name, str) and isinstance(content, str) and secret_field(name, content):
            cleaned["value"] = _hidden(content, cleaned["value"], found)
    return cleaned


def _hidden(value: str, cleaned: str, found: Counter[str]) -> str:
    """The whole value out, unless the secret in it has been found already."""
    if cleaned != value:
        return cleaned
    found["secret:field"] += 1
    return "[secret:field]"
