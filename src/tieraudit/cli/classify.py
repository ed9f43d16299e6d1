"""`tieraudit classify`: find the tasks in the log, and read or edit them."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer

from tieraudit.cli.context import Session, session
from tieraudit.cli.output import print_json, print_table, print_text
from tieraudit.domain import Recogniser, Task
from tieraudit.errors import UsageError
from tieraudit.pipeline.classify import classify
from tieraudit.pipeline.task_book import (
    SURE,
    Classification,
    TaskSheet,
    best_recogniser,
    compare_with_labels,
    merge_tasks,
    pin_task,
    read_tasks,
    rename_task,
    show_task,
    write_assignments,
)
from tieraudit.store import Store

WIDTH = 100
TEMPLATE_LINES = 40


def command(
    context: typer.Context,
    list_: Annotated[bool, typer.Option("--list", help="The table of tasks as it stands; finds nothing anew.")] = False,
    show: Annotated[
        str | None, typer.Option(metavar="TASK", help="One task: its template, examples, shape, recognisers, numbers.")
    ] = None,
    rename: Annotated[
        tuple[str, str] | None, typer.Option(metavar="TASK NAME", help="Give a task a name that stays.")
    ] = None,
    merge: Annotated[
        tuple[str, str] | None, typer.Option(metavar="TASK TASK", help="The first task is part of the second one.")
    ] = None,
    pin: Annotated[
        tuple[str, str] | None, typer.Option(metavar="TASK TIER", help="Fix a task's tier, whatever the evidence.")
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="With --pin: why.")] = "pinned by the user",
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV source_id,task of known tasks: prints the agreement.")
    ] = None,
    assignments: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write source_id,call_id,task_id as .csv or .parquet.")
    ] = None,
) -> None:
    """Find the recurring tasks in the calls, name them and type them.

    Reads the calls that `tieraudit ingest` stored; writes the tasks and which call belongs to which. A task is a group
    of calls with the same prompt template, tools and output schema: the unit that is later proven on a cheaper model
    and routed. Running it again, also after more logs, keeps the ids, names, merges and pins of tasks that still exist.

    TASK is an id such as t-1f2e3d4c or a name, in quotes when it has blanks.

    Types, priors and stakes are guesses from the template; they order the work and never decide. Calls that belong to
    no task are the tail: they stay on the incumbent.

    Next: `tieraudit replay --dry-run` says what proving them would cost.

    Example: tieraudit classify --pin "Review contract clauses" frontier --reason "cost of error"
    """
    run = session(context)
    changes = [option for option in (rename, merge, pin) if option is not None]
    if len(changes) + (show is not None) > 1:
        raise UsageError("--show, --rename, --merge and --pin go one at a time", hint="run the command once for each")
    with run.store() as store:
        if show is not None:
            _show(run, show_task(store, show))
            return
        _edit(run, store, rename, merge, pin, reason)
        if merge is not None or not (list_ or changes or labels or assignments):
            found = classify(store, run.config(), run.diagnostics)
            run.diagnostics.finish()
        else:
            found = read_tasks(store)
        _print(run, store, found, labels, assignments, quiet=rename is not None or pin is not None)


def _edit(
    run: Session,
    store: Store,
    rename: tuple[str, str] | None,
    merge: tuple[str, str] | None,
    pin: tuple[str, str] | None,
    reason: str,
) -> None:
    if rename is not None:
        task = rename_task(store, *rename)
        run.diagnostics.say(f"{task.task_id} is now called '{task.name}'")
    if merge is not None:
        one, other = merge_tasks(store, *merge)
        run.diagnostics.say(f"'{one.name}' is now part of '{other.name}'")
    if pin is not None:
        task = pin_task(store, run.config(), *pin, reason=reason)
        run.diagnostics.say(f"'{task.name}' stays on {pin[1]}: {reason}")


def _print(
    run: Session,
    store: Store,
    found: Classification,
    labels: Path | None,
    assignments: Path | None,
    *,
    quiet: bool,
) -> None:
    result = _as_json(found)
    if labels is not None:
        compared, unknown = compare_with_labels(store, labels)
        result["agreement"] = {
            "calls": compared.calls,
            "unknown_calls": unknown,
            "v_measure": compared.v_measure,
            "homogeneity": compared.homogeneity,
            "completeness": compared.completeness,
            "adjusted_rand": compared.adjusted_rand,
        }
    if assignments is not None:
        run.diagnostics.say(f"{write_assignments(store, assignments):,} calls written to {assignments}")
    if run.json:
        print_json(result)
        return
    if labels is None and assignments is None and not quiet:
        _table(found)
    if labels is not None:
        print_text(
            f"{compared.calls:,} calls with a known task: V-measure {compared.v_measure:.3f} (homogeneity "
            f"{compared.homogeneity:.3f}, completeness {compared.completeness:.3f}), ARI {compared.adjusted_rand:.3f}"
        )
        if unknown:
            run.diagnostics.say(f"{unknown:,} calls of {labels} are not in the log")


def _table(found: Classification) -> None:
    rows = [
        [
            task.task_id,
            task.name,
            f"{task.calls / found.calls:.1%}",
            "-" if task.spend_usd is None else f"${task.spend_usd:,.2f}",
            f"{found.share_of_spend(task):.1%}",
            "-" if task.is_tail else str(task.type),
            "-" if task.is_tail else task.prior,
            _flags(found, task),
            _recogniser(best_recogniser(task)),
        ]
        for task in found.tasks
    ]
    columns = ["id", "task", "calls", "spend", "share", "type", "prior", "stakes", "known by"]
    print_table(columns, rows, right=("calls", "spend", "share"))
    tail = f", {found.tail_calls:,} of them in no task" if found.tail_calls else ""
    print_text(f"\n{found.calls:,} calls in {sum(not task.is_tail for task in found.tasks)} tasks{tail}")


def _flags(found: Classification, task: Task) -> str:
    pin = found.pins.get(task.task_id)
    parts = [task.stakes or "", "mixed" if task.mixed and not task.is_tail else "", f"pin {pin.tier}" if pin else ""]
    return ", ".join(part for part in parts if part)


def _recogniser(rule: Recogniser) -> str:
    if rule.kind == "none":
        return "-"
    known = min(rule.precision or 0, rule.recall or 0)
    name = rule.kind.removeprefix("system_").replace("_", " ")
    return name if known >= SURE else f"{name} {rule.precision or 0:.0%}/{rule.recall or 0:.0%}"


def _show(run: Session, sheet: TaskSheet) -> None:
    if run.json:
        print_json(_sheet_as_json(sheet))
        return
    task, numbers = sheet.task, sheet.numbers
    print_text(f"{task.name}  ({task.task_id})")
    stakes = f", stakes: {task.stakes} (because of '{task.stakes_because}')" if task.stakes else ""
    print_text(f"{task.type} (confidence {task.type_confidence:.0%}), prior: {task.prior}{stakes}")
    if sheet.pin is not None:
        print_text(f"pinned to {sheet.pin.tier}: {sheet.pin.reason}")
    spend = "unpriced" if task.spend_usd is None else f"${task.spend_usd:,.2f}"
    print_text(f"{task.calls:,} calls, {spend}, {numbers['errors']:,} errors; answers: {task.output_shape}")
    for label, key, unit in (
        ("input", "input_tokens", "tokens"),
        ("output", "output_tokens", "tokens"),
        ("latency", "latency_ms", "ms"),
    ):
        if numbers[key] is not None:
            print_text(f"{label}: median {numbers[key]:,.0f}, 95 % below {numbers[f'{key}_p95']:,.0f} {unit}")
    print_text("\nTemplate (what varies is marked «…»):")
    lines = [part for line in sheet.template.splitlines() for part in wrap(line, WIDTH - 4) or [""]] or ["(none)"]
    print_text("\n".join(f"  {line}" for line in lines[:TEMPLATE_LINES]))
    if len(lines) > TEMPLATE_LINES:
        print_text(f"  ... {len(lines) - TEMPLATE_LINES} more lines")
    print_text("\nExamples:")
    for example in sheet.examples:
        print_text(f"  < {_one_line(example.asked)}\n  > {_one_line(example.answered)}")
    print_text("\nA router knows it by:")
    for rule in task.recognisers:
        print_text(f"  {_rule(rule)}")


def _rule(rule: Recogniser) -> str:
    if rule.kind == "none":
        return "nothing in the request: the caller must send a tag"
    shown = ", ".join(map(str, rule.value)) if isinstance(rule.value, list) else str(rule.value)
    return f"{rule.kind} (precision {rule.precision:.1%}, recall {rule.recall:.1%}): {_one_line(shown)}"


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= WIDTH - 4 else f"{flat[: WIDTH - 7]}..."


def _as_json(found: Classification) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "tail_calls": found.tail_calls,
        "tasks": [_task_as_json(found, task) for task in found.tasks],
    }


def _task_as_json(found: Classification, task: Task) -> dict[str, Any]:
    best = best_recogniser(task)
    pin = found.pins.get(task.task_id)
    return {
        "id": task.task_id,
        "name": task.name,
        "type": str(task.type),
        "type_confidence": task.type_confidence,
        "prior": task.prior,
        "stakes": task.stakes,
        "stakes_because": task.stakes_because,
        "calls": task.calls,
        "spend_usd": task.spend_usd,
        "share_of_spend": round(found.share_of_spend(task), 6),
        "mixed": task.mixed,
        "is_tail": task.is_tail,
        "output_shape": task.output_shape,
        "pin": {"tier": pin.tier, "reason": pin.reason} if pin else None,
        "recogniser": {"kind": best.kind, "precision": best.precision, "recall": best.recall},
    }


def _sheet_as_json(sheet: TaskSheet) -> dict[str, Any]:
    task = sheet.task
    return {
        "id": task.task_id,
        "name": task.name,
        "type": str(task.type),
        "type_confidence": task.type_confidence,
        "prior": task.prior,
        "stakes": task.stakes,
        "stakes_because": task.stakes_because,
        "calls": task.calls,
        "spend_usd": task.spend_usd,
        "mixed": task.mixed,
        "output_shape": task.output_shape,
        "template": sheet.template,
        "pin": {"tier": sheet.pin.tier, "reason": sheet.pin.reason} if sheet.pin else None,
        "numbers": sheet.numbers,
        "recognisers": [
            {"kind": rule.kind, "value": rule.value, "precision": rule.precision, "recall": rule.recall}
            for rule in task.recognisers
        ],
        "examples": [
            {"source_id": one.source_id, "asked": one.asked, "answered": one.answered} for one in sheet.examples
        ],
    }
