"""Detection by content: sure, or an error that names what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from tieraudit.errors import InputError
from tieraudit.formats import FORMATS
from tieraudit.formats.detect import detect

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "content": [{"type": "text", "text": "hi"}],
    "usage": {"input_tokens": 1},
}


@pytest.mark.parametrize(
    "record",
    [
        {"request": {"url": "https://api.anthropic.com/v1/messages", "body": CHAT}, "response": {"body": ANTHROPIC}},
        {"request": CHAT, "response": ANTHROPIC},
        {"request": {**CHAT, "system": "Be brief."}, "response": {"content": [], "stop_reason": "end_turn"}},
    ],
)
def test_anthropic_pairs_are_not_misread(record: dict[str, Any]) -> None:
    assert detect([record], "log.jsonl").name == "anthropic-pairs"


def test_what_is_not_known_is_said_with_its_keys() -> None:
    with pytest.raises(InputError) as caught:
        detect([{"request": {"url": "https://example.org/v1/guess"}, "response": {}, "note": 1}], "log.jsonl")
    assert "request, response, note; the request goes to https://example.org/v1/guess" in caught.value.message
    assert "openai-pairs" in caught.value.hint


def test_bedrock_pairs_are_not_misread() -> None:
    url = "https://bedrock-runtime.eu-central-1.amazonaws.com/model/amazon.titan/invoke"
    asked = {"uri": url, "body": {"inputText": "hi"}}
    assert detect([{"request": asked, "response": {"body": {"results": []}}}], "log.jsonl").name == "bedrock-pairs"


def test_a_few_strange_records_among_many_do_not_matter() -> None:
    records: list[dict[str, Any]] = [{"request": CHAT, "response": {"choices": []}}] * 5 + [{"comment": "restarted"}]
    assert detect(records, "log").name == "openai-pairs"


def test_two_formats_that_both_fit_are_an_error_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("litellm", "langfuse-trace"):
        monkeypatch.setattr(type(FORMATS.get(name)), "matches", lambda self, record: 0.8)
    with pytest.raises(InputError, match="could be litellm or langfuse-trace") as caught:
        detect([{"a": 1}], "log")
    assert "--format" in caught.value.hint


def test_nothing_readable_is_said_so() -> None:
    with pytest.raises(InputError, match="no record in it can be read"):
        detect([], "log")
