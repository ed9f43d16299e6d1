"""Azure API Management: gateway logs with bodies, and the log of language models, of the same calls.

Source of the field map: the tables ApiManagementGatewayLogs and ApiManagementGatewayLlmLog in the Azure Monitor
reference. A gateway row holds each body as text, cut at the configured size (at most 8 KB). The other log splits a long
prompt or answer over rows: number 0 holds the counts, the others the messages in order. Both name the call by
``CorrelationId``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from tieraudit.domain import Call, ContentState, JsonObject, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.azure_rows import azure_rows, flat
from tieraudit.formats.base import Fragment, Where
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.fields import count, decoded, encoded, first, listing, mapping, milliseconds, started, text
from tieraudit.formats.gateway_bodies import better_usage, failure, gateway_exchange, path_of
from tieraudit.formats.openai_body import PATHS
from tieraudit.formats.sse import is_stream
from tieraudit.pricing import provider_of_url

GATEWAY, MODEL = "gateway", "llm"
LOG_OF_MODELS = ("GatewayLlmLogs", "ApiManagementGatewayLlmLog")
LOG_OF_GATEWAY = ("GatewayLogs", "ApiManagementGatewayLogs")
REQUESTS = ("backendrequestbody", "requestbody")
ANSWERS = ("backendresponsebody", "responsebody")
ENDINGS = ("[DONE]", "message_stop", "response.completed", "response.incomplete", "response.failed")


class AzureApim:
    """The body that went to the model counts; where it was cut, the messages of the other log."""

    name = "azure-apim"
    title = "Azure API Management gateway and language model logs"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`correlationId`",
        "started_at": "`time`, `TimeGenerated`",
        "latency_ms": "`durationMs`, `TotalTime`, else `backendTime`",
        "provider": "the host of `backendUrl`, else azure",
        "request_model": "`model` of the request, else `DeploymentName` or that in `backendUrl`",
        "response_model": "`model` of the answer, else `ModelName`",
        "stream": "`stream` of the request, `IsStreamCompletion`",
        "messages": "`backendRequestBody`, `requestBody`; `RequestMessages`",
        "tools": "`backendRequestBody`, `requestBody`",
        "tool_choice": "`backendRequestBody`, `requestBody`",
        "response_format": "`backendRequestBody`, `requestBody`",
        "parameters": "`backendRequestBody`, `requestBody`",
        "text": "`backendResponseBody`, `responseBody` (raw events are folded); `ResponseMessages`",
        "tool_calls": "`backendResponseBody`, `responseBody`; `ResponseMessages`",
        "finish_reason": "`backendResponseBody`, `responseBody`",
        "input_tokens": "`usage` of the answer, else `PromptTokens`",
        "cache_read_input_tokens": "`usage` of the answer",
        "output_tokens": "`usage` of the answer, else `CompletionTokens`",
        "reasoning_output_tokens": "`usage` of the answer",
        "total_tokens": "`usage` of the answer, else `TotalTokens`",
        "error_type": "the answer's `error`, else the HTTP status",
        "error_message": "the answer's `error`, else `lastErrorMessage`",
        "http_status": "`backendResponseCode`, `responseCode`",
        "cache_hit": "`cache`",
        "user_id": "`user` of the request, else `apimSubscriptionId`",
        "metadata": "`apiId`, `operationId`, `productId`, `backendId`; whether a body was cut",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure for rows of one of the two logs, told by their category or their columns."""
        return 1.0 if all(_part(flat(row)) for row in azure_rows(record)) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Fragment | Quarantined]:
        """The parts of calls in ``record``; raises `Rejected` when its only row is none."""
        rows = azure_rows(record)
        if len(rows) == 1:
            yield _fragment(flat(rows[0]), where)
            return
        for row in rows:
            try:
                yield _fragment(flat(row), where)
            except Rejected as reason:
                yield Quarantined(where.file, where.line, reason.message, str(row.get("correlationId")))

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """The one call of a correlation id."""
        head = next((item for item in fragments if item.part == GATEWAY), fragments[0])
        try:
            yield _call(head, [item.record for item in fragments if item.part == MODEL])
        except Rejected as reason:
            yield Quarantined(head.where.file, head.where.line, reason.message, head.key)


def _part(row: JsonObject) -> str | None:
    kind = first(row, "category", "type")
    if kind in LOG_OF_MODELS or ("sequencenumber" in row and ("modelname" in row or "requestmessages" in row)):
        return MODEL if "correlationid" in row else None
    backend = "backendurl" in row or "url" in row
    columns = ("isrequestsuccess" in row or "responsecode" in row) and "apiid" in row
    return GATEWAY if kind in LOG_OF_GATEWAY or (columns and backend and "correlationid" in row) else None


def _fragment(row: JsonObject, where: Where) -> Fragment:
    part, key = _part(row), text(row.get("correlationid"))
    if part is None or key is None:
        raise Rejected("not a row of API Management")
    if part == GATEWAY and not _is_model_call(row):
        raise Rejected("not an LLM call: another API behind the gateway")
    return Fragment(key, part, row, where)


