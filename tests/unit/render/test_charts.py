"""The geometry of the charts: inside the frame, on one scale, true to the numbers."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from tests.fixtures.report import example_report

from tieraudit.render import charts
from tieraudit.render.report import Interval, Report, WealthPath


@pytest.fixture(scope="module")
def report() -> Report:
    """The example."""
    return example_report()


def points(text: str) -> list[tuple[float, float]]:
    """SVG points as numbers."""
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


def test_both_bars_share_one_scale(report: Report) -> None:
    chart = charts.bill_chart(report)
    assert chart.today_end == 100
    assert chart.after_end == pytest.approx(100 * 11071.25 / 20518.40, abs=0.01)
    assert chart.today[-1].x + chart.today[-1].width == pytest.approx(chart.today_end, abs=0.05)
    assert chart.after[-1].x + chart.after[-1].width == pytest.approx(chart.after_end, abs=0.05)
    assert chart.low is not None
    assert chart.high is not None
    assert chart.low < chart.after_end < chart.high


def test_a_dearer_after_stays_inside_the_frame(report: Report) -> None:
    totals = dataclasses.replace(report.totals, cost_then=Interval(Decimal(30000), Decimal(29000), Decimal(31000)))
    chart = charts.bill_chart(dataclasses.replace(report, totals=totals))
    assert chart.high == 100
    assert chart.today_end < chart.after_end


def test_the_wealth_curve_starts_at_a_dollar_and_crosses_the_threshold_when_proven(report: Report) -> None:
    found = report.tasks[0].evidence[0]
    chart = charts.wealth_chart(found)
    assert chart is not None
    assert [line.gate for line in chart.lines] == ["agreement", "macro"]
    for line in chart.lines:
        curve = points(line.points)
        assert curve[0] == (0.0, chart.start)
        assert curve[-1][0] == 100
        assert curve[-1][1] < chart.threshold, "higher is a smaller y"
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in curve)


def test_a_long_curve_is_thinned_and_keeps_both_ends(report: Report) -> None:
    long = WealthPath("agreement", tuple(1.001**turn for turn in range(5000)))
    chart = charts.wealth_chart(dataclasses.replace(report.tasks[0].evidence[0], wealth=(long,)))
    assert chart is not None
    curve = points(chart.lines[0].points)
    assert len(curve) <= charts.MOST_POINTS + 1
    assert (curve[0][0], curve[-1][0]) == (0, 100)


@pytest.mark.parametrize("last", [1e-30, 1e300])
def test_extreme_evidence_stays_in_the_frame(report: Report, last: float) -> None:
    found = dataclasses.replace(report.tasks[0].evidence[0], wealth=(WealthPath("agreement", (1.0, last)),))
    chart = charts.wealth_chart(found)
    assert chart is not None
    assert all(0 <= y <= 100 for _, y in points(chart.lines[0].points))
    assert len(chart.ticks) <= 10


def test_no_replays_no_curve(report: Report) -> None:
    found = dataclasses.replace(report.tasks[0].evidence[0], wealth=())
    assert charts.wealth_chart(found) is None
    assert charts.agreement_chart([dataclasses.replace(found, agreement=None)]) is None


def test_agreement_marks_lie_between_their_bounds(report: Report) -> None:
    for row in report.tasks:
        chart = charts.agreement_chart(row.evidence)
        for mark in chart.marks if chart else ():
            assert 0 <= mark.low <= mark.at <= mark.high <= 100
