"""What a report tells: sums that add up, and the notices that qualify a headline."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from tests.fixtures.report import example_report

from tieraudit.domain import VerdictKind
from tieraudit.render import story
from tieraudit.render.report import Interval, Period, Report


@pytest.fixture(scope="module")
def report() -> Report:
    """The example."""
    return example_report()


def test_the_parts_of_the_bill_add_up_to_it(report: Report) -> None:
    parts = story.bill_parts(report)
    assert sum((part.now_usd for part in parts), Decimal(0)) == report.totals.cost_now.value
    assert sum((part.then_usd for part in parts), Decimal(0)) == report.totals.cost_then.value
    assert sum(part.tasks for part in parts) == len(report.tasks)


def test_what_stays_adds_up_to_what_is_kept(report: Report) -> None:
    groups = story.kept_groups(report)
    assert sum((group.usd for group in groups), Decimal(0)) == report.totals.kept_usd
    assert {row.task_id for group in groups for row in group.tasks} == {
        row.task_id for row in report.tasks if not row.moves
    }


def test_the_headline_counts_tasks_without_the_tail(report: Report) -> None:
    assert story.headline(report).title == "Moving 5 of 14 tasks to cheaper models saves $9,447 a month."


def test_savings_that_rest_on_a_pin_are_named(report: Report) -> None:
    notices = story.headline(report).notices
    assert "$177 a month of the savings rests on your own pins (1 task), not on proof." in notices


def test_a_gpu_that_is_rented_for_this_alone_is_named(report: Report) -> None:
    found = [notice for notice in story.notices(report) if "around the clock" in notice]
    assert found == [
        "Tier small is counted by the GPU time it uses, $621 a month. A GPU rented around the clock for this alone "
        "costs $877 a month; then $9,192 a month would be saved."
    ]


def test_a_gpu_that_costs_more_than_it_saves_is_named(report: Report) -> None:
    dear = dataclasses.replace(report.tiers[0], dedicated_usd_month=Decimal(20000))
    words = story.dedicated_words(report, dear)
    assert words.endswith("costs $20,000 a month; then the moves would cost $9,932 a month more.")


def test_an_audit_that_has_not_ended_says_so(report: Report) -> None:
    assert "has not ended" in story.notices(dataclasses.replace(report, finished=False))[0]


def test_moves_that_cost_more_are_not_called_savings(report: Report) -> None:
    dearer = dataclasses.replace(report.totals, savings=Interval(Decimal(-40)))
    title = story.headline(dataclasses.replace(report, totals=dearer)).title
    assert title == "Moving 5 of 14 tasks to cheaper models costs $40 more a month."


def test_the_audit_is_paid_back(report: Report) -> None:
    assert story.audit_cost_words(report).endswith("cost $11.48. The savings pay that back in under an hour.")
    dear = dataclasses.replace(report.totals, audit_cost_usd=Decimal(6000), audit_unpriced_replies=1)
    told = story.audit_cost_words(dataclasses.replace(report, totals=dear))
    assert "1 reply came without a price" in told
    assert told.endswith("in 19 days.")


def test_a_window_promises_no_payback(report: Report) -> None:
    assert "back" not in story.audit_cost_words(dataclasses.replace(report, period=Period.WINDOW))


def test_a_proven_task_that_stays_is_among_what_stays(report: Report) -> None:
    row = next(row for row in report.tasks if row.task_id == "t10")
    kept = dataclasses.replace(row, verdict=VerdictKind.PROVEN)
    rows = tuple(kept if each is row else each for each in report.tasks)
    groups = story.kept_groups(dataclasses.replace(report, tasks=rows))
    assert kept.task_id in {each.task_id for group in groups for each in group.tasks}
