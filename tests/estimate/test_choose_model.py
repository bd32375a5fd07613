"""Which network a request means, by each of its ways, and requests that contradict themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import GroundworkError, InvalidInput
from core.estimate.choose_model import MOST_CHARACTERS, by_name, choose_model, read_config
from core.estimate.config import ModelSpec, parse
from core.estimate.shape import ModelShape
from tests.real_models import SMOLLM2

LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 512,
    "tie_word_embeddings": False,
}
BY_HAND = {"layers": 3, "hidden": 128, "heads": 8, "kv_heads": 2, "ffn": 384, "vocabulary": 512}
GPT3 = {"layers": 96, "hidden": 12_288, "heads": 96}


def chosen(**given: Any) -> ModelShape:
    return choose_model(parse(ModelSpec, given))


def refused(**given: Any) -> str:
    with pytest.raises(InvalidInput) as fault:
        chosen(**given)
    return str(fault.value)


def test_a_published_name_a_catalogue_id_a_count_and_an_architecture() -> None:
    assert chosen(model="Llama 3.1 405B").parameters == 405_853_388_800
    assert chosen(model="smollm2-135m").parameters == 134_515_008
    assert chosen(parameters="7B").parameters == 7_000_000_000
    assert chosen(**BY_HAND).kv_heads == 2


def test_a_model_of_the_catalogue_has_its_own_facts() -> None:
    shape = by_name(SMOLLM2)
    assert shape.parameters == 134_515_008
    assert "config.json" in shape.source or "card" in shape.source


@pytest.mark.slow
def test_a_config_is_read_from_its_file_and_its_folder_and_named_by_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my-llama"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA))
    for path in (folder, folder / "config.json"):
        shape = chosen(config=str(path))
        assert shape.parameters == chosen(**BY_HAND).parameters
        assert shape.name == "my-llama"
    assert chosen(config=str(folder), model="other name").name == "other name"


def test_what_is_no_config_is_refused_in_words(tmp_path: Path) -> None:
    for name, text in (
        ("list", "[]"),
        ("broken", "{"),
        ("long", " " * MOST_CHARACTERS + "{}"),
        ("deep", "[" * 100_000),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InvalidInput):
            read_config(tmp_path / name)
    for path in (tmp_path, tmp_path / "missing", Path("x" * 100_000), Path("a\0b")):
        with pytest.raises(InvalidInput, match="cannot be read") as fault:
            read_config(path)
        assert len(str(fault.value)) < 600


@pytest.mark.parametrize("name", ["../../etc/passwd", "/", "..", "a/b/c", "", " ", "x" * 10_000, "a\0b"])
def test_a_name_that_is_no_model_is_refused_in_words(name: str) -> None:
    with pytest.raises(GroundworkError) as fault:
        by_name(name)
    assert len(str(fault.value)) < 600


def test_a_count_beside_an_architecture_may_differ_by_five_percent() -> None:
    exact = chosen(**GPT3).parameters
    assert chosen(**GPT3, parameters=exact * 1.04).parameters == exact
    assert "this architecture has" in refused(**GPT3, ffn=49_152, parameters=exact * 1.06)
    assert "this architecture has" in refused(model="gpt2", parameters="7B")


def test_active_parameters_that_the_model_does_not_have_are_refused() -> None:
    assert chosen(model="mixtral-8x7b", active_parameters="12.9B").is_moe
    assert "active_parameters is 1,000" in refused(model="llama-3-8b", active_parameters=1000)


def test_an_ffn_that_was_left_out_follows_from_the_count() -> None:
    """Llama 2 70B as papers describe it: without its FFN of 28,672."""
    shape = chosen(layers=80, hidden=8192, heads=64, kv_heads=8, vocabulary=32_000, parameters=68_976_648_192)
    assert shape.ffn == 28_672
    assert shape.parameters == 68_976_648_192
    assert "which its parameter count leaves" in shape.source


@pytest.mark.parametrize(
    "given",
    [
        {"layers": 32, "hidden": 4096, "parameters": "700B"},  # an FFN of 100 times the width
        {"layers": 2, "hidden": 64, "parameters": "70B"},
        {"layers": 96, "hidden": 12_288, "parameters": "1B"},  # fewer than the attention alone
        {"layers": 8, "hidden": 512, "experts": 8, "experts_per_token": 2, "expert_ffn": 64, "parameters": "7B"},
    ],
    ids=["too wide", "far too wide", "too few", "experts of a given width"],
)
def test_a_count_that_no_ffn_can_make_is_refused_as_a_contradiction(given: dict[str, Any]) -> None:
    assert "this architecture has" in refused(**given)


def test_heads_that_were_left_out_are_of_128() -> None:
    shape = chosen(layers=4, hidden=1024)
    assert (shape.heads, shape.head_dim) == (8, 128)
    assert chosen(layers=4, hidden=64).heads == 1
