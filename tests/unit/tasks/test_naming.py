"""Names that a person can read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.tasks.naming import MOST_WORDS, name_tasks, unique


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("Extract the order number from the message. Reply with the number only.", "Extract order number"),
        ("You are a helpful assistant. You extract e-mail addresses from letters.", "Extract e-mail addresses"),
        ("You are an assistant that summarises support tickets for managers.", "Summarise support tickets"),
        ("Your task is to classify the sentiment of reviews.", "Classify sentiment of reviews"),
        ("Translate the message into German. Keep names.", "Translate message into German"),
        ("You are the triage assistant of Acme. Read the whole message.", "Triage assistant"),
        ("You answer questions of visitors in the help centre.", "Answer questions of visitors"),
        ("kettle kettle lamp desk", "Kettle lamp desk"),
        ("", "Unnamed"),
    ],
)
def test_the_order_of_the_prompt_is_the_name(template: str, name: str) -> None:
    assert name_tasks([template, "Do something else entirely with fish."], [None, None])[0] == name


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        ("order-number-extraction", "Order number extraction"),
        ("app.tickets.triageTicket", "App tickets triage Ticket"),
        ("litellm-acompletion", "Sort mail"),
        ("12", "Sort mail"),
    ],
)
def test_the_callers_name_comes_first_unless_a_library_gave_it(hint: str, name: str) -> None:
    assert name_tasks(["Sort the mail."], [hint]) == [name]


def test_tasks_with_the_same_order_get_the_word_that_sets_them_apart() -> None:
    templates = [
        f"Classify the message. Labels are {label}." for label in ("spam, ham", "urgent, calm", "urgent, calm")
    ]
    names = name_tasks(templates, [None] * 3)
    assert len({name.casefold() for name in names}) == 3
    assert names[0] in ("Classify message ham", "Classify message spam")


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6))
def test_names_are_short_and_unique_whatever_the_prompts(templates: list[str]) -> None:
    names = name_tasks(templates, [None] * len(templates))
    assert len({name.casefold() for name in names}) == len(names)
    assert all(1 <= len(name.split()) <= MOST_WORDS + 1 for name in names)


def test_a_taken_name_gets_a_number() -> None:
    assert unique("Sort mail", ["sort mail", "Sort mail 2"]) == "Sort mail 3"


def test_a_long_prompt_takes_linear_time() -> None:
    began = time.process_time()
    name_tasks(["you are a " * 3_000, "x" * 24_000, "you are the " + "word " * 5_000], [None] * 3)
    assert time.process_time() - began < 5
