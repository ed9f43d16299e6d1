"""Reading answers: a message streamed in any pieces is the message sent whole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.backends.answers import StreamFold, parse_completion, parse_usage, text_of
from tieraudit.backends.base import CaseFailed
from tieraudit.domain import Usage

texts = st.text(max_size=40)
calls = st.lists(st.tuples(st.text(min_size=1, max_size=8), texts), max_size=3)


def pieces(text: str, cuts: list[int]) -> list[str]:
    borders = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(borders)]


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


@given(texts, calls, st.lists(st.integers(0, 100), max_size=4), st.booleans())
def test_a_stream_in_any_pieces_is_the_whole_message(
    text: str, wanted: list[tuple[str, str]], cuts: list[int], indexed: bool
) -> None:
    fold = StreamFold()
    for piece in pieces(text, cuts):
        fold.add(chunk({"content": piece}))
    for number, (name, arguments) in enumerate(wanted):
        index = {"index": number} if indexed else {}
        fold.add(chunk({"tool_calls": [{**index, "id": f"c{number}", "function": {"name": name, "arguments": ""}}]}))
        for piece in pieces(arguments, cuts):
            fold.add(chunk({"tool_calls": [{**index, "function": {"arguments": piece}}]}))
    fold.add(chunk({}, "stop"))
    fold.add({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
    whole = {
        "model": "m",
        "choices": [
            {
                "message": {
                    "content": text or None,
                    "tool_calls": [
                        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
                        for n, (name, arguments) in enumerate(wanted)
                    ],
                },
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }
    assert fold.complete
    assert fold.parsed() == parse_completion(whole)


def test_only_the_first_of_several_answers_is_kept() -> None:
    fold = StreamFold()
    fold.add({"choices": [{"index": 1, "delta": {"content": "second"}}, {"index": 0, "delta": {"content": "first"}}]})
    assert fold.parsed().output.text == "first"


def test_a_stream_that_ends_before_the_model_did_is_incomplete() -> None:
    fold = StreamFold()
    assert fold.add(chunk({"content": "half"}))
    assert not fold.complete


def test_thoughts_are_generated_but_no_answer() -> None:
    fold = StreamFold()
    assert not fold.add(chunk({"role": "assistant", "content": ""}))
    assert fold.add(chunk({"reasoning_content": "hm"}))
    assert fold.parsed().output.text is None


def test_the_old_function_call_is_a_tool_call() -> None:
    message = {"content": None, "function_call": {"name": "f", "arguments": "{}"}}
    (call,) = parse_completion({"choices": [{"message": message}]}).output.tool_calls
    assert call == {"id": None, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_a_refusal_is_kept_as_one() -> None:
    output = parse_completion({"choices": [{"message": {"content": None, "refusal": "I cannot"}}]}).output
    assert output.refusal == "I cannot"
    assert output.text is None


@pytest.mark.parametrize(
    "body", [None, "text", {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": "x"}]}]
)
def test_what_is_no_completion_is_malformed(body: Any) -> None:
    with pytest.raises(CaseFailed, match="not a Chat Completion"):
        parse_completion(body)


@pytest.mark.parametrize(
    "raw", [None, [], "7", {"prompt_tokens": "7"}, {"prompt_tokens": -1, "completion_tokens": True}]
)
def test_a_usage_that_makes_no_sense_is_unknown(raw: Any) -> None:
    assert parse_usage(raw) == Usage()


def test_content_in_parts_is_their_text() -> None:
    assert text_of([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]) == "ab"
    assert text_of(None) is None
