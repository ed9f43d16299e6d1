"""What a report tells, in the order a CFO reads it, as plain sentences: every renderer draws these same ones."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tieraudit.domain import VerdictKind
from tieraudit.render.report import Period, Report, TaskRow, TierTotal
from tieraudit.render.words import audit_usd, day, per, percent, plural, rate, usd_of, verdict_word

HOURS_PER_MONTH = Decimal("730.5")


@dataclass(frozen=True, slots=True)
class Headline:
    """The first screen: what is saved, how sure that is, and what a reader must know before believing it."""

    title: str
    detail: str
    promise: str
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One of the three numbers: proven, plausible, kept."""

    key: str
    label: str
    amount: str
    text: str


@dataclass(frozen=True, slots=True)
class BillPart:
    """A part of the bill that shares a fate, today and after; ``key`` names its colour."""

    key: str
    label: str
    tasks: int
    now_usd: Decimal
    then_usd: Decimal


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """Tasks that stay for the same kind of reason."""

    key: str
    label: str
    why: str
    usd: Decimal
    tasks: tuple[TaskRow, ...]


KEPT = (
    ("refuted", "Refuted", "A cheaper model was tried and is not as good."),
    ("undecided", "Undecided", "Tested, and the replays so far do not decide. Until they do, nothing moves."),
    ("pinned", "Pinned", "Your own rule keeps them, whatever the evidence."),
    ("not auditable", "Not auditable", "Agreement cannot be measured here."),
    ("not tested", "Not tested", "No replay was made; the reason stands beside each."),
)


def headline(report: Report) -> Headline:
    """The headline with its interval, its error rate in plain words, and the notices that qualify it."""
    usd, totals = usd_of(report), report.totals
    moving = [row for row in report.tasks if row.moves]
    known = sum(not row.is_tail for row in report.tasks)
    if not moving:
        title = f"Nothing moves yet: the bill stays at {usd(totals.cost_now.value)} {per(report)}."
        tested = sum(row.tested for row in report.tasks)
        detail = f"{tested} of {plural(known, 'task')} were tested, and none was proven on a cheaper model."
        return Headline(title, detail, promise(report), notices(report))
    saved = totals.savings
    verb, amount = ("saves", saved.value) if saved.value >= 0 else ("costs", -saved.value)
    more = "" if saved.value >= 0 else " more"
    models = "a cheaper model" if len({row.model for row in moving}) == 1 else "cheaper models"
    title = f"Moving {len(moving)} of {plural(known, 'task')} to {models} {verb} {usd(amount)}{more} {per(report)}."
    share = float(saved.value / totals.cost_now.value) if totals.cost_now.value else 0.0
    detail = f"That is {percent(share, 0)} of today's {usd(totals.cost_now.value)} bill."
    if bounds := usd.interval(saved):
        detail += f" 95% interval: {bounds} {per(report)}."
    if totals.savings_year:
        detail += f" Over a year: {usd(totals.savings_year.value)}"
        yearly = usd.interval(totals.savings_year)
        detail += f" ({yearly})." if yearly else "."
    return Headline(title, detail, promise(report), notices(report))


def promise(report: Report) -> str:
    """The error rate in plain words."""
    level = rate(report.dollar_fdr)
    if not any(row.proven for row in report.tasks):
        return f"A task moves only on proof, at a stated error rate of {level} of the moved spend; the rest stays put."
    return (
        f"How sure is this? Averaged over audits like this one, at most {level} of the spend that we call proven is "
        "moved wrongly, to a model worse than you allowed. What is not proven stays where it is."
    )


def notices(report: Report) -> tuple[str, ...]:
    """What must be read together with the headline."""
    usd, totals = usd_of(report), report.totals
    found = []
    if not report.finished:
        found.append(
            "This audit has not ended: what is undecided may still be proven or refuted. "
            "Run tieraudit replay to continue it."
        )
    if report.period is Period.WINDOW:
        found.append(
            "The log spans under 24 hours, too little to speak of a month. Amounts are what this log cost; "
            "ingest at least one whole week for a monthly figure."
        )
    pinned = [row for row in report.tasks if row.moves and not row.proven]
    if pinned:
        found.append(
            f"{usd(totals.pinned_usd)} {per(report)} of the savings rests on your own pins "
            f"({plural(len(pinned), 'task')}), not on proof."
        )
    if report.period is Period.MONTH:
        found += [words for tier in report.tiers if (words := dedicated_words(report, tier))]
    return tuple(found)


def dedicated_words(report: Report, tier: TierTotal) -> str:
    """What changes when a GPU is rented for this alone; empty where use already fills one or nothing moves there."""
    if tier.dedicated_usd_month is None or not tier.calls_then or tier.dedicated_usd_month <= tier.cost_then_usd:
        return ""
    usd = usd_of(report)
    left = report.totals.savings.value - (tier.dedicated_usd_month - tier.cost_then_usd)
    outcome = f"{usd(left)} a month would be saved" if left > 0 else f"the moves would cost {usd(-left)} a month more"
    return (
        f"Tier {tier.tier} is counted by the GPU time it uses, {usd(tier.cost_then_usd)} a month. A GPU rented around "
        f"the clock for this alone costs {usd(tier.dedicated_usd_month)} a month; then {outcome}."
    )


