"""What must not reach the store: secrets always, personal data when asked; counted by kind, never shown.

Secrets (keys, tokens, passwords) become ``[secret:kind]``. Personal data become ``[email:1]``, ``[email:2]`` ...,
numbered within one call, so that a request and its answer still speak of the same person.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

KEY_NAMES = (
    r"(?:(?:api|access|private|signing|encryption)[_-]?key(?:[_-]?id)?|secret(?:[_-]?key)?"
    r"|(?:access|auth|refresh|bearer|session|id)[_-]?token|passw(?:or)?d|passphrase)"
)
SECRETS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private_key",
        re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.S),
    ),
    ("anthropic_key", re.compile(r"\bsk-ant-[A-Za-z0-9_-]{16,}")),
    ("openai_key", re.compile(r"\bsk-(?=[A-Za-z_-]{0,100}\d)[A-Za-z0-9_-]{16,}")),
    ("google_key", re.compile(r"\bAIza[0-9A-Za-z_-]{30,}")),
    ("groq_key", re.compile(r"\bgsk_[A-Za-z0-9]{20,}")),
    ("huggingface_token", re.compile(r"\bhf_[A-Za-z0-9]{20,}")),
    ("xai_key", re.compile(r"\bxai-[A-Za-z0-9]{20,}")),
    ("github_token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})")),
    ("gitlab_token", re.compile(r"\bglpat-[A-Za-z0-9_-]{16,}")),
    ("slack_token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}")),
    ("stripe_key", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("aws_key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b(?:[\s:,;/]{1,3}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?")),
    ("jwt", re.compile(r"\beyJ[A-Za-z0-9_-]{8,1000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]*")),
    ("bearer_token", re.compile(r"(?i:\bbearer\s{1,3})(?=[A-Za-z._~+/=-]{0,100}\d)[A-Za-z0-9._~+/=-]{16,}")),
)
# The password of scheme://user:password@host; the user and the host stay.
CONNECTION = re.compile(
    r"(?P<before>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{0,100}:)(?P<value>[^\s/@\"']{1,200})(?=@)", re.I
)
# name = "value", "name": "value", name=value; the name stays.
ASSIGNED = re.compile(
    rf"(?P<before>{KEY_NAMES}\\?[\"']?\s{{0,3}}(?:=>?|:)\s{{0,3}}\\?[\"'])"
    r"(?P<value>[^\"'\\\s]{6,})(?=\\?[\"'])"
    rf"|(?P<before_bare>{KEY_NAMES}=)(?P<bare>[^\s\"'&;,\[\]{{}}()<>]{{8,}})",
    re.I,
)
FIELD = re.compile(rf"[a-z0-9_.-]{{0,60}}{KEY_NAMES}|(?:proxy-)?authorization", re.I)

# A text without any of these cannot hold a secret that the patterns above know; looking for them is nearly free.
MARKERS = (
    "sk-", "AIza", "gsk_", "hf_", "xai-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox",
    "k_live_", "k_test_", "AKIA", "ASIA", "eyJ", "PRIVATE KEY",
)  # fmt: skip
MARKERS_ANY_CASE = (
    "bearer", "secret", "passw", "passphrase", "authorization", "_key", "-key", "ikey", "skey", "ekey", "gkey",
    "nkey", "_token", "-token", "stoken", "htoken", "rtoken", "ntoken", "dtoken",
)  # fmt: skip

PERSONAL: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("card", re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")),
    ("ipv4", re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])")),
    (
        "phone",
        re.compile(
            r"(?<![\w.+-])(?:(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(0\))?(?:\(?\d{1,4}\)?[ ./-]?){2,5}\d{2,4}"
            r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}|0\d{2,4}[ /-]\d{3}[ -]?\d{3,5})(?![\w-])"
        ),
    ),
)


class Redactor:
    """Cleans the calls of one run and counts what it found by kind in ``found``.

    Secrets are always taken out; ``personal`` adds e-mail addresses, telephone numbers, card numbers, IBANs and IPv4
    addresses. Patterns cannot find names or postal addresses.
    """

    def __init__(self, *, personal: bool = False) -> None:
        self.personal = personal
        self.found: Counter[str] = Counter()
        self._people: dict[str, int] = {}

    def text(self, text: str) -> str:
        """``text`` cleaned, with personal placeholders numbered from 1."""
        return str(self.clean(text))

    def clean(self, value: Any, seen: dict[tuple[str, str], int] | None = None) -> Any:
        """``value`` (a string, list, mapping or scalar) cleaned throughout; ``seen`` numbers one call's placeholders.

        Raises RecursionError on nesting beyond the interpreter's limit.
        """
        numbers: dict[tuple[str, str], int] = {} if seen is None else seen

        def one(text: str) -> str:
            text = scrub_secrets(text, self.found)
            return self._without_personal(text, numbers) if self.personal else text

        return _walk(value, one, self.found)

    def person(self, user_id: str) -> str:
        """An id of a user: the same placeholder for the same person in the whole run when it holds personal data."""
        cleaned = self.text(user_id)
        if not self.personal or cleaned == user_id:
            return cleaned
        return f"[user:{self._people.setdefault(user_id, len(self._people) + 1)}]"

    def _without_personal(self, text: str, numbers: dict[tuple[str, str], int]) -> str:
        for kind, pattern in PERSONAL:

            def placeholder(match: re.Match[str], kind: str = kind) -> str:
                value = match.group()
                if not CHECKS.get(kind, _always)(value):
                    return value
                self.found[kind] += 1
                same = sum(1 for known, _ in numbers if known == kind)
                return f"[{kind}:{numbers.setdefault((kind, _bare(value)), same + 1)}]"

            text = pattern.sub(placeholder, text)
        return text


def may_hold_secret(text: str) -> bool:
    """False when no pattern of `scrub_secrets` can match in ``text``, also when it is JSON; cheap."""
    if any(marker in text for marker in MARKERS) or ("://" in text and "@" in text):
        return True
    lowered = text.lower()
    return any(marker in lowered for marker in MARKERS_ANY_CASE)


def scrub_secrets(text: str, found: Counter[str] | None = None) -> str:
    """``text`` with every provider key, token, private key and password replaced by ``[secret:kind]``.

    ``found`` is counted up by kind. For mappings use `Redactor.clean`, which also knows fields by their name.
    """
    if not may_hold_secret(text):
        return text
    counts: Counter[str] = Counter() if found is None else found
    for kind, pattern in SECRETS:
        text, hits = pattern.subn(f"[secret:{kind}]", text)
        if hits:
            counts[f"secret:{kind}"] += hits
    text = CONNECTION.sub(lambda match: _kept(match, "password", counts), text)
    return ASSIGNED.sub(lambda match: _kept(match, "field", counts), text)


def _kept(match: re.Match[str], kind: str, found: Counter[str]) -> str:
    groups = match.groupdict()
    value = groups.get("value") or groups.get("bare") or ""
    if value.startswith(("[secret:", "${", "{{", "<", "os.environ")):
        return match.group()
    found[f"secret:{kind}"] += 1
    return f"{groups.get('before') or groups.get('before_bare')}[secret:{kind}]"


def _walk(value: Any, one: Callable[[str], str], found: Counter[str]) -> Any:
    if isinstance(value, str):
        return one(value)
    if isinstance(value, list):
        return [_walk(item, one, found) for item in value]
    if isinstance(value, tuple):
        return tuple(_walk(item, one, found) for item in value)
    if isinstance(value, dict):
        return {one(str(key)): _field(str(key), item, one, found) for key, item in value.items()}
    return value


def _field(key: str, value: Any, one: Callable[[str], str], found: Counter[str]) -> Any:
    if not isinstance(value, str) or len(value) < 6 or not FIELD.fullmatch(key):
        return _walk(value, one, found)
    cleaned = one(value)
    credentials = " " not in value or value.lower().startswith(("basic ", "bearer "))
    if cleaned != value or not credentials:
        return cleaned
    found["secret:field"] += 1
    return "[secret:field]"


def _always(_: str) -> bool:
    return True


def _bare(value: str) -> str:
    return re.sub(r"[ ()./-]", "", value).lower()


def _luhn(value: str) -> bool:
    """ISO/IEC 7812-1 annex B: the check digit of a card number."""
    digits = [int(c) for c in value if c.isdigit()]
    if len(set(digits)) == 1:
        return False
    doubled = (2 * d - 9 if 2 * d > 9 else 2 * d for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(value: str) -> bool:
    """ISO 13616: the number with its first four characters last, letters as 10..35, is 1 modulo 97."""
    bare = value.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


CHECKS: dict[str, Callable[[str], bool]] = {"card": _luhn, "iban": _iban}
