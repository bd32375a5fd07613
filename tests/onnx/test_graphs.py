"""Encoders, classifiers, masked language models, unknown decoders and plain modules: real exports, each proved."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import CorruptFile, DeviceUnavailable, ExportFailed, InvalidInput, ModelRefused
from core.generation.engine import Engine
from core.generation.request import GenerationRequest, SamplingParameters
from core.models import catalogue
from core.models.cards import Task
from core.onnx.encoder import Encoder
from core.onnx.exports import Export, ensure_export, find_export, list_exports
from core.onnx.graph_proof import GraphProof, judge
from core.onnx.module import export_module, run_module
from core.settings import get_settings
from tests.models import tiny

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
SENTENCES = ["A cat sits on the mat.", "A kitten rests on a rug.", "Revenue fell, they say.", "It is the model. " * 9]


def opened(export: Export) -> Encoder:
    return Encoder(export.path, device="cpu", threads=2)


def reference(folder: Path, kind: str, texts: list[str], max_length: int = 512) -> Any:
    """The first output of transformers on each text by itself, without padding."""
    import torch
    import transformers

    model = getattr(transformers, kind).from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        fed = [tokenizer(text, return_tensors="pt", truncation=True, max_length=max_length) for text in texts]
        return [model(input_ids=one["input_ids"], attention_mask=one["attention_mask"])[0][0].numpy() for one in fed]


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture
def graph_home(shared_home: Path, home: Path) -> Path:
    """The test's home, whose models and exports the tests of this module share."""
    for name in ("models", "exports"):
        (shared_home / name).mkdir(exist_ok=True)
        (home / name).symlink_to(shared_home / name, target_is_directory=True)
    return home


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_sentence_encoder_is_proved_and_embeds_as_transformers(graph_home: Path, precision: str) -> None:
    export = ensure_export("minilm-l6", precision=precision, device="cpu")
    assert isinstance(export.proof, GraphProof)
    assert export.proof.passed
    assert export.proof.sequences == 32
    vectors = opened(export).embed(SENTENCES)
    hidden = reference(catalogue.folder("minilm-l6"), "AutoModel", SENTENCES)
    means = np.stack([one.mean(axis=0) / np.linalg.norm(one.mean(axis=0)) for one in hidden])
    cosines = (vectors * means).sum(axis=1)
    assert vectors.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert cosines.min() > (0.99999 if precision == "fp32" else 0.985)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_padding_and_company_change_nothing(graph_home: Path) -> None:
    encoder = opened(ensure_export("minilm-l6", precision="fp32", device="cpu"))
    together = encoder.embed([*SENTENCES, *(f"Sentence number {n} of many." for n in range(70))])
    np.testing.assert_allclose(together[:4], np.concatenate([encoder.embed([text]) for text in SENTENCES]), atol=1e-5)


def test_a_long_text_is_cut_and_told(graph_home: Path) -> None:
    encoder = opened(ensure_export("minilm-l6", precision="fp32", device="cpu"))
    texts = ["word " * 1_000, "short", "🙂 שלום \u202e <b>&\x00"]
    assert encoder.truncated(texts) == (0,)
    assert np.isfinite(encoder.embed(texts)).all()


