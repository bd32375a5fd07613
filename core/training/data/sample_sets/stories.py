"""About 1 MB of short stories in plain words: small enough a world that a small network learns to write about it."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from core.training.data.sample_sets.grammar import phrases_in, sentences, spell_out

SIZE, SEED = 1_000_000, 5
"""Characters, at least."""


_KNOWN = {"he": r"\b(?:boy|king)\b", "she": r"\b(?:girl|woman)\b"}


def write_stories(folder: Path) -> None:
    """A paragraph a story, a blank line between two."""
    generator = random.Random(SEED)
    rules = phrases_in("stories")
    written, stories = 0, []
    while written < SIZE:
        stories.append(_story(rules, generator))
        written += len(stories[-1]) + 2
    (folder / "story-text.txt").write_text("\n\n".join(stories) + "\n", encoding="utf-8")


def _story(rules: dict[str, Any], generator: random.Random) -> str:
    hero, friend, thing, place = (
        spell_out(generator.choice(rules[part]), rules, generator) for part in ("heroes", "friends", "things", "places")
    )
    parts = ["beginnings", "wishes", "obstacles", *["talks"] * generator.randint(1, 2), "turns", "endings"]
    pron = next((said for said, who in _KNOWN.items() if re.search(who, hero)), generator.choice(["he", "she"]))
    kept = {
        "hero": hero,
        "hero2": "the " + hero.split(" ", 1)[1].split(" called ")[0].split(" named ")[0],
        "thing": thing,
        "place": place,
        "pron": pron,
        "Pron": pron.title(),
        "pron2": {"he": "him", "she": "her"}[pron],
    }
    drawn = []
    for part in parts:
        phrase = generator.choice([one for one in rules[part] if one not in drawn])
        drawn.append(phrase)
    text = " ".join(drawn)
    for name, value in kept.items():
        text = text.replace(f"{{{name}}}", value)
    # Met once, one is "the monk", not "a monk", and Olga is no longer introduced.
    met = re.sub(r"^an? ", "the ", friend).split(",")[0]
    text = text.replace("{friend}", friend, 1).replace("{friend}", met)
    return sentences(spell_out(text, rules, generator))
