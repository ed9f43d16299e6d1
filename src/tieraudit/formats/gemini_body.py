"""Gemini bodies (Gemini API, Vertex AI) as Chat Completions, in camelCase as sent and in snake_case as logged.

Source of the field map: the GenerateContent reference of Vertex AI and of the Gemini API. Thoughts are left out: they
are the model's own notes, counted beside the answer's tokens. Tools that run at the provider (search, code execution)
have no counterpart; such a call is kept as operation ``generate_content``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject, Output, Usage
from tieraudit.formats.bodies import Exchange, effort, file_part, finish, image_part, joined, schema_format, text_part
from tieraudit.formats.bodies import total as sum_of
from tieraudit.formats.chat import chat_request, error_of, tool_call
from tieraudit.formats.fields import count, encoded, listing, mapping, text
from tieraudit.formats.messages import pair_tools
from tieraudit.formats.responses import Mapped
from tieraudit.formats.tools import openai_tools

OPERATION = "generate_content"
PARAMETERS = {
    "temperature": "temperature", "topP": "top_p", "topK": "top_k", "candidateCount": "n",
    "maxOutputTokens": "max_tokens", "stopSequences": "stop", "seed": "seed", "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty", "responseLogprobs": "logprobs", "logprobs": "top_logprobs",
}  # fmt: skip
SCHEMAS = ("responseJsonSchema", "responseSchema")
CHOICES = {"AUTO": "auto", "ANY": "required", "VALIDATED": "auto", "NONE": "none"}
DECLARATIONS = "functionDeclarations"
HANDLED = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model", "labels", "config"}


def gemini_exchange(asked: Mapping[str, Any], answer: Any) -> Exchange:
    """The call of a request body and an answer: a body, or the list of bodies that it was streamed as."""
    mapped = gemini_request(asked)
    answered = fold_gemini(listing(answer)) if isinstance(answer, list) else mapping(answer)
    return Exchange(
        request=mapped.request if mapped.request.get("messages") else None,
        response=gemini_output(answered),
        usage=gemini_usage(mapping(_of(answered, "usageMetadata"))),
        operation="chat" if mapped.lossless else OPERATION,
        complete=mapped.complete,
        kept=mapped.kept,
        response_model=text(_of(answered, "modelVersion")),
        response_id=text(_of(answered, "responseId")),
        error=_error(answered),
    )


def gemini_request(body: Mapping[str, Any]) -> Mapped:
    """The canonical request of a GenerateContent body."""
    mapped = Mapped({})
    messages: list[JsonObject] = []
    config = {**mapping(body.get("config")), **mapping(_of(body, "generationConfig"))}
    around = {_camel(key): value for key, value in {**mapping(body.get("config")), **body}.items()}
    if system := joined(_parts(_contents(around.get("systemInstruction")), [], [], mapped)):
        messages.append({"role": "system", "content": system})
    given = around.get("contents")
    for item in [given] if isinstance(given, str | dict) else listing(given):
        _add_content({"parts": [item]} if isinstance(item, str) else mapping(item), messages, mapped)
    pair_tools(messages)
    parameters = {_camel(key): value for key, value in config.items()}
    request = {new: parameters[old] for old, new in PARAMETERS.items() if parameters.get(old) not in (None, [])}
    mapped.request = chat_request(request, messages)
    _add_tools(listing(around.get("tools")), mapping(around.get("toolConfig")), mapped)
    _add_form_and_thinking(parameters, mapped)
    handled = {*HANDLED, *PARAMETERS, *SCHEMAS, "responseMimeType", "thinkingConfig"}
    mapped.kept.update({key: value for key, value in mapping(body.get("labels")).items() if value is not None})
    for key, value in {**parameters, **around}.items():
        if key not in handled and value not in (None, [], {}):
            mapped.kept[key] = value
    if around.get("cachedContent"):  # the beginning of the prompt is stored at the provider
        mapped.complete = False
    return mapped


def gemini_output(body: Mapping[str, Any]) -> Output | None:
    """The answer of the first candidate; None when there is none."""
    candidate = mapping(next(iter(listing(body.get("candidates"))), None))
    if not candidate:
        return None
    calls: list[JsonObject] = []
    parts = _parts(_contents(candidate.get("content")), calls, [], Mapped({}))
    written = "".join(part["text"] for part in parts if part["type"] == "text")
    reason = finish(_of(candidate, "finishReason"), called=bool(calls))
    pair_tools([{"role": "assistant", "tool_calls": calls}])
    return Output(text=written or None, tool_calls=tuple(calls), finish_reason=reason)


def gemini_usage(reported: Mapping[str, Any]) -> Usage:
    """Tokens; thoughts are counted beside the candidates, and what tools brought in beside the prompt."""
    asked, brought = count(_of(reported, "promptTokenCount")), count(_of(reported, "toolUsePromptTokenCount"))
    said, thought = count(_of(reported, "candidatesTokenCount")), count(_of(reported, "thoughtsTokenCount"))
    total = count(_of(reported, "totalTokenCount"))
    if not any((asked, said, thought, total)):
        return Usage()
    return Usage(
        input_tokens=sum_of(asked, brought),
        cache_read_input_tokens=count(_of(reported, "cachedContentTokenCount")),
        output_tokens=sum_of(said, thought) if (said, thought) != (None, None) else (0 if total == asked else None),
        reasoning_output_tokens=thought,
        total_tokens=total,
    )


def fold_gemini(chunks: list[Any]) -> JsonObject:
    """The body that ``chunks`` stream: the first candidate's parts in order, and what was said last of the rest."""
    folded: JsonObject = {}
    parts: list[Any] = []
    candidate: JsonObject = {}
    for item in chunks:
        chunk = mapping(item)
        folded.update(chunk)
        piece = mapping(next(iter(listing(chunk.get("candidates"))), None))
        parts += listing(mapping(piece.get("content")).get("parts"))
        candidate.update({key: value for key, value in piece.items() if value is not None})
    if candidate:
        folded["candidates"] = [{**candidate, "content": {"role": "model", "parts": parts}}]
    return folded


