"""`tieraudit status`: how far the work has come, and what to run next."""

from __future__ import annotations

import shlex
from dataclasses import asdict

import typer

from tieraudit.cli.context import DEFAULT_DB, Session, session
from tieraudit.cli.output import print_json, print_table, print_text
from tieraudit.pipeline.status import NOTHING, Status, status


def command(context: typer.Context) -> None:
    """Say what is in the database, what is missing, and which command comes next.

    Reads the database and changes nothing; without one it says how to begin. Exit 0 in either case.

    Example: tieraudit status --db audit.duckdb
    """
    current = session(context)
    found = _status(current)
    if current.json:
        print_json(asdict(found))
        return
    marks = {True: "done", False: "-"}
    print_table(("step", "", "what there is"), [[step.name, marks[step.done], step.detail] for step in found.steps])
    print_text(f"next: {found.next}")


def _status(current: Session) -> Status:
    if not current.db.exists():
        found = NOTHING
    else:
        with current.store() as store:
            found = status(store)
    if current.db == DEFAULT_DB:
        return found
    return Status(found.steps, found.next.replace("tieraudit ", f"tieraudit --db {shlex.quote(str(current.db))} "))
