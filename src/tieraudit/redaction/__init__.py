"""What must not reach the store: secrets always, personal data when asked; counted by kind, never shown.

Secrets (keys, tokens, passwords) become ``[secret:kind]``. Personal data become ``[email:1]``, ``[email:2]`` ...,
numbered within one call, so that a request and its answer still speak of the same person.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from tieraudit.redaction.secrets import SECRET_SIGNS, may_hold_secret, scrub_secrets, secret_field, secret_header

__all__ = ["SECRET_SIGNS", "Redactor", "may_hold_secret", "scrub_secrets"]

PERSONAL: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("card", re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")),
    ("ipv4", re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])")),
    (
        "phone",
        re.compile(
            r"(?<![\w.+-])(?:(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(0\))?(?:\(?\d{1,4}\)?[ ./-]?){2,5}\d{2,4}"
            r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}|0\d{2,4}[ /-]\d{3}[ -]?\d{3,5})(?![\w-])"
        ),
    ),
)


class Redactor:
    """Cleans the calls of one run and counts what it found by kind in ``found``.

    Secrets are always taken out; ``personal`` adds e-mail addresses, telephone numbers, card numbers, IBANs and IPv4
    addresses. Patterns cannot find names or postal addresses.
    """

    def __init__(self, *, personal: bool = False) -> None:
        self.personal = personal
        self.found: Counter[str] = Counter()
        self._people: dict[str, int] = {}

    def text(self, text: str) -> str:
        """``text`` cleaned, with personal placeholders numbered from 1."""
        return str(self.clean(text))

    def clean(self, value: Any, seen: dict[tuple[str, str], int] | None = None) -> Any:
        """``value`` (a string, list, mapping or scalar) cleaned throughout; ``seen`` numbers one call's placeholders.

        Raises RecursionError on nesting beyond the interpreter's limit.
        """
        if not self.personal and not _worth_a_walk(value):
            return value
        numbers: dict[tuple[str, str], int] = {} if seen is None else seen

        def one(text: str) -> str:
            text = scrub_secrets(text, self.found)
            return self._without_personal(text, numbers) if self.personal else text

        return _walk(value, one, self.found)

    def person(self, user_id: str) -> str:
        """An id of a user: the same placeholder for the same person in the whole run when it holds personal data."""
        cleaned = self.text(user_id)
        if not self.personal or cleaned == user_id:
            return cleaned
        return f"[user:{self._people.setdefault(user_id, len(self._people) + 1)}]"

    def _without_personal(self, text: str, numbers: dict[tuple[str, str], int]) -> str:
        for kind, pattern in PERSONAL:

            def placeholder(match: re.Match[str], kind: str = kind) -> str:
                value = match.group()
                if not CHECKS.get(kind, _always)(value):
                    return value
                self.found[kind] += 1
                same = sum(1 for known, _ in numbers if known == kind)
                return f"[{kind}:{numbers.setdefault((kind, _bare(value)), same + 1)}]"

            text = pattern.sub(placeholder, text)
        return text


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


def _always(_: str) -> bool:
    return True


def _bare(value: str) -> str:
    return re.sub(r"[ ()./-]", "", value).lower()


def _luhn(value: str) -> bool:
    """ISO/IEC 7812-1 annex B: the check digit of a card number."""
    digits = [int(c) for c in value if c.isdigit()]
    if len(set(digits)) == 1:
        return False
    doubled = (2 * d - 9 if 2 * d > 9 else 2 * d for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(value: str) -> bool:
    """ISO 13616: the number with its first four characters last, letters as 10..35, is 1 modulo 97."""
    bare = value.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


CHECKS: dict[str, Callable[[str], bool]] = {"card": _luhn, "iban": _iban}
