"""A page with the lines and the tokens alone, on made-up attention that looks like a decoder's."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from core.interpret.maps import AttentionMap
from pages.widgets.attention_lines import attention_lines
from pages.widgets.attention_tokens import attention_tokens

ATTACK = "<img src=x onerror=alert(1)>"
PROMPT = "<|im_start|>|user|\n|What| is| the| capital| of| France|?|<|im_end|>|\n|<|im_start|>|assistant|\n"
ANSWER = f"The| capital| of| France| is| Paris|.| It| lies| on| the| Se|ine|,| and| so| does| {ATTACK}|.|\n|\n|"
SHORT = "The| capital| of| France| is| Paris|,| on| the| river| Se|ine"


def split(text: str) -> list[str]:
    return text.replace("<|", "\0").replace("|>", "\1").split("|")


def text(count: int) -> list[str]:
    """Twelve tokens are a sentence; more are a prompt and an answer that goes on."""
    if count <= 12:
        return split(SHORT)[:count]
    pieces = [*split(PROMPT), *split(ANSWER)]
    while len(pieces) < count:
        pieces += split(ANSWER)
    return [piece.replace("\0", "<|").replace("\1", "|>") for piece in pieces[:count]]


def head(count: int, kind: int) -> npt.NDArray[np.float32]:
    """A causal softmax: 0 looks at the first token, 1 at the one before, 2 at like tokens and a few far ones."""
    rng = np.random.default_rng(kind)
    query, key = np.mgrid[:count, :count]
    scores = rng.normal(0, 1.0, (count, count)) - 0.02 * (query - key)
    scores[:, 0] += 4 + np.log(np.arange(count) + 2) / 2
    if kind % 3 == 1:
        scores += np.where(query - key == 1, 6.0, 0.0)
    if kind % 3 == 2:
        scores += rng.choice([0.0, 5.0], (count, count), p=[0.97, 0.03])
    scores[key > query] = -np.inf
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


many = int(st.query_params.get("tokens", "12"))
heads = int(st.query_params.get("heads", "1"))
signed = "signed" in st.query_params
asked = st.query_params.get("focus")
pieces = text(many)
pictures = [
    AttentionMap(12, (number + 3,), head(many, number), tuple(pieces), tuple(pieces)) for number in range(heads)
]
state = st.session_state
state.setdefault("focus", int(asked) if asked else None)
state.runs = state.get("runs", 0) + 1

st.title("What did it look at?")
read = None
if "without_lines" not in st.query_params:
    read = attention_lines(pictures, focus=state.focus, threshold=0.02, key="lines")
    st.write(f"Query: {read}")

reader = many - 1 if state.focus is None else state.focus
kinds = [head(many, kind)[reader] for kind in range(3)]
bands = np.stack([kinds[layer % 3] ** (0.2 + layer / 60) for layer in range(30)])
if signed:
    bands = np.log(np.maximum(bands, 1e-6)) * np.where(np.arange(many) % 3, 1, -1)
token = attention_tokens(
    pieces,
    special=[piece.startswith("<|im") for piece in pieces],
    focus=state.focus,
    values=None if "plain" in st.query_params else np.vstack([bands, bands.mean(axis=0)]),
    bands=[*(f"layer {layer}" for layer in range(30)), "all layers"],
    band=12,
    signed=signed,
    unit="log-probability" if signed else "weight",
    legend="What the focus token reads",
    key="tokens",
    answer_start=15 if many > 15 else None,
    pickable="unpickable" not in st.query_params,
)
st.write(f"Token: {token}")
st.caption(f"Run {state.runs}")
st.button("Rerun")
if "keep" in st.query_params and (read is not None or token is not None):
    state.focus = token if read is None else read
    st.rerun()
