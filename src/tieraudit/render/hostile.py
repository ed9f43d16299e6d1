"""Text from a log made harmless for every medium: nothing in it may move a cursor, hide or reorder what is read."""

from __future__ import annotations

import json
import re

# Controls but newline and tab; bidi marks, overrides and isolates; invisible separators and tags; lone surrogates and
# non-characters, which no XML file may hold. Joiners stay: Persian, Hindi and emoji need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """``text`` with every invisible or reordering character spelled out (``\\x1b``, ``\\u202e``); newlines stay.

    Escaping for HTML, Markdown or a cell comes after this, in each renderer.
    """
    return _INVISIBLE.sub(_spelled, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int | None = None) -> str:
    """`visible` text on one line, cut to ``limit`` characters with an ellipsis."""
    line = " ".join(visible(text).split())
    return line if limit is None or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def json_safe(document: str) -> str:
    """The text of a JSON document with those characters as JSON escapes: the same values, safe to print."""
    return _INVISIBLE.sub(lambda match: json.dumps(match[0])[1:-1], document)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
