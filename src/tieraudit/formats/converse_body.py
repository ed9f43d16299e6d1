"""Bedrock Converse bodies as Chat Completions; Amazon Nova's own bodies have the same shape.

Source of the field map: the Converse operation in the Amazon Bedrock API reference and the Nova user guide. Reasoning
blocks are left out: they are the model's own notes. ``inputTokens`` leave cached tokens out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tieraudit.domain import JsonObject, Output, Usage
from tieraudit.formats.bodies import (
    Exchange,
    effort,
    file_part,
    finish,
    image_part,
    joined,
    schema_format,
    text_part,
    total,
)
from tieraudit.formats.chat import chat_request, tool_call
from tieraudit.formats.fields import count, decoded, encoded, first, listing, mapping, text
from tieraudit.formats.responses import Mapped
from tieraudit.formats.tools import openai_tools

PARAMETERS = {
    "maxTokens": "max_tokens", "max_new_tokens": "max_tokens", "temperature": "temperature", "topP": "top_p",
    "top_p": "top_p", "topK": "top_k", "top_k": "top_k", "stopSequences": "stop",
}  # fmt: skip
HANDLED = {
    "messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields", "outputConfig", "modelId",
    "requestMetadata", "schemaVersion", "additionalModelResponseFieldPaths",
}  # fmt: skip
MIME = {
    "pdf": "application/pdf", "csv": "text/csv", "html": "text/html", "txt": "text/plain", "md": "text/markdown",
    "doc": "application/msword", "xls": "application/vnd.ms-excel",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
MEDIA = ("image", "document", "video", "audio")
NOTES = ("cachePoint", "reasoningContent")


def converse_exchange(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> Exchange:
    """The call of a request body and a response body, either of which may be empty."""
    mapped = converse_request(asked)
    kept = dict(mapped.kept)
    message = mapping(mapping(answered.get("output")).get("message"))
    said = _parts(_blocks(message.get("content")), [], [], Mapped({}))
    if media := [part for part in said if part["type"] != "text"]:  # an answer is text and tool calls
        kept["answer_files"] = media
    return Exchange(
        request=mapped.request if mapped.request.get("messages") else None,
        response=converse_output(answered),
        usage=converse_usage(mapping(answered.get("usage"))),
        operation="chat" if mapped.lossless else "converse",
        complete=mapped.complete,
        kept=kept,
    )


def converse_request(body: Mapping[str, Any]) -> Mapped:
    """The canonical request of a Converse body."""
    mapped = Mapped({})
    messages: list[JsonObject] = []
    if system := joined(_parts(_blocks(body.get("system")), [], [], mapped)):
        messages.append({"role": "system", "content": system})
    for item in listing(body.get("messages")):
        _add_message(mapping(item), messages, mapped)
    more = dict(mapping(body.get("additionalModelRequestFields")))
    config = {**mapping(more.pop("inferenceConfig", None)), **mapping(body.get("inferenceConfig"))}
    config |= {key: more.pop(key) for key in tuple(more) if key in PARAMETERS}
    request = {new: config[old] for old, new in PARAMETERS.items() if config.get(old) not in (None, [])}
    mapped.request = chat_request(request, list(messages))
    thinking = mapping(first(more, "thinking", "reasoning_config"))
    if text(thinking.get("type")) == "enabled" and (told := effort(thinking.get("budget_tokens"))):
        mapped.request["reasoning_effort"] = told
    _add_tools(mapping(body.get("toolConfig")), mapped)
    _add_form(mapping(mapping(body.get("outputConfig")).get("textFormat")), mapped)
    if more:
        mapped.kept["additionalModelRequestFields"] = more
    mapped.kept.update({key: value for key, value in body.items() if key not in HANDLED and value not in (None, {})})
    if body.get("promptVariables"):  # the prompt itself is stored at the provider
        mapped.complete = False
    return mapped


def converse_output(body: Mapping[str, Any]) -> Output | None:
    """The answer in a Converse body; None when there is none."""
    message = mapping(mapping(body.get("output")).get("message"))
    if not message:
        return None
    calls: list[JsonObject] = []
    parts = _parts(_blocks(message.get("content")), calls, [], Mapped({}))
    written = "".join(part["text"] for part in parts if part["type"] == "text")
    reason = finish(body.get("stopReason"), called=bool(calls))
    return Output(text=written or None, tool_calls=tuple(calls), finish_reason=reason)


def converse_usage(reported: Mapping[str, Any]) -> Usage:
    """Tokens by Converse's names and by those of the invocation log; cached ones are added to the input."""
    fresh = count(first(reported, "inputTokens", "inputTokenCount"))
    read = count(first(reported, "cacheReadInputTokens", "cacheReadInputTokenCount"))
    written = count(first(reported, "cacheWriteInputTokens", "cacheWriteInputTokenCount"))
    out = count(first(reported, "outputTokens", "outputTokenCount"))
    if not any((fresh, read, written, out)):
        return Usage()
    return Usage(
        input_tokens=total(fresh, read, written),
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        output_tokens=out,
        total_tokens=count(reported.get("totalTokens")),
    )


def is_converse_event(event: Mapping[str, Any]) -> bool:
    """True for an event of ConverseStream, or of Nova's own stream."""
    return any(key in event for key in ("messageStart", "contentBlockDelta", "messageStop"))


