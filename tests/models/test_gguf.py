"""GGUF files: a tiny one converted and compared weight by weight; damaged and foreign ones refused."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from core.errors import Cancelled, CorruptFile, ModelNotFound, ModelRefused
from core.models import catalogue, gguf
from core.models.gguf_header import read_gguf_header
from core.models.tokenizer import Tokenizer
from tests.models import tiny


@pytest.fixture
def file(tmp_path: Path, tiny_gguf: Path) -> Path:
    return Path(shutil.copy(tiny_gguf, tmp_path / tiny_gguf.name))


def _weights(folder: Path) -> dict[str, object]:
    from safetensors.numpy import load_file

    found: dict[str, object] = {}
    for path in folder.glob("*.safetensors"):
        found |= load_file(str(path))
    return found


def test_the_weights_come_out_as_they_went_in(file: Path, tiny_llama: Path) -> None:
    import numpy as np

    card = catalogue.add(str(file))
    before, after = _weights(tiny_llama), _weights(catalogue.folder(card.id))
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)
    assert (card.id, card.title, card.licence) == ("tiny-llama.f32", "Tiny Llama", "MIT")


def test_the_tokenizer_comes_with_its_ends_and_its_template(file: Path, tiny_llama: Path) -> None:
    ours = Tokenizer.load(catalogue.folder(catalogue.add(str(file)).id))
    theirs = Tokenizer.load(tiny_llama)
    assert ours.encode("hello <|end|> 42") == theirs.encode("hello <|end|> 42")
    assert (ours.bos_id, ours.eos_ids) == (0, (1, 2))
    assert ours.render([("user", "hi")]) == theirs.render([("user", "hi")])
    assert ours.encode("a", add_special_tokens=True)[0] == 0


def test_large_models_are_sharded(file: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(gguf, "SHARD_BYTES", 20_000)
    folder = catalogue.folder(catalogue.add(str(file)).id)
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1
    assert _weights(folder).keys() == _weights(tiny_llama).keys()
    assert AutoModelForCausalLM.from_pretrained(str(folder)).config.num_hidden_layers == 2


def test_cancelling_leaves_nothing(file: Path, home: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        if text.startswith("Unpacking weights 5/"):
            raise Cancelled("Preparing")

    with pytest.raises(Cancelled):
        catalogue.add(str(file), progress=stop)
    assert not list(home.glob("models/*/*/*"))
    assert len(catalogue.list_models()) == 2
    assert catalogue.is_prepared(catalogue.add(str(file)).id)


def test_converted_weights_outlive_their_source(file: Path) -> None:
    card = catalogue.add(str(file))
    file.unlink()
    assert catalogue.prepare(card.id) == catalogue.folder(card.id)


def test_every_cut_is_noticed(tmp_path: Path, tiny_gguf: Path) -> None:
    whole = tiny_gguf.read_bytes()
    path = tmp_path / "cut.gguf"
    for length in (0, 3, 23, 24, 40, 200, 3_000, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptFile, match="not a whole GGUF file"):
            catalogue.add(str(path))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"PK\x03\x04"),
        (4, struct.pack("<I", 9)),
        (8, struct.pack("<Q", 2**60)),
        (16, struct.pack("<Q", 2**60)),
        (24, struct.pack("<Q", 2**63)),
    ],
)
def test_lies_in_the_header_are_noticed(tmp_path: Path, tiny_gguf: Path, at: int, value: bytes) -> None:
    whole = bytearray(tiny_gguf.read_bytes())
    whole[at : at + len(value)] = value
    (tmp_path / "lie.gguf").write_bytes(whole)
    with pytest.raises(CorruptFile):
        read_gguf_header(tmp_path / "lie.gguf")


def test_an_unknown_architecture_is_named(tmp_path: Path, tiny_llama: Path) -> None:
    path = tiny.save_gguf(tiny_llama, tmp_path / "odd.gguf", architecture="rwkv6")
    with pytest.raises(ModelRefused, match="'rwkv6'"):
        catalogue.add(str(path))


def test_an_unknown_way_of_splitting_is_said_on_the_card(tmp_path: Path, tiny_llama: Path) -> None:
    path = tiny.save_gguf(tiny_llama, tmp_path / "odd.gguf", pre="klingon")
    assert "klingon" in catalogue.add(str(path)).description


@pytest.mark.parametrize(
    ("pre", "pieces"),
    [("smollm", ["4", "2", "7"]), ("gpt-2", ["427"]), ("llama-bpe", ["427"]), ("qwen2", ["4", "2", "7"])],
)
def test_digits_are_split_as_the_model_was_trained(pre: str, pieces: list[str]) -> None:
    from core.models.tokenizer_gguf import _splitter

    splitter, known = _splitter(pre)
    assert known
    assert [text for text, _ in splitter.pre_tokenize_str("427")] == pieces


def test_llama_3s_stretched_positions_are_carried_over(tmp_path: Path, tiny_llama: Path) -> None:
    import numpy as np
    from transformers import AutoConfig, LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rope = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    rope["original_max_position_embeddings"] = 8192
    config = LlamaConfig(hidden_size=32, num_attention_heads=4, rope_parameters=rope)
    stretched = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")[0].numpy()
    table = (5e5 ** -(np.arange(4) / 4) / stretched).astype(np.float32)
    path = tiny.save_gguf(tiny_llama, tmp_path / "long.gguf", rope=(5e5, table))
    read = AutoConfig.from_pretrained(str(catalogue.folder(catalogue.add(str(path)).id)))
    assert read.rope_parameters == rope
    path = tiny.save_gguf(tiny_llama, tmp_path / "odd.gguf", rope=(5e5, table[::-1].copy()))
    with pytest.raises(ModelRefused, match="not Llama 3's"):
        catalogue.add(str(path))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        catalogue.add(str(tmp_path / "none.gguf"))
