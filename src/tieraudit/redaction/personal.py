"""Personal data in text: candidates by a pattern, each confirmed by its check digit or by the library that knows it.

Numbers that any other number could look like (a telephone number or an id without its marks) need a word before them
that says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_address

PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "PL", "SE", "BR", "IN", "AU", "CA", "JP")
PHONE_WORDS = (
    r"(?:tel|telephone|telefon|tel[eé]fono|t[eé]l[eé]phone|phone|mobile|mobil|handy|cell|fax|call|ph|whatsapp)"
)
BEFORE_ID = r"\b.{0,24}?"


@dataclass(frozen=True, slots=True)
class Personal:
    """One kind of personal data; the group ``value`` is the value where there is one."""

    name: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]


def find_personal(text: str) -> Iterator[tuple[str, re.Match[str], str]]:
    """(kind, match, value) of everything in ``text``; what kinds overlap, the first of them has."""
    for kind in PERSONAL:
        for match in kind.pattern.finditer(text):
            value = match["value"] if kind.pattern.groups else match.group()
            if kind.check(value):
                yield kind.name, match, value


def bare(value: str) -> str:
    """``value`` without what people write it with differently."""
    return re.sub(r"[\s()./-]", "", value).casefold()


def _always(_: str) -> bool:
    return True


def _stdnum(module: str) -> Callable[[str], bool]:
    """The check of a module of python-stdnum, which is imported when the first candidate turns up."""

    def check(value: str) -> bool:
        return bool(import_module(f"stdnum.{module}").is_valid(value))

    return check


def _card(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    return len(set(digits)) > 1 and CARD_ISSUERS.fullmatch(digits) is not None and _stdnum("luhn")(digits)


def _address(value: str) -> bool:
    """An IP address of a machine that somebody may sit at."""
    try:
        address = ip_address(value)
    except ValueError:
        return False
    if address.version == 6 and not (re.search(r"[0-9a-fA-F]{3}", value) and re.search(r"\d", value)):
        return False
    return not (address.is_loopback or address.is_unspecified)


def _phone(value: str) -> bool:
    import phonenumbers

    international = value.startswith(("+", "00"))
    number = f"+{value[2:]}" if value.startswith("00") else value
    for region in (None,) if international else PHONE_REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    # Numbers of examples and of exchanges that the tables do not know are still written as numbers.
    return (international and 8 <= sum(c.isdigit() for c in value) <= 15) or AMERICAN.fullmatch(value) is not None


def _nino(value: str) -> bool:
    """The prefixes that HMRC never gave out are excluded by the pattern; nothing else is checked in the number."""
    return len(bare(value)) == 9


def _said(words: str, digits: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words}){BEFORE_ID}(?P<value>(?<![\w.-]){digits}(?![\w-]|\.\d))", re.I | re.S)


CARD_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
    r"|62\d{14,17}|35\d{14}|5018\d{8,15}|6[37]\d{10,17}"
)
AMERICAN = re.compile(r"\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-.]\d{3}[-.]\d{4}")
PERSONAL: tuple[Personal, ...] = (
    Personal(
        "email", re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])"), _always
    ),
    Personal("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _stdnum("iban")),
    Personal("card", re.compile(r"(?<![\w.-])\d(?:[ -]?\d){11,18}(?![\w-])"), _card),
    Personal("ipv4", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)"), _address),
    Personal(
        "ipv6",
        re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\d)"),
        _address,
    ),
    Personal("us_ssn", re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), _stdnum("us.ssn")),
    Personal("us_ssn", _said("SSN|social security", r"\d{9}"), _stdnum("us.ssn")),
    Personal(
        "gb_nino",
        re.compile(r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),
        _nino,
    ),
    Personal(
        "de_idnr",
        _said("steuer(?:liche)?[- ]?(?:id|identifikations)|idnr|tin|tax id", r"\d{2}[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}"),
        _stdnum("de.idnr"),
    ),
    Personal(
        "fr_nir",
        re.compile(r"(?<![\w-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}(?![\w-])"),
        _stdnum("fr.nir"),
    ),
    Personal("es_dni", re.compile(r"(?<![\w-])\d{8}[ -]?[A-HJ-NP-TV-Z](?![\w-])"), _stdnum("es.dni")),
    Personal("es_nie", re.compile(r"(?<![\w-])[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z](?![\w-])"), _stdnum("es.nie")),
    Personal(
        "it_cf",
        re.compile(r"\b[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]\b", re.I),
        _stdnum("it.codicefiscale"),
    ),
    Personal("pl_pesel", _said("pesel", r"\d{11}"), _stdnum("pl.pesel")),
    Personal("nl_bsn", _said("bsn|burgerservicenummer|sofinummer", r"\d{4}\.?\d{2}\.?\d{3}"), _stdnum("nl.bsn")),
    Personal("be_nn", re.compile(r"(?<![\w.-])\d{2}\.\d{2}\.\d{2}[- ]\d{3}[.-]\d{2}(?![\w-])"), _stdnum("be.nn")),
    Personal("be_nn", _said("niss|insz|rijksregister\\w*|registre national", r"\d{11}"), _stdnum("be.nn")),
    Personal("ch_ahv", re.compile(r"(?<![\w.-])756\.?\d{4}\.?\d{4}\.?\d{2}(?![\w-]|\.\d)"), _stdnum("ch.ssn")),
    Personal("se_personnummer", re.compile(r"(?<![\w-])(?:\d{2})?\d{6}[-+]\d{4}(?![\w-])"), _stdnum("se.personnummer")),
    Personal("br_cpf", re.compile(r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])"), _stdnum("br.cpf")),
    Personal("br_cpf", _said("cpf", r"\d{11}"), _stdnum("br.cpf")),
    Personal("in_aadhaar", re.compile(r"(?<![\w-])[2-9]\d{3} \d{4} \d{4}(?! ?\d|[\w-])"), _stdnum("in_.aadhaar")),
    Personal("in_aadhaar", _said("aadhaar|aadhar|uidai", r"[2-9]\d{11}"), _stdnum("in_.aadhaar")),
    Personal(
        "phone",
        re.compile(
            r"(?<![\w.+-])(?:(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(0\))?(?:\(?\d{1,4}\)?[ ./-]?){2,5}\d{2,4}"
            r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}|0\d{1,4}[ /-]\d{3,4}[ -]?\d{3,5}"
            r"|0\d(?:[ .]\d{2}){4})(?![\w-])"
        ),
        _phone,
    ),
    Personal(
        "phone",
        re.compile(
            rf"\b{PHONE_WORDS}\b[^\d+\n]{{0,12}}(?P<value>(?<![\w.-])\(?\d(?:[ ()./-]?\d){{6,13}}(?![\w-]))", re.I
        ),
        _phone,
    ),
)
