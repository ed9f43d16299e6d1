"""Which parts of a prompt are volatile."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.tasks.masking import mask, mask_loosely, mask_payload, token_spans, tokens

SNIPPETS = st.sampled_from(
    [
        "Today is Monday, 3 March 2025 10:30 pm. ", "User: Maria Lopez\n", "order ORD-12345", "2025-03-04T10:00:00Z",
        "<context>", "</context>", "```", '"quoted"', "'", "“x”", "Passage (a.md):\n", "https://a.b/c?d=1", "x@y.co",
        "you are talking to Wei Chen ", "in 3 words", "0123456789", "«date»", "»", "«", ":", "agent: ", "March ", " 12",
        "deadbeef01", "\n\n", ". ", "Acme ", "German ", "550e8400-e29b-41d4-a716-446655440000", "#1234", "1,000.50%",
    ]
)  # fmt: skip
PROMPTS = st.lists(SNIPPETS | st.text(max_size=12), max_size=14).map("".join)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Today is 2025-03-04.", "Today is «date»."),
        ("Today is Monday, 3rd of March 2025.", "Today is «date», «date»."),
        ("It is March 3, 2025 now", "It is «date» now"),
        ("due 31.12.2025 or 12/31/25", "due «date» or «date»"),
        ("at 10:30 am, at 17:45:01 and at 5pm", "at «time», at «time» and at «time»"),
        ("2025-03-04T10:00:00Z", "«date»"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id «id»"),
        ("order ORD-12345, A1234, #99812", "order «id», «id», «id»"),
        ("trace deadbeef0123", "trace «id»"),
        ("call 0123456789", "call «number»"),
        ("mail maria.lopez+x@mail.example.org", "mail «email»"),
        ("see https://example.org/a?b=1#c now", "see «url» now"),
        ("see manuals/returns.md", "see «file»"),
        ("User: Maria Lopez\nplan", "User: «name»\nplan"),
        ("customer name: maria", "customer name: «name»"),
        ("You are talking to Maria Lopez.", "You are talking to «name»."),
        ("<context>one. two.</context> Answer.", "<context>«body»</context> Answer."),
        ("Use it.\nPassage (a.md):\nOne.\nTwo.\n\nAnswer.", "Use it.\nPassage:\n«body»\n\nAnswer."),
        ("Use it.\nContext: one. two.\nAnswer.", "Use it.\nContext: «body»\nAnswer."),
    ],
)
def test_volatile_forms_are_marked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Answer in 3 words with gpt-4o, covid-19 or v2.",
        "Classify the message: spam or ham.",
        "<instructions>Extract the total.</instructions>",
        "Notes from the agent: the customer called twice about it.",
        "You may answer in German or French.",
        'Reply "yes" or "no".',
        "Translate to called English names",
    ],
)
def test_what_says_the_work_stays(text: str) -> None:
    assert mask(text) == text


def test_loosely_numbers_and_names_go_but_languages_and_answers_stay() -> None:
    text = "Help the staff of Acme Retail translate 3 lines from German for Olga. Say Yes or No."
    assert (
        mask_loosely(text) == "Help the staff of «name» translate «number» lines from German for «name». Say Yes or No."
    )


def test_a_title_in_capitals_is_no_list_of_names() -> None:
    assert mask_loosely("you Are An Expert In Tax Law And Accounting") == "you Are An Expert In Tax Law And Accounting"


def test_in_a_users_turn_quotes_and_blocks_are_payload() -> None:
    assert mask_payload('Fix "teh" in:\n```\ncode\n```\n7 times') == "Fix «quoted» in:\n«block»\n«number» times"


@given(PROMPTS)
def test_masking_twice_is_masking_once(prompt: str) -> None:
    for way in (mask, mask_loosely, mask_payload):
        once = way(prompt)
        assert way(once) == once


@given(st.text())
def test_no_text_is_refused(text: str) -> None:
    for way in (mask, mask_loosely, mask_payload):
        masked = way(text)
        assert len(tokens(masked)) == len(token_spans(masked))


@pytest.mark.parametrize(
    "hostile",
    ["<context>" * 5_000, "a." * 20_000, "User:" * 8_000, "1-" * 20_000, '"' * 30_001, "«date»" * 5_000, "x" * 60_000,
     "Aa " * 15_000, "\n \t" * 15_000, "passage:\n" * 5_000, "a@" * 20_000, "you are " * 8_000],
)  # fmt: skip
def test_hostile_text_takes_linear_time(hostile: str) -> None:
    began = time.process_time()
    mask_loosely(hostile)
    mask_payload(hostile)
    assert time.process_time() - began < 5
