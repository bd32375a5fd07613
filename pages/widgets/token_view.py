"""The tokens of an answer as running text, tinted by probability; pick one to see what else the model considered.

A Streamlit component without an iframe: its script and style stand beside this file and are read once, at import. What
the model wrote travels as data and is put on the page as text only. What comes back from the browser is checked
against the events before it is believed.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.generation.request import TokenEvent
from pages.widgets.component import component, no_callback

UNLIKELY = 0.1  # below this probability a token counts as a surprise

_component = component(__file__, '<div class="token-view"></div>', shared=("dom", "token_moves"))

Kind = Literal["text", "special", "part", "empty"]
_SPECIAL = re.compile(r"<\|?[^<>\s]+\|?>|\[[A-Z_]+\]")  # <|im_end|>, </s>, [SEP]


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """The reader wants the answer continued from here. index: of the event; token_id: what shall stand there."""

    index: int
    token_id: int


@dataclass(frozen=True, slots=True)
class TokenQuestion:
    """The reader asks why the model chose this token. index: of the event."""

    index: int


def token_view(
    events: Sequence[TokenEvent], *, key: str, disabled: bool = False, explains: bool = False
) -> TokenChoice | TokenQuestion | None:
    """Shows the tokens. Returns a choice on the one rerun after “Continue from here with this token” was pressed, and a
    question after “Why this word?”.

    disabled: the tokens can be read, but nothing can be continued (a run is going on, or the model is gone). explains:
    the question can be asked.
    """
    tokens = [_row(event, events[place - 1] if place else None) for place, event in enumerate(events)]
    digest = hashlib.blake2b(json.dumps(tokens).encode(), digest_size=8).hexdigest()
    data = {"digest": digest, "tokens": tokens, "unlikely": UNLIKELY, "disabled": disabled, "explains": explains}
    result = _component(key=key, data=data, on_choice_change=no_callback)
    if explains and (question := _checked_question(result.choice, events)):
        return question
    return None if disabled else _checked(result.choice, events)


def _row(event: TokenEvent, previous: TokenEvent | None) -> list[Any]:
    """[index, id, text, kind, probability, sampled, seconds since the token before, forced, alternatives]."""
    text, kind = _shown(event)
    return [
        event.index,
        event.token_id,
        text,
        kind,
        _probability(event.logprob),
        _rounded(event.sampled_probability),
        _rounded(event.time_s - (previous.time_s if previous else 0.0)),
        event.forced,
        [
            [other.token_id, other.text, _probability(other.logprob), _rounded(other.sampled_probability)]
            for other in event.alternatives
        ],
    ]


def _shown(event: TokenEvent) -> tuple[str, Kind]:
    """What stands in the running text. A character of several tokens is shown by the one that completes it."""
    if "\ufffd" in event.token_text:
        return (event.text, "text") if event.text else (event.token_text, "part")
    if not event.token_text:
        return (event.text, "text") if event.text else ("", "empty")
    if not event.text and _SPECIAL.fullmatch(event.token_text.strip()):
        return event.token_text, "special"
    return event.token_text, "text"


def _probability(logprob: float | None) -> float | None:
    return None if logprob is None else _rounded(math.exp(min(logprob, 0.0)))


def _rounded(value: float | None) -> float | None:
    """Five digits are more than the page shows, and a third of the bytes. JSON has no word for NaN."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def _checked_question(value: object, events: Sequence[TokenEvent]) -> TokenQuestion | None:
    if not isinstance(value, Mapping) or value.get("why") is not True:
        return None
    index = value.get("index")
    return next((TokenQuestion(event.index) for event in events if event.index == index), None)


def _checked(value: object, events: Sequence[TokenEvent]) -> TokenChoice | None:
    """The browser's word, if it names a token that was on offer."""
    if not isinstance(value, Mapping):
        return None
    index, token_id = value.get("index"), value.get("token_id")
    offered = (
        (event.index, other.token_id) for event in events if event.index == index for other in event.alternatives
    )
    return next((TokenChoice(*pair) for pair in offered if pair[1] == token_id), None)
