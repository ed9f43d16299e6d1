"""What classify promises: the true tasks, kept apart where they differ, with ids that stay."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures.calls import START, insert_calls
from tests.fixtures.task_logs import PEOPLE, Log, found_exactly, groups, support_log

from tieraudit.config import default_config
from tieraudit.domain import Call, ContentState, Output, Task
from tieraudit.errors import InputError
from tieraudit.pipeline import classify as stage
from tieraudit.pipeline.classify import classify
from tieraudit.pipeline.task_book import Classification, merge_tasks, pin_task, rename_task
from tieraudit.store import Store


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as opened:
        yield opened


def run(store: Store, log: Log | list[Call]) -> Classification:
    insert_calls(store, log.calls if isinstance(log, Log) else log)
    return classify(store, default_config())


def assigned(store: Store) -> dict[str, str]:
    return {row["source_id"]: row["task_id"] for row in store.rows("classify_assignments")}


def task_of(found: Classification, store: Store, log: Log, truth: str) -> Task:
    (task_id,) = groups(store, log)[truth]
    return next(task for task in found.tasks if task.task_id == task_id)


class TestWhatIsOneTask:
    def test_a_date_and_a_name_in_the_system_prompt_split_nothing(self, store: Store) -> None:
        log = support_log(200)
        found = run(store, log)
        assert len(found.tasks) == 5
        assert found_exactly(store, log)

    @pytest.mark.parametrize("people", [5, 8, 12])
    def test_however_often_each_name_comes(self, store: Store, people: int) -> None:
        log = Log()
        for number in range(900):
            name = PEOPLE[number % people]
            task = ("a", "b")[number // people % 2]
            order = {"a": "Summarise what the client wants.", "b": "Draft a polite reply to the client."}[task]
            log.add(task, f"You work for {name} at Acme. {order} Be brief.", log.complaint(), log.prose(30))
        run(store, log)
        assert found_exactly(store, log)

    def test_a_retrieved_passage_in_the_system_prompt_is_payload(self, store: Store) -> None:
        log = Log()
        for number in range(300):
            task = ("answer", "judge", "questions")[number % 3]
            order = {
                "answer": "Answer the question from the passage alone.",
                "judge": "Decide whether the passage answers the question. Say yes or no.",
                "questions": "Write three exam questions about the passage.",
            }[task]
            answer = log.pick("yes", "no") if task == "judge" else log.prose(25)
            system = (
                f"You help students of a school. {order}\n\nPassage: {log.prose(12)}. {log.prose(9)}.\n{log.prose(8)}."
            )
            log.add(task, system, f"What about the {log.prose(3)}?", answer)
        run(store, log)
        assert found_exactly(store, log)

    def test_a_prompt_that_was_edited_is_one_task_with_two_versions(self, store: Store) -> None:
        log = Log()
        first = (
            "You sort mail for Acme. Read the customer's message and name its topic: order, refund or other. One word."
        )
        later = first.replace("the customer's message", "the message of the customer").replace(
            "One word", "A word only"
        )
        for number in range(400):
            system = first if number < 200 else later
            log.add("topic", system, log.complaint(), log.pick("order", "refund", "other"))
        run(store, log)
        assert found_exactly(store, log)
        versions = store.rows("classify_known_templates")
        assert len(versions) == 2

    def test_the_same_words_side_by_side_are_two_tasks(self, store: Store) -> None:
        log = Log()
        for number in range(400):
            subject = ("delivery", "payment")[number % 2]
            system = (
                f"You label messages for Acme. Does the message complain about {subject}? Answer yes or no. One word."
            )
            log.add(subject, system, log.complaint(), log.pick("yes", "no"))
        run(store, log)
        assert found_exactly(store, log)

    def test_a_family_of_classifiers_with_names_in_their_prompts_stays_apart(self, store: Store) -> None:
        log = Log()
        subjects = ("delivery", "payment", "warranty", "returns", "accounts", "privacy")
        for number in range(900):
            subject = subjects[number % 6]
            system = (
                f"You label messages. The user is {log.pick(*PEOPLE)}. Does the message complain about {subject}? "
                "Answer yes or no."
            )
            log.add(subject, system, log.complaint(), log.pick("yes", "no"))
        run(store, log)
        assert found_exactly(store, log)

    def test_other_tools_are_another_task(self, store: Store) -> None:
        log = Log()
        for number in range(120):
            kind = ("shop", "bank")[number % 2]
            name = {"shop": "find_order", "bank": "block_card"}[kind]
            call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": "{}"}}
            log.add(
                kind,
                "Call the right function.",
                log.complaint(),
                Output(tool_calls=(call,)),
                request={"tools": [{"type": "function", "function": {"name": name}}]},
            )
        run(store, log)
        assert found_exactly(store, log)

    def test_tools_that_differ_from_call_to_call_are_payload(self, store: Store) -> None:
        log = Log()
        for number in range(300):
            name = f"function_{'abcdefghijklmnop'[number % 16]}"
            call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": "{}"}}
            log.add(
                "calling",
                "Call the right function.",
                log.complaint(),
                Output(tool_calls=(call,)),
                request={"tools": [{"type": "function", "function": {"name": name}}]},
            )
        run(store, log)
        assert found_exactly(store, log)

    def test_another_schema_is_another_task(self, store: Store) -> None:
        log = Log()
        for number in range(120):
            kind = ("person", "parcel")[number % 2]
            form = {"type": "json_schema", "json_schema": {"name": kind, "schema": {"properties": {"x": {}}}}}
            log.add(kind, "Fill the form.", log.complaint(), '{"x": 1}', request={"response_format": form})
        run(store, log)
        assert found_exactly(store, log)

    def test_a_bland_system_prompt_leaves_it_to_the_users_template(self, store: Store) -> None:
        log = Log()
        orders: dict[str, tuple[str, Callable[[], str]]] = {
            "extract": ("Extract every product that is named in this message:", lambda: log.prose(4)),
            "reply": ("Write a friendly reply to the following customer message:", lambda: log.prose(40)),
            "urgent": ("Decide whether this message is urgent and answer yes or no:", lambda: log.pick("yes", "no")),
        }
        for number in range(360):
            task = list(orders)[number % 3]
            order, answer = orders[task]
            log.add(task, "You are a helpful assistant.", f"{order}\n\n{log.complaint()}", answer())
        run(store, log)
        assert found_exactly(store, log)

    def test_without_a_system_prompt_the_users_template_counts_at_both_ends(self, store: Store) -> None:
        log = Log()
        for number in range(300):
            task = ("front", "back")[number % 2]
            message = f"{log.prose(6)} {log.complaint()}"
            user = (
                f"Translate the following customer message into French: {message}"
                if task == "front"
                else f"{message}\n\nList every product that is named above, separated by commas."
            )
            log.add(task, None, user, log.prose(20))
        run(store, log)
        assert found_exactly(store, log)

    def test_examples_given_as_turns_belong_to_the_template(self, store: Store) -> None:
        log = Log()
        examples = {
            "capital": [("France", "Paris"), ("Italy", "Rome"), ("Spain", "Madrid")],
            "language": [("France", "French"), ("Italy", "Italian"), ("Spain", "Spanish")],
        }
        for number in range(200):
            task = ("capital", "language")[number % 2]
            before = [
                {"role": role, "content": said}
                for pair in examples[task]
                for role, said in zip(("user", "assistant"), pair, strict=True)
            ]
            log.add(task, None, log.prose(2), log.prose(1), before=before)
        run(store, log)
        assert found_exactly(store, log)

    def test_the_past_of_a_conversation_does_not_split_its_task(self, store: Store) -> None:
        log = Log()
        for number in range(200):
            before = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello, how can I help?"}]
            more = [{"role": "user", "content": log.complaint()}, {"role": "assistant", "content": log.prose(20)}]
            log.add("support", "You are the support chat of Acme.", log.complaint(), log.prose(30),
                    before=[(), before, [*before, *more]][number % 3])  # fmt: skip
        run(store, log)
        assert found_exactly(store, log)


class TestWhatIsNoTask:
    def test_small_talk_goes_to_the_tail(self, store: Store) -> None:
        log = support_log(200, volatile=False)
        for _ in range(20):
            log.add("chat", None, f"{log.prose(5)}?", log.prose(15))
        found = run(store, log)
        assert groups(store, log)["chat"] == {"tail"}
        tail = found.tasks[-1]
        assert (tail.is_tail, tail.mixed, tail.calls) == (True, True, 20)
        assert found.tail_calls == 20
        assert [rule.kind for rule in tail.recognisers] == ["none"]

    def test_small_talk_that_is_most_of_the_bill_is_grouped_by_topic_and_called_mixed(self, store: Store) -> None:
        log = Log()
        topics = (("refund", "invoice", "payment"), ("parcel", "courier", "delivery"), ("login", "password", "account"))
        for number in range(600):
            words = [log.pick(*topics[number % 3]) for _ in range(4)]
            log.add("chat", None, f"{log.pick('hi', 'hey', 'ok')} {' '.join(words)} {log.prose(2)}?", log.prose(20))
        found = run(store, log)
        assert not found.tail_calls
        assert len(found.tasks) > 1
        assert all(task.mixed and not task.is_tail for task in found.tasks)

    def test_calls_without_content_stay_in_the_bill_by_name_or_model(self, store: Store) -> None:
        log = support_log(100, volatile=False)
        for number in range(60):
            log.add(
                "unseen",
                None,
                "x",
                None,
                content_state=ContentState.ABSENT,
                task_hint="nightly-report" if number % 2 else None,
            )
        calls = [
            call if task != "unseen" else _without_request(call)
            for call, task in zip(log.calls, log.truth, strict=True)
        ]
        found = run(store, calls)
        names = {task.name for task in found.tasks}
        assert {"No content: nightly-report", "No content: gpt-4o"} <= names
        assert sum(task.spend_usd or 0 for task in found.tasks) == Decimal("0.16")

    def test_an_empty_database_is_an_error_with_the_way_out(self, store: Store) -> None:
        with pytest.raises(InputError, match="no calls") as error:
            classify(store, default_config())
        assert "tieraudit ingest" in error.value.hint


def _without_request(call: Call) -> Call:
    return replace(call, request=None, response=None)


class TestIdsStay:
    def test_running_again_changes_nothing(self, store: Store) -> None:
        log = support_log(200)
        run(store, log)
        before = (assigned(store), store.rows("classify_tasks"))
        classify(store, default_config())
        assert (assigned(store), store.rows("classify_tasks")) == before

    def test_the_order_of_the_log_does_not_matter(self, store: Store) -> None:
        log = support_log(200)
        run(store, log)
        shuffled = list(log.calls)
        random.Random(3).shuffle(shuffled)
        with Store(None) as other:
            run(other, shuffled)
            assert assigned(other) == assigned(store)
            assert other.rows("classify_tasks") == store.rows("classify_tasks")

    def test_another_week_keeps_the_ids_and_adds_new_tasks(self, store: Store) -> None:
        week = support_log(200, seed=1)
        run(store, week)
        before = assigned(store)
        more = Log(seed=2, source_file="later.jsonl")
        again = support_log(300, seed=5)
        for call, task in zip(again.calls, again.truth, strict=True):
            system, user = call.request["messages"] if call.request else ({}, {})
            more.add(task, system["content"], user["content"], call.response, at=call.started_at + timedelta(days=9))
        for _ in range(40):
            more.add("new", "Draft a short apology to the customer for the delay.", more.complaint(), more.prose(40))
        run(store, more)
        after = assigned(store)
        assert {source: after[source] for source in before} == before
        assert groups(store, more)["new"].isdisjoint(before.values())

    def test_an_id_outlives_the_fingerprint_it_was_made_from(self, store: Store) -> None:
        log = Log()
        for _ in range(100):
            log.add("one", f"You work for {PEOPLE[0]} at Acme. Summarise the message.", log.complaint(), log.prose(30))
        run(store, log)
        (before,) = groups(store, log)["one"]
        for number in range(400):
            system = f"You work for {PEOPLE[number % 10]} at Acme. Summarise the message."
            log.add("one", system, log.complaint(), log.prose(30))
        insert_calls(store, log.calls[100:])
        classify(store, default_config())
        assert groups(store, log)["one"] == {before}

    def test_a_sample_tells_the_tasks_of_all_calls(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stage, "SAMPLE_CALLS", 300)
        log = support_log(1_500)
        run(store, log)
        assert found_exactly(store, log)


class TestEdits:
    def test_a_name_a_merge_and_a_pin_survive_a_new_classify(self, store: Store) -> None:
        log = support_log(200, volatile=False)
        found = run(store, log)
        first = task_of(found, store, log, "routing")
        second = task_of(found, store, log, "sentiment")
        rename_task(store, first.name, "Where mail goes")
        pin_task(store, default_config(), "Where mail goes", "frontier", "cost of error")
        merge_tasks(store, second.task_id, first.task_id)
        for _ in range(2):
            found = classify(store, default_config())
            assert groups(store, log)["routing"] == groups(store, log)["sentiment"] == {first.task_id}
            joined = next(task for task in found.tasks if task.task_id == first.task_id)
            assert (joined.name, joined.calls) == ("Where mail goes", 80)
            assert found.pins[first.task_id].reason == "cost of error"

    def test_spend_and_calls_are_those_of_the_calls(self, store: Store) -> None:
        log = support_log(200, volatile=False)
        found = run(store, log)
        assert found.calls == 200
        assert {task.calls for task in found.tasks} == {40}
        assert {task.spend_usd for task in found.tasks} == {Decimal("0.04")}
        assert [found.share_of_spend(task) for task in found.tasks] == [0.2] * 5

    def test_unpriced_calls_have_no_spend_rather_than_none_to_pay(self, store: Store) -> None:
        log = Log()
        for _ in range(40):
            log.add("one", "Summarise the message.", log.complaint(), log.prose(30), cost=None)
        (task,) = run(store, log).tasks
        assert task.spend_usd is None


class TestWhatIsToldOfATask:
    def test_shape_type_prior_and_name_of_five_tasks(self, store: Store) -> None:
        log = support_log(250)
        found = run(store, log)
        told = {
            truth: (task.output_shape, str(task.type), task.prior, task.stakes, task.name)
            for truth in set(log.truth)
            for task in [task_of(found, store, log, truth)]
        }
        assert told == {
            "order number": ("short", "extraction", "small", None, "Extract order number"),
            "sentiment": ("label", "sentiment", "small", None, "Classify sentiment of message"),
            "translation": ("text", "translation", "mid", None, "Translate message into German"),
            "summary": ("text", "summarisation", "mid", None, "Summarise message"),
            "routing": ("label", "routing", "mid", None, "Route message to team"),
        }

    def test_a_consistent_logged_name_is_the_name_and_the_first_recogniser(self, store: Store) -> None:
        log = Log()
        for number in range(200):
            name = ("ticket-triage", "reply_writer")[number % 2]
            system = {"ticket-triage": "Name the team for the message.", "reply_writer": "Write a reply."}[name]
            log.add(name, system, log.complaint(), log.prose(2 if number % 2 == 0 else 40), task_hint=name)
        found = run(store, log)
        assert sorted(task.name for task in found.tasks) == ["Reply writer", "Ticket triage"]
        for task in found.tasks:
            assert task.recognisers[0].kind == "tag"
            assert (task.recognisers[0].precision, task.recognisers[0].recall) == (1, 1)

    def test_logged_names_that_contradict_the_prompts_are_doubted_aloud(self, store: Store) -> None:
        said: list[str] = []

        class Listener:
            def start(self, label: str, total: int | None = None) -> None: ...
            def advance(self, steps: int = 1) -> None: ...
            def say(self, line: str) -> None:
                said.append(line)

        log = support_log(400, volatile=False)
        calls = [_named(call, f"job-{'abcde'[number // 7 % 5]}") for number, call in enumerate(log.calls)]
        insert_calls(store, calls)
        classify(store, default_config(), Listener())
        assert found_exactly(store, log)
        assert any("task names are not used" in line for line in said)

    def test_a_name_without_words_groups_what_has_no_template(self, store: Store) -> None:
        log = support_log(100, volatile=False)
        for _ in range(60):
            log.add("chat", None, f"{log.prose(5)}?", log.prose(15), task_hint="free-chat")
        found = run(store, log)
        assert task_of(found, store, log, "chat").name == "Free chat"

    def test_regexes_are_bounded_and_match_no_other_task(self, store: Store) -> None:
        log = support_log(250)
        found = run(store, log)
        systems = {
            call.source_id: call.request["messages"][0]["content"] for call in log.calls if call.request is not None
        }
        tasks = assigned(store)
        for task in found.tasks:
            rule = next(rule for rule in task.recognisers if rule.kind == "system_regex")
            assert (rule.precision, rule.recall) == (1, 1)
            assert not re.search(r"[*+](?!\?)|\{\d+,\}", re.sub(r"\\.|\[.*?\]", "", rule.value))
            hits = {tasks[source] for source, text in systems.items() if source and re.search(rule.value, text)}
            assert hits == {task.task_id}

    def test_a_constant_prompt_is_known_by_its_hash(self, store: Store) -> None:
        log = support_log(200, volatile=False)
        found = run(store, log)
        task = task_of(found, store, log, "routing")
        text = "You are the assistant of Acme. Route the message to one team: billing, shipping or technical."
        rule = next(rule for rule in task.recognisers if rule.kind == "system_sha256")
        assert rule.value == [hashlib.sha256(text.encode()).hexdigest()]

    def test_the_template_shows_where_prompts_vary(self, store: Store) -> None:
        log = support_log(200)
        run(store, log)
        templates = [row["template"] for row in store.rows("classify_tasks")]
        assert all("Today is «date»" in text and "talking to «name»" in text for text in templates)

    def test_recognisers_are_stored_strongest_first(self, store: Store) -> None:
        log = Log()
        for _ in range(50):
            log.add("one", "Sum up the message.", log.complaint(), log.prose(30), task_hint="sum", tags=("summary",))
        run(store, log)
        (row,) = store.rows("classify_tasks")
        kinds = [rule["kind"] for rule in json.loads(row["recognisers"])]
        order = ["tag", "system_sha256", "system_regex", "user_regex", "tools"]
        assert kinds == sorted(kinds, key=order.index)
        assert kinds[0] == "tag"


def _named(call: Call, hint: str) -> Call:
    return replace(call, task_hint=hint)


@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"messages": []},
        {"messages": "no list"},
        {"messages": [None, 3, {"role": "user"}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}, "x", {"type": "image_url"}]}]},
        {"messages": [{"role": "system", "content": "x" * 100_000}], "tools": [None, {"function": 3}]},
        {"prompt": "Once upon a time", "response_format": 7},
        {"messages": [{"role": "user", "content": "```" * 501 + "<context>" * 500}]},
    ],
)
def test_a_strange_request_is_grouped_not_refused(store: Store, request_body: dict[str, Any]) -> None:
    log = support_log(60, volatile=False)
    odd = [
        replace(log.calls[0], source_line=number, source_id=f"odd-{number}", request=request_body, started_at=START)
        for number in range(1_000, 1_020)
    ]
    found = run(store, [*log.calls, *odd])
    assert sum(task.calls for task in found.tasks) == 80
