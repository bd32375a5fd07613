"""Uploads: kept on disk, refused when they are no model, gone with the model that was made from them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.models import catalogue, uploads


def as_upload(folder: Path) -> list[tuple[str, io.BytesIO]]:
    return [(file.name, io.BytesIO(file.read_bytes())) for file in sorted(folder.iterdir())]


def test_a_safetensors_model_is_kept_added_and_removed_with_its_upload(tiny_llama: Path, home: Path) -> None:
    folder = uploads.receive(as_upload(tiny_llama))
    assert folder.parent == home / "uploads"
    card = catalogue.add(str(folder))
    assert catalogue.is_prepared(card.id)
    size = uploads.upload_bytes(card.source.location)
    assert size == sum(file.stat().st_size for file in tiny_llama.iterdir())
    uploads.sweep(older_than_s=-1)
    assert folder.is_dir()
    catalogue.remove(card.id)
    assert not list((home / "uploads").iterdir())


def test_a_gguf_file_is_kept_by_its_name(tiny_gguf: Path) -> None:
    path = uploads.receive([("../../My Model.gguf", io.BytesIO(tiny_gguf.read_bytes()))])
    assert path.name == "My Model.gguf"
    assert path.parent.parent == uploads.uploads_dir()
    assert catalogue.add(str(path)).id == "my-model"


def test_what_is_no_whole_model_is_refused_and_not_kept(tiny_llama: Path, tiny_gguf: Path, home: Path) -> None:
    whole = dict(as_upload(tiny_llama))
    some = [(name, content) for name, content in whole.items() if name != "config.json"]
    with pytest.raises(InvalidInput, match=r"there is no config\.json"):
        uploads.receive(some)
    with pytest.raises(InvalidInput, match="no weights"):
        uploads.receive([("config.json", whole["config.json"])])
    with pytest.raises(InvalidInput, match=r"train\.json is no file"):
        uploads.receive([*whole.items(), ("train.json", io.BytesIO(b"{}"))])
    with pytest.raises(InvalidInput, match="alone"):
        uploads.receive([("a.gguf", tiny_gguf.open("rb")), *whole.items()])
    assert not (home / "uploads").exists()


def test_an_upload_that_no_model_came_of_is_swept_after_a_while(tiny_gguf: Path) -> None:
    path = uploads.receive([("a.gguf", tiny_gguf.open("rb"))])
    uploads.sweep()
    assert path.exists()
    uploads.sweep(older_than_s=-1)
    assert not path.exists()
    assert uploads.forget("/nowhere/model.gguf") == 0