def fold_converse(events: Iterable[Mapping[str, Any]]) -> JsonObject:
    """The body that ``events`` stream."""
    folded: JsonObject = {}
    blocks: dict[int, JsonObject] = {}
    for event in events:
        folded.update({key: value for key, value in event.items() if str(key).startswith("amazon-bedrock-")})
        begun, delta = mapping(event.get("contentBlockStart")), mapping(event.get("contentBlockDelta"))
        if begun:
            blocks[count(begun.get("contentBlockIndex")) or 0] = dict(mapping(begun.get("start")))
        if delta:
            _append(blocks.setdefault(count(delta.get("contentBlockIndex")) or 0, {}), mapping(delta.get("delta")))
        folded.update({k: v for k, v in mapping(event.get("messageStop")).items() if k == "stopReason"})
        folded.update({k: v for k, v in mapping(event.get("metadata")).items() if k in ("usage", "metrics", "trace")})
    folded["output"] = {"message": {"role": "assistant", "content": [blocks[index] for index in sorted(blocks)]}}
    return folded


def _append(block: JsonObject, delta: JsonObject) -> None:
    if isinstance(delta.get("text"), str):
        block["text"] = str(block.get("text") or "") + delta["text"]
    call = mapping(delta.get("toolUse"))
    if isinstance(call.get("input"), str):
        begun = mapping(block.get("toolUse"))
        block["toolUse"] = {**begun, "input": str(begun.get("input") or "") + call["input"]}
    if "reasoningContent" in delta:
        block.setdefault("reasoningContent", {})


def _add_message(message: JsonObject, messages: list[JsonObject], mapped: Mapped) -> None:
    calls: list[JsonObject] = []
    results: list[JsonObject] = []
    content = joined(_parts(_blocks(message.get("content")), calls, results, mapped))
    messages += results
    role = message.get("role")
    found: JsonObject = {"role": role if role in ("assistant", "system") else "user", "content": content}
    if calls:
        found["tool_calls"] = calls
    if content or calls:
        messages.append(found)


def _blocks(value: Any) -> list[JsonObject]:
    if isinstance(value, str):
        return [{"text": value}] if value else []
    return [{"text": item} if isinstance(item, str) else mapping(item) for item in listing(value)]


def _parts(
    blocks: list[JsonObject], calls: list[JsonObject], results: list[JsonObject], mapped: Mapped
) -> list[JsonObject]:
    parts: list[JsonObject] = []
    for found in blocks:
        block = mapping(found.get("guardContent")) or found
        told = block.get("text")
        if isinstance(told, dict):  # guardContent
            told = told.get("text")
        if isinstance(told, str):
            parts += [text_part(told)] if told else []
        elif call := mapping(block.get("toolUse")):
            calls.append(tool_call(text(call.get("toolUseId")) or f"call_{len(calls)}", call))
        elif result := mapping(block.get("toolResult")):
            results.append(_result(result, mapped))
        elif cited := mapping(block.get("citationsContent")):
            parts += _parts(_blocks(cited.get("content")), calls, results, mapped)
        elif media := _media(block, mapped):
            parts += media
        elif any(key in block for key in NOTES):
            if "cachePoint" in block:
                mapped.kept["cache_control"] = True
        else:
            mapped.complete = False
    return parts


def _result(result: JsonObject, mapped: Mapped) -> JsonObject:
    parts: list[JsonObject] = []
    for block in _blocks(result.get("content")):
        parts += [text_part(encoded(block["json"]))] if "json" in block else _parts([block], [], [], mapped)
    if any(part["type"] != "text" for part in parts):  # a tool's message may hold nothing but text
        mapped.complete = False
    if result.get("status") == "error":
        mapped.kept["tool_error"] = True
    return {"role": "tool", "tool_call_id": text(result.get("toolUseId")) or "", "content": joined(parts) or ""}


def _media(block: JsonObject, mapped: Mapped) -> list[JsonObject]:
    """An image, document, video or sound by its data or its reference, which only Bedrock can follow."""
    kind = next((kind for kind in MEDIA if mapping(block.get(kind))), None)
    if kind is None:
        return []
    item = mapping(block[kind])
    source, name = mapping(item.get("source")), item.get("name")
    if isinstance(source.get("text"), str):
        return [text_part(part) for part in (name, source["text"]) if part]
    if source.get("content"):
        return _parts(_blocks(source["content"]), [], [], mapped)
    data = source.get("bytes")
    if isinstance(data, str) and data and kind in ("image", "document"):
        form = text(item.get("format")) or ""
        address = f"data:{MIME.get(form, f'image/{form}')};base64,{data}"
        return [image_part(address) if kind == "image" else file_part(data=address, name=name)]
    mapped.complete = False
    reference = text(source.get("s3Uri")) or text(mapping(source.get("s3Location")).get("uri"))
    return [image_part(reference) if kind == "image" and reference else file_part(reference=reference, name=name)]


def _add_tools(config: JsonObject, mapped: Mapped) -> None:
    specs: list[JsonObject] = []
    for item in listing(config.get("tools")):
        offered = mapping(item)
        spec = mapping(offered.get("toolSpec"))
        if spec:
            schema = spec.get("inputSchema")
            specs.append({**spec, "inputSchema": mapping(mapping(schema).get("json")) or schema})
        elif "cachePoint" not in offered:  # a tool that runs at the provider
            mapped.lossless = False
    if tools := openai_tools(specs):
        mapped.request["tools"] = tools
    choice = mapping(config.get("toolChoice"))
    if named := mapping(choice.get("tool")):
        mapped.request["tool_choice"] = {"type": "function", "function": {"name": text(named.get("name")) or ""}}
    elif "any" in choice:
        mapped.request["tool_choice"] = "required"
    elif "auto" in choice:
        mapped.request["tool_choice"] = "auto"


def _add_form(form: JsonObject, mapped: Mapped) -> None:
    told = mapping(mapping(form.get("structure")).get("jsonSchema"))
    if schema := mapping(decoded(told.get("schema"))):
        mapped.request["response_format"] = schema_format(schema, text(told.get("name")))
    elif form:
        mapped.kept["outputConfig"] = form
