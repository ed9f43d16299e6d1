"""Any log of calls, read as a mapping.toml says: canonical field -> where a record has it.

`tieraudit ingest FILE --map mapping.toml`. Beside the fields of a call a mapping may name ``request`` and ``response``
(whole bodies, of OpenAI, Anthropic or Gemini), ``usage`` (a report of tokens), ``system``, ``ended_at`` and
``operation``. `starter` writes a first mapping from the first records.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from tieraudit.domain import Call, Feedback, JsonObject, Usage
from tieraudit.errors import ConfigError, Rejected
from tieraudit.formats.anthropic_body import anthropic_usage
from tieraudit.formats.base import FIELDS, Where
from tieraudit.formats.bodies import total
from tieraudit.formats.chat import token_usage
from tieraudit.formats.fields import count, elapsed_ms, labels, mapping, milliseconds, task_hint, text
from tieraudit.formats.gateway_bodies import better_usage, stream_of
from tieraudit.formats.mapping_content import mapped_error, mapped_exchange
from tieraudit.formats.mapping_source import COMPUTED, Source, Values, flag, parse
from tieraudit.formats.mapping_starter import starter

EXTRA = ("request", "response", "usage", "system", "ended_at", "operation")
KNOWN = (*(name for name in FIELDS if name != "billed"), *EXTRA)
COUNTS = tuple(name for name in FIELDS if name.endswith("_tokens"))
OF_REQUEST = (
    "request_model", "stream", "messages", "tools", "tool_choice", "response_format", "parameters", "user_id",
)  # fmt: skip
OF_RESPONSE = (
    "response_model", "text", "tool_calls", "refusal", "finish_reason", *COUNTS, "error_type", "error_message",
)  # fmt: skip

__all__ = ["COMPUTED", "Mapped", "starter"]


@dataclass(frozen=True)
class Mapped:
    """A format that a file describes. It is not in the table of formats and is never guessed."""

    sources: Mapping[str, Source]
    name: str = "mapped"
    title: str = "a log described by a mapping.toml"
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_toml(cls, path: Path) -> Mapped:
        """The format that ``path`` describes; raises `ConfigError` with the file, the key and the way out."""
        try:
            return cls.from_text(path.read_text(encoding="utf-8-sig"), str(path))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})", hint="check --map") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: not UTF-8", hint="save the file as UTF-8") from error

    @classmethod
    def from_text(cls, written: str, file: str = "mapping.toml") -> Mapped:
        """The format that the text of a mapping describes; ``file`` is only for messages. Raises `ConfigError`."""
        try:
            raw = tomllib.loads(written)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigError(f"{file}: {error}", hint='a line is: field = "path.to.it"') from error
        for key in raw:
            if key not in KNOWN:
                close = get_close_matches(key, KNOWN, 1)
                hint = f"did you mean {close[0]}?" if close else f"fields: {', '.join(KNOWN)}"
                raise ConfigError(f"{file}: unknown field '{key}'", hint=hint)
        if "started_at" not in raw:
            raise ConfigError(f"{file}: started_at is missing", hint='every call has a time: started_at = "timestamp"')
        sources = {key: parse(key, value, file) for key, value in raw.items()}
        return cls(sources, title=f"a log as {Path(file).name} describes it", fields=_receipt(sources))

    @property
    def expressions(self) -> tuple[str, ...]:
        """The SQL expressions of the mapping, whose values each record must carry under `COMPUTED`."""
        every = [*self.sources.values(), *(part for item in self.sources.values() for _, part in item.parts)]
        return tuple(dict.fromkeys(source.sql for source in every if source.sql))

    def matches(self, record: JsonObject) -> float:
        """Sure when the record has a time where the mapping says."""
        return 1.0 if Values(record, self.sources).moment("started_at") else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Feedback]:
        """The one call of ``record`` and what was said of it; raises `Rejected` when it has no time."""
        values = Values(record, self.sources)
        try:
            call = _call(self.name, values, where)
        except RecursionError as error:
            raise Rejected("nested too deeply") from error
        yield call
        yield from _feedback(values, call)


def _call(name: str, values: Values, where: Where) -> Call:
    found = mapped_exchange(values)
    start, asked = values.moment("started_at"), values.opened("request")
    if start is None:
        raise Rejected("no start time")
    status = count(values.get("http_status"))
    error = mapped_error(values, found, status)
    metadata = mapping(values.opened("metadata"))
    latency, streamed = values.duration("latency_ms"), flag(values.get("stream"))
    return Call(
        source_format=name,
        source_file=where.file,
        source_line=where.line,
        source_id=values.text("source_id") or found.response_id,
        started_at=start,
        request=found.request,
        response=None if error[0] or found.request is None else found.response,
        content_state=found.state(failed=error[0] is not None),
        provider=values.text("provider"),
        request_model=values.text("request_model") or text(mapping(asked).get("model")),
        response_model=values.text("response_model") or found.response_model,
        operation=values.text("operation") or found.operation,
        stream=stream_of(asked) if streamed is None else streamed,
        usage=_usage(values, found.usage),
        latency_ms=elapsed_ms(start, values.moment("ended_at")) if latency is None else latency,
        time_to_first_token_ms=values.duration("time_to_first_token_ms"),
        logged_cost_usd=values.dollars("logged_cost_usd"),
        error_type=error[0],
        error_message=error[1],
        http_status=status,
        cache_hit=flag(values.get("cache_hit")) is True,
        trace_id=values.text("trace_id"),
        conversation_id=values.text("conversation_id"),
        user_id=values.text("user_id") or found.user_id,
        task_hint=values.text("task_hint") or task_hint(metadata),
        tags=labels(values.get("tags")),
        metadata={**metadata, **found.kept},
    )


def _usage(values: Values, found: Usage) -> Usage:
    """Tokens in one convention; the mapping says by a unit that cached or reasoning ones stand outside."""
    report = mapping(values.opened("usage"))
    apart = "input_tokens" in report and "cache_read_input_tokens" in report and "input_tokens_details" not in report
    told: dict[str, int | None] = {name: count(values.get(name)) for name in COUNTS}
    if values.unit("input_tokens") == "tokens_without_cached" and told["input_tokens"] is not None:
        cached = told["cache_read_input_tokens"], told["cache_creation_input_tokens"]
        told["input_tokens"] = total(told["input_tokens"], *cached)
    if values.unit("output_tokens") == "tokens_without_reasoning" and told["output_tokens"] is not None:
        told["output_tokens"] = total(told["output_tokens"], told["reasoning_output_tokens"])
    columns = Usage(**told) if any(told.values()) else Usage()
    reported = anthropic_usage(report) if apart else token_usage(report)
    return better_usage(columns, better_usage(reported, found))


def _feedback(values: Values, call: Call) -> Iterator[Feedback]:
    source = values.sources.get("feedback")
    if source is None:
        return
    for name, part in source.parts or ((source.paths[0][-1] if source.paths else "feedback", source),):
        given = part.of(values.record)
        if given is None or isinstance(given, dict | list):
            continue
        said = flag(given) if isinstance(given, bool) or str(given).lower() in ("true", "false") else None
        number = milliseconds(given) if said is None else float(said)
        yield Feedback(
            source_format=call.source_format,
            source_file=call.source_file,
            source_line=call.source_line,
            source_id=call.source_id,
            trace_id=call.trace_id,
            name=name,
            value=number,
            label=text(given) if number is None else None,
        )


def _receipt(sources: Mapping[str, Source]) -> dict[str, str]:
    """The fidelity receipt: what is mapped, and what whole bodies bring along."""
    found = {key: source.told for key, source in sources.items() if key in FIELDS}
    for whole, parts in (("request", OF_REQUEST), ("response", OF_RESPONSE), ("usage", COUNTS)):
        for name in parts if whole in sources else ():
            found.setdefault(name, sources[whole].told)
    if "ended_at" in sources:
        found.setdefault("latency_ms", f"{sources['ended_at'].told} less the start")
    return {name: found[name] for name in FIELDS if name in found}