def _error(body: JsonObject) -> tuple[str, str | None] | None:
    """(type, message) of a failure, or of a prompt that was blocked and so has no candidates."""
    told = mapping(body.get("error"))
    if status := text(told.get("status")):
        return status, text(told.get("message"))
    feedback = mapping(_of(body, "promptFeedback"))
    blocked = text(_of(feedback, "blockReason"))
    if blocked and not listing(body.get("candidates")):
        return blocked, text(_of(feedback, "blockReasonMessage"))
    return error_of(body)


def _of(mapping_: Mapping[str, Any], name: str) -> Any:
    """The field ``name`` (in camelCase), or the same in snake_case."""
    value = mapping_.get(name)
    return mapping_.get(_snake(name)) if value is None else value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _camel(name: str) -> str:
    head, *rest = str(name).split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _contents(value: Any) -> list[Any]:
    """The parts of a content, which may be a string, one part, parts, or a list of contents."""
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, dict):
        parts = value.get("parts")
        return ([parts] if isinstance(parts, str | dict) else listing(parts)) if "parts" in value else [value]
    return [part for item in listing(value) for part in _contents(item)]


def _add_content(content: JsonObject, messages: list[JsonObject], mapped: Mapped) -> None:
    calls: list[JsonObject] = []
    results: list[JsonObject] = []
    parts = joined(_parts(_contents(content), calls, results, mapped))
    role = content.get("role")
    messages += results
    found: JsonObject = {"role": "assistant" if role in ("model", "assistant") else "user", "content": parts}
    if calls:
        found["tool_calls"] = calls
    if parts or calls:
        messages.append(found)


def _parts(items: list[Any], calls: list[JsonObject], results: list[JsonObject], mapped: Mapped) -> list[JsonObject]:
    parts: list[JsonObject] = []
    for item in items:
        part = {"text": item} if isinstance(item, str) else mapping(item)
        if part.get("thought") is True:
            continue
        call, result = mapping(_of(part, "functionCall")), mapping(_of(part, "functionResponse"))
        data, file = mapping(_of(part, "inlineData")), mapping(_of(part, "fileData"))
        if isinstance(part.get("text"), str):
            parts += [text_part(part["text"])] if part["text"] else []
        elif call:
            calls.append(tool_call(text(call.get("id")) or f"call_{len(calls)}", call))
        elif result:
            results.append(_result(result))
        elif data or file:
            parts.append(_media(data, file, mapped))
        elif "executableCode" in part or "executable_code" in part or _of(part, "codeExecutionResult"):
            mapped.lossless = False
        elif part:
            mapped.complete = mapped.complete and set(part) <= {"thoughtSignature", "thought_signature"}
    return parts


