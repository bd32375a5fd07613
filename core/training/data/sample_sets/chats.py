"""200 chats of a bicycle shop: forty questions, each asked in five ways, some with a second turn.

All answers have the same shape, which a base model never gives of its own accord: what it learned can be seen.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from core.training.data.sample_sets.grammar import phrases_in

WAYS, SEED = 5, 7
_SECOND_TURN = 0.3
_WITH_SYSTEM = 0.5


def write_chats(folder: Path) -> None:
    """JSONL with `messages`, in an order that is drawn."""
    generator = random.Random(SEED)
    rules = phrases_in("chats")
    chats = [chat for topic in rules["topics"] for chat in _chats(topic, rules, generator)]
    generator.shuffle(chats)
    lines = [json.dumps({"messages": chat}, ensure_ascii=False) for chat in chats]
    (folder / "support-chats.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _chats(topic: dict[str, Any], rules: dict[str, Any], generator: random.Random) -> list[list[dict[str, str]]]:
    """One question in five ways: no two with the same words and opening."""
    ways = [opening + ask for opening in rules["openings"] for ask in topic["asks"]]
    made = []
    for asked in generator.sample(ways, WAYS):
        turns = [_turn("user", asked), _turn("assistant", _answer(topic, rules))]
        if generator.random() < _SECOND_TURN:
            second = generator.choice(rules["follow_ups"])
            turns += [_turn("user", second["ask"]), _turn("assistant", _answer(second, rules))]
        if generator.random() < _WITH_SYSTEM:
            turns = [_turn("system", rules["system"]), *turns]
        made.append(turns)
    return made


def _answer(topic: dict[str, Any], rules: dict[str, Any]) -> str:
    steps = "\n".join(f"{place}. {step}" for place, step in enumerate(topic["steps"], 1))
    return f"In short: {topic['short']}\n\n{steps}\n\n{rules['signature']}"


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
