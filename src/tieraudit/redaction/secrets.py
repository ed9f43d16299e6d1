"""Secrets out of text and out of fields: found by one quick expression, replaced by the pattern of their kind."""

from __future__ import annotations

import re
from collections import Counter

import re2

from tieraudit.redaction.kinds import EDGE_SIGN, ESCAPED, FIELD, FIELD_SIGNS, HEADER, KINDS, NAMES, Kind


def _one_of(signs: list[str]) -> str:
    """The signs as one expression that says what many of them begin with once: RE2 is fast while it is small."""
    parts = []
    for start in (EDGE_SIGN, NAMES):
        rest = dict.fromkeys(sign.removeprefix(start) for sign in signs if sign.startswith(start))
        parts.append(f"{start}(?:{'|'.join(rest)})")
    return "|".join([*parts, *dict.fromkeys(sign for sign in signs if not sign.startswith((EDGE_SIGN, NAMES)))])


# One expression in RE2's dialect, for any case, that matches whatever JSON text (or plain text) a secret of `KINDS`
# could be in. DuckDB's `regexp_matches(text, SECRET_SIGNS, 'i')` answers as `may_hold_secret` does.
SECRET_SIGNS = _one_of([*(kind.sign for kind in KINDS), *FIELD_SIGNS, ESCAPED])
_UNWRITTEN = re.compile(r"\\+u00(2[67bdef]|3[0-9ad]|4[0-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])", re.I)


def _quick() -> re2._Regexp:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 64 * 2**20
    return re2.compile(SECRET_SIGNS, options)


_SIGNS = _quick()


def may_hold_secret(text: str | bytes) -> bool:
    """False when no kind of secret can be in ``text``, plain or JSON; a few microseconds for each kilobyte."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return _SIGNS.search(data) is not None


def scrub_secrets(text: str, found: Counter[str] | None = None) -> str:
    """``text`` with every provider key, token, private key and password replaced by ``[secret:kind]``.

    ``found`` is counted up by kind. For mappings use `Redactor.clean`, which also knows fields by their name.
    """
    if not may_hold_secret(text):
        return text
    counts: Counter[str] = Counter() if found is None else found
    if "\\u00" in text:
        # A key whose letters are written as numbers; left as it was unless that was to hide one.
        plain = _UNWRITTEN.sub(lambda match: chr(int(match[1], 16)), text)
        cleaned = _scrubbed(plain, counts)
        if cleaned != plain:
            return cleaned
    return _scrubbed(text, counts)


def secret_field(name: str, value: str) -> bool:
    """True when the field's name alone says that ``value`` is a secret."""
    if len(value) < 6 or FIELD.fullmatch(name) is None:
        return False
    lowered = value.lower()
    return " " not in value or "cookie" in name.lower() or lowered.startswith(("basic ", "bearer "))


def secret_header(name: str, value: str) -> bool:
    """True for a header, given as a pair of strings, that carries a secret."""
    return len(value) >= 6 and HEADER.fullmatch(name) is not None


def _scrubbed(text: str, found: Counter[str]) -> str:
    lowered = text.lower()
    for kind in KINDS:
        if any(mark in (lowered if kind.fold else text) for mark in kind.marks):
            text = _without(kind, text, found)
    return text


def _without(kind: Kind, text: str, found: Counter[str]) -> str:
    whole = "value" not in kind.pattern.groupindex
    placeholder = f"[secret:{kind.name}]"

    def replaced(match: re.Match[str]) -> str:
        value = match.group() if whole else match["value"]
        if value.startswith("[secret:") or (kind.check is not None and not kind.check(value)):
            return match.group()
        found[f"secret:{kind.name}"] += 1
        if whole:
            return placeholder
        start, end = match.start("value") - match.start(), match.end("value") - match.start()
        return f"{match.group()[:start]}{placeholder}{match.group()[end:]}"

    return kind.pattern.sub(replaced, text)
