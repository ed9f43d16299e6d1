"""Keys of every kind never survive, wherever they stand and however they are encoded; what looks like one does."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tieraudit.redaction import SECRET_SIGNS, Redactor, may_hold_secret, scrub_secrets
from tieraudit.redaction.kinds import KINDS, Kind

LOWER, UPPER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
HEX, ALNUM = DIGITS + "abcdef", LOWER + UPPER + DIGITS
URL = ALNUM + "-_"
B64 = ALNUM + "+/"


def run(alphabet: str, size: int, end: int | None = None) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=size, max_size=end or size)


def joined(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map("".join)


def mixed(alphabet: str, size: int) -> st.SearchStrategy[str]:
    """A random key: it holds a digit, and never ends in a mark that a sentence could end with."""
    return joined(run(alphabet, size - 2), run(DIGITS, 1), run(LOWER, 1))


UUIDS = st.uuids().map(str)
# What each provider hands out, by the shape its own page or the maintained detectors give.
KEYS: dict[str, st.SearchStrategy[str]] = {
    "openai, old": joined("sk-", run(ALNUM, 20), "T3BlbkFJ", run(ALNUM, 20)),
    "openai, project": joined("sk-proj-", run(URL, 74), "T3BlbkFJ", run(URL, 74)),
    "openai, service account": joined("sk-svcacct-", run(URL, 58), "T3BlbkFJ", run(URL, 58)),
    "openai, admin": joined("sk-admin-", run(URL, 58), "T3BlbkFJ", run(URL, 58)),
    "litellm, virtual": joined("sk-", mixed(URL, 22)),
    "deepseek": joined("sk-", mixed(HEX, 32)),
    "anthropic": joined("sk-ant-api03-", run(URL, 93), "AA"),
    "anthropic, admin": joined("sk-ant-admin01-", run(URL, 93), "AA"),
    "openrouter": joined("sk-or-v1-", run(HEX, 64)),
    "langfuse, secret": joined("sk-lf-", UUIDS),
    "langfuse, public": joined("pk-lf-", UUIDS),
    "langsmith": joined("lsv2_pt_", run(HEX, 32), "_", run(HEX, 10)),
    "google": joined("AIza", run(URL, 35)),
    "google, oauth": joined("ya29.", mixed(URL, 60)),
    "groq": joined("gsk_", run(ALNUM, 52)),
    "xai": joined("xai-", run(ALNUM, 80)),
    "hugging face": joined("hf_", run(LOWER + UPPER, 34)),
    "replicate": joined("r8_", run(ALNUM, 37)),
    "together": joined("tgp_v1_", run(URL, 43)),
    "perplexity": joined("pplx-", run(ALNUM, 48)),
    "nvidia": joined("nvapi-", mixed(URL, 64)),
    "cerebras": joined("csk-", run(LOWER + DIGITS, 48)),
    "databricks": joined("dapi", run(HEX, 32)),
    "aws": joined(st.sampled_from(["AKIA", "ASIA"]), run(UPPER + "234567", 16)),
    "bedrock": joined("ABSK", run(B64, 120)),
    "azure": joined(run(ALNUM, 52), "JQQJ99", run(ALNUM, 26)),
    "azure ad": joined(run(ALNUM, 3), "8Q~", mixed(URL, 34)),
    "github": joined(st.sampled_from(["ghp_", "gho_", "ghs_"]), run(ALNUM, 36)),
    "github, fine": joined("github_pat_", run(ALNUM, 22), "_", run(ALNUM, 59)),
    "gitlab": joined("glpat-", mixed(URL, 20)),
    "slack": joined("xoxb-", run(DIGITS, 12), "-", run(DIGITS, 12), "-", run(ALNUM, 24)),
    "stripe": joined("sk_live_", run(ALNUM, 24)),
    "npm": joined("npm_", run(ALNUM, 36)),
    "sendgrid": joined("SG.", run(URL, 22), ".", mixed(URL, 43)),
    "telegram": joined(run("123456789", 10), ":AA", mixed(URL, 33)),
    "twilio": joined("SK", run(HEX, 32)),
    "jwt": joined("eyJ", run(URL, 20), ".eyJ", run(URL, 40), ".", mixed(URL, 43)),
    "pem": joined("-----BEGIN PRIVATE KEY-----\n", run(B64, 64), "\n", run(B64, 40), "\n-----END PRIVATE KEY-----"),
    "openssh": joined("-----BEGIN OPENSSH PRIVATE KEY-----\n", run(B64, 70), "\n-----END OPENSSH PRIVATE KEY-----"),
    "pgp": joined("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n", run(B64, 64), "\n-----END PGP PRIVATE KEY BLOCK-----"),
    "slack hook": joined("https://hooks.slack.com/services/T012AB3CD/B012AB3CD/", run(ALNUM, 24)),
    "discord hook": joined("https://discord.com/api/webhooks/", run("123456789", 18), "/", mixed(URL, 68)),
    "teams hook": joined("https://acme.webhook.office.com/webhookb2/", UUIDS, "@", UUIDS, "/IncomingWebhook/a", UUIDS),
}  # fmt: skip
WORD = run(ALNUM, 16, 40).filter(lambda word: any(c.isdigit() for c in word) and any(c.isalpha() for c in word))
# A secret without a shape of its own, in what tells that it is one.
HELD: dict[str, str] = {
    "environment": "MISTRAL_API_KEY=%s",
    "cohere": "export CO_API_KEY='%s'",
    "aws secret": 'aws_secret_access_key = "%s"',
    "aws session": "AWS_SESSION_TOKEN=%s",
    "azure header": "api-key: %s",
    "anthropic header": "x-api-key: %s",
    "azure gateway": "Ocp-Apim-Subscription-Key: %s",
    "bearer": "Authorization: Bearer %s",
    "token": "authorization: token %s",
    "curl": "curl -H 'Authorization: Bearer %s' https://api.example.com/v1",
    "password": "the password is %s",
    "postgres": "postgres://bob:%s@db.internal:5432/shop",
    "mongodb": "mongodb+srv://bob:%s@cluster0.mongodb.net/?retryWrites=true",
    "redis": "redis://:%s@cache:6379/0",
    "amqp": "amqp://guest:%s@queue:5672//",
    "jdbc": "jdbc:sqlserver://db:1433;databaseName=shop;user=sa;password=%s;encrypt=true",
    "odbc": "Driver=SQL Server;Server=db;Uid=sa;Pwd=%s;",
    "azure storage": "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=%s==;EndpointSuffix=core.windows.net",
    "service bus": "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey=%s=",
    "sas": "https://acme.blob.core.windows.net/a/b.png?sv=2022-11-02&se=2026-01-01&sig=%s0000&sp=r",
    "sas, whole": "SharedAccessSignature sr=https%%3a%%2f%%2facme&sig=%s0000&se=1767225600",
    "presigned": "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=%s0000",
    "cookie": "Cookie: theme=dark; session=%s; lang=de",
    "set-cookie": "Set-Cookie: sid=%s; Path=/; HttpOnly",
    "yaml": "client_secret: %s",
    "json": '{"user": "bob", "password": "%s"}',
    "repr": "{'api_key': '%s', 'n': 1}",
}
LOOK_ALIKES = [
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixed it",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "request 123e4567-e89b-12d3-a456-426614174000 took 3 s",
    "sk-learn, sk-learn-compatible-estimator-classes, the task-management-and-planning-tool, disk-utilization-report",
    "order 4711-0815-1234567890, invoice INV-2026-000123456, ISBN 978-3-16-148410-0",
    "call_abc123DEF456ghi789JKL012 and chatcmpl-9xYzAbCdEfGhIjKlMnOpQrStUvWxY and msg_01XFDUDYJgAACzvnptvVoYEL",
    "gpt-4o-mini-2024-07-18, claude-3-5-sonnet-20241022, meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "basic authentication, the basic understanding, Basic dGhpcyBpcyBwcm9zZQ==",
    "the bearer of this letter, bearer responsibilities, a standard-bearer",
    "max_tokens=4096, token_count: 123456789, next_page_token is opaque, primary_key=customer_id",
    "def get(api_key=None): return client(api_key=settings.OPENAI_API_KEY, token=get_access_token(user))",
    "password: must have at least 8 characters; secret: nobody knows; the key: 12345678 items",
    "see https://example.org:8443/a:b@c and mail bob@example.org; a ratio of 1:2@3",
    "https://example.com/?signature=short&sig=ok&page=2, cookie consent: accepted, cookies: delicious",
    "-----BEGIN CERTIFICATE----- is no key; a file may begin with -----BEGIN PRIVATE KEY----- and then its lines",
    "AKIA is a prefix, ASIA a continent, hf_hub_download(repo_id='a/b'), npm_config_registry, xai-explainability",
    "/usr/lib/python3/dist-packages/sk_build_utils/fw_update, Q~ and 1//0 and eyJ and SG. and JQQJ",
    "data:image/png;base64," + base64.b64encode(hashlib.shake_128(b"image").digest(20_000)).decode(),
]  # fmt: skip


def as_numbers(text: str) -> str:
    """JSON text of ``text`` with every letter and digit written as its number."""
    return '"' + "".join(f"\\u{ord(c):04x}" if c.isalnum() else json.dumps(c)[1:-1] for c in text) + '"'


ENCODED: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "json": json.dumps,
    "json, unicode kept": lambda text: json.dumps({"content": text}, ensure_ascii=False),
    "twice": lambda text: json.dumps({"arguments": json.dumps({"content": text})}),
    "three times": lambda text: json.dumps([json.dumps({"a": json.dumps([text])})]),
    "slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "as .NET": lambda text: json.dumps(text).replace("+", "\\u002B").replace("'", "\\u0027").replace("&", "\\u0026"),
    "as Go": lambda text: json.dumps(text).replace("&", "\\u0026").replace("<", "\\u003c"),
    "as Gson": lambda text: json.dumps(text).replace("=", "\\u003d").replace("'", "\\u0027"),
    "as numbers": as_numbers,
    "as numbers, twice": lambda text: json.dumps({"arguments": as_numbers(text)}),
}
CONNECTION = duckdb.connect()
ANY_KEY = st.sampled_from(sorted(KEYS)).flatmap(lambda kind: KEYS[kind])
ANY_HELD = st.tuples(st.sampled_from(sorted(HELD)), WORD)
AROUND = st.sampled_from(
    ["", " ", "\n", "\t", "key: ", "use ", '"', "'", "(", "é ", "\u2028", "- ", ",", "`", "=", "\r\n"]
)
AFTER = st.sampled_from(["", " ", "\n", ".", ", please", '"', "'", ")", " é", "\u2028", "`", ";"])


def may_hold_in_duckdb(text: str) -> bool:
    [[answer]] = CONNECTION.execute("SELECT regexp_matches(?, ?, 'i')", [text, SECRET_SIGNS]).fetchall()
    return bool(answer)


def places(secret: str, before: str, after: str) -> Any:
    """A call that holds ``secret`` wherever one can stand."""
    text = f"{before}{secret}{after}"
    return {
        "messages": [
            {"role": "system", "content": text},
            {"role": "user", "content": [{"type": "text", "text": text}]},
            {
                "role": "assistant",
                "tool_calls": [{"function": {"name": "f", "arguments": json.dumps({"a": {"b": text}})}}],
            },
            {"role": "tool", "content": json.dumps({"result": json.dumps({"rows": [text, 1]})})},
        ],
        "metadata": {"headers": {"X-Note": text}, "list": [[text]], text: 1},
    }


def strings(value: Any) -> list[str]:
    """Every string of ``value``, those inside JSON strings decoded too."""
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in [*strings(key), *strings(item)]]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    if not isinstance(value, str):
        return []
    try:
        decoded = json.loads(value)
    except ValueError:
        return [value]
    return [value, *(strings(decoded) if decoded != value else [])]


def body_of(secret: str) -> str:
    """The middle of a key: nothing that a prefix or an address would explain."""
    return secret[-14:-2]


@settings(max_examples=150, deadline=None)
@given(ANY_KEY, AROUND, AFTER)
def test_a_key_survives_nowhere(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    cleaned = redactor.clean(places(secret, before, after))
    left = [text for text in strings(cleaned) if body_of(secret.partition("\n-----END")[0]) in text]
    assert left == []
    assert sum(redactor.found.values()) >= 5


@settings(max_examples=100, deadline=None)
@given(ANY_HELD)
def test_a_secret_without_a_shape_is_known_by_what_holds_it(held: tuple[str, str]) -> None:
    name, word = held
    cleaned = Redactor().clean(places(HELD[name] % word, " ", " "))
    assert [text for text in strings(cleaned) if word[:12] in text] == []


@settings(max_examples=150, deadline=None)
@given(ANY_KEY, AROUND, AFTER, st.sampled_from(sorted(ENCODED)))
def test_the_signs_show_every_key_in_every_json(secret: str, before: str, after: str, encoding: str) -> None:
    text = ENCODED[encoding](f"{before}{secret}{after}")
    assert may_hold_secret(text)
    assert may_hold_in_duckdb(text)


@settings(max_examples=150, deadline=None)
@given(ANY_HELD, st.sampled_from(sorted(ENCODED)))
def test_the_signs_show_every_secret_that_something_holds(held: tuple[str, str], encoding: str) -> None:
    text = ENCODED[encoding](HELD[held[0]] % held[1])
    assert may_hold_secret(text)
    assert may_hold_in_duckdb(text)


# What a pattern with a backreference matches cannot be generated from it; HELD has examples of those.
GENERATED = [kind for kind in KINDS if kind.name != "field"]


@pytest.mark.parametrize("kind", GENERATED, ids=[f"{kind.name}-{n}" for n, kind in enumerate(GENERATED)])
def test_every_pattern_implies_the_signs_and_its_marks(kind: Kind) -> None:
    encodings = sorted(ENCODED)

    @settings(max_examples=3, deadline=None)
    @given(
        st.from_regex(kind.pattern, alphabet=st.characters(max_codepoint=0x7E, min_codepoint=0x20)),
        st.sampled_from(encodings),
    )
    def implied(text: str, encoding: str) -> None:
        lowered = text.lower()
        assert any(mark in (lowered if kind.fold else text) for mark in kind.marks)
        encoded = ENCODED[encoding](text)
        assert may_hold_secret(encoded)
        assert may_hold_in_duckdb(encoded)

    implied()


def test_a_slash_may_be_escaped_in_the_first_letters_of_basic_credentials() -> None:
    assert may_hold_secret('"basic 00000\\/"')
    assert may_hold_in_duckdb('"basic 00000\\/"')


@given(st.text(max_size=80), st.sampled_from(sorted(ENCODED)))
@example("'password':'a\\\"bcdef'", "twice")
@example("api_key = 'x\\'y\\'z\\'w\\''", "json")
@example("jwt_token=________0", "json")
def test_what_is_found_was_announced(text: str, encoding: str) -> None:
    if scrub_secrets(text) != text:
        assert may_hold_in_duckdb(ENCODED[encoding](text))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["apiKey", "db_password", "client_secret", "Authorization", "x-api-key", "Cookie", "id_token"]),
    st.text(min_size=6, max_size=30).filter(lambda value: " " not in value and "[secret" not in value),
    st.sampled_from(["field", "pair", "named"]),
)
def test_a_field_is_known_by_its_name(name: str, value: str, shape: str) -> None:
    held: Any = {name: value}
    if shape == "named":
        held = {"name": name, "value": value}
    elif shape == "pair":
        name = "x-api-key" if name not in {"Authorization", "Cookie"} else name
        held = [name, value]
    encoded = json.dumps({"headers": [held]})
    assert may_hold_in_duckdb(encoded) and may_hold_secret(encoded)
    assert value not in strings(Redactor().clean({"headers": [held]}))


def test_a_pair_of_field_names_is_no_header() -> None:
    schema = {"required": ["password", "confirm_password"], "enum": ["api_key", "oauth2_login"]}
    assert Redactor().clean(schema) == schema


def test_a_service_account_loses_its_private_key_and_keeps_its_name() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 20 + "-----END PRIVATE KEY-----\n"
    account = {
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": "9fceb02d0ae598e9",
        "private_key": key,
    }
    expected = {**account, "private_key_id": "[secret:field]", "private_key": "[secret:private_key]\n"}
    assert Redactor().clean(account) == expected
    assert json.loads(Redactor().text(json.dumps(account))) == expected


def test_a_private_key_that_the_log_cut_off_is_taken_out_to_its_end_and_no_further() -> None:
    text = "look: -----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEA"
    assert scrub_secrets(text) == "look: [secret:private_key]"
    assert scrub_secrets(f"{text}\n\nIs it right, what do you think?").startswith("look: [secret:private_key]")
    assert scrub_secrets(f"{text}... Is it right?").endswith("... Is it right?")


def test_an_escaped_quote_does_not_end_a_password() -> None:
    inner = json.dumps({"password": 'ab"cd\\ef/gh"ij', "user": "bob"})
    for text in (inner, json.dumps(inner), json.dumps(json.dumps(inner)), inner.replace("/", "\\/")):
        cleaned = scrub_secrets(text)
        assert "cd" not in cleaned and "ij" not in cleaned
        assert "bob" in cleaned


@pytest.mark.parametrize("text", LOOK_ALIKES, ids=[text[:30] for text in LOOK_ALIKES])
def test_what_looks_like_a_secret_stays(text: str) -> None:
    body = {"content": text, "arguments": json.dumps({"q": text}), "list": [text]}
    assert Redactor().clean(body) == body


@given(st.uuids(), st.binary(min_size=20, max_size=20), st.integers(10**9, 10**16))
def test_ids_and_hashes_stay(uuid: UUID, digest: bytes, number: int) -> None:
    text = f'id {uuid}, {uuid.hex}, commit {digest.hex()}, order {number}, etag "{digest.hex()}"'
    assert Redactor().text(text) == text


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=3_000, max_size=6_000))
def test_an_image_in_base64_stays(data: bytes) -> None:
    url = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    part = {"type": "image_url", "image_url": {"url": url}}
    assert Redactor().clean(part) == part


def test_ordinary_talk_hardly_ever_shows_a_sign() -> None:
    talk = (
        "please summarise this ticket about the customer's password reset and the access token they could not find; "
        "the secret of good support is patience, and the key to it is a polite tone. Order 4711 shipped on 2026-11-21."
    )
    words = talk.split(" ")
    texts = [json.dumps({"content": " ".join(words[n % 7 :: 1 + n % 3]) * 5 + f" n {n}"}) for n in range(400)]
    assert sum(may_hold_secret(text) for text in texts) <= 4
