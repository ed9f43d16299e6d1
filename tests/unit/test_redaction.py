"""Secrets never reach the store; personal data only when asked to stay."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.redaction import Redactor, may_hold_secret, scrub_secrets

SECRETS = {
    "openai_key": "sk-proj-" + "aB3" * 12,
    "anthropic_key": "sk-ant-api03-" + "xY9" * 10,
    "google_key": "AIza" + "Sy4" * 12,
    "groq_key": "gsk_" + "a1B2" * 10,
    "huggingface_token": "hf_" + "aBcD" * 8,
    "xai_key": "xai-" + "a1B2" * 10,
    "github_token": "ghp_" + "a1B2" * 9,
    "gitlab_token": "glpat-" + "a1B2" * 5,
    "slack_token": "xoxb-123456789012-" + "abcDEF" * 3,
    "stripe_key": "sk_live_" + "a1B2" * 6,
    "aws_key": "AKIA" + "ABCD2345" * 2,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nxyz\n-----END RSA PRIVATE KEY-----",
}
HIDDEN = {
    "Authorization: Bearer a1b2c3d4e5f6g7h8i9": "a1b2c3d4e5f6g7h8i9",
    "postgres://bob:hunter2@db.internal:5432/shop": "hunter2",
    'config = {"api_key": "abcdef123456"}': "abcdef123456",
    "password = 'correct-horse'": "correct-horse",
    "export CLIENT_SECRET=a9s8d7f6g5": "a9s8d7f6g5",
    "https://host/x?access_token=a9s8d7f6g5&y=1": "a9s8d7f6g5",
    "AKIAABCD2345ABCD2345, wJalrXUtnFEMIzK7MDENGzbPxRfiCYzzzzzzzzzz": "wJalrXUtnFEMI",
}
HARMLESS = [
    "the secret to success: patience and a good key idea",
    "sk-learn-compatible-estimator-classes are task-based",
    "bearer responsibilities of the standard-bearer",
    "max_tokens: 12, token count 5, id 4711",
    "password: must have at least eight characters",
    "see https://example.org/a:b and mail@example.org",
    "hf_ and xai- and eyJ alone are no secrets",
    "use ${API_KEY} or os.environ['API_KEY'] or api_key=<your-key-here>",
    "AKIA is a prefix, ASIA a continent",
]


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_replaced_by_its_kind(kind: str) -> None:
    found = Redactor()
    cleaned = found.text(f"use {SECRETS[kind]}, please")
    assert cleaned == f"use [secret:{kind}], please"
    assert found.found == {f"secret:{kind}": 1}


@pytest.mark.parametrize("text", HIDDEN)
def test_what_an_assignment_or_address_hides_is_taken_out(text: str) -> None:
    cleaned = scrub_secrets(text)
    assert HIDDEN[text] not in cleaned
    assert "[secret:" in cleaned


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert scrub_secrets(text) == text


@pytest.mark.parametrize("text", [*SECRETS.values(), *HIDDEN])
def test_the_quick_look_misses_nothing_also_inside_json_inside_json(text: str) -> None:
    once = msgspec.json.encode({"messages": [{"content": f"a {text} b"}]}).decode()
    twice = json.dumps(once)
    assert may_hold_secret(text) and may_hold_secret(once) and may_hold_secret(twice)


@given(st.sampled_from([*SECRETS.values(), *HIDDEN]), st.text(max_size=30), st.text(max_size=30))
def test_the_quick_look_never_skips_what_the_full_look_would_find(secret: str, before: str, after: str) -> None:
    text = f"{before} {secret} {after}"
    assert may_hold_secret(text)
    cleaned = scrub_secrets(text)
    assert cleaned != text
    assert scrub_secrets(cleaned) == cleaned


def test_fields_are_known_by_their_name_at_any_depth() -> None:
    body = {
        "tool": {
            "arguments": {"apiKey": "abcdef1234", "db_password": "hunter2hunter2", "authorization": "Basic dXNlcjpw"}
        }
    }
    found = Redactor()
    hidden = {"apiKey": "[secret:field]", "db_password": "[secret:field]", "authorization": "Basic [secret:basic_auth]"}
    assert found.clean(body) == {"tool": {"arguments": hidden}}
    assert found.found == {"secret:field": 2, "secret:basic_auth": 1}


def test_a_schema_that_describes_a_password_stays() -> None:
    schema = {"properties": {"password": {"type": "string", "description": "at least eight characters"}}}
    assert Redactor().clean(schema) == schema


def test_tool_arguments_in_json_text_are_cleaned() -> None:
    call = {"function": {"arguments": json.dumps({"password": "hunter2hunter2", "user": "bob"})}}
    assert "hunter2" not in json.dumps(Redactor().clean(call))


def test_personal_data_stay_unless_asked() -> None:
    text = "bob@example.org, +49 170 1234567"
    assert Redactor().text(text) == text


def test_personal_data_get_numbered_placeholders_that_are_the_same_within_a_call() -> None:
    found = Redactor(personal=True)
    seen: dict[tuple[str, str], int] = {}
    request = found.clean({"content": "From bob@example.org to amy@example.org"}, seen)
    answer = found.clean("Dear AMY@example.org", seen)
    assert request == {"content": "From [email:1] to [email:2]"}
    assert answer == "Dear [email:2]"
    assert found.found["email"] == 3


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("card 4111 1111 1111 1111.", "card [card:1]."),
        ("card 4111-1111-1111-1112.", "card 4111-1111-1111-1112."),
        ("order 1234567890123", "order 1234567890123"),
        ("IBAN DE89 3704 0044 0532 0130 00 ok", "IBAN [iban:1] ok"),
        ("IBAN DE89370400440532013000", "IBAN [iban:1]"),
        ("IBAN DE00370400440532013000 ok", "IBAN DE00370400440532013000 ok"),
        ("from 10.0.0.255 on", "from [ipv4:1] on"),
        ("version 1.2.3.4.5 of 300.1.1.1", "version 1.2.3.4.5 of 300.1.1.1"),
        ("call +49 (0)30 123 45 67 now", "call [phone:1] now"),
        ("call (555) 123-4567, 555-123-4567 or 555-123-4568", "call [phone:1], [phone:1] or [phone:2]"),
        ("2026-11-21 12:00:00", "2026-11-21 12:00:00"),
    ],
)  # fmt: skip
def test_personal_data_are_checked_before_they_are_replaced(text: str, cleaned: str) -> None:
    assert Redactor(personal=True).text(text) == cleaned


def test_a_user_keeps_one_placeholder_for_the_whole_run() -> None:
    found = Redactor(personal=True)
    assert [found.person(user) for user in ("bob@example.org", "amy@example.org", "bob@example.org", "u-17")] == [
        "[user:1]", "[user:2]", "[user:1]", "u-17",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "a_" * 50_000,
        "-" * 100_000,
        "password" * 20_000,
        "sk-" * 40_000,
        "bearer " * 20_000,
        "a.b@" * 30_000,
        "1 " * 60_000,
    ],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    took = []
    for length in (10_000, 40_000):
        started = time.process_time()
        Redactor(personal=True).text(text * (length // len(text)))
        took.append(time.process_time() - started)
    assert took[1] < 8 * took[0] + 0.2


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.text(max_size=20) | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_the_shape_of_a_value_is_kept(value: Any) -> None:
    def shape(item: Any) -> Any:
        if isinstance(item, dict):
            return [shape(inner) for inner in item.values()]
        return [shape(inner) for inner in item] if isinstance(item, list) else type(item)

    assert shape(Redactor().clean(value)) == shape(value)
