"""Errors as Python prints them: a class with its message, the HTTP status in words, a body that is no JSON."""

from __future__ import annotations

import ast
import re
import warnings

from tieraudit.formats.fields import mapping, text

NAMED = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?:\(|: )")
LAST = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*(?:Error|Exception|Timeout|Interrupt)): ", re.M)
STATUS = re.compile(r"(?:[Ee]rror code|[Ss]tatus(?: code)?|HTTP(?:/[\d.]+)?)\D{0,3}([45]\d\d)\b")
BODY = re.compile(r"\{.*\}", re.S)
TRACEBACK = "Traceback (most recent call last)"
MOST_CHARS = 20_000


def python_error(told: str) -> tuple[str, str | None, int | None]:
    """(type, message, HTTP status) of what was printed, with or without its traceback."""
    if told.lstrip().startswith(TRACEBACK):
        head = told[-MOST_CHARS:].strip()
        raised = list(LAST.finditer(head))
        head = head[raised[-1].start() :] if raised else head
    else:
        head = told[:MOST_CHARS].split(f"\n\n{TRACEBACK}", 1)[0].strip()
    status = STATUS.search(head)
    named = NAMED.match(head)
    message = _message(head[named.end() :] if named else head)
    return named.group(1) if named else "error", message, int(status.group(1)) if status else None


def _message(told: str) -> str | None:
    """The message inside an error body when there is one, else the words."""
    if (body := BODY.search(told)) is not None:
        try:
            with warnings.catch_warnings():  # what a provider wrote is no code of ours to be warned of
                warnings.simplefilter("ignore")
                found = mapping(ast.literal_eval(body.group(0)))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            found = mapping(body.group(0))
        error = found.get("error")
        inner = text(mapping(error).get("message")) or text(error) or text(found.get("message"))
        if inner:
            return inner
    words = told.strip()
    if words.endswith(")"):
        words = words[:-1].rstrip(",")
    if len(words) > 1 and words[0] in "\"'" and words[-1] == words[0]:
        words = words[1:-1]
    return text(words)
