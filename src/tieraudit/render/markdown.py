"""The report as Markdown, for a pull request or a wiki: tables, and no markup that a log could bring in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tieraudit.render import story, words
from tieraudit.render.hostile import one_line, visible
from tieraudit.render.report import Example, Report, TaskRow, TierEvidence

_MARKUP = re.compile(r"([\\`*_\[\]<>|~&#!])")


class MarkdownRenderer:
    """GitHub-flavoured Markdown with the story of the HTML page, curves left out."""

    name = "md"
    file_name = "report.md"

    def render(self, report: Report) -> bytes:
        """UTF-8 bytes, a newline at the end."""
        sections = (_head(report), _bill(report), _tasks(report), _kept(report), _evidence(report), _ground(report))
        lines = [line for section in sections for line in section]
        return ("\n".join(lines).rstrip() + "\n").encode("utf-8")


def inline(text: str) -> str:
    """Text of a log on one line, every character that Markdown or HTML could read as markup escaped."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def fenced(text: str) -> str:
    """Text of a log as a code block, with a fence longer than any run of backticks inside."""
    body = visible(text) or "(empty)"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
    return f"{fence}text\n{body}\n{fence}"


def table(columns: Sequence[str], right: Iterable[int], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table; the cells are ready-made, columns in ``right`` are right-aligned. Ends with an empty line."""
    aligned = set(right)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if place in aligned else '---' for place in range(len(columns)))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _head(report: Report) -> Iterator[str]:
    found = story.headline(report)
    yield from (f"# {inline(found.title)}", "", inline(found.detail), "", inline(found.promise), "")
    for notice in found.notices:
        yield f"> {inline(notice)}"
        yield ""


def _bill(report: Report) -> Iterator[str]:
    usd, totals = words.usd_of(report), report.totals
    yield from (f"## The bill, today and after ({words.per(report)})", "")
    parts = [
        [inline(part.label), str(part.tasks), usd(part.now_usd), usd(part.then_usd)]
        for part in story.bill_parts(report)
    ]
    total = ["**Total**", "", f"**{usd(totals.cost_now.value)}**", f"**{usd(totals.cost_then.value)}**"]
    bounds = [usd.interval(totals.cost_now), usd.interval(totals.cost_then)]
    last = [["95% interval", "", *bounds]] if all(bounds) else []
    yield from table(["Part of the bill", "Tasks", "Today", "After"], (1, 2, 3), [*parts, total, *last])
    for card in story.cards(report):
        yield f"- **{card.label}: {card.amount}** {inline(card.text)}"
    yield ""


def _tasks(report: Report) -> Iterator[str]:
    usd = words.usd_of(report)
    columns = ["Task", "Type", "Calls", "Share", "Now", "Then", "Saves", "Verdict", "Tier", "Agreement"]
    yield from (f"## Task by task ({words.per(report)})", "")
    yield from table(columns, range(2, 7), [*(_row(report, row) for row in report.tasks), *_outside(report)])
    yield from (
        f"Amounts are rounded; the largest bill comes first. Total saved: {usd(report.totals.savings.value)}.",
        "",
    )


def _row(report: Report, row: TaskRow) -> list[str]:
    usd = words.usd_of(report)
    return [
        inline(words.task_name(row)),
        inline(row.type),
        f"{row.calls:,}",
        words.percent(row.share_of_spend),
        usd(row.cost_now_usd),
        usd(row.cost_then_usd),
        usd(row.savings_usd) if row.moves else "–",
        words.verdict_word(row),
        inline(row.tier),
        words.agreement_words(row.deciding),
    ]


def _outside(report: Report) -> Iterator[list[str]]:
    if report.scope.outside_calls:
        amount = words.usd_of(report)(report.totals.outside_usd)
        calls = f"{report.scope.outside_calls:,}"
        yield ["Outside any task", "", calls, "", amount, amount, "–", "not tested", inline(report.incumbent_tier), "–"]


def _kept(report: Report) -> Iterator[str]:
    usd = words.usd_of(report)
    yield from ("## What stays, and why", "")
    for group in story.kept_groups(report):
        yield f"**{group.label}, {usd(group.usd)} {words.per(report)}.** {inline(group.why)}"
        yield ""
        for row in group.tasks:
            yield f"- {inline(words.task_name(row))}, {usd(row.cost_now_usd)}: {inline(row.reason)}"
        yield ""


def _evidence(report: Report) -> Iterator[str]:
    yield from ("## Evidence", "")
    for row in report.tasks:
        if row.evidence or row.template:
            yield from _evidence_of(report, row)


def _evidence_of(report: Report, row: TaskRow) -> Iterator[str]:
    yield from (f"### {inline(words.task_name(row))}", "", inline(row.reason), "")
    if row.stakes:
        yield from (f"Stakes: {inline(row.stakes)}. {inline(row.stakes_because or '')}".rstrip(), "")
    for found in row.evidence:
        yield f"- **{inline(found.tier)}** ({inline(found.model)}), {found.verdict.value.replace('_', ' ')}:"
        yield f"  {inline(_told(row, found))}"
    latency = (
        f"Time to answer, median and 95th percentile: {inline(report.incumbent_tier)} "
        f"{words.milliseconds(row.incumbent_latency_ms_p50)}, {words.milliseconds(row.incumbent_latency_ms_p95)}"
    )
    for found in row.evidence:
        if found.latency_ms_p50 is not None:
            latency += (
                f"; {inline(found.tier)} {words.milliseconds(found.latency_ms_p50)}, "
                f"{words.milliseconds(found.latency_ms_p95)}"
            )
    yield from (f"- {latency}.", f"- Known to a router: {inline(words.recogniser_words(row.recogniser))}", "")
    if row.template:
        yield from ("The prompt, variable parts marked:", "", fenced(row.template), "")
    for found in row.evidence:
        for example in found.worst:
            yield from _example(found, example)


def _told(row: TaskRow, found: TierEvidence) -> str:
    told = [f"{words.bet_words(found)} Agreement {words.agreement_words(found)}."] if found.n else []
    if found.reason != row.reason or not found.n:
        told.append(f"{found.reason}.")
    return " ".join([*told, words.failed_words(found)]).rstrip()


def _example(found: TierEvidence, example: Example) -> Iterator[str]:
    detail = f": {inline(example.detail)}" if example.detail else ""
    yield f"Call {inline(example.call_id)}, agreement {words.percent(example.agreement)}{detail}. Prompt:"
    yield from ("", fenced(example.prompt), "", "Incumbent, as logged:", "", fenced(example.incumbent_answer), "")
    yield from (f"{inline(found.tier)}:", "", fenced(example.candidate_answer), "")


def _ground(report: Report) -> Iterator[str]:
    yield from ("## What was audited", "")
    yield from table(["", ""], (), [[inline(label), inline(value)] for label, value in story.scope_facts(report)])
    yield from ("## What it cost, and how to check it", "", inline(story.audit_cost_words(report)), "")
    yield from table(["", ""], (), [[inline(label), inline(value)] for label, value in story.check_facts(report)])
    yield from ("## What the figures rest on", "")
    for statement in report.statements:
        yield f"- {inline(statement.text)} *Source: {inline(statement.source)}*"
