"""E-mail addresses, phone numbers, cards, IBANs and IP addresses in a text.

A bare run of digits is an order number more often than a phone number: it counts only with a sign that says so, a
plus, the grouping of phone numbers or a word before it, and only if `phonenumbers` knows it as a valid one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from core.training.data.spans import Span, words_before

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "AU")
"""Where a number without a country code is looked for."""

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?![\w-])")
_PHONE = re.compile(r"(?<![\w.,:/#-])(?:\+|\(\+?|00)?\d(?:[ .()/-]{0,2}\d){6,14}(?![\w/]|[.,:-]\d)")
_PHONE_WORDS = re.compile(
    r"\b(?:phone|tel|telephone|mobile|cell|call|ring|text|fax|whatsapp|sms|reach|contact|telefon|handy|móvil|portable)",
    re.IGNORECASE,
)
# (020) 7946 0018, 030 901820, 555-010-9999, 06 12 34 56 78: how phone numbers are grouped where there is no plus.
_GROUPED = re.compile(r"\(\d{2,5}\) ?\d|^0\d{1,4}[ /-]\d|^\d{3}([.-]| )\d{3}\1\d{4}$")
_DATE = re.compile(r"(?:19|20)\d\d[-/.](?:0\d|1[0-2])[-/.][0-3]\d|[0-3]?\d[-/.][01]?\d[-/.](?:19|20)\d\d")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_CARD_START = re.compile(r"4|5[1-5]|2[2-7]|3[47]|3[0689]|35|6(?:011|4[4-9]|5|2)|5[06-9]")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION_WORDS = re.compile(r"\b(?:v|version|release|firmware|build|section|chapter)\.? ?$", re.IGNORECASE)


def emails(text: str) -> Iterator[Span]:
    """Addresses with a top-level domain of letters."""
    for match in _EMAIL.finditer(text):
        yield Span(match.start(), match.end(), "e-mail")


def phones(text: str) -> Iterator[Span]:
    """Valid numbers: international ones, and national ones that are grouped as such or named by a word."""
    for match in _PHONE.finditer(text):
        written = match.group()
        if _DATE.match(written):
            continue
        regions: tuple[str | None, ...] = (None,) if written.lstrip("(").startswith("+") else REGIONS
        if written.startswith("00"):
            written, regions = f"+{written[2:]}", (None,)
        told = regions == (None,) or _GROUPED.search(written) or words_before(text, match.start(), _PHONE_WORDS)
        if told and any(_is_phone(written, region) for region in regions):
            yield Span(match.start(), match.end(), "phone number")


def cards(text: str) -> Iterator[Span]:
    """Numbers that begin as a card's does and pass Luhn's check."""
    from stdnum import luhn

    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if _CARD_START.match(digits) and len(set(digits)) > 1 and luhn.is_valid(digits):
            yield Span(match.start(), match.end(), "payment card")


def ibans(text: str) -> Iterator[Span]:
    """Account numbers that pass the country's format and the check digits."""
    from stdnum import iban

    for match in _IBAN.finditer(text):
        written = match.group()
        while written:  # a word in capitals may follow the number
            if iban.is_valid(written):
                yield Span(match.start(), match.start() + len(written), "IBAN")
                break
            written = written.rpartition(" ")[0]


def ipv4(text: str) -> Iterator[Span]:
    """Addresses of machines: not 127.0.0.1 and 0.0.0.0, and no version number."""
    return _addresses(_IPV4, text)


def ipv6(text: str) -> Iterator[Span]:
    """Addresses of machines: not :: and ::1."""
    return _addresses(_IPV6, text)


def _addresses(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        try:
            found = ipaddress.ip_address(match.group())
        except ValueError:
            continue
        is_version = words_before(text, match.start(), _VERSION_WORDS)
        if not (found.is_loopback or found.is_unspecified or is_version):
            yield Span(match.start(), match.end(), "IP address")


def _is_phone(written: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(written, region)))
    except phonenumbers.NumberParseException:
        return False
