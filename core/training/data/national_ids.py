"""National ids in a text, by shape and python-stdnum's check digits; bare digits need a word before them, too."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.training.data.spans import Span, words_before


@dataclass(frozen=True, slots=True)
class Id:
    """shape: of the number alone. checker: module below `stdnum`, "" for ids without a check digit. words: one of
    which stands before it; "" for shapes that nothing else has."""

    shape: re.Pattern[str]
    checker: str
    words: str = ""


def _id(shape: str, checker: str, words: str = "") -> Id:
    return Id(re.compile(rf"(?<![\w.+-]){shape}(?![\w-]|\.\d)"), checker, words)


_START = re.compile(r"(?<![\w.+-])(?=[A-Z]{0,6} ?\d)[\dA-Z]")
"""Where a number may begin, with letters before its digits or not."""

IDS: tuple[Id, ...] = (
    _id(r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    _id(r"\d{3} ?\d{2} ?\d{4}", "us.ssn", "ssn|social security"),
    _id(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", ""),  # GB national insurance
    _id(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", "nhs"),
    _id(r"\d{8}[ -]?[A-HJ-NP-TV-Z]", "es.dni"),
    _id(r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", "es.nie"),
    _id(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    _id(r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", "fr.nir"),
    _id(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr", r"steuer|tax id|tin\b|idnr|identifikationsnummer"),
    _id(r"\d{4}[. ]?\d{2}[. ]?\d{3}", "nl.bsn", "bsn|burgerservice|sofi"),
    _id(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    _id(r"\d{6}[-+]\d{4}", "se.personnummer"),
    _id(r"\d{11}", "pl.pesel", "pesel"),
    _id(r"756\.\d{4}\.\d{4}\.\d{2}", "ch.ssn"),
    _id(r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    _id(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin", r"\bsin\b|social insurance"),
    _id(r"\d{4} ?\d{4} ?\d{4}", "in_.aadhaar", "aadhaar|aadhar|uidai"),
)


def national_ids(text: str) -> Iterator[Span]:
    """Numbers that are somebody's."""
    for start in _START.finditer(text):
        for one in IDS:
            match = one.shape.match(text, start.start())
            if match is None or (one.words and not words_before(text, match.start(), _words(one.words))):
                continue
            if not one.checker or _checker(one.checker).is_valid(match.group()):
                yield Span(match.start(), match.end(), "national id")
                break


@lru_cache(maxsize=64)
def _words(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


@lru_cache(maxsize=64)
def _checker(name: str) -> Any:
    return importlib.import_module(f"stdnum.{name}")
