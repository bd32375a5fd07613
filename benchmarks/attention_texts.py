"""Texts of exactly so many tokens for the benchmark of the Attention page, and the model that reads them.

Cut from the project's own README: real sentences, since the pictures of random words compress otherwise.
"""

from __future__ import annotations

from pathlib import Path

from core.interpret import subject as subjects
from core.models import catalogue
from core.models.tokenizer import Tokenizer

MODEL = "smollm2-135m-instruct"
SHORT = "The trophy did not fit in the suitcase because it was too big."  # to warm up with
STEP = 61  # tokens from the beginning of one text to the next
SOURCE = Path(__file__).parent.parent / "README.md"


def texts(tokens: int, count: int) -> list[str]:
    """Different texts, so that nothing is answered from what was read before."""
    tokenizer = Tokenizer.load(catalogue.prepare(MODEL))
    ids = tokenizer.encode(SOURCE.read_text(encoding="utf-8"))
    found: list[str] = []
    start = 0
    while len(found) < count:
        if start + tokens > len(ids):
            raise SystemExit(f"{SOURCE.name} has only {len(ids):,} tokens: no {count} texts of {tokens:,}.")
        text = tokenizer.decode(ids[start : start + tokens])
        if text == text.strip() and len(subjects.from_text(MODEL, text).ids) == tokens:
            found.append(text)
            start += STEP
        else:  # cut inside a character, or read in other tokens when it stands alone
            start += 1
    return found
