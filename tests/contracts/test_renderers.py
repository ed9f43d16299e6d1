"""What every renderer holds: the same bytes for the same report, hostile text made harmless, every task in sight."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.conftest import ROOT
from tests.fixtures.report import LONG_WORD, example_report

from tieraudit.domain import VerdictKind
from tieraudit.render import RENDERERS, Renderer
from tieraudit.render.report import Interval, Period, Report, TaskRow
from tieraudit.render.terminal import TerminalRenderer

GOLDEN = ROOT / "tests/golden"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
TEXTS = ("html", "md", "json", "terminal")


@pytest.fixture(params=RENDERERS.names())
def renderer(request: pytest.FixtureRequest) -> Renderer:
    """Each registered renderer."""
    return RENDERERS.get(request.param)


@pytest.fixture(scope="module")
def report() -> Report:
    """Fifteen tasks, every verdict, hostile text in every place that a log reaches."""
    return example_report()


def nothing_moves(report: Report) -> Report:
    """The same log with no task proven or pinned to a cheaper tier, and no bounds."""
    rows = tuple(_stays(row) for row in report.tasks)
    bill = Interval(report.totals.cost_now.value)
    totals = dataclasses.replace(
        report.totals,
        cost_now=bill,
        cost_then=bill,
        savings=Interval(Decimal(0)),
        savings_year=Interval(Decimal(0)),
        proven_usd=Decimal(0),
        pinned_usd=Decimal(0),
    )
    return dataclasses.replace(report, tasks=rows, totals=totals, finished=False)


def nothing_at_all(report: Report) -> Report:
    """A log that cost nothing, held no task and spans an hour."""
    free = Interval(Decimal(0))
    totals = dataclasses.replace(
        report.totals, cost_now=free, cost_then=free, savings=free, savings_year=None, kept_usd=Decimal(0)
    )
    scope = dataclasses.replace(report.scope, calls=0, outside_calls=0, tasks=0)
    return dataclasses.replace(
        report, tasks=(), tiers=(), statements=(), totals=totals, scope=scope, period=Period.WINDOW
    )


def _stays(row: TaskRow) -> TaskRow:
    return dataclasses.replace(
        row, tier="frontier", moves=False, verdict=VerdictKind.UNDECIDED, cost_then_usd=row.cost_now_usd
    )


def shown(renderer: Renderer, report: Report) -> str:
    """Everything that a reader of the rendered bytes sees, as text."""
    data = renderer.render(report)
    if renderer.name == "xlsx":
        book = openpyxl.load_workbook(BytesIO(data))
        return "\n".join(str(cell.value) for sheet in book for row in sheet for cell in row if cell.value is not None)
    return data.decode("utf-8")


def test_the_same_report_gives_the_same_bytes_at_any_time(renderer: Renderer, report: Report) -> None:
    first = renderer.render(report)
    time.sleep(1.1 if renderer.name == "xlsx" else 0)
    assert renderer.render(report) == first


def test_every_task_and_the_headline_are_in_sight(renderer: Renderer, report: Report) -> None:
    text = shown(renderer, report)
    for name in (
        "Support ticket triage",
        "Product text, five languages",
        "Contract clause check",
        "Address to postcode",
    ):
        assert name in text
    assert "9,447" in text or "9447.15" in text


def test_a_nameless_task_is_named_by_its_id(renderer: Renderer, report: Report) -> None:
    assert "t13" in shown(renderer, report)


def test_the_error_rate_stands_beside_the_savings(renderer: Renderer, report: Report) -> None:
    text = shown(renderer, report)
    assert "at most 5% of the spend" in " ".join(text.split()) or '"dollar_fdr": 0.05' in text


def test_a_report_in_which_nothing_moves_says_so(renderer: Renderer, report: Report) -> None:
    text = shown(renderer, nothing_moves(report))
    assert "Nothing moves yet" in text or '"finished": false' in text


def test_an_empty_report_can_be_drawn(renderer: Renderer, report: Report) -> None:
    assert renderer.render(nothing_at_all(report))


def test_a_log_under_a_day_gives_no_monthly_figure(renderer: Renderer, report: Report) -> None:
    short = dataclasses.replace(
        report, period=Period.WINDOW, totals=dataclasses.replace(report.totals, savings_year=None)
    )
    text = shown(renderer, short)
    if renderer.name == "json":
        assert '"savings_usd_month": null' in text
        assert '"savings_usd_window": "9447.15"' in text
    else:
        assert "a month." not in text.replace("to speak of a month.", "").replace("not a month.", "")
        assert "under 24 hours" in " ".join(text.split())


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_of_a_log_can_move_a_cursor_or_reorder_what_is_read(name: str, report: Report) -> None:
    assert not INVISIBLE.findall(RENDERERS.get(name).render(report).decode("utf-8"))


class _Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(report: Report) -> _Page:
    """The HTML page, parsed."""
    found = _Page()
    found.feed(RENDERERS.get("html").render(report).decode("utf-8"))
    return found


def test_the_page_has_no_script_image_frame_or_form(page: _Page) -> None:
    assert not {"script", "img", "iframe", "object", "embed", "form", "a", "video", "base"} & set(page.tags)


def test_the_page_asks_for_nothing_and_forbids_it(page: _Page) -> None:
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    reached = [value for name, value in page.attributes if name in ("src", "href", "action", "srcset", "data")]
    assert reached == ["data:,"]
    policy = next(value for _, value in page.attributes if value.startswith("default-src"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_hostile_text_is_shown_as_the_text_it_is(page: _Page) -> None:
    text = "".join(page.text)
    assert "<script>document.title='owned'</script><img src=http://evil.example/x.png onerror=alert(1)>" in text
    assert "\\u202egnp.exe" in text
    assert LONG_WORD in text


def test_every_table_of_the_page_has_headers_and_every_chart_a_label(page: _Page) -> None:
    assert page.tags.count("thead") == page.tags.count("table")
    assert ("lang", "en") in page.attributes
    roles = [value for name, value in page.attributes if name == "role"]
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert roles.count("img") <= len(labels)
    assert all(labels)


def test_a_hostile_cell_of_the_workbook_is_text_and_no_formula(report: Report) -> None:
    book = openpyxl.load_workbook(BytesIO(RENDERERS.get("xlsx").render(hostile_start(report))))
    for sheet in book:
        for row in sheet:
            for cell in row:
                assert cell.hyperlink is None
                if cell.data_type == "f":
                    assert re.fullmatch(r"=(SUM|SUMIFS)\(Tasks![^|]*\)|=F\d+-G\d+|=B\d+\*365/30\.4375", str(cell.value))
    assert book["Tasks"]["A2"].value == '=HYPERLINK("http://evil.example")'


def hostile_start(report: Report) -> Report:
    """The first task's name and reason begin as a formula does."""
    first = dataclasses.replace(report.tasks[0], name='=HYPERLINK("http://evil.example")', reason="+cmd|'/c calc'!A1")
    return dataclasses.replace(report, tasks=(first, *report.tasks[1:]))


