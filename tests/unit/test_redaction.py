"""Secrets never reach the store; personal data only when asked to stay."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit import redaction
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


def test_one_value_has_one_placeholder_wherever_it_stands_and_in_every_run_with_the_key() -> None:
    first, again, other = (Redactor(personal=True, key=key) for key in (b"k", b"k", b"l"))
    request = first.clean({"content": "From bob@example.org to amy@example.org"})
    assert again.text("Dear AMY@example.org").removeprefix("Dear ") == request["content"].split(" to ")[1]
    assert other.text("Dear AMY@example.org").removeprefix("Dear ") != request["content"].split(" to ")[1]
    assert first.clean(request) == request
    assert first.found == {"email": 2}


def kinds(text: str) -> str:
    """``text`` redacted, the placeholders without their digits."""
    return re.sub(r":[0-9a-f]{4}\]", "]", Redactor(personal=True).text(text))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("mail müller.bob+x@sub.example.co.uk!", "mail [email]!"),
        ("card 4111 1111 1111 1111.", "card [card]."),
        ("card 4111-1111-1111-1112.", "card 4111-1111-1111-1112."),
        ("amex 378282246310005, visa 4000056655665556", "amex [card], visa [card]"),
        ("order 1234567890123 and 2026112100000008", "order 1234567890123 and 2026112100000008"),
        ("IBAN DE89 3704 0044 0532 0130 00 ok", "IBAN [iban] ok"),
        ("IBAN DE89370400440532013000, GB29NWBK60161331926819", "IBAN [iban], [iban]"),
        ("IBAN DE00370400440532013000 ok", "IBAN DE00370400440532013000 ok"),
        ("from 10.0.0.255 on, not 127.0.0.1", "from [ipv4] on, not 127.0.0.1"),
        ("version 1.2.3.4.5 of 300.1.1.1", "version 1.2.3.4.5 of 300.1.1.1"),
        ("from 2001:db8:85a3::8a2e:370:7334 at 12:34:56", "from [ipv6] at 12:34:56"),
        ("std::vector, a::b, ::1, fe80::1ff:fe23:4567:890a", "std::vector, a::b, ::1, [ipv6]"),
        ("call +49 (0)30 123 45 67 now", "call [phone] now"),
        ("call (555) 123-4567, 555-123-4567 or +1 212 555 0123", "call [phone], [phone] or [phone]"),
        ("Tel. 0301234567, phone: 2125550123", "Tel. [phone], phone: [phone]"),
        ("2026-11-21 12:00:00, 2125550123 rows, 1732230000", "2026-11-21 12:00:00, 2125550123 rows, 1732230000"),
        ("SSN 536-90-4399; SSN: 536904399", "SSN [us_ssn]; SSN: [us_ssn]"),
        ("536904399 rows, 536-90-4399-1", "536904399 rows, 536-90-4399-1"),
        ("NINO AB 12 34 56 C or AB123456C", "NINO [gb_nino] or [gb_nino]"),
        ("Steuer-ID 36 574 261 809; 36574261809 items", "Steuer-ID [de_idnr]; 36574261809 items"),
        ("NIR 2 95 10 99 126 111 93", "NIR [fr_nir]"),
        ("DNI 54362315K, NIE X-2482300W, 54362315A", "DNI [es_dni], NIE [es_nie], 54362315A"),
        ("CF RCCMNL83S18D969H", "CF [it_cf]"),
        ("PESEL: 44051401359; 44051401359", "PESEL: [pl_pesel]; 44051401359"),
        ("BSN 1112.22.333", "BSN [nl_bsn]"),
        ("NN 85.07.30-033.28", "NN [be_nn]"),
        ("AHV 756.9217.0769.85", "AHV [ch_ahv]"),
        ("personnummer 880320-0016", "personnummer [se_personnummer]"),
        ("CPF 390.533.447-05", "CPF [br_cpf]"),
        ("Aadhaar 2341 2341 2346", "Aadhaar [in_aadhaar]"),
    ],
)  # fmt: skip
def test_personal_data_are_checked_before_they_are_replaced(text: str, cleaned: str) -> None:
    assert kinds(text) == cleaned


def test_a_user_keeps_one_placeholder_for_the_whole_run() -> None:
    redactor = Redactor(personal=True)
    bob, amy, again, plain = (
        redactor.person(user) for user in ("bob@example.org", "amy@example.org", "bob@example.org", "u-17")
    )
    assert bob.startswith("[user:") and bob == again != amy
    assert plain == "u-17"


def test_names_are_found_by_an_installed_finder(monkeypatch: pytest.MonkeyPatch) -> None:
    def ada(text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer("Ada Lovelace|example", text)]

    monkeypatch.setattr(redaction, "name_finders", lambda: [ada])
    redactor = Redactor(personal=True)
    assert re.fullmatch(
        r"\[name:[0-9a-f]{4}\] <\[email:[0-9a-f]{4}\]>", redactor.text("Ada Lovelace <ada@example.org>")
    )
    assert redactor.found == {"name": 1, "email": 1}


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
