"""Folders added to the catalogue: what is let in, what is refused and why, and what happens to the source."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.errors import CorruptFile, InvalidInput, ModelNotFound, ModelRefused
from core.models import catalogue
from core.models.cards import SourceKind, Task
from core.models.tokenizer import Tokenizer
from tests.models import tiny


@pytest.fixture
def source(tmp_path: Path, tiny_llama: Path) -> Path:
    """A copy of the tiny Llama that a test may spoil."""
    return Path(shutil.copytree(tiny_llama, tmp_path / "My Llama"))


def test_a_folder_is_linked_and_described(source: Path, home: Path) -> None:
    (source / "README.md").write_text("---\nlicense: mit\n---\n")
    card = catalogue.add(str(source))
    prepared = catalogue.folder(card.id)
    assert (card.id, card.source.kind, card.task, card.licence) == (
        "my-llama",
        SourceKind.FOLDER,
        Task.TEXT_GENERATION,
        "MIT",
    )
    assert card.architecture.kv_heads == 2
    assert card.architecture.head_dim == 8
    assert card.weights_bytes == (source / "model.safetensors").stat().st_size
    assert prepared == home / "models" / card.id / card.revision
    assert (prepared / "model.safetensors").is_symlink()
    assert Tokenizer.load(prepared).encode("hello")
    assert catalogue.get(str(source)) == catalogue.get("my-llama") == card
    assert card in catalogue.list_models()


def test_parameters_are_counted_as_torch_counts_them(source: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(source))
    assert catalogue.add(str(source)).architecture.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("head", "task"),
    [
        ("BertForSequenceClassification", Task.TEXT_CLASSIFICATION),
        ("BertForMaskedLM", Task.FILL_MASK),
        ("BertModel", Task.FEATURE_EXTRACTION),
    ],
)
def test_the_task_follows_the_head(tmp_path: Path, head: str, task: Task) -> None:
    assert catalogue.add(str(tiny.save_bert(tmp_path / "bert", head=head))).task is task


def test_gpt2_names_are_understood(tmp_path: Path) -> None:
    facts = catalogue.add(str(tiny.save_gpt2(tmp_path / "gpt"))).architecture
    assert (facts.layers, facts.heads, facts.kv_heads, facts.hidden) == (2, 4, 4, 32)
    assert (facts.intermediate, facts.context) == (128, 64)


def test_changed_content_is_a_new_revision(source: Path) -> None:
    before = catalogue.add(str(source))
    assert catalogue.add(str(source)) == before
    tiny.save_tokenizer(source, template="{{ messages[0]['content'] }}")
    prepared = catalogue.prepare(before.id)
    after = catalogue.get(before.id)
    assert after.revision != before.revision
    assert prepared.name == after.revision
    assert len(catalogue.list_models()) == 3


def test_removing_leaves_the_source_alone(source: Path, home: Path) -> None:
    card = catalogue.add(str(source))
    catalogue.remove(card.id)
    assert (source / "model.safetensors").is_file()
    assert not (home / "models" / card.id).exists()
    with pytest.raises(ModelNotFound):
        catalogue.get(card.id)


def test_a_folder_that_is_gone_is_told(source: Path) -> None:
    card = catalogue.add(str(source))
    shutil.rmtree(source)
    assert not catalogue.is_prepared(card.id)
    with pytest.raises(ModelNotFound, match="nothing at"):
        catalogue.prepare(card.id)


def test_a_sharded_folder(tmp_path: Path) -> None:
    source = tiny.save_llama(tmp_path / "shards", max_shard_size="10KB")
    prepared = catalogue.folder(catalogue.add(str(source)).id)
    assert (prepared / "model.safetensors.index.json").exists()
    assert len(list(prepared.glob("model-*.safetensors"))) > 1
    next(source.glob("model-00002-*")).unlink()
    with pytest.raises(ModelRefused, match="missing"):
        catalogue.add(str(source))


def test_an_index_that_reaches_outside_is_refused(source: Path) -> None:
    (source / "model.safetensors").unlink()
    index = {"weight_map": {"lm_head.weight": "../../other/model.safetensors"}}
    (source / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelRefused, match="outside its own folder"):
        catalogue.add(str(source))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "last.ckpt"])
def test_pickles_are_refused(source: Path, name: str) -> None:
    (source / "model.safetensors").rename(source / name)
    with pytest.raises(ModelRefused, match="only as pickles"):
        catalogue.add(str(source))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}}, "its own Python code"),
        ({"model_type": "mine"}, "does not know"),
        ({"model_type": None}, "does not know"),
        ({"quantization_config": {"quant_method": "gptq"}}, "gptq"),
        ({"architectures": ["LlamaForTokenClassification"]}, "nothing here can run"),
        ({"hidden_size": "wide"}, "does not accept"),
    ],
)
def test_configurations_that_are_refused(source: Path, home: Path, change: dict[str, object], words: str) -> None:
    path = source / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelRefused, match=words):
        catalogue.add(str(source))
    assert len(catalogue.list_models()) == 2
    assert not list(home.glob("models/*/*/card.json"))


def test_custom_code_beside_a_known_architecture_is_ignored(source: Path) -> None:
    path = source / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoConfig": "evil.Config"}}))
    (source / "evil.py").write_text("raise SystemExit('ran foreign code')")
    assert catalogue.add(str(source)).architecture.model_type == "llama"


@pytest.mark.parametrize("cut", [4, 60, -8])
def test_a_damaged_safetensors_file(source: Path, cut: int) -> None:
    path = source / "model.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CorruptFile, match="not a whole safetensors file"):
        catalogue.add(str(source))


def test_a_tokenizer_is_made_from_the_older_files(tmp_path: Path) -> None:
    source = tiny.save_bert(tmp_path / "bert", head="BertModel")
    (source / "tokenizer.json").unlink()
    (source / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    (source / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing"]))
    prepared = catalogue.folder(catalogue.add(str(source)).id)
    assert Tokenizer.load(prepared).encode("Playing") == [5, 6]
    (source / "vocab.txt").unlink()
    with pytest.raises(ModelRefused, match=r"no tokenizer\.json"):
        catalogue.add(str(source))


def test_ids_do_not_collide(source: Path, tmp_path: Path) -> None:
    catalogue.add(str(source))
    other = Path(shutil.copytree(source, tmp_path / "else" / "my-llama"))
    assert catalogue.add(str(other)).id == "my-llama-2"
    with pytest.raises(InvalidInput, match="already names"):
        catalogue.add(str(other), model_id="minilm-l6")
    for bad in ("../up", "A B", "", ".hidden", "a" * 99):
        with pytest.raises(InvalidInput):
            catalogue.add(str(other), model_id=bad)


def test_sources_that_are_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        catalogue.add(str(tmp_path / "nowhere"))
    with pytest.raises(ModelNotFound):
        catalogue.add("just-a-word")
    with pytest.raises(InvalidInput):
        catalogue.add("  ")
    (tmp_path / "weights.bin").write_bytes(b"x")
    with pytest.raises(ModelRefused):
        catalogue.add(str(tmp_path / "weights.bin"))


def test_unknown_ids_name_close_ones() -> None:
    with pytest.raises(ModelNotFound, match=r"Did you mean smollm2-135m-instruct\?.*minilm-l6"):
        catalogue.get("smollm2-135m")


def test_builtin_models_cannot_be_removed() -> None:
    with pytest.raises(ModelRefused):
        catalogue.remove("minilm-l6")
