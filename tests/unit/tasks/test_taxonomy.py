"""Types, tiers and stakes of templates."""

from __future__ import annotations

import time

import pytest

from tieraudit.domain import TaskType
from tieraudit.tasks.taxonomy import kind_of, stakes_of


@pytest.mark.parametrize(
    ("shape", "template", "kind", "prior"),
    [
        ("short", "Extract the order number from the message.", "extraction", "small"),
        ("json", "Extract the invoice fields as JSON.", "extraction", "small"),
        ("json", "Convert the CSV line to JSON.", "format conversion", "small"),
        ("label", "Classify the message into one of these topics.", "classification", "small"),
        ("label", "Is the sentiment of the review positive, negative or neutral?", "sentiment", "small"),
        ("label", "Route the ticket to the right team.", "routing", "mid"),
        ("json", "Parse the log line into fields.", "log parsing", "small"),
        ("text", "Summarise the meeting in three bullet points.", "summarisation", "mid"),
        ("text", "Rewrite the paragraph so that it is more formal.", "rewriting", "mid"),
        ("text", "Translate the text into German.", "translation", "mid"),
        ("text", "Answer the question using only the context.", "RAG answer", "mid"),
        ("code", "Write a Python function that does what is asked.", "code generation", "mid"),
        ("text", "Review this pull request and find bugs.", "code review", "mid"),
        ("tool_calls", "You help customers with their orders.", "tool use", "mid"),
        ("text", "Draft an email to the customer.", "drafting", "mid"),
        ("text", "Write a poem about the sea.", "creative", "frontier"),
        ("number", "Calculate the total of the order.", "math", "mid"),
        ("text", "Think step by step about the puzzle and reason logically.", "complex reasoning", "frontier"),
        ("text", "Review the contract and flag risky clauses.", "legal", "frontier"),
        ("text", "Propose a go-to-market strategy for the product.", "strategy", "frontier"),
        ("text", "You are a friendly companion. Chat with the user.", "chat", "mid"),
    ],
)
def test_types_and_the_tiers_they_start_at(shape: str, template: str, kind: str, prior: str) -> None:
    found = kind_of(shape, template, [])
    assert (str(found.type), found.prior) == (kind, prior)
    assert 0 < found.confidence <= 1


def test_the_shape_of_the_answers_comes_before_the_words() -> None:
    assert kind_of("tool_calls", "Summarise and translate the text.", []).type == TaskType.TOOL_USE


def test_without_a_word_the_shape_decides_and_says_that_it_is_unsure() -> None:
    found = kind_of("label", "", [])
    assert found.type == TaskType.CLASSIFICATION
    assert found.confidence < kind_of("label", "Classify the message.", []).confidence


@pytest.mark.parametrize(
    ("template", "tools", "stakes", "because"),
    [
        ("Flag risky clauses in the contract.", [], "legal", "risky clauses"),
        ("Summarise the patient record for the nurse.", [], "medical", "the patient"),
        ("Rank security alerts by severity.", [], "security", "security alerts"),
        ("Decide on the loan application.", [], "financial", "loan application"),
        ("Redact names from the letter.", [], "personal data", "redact"),
        ("Help with orders.", ["find_order", "refund_order"], "irreversible tool", "refund_order"),
        ("Help with orders.", ["deleteAccount"], "irreversible tool", "deleteAccount"),
    ],
)
def test_stakes_say_what_caused_them(template: str, tools: list[str], stakes: str, because: str) -> None:
    assert stakes_of(template, tools) == (stakes, because)


@pytest.mark.parametrize(
    ("template", "tools"),
    [
        ("Answer questions about orders, refunds and invoices of a shop.", ["find_order", "get_invoice"]),
        ("Be friendly. Do not give legal, medical or financial advice.", []),
        ("Be patient with customers and never mention a lawyer.", []),
        ("Extract the order number from the message.", []),
        ("Classify messages of a bank's customers by intent.", ["list_sent_messages"]),
    ],
)
def test_what_merely_mentions_money_or_forbids_advice_has_no_stakes(template: str, tools: list[str]) -> None:
    assert stakes_of(template, tools) == (None, None)


def test_grave_stakes_start_at_the_frontier() -> None:
    assert kind_of("short", "Extract the diagnosis from the patient record.", []).prior == "frontier"


def test_a_long_template_takes_linear_time() -> None:
    began = time.process_time()
    for text in ("x" * 24_000, "not " * 6_000, "find the the " * 2_000, "write a a a a " * 1_500):
        kind_of("text", text, [])
    assert time.process_time() - began < 5
