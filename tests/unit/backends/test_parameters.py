"""Which field a refusal names, in the words of the servers that were seen to say it."""

from __future__ import annotations

from typing import Any

import pytest

from tieraudit.backends.parameters import has_media, refused_field

BODY: dict[str, Any] = {
    "messages": [],
    "n": 2,
    "stop": ["x"],
    "user": "u",
    "store": True,
    "max_tokens": 5,
    "logprobs": True,
    "top_logprobs": 2,
    "response_format": {},
    "reasoning_effort": "low",
    "tools": [],
}


@pytest.mark.parametrize(
    ("param", "message", "field"),
    [
        ("max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens"),
        (None, "Unrecognized request argument supplied: store", "store"),
        (None, "Unknown parameter: 'reasoning_effort'.", "reasoning_effort"),
        ("response_format.json_schema", "Invalid schema", "response_format"),
        ("body.reasoning_effort", "Input should be 'none', 'low'", "reasoning_effort"),
        (None, "m does not support parameters: ['logprobs', 'top_logprobs'], for model=m", "logprobs"),
        (
            None,
            "[{'type': 'extra_forbidden', 'loc': ('body', 'store'), 'msg': 'Extra inputs are not permitted'}]",
            "store",
        ),
        ("max_completion_tokens", "max_completion_tokens is too large", "max_tokens"),
        ("messages", "messages: too long", None),
        ("tools", "tools are not supported", None),
        (None, "the user must stop asking n times", None),
        (None, "'user' is not allowed", "user"),
        ("temperature", "not in the body at all", None),
    ],
)
def test_the_refused_field(param: str | None, message: str, field: str | None) -> None:
    assert refused_field(BODY, param, message) == field


@pytest.mark.parametrize(
    ("content", "media"),
    [
        ("text", False),
        (None, False),
        ([{"type": "text", "text": "a"}], False),
        ([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}], True),
        ([{"type": "input_audio"}], True),
    ],
)
def test_images_and_audio_are_noticed(content: Any, media: bool) -> None:
    assert has_media({"messages": [{"role": "user", "content": content}]}) == media
