"""Money: decimal where people write it, whole minor units (cents) where it is added up, words where they read it.

No amount is ever a binary fraction: 0.1 + 0.2 dollars are 30 cents.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

MOST = Decimal(10) ** 13  # so that sixty months of it, in minor units, stay whole numbers of 64 bits
PLACES = Decimal("0.01")
_SUFFIXES = {"": 0, "k": 3, "m": 6, "b": 9}
_WRITTEN = re.compile(
    r"^\s*(?P<sign>[-+−]?)\s*(?:[$€£¥]|[A-Z]{3}\s)?\s*(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d[\d_]*|(?=\.\d))(?:\.\d+)?)"
    r"\s*(?P<size>[kmb]?)\s*[€$£]?\s*$",
    re.IGNORECASE,
)
_COMMA = re.compile(r"^([^\d]*\d+),(\d{1,2})(\D*)$")  # 20,5 is a decimal comma: thousands have three digits behind one
_POINTS = re.compile(r"(?<!\d)[1-9]\d{0,2}(?:\.\d{3}){2,}(?![\d.])")  # 1.250.000 has its thousands behind points
_EITHER = re.compile(r"^\D*[1-9]\d{0,2}\.\d{3}\D*$")  # 250.000: a quarter of a million, or two hundred and fifty
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CHF": "CHF ", "CAD": "CA$", "AUD": "A$"}
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_SHORT = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


def amount(given: Any) -> Any:
    """1200, "1,200.50", "$12k", "1.5M", "0,02 €" → Decimal, as it is written; what is no text is left for pydantic to
    refuse. Raises ValueError for text that is no amount, or may be two."""
    if isinstance(given, float):  # 0.1 of a YAML file is meant as a tenth
        return Decimal(repr(given))
    return _read(given) if isinstance(given, str) else given


def _read(text: str) -> Decimal:
    if _EITHER.match(text):
        points = re.sub(r"[^\d.]", "", text)
        whole, part = int(points.replace(".", "")), f"{Decimal(points):.2f}"
        raise ValueError(f"{text.strip()[:40]!r} may mean {whole:,} or {part}; write one of these")
    found = _WRITTEN.match(_POINTS.sub(lambda one: one[0].replace(".", ""), _COMMA.sub(r"\1.\2\3", text)))
    if not found:
        raise ValueError(f"{text.strip()[:40]!r} is no amount of money; write 1200, 1,200.50, 12k or 1.5M")
    digits = Decimal(found["digits"].replace(",", "").replace("_", ""))
    value = digits.scaleb(_SUFFIXES[found["size"].lower()])
    return -value if found["sign"] in ("-", "−") else value


def _plain(value: Decimal) -> int | float | str:
    """As JSON and YAML have it: a number where a number says the same, else the digits."""
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


_written = PlainSerializer(_plain, when_used="json")
Money = Annotated[Decimal, BeforeValidator(amount), Field(ge=0, le=MOST, allow_inf_nan=False), _written]
SignedMoney = Annotated[Decimal, BeforeValidator(amount), Field(ge=-MOST, le=MOST, allow_inf_nan=False), _written]


def minor(value: Decimal | int) -> int:
    """In minor units (1.235 → 124, halves to even, as `numpy.rint` does)."""
    try:
        return int(Decimal(value).scaleb(2).to_integral_value(rounding=ROUND_HALF_EVEN))
    except InvalidOperation as error:
        raise ValueError(f"{value} is no amount of money") from error


def major(units: int) -> Decimal:
    """124 → 1.24."""
    return Decimal(int(units)).scaleb(-2)


def has_cents(currency: str) -> bool:
    """Whether the currency has minor units (ISO 4217)."""
    return currency not in _WHOLE


def sign(currency: str) -> str:
    """What stands before an amount: $, €, or the code and a space."""
    return _SIGNS.get(currency, f"{currency} ")


def shown(value: Decimal | int, currency: str, *, cents: bool = False) -> str:
    """$1,234; with cents $1,234.50, where the currency has them; −$20."""
    value = Decimal(value)
    text = f"{abs(value):,.2f}" if cents and has_cents(currency) else f"{abs(value):,.0f}"
    return f"{'−' if value < 0 and any(one in '123456789' for one in text) else ''}{sign(currency)}{text}"


def short(value: Decimal | int, currency: str) -> str:
    """For pictures: $950, $12.3k, $1.2M, −$40k."""
    value = Decimal(value)
    size = abs(value)
    for step, name in _SHORT:
        if size >= step * Decimal("0.9995"):
            scaled = size / step
            digits = f"{scaled:.0f}" if scaled >= 100 else f"{scaled:.1f}".removesuffix(".0")
            return f"{'−' if value < 0 else ''}{sign(currency)}{digits}{name}"
    return shown(value, currency, cents=0 < size < 10)
