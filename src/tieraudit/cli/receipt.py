"""The receipt of an ingest as text: what became of every row, what it cost, and what is missing."""

from __future__ import annotations

from decimal import Decimal
from textwrap import TextWrapper

from tieraudit.cli.output import print_table, print_text
from tieraudit.pipeline.receipt import Receipt

WIDTH = 100
MODELS = 15
REASONS = 12
TOO_FAR = 0.01


def print_receipt(receipt: Receipt) -> None:
    """The whole receipt as text."""
    _print_rows(receipt)
    if receipt.by_model:
        print_text("")
        _print_models(receipt)
    _print_differences(receipt)
    _print_bills(receipt)
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
        + (f", {receipt.rows_parts:,} parts of calls, feedback or billed sums" if receipt.rows_parts else "")
    )
    if receipt.nothing_new:
        print_text("nothing new: every call was in the database before")
    if receipt.filled:
        print_text(f"{receipt.filled:,} known without their content got it from this export")
    if receipt.rows_outside:
        print_text(f"{receipt.rows_outside:,} calls lie outside --since and --until and were left out")
    if receipt.first_call and receipt.last_call:
        print_text(f"from {receipt.first_call:%Y-%m-%d %H:%M} to {receipt.last_call:%Y-%m-%d %H:%M} UTC")
        _print_gaps(receipt)
    if receipt.retried:
        print_text(f"{receipt.retried:,} failed calls were tried again: kept, linked by their trace, counted once")
    if receipt.feedback:
        print_text(f"{receipt.feedback:,} ratings and scores of calls")
    if receipt.found:
        found = ", ".join(f"{count:,} {kind.replace(':', ' ')}" for kind, count in receipt.found.items())
        _wrapped(f"replaced before storing: {found}")


def _print_gaps(receipt: Receipt) -> None:
    """Nights are gaps too; the longest ones tell whether a day is missing from the export."""
    if receipt.hours_without_calls:
        longest = "; ".join(f"{gap.hours} h from {gap.gap_from:%Y-%m-%d %H:00}" for gap in receipt.gaps)
        _wrapped(f"{receipt.hours_without_calls:,} whole hours without a call, the longest: {longest}")


def _print_differences(receipt: Receipt) -> None:
    """Models whose logged cost is more than 1 % off tokens times list price."""
    far = [line for line in receipt.by_model if line.difference is not None and abs(line.difference) > TOO_FAR]
    if far:
        print_text("\nlogged cost and list price differ by more than 1 % (a discount, a mark-up or other prices):")
    for line in far[:MODELS]:
        print_text(f"  {line.model}: logged {line.difference:+.1%}")


def _print_bills(receipt: Receipt) -> None:
    if receipt.bills:
        print_text("\nthe provider's own report, and which share of its cost and tokens this log holds:")
        rows = [
            (
                bill.provider,
                f"{bill.billed_from:%Y-%m-%d} {(bill.billed_to - bill.billed_from).days} d",
                _usd(bill.billed_usd),
                _usd(bill.logged_usd),
                _share(bill.logged_usd, bill.billed_usd),
                _share(bill.logged_input_tokens, bill.billed_input_tokens),
                _share(bill.logged_output_tokens, bill.billed_output_tokens),
            )
            for bill in receipt.bills
        ]
        columns = ("provider", "from", "billed USD", "logged USD", "cost", "input", "output")
        print_table(columns, rows, right=columns[2:])
    if receipt.invoice_usd is not None:
        cost = receipt.cost_usd
        share = _share(cost, receipt.invoice_usd)
        print_text(f"\ninvoice {receipt.invoice_usd:,.2f} USD; these calls cost {_usd(cost)} USD, {share} of it")


def _usd(amount: Decimal | None) -> str:
    return "-" if amount is None else f"{amount:,.4f}"


def _share(part: Decimal | int | None, whole: Decimal | int | None) -> str:
    return "-" if part is None or not whole else f"{float(part) / float(whole):.1%}"


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