def cards(report: Report) -> tuple[Card, Card, Card]:
    """Proven, plausible, kept."""
    usd, totals = usd_of(report), report.totals
    proven = sum(row.proven for row in report.tasks)
    open_tasks = sum(bool(row.plausible_usd) for row in report.tasks)
    kept = sum(not row.moves and not row.is_tail for row in report.tasks)
    return (
        Card(
            "proven",
            "Proven savings",
            usd(totals.proven_usd),
            f"{per(report)}. {plural(proven, 'task does', 'tasks do')} as well on a cheaper model."
            if proven
            else f"{per(report)}. No task has been proven on a cheaper model.",
        ),
        Card(
            "plausible",
            "Plausible on top",
            usd(totals.plausible_usd),
            f"{per(report)}. {plural(open_tasks, 'undecided task')}: the savings times the chance that it is good "
            "enough. Not in any total."
            if open_tasks
            else f"{per(report)}. No tested task is still open.",
        ),
        Card(
            "kept",
            "Stays as it is",
            usd(totals.kept_usd),
            f"{per(report)} of spend. {plural(kept, 'task stays', 'tasks stay')} on {report.incumbent_tier}; "
            "the reasons are below.",
        ),
    )


def bill_parts(report: Report) -> tuple[BillPart, ...]:
    """The bill split by fate: what stays, what is open, and what moves to each cheaper tier."""
    totals = report.totals
    open_tasks = sum(not row.moves and verdict_word(row) == "undecided" for row in report.tasks)
    stays = sum(not row.moves for row in report.tasks) - open_tasks
    kept = totals.kept_usd - totals.undecided_usd
    parts = [
        BillPart("kept", f"Stays on {report.incumbent_tier}", stays, kept, kept),
        BillPart("open", "Undecided, stays for now", open_tasks, totals.undecided_usd, totals.undecided_usd),
    ]
    for place, tier in enumerate(tier for tier in report.tiers if tier.tier != report.incumbent_tier):
        rows = [row for row in report.tasks if row.moves and row.tier == tier.tier]
        if rows:
            now = sum((row.cost_now_usd for row in rows), Decimal(0))
            then = sum((row.cost_then_usd for row in rows), Decimal(0))
            parts.append(BillPart(f"tier{min(place, 2)}", f"Moves to {tier.tier}", len(rows), now, then))
    return tuple(part for part in parts if part.now_usd or part.tasks)


def kept_groups(report: Report) -> tuple[KeptGroup, ...]:
    """What stays and why, the largest group first; calls outside any task come last."""
    groups = []
    for key, label, why in KEPT:
        rows = tuple(row for row in report.tasks if not row.moves and _kept_key(row) == key)
        if rows:
            groups.append(KeptGroup(key, label, why, sum((row.cost_now_usd for row in rows), Decimal(0)), rows))
    groups.sort(key=lambda group: -group.usd)
    if report.scope.outside_calls:
        why = f"{plural(report.scope.outside_calls, 'call')} such as embeddings, which no task covers."
        groups.append(KeptGroup("outside", "Outside any task", why, report.totals.outside_usd, ()))
    return tuple(groups)


def _kept_key(row: TaskRow) -> str:
    return "refuted" if row.verdict is VerdictKind.PROVEN else verdict_word(row)


def scope_facts(report: Report) -> tuple[tuple[str, str], ...]:
    """What was audited and what was left out, as label and value."""
    scope = report.scope
    dates = f"{day(scope.first_call)} to {day(scope.last_call)}, {plural(scope.days, 'day')} (UTC)"
    logged = "the logged answers" if report.baseline == "logged" else "the logged answers and reruns of the incumbent"
    return (
        ("Window", dates),
        ("Calls", f"{scope.calls:,}, in {plural(scope.tasks, 'task')}"),
        ("Failed calls", f"{scope.failed_calls:,}, counted at the cost that the log gives them"),
        ("Unpriced calls", f"{scope.unpriced_calls:,}, in no amount of this report"),
        ("Quarantined rows", f"{scope.quarantined_rows:,} could not be read"),
        ("Duplicate rows", f"{scope.duplicate_rows:,} dropped"),
        ("Prompt and answer in the log", f"{percent(scope.content_share)} of calls"),
        ("Calls like no other", f"{scope.tail_calls:,}, in no task of their own"),
        ("Outside any task", f"{scope.outside_calls:,} calls"),
        ("Replays", f"{report.cases:,} cases drawn, {report.replies:,} replies used, compared with {logged}"),
    )


def audit_cost_words(report: Report) -> str:
    """What the audit cost and how soon the savings pay it back."""
    totals = report.totals
    text = f"The replies that this audit used cost {audit_usd(totals.audit_cost_usd)}."
    if totals.audit_unpriced_replies:
        count = plural(totals.audit_unpriced_replies, "reply", "replies")
        text += f" {count} came without a price, from a model on own hardware or unknown to the price list."
    if report.period is Period.MONTH and totals.audit_cost_usd and totals.savings.value > 0:
        hours = totals.audit_cost_usd / totals.savings.value * HOURS_PER_MONTH
        text += f" The savings pay that back in {_span(hours)}."
    return text


def _span(hours: Decimal) -> str:
    if hours < 1:
        return "under an hour"
    if hours < 48:
        return plural(round(hours), "hour")
    return plural(round(hours / 24), "day")


def check_facts(report: Report) -> tuple[tuple[str, str], ...]:
    """What a sceptic needs to repeat the audit, as label and value."""
    return (
        ("Audit", report.audit_id),
        ("Seed", str(report.seed)),
        ("Version", f"tieraudit {report.version}"),
        ("This report again, byte for byte", "tieraudit report --format html,xlsx,md,json"),
        (f"The audit again (seed = {report.seed} in tieraudit.toml)", f"tieraudit replay --baseline {report.baseline}"),
    )
