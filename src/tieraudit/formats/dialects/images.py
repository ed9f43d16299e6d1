"""Parts of messages as the rest of the code knows them: pictures by their address, Bedrock's blocks as Anthropic's."""

from __future__ import annotations

from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.fields import first, listing, mapping, text


def with_images(value: Any) -> Any:
    """``value`` with parts as the rest of the code knows them: the images of OpenTelemetry, Vercel and Anthropic as
    ``image_url``, Bedrock's blocks as Anthropic's."""
    if isinstance(value, list):
        return [with_images(item) for item in value]
    if not isinstance(value, dict):
        return value
    if (image := _image(value)) is not None:
        return {"type": "image_url", "image_url": {"url": image}}
    if len(value) == 1 and (block := _block(value)) is not None:
        return block
    inner = {
        key: with_images(value[key]) for key in ("parts", "content", "messages") if isinstance(value.get(key), list)
    }
    return {**value, **inner} if inner else value


def _block(part: JsonObject) -> JsonObject | None:
    """A block of Bedrock's Converse, which is named by its only key; None for anything else."""
    if call := mapping(part.get("toolUse")):
        return {"type": "tool_use", "id": call.get("toolUseId"), "name": call.get("name"), "input": call.get("input")}
    if result := mapping(part.get("toolResult")):
        written = [first(mapping(item), "text", "json") for item in listing(result.get("content"))]
        content = written[0] if len(written) == 1 else written
        return {"type": "tool_result", "tool_use_id": result.get("toolUseId"), "content": content}
    return {"type": "reasoning"} if "reasoningContent" in part else None


def _image(part: JsonObject) -> str | None:
    """The address of an image, or its data as one; None for what is no image or names none."""
    kind = part.get("type")
    source = mapping(part.get("source"))
    named = (
        text(first(part, "mime_type", "mimeType", "mediaType", "media_type")) or text(source.get("media_type")) or ""
    )
    if kind not in ("uri", "blob", "image", "file"):
        return None
    if kind != "image" and part.get("modality") != "image" and not named.startswith("image/"):
        return None
    told = first(part, "uri", "url", "image", "content", "data", "file_id") or first(source, "url", "data")
    if not isinstance(told, str):
        return None
    if told.startswith(("http:", "https:", "data:", "gs:", "s3:", "file:")):
        return told
    return f"data:{named or 'image/png'};base64,{told}" if kind in ("blob", "image") else told