def test_the_sums_of_the_workbook_come_to_the_totals_of_the_report(report: Report) -> None:
    data = RENDERERS.get("xlsx").render(report)
    formulas, values = openpyxl.load_workbook(BytesIO(data)), openpyxl.load_workbook(BytesIO(data), data_only=True)
    rows = [[cell.value for cell in row] for row in values["Tasks"].iter_rows(min_row=2)]
    now, then = sum(row[5] for row in rows), sum(row[6] for row in rows)
    proven = sum(row[7] for row in rows if row[9] == "yes")
    kept = sum(row[5] for row in rows if row[8] == "no")
    lines = {row[0].value: row[1] for row in values["Summary"].iter_rows() if row[0].value and row[1].value is not None}
    expected = {
        "Bill today": now,
        "Bill after": then,
        "Savings": now - then,
        "of it proven": proven,
        "Stays as it is": kept,
    }
    for label, amount in expected.items():
        cell = lines[label]
        assert cell.value == pytest.approx(amount), label
        assert str(formulas["Summary"][cell.coordinate].value).startswith("=SUM"), label
    assert lines["Savings a year"].value == pytest.approx((now - then) * 365 / 30.4375)


def test_the_sums_of_the_workbook_cover_every_row(report: Report) -> None:
    book = openpyxl.load_workbook(BytesIO(RENDERERS.get("xlsx").render(report)))
    last = book["Tasks"].max_row
    formulas = [str(row[1].value) for row in book["Summary"].iter_rows() if str(row[1].value).startswith("=SUM")]
    assert formulas
    for formula in formulas:
        assert set(re.findall(r"\$[A-Z]\$2:\$[A-Z]\$(\d+)", formula)) == {str(last)}


