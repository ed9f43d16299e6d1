"""`tieraudit ingest`: read exported call logs into the database, and print a receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import TextWrapper
from typing import Annotated

import typer

from tieraudit.cli.context import Session, session
from tieraudit.cli.output import print_json, print_table, print_text
from tieraudit.config import TEMPLATE
from tieraudit.errors import InputError, UsageError
from tieraudit.pipeline.ingest import IngestOptions, ingest
from tieraudit.pipeline.receipt import Receipt

WIDTH = 100
MODELS = 15
REASONS = 12
CONFIG = Path("tieraudit.toml")


def command(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Log files, or folders of them.")],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="auto (looks into each file), litellm, litellm-spend, langfuse-trace or openai-pairs.",
        ),
    ] = "auto",
    since: Annotated[str | None, typer.Option(metavar="D", help="Only calls from this day or moment (UTC) on.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="D", help="Only calls to the end of this day, or before it.")
    ] = None,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact/--no-redact",
            help="Replace e-mail addresses, telephone, card and account numbers and IPv4 addresses before storing.",
        ),
    ] = False,
) -> None:
    """Read exported LLM call logs: one to four weeks are best, so that each task has enough calls.

    Reads JSON lines, JSON arrays and JSON documents, plain or .gz, in four formats: OpenAI request and response pairs,
    LiteLLM StandardLoggingPayload and SpendLogs, and Langfuse trace downloads. In a folder, files that end in .json
    .jsonl .ndjson .gz are read.

    Writes the calls to the database (--db), each once: reading the same file again changes nothing. Rows that cannot
    be read are kept in quarantine with file, line and reason. Keys, tokens and passwords in prompts and answers are
    replaced before anything is stored. Nothing leaves this machine. On the first run a tieraudit.toml with every
    setting and its default is written to the current folder.

    The receipt says what became of every row, what the calls cost, and what is missing to replay them.

    Next: tieraudit classify

    Example: tieraudit ingest logs/ --since 2026-11-01
    """
    run = session(context)
    options = IngestOptions(format_name, _moment(since, "--since"), _moment(until, "--until", end=True), redact)
    fresh = not run.db.exists()
    try:
        with run.diagnostics as progress, run.store(create=True) as store:
            receipt = ingest(store, paths, options, progress=progress)
    except InputError:
        # Nothing was read, so nothing is kept: an empty database would only make the next command say something odd.
        if fresh:
            run.db.unlink(missing_ok=True)
        raise
    _write_config(run)
    if run.json:
        print_json(receipt.to_json())
    else:
        _print(receipt)
    if receipt.failed:
        raise _failure(receipt)


def _moment(value: str | None, option: str, *, end: bool = False) -> datetime | None:
    """A day or a moment, UTC unless it names a zone; as an end, a day means all of it."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"{option}: not a date: '{value}'", hint="2026-11-01 or 2026-11-01T08:00") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment + timedelta(days=1) if end and len(value) == 10 else moment


def _write_config(run: Session) -> None:
    if run.config_path is not None or CONFIG.exists():
        return
    try:
        CONFIG.write_text(TEMPLATE, encoding="utf-8")
    except OSError as error:
        run.diagnostics.say(f"{CONFIG} was not written ({error.strerror}); the defaults hold")
        return
    run.diagnostics.say(f"wrote {CONFIG}: every setting with its default; edit the tiers before `tieraudit replay`")


def _failure(receipt: Receipt) -> InputError:
    """The first file that failed, with how many more did; what the others held is stored."""
    first, *more = receipt.failed
    others = f" (and {len(more)} more, listed above)" if more else ""
    return InputError(f"{first.message}{others}", hint=first.hint)


def _print(receipt: Receipt) -> None:
    _print_rows(receipt)
    if receipt.by_model:
        print_text("")
        _print_models(receipt)
    _print_missing(receipt)
    _print_quarantine(receipt)
    for title, lines in (
        ("skipped, not a log by its name:", receipt.skipped),
        ("failed:", [error.message for error in receipt.failed] if len(receipt.failed) > 1 else []),
    ):
        if lines:
            print_text("\n".join(["", title, *(f"  {line}" for line in lines[:REASONS])]))
            if len(lines) > REASONS:
                print_text(f"  and {len(lines) - REASONS} more")


def _print_rows(receipt: Receipt) -> None:
    files = f"{len(receipt.files)} file{'s' if len(receipt.files) != 1 else ''}"
    print_text(
        f"{files}, {receipt.rows_read:,} rows: {receipt.rows_kept:,} new calls,"
        f" {receipt.rows_duplicate:,} already known, {receipt.rows_quarantined:,} in quarantine"
    )
    if receipt.nothing_new:
        print_text("nothing new: every call was in the database before")
    if receipt.filled:
        print_text(f"{receipt.filled:,} known without their content got it from this export")
    if receipt.rows_outside:
        print_text(f"{receipt.rows_outside:,} calls lie outside --since and --until and were left out")
    if receipt.first_call and receipt.last_call:
        print_text(f"from {receipt.first_call:%Y-%m-%d %H:%M} to {receipt.last_call:%Y-%m-%d %H:%M} UTC")
    if receipt.found:
        found = ", ".join(f"{count:,} {kind.replace(':', ' ')}" for kind, count in receipt.found.items())
        _wrapped(f"replaced before storing: {found}")


def _print_models(receipt: Receipt) -> None:
    rows = [
        (
            line.provider or "-",
            line.model or "-",
            f"{line.calls:,}",
            "-" if line.logged_cost_usd is None else f"{line.logged_cost_usd:,.4f}",
            "-" if line.computed_cost_usd is None else f"{line.computed_cost_usd:,.4f}",
        )
        for line in receipt.by_model[:MODELS]
    ]
    columns = ("provider", "model", "calls", "logged USD", "computed USD")
    print_table(columns, rows, right=("calls", "logged USD", "computed USD"))
    if len(receipt.by_model) > MODELS:
        print_text(f"and {len(receipt.by_model) - MODELS} more models")
    if receipt.unpriced_calls:
        without = sum(line.without_tokens for line in receipt.unpriced)
        names = dict.fromkeys(line.model or "-" for line in receipt.unpriced if line.calls > line.without_tokens)
        causes = [f"{without:,} have no token counts"] if without else []
        causes += [f"no price is known for {', '.join(names)}"] if names else []
        print_text("")
        _wrapped(f"without a cost: {receipt.unpriced_calls:,} calls ({'; '.join(causes)})")


def _print_missing(receipt: Receipt) -> None:
    if receipt.content_share is None:
        return
    print_text("")
    print_text(f"{receipt.content_share:.1%} of the conversations hold prompt and answer, so they can be replayed")
    for item in receipt.missing:
        _wrapped(f"{item.calls:,}: {item.cause}", indent=2)
        _wrapped(f"-> {item.cure}", indent=4)


def _print_quarantine(receipt: Receipt) -> None:
    if not receipt.quarantine:
        return
    print_text("\nin quarantine:")
    for item in receipt.quarantine[:REASONS]:
        _wrapped(f"{item.count:,}  {item.reason} (first: {item.example})", indent=2)
    if len(receipt.quarantine) > REASONS:
        print_text(f"  and {len(receipt.quarantine) - REASONS} more reasons")


def _wrapped(text: str, *, indent: int = 0) -> None:
    """``text`` over as many lines as it needs; a path is never broken."""
    pad = " " * indent
    filler = TextWrapper(WIDTH, initial_indent=pad, subsequent_indent=f"{pad}  ")
    filler.break_long_words = filler.break_on_hyphens = False
    print_text(filler.fill(text))
