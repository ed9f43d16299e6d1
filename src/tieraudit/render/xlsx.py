"""The report as a workbook whose totals are live formulas over the rows of tasks, so that anyone can check the sums."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter

from tieraudit.render import story, words
from tieraudit.render.hostile import visible
from tieraudit.render.report import Interval, Period, Report, TaskRow

LONGEST_CELL = 8000
FIRST = 1
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
FORMATS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16},
    "bold": {"bold": True},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom", "bg_color": "#F0F2F4"},
    "text": {"text_wrap": True, "valign": "top"},
    "count": {"num_format": "#,##0", "valign": "top"},
    "usd": {"num_format": "$#,##0.00", "valign": "top"},
    "usd_total": {"num_format": "$#,##0.00", "bold": True, "valign": "top"},
    "share": {"num_format": "0.0%", "valign": "top"},
    "number": {"num_format": "0.###", "valign": "top"},
}
TASK_COLUMNS = (
    ("Task", 34),
    ("Id", 12),
    ("Type", 18),
    ("Calls", 10),
    ("Share of bill", 10),
    ("Now", 14),
    ("Then", 14),
    ("Saves", 14),
    ("Moves", 8),
    ("Proven", 8),
    ("Verdict", 14),
    ("Tier", 12),
    ("Model", 22),
    ("Plausible", 14),
    ("Saves, low", 14),
    ("Saves, high", 14),
    ("Reason", 60),
)
EVIDENCE_COLUMNS = (
    ("Task", 34),
    ("Id", 12),
    ("Tier", 10),
    ("Model", 22),
    ("Verdict", 14),
    ("Replays, n", 10),
    ("Failed", 8),
    ("Agreement", 11),
    ("Low, 95%", 10),
    ("High, 95%", 10),
    ("Needed", 9),
    ("Incumbent with itself", 12),
    ("Margin", 9),
    ("$1 became", 14),
    ("Proof is", 10),
    ("Chance that it is good", 12),
    ("Would save", 14),
    ("Scored by", 14),
    ("Reason", 60),
)


class XlsxRenderer:
    """Sheets Summary, Tasks, Evidence, Assumptions. Text of a log is written as text, never as formula or link."""

    name = "xlsx"
    file_name = "report.xlsx"

    def render(self, report: Report) -> bytes:
        """The bytes of the workbook; its dates are the report's, so the same report gives the same bytes."""
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer, OPTIONS)
        book.set_properties({"title": "LLM cost audit", "created": report.created_at.replace(tzinfo=None)})
        drawn = _Book(book, report)
        drawn.summary()
        drawn.tasks()
        drawn.evidence()
        drawn.assumptions()
        book.close()
        return buffer.getvalue()


