"""`tieraudit ingest`: read exported call logs into the database, and print a receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from tieraudit.cli.context import Session, session
from tieraudit.cli.output import print_json, print_text
from tieraudit.cli.receipt import print_receipt
from tieraudit.config import TEMPLATE
from tieraudit.errors import InputError, UsageError
from tieraudit.formats import FORMATS
from tieraudit.pipeline.call_rows import Keep
from tieraudit.pipeline.ingest import IngestOptions, ingest
from tieraudit.pipeline.mapping_start import start_mapping
from tieraudit.pipeline.receipt import Receipt

CONFIG = Path("tieraudit.toml")


def command(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Files, folders, patterns ('logs/*.gz'), - for standard input, s3:// gs:// az:// https:// addresses, "
            "or postgresql://USER@HOST/DB of LiteLLM or Langfuse.",
        ),
    ],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"auto (looks into each file), or one of {', '.join(FORMATS.names())}.",
        ),
    ] = "auto",
    since: Annotated[str | None, typer.Option(metavar="D", help="Only calls from this day or moment (UTC) on.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="D", help="Only calls to the end of this day, or before it.")
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="Read any other log as FILE says, a TOML file of where each field is. If there is no FILE yet, it is "
            "guessed from the first records and written, for you to complete.",
        ),
    ] = None,
    keep: Annotated[
        str,
        typer.Option(
            "--keep-content",
            metavar="none|sample|all",
            help="Whether prompts and answers are stored: of no call, of one in ten, of all. Without them cost and "
            "volume are still audited.",
        ),
    ] = "all",
    invoice: Annotated[
        str | None, typer.Option(metavar="USD", help="What the provider billed for the calls of this run, to compare.")
    ] = None,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact/--no-redact",
            help="Also replace personal data before storing: e-mail and IP addresses, telephone, card and account "
            "numbers, national ids.",
        ),
    ] = False,
) -> None:
    """Read exported LLM call logs: one to four weeks are best, so that each task has enough calls.

    Reads what LiteLLM, Langfuse, OpenTelemetry, LangSmith, Bedrock, Azure, Vertex, Helicone, OpenRouter, Portkey and
    others export, and plain request and response pairs: JSON, CSV or Parquet, plain, .gz or .zst, told by content.
    Any other log is read with --map. Calls whose parts stand in several files (a batch's requests and results) are
    joined, also with files of earlier runs. The provider's own usage and cost reports are read too, to check the
    spend against.

    Writes the calls to the database (--db), each once: reading the same file again changes nothing. Rows that cannot
    be read are kept in quarantine with file, line and reason. Keys, tokens and passwords in prompts and answers are
    replaced before anything is stored. Nothing leaves this machine. On the first run a tieraudit.toml with every
    setting and its default is written to the current folder.

    The receipt says what became of every row, what the calls cost, and what is missing to replay them. When a file
    is no log at all, the others are read and the exit code is 3.

    Next: tieraudit classify

    Example: tieraudit ingest logs/ --since 2026-11-01
    """
    run = session(context)
    if mapping is not None and not mapping.exists():
        print_text(start_mapping(paths, mapping))
        run.diagnostics.say(f"wrote {mapping}: check it, complete it, and run the same command again")
        return
    options = IngestOptions(
        format_name,
        _moment(since, "--since"),
        _moment(until, "--until", end=True),
        redact,
        mapping,
        _keep(keep),
        _usd(invoice),
    )
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
        print_receipt(receipt)
    if receipt.failed:
        raise _failure(receipt)


def _keep(value: str) -> Keep:
    for known in get_args(Keep):
        if value == known:
            return cast(Keep, known)
    raise UsageError(f"--keep-content: unknown '{value}'", hint="none, sample or all")


def _usd(value: str | None) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Decimal(value.replace(",", "").lstrip("$"))
    except InvalidOperation as error:
        raise UsageError(f"--invoice: not an amount: '{value}'", hint="12345.67, in US dollars") from error
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"--invoice: not an amount: '{value}'", hint="12345.67, in US dollars")
    return amount


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
