"""OpenRouter: the activity CSV, one row a generation, and the answer of GET /generation; neither holds content.

Source of the field map: the header of a real activity export, and
https://openrouter.ai/docs/api-reference/get-a-generation. The counts of the provider's own tokenizer (``native_*``)
are the billed ones and are taken where they are there. With a key of one's own (BYOK) the cost is OpenRouter's fee and
what the provider asks for, together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from tieraudit.domain import Call, ContentState, JsonObject, Output, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.answers import FINISHES
from tieraudit.formats.base import Where
from tieraudit.formats.fields import count, first, mapping, milliseconds, money, started, text

MARKS = ("cost_total", "total_cost", "tokens_prompt", "native_tokens_prompt", "model_permaslug")
# These variants of a model have prices of their own and so are part of its name; others only say how it was routed.
VARIANTS = ("free", "extended", "thinking")
EPOCH = re.compile(r"gen-(?:[a-z]+-)?(\d{10})-")
KEPT = (
    "provider_name", "variant", "app_name", "app_id", "api_key_name", "api_key_disabled", "upstream_id", "api_type",
    "origin", "is_byok", "cost_web_search", "cost_cache", "cost_file_processing", "byok_usage_inference",
    "upstream_inference_cost", "cache_discount", "finish_reason_raw", "native_finish_reason", "moderation_latency",
    "native_tokens_completion_images", "num_media_prompt", "num_input_audio_prompt", "num_media_completion",
    "num_search_results",
)  # fmt: skip
YES = (True, "true", "True", "1", "t")


class OpenRouterActivity:
    """A row is one generation. A client that left early (``cancelled``) is told in the metadata, not as a failure."""

    name = "openrouter"
    title = "OpenRouter activity export (CSV) and GET /generation (JSON)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`generation_id`, `id`",
        "started_at": "`created_at`, else the epoch in the id",
        "latency_ms": "`latency`, else `generation_time_ms`",
        "time_to_first_token_ms": "`time_to_first_token_ms`",
        "provider": "always openrouter; `provider_name` in the metadata",
        "request_model": "`router`, else `model_permaslug`, `model` with the variant",
        "response_model": "`model_permaslug`, `model` with the variant",
        "stream": "`streamed`",
        "finish_reason": "`finish_reason_normalized`, `finish_reason`",
        "input_tokens": "`native_tokens_prompt`, else `tokens_prompt`",
        "cache_read_input_tokens": "`tokens_cached`, `native_tokens_cached`",
        "output_tokens": "`native_tokens_completion`, else `tokens_completion`",
        "reasoning_output_tokens": "`tokens_reasoning`, `native_tokens_reasoning`",
        "logged_cost_usd": "`cost_total`, `total_cost`; with an own key plus `byok_usage_inference`",
        "error_type": "`finish_reason_normalized` of `error`",
        "error_message": "`finish_reason_raw` of such a row",
        "user_id": "`user`, `external_user`",
        "metadata": "`provider_name`, `app_name`, `api_key_name`, the parts of the cost ...",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when a generation has its id, and tokens or costs in OpenRouter's words."""
        row = _row(record)
        known = "generation_id" in row or str(row.get("id")).startswith("gen-")
        return 1.0 if known and any(mark in row for mark in MARKS) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is no generation."""
        if not self.matches(record):
            raise Rejected("not an OpenRouter generation")
        row = _row(record)
        reason = text(first(row, "finish_reason_normalized", "finish_reason"))
        failed = reason == "error"
        model = _model(row)
        latency = milliseconds(first(row, "latency"))
        yield Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(first(row, "generation_id", "id")),
            started_at=_start(row),
            request=None,
            response=Output(finish_reason=FINISHES.get(reason, reason)) if reason and not failed else None,
            content_state=ContentState.ABSENT,
            provider="openrouter",
            request_model=text(row.get("router")) or model,
            response_model=model,
            operation="embeddings" if row.get("api_type") == "embeddings" else "chat",
            stream=row["streamed"] in YES if row.get("streamed") is not None else None,
            usage=_usage(row),
            latency_ms=latency if latency is not None else milliseconds(first(row, "generation_time_ms")),
            time_to_first_token_ms=milliseconds(row.get("time_to_first_token_ms")),
            logged_cost_usd=_cost(row),
            error_type="error" if failed else None,
            error_message=text(first(row, "finish_reason_raw", "native_finish_reason")) if failed else None,
            user_id=text(first(row, "user", "external_user")),
            metadata=_metadata(row),
        )


def _row(record: JsonObject) -> JsonObject:
    return mapping(record.get("data")) or record


def _start(row: JsonObject) -> datetime:
    told = EPOCH.match(text(first(row, "generation_id", "id")) or "")
    return started(row.get("created_at"), told[1] if told else None)


def _model(row: JsonObject) -> str | None:
    model, variant = text(first(row, "model_permaslug", "model")), text(row.get("variant"))
    return f"{model}:{variant}" if model and variant in VARIANTS and not model.endswith(f":{variant}") else model


def _usage(row: JsonObject) -> Usage:
    usage = Usage(
        input_tokens=count(first(row, "native_tokens_prompt", "tokens_prompt")),
        cache_read_input_tokens=count(first(row, "native_tokens_cached", "tokens_cached")),
        output_tokens=count(first(row, "native_tokens_completion", "tokens_completion")),
        reasoning_output_tokens=count(first(row, "native_tokens_reasoning", "tokens_reasoning")),
    )
    return usage if usage.input_tokens or usage.output_tokens else Usage()


def _cost(row: JsonObject) -> Decimal | None:
    cost = money(first(row, "cost_total", "total_cost"))
    own = row.get("upstream_inference_cost") if row.get("is_byok") in YES else None
    own_key = money(first(row, "byok_usage_inference") if own is None else own)
    return cost if cost is None or own_key is None else cost + own_key


def _metadata(row: JsonObject) -> JsonObject:
    kept = {key: row[key] for key in KEPT if row.get(key) not in (None, "", 0, "0", False, "false")}
    if row.get("cancelled") in YES:
        kept["cancelled"] = True
    return kept
