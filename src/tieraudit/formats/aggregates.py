"""Reports of usage and cost that providers make themselves: sums over calls of a day or an hour, never a call.

They check what the audited calls are said to cost. Nothing in them can be replayed: they hold neither single calls nor
prompts. Sources of the field maps: the Claude Console's usage and cost CSV; the OpenAI API reference,
https://platform.openai.com/docs/api-reference/usage; OpenRouter's daily activity CSV.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from tieraudit.domain import BilledUsage, JsonObject, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.fields import count, first, listing, mapping, money, started, text

NO_REPLAY = "sums over many calls, without a single prompt: they check the spend and cannot be replayed"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ANTHROPIC_INPUT = ("usage_input_tokens_no_cache", "usage_input_tokens_cache_read")
ANTHROPIC_WRITTEN = ("usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h")


@dataclass(frozen=True, slots=True)
class _Period:
    """Where a sum stands and what time it is over."""

    format: str
    provider: str
    where: Where
    start: datetime
    end: datetime

    def billed(self, **values: Any) -> BilledUsage:
        return BilledUsage(
            source_format=self.format,
            source_file=self.where.file,
            source_line=self.where.line,
            started_at=self.start,
            ended_at=self.end,
            provider=self.provider,
            **values,
        )


class AnthropicConsole:
    """Rows of a day, or of an hour when the date has a time. Web searches are counted in the cost report alone."""

    name = "anthropic-console"
    title = "Claude Console usage and cost CSV (sums, no calls)"
    no_replay = NO_REPLAY
    fields: ClassVar[dict[str, str]] = {"billed": "each row: `usage_*_tokens*`, or `cost_usd` of one `token_type`"}

    def matches(self, record: JsonObject) -> float:
        """Sure when a row has the report's date and a count of tokens or a cost."""
        return 1.0 if "usage_date_utc" in record and ("usage_output_tokens" in record or "cost_usd" in record) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[BilledUsage]:
        """The sum in ``record``; raises `Rejected` when it is no row of such a report."""
        if not self.matches(record):
            raise Rejected("not a row of an Anthropic usage or cost report")
        date = record["usage_date_utc"]
        start = started(date)
        period = _Period(self.name, "anthropic", where, start, start + (HOUR if ":" in str(date) else DAY))
        if "usage_output_tokens" not in record:
            cost = money(record.get("cost_usd"))
            if cost is None:
                raise Rejected("a cost that is no amount of dollars")
            kinds = ("token_type", "cost_type", "usage_type", "context_window", "inference_geo", "speed")
            yield period.billed(
                model=_from_display_name(text(record.get("model"))),
                cost_usd=cost,
                account=_joined(record, "workspace", "api_key"),
                kind=_joined(record, *kinds),
            )
            return
        written = _sum(record, ANTHROPIC_WRITTEN)
        yield period.billed(
            model=text(record.get("model_version")),
            usage=Usage(
                input_tokens=_sum(record, ANTHROPIC_INPUT) + written,
                cache_read_input_tokens=count(record.get("usage_input_tokens_cache_read")),
                cache_creation_input_tokens=written,
                output_tokens=count(record["usage_output_tokens"]),
            ),
            account=_joined(record, "workspace", "api_key"),
            kind=_joined(record, "usage_type", "context_window", "inference_geo", "speed"),
        )


class OpenAIUsage:
    """Pages and single buckets of /v1/organization/usage/... and /v1/organization/costs; null: not grouped by it."""

    name = "openai-usage"
    title = "OpenAI organization usage and costs, buckets (sums, no calls)"
    no_replay = NO_REPLAY
    fields: ClassVar[dict[str, str]] = {"billed": "each of `results`: tokens and `num_model_requests`, or `amount`"}

    def matches(self, record: JsonObject) -> float:
        """Sure when the record is such a bucket, or a page that begins with one."""
        data = listing(record.get("data"))
        bucket = mapping(data[0]) if data and record.get("object", "page") == "page" else record
        return 1.0 if _is_bucket(bucket) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[BilledUsage | Quarantined]:
        """The sums of each bucket; raises `Rejected` when there is no bucket, or nothing in any."""
        if not self.matches(record):
            raise Rejected("not a bucket of an OpenAI usage or cost report")
        found = 0
        for item in [record] if _is_bucket(record) else listing(record.get("data")):
            for billed in _bucket(mapping(item), self.name, where):
                found += 1
                yield billed
        if not found:
            raise Rejected("no usage in this period")