def _result(result: JsonObject) -> JsonObject:
    value = result.get("response")
    message: JsonObject = {"role": "tool", "content": value if isinstance(value, str) else encoded(value or {})}
    if call_id := text(result.get("id")):
        message["tool_call_id"] = call_id
    if name := text(result.get("name")):
        message["name"] = name
    return message


def _media(data: JsonObject, file: JsonObject, mapped: Mapped) -> JsonObject:
    """An image or file by its data or its address; of addresses only those of the web can be followed by others."""
    kind = text(_of(data, "mimeType")) or text(_of(file, "mimeType")) or "application/octet-stream"
    held, url = data.get("data"), text(_of(file, "fileUri")) or ""
    if isinstance(held, str) and held:
        address = f"data:{kind};base64,{held}"
        if kind.startswith(("audio/", "video/")):
            mapped.complete = False
        return (
            image_part(address) if kind.startswith("image/") else file_part(data=address, name=data.get("displayName"))
        )
    public = kind.startswith("image/") and url.startswith("https://") and "generativelanguage." not in url
    mapped.complete = mapped.complete and public
    return image_part(url) if kind.startswith("image/") else file_part(reference=url)


def _add_tools(offered: list[Any], config: JsonObject, mapped: Mapped) -> None:
    declared: list[Any] = []
    for item in offered:
        tool = mapping(item)
        found = listing(_of(tool, DECLARATIONS))
        declared += found
        if not found or len(tool) > 1:
            mapped.lossless = False
    tools = openai_tools(declared)
    for made in tools:
        if "parameters" in made["function"]:
            made["function"]["parameters"] = json_schema(made["function"]["parameters"])
    if tools:
        mapped.request["tools"] = tools
    calling = mapping(_of(config, "functionCallingConfig"))
    mode = text(calling.get("mode"))
    allowed = [name for name in listing(_of(calling, "allowedFunctionNames")) if isinstance(name, str)]
    if mode in CHOICES:
        choice: Any = CHOICES[mode]
        if choice == "required" and len(allowed) == 1:
            choice = {"type": "function", "function": {"name": allowed[0]}}
        elif choice == "required" and allowed and tools:
            mapped.request["tools"] = [made for made in tools if made["function"]["name"] in allowed] or tools
        mapped.request["tool_choice"] = choice


def _add_form_and_thinking(parameters: JsonObject, mapped: Mapped) -> None:
    schema = next((found for name in SCHEMAS if (found := mapping(parameters.get(name)))), {})
    kind = text(parameters.get("responseMimeType"))
    if schema:
        mapped.request["response_format"] = schema_format(json_schema(schema))
    elif kind == "application/json":
        mapped.request["response_format"] = {"type": "json_object"}
    elif kind not in (None, "text/plain"):
        mapped.kept["responseMimeType"] = kind
    thinking = mapping(parameters.get("thinkingConfig"))
    level = text(_of(thinking, "thinkingLevel"))
    told = level.lower() if level else effort(_of(thinking, "thinkingBudget"))
    if told and told != "thinking_level_unspecified":
        mapped.request["reasoning_effort"] = told
    if thinking:
        mapped.kept["thinkingConfig"] = thinking


def json_schema(schema: Any) -> Any:
    """Gemini's schema as JSON Schema: types in lower case, ``nullable`` as a type."""
    if isinstance(schema, list):
        return [json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found: JsonObject = {}
    for key, value in schema.items():
        name = _camel(key) if key in ("any_of", "property_ordering", "min_items", "max_items") else key
        if name in ("properties", "$defs") and isinstance(value, dict):
            found[name] = {field: json_schema(inner) for field, inner in value.items()}
        elif name == "type" and isinstance(value, str):
            found[name] = value.lower()
        elif name in ("enum", "required", "default", "example", "const", "propertyOrdering"):
            found[name] = value
        else:
            found[name] = json_schema(value)
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        del found["nullable"]
        found["type"] = [found["type"], "null"]
    return found
