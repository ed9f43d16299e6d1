"""The report on a terminal: the headline, one line a task, what stays, and where to look next."""

from __future__ import annotations

import io

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieraudit.render import story, words
from tieraudit.render.hostile import one_line
from tieraudit.render.report import Report, TaskRow

WIDEST = 100
STYLES = {"proven": "green", "pinned": "blue", "undecided": "yellow", "refuted": "red"}
NAME_WIDTH = 28


class TerminalRenderer:
    """At most 100 columns. Plain unless ``colour``: the caller knows whether a person looks, and NO_COLOR."""

    name = "terminal"
    file_name = None

    def __init__(self, *, colour: bool = False, width: int = WIDEST) -> None:
        self._colour = colour
        self._width = min(width, WIDEST)

    def render(self, report: Report) -> bytes:
        """UTF-8 bytes for stdout."""
        console = Console(
            file=io.StringIO(),
            width=self._width,
            force_terminal=self._colour,
            no_color=not self._colour,
            color_system="standard" if self._colour else None,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )
        with console.capture() as capture:
            _draw(console, report)
        lines = [line.rstrip() for line in capture.get().splitlines()]
        return ("\n".join(lines) + "\n").encode("utf-8")


def _draw(console: Console, report: Report) -> None:
    found = story.headline(report)
    console.print(Text(one_line(found.title), style="bold"))
    console.print(Text(one_line(found.detail)))
    console.print(Text(one_line(found.promise), style="dim"))
    for notice in found.notices:
        console.print(Text(f"note: {one_line(notice)}", style="yellow"))
    console.print()
    console.print(Text(f"US dollars {words.per(report)}", style="dim"))
    console.print(_tasks(report))
    console.print()
    for card in story.cards(report):
        console.print(Text.assemble((f"{card.label}: {card.amount}", "bold"), f" {one_line(card.text)}"))
    _why(console, report)
    console.print()
    console.print(Text(_cost(report)))
    console.print(Text("Next: tieraudit report --format html,xlsx, then tieraudit export-config --router NAME"))


def _tasks(report: Report) -> Table:
    usd, totals = words.usd_of(report), report.totals
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True, footer_style="bold")
    table.add_column("task", "total", no_wrap=True, overflow="ellipsis", max_width=NAME_WIDTH)
    table.add_column("now", usd(totals.cost_now.value), justify="right")
    table.add_column("then", usd(totals.cost_then.value), justify="right")
    table.add_column("saves", usd(totals.savings.value), justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("agrees", justify="right")
    table.add_column("95% bounds", justify="right")
    table.add_column("n", justify="right")
    for row in report.tasks:
        table.add_row(*_cells(report, row))
    if report.scope.outside_calls:
        amount = usd(totals.outside_usd)
        table.add_row("outside any task", amount, amount, "–", "not tested", "–", "–", "–")
    return table


def _cells(report: Report, row: TaskRow) -> list[Text]:
    usd, verdict = words.usd_of(report), words.verdict_word(row)
    label = f"{verdict} → {one_line(row.tier, 12)}" if row.moves else verdict
    found = row.deciding
    if found is None or found.agreement is None:
        agreement = ["–", "–", "–"]
    else:
        agreement = [words.percent(found.agreement), words.short_interval(found), f"{found.n:,}"]
    return [
        Text(words.task_name(row)),
        Text(usd(row.cost_now_usd)),
        Text(usd(row.cost_then_usd)),
        Text(usd(row.savings_usd) if row.moves else "–"),
        Text(label, style=STYLES.get(verdict, "")),
        *map(Text, agreement),
    ]


def _why(console: Console, report: Report) -> None:
    staying = [row for group in story.kept_groups(report) for row in group.tasks]
    if not staying:
        return
    console.print()
    console.print(Text("What stays, and why", style="bold"))
    for row in staying:
        reason = Text.assemble((words.task_name(row), "bold"), f": {one_line(row.reason, 200)}")
        console.print(Padding(reason, (0, 0, 0, 2)))


def _cost(report: Report) -> str:
    text = one_line(story.audit_cost_words(report))
    new = report.totals.audit_new_cost_usd
    return text if new == report.totals.audit_cost_usd else f"{text} Newly paid for by it: {words.audit_usd(new)}."
