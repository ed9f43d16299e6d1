"""The gates that are always on: newly empty, newly refused, newly cut off."""

from __future__ import annotations

import pytest

from tieraudit.domain import Output
from tieraudit.scorers.gates import identical, new_failure, refused

ANSWER = Output("Paris", finish_reason="stop")
CALL = Output(None, ({"function": {"name": "f", "arguments": "{}"}},), finish_reason="tool_calls")


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Output("Paris is the capital", finish_reason="length"), "cut off"),
        (Output("Paris", finish_reason="MAX_TOKENS"), "cut off"),
        (Output(None), "empty answer"),
        (Output("  \n"), "empty answer"),
        (Output(None, refusal="I will not"), "refused"),
        (Output("", finish_reason="content_filter"), "empty answer"),
        (Output("...", finish_reason="content_filter"), "refused"),
        (Output("I'm sorry, but I can't help with that."), "refused"),
        (Output("I’m sorry, but I cannot assist with this request."), "refused"),
        (Output("As an AI language model, I cannot provide that."), "refused"),
        (Output("Unfortunately, I am unable to answer."), "refused"),
        (Output("I won't write that."), "refused"),
        (Output("Rome"), None),
        (Output("I'm sorry that your parcel is late. I cannot find it, could you send the number?"), None),
        (Output("You can't help it."), None),
        (CALL, None),
    ],
)
def test_what_is_new_is_a_failure(answer: Output, failure: str | None) -> None:
    assert new_failure(ANSWER, answer) == failure


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        (Output(None), Output(" ")),
        (Output("I can't help with that."), Output("I cannot assist with this.")),
        (Output("Par", finish_reason="length"), Output("Pari", finish_reason="length")),
        (Output(None, refusal="no"), Output("I can't help with that.")),
    ],
)
def test_what_the_incumbent_did_too_is_none(reference: Output, answer: Output) -> None:
    assert new_failure(reference, answer) is None


def test_a_tool_call_with_an_apology_is_no_refusal() -> None:
    assert not refused(Output("I'm sorry, I can't help with that alone, so:", CALL.tool_calls))


def test_the_finish_reason_does_not_make_answers_differ() -> None:
    assert identical(Output("a", finish_reason="stop"), Output("a", finish_reason="length"))
    assert identical(Output(""), Output(None))
    assert not identical(Output("a"), Output("a", CALL.tool_calls))
