"""2,000 messages to a shop in five classes. Most name two things, one of which is all right: the words alone mislead.

Whoever labels by hand errs, and so does this set: three labels in a hundred are another class's.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

from core.training.data.keys import near_key
from core.training.data.sample_sets.grammar import phrases_in, sentences, spell_out

ROWS, SEED = 2_000, 2024
CHANNELS = {"e-mail": 0.45, "web form": 0.3, "chat": 0.25}
_TYPO_CHANCE = 0.04  # of a word in a chat


def write_tickets(folder: Path) -> None:
    """`text`, `label`, `channel`."""
    generator = random.Random(SEED)
    rules = phrases_in("tickets")
    labels = list(rules["classes"])
    seen: set[str] = set()
    with (folder / "support-tickets.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["text", "label", "channel"])
        while len(seen) < ROWS:
            label = labels[len(seen) % len(labels)]
            channel = generator.choices(list(CHANNELS), list(CHANNELS.values()))[0]
            text = _text(label, channel, rules, generator)
            if near_key(text) not in seen:
                seen.add(near_key(text))
                wrong = generator.random() < rules["share"]["mislabelled"]
                out.writerow([text, generator.choice([x for x in labels if x != label]) if wrong else label, channel])


def _text(label: str, channel: str, rules: dict[str, Any], generator: random.Random) -> str:
    share = rules["share"]
    form = generator.choices(["contrast", "told", "plain"], [share["contrast"], share["told"], share["plain"]])[0]
    if form == "told":
        core = generator.choice(rules["classes"][label]["told"]) + "."
    elif form == "plain":
        core = _clause(label, "wrong", rules, generator) + "."
    else:
        core = _contrast(label, rules, generator)
    core = spell_out(core, rules, generator)
    if channel == "chat":
        return _as_typed(core, generator)
    opening, closing = (spell_out(generator.choice(rules[part]), rules, generator) for part in ("openings", "closings"))
    return sentences(f"{opening} {core} {closing}").replace(" i ", " I ")


def _contrast(label: str, rules: dict[str, Any], generator: random.Random) -> str:
    other = generator.choice([name for name in rules["classes"] if name != label])
    pattern: str = generator.choice(rules["contrast"])
    parts = {
        "bad": _clause(label, "wrong", rules, generator),
        "good": _clause(other, "fine", rules, generator),
        "bad2": _clause(other, "wrong", rules, generator),
    }
    for name, clause in parts.items():
        pattern = pattern.replace(f"{{{name}}}", clause)
    return pattern


def _clause(label: str, how: str, rules: dict[str, Any], generator: random.Random) -> str:
    """A thing of the class and what is wrong, or fine, with it."""
    found = rules["classes"][label]
    vague = generator.random() < rules["share"]["vague"]
    says = rules[f"vague_{how}"] if vague else found[how]
    return f"{generator.choice(found['things'])} {generator.choice(says)}"


def _as_typed(text: str, generator: random.Random) -> str:
    """Small letters, few stops, a slip of the finger here and there."""
    words = text.casefold().replace(". ", " ").rstrip(".").split()
    for place, word in enumerate(words):
        if len(word) > 4 and generator.random() < _TYPO_CHANCE:
            at = generator.randrange(1, len(word) - 2)
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
