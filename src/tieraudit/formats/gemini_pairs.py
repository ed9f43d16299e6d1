"""Gemini request and response side by side, one JSON object a line, in the envelopes of `pairs`.

The output files of Vertex AI batch prediction are such pairs: ``{request, response, status, processed_time}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from tieraudit.domain import Call, JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.fields import task_hint, text
from tieraudit.formats.gemini_body import gemini_exchange
from tieraudit.formats.pairs import FIELDS_OF_PAIRS, Pair, open_pair, pair_call
from tieraudit.formats.sse import events, is_stream
from tieraudit.formats.vertex import GEMINI_FIELDS

MODEL = re.compile(r"models/([^/:?]+)")


class GeminiPairs:
    """GenerateContent calls in both spellings; a stream is a list of bodies or raw events."""

    name = "gemini-pairs"
    title = "Gemini request and response pairs, Vertex batch predictions (JSON lines)"
    fields: ClassVar[dict[str, str]] = {
        **FIELDS_OF_PAIRS,
        **GEMINI_FIELDS,
        "source_id": "`id`, `request_id` ..., else the response's `responseId`",
        "started_at": "`timestamp`, `started_at` ..., the response's `createTime`, `processed_time`, the `date` header",
        "provider": "`provider`, else the host of the address, else google",
        "request_model": "`request.model`, else the address",
        "response_model": "`response.modelVersion`",
        "stream": "the address, or an answer in several bodies",
        "user_id": "`user_id`, `user`",
        "task_hint": "`task`, `feature` ... beside, in the metadata or in the `labels` of the request",
        "tags": "`tags`; batch for batch predictions",
        "metadata": "`metadata`, `labels`; settings that Chat Completions does not have",
    }

    def matches(self, record: JsonObject) -> float:
        """Likely when the bodies speak Gemini's language."""
        pair = open_pair(record)
        return 0.9 if pair is not None and _is_gemini(pair) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is not such a pair or has no time."""
        pair = open_pair(record)
        if pair is None:
            raise Rejected("not a request with its response")
        if not _is_gemini(pair):
            raise Rejected("not in Gemini's format")
        chunks = list(events(pair.answer)) if isinstance(pair.answer, str) and is_stream(pair.answer) else pair.events
        found = gemini_exchange(pair.request, chunks or pair.response)
        made = {"created": pair.response.get("createTime") or pair.response.get("create_time")}
        answered = {**made, **pair.response} if made["created"] else pair.response
        late = {"time": record["processed_time"]} if record.get("processed_time") and not made["created"] else {}
        status = pair.status if pair.status is None or pair.status >= 100 else None
        asked = text(pair.request.get("model")) or (match[1] if (match := MODEL.search(pair.url)) else None)
        if "processed_time" in record:  # a batch costs half of the list price
            found = replace(found, kept={**found.kept, "batch": True})
        call = pair_call(self.name, {**late, **record}, replace(pair, response=answered, status=status), found, where)
        yield replace(
            call,
            provider=call.provider or "google",
            request_model=(asked or call.request_model or "").rsplit("/", 1)[-1] or None,
            stream=bool(chunks) or "streamgeneratecontent" in pair.url.lower(),
            task_hint=call.task_hint or task_hint(found.kept),
            tags=call.tags if "batch" not in found.kept else ("batch", *call.tags),
        )


def _is_gemini(pair: Pair) -> bool:
    return "contents" in pair.request and "messages" not in pair.request and not pair.response.get("choices")
