"""Text from a log cannot move a cursor, hide or reorder what is read, in any renderer."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tieraudit.render.hostile import json_safe, one_line, visible


def test_controls_and_overrides_are_spelled_out() -> None:
    assert visible("a\x1b[31mb\u202ec\x9bd\ufeff") == "a\\x1b[31mb\\u202ec\\x9bd\\ufeff"
    assert visible("\U000e0041") == "\\U000e0041"
    assert visible("lone \ud800") == "lone \\ud800"


def test_what_people_write_stays_as_it_is() -> None:
    text = "Grüße, שלום, 你好, می‌خواهم, 👩‍👩‍👧\n\tcode"
    assert visible(text) == text
    assert visible("dos\r\nline") == "dos\nline"


def test_one_line_is_one_line_and_cut() -> None:
    assert one_line(" a\n b\t c ") == "a b c"
    assert one_line("abcdef", 4) == "abc…"


@given(st.text(st.characters(codec=None)))
def test_nothing_invisible_is_left(text: str) -> None:
    left = [character for character in visible(text) if unicodedata.category(character) in ("Cc", "Cs")]
    assert set(left) <= {"\n", "\t"}


@given(st.text(st.characters(codec=None)))
def test_json_keeps_its_values_and_loses_its_controls(text: str) -> None:
    document = json_safe(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(document) == {"text": text}
    document.encode("utf-8")
    assert "\x9b" not in document
    assert "\u202e" not in document
