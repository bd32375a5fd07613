"""The built-in table: quick to read, light to import, and true to the real files."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.models import catalogue
from core.models.admission import read_config
from core.models.architecture import describe
from core.models.builtin import BUILTINS, packaged_files
from core.models.cards import Task
from tests.real_models import MINILM, ROOT, SMOLLM2, prepared_folder


def test_asking_imports_neither_torch_nor_transformers(home: Path) -> None:
    script = (
        "import sys\nfrom core.models import catalogue, tokenizer\n"
        "catalogue.list_models()\ncatalogue.get('minilm-l6')\n"
        "assert not {'torch', 'transformers', 'optimum'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_listing_takes_under_50_ms() -> None:
    catalogue.list_models()
    took = []
    for _ in range(5):
        start = time.perf_counter()
        catalogue.list_models()
        took.append(time.perf_counter() - start)
    assert min(took) < 0.05


def test_minilm_is_as_its_row_says() -> None:
    row = BUILTINS[1]
    folder = catalogue.prepare(MINILM)
    assert describe(read_config(folder / "config.json"), Task.FEATURE_EXTRACTION) == row.architecture
    card = catalogue.get(MINILM)
    assert card.architecture == row.architecture
    assert (card.builtin, card.licence, card.task) == (True, "Apache-2.0", Task.FEATURE_EXTRACTION)


def test_the_revision_of_the_packaged_gguf_is_its_sha256() -> None:
    from core.models.digests import revision_of_file

    files = packaged_files(BUILTINS[0])
    assert files is not None
    assert files.revision == revision_of_file(files.path)
    assert files.weights_bytes == files.path.stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize(("row", "model_id"), [(BUILTINS[0], SMOLLM2), (BUILTINS[1], MINILM)])
def test_the_table_agrees_with_the_real_models(row: object, model_id: str) -> None:
    from core.models.card_file import read_card

    card = read_card(prepared_folder(model_id))
    builtin = next(builtin for builtin in BUILTINS if builtin.id == model_id)
    assert builtin == row
    assert card.architecture == builtin.architecture
    assert card.licence == builtin.licence