class _Book:
    """One workbook while it is drawn."""

    def __init__(self, book: Any, report: Report) -> None:
        self.book, self.report = book, report
        self.formats = {name: book.add_format(style) for name, style in FORMATS.items()}
        self.last = FIRST + len(report.tasks) - 1 + bool(report.scope.outside_calls)

    def column(self, letter: str) -> str:
        """The cells of one column of the sheet Tasks, as a reference."""
        return f"Tasks!${letter}${FIRST + 1}:${letter}${self.last + 1}"

    def text(self, sheet: Any, row: int, column: int, text: str, style: str = "text") -> None:
        """A string cell, whatever the text looks like."""
        sheet.write_string(row, column, visible(text)[:LONGEST_CELL], self.formats[style])

    def number(self, sheet: Any, row: int, column: int, value: Decimal | float | None, style: str) -> None:
        """A number, or an empty cell for None."""
        if value is not None:
            sheet.write_number(row, column, float(value), self.formats[style])

    def heads(self, sheet: Any, columns: Sequence[tuple[str, int]], row: int = 0) -> None:
        """The header row, frozen, with the widths of the columns and a page that fits its width."""
        for place, (label, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            self.text(sheet, row, place, label, "head")
        sheet.freeze_panes(row + 1, 1)
        sheet.repeat_rows(row)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def summary(self) -> None:
        """The three numbers and the bill as formulas over the sheet Tasks."""
        sheet, report, totals = self.book.add_worksheet("Summary"), self.report, self.report.totals
        found = story.headline(report)
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 3, 18)
        sheet.set_column(4, 4, 60)
        self.text(sheet, 0, 0, found.title, "title")
        for row, line in enumerate((found.detail, found.promise, *found.notices), start=1):
            sheet.merge_range(row, 0, row, 4, "", self.formats["text"])
            self.text(sheet, row, 0, line)
            sheet.set_row(row, 32)
        top = 4 + len(found.notices)
        for place, label in enumerate((f"US dollars {words.per(report)}", "Amount", "Low, 95%", "High, 95%", "How")):
            self.text(sheet, top, place, label, "head")
        now, then, saves, moves, proven = (self.column(letter) for letter in "FGHIJ")
        lines: list[tuple[str, str, Interval, str]] = [
            ("Bill today", f"=SUM({now})", totals.cost_now, "sum of Now"),
            ("Bill after", f"=SUM({then})", totals.cost_then, "sum of Then"),
            ("Savings", f"=SUM({saves})", totals.savings, "sum of Saves"),
            ("of it proven", f'=SUMIFS({saves},{proven},"yes")', Interval(totals.proven_usd), "Saves where Proven"),
            (
                "of it by your own pins, without proof",
                f'=SUMIFS({saves},{moves},"yes",{proven},"no")',
                Interval(totals.pinned_usd),
                "Saves where Moves but not Proven",
            ),
            ("Stays as it is", f'=SUMIFS({now},{moves},"no")', Interval(totals.kept_usd), "Now where not Moves"),
            (
                "Plausible on top, in no total",
                f"=SUM({self.column('N')})",
                Interval(totals.plausible_usd),
                "sum of Plausible",
            ),
        ]
        for row, (label, formula, amount, how) in enumerate(lines, start=top + 1):
            self._line(sheet, row, label, formula, amount, how)
        if totals.savings_year is not None:
            year = f"=B{top + 4}*365/30.4375"
            self._line(sheet, top + 8, "Savings a year", year, totals.savings_year, "a month is 30.4375 days")
        self.text(sheet, top + 10, 0, "Cost of this audit, once", "bold")
        self.number(sheet, top + 10, 1, totals.audit_cost_usd, "usd")

    def _line(self, sheet: Any, row: int, label: str, formula: str, amount: Interval, how: str) -> None:
        self.text(sheet, row, 0, label, "bold")
        sheet.write_formula(row, 1, formula, self.formats["usd_total"], float(amount.value))
        self.number(sheet, row, 2, amount.low, "usd")
        self.number(sheet, row, 3, amount.high, "usd")
        self.text(sheet, row, 4, how)

    def tasks(self) -> None:
        """One row a task, and one for the calls outside any task, so that the sums are the whole bill."""
        sheet = self.book.add_worksheet("Tasks")
        self.heads(sheet, TASK_COLUMNS)
        for row, found in enumerate(self.report.tasks, start=FIRST):
            self._task(sheet, row, found)
        if self.report.scope.outside_calls:
            amount = self.report.totals.outside_usd
            self._money(sheet, self.last, amount, amount)
            self.text(sheet, self.last, 0, "Outside any task")
            self.number(sheet, self.last, 3, self.report.scope.outside_calls, "count")
            self._flags(sheet, self.last, moves=False, proven=False)
        sheet.autofilter(0, 0, self.last, len(TASK_COLUMNS) - 1)

    def _task(self, sheet: Any, row: int, found: TaskRow) -> None:
        self.text(sheet, row, 0, words.task_name(found))
        self.text(sheet, row, 1, found.task_id)
        self.text(sheet, row, 2, found.type)
        self.number(sheet, row, 3, found.calls, "count")
        self.number(sheet, row, 4, found.share_of_spend, "share")
        self._money(sheet, row, found.cost_now_usd, found.cost_then_usd)
        self._flags(sheet, row, moves=found.moves, proven=found.proven)
        for column, text in ((10, words.verdict_word(found)), (11, found.tier), (12, found.model), (16, found.reason)):
            self.text(sheet, row, column, text)
        for column, amount in ((13, found.plausible_usd), (14, found.savings_low_usd), (15, found.savings_high_usd)):
            self.number(sheet, row, column, amount, "usd")

    def _money(self, sheet: Any, row: int, now: Decimal, then: Decimal) -> None:
        self.number(sheet, row, 5, now, "usd")
        self.number(sheet, row, 6, then, "usd")
        sheet.write_formula(row, 7, f"=F{row + 1}-G{row + 1}", self.formats["usd"], float(now - then))

    def _flags(self, sheet: Any, row: int, *, moves: bool, proven: bool) -> None:
        self.text(sheet, row, 8, "yes" if moves else "no")
        self.text(sheet, row, 9, "yes" if proven else "no")

    def evidence(self) -> None:
        """One row for each task and tier that was tested."""
        sheet = self.book.add_worksheet("Evidence")
        self.heads(sheet, EVIDENCE_COLUMNS)
        pairs = [(task, found) for task in self.report.tasks for found in task.evidence]
        for row, (task, found) in enumerate(pairs, start=1):
            self.text(sheet, row, 0, words.task_name(task))
            self.text(sheet, row, 1, task.task_id)
            for column, text in enumerate((found.tier, found.model, found.verdict.value.replace("_", " ")), start=2):
                self.text(sheet, row, column, text)
            self.number(sheet, row, 5, found.n, "count")
            self.number(sheet, row, 6, found.errors, "count")
            shares = (found.agreement, found.agreement_low, found.agreement_high, found.bar, found.self_agreement)
            for column, share in enumerate((*shares, found.margin), start=7):
                self.number(sheet, row, column, share, "share")
            self.number(sheet, row, 13, min(found.e_value, 1e12), "usd")
            self.number(sheet, row, 14, min(found.threshold, 1e12), "usd")
            self.number(sheet, row, 15, found.p_good, "share")
            self.number(sheet, row, 16, found.savings_usd, "usd")
            self.text(sheet, row, 17, found.scorer)
            self.text(sheet, row, 18, found.reason)

    def assumptions(self) -> None:
        """What the figures rest on, what was audited, and how to repeat it."""
        sheet, report = self.book.add_worksheet("Assumptions"), self.report
        self.heads(sheet, (("Kind", 34), ("What", 90), ("Source", 60)))
        rows = [(statement.kind, statement.text, statement.source) for statement in report.statements]
        rows += [(label, value, "the log") for label, value in story.scope_facts(report)]
        rows += [("cost of the audit", story.audit_cost_words(report), "the replies as recorded")]
        rows += [(label, value, "the audit") for label, value in story.check_facts(report)]
        if report.period is Period.WINDOW:
            rows.append(("period", "The log spans under 24 hours: amounts are what it cost, not a month.", "the log"))
        for row, cells in enumerate(rows, start=1):
            for column, text in enumerate(cells):
                self.text(sheet, row, column, text)
