"""Models of a hub, from a server on loopback that speaks its protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import Cancelled, CorruptFile, InvalidInput, ModelNotFound, ModelRefused, StorageError
from core.models import catalogue
from core.models import hub as core_hub
from core.models.cards import Source, SourceKind, Task
from core.settings import reload_settings
from tests.models import tiny
from tests.models.hub_server import COMMIT, HubServer

NAME = "acme/Tiny-Llama"


def test_a_model_is_added_at_its_commit(hub: HubServer, tiny_llama: Path, home: Path) -> None:
    hub.publish(NAME, tiny_llama).files |= {"pytorch_model.bin": b"pickle", "evil.py": b"", "onnx.onnx": b"big"}
    seen: list[str] = []
    card = catalogue.add(NAME, progress=lambda fraction, text: seen.append(text))
    folder = catalogue.folder(card.id)
    assert card.source == Source(SourceKind.HUB, NAME)
    assert (card.id, card.revision, card.licence) == ("tiny-llama", COMMIT, "Apache-2.0")
    assert folder.name == COMMIT
    assert (folder / "model.safetensors").read_bytes() == (tiny_llama / "model.safetensors").read_bytes()
    assert not {"pytorch_model.bin", "evil.py", "onnx.onnx"} & set(hub.fetched)
    assert any(text.startswith("Downloading") for text in seen)
    assert [path.name for path in (home / "models" / card.id).iterdir() if path.is_dir()] == [COMMIT]
    assert catalogue.get(NAME) == card
    hub.stop()
    assert catalogue.prepare(card.id) == folder


def test_a_sharded_model(hub: HubServer, tmp_path: Path) -> None:
    hub.publish(NAME, tiny.save_llama(tmp_path / "shards", max_shard_size="10KB"))
    assert len(list(catalogue.folder(catalogue.add(NAME).id).glob("model-*.safetensors"))) > 1


def test_a_cancelled_download_resumes(hub: HubServer, tiny_llama: Path) -> None:
    hub.publish(NAME, tiny_llama)

    def stop(fraction: float, text: str) -> None:
        if text.startswith("Downloading"):
            raise Cancelled("The download")

    with pytest.raises(Cancelled):
        catalogue.add(NAME, progress=stop)
    assert len(catalogue.list_models()) == 2
    hub.fetched.clear()
    assert catalogue.is_prepared(catalogue.add(NAME).id)
    assert "config.json" not in hub.fetched


def test_pickles_are_refused_before_any_download(hub: HubServer, tiny_llama: Path) -> None:
    files = hub.publish(NAME, tiny_llama).files
    files["pytorch_model.bin"] = files.pop("model.safetensors")
    with pytest.raises(ModelRefused, match="only as pickles"):
        catalogue.add(NAME)
    assert hub.fetched == []


def test_custom_code_is_refused_before_the_weights(hub: HubServer, tiny_llama: Path) -> None:
    files = hub.publish(NAME, tiny_llama).files
    files["config.json"] = b'{"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}}'
    with pytest.raises(ModelRefused, match="Python code"):
        catalogue.add(NAME)
    assert "model.safetensors" not in hub.fetched


def test_a_gated_model_needs_a_token(hub: HubServer, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.publish(NAME, tiny_llama, gated="let-me-in")
    with pytest.raises(ModelRefused, match="GROUNDWORK_HUB_TOKEN"):
        catalogue.add(NAME)
    monkeypatch.setenv("GROUNDWORK_HUB_TOKEN", "wrong")
    reload_settings()
    with pytest.raises(ModelRefused, match="gated") as refused:
        catalogue.add(NAME)
    assert "wrong" not in str(refused.value)
    monkeypatch.setenv("GROUNDWORK_HUB_TOKEN", "let-me-in")
    reload_settings()
    assert catalogue.add(NAME).revision == COMMIT


def test_no_token_goes_to_a_mirror_unasked(hub: HubServer, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_private")
    hub.publish(NAME, tiny_llama)
    catalogue.add(NAME)
    assert set(hub.tokens) == {None}


def test_a_missing_model_and_a_missing_revision(hub: HubServer, tiny_llama: Path) -> None:
    with pytest.raises(ModelNotFound, match="no model 'acme/Nothing'"):
        catalogue.add("acme/Nothing")
    hub.publish(NAME, tiny_llama)
    with pytest.raises(ModelNotFound, match="no revision 'v9'"):
        catalogue.add(NAME, revision="v9")
    assert catalogue.add(NAME, revision="main").revision == COMMIT


def test_a_hub_that_is_down(hub: HubServer) -> None:
    hub.stop()
    with pytest.raises(ModelNotFound, match="did not answer"):
        catalogue.add(NAME)


def test_a_damaged_download_is_not_kept(hub: HubServer, tiny_llama: Path, home: Path) -> None:
    files = hub.publish(NAME, tiny_llama).files
    whole = files["model.safetensors"]
    files["model.safetensors"] = whole[:-100]
    with pytest.raises(CorruptFile):
        catalogue.add(NAME)
    files["model.safetensors"] = whole
    assert catalogue.is_prepared(catalogue.add(NAME).id)


def test_a_full_disk_is_told_before_the_weights(
    hub: HubServer, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.publish(NAME, tiny_llama)
    monkeypatch.setattr("core.models.hub._DISK_RESERVE_BYTES", 2**60)
    with pytest.raises(StorageError, match="free"):
        catalogue.add(NAME)
    assert "model.safetensors" not in hub.fetched


def test_a_builtin_comes_from_the_hub_where_its_package_is_absent(
    hub: HubServer, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.models.catalogue.packaged_files", lambda builtin: None)
    monkeypatch.setattr("core.models.builtin.packaged_files", lambda builtin: None)
    hub.publish("HuggingFaceTB/SmolLM2-135M-Instruct", tiny_llama)
    before = catalogue.get("smollm2-135m-instruct")
    assert (before.source.kind, before.revision, before.weights_bytes) == (SourceKind.HUB, "", 0)
    assert catalogue.prepare(before.id).name == COMMIT
    assert catalogue.get("HuggingFaceTB/SmolLM2-135M-Instruct").revision == COMMIT
    assert [card.id for card in catalogue.list_models()] == ["smollm2-135m-instruct", "minilm-l6"]


def test_a_revision_of_a_local_model_makes_no_sense(tiny_llama: Path) -> None:
    with pytest.raises(InvalidInput, match="on this machine"):
        catalogue.add(str(tiny_llama), revision="main")


def test_a_search_finds_names_the_most_used_first(hub: HubServer, tiny_llama: Path) -> None:
    hub.publish("acme/Tiny-Llama", tiny_llama, downloads=3)
    hub.publish("other/llama-large", tiny_llama, downloads=700, gated="secret")
    hub.publish("other/bert", tiny_llama)
    hits = core_hub.search(" Llama ")
    assert [(hit.id, hit.downloads, hit.gated) for hit in hits] == [
        ("other/llama-large", 700, True),
        ("acme/Tiny-Llama", 3, False),
    ]
    assert core_hub.search("llama", limit=1) == hits[:1]
    with pytest.raises(InvalidInput, match="empty"):
        core_hub.search("  ")


def test_a_model_is_judged_before_anything_large_is_fetched(hub: HubServer, tiny_llama: Path) -> None:
    hub.publish(NAME, tiny_llama, parameters=12_345).files["LICENSE"] = b"as you like"
    found = core_hub.look_up(NAME)
    assert (found.parameters, found.licence, found.gated) == (12_345, "Apache-2.0", False)
    sizes = [(tiny_llama / n).stat().st_size for n in ("model.safetensors", "config.json", "tokenizer.json")]
    assert found.download_bytes >= sum(sizes)
    assert core_hub.judge(found) is Task.TEXT_GENERATION
    assert hub.fetched == ["config.json"]
    assert (catalogue.folder(catalogue.add(NAME).id) / "LICENSE").read_text() == "as you like"


def test_a_model_too_large_for_the_memory_is_refused_with_what_would_work(hub: HubServer, tiny_llama: Path) -> None:
    hub.publish(NAME, tiny_llama, parameters=700_000_000_000)
    with pytest.raises(ModelRefused, match=r"700\.0 billion parameters.*server"):
        core_hub.judge(core_hub.look_up(NAME))
    with pytest.raises(ModelRefused, match="billion"):
        catalogue.add(NAME)
    assert hub.fetched == []


def test_a_repository_without_weights_or_with_code_is_judged_too(hub: HubServer, tiny_llama: Path) -> None:
    files = hub.publish(NAME, tiny_llama).files
    files["config.json"] = b'{"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}}'
    with pytest.raises(ModelRefused, match="Python code"):
        core_hub.judge(core_hub.look_up(NAME))
    files["pytorch_model.bin"] = files.pop("model.safetensors")
    with pytest.raises(ModelRefused, match="only as pickles"):
        core_hub.judge(core_hub.look_up(NAME))
