"""Where system prompts part ways into tasks, and where a slot is filled."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tieraudit.tasks.piece_trie import Path, PieceTrie, Prompt, states
from tieraudit.tasks.shapes import read_answer
from tieraudit.tasks.traits import read_system

PEOPLE = "maria john wei ana tom lena olga sam noor piotr".split()  # noqa: SIM905  a line is enough
NOUNS = "kettle lamp desk chair router phone tablet blender toaster printer".split()  # noqa: SIM905


class Prompts:
    """Prompts with the task of each."""

    def __init__(self) -> None:
        self.known: dict[str, Prompt] = {}
        self.texts: list[tuple[str, str]] = []

    def add(self, task: str, text: str, answer: str = "fine") -> None:
        system = read_system(text)
        prompt = self.known.setdefault(system.loose, Prompt(system.pieces, system.piece_texts()))
        prompt.add(read_answer({"text": answer}))
        self.texts.append((task, text))

    def keys(self) -> dict[str, set[tuple[str, ...] | None]]:
        """Task -> the paths of its prompts."""
        tree = PieceTrie(list(self.known.values()), 12)
        found: dict[str, set[tuple[str, ...] | None]] = {task: set() for task, _ in self.texts}
        for task, text in self.texts:
            path = way(tree, text)
            found[task].add(path.steps if path else None)
        return found


def way(tree: PieceTrie, text: str) -> Path | None:
    system = read_system(text)
    return tree.path(system.pieces, system.piece_texts())


def exactly(keys: dict[str, set[tuple[str, ...] | None]]) -> bool:
    """Whether each task has one path and no two share it."""
    return all(len(one) == 1 and None not in one for one in keys.values()) and len(set.union(*keys.values())) == len(
        keys
    )


def story(source: random.Random, sentences: int) -> str:
    return " ".join(
        f"The {source.choice(NOUNS)} of {source.randint(2, 999)} stood {source.choice(NOUNS)}."
        for _ in range(sentences)
    )


ORDERS = ("Extract the total.", "Summarise the mail.", "Does it name a price?", "You are a judge of style.")


@pytest.mark.parametrize(
    "layout",
    [
        "The account is {name}. {order} Answer briefly.",
        "{name} is asking. {order} Answer briefly.",
        "{order} Use this: {story} Answer briefly.",
        "Be kind. {story} {order} {story} Never guess.",
        "Be kind. {order}\n\n{story}",
    ],
)
@pytest.mark.parametrize("calls", [160, 900])
def test_orders_tell_tasks_apart_and_statements_fill_slots(layout: str, calls: int) -> None:
    source = random.Random(1)
    prompts = Prompts()
    for number in range(calls):
        order = ORDERS[number % len(ORDERS)]
        filled = {"name": source.choice(PEOPLE), "order": order, "story": story(source, source.randint(1, 4))}
        prompts.add(order, layout.format(**filled))
    assert exactly(prompts.keys())


def test_a_few_statements_that_each_stay_are_as_many_tasks() -> None:
    prompts = Prompts()
    for number in range(90):
        topic = ("delivery", "payment", "returns")[number % 3]
        prompts.add(topic, f"The topic is {topic}. Does the message belong to it?")
    assert exactly(prompts.keys())


def test_many_statements_are_as_many_tasks_when_their_answers_are_other_labels() -> None:
    prompts = Prompts()
    for number in range(240):
        topic = NOUNS[number % 8]
        prompts.add(topic, f"The topic is {topic}. Does the message belong to it?", f"{topic} {number // 8 % 2}")
    assert exactly(prompts.keys())


def test_an_order_with_a_name_inside_is_known_by_its_ends() -> None:
    source = random.Random(2)
    prompts = Prompts()
    for number in range(400):
        verb = ("Extract the total", "Summarise the mail")[number % 2]
        prompts.add(verb, f"{verb} for client {source.choice(NOUNS)}{source.choice(PEOPLE)} of today. Be brief.")
    assert exactly(prompts.keys())


def test_a_payload_that_gives_orders_does_not_lead_astray() -> None:
    source = random.Random(3)
    prompts = Prompts()
    for number in range(300):
        order = ORDERS[number % 2]
        tale = story(source, 2) + (" Open the box. Who did it?" if number % 20 < 2 else "")
        prompts.add(order, f"{order} Use this: {tale} Answer briefly.")
    assert exactly(prompts.keys())


def test_a_prompt_of_another_kind_has_no_path() -> None:
    prompts = Prompts()
    for _ in range(40):
        prompts.add("one", "Extract the total. Answer briefly.")
    tree = PieceTrie(list(prompts.known.values()), 12)
    assert way(tree, "Translate the letter.") is None
    assert way(tree, "Extract the total.") is None
    assert way(tree, "") is None


def test_a_prompt_of_hundreds_of_lines_has_its_path() -> None:
    text = "\n".join(f"Rule {'x' * (number % 37)}: do {NOUNS[number % 10]} first." for number in range(900))
    prompts = Prompts()
    for _ in range(20):
        prompts.add("one", text)
    assert exactly(prompts.keys())


@pytest.mark.parametrize(
    ("text", "states_only"),
    [
        ("The customer is on the gold plan.", True),
        ("You are talking to maria.", True),
        ("You are a strict classifier.", False),
        ("Extract the total.", False),
        ("You extract totals.", False),
        ("If unsure, answer no.", False),
        ("Is it urgent?", False),
        ("Context:", False),
    ],
)
def test_what_counts_as_a_statement(text: str, states_only: bool) -> None:
    assert states(text) is states_only


def test_nothing_to_learn_from_knows_nothing() -> None:
    empty: Sequence[Prompt] = []
    assert way(PieceTrie(empty, 12), "Extract the total.") is None
