"""A bundle is what another machine needs: it is unpacked there and answers with onnxruntime alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from core.generation.engine import Engine
from core.generation.request import GenerationRequest, Message, SamplingParameters
from core.models import catalogue
from core.onnx.encoder import Encoder
from core.onnx.exports import Export, ensure_export, find_export
from exports.onnx_bundle import bundle_files, bundle_name, stream_zip
from tests.models import tiny
from tests.real_models import SMOLLM2

BARRED = "torch", "transformers", "onnxruntime_genai", "core", "exports"


def unpacked(export: Export, folder: Path) -> Path:
    """The bundle's folder, through the zip."""
    card = catalogue.get(export.model_id)
    path = folder / bundle_name(export)
    with path.open("wb") as out:
        for piece in stream_zip(bundle_files(card, export)):
            out.write(piece)
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        bundle.extractall(folder)
    return folder / path.stem


def answer(bundle: Path, *texts: str) -> str:
    """What run.py prints, with every library but the ones that it names out of reach."""
    barring = f"import sys; sys.modules.update(dict.fromkeys({BARRED!r})); sys.argv = sys.argv[1:]"
    script = f"{barring}; exec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'), {{'__file__': sys.argv[0]}})"
    command = [sys.executable, "-I", "-c", script, str(bundle / "run.py"), *texts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def greedy(model_id: str, text: str) -> str:
    """What the engine answers, on the same fp32 export."""
    parameters = SamplingParameters(temperature=0.0, max_new_tokens=256)
    request = GenerationRequest(model_id, parameters, messages=(Message("user", text),), precision="fp32", device="cpu")
    stream = Engine().stream(request)
    list(stream)
    return stream.completion.text.strip()


@pytest.mark.slow
def test_the_real_model_answers_as_it_does_here(real_home: Path, tmp_path: Path) -> None:
    export = find_export(catalogue.get(SMOLLM2), "fp32", "cpu")
    assert export is not None
    bundle = unpacked(export, tmp_path)
    question = "What is the capital of France?"
    told = answer(bundle, question)
    assert told == greedy(SMOLLM2, question)
    assert "Paris" in told
    lines = [line for line in (bundle / "run.py").read_text().splitlines()[2:] if line.strip()]
    assert len(lines) <= 11
    assert {"model.onnx", "tokenizer.json", "config.json", "proof.json", "ABOUT.md", "LICENSE.txt", "run.py"} <= {
        path.name for path in bundle.iterdir()
    }
    proof = json.loads((bundle / "proof.json").read_text())
    assert proof["proof"]["passed"]
    assert hashlib.sha256((bundle / "model.onnx").read_bytes()).hexdigest() == proof["sha256"]["model.onnx"]
    assert "Apache License" in (bundle / "LICENSE.txt").read_text()


def test_nothing_of_this_machine_is_in_it(tiny_home: Path, tmp_path: Path) -> None:
    export = find_export(catalogue.get("tiny"), "fp32", "cpu")
    assert export is not None
    bundle = unpacked(export, tmp_path)
    for path in bundle.rglob("*"):
        if path.suffix in (".json", ".md", ".py", ".txt"):
            assert str(tiny_home) not in path.read_text(encoding="utf-8"), path
    assert answer(bundle, "hello you") == greedy("tiny", "hello you")


@pytest.mark.slow
def test_a_gpt2_exported_by_the_other_way(home: Path, tmp_path: Path) -> None:
    card = catalogue.add(str(tiny.save_gpt2(tmp_path / "tiny-gpt2")))
    export = ensure_export(card.id, precision="fp32", device="cpu")
    (tmp_path / "out").mkdir()
    bundle = unpacked(export, tmp_path / "out")
    expected = greedy(card.id, "he")
    assert expected
    assert answer(bundle, "he") == expected


@pytest.mark.slow
def test_sentences_are_compared(home: Path, tmp_path: Path) -> None:
    card = catalogue.add(str(tiny.save_encoder(tmp_path / "embedder", head="BertModel")))
    export = ensure_export(card.id, precision="fp32", device="cpu")
    (tmp_path / "out").mkdir()
    texts = ["the model is a text", "it was in the model and that is the text of it"]
    vectors = Encoder(export.path, device="cpu", threads=1).embed(texts)
    printed = answer(unpacked(export, tmp_path / "out"), *texts)
    assert f"{vectors[0] @ vectors[1]:.4f}" in printed.replace("\n", " ") or f"{vectors[0] @ vectors[1]:.3f}" in printed


@pytest.mark.slow
def test_classes_and_masks(home: Path, tmp_path: Path) -> None:
    names = {0: "bad", 1: "good", 2: "so-so"}
    classifier = catalogue.add(
        str(tiny.save_encoder(tmp_path / "classes", head="BertForSequenceClassification", id2label=names))
    )
    filler = catalogue.add(str(tiny.save_encoder(tmp_path / "masks", head="BertForMaskedLM")))
    for card, text in ((classifier, "the text is good"), (filler, "the [MASK] is a text")):
        export = ensure_export(card.id, precision="fp32", device="cpu")
        out = tmp_path / f"out-{card.id}"
        out.mkdir()
        encoder = Encoder(export.path, device="cpu", threads=1)
        printed = answer(unpacked(export, out), text)
        if card is classifier:
            for score in encoder.classify([text])[0]:
                assert f"'{score.label}': {round(score.probability, 4)}" in printed
        else:
            assert printed == str([choice.token for choice in encoder.fill_mask(text, top=5)])


def test_a_large_file_goes_through_without_being_held(tmp_path: Path) -> None:
    large = tmp_path / "model.onnx.data"
    with large.open("wb") as out:
        out.truncate(200 * 1024**2)
    tracemalloc.start()
    total = sum(len(piece) for piece in stream_zip([("x/model.onnx.data", large), ("x/note.txt", b"note")]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total > 200 * 1024**2
    assert peak < 16 * 1024**2


@pytest.mark.slow
def test_the_publishers_own_licence_goes_along(home: Path, tmp_path: Path) -> None:
    source = tiny.save_llama(tmp_path / "licensed", hidden=64)
    (source / "LICENSE").write_text("Do as you like, says Ada.")
    card = catalogue.add(str(source))
    export = ensure_export(card.id, precision="fp32", device="cpu")
    held = dict(bundle_files(card, export))
    text = held[f"{bundle_name(export).removesuffix('.zip')}/LICENSE"]
    assert isinstance(text, Path)
    assert text.read_text() == "Do as you like, says Ada."
