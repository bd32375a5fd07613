"""A seeded grammar: a phrase with `{name}` draws one of the phrases under that name, `[a|b]` one of the two."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

_DRAW = re.compile(r"\{(\w+)\}|\[([^\[\]]*)\]")
_FIRST_LETTER = re.compile(r"(^|[.!?]\"?\s+)(?!asked)([a-z])")


def phrases_in(name: str) -> dict[str, Any]:
    """The phrases of a set: the YAML file of that name beside this module."""
    text = (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def spell_out(phrase: str, rules: Mapping[str, Sequence[str]], generator: random.Random) -> str:
    """The phrase with everything drawn, brackets from the inside out."""
    while match := _DRAW.search(phrase):
        drawn = generator.choice(rules[match[1]]) if match[1] else generator.choice(match[2].split("|"))
        phrase = phrase[: match.start()] + drawn + phrase[match.end() :]
    return " ".join(phrase.split(" "))


def sentences(text: str) -> str:
    """With a capital at the beginning of each sentence, and one blank between words."""
    text = re.sub(r" +", " ", text).replace(" ,", ",").replace(" .", ".").strip()
    return _FIRST_LETTER.sub(lambda match: match[1] + match[2].upper(), text)