class OpenRouterDaily:
    """One row a day and model. What the providers asked for over keys of one's own (BYOK) is a sum of its own."""

    name = "openrouter-daily"
    title = "OpenRouter daily activity CSV (sums, no calls)"
    no_replay = NO_REPLAY
    fields: ClassVar[dict[str, str]] = {"billed": "`Usage`, `Requests`, tokens; `BYOK Usage` as a sum of its own"}

    def matches(self, record: JsonObject) -> float:
        """Sure when a row has a date, a slug and a usage."""
        return 1.0 if {"Date", "Slug", "Usage"} <= record.keys() else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[BilledUsage]:
        """The sums of ``record``; raises `Rejected` when it is no row of such a report."""
        if not self.matches(record):
            raise Rejected("not a row of OpenRouter's daily activity")
        start = started(record["Date"])
        period = _Period(self.name, "openrouter", where, start, start + DAY)
        model, own_key = text(record["Slug"]), money(record.get("BYOK Usage"))
        yield period.billed(
            model=model,
            calls=count(record.get("Requests")),
            usage=Usage(
                input_tokens=count(record.get("Prompt Tokens")),
                output_tokens=count(record.get("Completion Tokens")),
                reasoning_output_tokens=count(record.get("Reasoning Tokens")),
            ),
            cost_usd=money(record["Usage"]),
            kind="usage",
        )
        if own_key:
            yield period.billed(model=model, cost_usd=own_key, kind="byok")


def _from_display_name(name: str | None) -> str | None:
    """The cost report names a model as people do ("Claude Opus 4.6"); the id is the same in lower case with dashes."""
    return name.lower().replace(" ", "-").replace(".", "-") if name else None


def _is_bucket(bucket: JsonObject) -> bool:
    results = first(bucket, "results", "result")
    return "start_time" in bucket and "end_time" in bucket and isinstance(results, list) and _is_openai(results)


def _is_openai(results: list[Any]) -> bool:
    return all(
        isinstance(item, dict) and (str(item.get("object")).startswith("organization.") or "amount" in item)
        for item in results
    )


def _bucket(bucket: JsonObject, name: str, where: Where) -> Iterator[BilledUsage | Quarantined]:
    start, end = started(bucket.get("start_time")), started(bucket.get("end_time"))
    period = _Period(name, "openai", where, start, end)
    for item in listing(first(bucket, "results", "result")):
        result = mapping(item)
        account = _joined(result, "project_id", "user_id", "api_key_id")
        if "amount" not in result:
            yield period.billed(
                model=text(result.get("model")),
                calls=count(first(result, "num_model_requests", "num_requests")),
                usage=Usage(
                    input_tokens=count(result.get("input_tokens")),
                    cache_read_input_tokens=count(result.get("input_cached_tokens")),
                    cache_creation_input_tokens=count(result.get("input_cache_write_tokens")),
                    output_tokens=count(result.get("output_tokens")),
                ),
                account=account,
                kind=_usage_kind(result),
            )
            continue
        amount, line = mapping(result["amount"]), text(result.get("line_item"))
        if str(amount.get("currency", "usd")).lower() != "usd" or money(amount.get("value")) is None:
            yield Quarantined(where.file, where.line, "a cost that is no amount of dollars")
            continue
        model, comma, _ = (line or "").partition(", ")
        yield period.billed(model=model if comma else None, cost_usd=money(amount["value"]), account=account, kind=line)


def _usage_kind(result: JsonObject) -> str:
    """Such as ``completions, batch``: the second word of the result's object name, and how it was asked."""
    parts = str(result.get("object")).split(".")
    batch = "batch" if result.get("batch") is True else None
    tier = text(result.get("service_tier"))
    return ", ".join(part for part in (parts[2] if len(parts) > 2 else "usage", batch, tier) if part)


def _joined(record: JsonObject, *keys: str) -> str | None:
    """The values of ``keys`` that say something, in one label."""
    return ", ".join(value for key in keys if (value := text(record.get(key))) and value != "not_available") or None


def _sum(record: JsonObject, keys: Iterable[str]) -> int:
    return sum(count(record.get(key)) or 0 for key in keys)