def test_the_workbook_carries_the_date_of_the_log_and_no_other(report: Report) -> None:
    with zipfile.ZipFile(BytesIO(RENDERERS.get("xlsx").render(report))) as archive:
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"2026-11-20T23:48:02Z"}
    assert str(datetime.now(UTC).date()) not in core


def test_markdown_tables_keep_their_columns_whatever_a_cell_holds(report: Report) -> None:
    text = RENDERERS.get("md").render(report).decode()
    table = [line for line in text.splitlines() if line.startswith("|") and "Task |" in line]
    columns = len(re.findall(r"(?<!\\)\|", table[0]))
    body = text.split(table[0], 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    assert len(body) == len(report.tasks) + 1
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in body} == {columns}


def test_markdown_outside_code_blocks_has_no_foreign_markup(report: Report) -> None:
    text = RENDERERS.get("md").render(report).decode()
    prose = re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "evil.example" in prose
    assert not re.findall(r"(?<!\\)[<\[`]", prose)


def test_a_fence_is_longer_than_any_run_of_backticks_inside(report: Report) -> None:
    text = RENDERERS.get("md").render(report).decode()
    blocks = re.findall(r"^(`{3,})text\n(.*?)\n\1$", text, flags=re.DOTALL | re.MULTILINE)
    assert any("```" in body for _, body in blocks)
    assert all(len(fence) > max(map(len, re.findall("`+", body)), default=0) for fence, body in blocks)


def test_money_in_json_is_a_string_and_the_contract_keys_are_there(report: Report) -> None:
    document: dict[str, Any] = json.loads(RENDERERS.get("json").render(report))
    totals = ["cost_now", "cost_then", "savings", "savings_low", "savings_high", "plausible"]
    assert all(isinstance(document["totals"][f"{name}_usd_month"], str) for name in totals)
    assert isinstance(document["totals"]["audit_cost_usd"], str)
    task_keys = "id name type tier model verdict n agreement agreement_low agreement_high self_agreement margin e_value"
    for task in document["tasks"]:
        assert {*task_keys.split(), "cost_now_usd_month", "cost_then_usd_month", "reason"} <= set(task)
    assert {"schema", "audit_id"} <= set(document)
    names = {task["name"] for task in document["tasks"]}
    assert names == {row.name for row in report.tasks}, "the values are those of the log"


def test_no_line_on_a_terminal_is_wider_than_100_columns(report: Report) -> None:
    text = RENDERERS.get("terminal").render(report).decode()
    assert max(map(len, text.splitlines())) <= 100


def test_a_terminal_sees_colour_only_when_told_to(report: Report) -> None:
    assert b"\x1b[" not in TerminalRenderer().render(report)
    coloured = TerminalRenderer(colour=True).render(report).decode()
    assert "\x1b[32mproven" in coloured
    plain = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines()]
    assert plain == TerminalRenderer().render(report).decode().splitlines()


@pytest.mark.parametrize("name", ["html", "md", "json"])
def test_what_users_read_is_the_golden_file(name: str, report: Report) -> None:
    path: Path = GOLDEN / str(RENDERERS.get(name).file_name)
    data = RENDERERS.get(name).render(report)
    if UPDATE:
        path.write_bytes(data)
    assert path.read_bytes() == data, "if the change is meant: UPDATE_GOLDEN=1 pytest tests/contracts/test_renderers.py"
