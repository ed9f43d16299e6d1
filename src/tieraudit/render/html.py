"""The report as one self-contained HTML page: no script, no request, readable in light, dark, print and on a phone."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tieraudit.render import charts, story, words
from tieraudit.render.hostile import visible
from tieraudit.render.report import Report


def _harmless(value: Any) -> Any:
    """Every expression of every template passes here before it is escaped, so no text can be forgotten."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tieraudit.render", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.globals.update(
        agreement_chart=charts.agreement_chart,
        agreement_interval=words.agreement_interval,
        bet=words.bet,
        bet_words=words.bet_words,
        failed_words=words.failed_words,
        ms=words.milliseconds,
        percent=words.percent,
        points=words.points,
        recogniser_words=words.recogniser_words,
        scorers=words.scorers,
        task_name=words.task_name,
        verdict_word=words.verdict_word,
        wealth_chart=charts.wealth_chart,
    )
    return environment


class HtmlRenderer:
    """One page for a browser and for paper; its own content policy forbids scripts and requests."""

    name = "html"
    file_name = "report.html"

    def render(self, report: Report) -> bytes:
        """UTF-8 bytes of the page."""
        page = _environment().get_template("report.html")
        text = page.render(
            report=report,
            usd=words.usd_of(report),
            per=words.per(report),
            headline=story.headline(report),
            cards=story.cards(report),
            bill=charts.bill_chart(report),
            kept=story.kept_groups(report),
            scope=story.scope_facts(report),
            audit_cost=story.audit_cost_words(report),
            checks=story.check_facts(report),
            window=f"{words.day(report.scope.first_call)} to {words.day(report.scope.last_call)}",
        )
        return text.encode("utf-8")