def test_embedding_imports_no_torch(graph_home: Path) -> None:
    ensure_export("minilm-l6", precision="fp32", device="cpu")
    program = (
        "import sys\n"
        "sys.argv = ['core', 'embed', '--text', 'hello', '--precision', 'fp32', '--json']\n"
        "from core.__main__ import main\n"
        "try:\n    main()\nfinally:\n    assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"embeddings"' in done.stdout


def test_a_masked_language_model_fills_masks_as_torch(graph_home: Path, tmp_path: Path) -> None:
    source = tiny.save_encoder(tmp_path / "mlm", head="BertForMaskedLM")
    card = catalogue.add(str(source), model_id="tiny-mlm")
    assert card.task is Task.FILL_MASK
    export = ensure_export("tiny-mlm", precision="fp32", device="cpu")
    assert isinstance(export.proof, GraphProof)
    assert export.proof.argmax_agreement == 1.0
    text = "the [MASK] was in a text, and [MASK] it is."
    choices = opened(export).fill_mask(text, top=3)
    [logits] = reference(catalogue.folder("tiny-mlm"), "AutoModelForMaskedLM", [text])
    encoder = opened(export)
    ids = encoder._tokenizer.encode(text).ids
    for position, at in enumerate(i for i, token_id in enumerate(ids) if token_id == encoder.mask_id):
        ours = [choice for choice in choices if choice.position == position]
        assert [choice.token_id for choice in ours] == np.argsort(-logits[at], kind="stable")[:3].tolist()
        expected = np.exp(logits[at] - logits[at].max())
        assert ours[0].probability == pytest.approx(float(expected.max() / expected.sum()), abs=1e-4)
        assert ours[0].text.count("[MASK]") == 1
    with pytest.raises(InvalidInput, match=r"\[MASK\] stands where"):
        encoder.fill_mask("there is none")
    with pytest.raises(ModelRefused, match="fill-mask model"):
        encoder.embed(["x"])


@pytest.mark.parametrize("kind", ["single_label_classification", "multi_label_classification"])
def test_a_classifier_gives_the_probabilities_of_torch(graph_home: Path, tmp_path: Path, kind: str) -> None:
    names = {0: "calm", 1: "glad", 2: "cross"}
    name = f"tiny-{kind.split('_')[0]}"
    source = tiny.save_encoder(
        tmp_path / "classifier",
        head="BertForSequenceClassification",
        id2label=names,
        label2id={label: place for place, label in names.items()},
        problem_type=kind,
    )
    catalogue.add(str(source), model_id=name)
    export = ensure_export(name, precision="fp32", device="cpu")
    found = opened(export).classify(SENTENCES)
    logits = np.stack(reference(catalogue.folder(name), "AutoModelForSequenceClassification", SENTENCES))
    if kind.startswith("single"):
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    else:
        expected = 1 / (1 + np.exp(-logits))
    for row, scores in zip(expected, found, strict=True):
        assert [score.label for score in scores] == [names[i] for i in np.argsort(-row)]
        np.testing.assert_allclose([score.probability for score in scores], np.sort(row)[::-1], atol=1e-4)


def test_a_decoder_unknown_to_the_builder_answers_as_torch(graph_home: Path, tmp_path: Path) -> None:
    catalogue.add(str(tiny.save_gpt2(tmp_path / "gpt2")), model_id="tiny-gpt2")
    export = ensure_export("tiny-gpt2", precision="fp32", device="cpu")
    assert export.proof.passed
    engine = Engine(get_settings())
    answers: dict[str, list[int]] = {}
    for backend in ("onnx", "torch"):
        stream = engine.stream(
            GenerationRequest(
                "tiny-gpt2",
                SamplingParameters(max_new_tokens=24, temperature=0.0),
                raw_prompt="hello hello",
                precision="fp32",
                backend=backend,  # type: ignore[arg-type]
                device="cpu",
            )
        )
        answers[backend] = [event.token_id for event in stream]
    assert answers["onnx"] == answers["torch"]
    assert len(answers["onnx"]) == 24
    with pytest.raises(ExportFailed, match="does not know the architecture GPT2LMHeadModel"):
        ensure_export("tiny-gpt2", precision="int4", device="cpu")


def test_a_precision_that_encoders_do_not_have_is_refused(graph_home: Path) -> None:
    with pytest.raises(DeviceUnavailable, match=r"'int4' is not offered for encoders on cpu.* int8, fp32"):
        ensure_export("minilm-l6", precision="int4", device="cpu")


def test_exports_are_listed_with_their_proofs(graph_home: Path) -> None:
    ensure_export("minilm-l6", precision="fp32", device="cpu")
    card = catalogue.get("minilm-l6")
    assert "fp32" in {export.precision for export in list_exports(card, "cpu")}
    export = find_export(card, "fp32", "cpu")
    assert export
    assert export.task == "feature-extraction"
    assert "cosine" in export.proof.details


def test_a_damaged_graph_is_named(graph_home: Path, tmp_path: Path) -> None:
    import shutil

    export = ensure_export("minilm-l6", precision="int8", device="cpu")
    broken = tmp_path / "broken"
    shutil.copytree(export.path, broken)
    (broken / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(CorruptFile, match="cannot be loaded"):
        Encoder(broken, device="cpu", threads=1)


def test_a_wrong_model_does_not_pass() -> None:
    rng = np.random.default_rng(0)
    unit = rng.normal(size=(32, 8)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    other = np.roll(unit, 1, axis=0)
    assert judge(unit, unit, 0.0, Task.FEATURE_EXTRACTION, "int8", sequences=32).passed
    assert not judge(unit, other, 9.0, Task.FEATURE_EXTRACTION, "int8", sequences=32).passed
    assert not judge(unit, other, 9.0, Task.TEXT_CLASSIFICATION, "int8", sequences=32).passed
    assert not judge(unit, unit, 9.0, Task.TEXT_CLASSIFICATION, "fp32", sequences=32).passed


def test_a_cnn_and_a_linear_model_are_exported_with_a_free_batch(tmp_path: Path) -> None:
    import torch
    from torch import nn

    torch.manual_seed(0)
    cnn = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(), nn.Flatten(),
        nn.Linear(8 * 4 * 4, 10),
    )  # fmt: skip
    for name, module, shape in (("cnn", cnn, (1, 8, 8)), ("linear", nn.Linear(5, 1), (5,))):
        inputs = np.random.default_rng(0).normal(size=(7, *shape)).astype(np.float32)
        proof = export_module(module, inputs, tmp_path / name)
        assert proof.passed
        for batch in (1, 7):
            with torch.inference_mode():
                expected = module.eval()(torch.from_numpy(inputs[:batch])).numpy()
            np.testing.assert_allclose(run_module(tmp_path / name, inputs[:batch]), expected, atol=1e-4)


def test_a_module_that_cannot_be_traced_leaves_nothing(tmp_path: Path) -> None:
    from torch import nn

    class Moody(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2 if float(x.sum()) > 0 else x

    with pytest.raises(ExportFailed, match="Moody could not be turned into a graph"):
        export_module(Moody(), np.ones((2, 3), np.float32), tmp_path / "moody")
    assert not (tmp_path / "moody").exists()
