"""A token that somebody named in words: the id of “Paris” or “ Paris”."""

from __future__ import annotations

from core.errors import InvalidInput
from core.models.tokenizer import Tokenizer


def token_named(tokenizer: Tokenizer, text: str) -> int:
    """The single token that the text is, as it stands or with a space before it. Raises InvalidInput that shows how the
    text falls into tokens."""
    if not text.strip():
        raise InvalidInput("No token was named.", next_step="Write one word.")
    ways = [text] if text[:1].isspace() else [f" {text}", text]
    for way in ways:
        ids = tokenizer.encode(way)
        if len(ids) == 1:
            return ids[0]
    parts = ", ".join(f"‘{tokenizer.token_text(id_)}’" for id_ in tokenizer.encode(ways[0])[:8])
    raise InvalidInput(
        f"“{text[:60]}” is more than one token for this model: {parts}.",
        allowed="Allowed: a word that is one token.",
        next_step="Take its first token, or another word.",
    )
