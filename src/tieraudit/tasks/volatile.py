"""The volatile forms in a prompt, one pass each, skipped where the text has no sign of it: masking is the hot loop."""

from __future__ import annotations

import re

from tieraudit.tasks.vocabulary import WORK_WORDS, phrases, word_list

CAPITALISED = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’]+(?:-[A-Z][a-z]+)?"
NAME_CHARS = 60
LOOK_BACK = 32
LONG_NUMBER = 5

_MONTHS = word_list("months")
_DAY_MONTH = re.compile(r"\d{1,2}(?:st|nd|rd|th)?(?: of)? ([A-Za-z]{3,9})\b(?:(?:\.|,)? \d{4}\b)?")
_DAY_OR_YEAR = re.compile(r"\d{1,2}(?:st|nd|rd|th)?\b(?:,? \d{4}\b)?|\d{4}\b")
_MONTH_BEFORE = re.compile(r"([A-Za-z]{3,9})\.? $")
_WEEKDAY = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", re.IGNORECASE)
_FILE = re.compile(r"(?<![\w/.-])[\w/.-]{1,80}\.(?:md|pdf|docx?|txt|html?|xlsx?|csv|eml|pptx?|png|jpe?g)\b")
_FILE_SIGN = re.compile(r"\.[mpdthxcej][a-z]{1,3}\b")
_URL = re.compile(r"(?:https?://|ftp://|www\.)[^\s<>\"'«»)\]]+", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")

# Runs of digits with what hangs on to the right; what hangs on to the left is looked up one by one.
_DIGITS = re.compile(r"\d+(?:[\w:./+-]*\w)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:T\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?|"
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
)
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:[ap]m|Z)?|\d{1,2}[ap]m", re.IGNORECASE)
_HALF_OF_DAY = re.compile(r"«time» ?[ap]\.?m\b\.?", re.IGNORECASE)
_HEX = re.compile(r"(?=.*\d)(?=.*[a-fA-F])[0-9a-fA-F]{8,}")
_CODE = re.compile(r"#\d{3,}|[A-Za-z]{1,8}[-_#]?\d{3,}[\w-]*|(?=.*[A-Za-z])[A-Za-z\d]{2,}(?:-[A-Za-z\d]{2,})*-\d{3,}")

