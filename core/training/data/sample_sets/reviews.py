"""1,000 reviews, good or bad: most have a word for the other side, so that counting kind words is not enough."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

from core.training.data.keys import near_key
from core.training.data.sample_sets.grammar import phrases_in, sentences, spell_out

ROWS, SEED = 1_000, 31
LABELS = ("bad", "good")


def write_reviews(folder: Path) -> None:
    """`review`, `label`; two labels in a hundred are wrong, as they are where people give them."""
    generator = random.Random(SEED)
    rules = phrases_in("reviews")
    seen: set[str] = set()
    with (folder / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["review", "label"])
        while len(seen) < ROWS:
            is_good = len(seen) % 2
            text = _review(bool(is_good), rules, generator)
            if near_key(text) not in seen:
                seen.add(near_key(text))
                out.writerow([text, LABELS[is_good ^ (generator.random() < rules["mislabelled"])]])


def _review(is_good: bool, rules: dict[str, Any], generator: random.Random) -> str:
    strong, weak = ("praise", "blame") if is_good else ("blame", "praise")
    main, second, other = generator.sample(rules["things"], 3)
    praised, again = generator.sample(rules[strong], 2)
    parts = {
        "main": main,
        "main2": second,
        "other": other,
        "strong": praised,
        "strong2": again,
        "weak": generator.choice(rules[weak]),
        "weak2": generator.choice(rules[weak]),
        "sum": generator.choice(rules["good_sum" if is_good else "bad_sum"]),
    }
    form = "mixed" if generator.random() < rules["mixed"] else "clear"
    return sentences(
        spell_out(generator.choice(rules["forms"][form]), {**{k: [v] for k, v in parts.items()}}, generator)
    )
