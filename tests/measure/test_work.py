"""Operations and bytes of a pass, against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from core.measure.work import Weights, Work, decode_work, pass_work, prefill_work, read_weights
from core.models.cards import Architecture, ModelCard
from core.onnx.exports import find_export

ARCHITECTURE = Architecture(
    model_type="llama",
    layers=2,
    heads=4,
    kv_heads=2,
    hidden=32,
    head_dim=8,
    intermediate=64,
    vocabulary=100,
    context=128,
    parameters=2_000,
)
WEIGHTS = Weights(matrix=1_000, head=200, head_once=True, stream_bytes=4_000, cache_item_bytes=4)
ATTENTION = 4 * 2 * 4 * 8  # 256 operations for each token that a token attends to
CACHE = 2 * 2 * 2 * 8 * 4  # 256 bytes of keys and values a token


def save_graph(folder: Path, nodes: list[tuple[str, list[str], str]], tensors: dict[str, np.ndarray]) -> Path:
    """A graph that is never run: (operator, inputs, output), and constants by name."""
    made = [helper.make_node(kind, names, [out], name=out) for kind, names, out in nodes]
    given = helper.make_tensor_value_info("past_key_values.0.key", TensorProto.FLOAT16, ["batch", 2, "past", 8])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1, 6])
    constants = [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    save(helper.make_model(helper.make_graph(made, "g", [given], [logits], constants)), folder / "model.onnx")
    return folder


def test_one_step_reads_all_weights_and_each_rows_cache() -> None:
    step = pass_work(WEIGHTS, ARCHITECTURE, batch=3, held=10, tokens=1)
    assert step == Work(3 * (2 * 1_000 + 11 * ATTENTION), 4_000 + 3 * 11 * CACHE)


def test_a_prompt_in_pieces_streams_the_weights_for_each() -> None:
    work = prefill_work(WEIGHTS, ARCHITECTURE, batch=1, pieces=(4, 2))
    assert work.flop == 2 * 800 * 6 + 2 * 200 * 2 + (1 + 2 + 3 + 4 + 5 + 6) * ATTENTION
    assert work.bytes_moved == 2 * 4_000 + (4 + 6) * CACHE


def test_an_output_layer_for_every_position_counts_for_every_position() -> None:
    everywhere = Weights(matrix=1_000, head=200, head_once=False, stream_bytes=4_000, cache_item_bytes=4)
    assert pass_work(everywhere, ARCHITECTURE, batch=1, held=0, tokens=5).flop == 2 * 1_000 * 5 + 15 * ATTENTION


def test_an_encoder_attends_both_ways_and_has_no_cache() -> None:
    encoder = Weights(matrix=1_000, head=0, head_once=False, stream_bytes=4_000, cache_item_bytes=0)
    work = pass_work(encoder, ARCHITECTURE, batch=2, held=0, tokens=5, causal=False)
    assert work == Work(2 * (2 * 1_000 * 5 + 25 * ATTENTION), 4_000)


def test_the_mean_step_of_an_answer() -> None:
    steps = [pass_work(WEIGHTS, ARCHITECTURE, batch=2, held=held, tokens=1) for held in (10, 11, 12)]
    mean = decode_work(WEIGHTS, ARCHITECTURE, batch=2, prompt_tokens=10, new_tokens=4)
    assert mean == Work(sum(s.flop for s in steps) / 3, sum(s.bytes_moved for s in steps) / 3)


def test_a_table_that_is_looked_up_is_not_streamed(tmp_path: Path) -> None:
    nodes = [
        ("Gather", ["table", "input_ids"], "embedded"),
        ("MatMul", ["embedded", "up"], "wide"),
        ("Transpose", ["head"], "turned"),
        ("MatMul", ["wide", "turned"], "scores"),
        ("Mul", ["scores", "scale"], "logits"),
    ]
    tensors = {
        "table": np.zeros((6, 4), np.float32),
        "up": np.zeros((4, 8), np.float32),
        "head": np.zeros((6, 8), np.float16),
        "scale": np.ones((1,), np.float32),
    }
    found = read_weights(save_graph(tmp_path, nodes, tensors))
    assert found == Weights(matrix=32 + 48, head=48, head_once=True, stream_bytes=32 * 4 + 48 * 2, cache_item_bytes=2)


def test_packed_weights_are_counted_by_their_number_and_streamed_with_their_scales(tmp_path: Path) -> None:
    tensors = {"packed": np.zeros((6, 2, 16), np.uint8), "scales": np.zeros((6, 2), np.float32)}
    folder = save_graph(tmp_path, [("MatMulNBits", ["x", "packed", "scales"], "logits")], tensors)
    model = helper.make_attribute("K", 64), helper.make_attribute("N", 6)
    import onnx

    loaded = onnx.load(folder / "model.onnx")
    loaded.graph.node[0].attribute.extend(model)
    save(loaded, folder / "model.onnx")
    found = read_weights(folder)
    assert (found.matrix, found.head, found.stream_bytes) == (64 * 6, 64 * 6, 6 * 2 * 16 + 6 * 2 * 4)


def test_a_matrix_that_two_layers_share_is_streamed_twice(tmp_path: Path) -> None:
    nodes = [("MatMul", ["x", "w"], "y"), ("MatMul", ["y", "w"], "logits")]
    found = read_weights(save_graph(tmp_path, nodes, {"w": np.zeros((4, 4), np.float32)}))
    assert (found.matrix, found.stream_bytes) == (32, 128)


def test_a_real_export_has_the_weights_of_its_architecture(card: ModelCard) -> None:
    export = find_export(card, "fp32", "cpu")
    assert export
    facts = card.architecture
    qkv = facts.hidden * facts.head_dim * (facts.heads + 2 * facts.kv_heads)
    layer = qkv + facts.hidden * facts.heads * facts.head_dim + 3 * facts.hidden * facts.intermediate
    head = facts.hidden * facts.vocabulary
    found = read_weights(export.path)
    assert (found.matrix, found.head, found.head_once) == (facts.layers * layer + head, head, True)
    assert found.stream_bytes == 4 * found.matrix
    assert found.cache_item_bytes == 4


@pytest.mark.parametrize("tokens", [1, 7])
def test_all_in_one_pass_is_as_much_arithmetic_as_in_pieces(tokens: int) -> None:
    headless = Weights(matrix=800, head=0, head_once=False, stream_bytes=4_000, cache_item_bytes=4)
    whole = prefill_work(headless, ARCHITECTURE, batch=1, pieces=(tokens,))
    assert prefill_work(headless, ARCHITECTURE, batch=1, pieces=(1,) * tokens).flop == whole.flop