def _is_model_call(row: JsonObject) -> bool:
    for url in (row.get("backendurl"), row.get("url")):
        path = path_of(url)
        if path.endswith(tuple(PATHS)) or path.endswith("/messages") or "generatecontent" in path.lower():
            return True
    asked = mapping(_body(row, *REQUESTS)[0])
    return "model" in asked and ("messages" in asked or "input" in asked or "prompt" in asked)


def _call(head: Fragment, parts: list[JsonObject]) -> Call:
    row = head.record if head.part == GATEWAY else {}
    parts = sorted(parts, key=lambda part: count(part.get("sequencenumber")) or 0)
    counts = next((part for part in parts if "prompttokens" in part), parts[0] if parts else {})
    url = text(first(row, "backendurl", "url")) or ""
    found, cut = _exchange(row, url)
    if found.request is None and parts:
        said, whole = _said(parts)
        found = replace(said, usage=found.usage, response=found.response or said.response)
        cut = ["request"] if not whole else []
    elif found.response is None and parts:
        found = replace(found, response=_said(parts)[0].response)
    status = count(first(row, "backendresponsecode", "responsecode"))
    error = failure(found, status, failed=row.get("isrequestsuccess") in (False, "false", "False"))
    asked = mapping(_body(row, *REQUESTS)[0])
    streamed = asked.get("stream") if "stream" in asked else counts.get("isstreamcompletion")
    deployment = url.partition("/deployments/")[2].partition("/")[0]
    usage = Usage(
        input_tokens=count(counts.get("prompttokens")),
        output_tokens=count(counts.get("completiontokens")),
        total_tokens=count(counts.get("totaltokens")),
    )
    return Call(
        source_format=AzureApim.name,
        source_file=head.where.file,
        source_line=head.where.line,
        source_id=head.key,
        started_at=started(*(first(part, "time", "timegenerated") for part in (row, counts, *parts))),
        request=found.request,
        response=found.response if found.request is not None and not error[0] else None,
        content_state=ContentState.REDACTED if "request" in cut else found.state(failed=bool(error[0])),
        provider=(provider_of_url(url) if url else None) or "azure",
        request_model=text(asked.get("model")) or text(counts.get("deploymentname")) or deployment or None,
        response_model=found.response_model or text(counts.get("modelname")),
        operation=found.operation,
        stream=streamed if isinstance(streamed, bool) else None,
        usage=better_usage(found.usage, usage),
        latency_ms=milliseconds(first(row, "durationms", "totaltime", "backendtime")),
        error_type=error[0],
        error_message=error[1] or (text(row.get("lasterrormessage")) if error[0] else None),
        http_status=status,
        cache_hit=row.get("cache") == "hit",
        user_id=found.user_id or text(row.get("apimsubscriptionid")),
        metadata={**_metadata(row), **found.kept, **({"cut": cut} if cut else {})},
    )


def _exchange(row: JsonObject, url: str) -> tuple[Exchange, list[str]]:
    """What the bodies say, and which of them were cut."""
    asked, asked_cut = _body(row, *REQUESTS)
    answer, answer_cut = _body(row, *ANSWERS)
    found = gateway_exchange(asked, answer, url=url)
    cut = [name for name, is_cut in (("request", asked_cut), ("response", answer_cut)) if is_cut]
    if answer_cut:
        found = replace(found, response=None)
    return found, cut


def _body(row: JsonObject, *names: str) -> tuple[Any, bool]:
    """(the body, whether it was cut): the first of ``names`` that is whole, else what there is of it."""
    told: Any = None
    for name in names:
        written = row.get(name)
        body = decoded(written.strip() if isinstance(written, str) else written)  # bodies end in a line break
        if isinstance(body, dict | list):
            return body, False
        if is_stream(body) and any(ending in body for ending in ENDINGS):
            return body, False
        told = told or body
    return (told if is_stream(told) else None), told is not None


def _said(parts: list[JsonObject]) -> tuple[Exchange, bool]:
    """Prompt and answer of the log of models, and whether the prompt is whole."""
    asked, whole = _messages([part["requestmessages"] for part in parts if "requestmessages" in part])
    answered, _ = _messages([part["responsemessages"] for part in parts if "responsemessages" in part])
    spoken = [mapping(item) if isinstance(item, dict) else {"role": "assistant", "content": item} for item in answered]
    choices = [{"message": {"role": "assistant", **message}} for message in spoken[:1]]
    found = gateway_exchange({"messages": asked} if asked else {}, {"choices": choices})
    called = "tool_calls" in str(asked) or (found.response is not None and found.response.tool_calls)
    return replace(found, complete=not called), whole  # the tools on offer are not in this log


def _messages(values: list[Any]) -> tuple[list[Any], bool]:
    """Messages from the rows in order: a list in each, or one list as text in pieces."""
    lists = [decoded(value) for value in values]
    if all(isinstance(value, list | dict) for value in lists):
        return [item for value in lists for item in (value if isinstance(value, list) else [value])], True
    whole = decoded("".join(value if isinstance(value, str) else encoded(value) for value in values))
    return listing(whole), isinstance(whole, list)


def _metadata(row: JsonObject) -> JsonObject:
    names = {"apiid": "api", "operationid": "operation", "productid": "product", "backendid": "backend"}
    return {name: told for key, name in names.items() if (told := text(row.get(key)))}
