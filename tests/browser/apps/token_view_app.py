"""A page with nothing but the token view, on made-up events that hold every special case."""

import math
import random

import streamlit as st

from core.generation.request import Alternative, TokenEvent
from pages.widgets.token_view import token_view

TEXT = (
    "A founder| should| price| per| seat| until| usage| data| says| otherwise|.|\n\n|Three| reasons|:|\n|1|.| Buyers"
    "| understand| it|;| finance| teams| can| budget| for| it|.|\n|2|.| Your| own| cost| per| request| is| not| known"
    "| yet|,| and| a| wrong| meter| is| hard| to| undo|.|\n|3|.| It| leaves| room| for| a| usage| tier| later|.|\n\n|If"
    "| one| customer| is| far| heavier| than| the| rest|,| cap| it| politely| —| a| short| email| works| better| than"
    "| a| surprise| invoice|.| Keep| watching| the| river| of| tokens|,| not| the| average|."
)
ODD = [" gate", " usage", " undo", " politely", " river", " understand"]
OTHERS = [" bank", " stream", " flow", " sea", " number", " cost", " \n", " shape", " lake"]


def demo(count: int) -> list[TokenEvent]:
    """The text above, once (count 0) or repeated to `count` tokens. The first two tokens are given."""
    words = TEXT.split("|")
    words = (words * (count // len(words) + 1))[:count] if count else words
    rng, events, clock = random.Random(7), [], 0.21
    for place, word in enumerate(words):
        p = rng.uniform(0.003, 0.09) if word in ODD else min(0.9995, rng.betavariate(4, 0.9))
        clock += rng.uniform(0.009, 0.016)
        events.append(_event(place, word, p, clock, rng, given=place < 2))
    return [*events, *_special(len(events), clock)]


def _event(place: int, word: str, p: float, clock: float, rng: random.Random, given: bool) -> TokenEvent:
    if given:
        return TokenEvent(place, place, word, word, None, None, (), 0.0, forced=True)
    left, found = 1 - p, [Alternative(place, word, math.log(p), min(1.0, p * 1.1))]
    for number, other in enumerate(OTHERS):
        share = left * rng.uniform(0.3, 0.6)
        left -= share
        found.append(Alternative(100_000 + number, other, math.log(share), 0.0 if share < 0.02 else share * 0.97))
    found.sort(key=lambda one: -one.logprob)
    return TokenEvent(place, place, word, word, math.log(p), p, tuple(found), clock)


def _special(place: int, clock: float) -> list[TokenEvent]:
    attack = "<img src=x onerror=alert(1)>"
    pair = (Alternative(1, attack, math.log(0.2), 0.2), Alternative(2, "<b>bold</b>", -1.2, 0.0))
    bits = (Alternative(3, "\ufffd", -0.5, 0.6), Alternative(4, "", -math.inf, 0.0))
    return [
        TokenEvent(place, 1, attack, attack, math.log(0.2), 0.2, pair, clock + 0.01),
        TokenEvent(place + 1, 3, "", "\ufffd\ufffd", -0.5, 0.6, bits, clock + 0.02),
        TokenEvent(place + 2, 5, " 🙂", "\ufffd", -0.1, 0.9, bits, clock + 0.03),
        TokenEvent(place + 3, 6, "", "<|im_end|>", -0.0004, 1.0, (), clock + 0.04),
    ]


st.title("Why did it say that?")
st.caption("Every token the model wrote, and what else it considered.")
many = int(st.query_params.get("tokens", "0"))
choice = token_view(demo(many), key="view", disabled="disabled" in st.query_params)
st.write(f"Choice: {choice.index}, {choice.token_id}" if choice else "Choice: none")
st.button("Rerun")
