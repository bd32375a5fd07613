"""Embeddings, classes and masks from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.models import tiny
from tests.test_cli import fault, in_a_process

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the tests of this module add models and make exports."""
    return tmp_path_factory.mktemp("encoders")


def test_embed_prints_unit_vectors_in_order(encoders: Path) -> None:
    texts = ["A cat sits on the mat.", "Revenue fell this quarter.", "A kitten lies on a rug."]
    wishes = [part for text in texts for part in ("--text", text)]
    done = in_a_process("embed", "--model", "minilm-l6", *wishes, "--json", GROUNDWORK_HOME=str(encoders))
    vectors = np.array(json.loads(done.stdout)["embeddings"])
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.3
    table = in_a_process("embed", "--text", texts[0], "--text", texts[2], GROUNDWORK_HOME=str(encoders))
    assert table.stdout.splitlines()[0].startswith(" 1.000")
    assert table.stderr == ""  # nothing to prepare any more


def test_classify_and_fill_mask(encoders: Path, tmp_path: Path) -> None:
    labels = {"id2label": {0: "no", 1: "yes"}, "label2id": {"no": 0, "yes": 1}}
    for name, head, more in (("tone", "BertForSequenceClassification", labels), ("gap", "BertForMaskedLM", {})):
        source = tiny.save_encoder(tmp_path / name, head=head, **more)
        in_a_process("models", "--add", str(source), "--id", name, GROUNDWORK_HOME=str(encoders)).check_returncode()
    done = in_a_process(
        "classify", "--model", "tone", "--text", "a", "--text", "b", "--json", GROUNDWORK_HOME=str(encoders)
    )
    classes = json.loads(done.stdout)["classes"]
    assert [sorted(score["label"] for score in scores) for scores in classes] == [["no", "yes"]] * 2
    assert sum(score["probability"] for score in classes[0]) == pytest.approx(1)
    wishes = ("--model", "gap", "--text", "it [MASK] on", "--top", "4", "--json")
    done = in_a_process("fill-mask", *wishes, GROUNDWORK_HOME=str(encoders))
    [choices] = json.loads(done.stdout)["choices"]
    assert len(choices) == 4
    assert choices[0]["probability"] >= choices[1]["probability"]
    done = in_a_process("fill-mask", "--model", "gap", "--text", "no gap here", GROUNDWORK_HOME=str(encoders))
    assert "The text has no mask. [MASK] stands where" in fault((done.returncode, done.stdout, done.stderr))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("embed", "--text", " "), "The text is empty"),
        (("embed", "--text", "a", "--text", ""), "Text 2 of 2 is empty"),
        (("embed", "--model", "smollm2-135m-instruct", "--text", "a"), "wants a feature-extraction model"),
        (("classify", "--model", "minilm-l6", "--text", "a"), "wants a text-classification model"),
        (("embed", "--model", "minilm-l7", "--text", "a"), "Did you mean minilm-l6?"),
        (("embed", "--text", "a", "--precision", "int4"), "Offered: int8, fp32"),
        (("embed",), "--text"),
    ],
)
def test_bad_input_is_told_in_one_line(encoders: Path, arguments: tuple[str, ...], words: str) -> None:
    done = in_a_process(*arguments, GROUNDWORK_HOME=str(encoders))
    assert words in fault((done.returncode, done.stdout, done.stderr))


def test_the_benchmark_of_embeddings_prints_both_and_the_ratio(encoders: Path) -> None:
    done = in_a_process("bench", "encode", "--repeats", "1", "--json", GROUNDWORK_HOME=str(encoders))
    figures = json.loads(done.stdout)
    seconds = figures["seconds_a_batch"]
    assert figures["ratio_to_transformers"] == pytest.approx(seconds["transformers_fp32"] / seconds["ours_int8"])
    assert figures["mean_cosine"] >= 0.99
