"""What a log format is: it knows its own records and turns each into calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from tieraudit.domain import BilledUsage, Call, Feedback, JsonObject, Quarantined

FIELDS = (
    "source_id", "started_at", "latency_ms", "time_to_first_token_ms", "provider", "request_model", "response_model",
    "stream", "messages", "tools", "tool_choice", "response_format", "parameters", "text", "tool_calls", "refusal",
    "finish_reason", "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens",
    "reasoning_output_tokens", "total_tokens", "logged_cost_usd", "error_type", "error_message", "http_status",
    "cache_hit", "trace_id", "conversation_id", "user_id", "task_hint", "tags", "metadata", "feedback", "billed",
)  # fmt: skip
"""What a log can say of a call, in the order of the fidelity receipt (docs/formats.md). ``messages`` to
``parameters`` are parts of the canonical request, ``text`` to ``finish_reason`` of the answer."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a record stands: file and line (1-based; for a JSON array or document, the element's number).

    ``beside`` gives the content of a side file that the record names, or None when there is no such file in the
    folders that were given; it raises `Rejected` for a path that leads out of them.
    """

    file: str
    line: int
    beside: Callable[[str], Any] = lambda _: None


@dataclass(frozen=True, slots=True)
class Fragment:
    """A row that is a part of a call, or that only its trace can judge: the rest stands in other rows or files.

    Fragments of one format with the same ``key`` are handed to `Joining.join` together, once every file is read.
    ``part`` names the kind of row (``input``, ``output``, ``span``); ``record`` is what `join` needs of it.
    """

    key: str
    part: str
    record: JsonObject
    where: Where


Item = Call | Quarantined | Fragment | Feedback | BilledUsage


class Format(Protocol):
    """One export format. Framing (plain, .gz or .zst; JSONL, JSON array, documents, CSV, Parquet) is done before: a
    format sees decoded records, one at a time. The values of a CSV record are strings, empty ones are left out.

    ``fields`` is the fidelity receipt: canonical field (of `FIELDS`) -> where the format has it, in a few words with
    the names of the log in backquotes. A field that is not in it cannot come from this format.
    """

    @property
    def name(self) -> str:
        """As ``--format`` and the table of formats know it."""

    @property
    def title(self) -> str:
        """What the export is, in a few words."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Canonical field -> where the format has it."""

    def matches(self, record: dict[str, Any]) -> float:
        """How surely ``record`` is of this format, in [0, 1]; 0 when it cannot be."""

    def calls(self, record: dict[str, Any], where: Where) -> Iterable[Item]:
        """What one record holds, each row of it counted: a row that is no LLM call comes as `Quarantined`.

        Raises `Rejected` when the record as a whole is not a call.
        """


@runtime_checkable
class Joining(Protocol):
    """A format whose calls are spread over rows."""

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """The calls of the fragments of one key, from whatever files and in any order.

        Called again with all of them when a later file brings more. A part that still lacks its other half gives
        nothing, or a call as far as it is known; it is never an error.
        """


@runtime_checkable
class Quick(Protocol):
    """A format with a shorter way for lines of JSON that are plain; what it gives, `Format.calls` would give too."""

    def quick(self, line: bytes, where: Where) -> Call | None:
        """The call of the record in ``line``, or None when `Format.calls` must read it."""
