"""A page with nothing but the two attention pictures, on made-up weights that look like those of a decoder."""

import numpy as np
import streamlit as st

from core.interpret.maps import AttentionMap
from core.interpret.overview import Overview
from pages.widgets.attention_grid import attention_grid
from pages.widgets.attention_map import attention_map

ATTACK = "<img src=x onerror=alert(1)>"
TEXT = (
    "<s>|system|\n|You| are| a| helpful| assistant|.|</s>|\n|<s>|user|\n|What| is| the| capital| of| France|?|</s>|\n"
    "|<s>|assistant|\n|The| capital| of| France| is| Paris|,| the| largest| city| of| the| country|.| It| lies| on"
    f"| the| Seine|,|{ATTACK}| home| to| about| two| million| people| and| as| many| opinions| about| bread|.| |\n"
)


def pieces(count: int) -> tuple[str, ...]:
    words = TEXT.split("|")
    return tuple((words * (count // len(words) + 1))[:count])


def weights(count: int, kind: int, rng: np.random.Generator) -> np.ndarray:
    """[query, key], causal. kind: 0 first token, 1 previous token, 2 itself, 3 wide, 4 mixed."""
    query, key = np.indices((count, count))
    scores = rng.normal(0, 1.2, (count, count)) + 0.8 * rng.normal(0, 1, count)[None]
    scores += [4.5, 1.5, 0.5, 0.0, 2.5][kind] * (key == 0)
    scores += (6.5 if kind == 1 else 0) * (key == query - 1) + (6.0 if kind == 2 else 0) * (key == query)
    scores -= np.abs(query - key) * rng.uniform(0, 0.06 if kind == 4 else 0.01)
    scores[key > query] = -np.inf
    exponent = np.exp(scores - scores.max(-1, keepdims=True))
    return (exponent / exponent.sum(-1, keepdims=True)).astype(np.float32)


@st.cache_data(max_entries=8)
def overview(layers: int, heads: int, count: int) -> Overview:
    rng = np.random.default_rng(5)
    edge = -(-count // 64)
    cells = -(-count // edge)
    kinds = rng.choice(5, (layers, heads), p=[0.35, 0.1, 0.05, 0.2, 0.3])
    tiles = np.zeros((layers, heads, cells, cells), np.uint8)
    figures = np.zeros((5, layers, heads), np.float32)
    for layer, head in np.ndindex(layers, heads):
        one = weights(count, int(kinds[layer, head]), rng)
        rest = cells * edge - count
        blocks = np.pad(one, ((0, rest), (0, rest))).reshape(cells, edge, cells, edge)
        tiles[layer, head] = np.rint(255 * np.sqrt(blocks.max((1, 3))))
        rows = np.arange(1, count)
        away = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
        figures[:, layer, head] = [
            one[1:, 0].mean(),
            one[rows, rows - 1].mean(),
            one[rows, rows].mean(),
            -(one * np.log2(np.maximum(one, 1e-12))).sum(-1).mean(),
            (one * away).sum(-1).mean(),
        ]
    return Overview(tiles, count, edge, *figures)


st.title("What did it look at?")
layers, heads, tokens = (int(n) for n in st.query_params.get("grid", "30x9x256").split("x"))
count = int(st.query_params.get("tokens", "48"))
st.session_state.setdefault("chosen", (12, 4) if layers > 12 else (0, 0))
if "map" not in st.query_params:
    picked = attention_grid(overview(layers, heads, tokens), chosen=st.session_state.chosen, key="grid")
    st.write(f"Head: {picked[0]}, {picked[1]}" if picked else "Head: none")
    if picked:
        st.session_state.chosen = picked
        st.rerun()
    st.write("Chosen: {}, {}".format(*st.session_state.chosen))
if "grid" not in st.query_params:
    layer, head = st.session_state.chosen
    one = weights(count, 4, np.random.default_rng(head))
    words = pieces(count)
    focus = st.session_state.setdefault("focus", min(33, count - 1))
    if "steps" in st.query_params:  # the last ten tokens, as those of an answer
        made = AttentionMap(layer, (head,), one[-10:], words[-10:], words, "weights are made up", causal=False)
        row = attention_map(
            made, focus=None, key="steps", row_words="Row: a step", pickable=False, first_row=count - 10
        )
    else:
        made = AttentionMap(layer, (head,), one, words, words, "weights are made up")
        row = attention_map(made, focus=focus, key="map")
    st.write(f"Row: {row}" if row is not None else "Row: none")
    if row is not None:
        st.session_state.focus = row
st.button("Rerun")