_DELIMITER = re.compile(r"[:=]")
_WORDS = re.compile(r"\w+(?=\W|$)")
_LABELS = word_list("labels")
_LABEL_ENDS = frozenset({"name", "id"})
_VALUE = re.compile(rf"[ ]?[^\s.;,|)(«»{{}}\"'][^\n.;,|)«»]{{0,{NAME_CHARS}}}")
_CUES = re.compile(rf"\b((?:{phrases('name_cues')}) )({CAPITALISED}(?: {CAPITALISED}){{0,3}})")
_CUE_SIGNS = tuple(cue.replace("_", " ") for cue in word_list("name_cues"))
_DOCUMENT_LINE = re.compile(
    rf"^([ \t]*(?:(?:{phrases('document_openings')}) ){{0,4}}(?:{phrases('document_lines')})s?)"
    r"(?: ?\([^\n)]{0,60}\))?:"
    r"(?:[ \t]*\S[^\n]*|[ \t]*(\n)[ \t]*\S[^\n]*(?:\n[ \t]*\S[^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(r"<(\w{2,20})(?:\s[^<>]{0,200})?>")
_PAYLOAD_TAGS = word_list("payload_tags")


def mask_links(text: str) -> str:
    """URLs, e-mail addresses and file names."""
    if "://" in text or "www." in text:
        text = _URL.sub("«url»", text)
    if _FILE_SIGN.search(text):
        text = _FILE.sub("«file»", text)
    return _EMAIL.sub("«email»", text) if "@" in text else text


def mask_weekdays(text: str) -> str:
    """Monday to Sunday."""
    return _WEEKDAY.sub("«date»", text) if "day" in text or "DAY" in text else text


def mask_digits(text: str) -> str:
    """Dates, times, ids and long numbers; a small number stays."""
    parts: list[str] = []
    done = 0
    for match in _DIGITS.finditer(text):
        if match.start() < done:
            continue
        start, end, mark = _spoken_date(text, match.start(), done) or _token(text, match, done)
        if mark:
            parts += [text[done:start], mark]
            done = end
    if not parts:
        return text
    text = "".join([*parts, text[done:]])
    return _HALF_OF_DAY.sub("«time»", text) if "«time»" in text else text


def _spoken_date(text: str, start: int, done: int) -> tuple[int, int, str] | None:
    """A date with the name of a month whose first digit stands at ``start``."""
    day_first = _DAY_MONTH.match(text, start)
    if day_first and day_first[1].lower() in _MONTHS and not text[start - 1 : start].isalnum():
        return start, day_first.end(), "«date»"
    month = _MONTH_BEFORE.search(text, max(done, start - 12), start) if text[start - 1 : start] == " " else None
    day = _DAY_OR_YEAR.match(text, start) if month and month[1].lower() in _MONTHS else None
    return (month.start(), day.end(), "«date»") if month and day else None


def _token(text: str, match: re.Match[str], done: int) -> tuple[int, int, str]:
    """The word around a run of digits, and the mark for it, which is empty for a small number."""
    start, end = match.span()
    while start > done and match.start() - start < LOOK_BACK and _hangs_on(text[start - 1]):
        start -= 1
    return start, end, _kind_of(text[start:end])


def _hangs_on(char: str) -> bool:
    return char.isalnum() or char in "-_#"


def _kind_of(token: str) -> str:
    if token.isdigit():
        return "«number»" if len(token) >= LONG_NUMBER else ""
    if _DATE.fullmatch(token):
        return "«date»"
    if _TIME.fullmatch(token):
        return "«time»"
    return "«id»" if _UUID.fullmatch(token) or _HEX.fullmatch(token) or _CODE.fullmatch(token) else ""


def mask_labelled(text: str) -> str:
    """A name or value behind a label such as ``User:``, up to the end of the clause."""
    parts: list[str] = []
    done = 0
    for place in (match.start() for match in _DELIMITER.finditer(text)):
        if place < done or not _is_label(text[max(done, place - LOOK_BACK) : place]):
            continue
        value = _VALUE.match(text, place + 1)
        if value and _is_name(value[0]):
            parts += [text[done : place + 1], " «name»" if value[0].startswith(" ") else "«name»"]
            done = value.end()
    return "".join([*parts, text[done:]]) if parts else text


def _is_label(before: str) -> bool:
    """Whether what stands before a colon ends with a label: "User", "Customer name", "session_id"."""
    words = _WORDS.findall(before.lower())[-2:]
    return bool(words) and (words[-1] in _LABELS or (words[-1] in _LABEL_ENDS and words[0] in _LABELS))


def _is_name(value: str) -> bool:
    """Up to two words, or up to four with capitals: more is a sentence."""
    words = value.split()
    return len(words) <= 2 or (len(words) <= 4 and all(word[0].isupper() or word[0].isdigit() for word in words))


def mask_cued(text: str) -> str:
    """Capitalised words behind words that announce a person: "you are talking to Maria Lopez"."""
    return _CUES.sub(_mark_cued, text) if any(sign in text for sign in _CUE_SIGNS) else text


def _mark_cued(match: re.Match[str]) -> str:
    return match[0] if says_the_work(match[2]) else f"{match[1]}«name»"


def says_the_work(words: str) -> bool:
    """Whether one of the words changes the work when it changes: a language, yes, no."""
    return any(word.lower() in WORK_WORDS for word in words.split())


def mask_documents(text: str) -> str:
    """The bodies of payload tags such as ``<context>``. In a text of several lines, also what follows a label such as
    ``Passage:``, to the end of its line, or to the next empty line when it begins on the next.
    """
    if "<" in text:
        text = _mask_tagged(text)
    return _DOCUMENT_LINE.sub(_mark_document, text) if "\n" in text and ":" in text else text


def _mark_document(match: re.Match[str]) -> str:
    return f"{match[1]}:{match[2] or ' '}«body»"


def _mask_tagged(text: str) -> str:
    """By a scan that stays linear when tags are never closed."""
    parts: list[str] = []
    done = 0
    unclosed: set[str] = set()
    for opening in _TAG.finditer(text):
        tag = opening[1]
        if opening.start() < done or tag.lower() not in _PAYLOAD_TAGS or tag in unclosed:
            continue
        end = text.find(f"</{tag}>", opening.end())
        if end < 0:
            unclosed.add(tag)
            continue
        parts += [text[done : opening.end()], "«body»"]
        done = end
    return "".join([*parts, text[done:]]) if parts else text
