"""Volatile parts of a prompt (dates, ids, names after labels, quoted payload) become marks such as «date»."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from tieraudit.tasks.volatile import (
    CAPITALISED,
    mask_cued,
    mask_digits,
    mask_documents,
    mask_labelled,
    mask_links,
    mask_weekdays,
    says_the_work,
)

VARIES = "«…»"
ENTITY_SHARE = 0.3
ROUNDS = 8
LAST_CHARS = 240

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*%?")
_QUOTED = {
    '"': re.compile(r"\"[^\"\n]{1,400}\""),
    "“": re.compile(r"“[^”\n]{1,400}”"),
    "„": re.compile(r"„[^“\n]{1,400}“"),
    "'": re.compile(r"(?<!\w)'[^'\n]{2,200}'(?!\w)"),
    "`": re.compile(r"`[^`\n]{1,200}`"),
}
_ENTITY = re.compile(rf" ({CAPITALISED}(?: {CAPITALISED})*)")
_INSIDE = re.compile(r"[a-zà-ÿ0-9»]")
_TOKEN = re.compile(r"«[a-z]+»|\w+|[^\w\s]")


def mask(text: str) -> str:
    """``text`` with its volatile forms marked: what is left is the same whoever asks and whenever.

    Dates, times, ids, e-mails, URLs, long numbers, bodies of payload tags such as ``<context>``, names after labels
    such as ``User:``. Never raises; masking twice changes nothing. For a user's turn use `mask_payload`.
    """
    return _settle(text, _mask)


def mask_loosely(text: str) -> str:
    """`mask`, and small numbers and capitalised words inside sentences too: two prompts that are equal under it differ
    at most in numbers and names. Words that say which work is wanted (languages, yes and no) stay.
    """
    masked = mask(text)
    loose = _settle(masked, _loosen)
    return loose if loose == masked else _settle(loose, lambda text: _loosen(_mask(text)))


def mask_payload(text: str) -> str:
    """`mask`, and numbers, quoted strings and fenced blocks too: for a user's turn, where those are payload."""
    return _settle(text, _mask_payload)


def tokens(masked: str) -> list[str]:
    """Lower-case words, punctuation marks and masks, in order; words are cut at 32 characters."""
    return [token.lower()[:32] for token in _TOKEN.findall(masked)]


def first_tokens(masked: str, count: int) -> list[str]:
    """The first ``count`` of the `tokens`, without looking at the rest."""
    return [match.group().lower()[:32] for match in islice(_TOKEN.finditer(masked), count)]


def last_tokens(masked: str, count: int) -> list[str]:
    """The last ``count`` of the `tokens`, last one first."""
    found = tokens(masked[-LAST_CHARS:].split(" ", 1)[-1] if len(masked) > LAST_CHARS else masked)
    return found[: -count - 1 : -1]


def token_spans(masked: str) -> list[tuple[int, int]]:
    """Where each of the tokens stands in ``masked``."""
    return [match.span() for match in _TOKEN.finditer(masked)]


def _settle(text: str, step: Callable[[str], str]) -> str:
    """Apply ``step`` until nothing changes: one mask can complete the form of another beside it."""
    for _ in range(ROUNDS):
        masked = step(text)
        if masked == text:
            break
        text = masked
    return text


def _mask(text: str) -> str:
    for step in (mask_documents, mask_links, mask_weekdays, mask_digits, mask_labelled, mask_cued):
        text = step(text)
    return text


def _loosen(text: str) -> str:
    text = _NUMBER.sub("«number»", text)
    names = [match[1] for match in _ENTITY.finditer(text) if _is_entity(match)]
    share = sum(len(name.split()) for name in names) / max(1, len(text.split()))
    # A prompt in title case is no list of names.
    return _ENTITY.sub(_mark_entity, text) if names and share <= ENTITY_SHARE else text


def _mask_payload(text: str) -> str:
    if "```" in text:
        parts = text.split("```")
        text = "«block»".join(parts[::2]) + ("" if len(parts) % 2 else "«block»")
    text = _mask(text)
    for quote, quoted in _QUOTED.items():
        if quote in text:
            text = quoted.sub("«quoted»", text)
    return _NUMBER.sub("«number»", text)


def _is_entity(match: re.Match[str]) -> bool:
    """Whether a run of capitalised words stands inside a sentence and does not say the work."""
    before = match.string[match.start() - 1 : match.start()]
    return _INSIDE.match(before) is not None and not says_the_work(match[1])


def _mark_entity(match: re.Match[str]) -> str:
    return " «name»" if _is_entity(match) else match[0]
