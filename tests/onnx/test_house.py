"""What a model takes on disk, and that deleting frees what it said it would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from core.artefacts import folder_bytes
from core.errors import Busy, ModelNotFound
from core.models import catalogue
from core.models.cards import ModelCard
from core.onnx.exports import ensure_export, list_exports
from core.onnx.house import delete_leftovers, delete_model, holdings, leftovers, sweep
from core.store.database import Database
from core.store.jobs import JobRepository
from tests.models import tiny

pytestmark = pytest.mark.slow  # each has an export made


@pytest.fixture
def card(home: Path, tmp_path: Path) -> ModelCard:
    """A tiny classifier from a folder, exported in fp32."""
    source = tiny.save_encoder(tmp_path / "elsewhere" / "classes", head="BertForSequenceClassification")
    added = catalogue.add(str(source))
    ensure_export(added.id, precision="fp32", device="cpu")
    return catalogue.get(added.id)


def test_everything_is_listed_with_what_it_was_made_from(card: ModelCard) -> None:
    linked, export = holdings(card)
    assert linked.what == "Linked files"
    assert card.source.location in linked.stands_on
    assert linked.bytes < card.weights_bytes  # the weights are linked, not copied
    assert "fp32" in export.what
    assert export.bytes == folder_bytes(export.path) > card.weights_bytes / 2


def test_what_nothing_uses_is_found_and_cleared(card: ModelCard, home: Path, db: Database) -> None:
    assert leftovers(card) == ()
    begun = home / "models" / card.id / ".download-abc"
    begun.mkdir()
    (begun / "model.safetensors").write_bytes(bytes(5_000))
    old = home / "exports" / card.id / "0123456789ab" / "cpu-int8"
    old.mkdir(parents=True)
    (old / "model.onnx").write_bytes(bytes(7_000))
    half = home / "exports" / card.id / card.revision / "cpu-int8.partial"
    half.mkdir()
    (half / "model.onnx").write_bytes(bytes(900))
    assert sum(holding.bytes for holding in leftovers(card)) == 12_000
    with FileLock(str(half).removesuffix(".partial") + ".lock"):  # as whoever makes it holds it
        sweep(card)
        assert half.exists()
    sweep(card)
    assert not half.exists()
    assert delete_leftovers(card, db) == 12_000
    assert leftovers(card) == ()
    assert len(list_exports(card)) == 1


def test_deleting_a_model_frees_what_was_listed_and_leaves_its_source(
    card: ModelCard, home: Path, db: Database
) -> None:
    listed = sum(holding.bytes for holding in holdings(card))
    before = sum(f.stat().st_size for f in home.rglob("*") if f.is_file() and "elsewhere" not in f.parts)
    assert delete_model(card, db) == listed
    after = sum(f.stat().st_size for f in home.rglob("*") if f.is_file() and "elsewhere" not in f.parts)
    assert before - after >= listed
    assert (Path(card.source.location) / "model.safetensors").is_file()
    with pytest.raises(ModelNotFound):
        catalogue.get(card.id)


def test_nothing_is_deleted_while_a_job_works_on_the_model(card: ModelCard, db: Database) -> None:
    jobs = JobRepository(db)
    job, _ = jobs.create(kind="export", key=f"{card.id}/int8/cpu", title="Prepare it", command={})
    with pytest.raises(Busy, match="Prepare it"):
        delete_model(card, db)
    jobs.request_cancel(job.id)
    assert delete_model(card, db) > 0


def test_a_builtin_is_cleared_and_stays_in_the_list(home: Path, db: Database) -> None:
    from tests.real_models import MINILM, prepared_folder

    target = home / "models" / MINILM
    target.mkdir(parents=True)
    real = prepared_folder(MINILM)
    shutil.copytree(real, target / real.name, symlinks=True)
    card = catalogue.get(MINILM)
    assert delete_model(card, db) == sum(
        f.stat().st_size for f in real.rglob("*") if not f.is_symlink() and f.is_file()
    )
    assert not target.exists()
    assert catalogue.get(MINILM).builtin
    assert holdings(catalogue.get(MINILM)) == ()
