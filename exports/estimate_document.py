"""What every document of an estimate carries, whatever its format: how to repeat it, when it was made, where its
formulas are from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import yaml

from core import __version__
from core.estimate.figures import Driver, Input
from core.estimate.ranges import Range
from core.estimate.report import TITLES, Report
from core.estimate.words import digits, said, said_range
from exports.estimate_plain import plain_spec

_LINK = re.compile(
    r"arXiv:?\s*(?P<arxiv>\d{4}\.\d{4,5})|doi:?\s*(?P<doi>10\.\d{4,9}/[^\s;,)]*[^\s;,).])"
    r"|(?P<url>https?://[^\s<>\"'`;,)|]*[^\s<>\"'`;,)|.])"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text; url: what it links to, "" for none."""

    text: str
    url: str = ""


def title(report: Report) -> str:
    """The kind, and the name when it has one."""
    name = " ".join(str(report.spec.get("name") or "").split())
    return f"{TITLES[report.kind]}: {name}" if name else f"{TITLES[report.kind]} estimate"


def command(report: Report) -> str:
    return f"python -m core estimate {report.kind} CONFIG.yaml"


def config_yaml(report: Report) -> str:
    """The configuration that `command` reads."""
    text: str = yaml.safe_dump(plain_spec(report.spec), sort_keys=False, allow_unicode=True, width=120)
    return text.rstrip("\n")


def made(at: datetime) -> str:
    """By what, and when."""
    return f"Groundwork {__version__}, {at:%Y-%m-%d %H:%M} UTC"


def input_value(one: Input) -> str:
    """With more digits than a figure has: an input is what was said, 2,048 and not about 2,050."""
    if isinstance(one.value, str):
        return one.value
    if one.unit in ("s", "bytes", "share", "FLOP", "FLOP/s") or one.unit.startswith("USD"):
        return said(one.value, one.unit)
    return f"{digits(one.value, 6)} {one.unit}".strip()


def ends(value: Range, unit: str) -> str:
    """Low to high; "" for a figure without a range."""
    return "" if value.low == value.high else said_range(value, unit)


def moved(driver: Driver, unit: str) -> str:
    """Where a factor alone moves a figure of this unit, the smaller end first."""
    low, high = sorted((driver.low, driver.high))
    return said_range(Range(low, low, high), unit)


def linked(text: str) -> tuple[Part, ...]:
    """The text with its arXiv ids, DOIs and web addresses told apart."""
    parts: list[Part] = []
    end = 0
    for found in _LINK.finditer(text):
        parts += [Part(text[end : found.start()]), Part(found[0], _address(found))]
        end = found.end()
    parts.append(Part(text[end:]))
    return tuple(part for part in parts if part.text)


def _address(found: re.Match[str]) -> str:
    if found["arxiv"]:
        return f"https://arxiv.org/abs/{found['arxiv']}"
    return f"https://doi.org/{found['doi']}" if found["doi"] else found[0]
