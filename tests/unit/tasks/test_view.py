"""What a router sees of a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.tasks.view import view

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_all_system_and_developer_texts_are_joined_with_one_space_and_stripped() -> None:
    seen = view(
        {
            "messages": [
                {"role": "system", "content": " One. "},
                {
                    "role": "developer",
                    "content": [{"type": "text", "text": "Two."}, {"type": "text", "text": "Three."}],
                },
                {"role": "user", "content": "first"},
                {"role": "assistant", "content": "answer"},
                {"role": "user", "content": "last"},
            ]
        }
    )
    assert seen.system == "One.  Two. Three."
    assert (seen.opening, seen.user) == ("first", "last")
    assert seen.shots == "user: first\nassistant: answer"


def test_a_greeting_alone_is_no_example() -> None:
    messages = [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "hi"}]
    assert view({"messages": messages}).shots == ""


def test_tools_go_by_name_in_order() -> None:
    tools = [
        {"type": "function", "function": {"name": "b"}},
        {"type": "web_search"},
        {"name": "a", "input_schema": {}},
    ]
    assert view({"tools": tools, "functions": [{"name": "c"}]}).tools == ("a", "b", "c", "web_search")


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, "json_object"),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"properties": {"b": 1, "a": 2}}}}, "x(a,b)"),
        ({"type": "json_schema", "json_schema": {"name": "x"}}, "x()"),
    ],
)
def test_a_schema_goes_by_its_name_and_keys(form: object, schema: str | None) -> None:
    assert view({"response_format": form}).schema == schema


def test_an_image_is_seen() -> None:
    content = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    seen = view({"messages": [{"role": "user", "content": content}]})
    assert seen.has_image
    assert seen.user == "what is it?"


@given(st.dictionaries(st.sampled_from(["messages", "tools", "functions", "response_format", "prompt"]), json_values))
def test_no_shape_of_request_raises(request: dict[str, Any]) -> None:
    view(request)


@given(
    st.lists(st.dictionaries(st.sampled_from(["role", "content", "tool_calls"]), json_values, max_size=3), max_size=4)
)
def test_no_shape_of_message_raises(messages: list[Any]) -> None:
    view({"messages": messages})
