"""Volatile parts of a prompt (dates, ids, names after labels, quoted payload) become marks such as «date»."""

from __future__ import annotations

import re
from collections.abc import Callable

from tieraudit.tasks.vocabulary import WORK_WORDS

PAYLOAD_TAGS = (
    "context|contexts|document|documents|doc|docs|passage|passages|article|text|input|inputs|data|email|message|"
    "messages|transcript|conversation|history|user|query|question|retrieved|retrieved_context|knowledge|source|"
    "sources|chunk|chunks|snippet|snippets|search_results|results|content|payload|ticket|review|comment|page"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th)?"
_CAPITALISED = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’]+(?:-[A-Z][a-z]+)?"
_LABELS = (
    r"user|customer|client|agent|employee|patient|student|applicant|candidate|guest|member|caller|contact|company|"
    r"organi[sz]ation|tenant|account|name|username|user[ _]?id|session|session[ _]?id|request[ _]?id|city|location|"
    r"locale|time[ _]?zone"
)
_CUES = (
    r"name is|named|called|assisting|helping|serving|speaking (?:with|to)|talking (?:with|to)|chatting (?:with|to)|"
    r"on behalf of|logged in as|signed in as|[Dd]ear|[Hh]ello|user is|customer is|user,|customer,"
)

# The first alternative keeps the marks that are there already; then the most specific form wins.
_VOLATILE = re.compile(
    r"(?P<keep>«[a-z]+»)"
    r"|(?P<url>(?i:\b(?:https?|ftp)://|\bwww\.)[^\s<>\"'«»)\]]+)"
    r"|(?P<email>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})"
    r"|(?P<id>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)"
    r"|(?P<date>\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    rf"|(?i:\b(?:{_WEEKDAY},?[ ]+)?(?:{_ORDINAL}(?:[ ]+of)?[ ]+{_MONTH}(?:,?[ ]+\d{{4}})?\b"
    rf"|{_MONTH}[ ]+{_ORDINAL}\b(?:,?[ ]+\d{{4}})?|{_MONTH}[ ]+\d{{4}}\b))"
    rf"|\b\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}\b|\b(?i:{_WEEKDAY})\b)"
    r"|(?P<time>\b\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:[ ]?[apAP]\.?[mM]\b\.?)?(?:[ ]?(?:UTC|GMT|[A-Z]{2,4}T)\b)?"
    r"|\b\d{1,2}[ ]?(?:am|pm|AM|PM)\b)"
    rf"|(?P<label>\b(?i:{_LABELS})(?:[ ](?i:name|id))?[ ]?[:=][ ]?)(?P<value>[^\s.;,|)(«»{{}}][^\n.;,|)«»]{{0,60}})"
    rf"|(?P<cue>\b(?:{_CUES})[ ])(?P<who>{_CAPITALISED}(?:[ ]{_CAPITALISED}){{0,3}})"
    r"|(?P<code>\b(?=[0-9a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{8,}\b|\b[A-Za-z]{1,8}[-_#]?\d{3,}[\w-]{0,64}|#\d{3,})"
    r"|(?P<number>\b\d{5,}\b)"
)
_NUMBER = re.compile(r"(?P<keep>«[a-z]+»)|[-+]?\d+(?:[.,:]\d+)*%?")
_QUOTED = re.compile(
    r"(?P<keep>«[a-z]+»)|\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|„[^“\n]{1,400}“|(?<!\w)'[^'\n]{2,200}'(?!\w)|`[^`\n]{1,200}`"
)
_ENTITY = re.compile(rf"(?<=[a-z0-9»] ){_CAPITALISED}(?: {_CAPITALISED})*")
_CONTEXT_LINE = re.compile(
    r"(?im)^([ \t]*(?:context|passage|document|article|reference|retrieved[ ]\w+|knowledge|search[ ]results|excerpt|"
    r"transcript|ticket|e-?mail|message|review)s?[ ]?:)[ \t]*\S[^\n]*$"
)
_TAG = re.compile(rf"<(?P<tag>(?i:{PAYLOAD_TAGS}))(?:\s[^<>]{{0,200}})?>")
_TOKEN = re.compile(r"«[a-z]+»|\w+|[^\w\s]")

VARIES = "«…»"
ENTITY_SHARE = 0.3
ROUNDS = 6


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
    return _settle(text, _mask_loosely)


def mask_payload(text: str) -> str:
    """`mask`, and numbers, quoted strings and fenced blocks too: for a user's turn, where those are payload."""
    return _settle(text, _mask_payload)


def tokens(masked: str) -> list[str]:
    """Lower-case words, punctuation marks and masks, in order; words are cut at 32 characters."""
    return [token[:32] for token in _TOKEN.findall(masked.lower())]


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
    text = _mask_bodies(text)
    if "\n" in text:
        text = _CONTEXT_LINE.sub(r"\1 «body»", text)
    return _VOLATILE.sub(_mark, text)


def _mask_loosely(text: str) -> str:
    text = _NUMBER.sub(_mark_number, _mask(text))
    names = [match for match in _ENTITY.finditer(text) if not _says_the_work(match.group())]
    share = sum(len(match.group().split()) for match in names) / max(1, len(text.split()))
    # A prompt in title case is no list of names.
    return _ENTITY.sub(_mark_entity, text) if names and share <= ENTITY_SHARE else text


def _mask_payload(text: str) -> str:
    return _NUMBER.sub(_mark_number, _QUOTED.sub(_mark_quoted, _mask(_mask_fences(text))))


def _mark(match: re.Match[str]) -> str:
    kind = match.lastgroup or "keep"
    if kind == "keep":
        return match.group()
    if kind == "value":
        return f"{match['label']}«name»"
    if kind == "who":
        return match.group() if _says_the_work(match["who"]) else f"{match['cue']}«name»"
    return f"«{'id' if kind == 'code' else kind}»"


def _mark_number(match: re.Match[str]) -> str:
    return match.group() if match.lastgroup == "keep" else "«number»"


def _mark_quoted(match: re.Match[str]) -> str:
    return match.group() if match.lastgroup == "keep" else "«quoted»"


def _mark_entity(match: re.Match[str]) -> str:
    return match.group() if _says_the_work(match.group()) else "«name»"


def _says_the_work(words: str) -> bool:
    return any(word.lower() in WORK_WORDS for word in words.split())


def _mask_bodies(text: str) -> str:
    """Mask what stands between payload tags, by a scan that stays linear when tags are never closed."""
    parts: list[str] = []
    place = 0
    unclosed: set[str] = set()
    lowered = text.lower() if "<" in text else ""
    if len(lowered) != len(text):
        return text
    for opening in _TAG.finditer(text):
        tag = opening["tag"].lower()
        if opening.start() < place or tag in unclosed:
            continue
        end = lowered.find(f"</{tag}>", opening.end())
        if end < 0:
            unclosed.add(tag)
            continue
        parts += [text[place : opening.end()], "«body»"]
        place = end
    return "".join([*parts, text[place:]])


def _mask_fences(text: str) -> str:
    parts = text.split("```")
    parts[1::2] = ["«block»"] * (len(parts) // 2)
    return "```".join(parts)
