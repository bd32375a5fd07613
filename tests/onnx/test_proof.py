"""The figures of the proof on logits made by hand, and the bars on the real model's exports."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.models import catalogue
from core.onnx.exports import find_export, list_exports
from core.onnx.proof import KL_BARS, PROOF_TOKENS, compare, proof_token_ids
from tests.real_models import SMOLLM2

EVEN = [math.log(0.5), math.log(0.5)]
SKEWED = [math.log(0.75), math.log(0.25)]


def logits(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_equal_logits_are_equal() -> None:
    same = np.random.default_rng(0).normal(size=(6, 50)).astype(np.float32)
    proof = compare(same, same + 3.0, [1, 2, 3, 4, 5, 6], "fp32")  # softmax does not see a constant
    assert (proof.tokens, proof.top1_agreement, proof.passed) == (6, 1.0, True)
    assert proof.mean_kl == pytest.approx(0, abs=1e-9)
    assert proof.perplexity_ratio == pytest.approx(1)


def test_figures_by_hand() -> None:
    proof = compare(logits(SKEWED, SKEWED, EVEN), logits(SKEWED, EVEN, EVEN), [0, 1, 1], "int8")
    kl = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)  # of the middle row; the others are equal
    assert proof.mean_kl == pytest.approx(kl / 3, rel=1e-5)
    assert proof.max_kl == pytest.approx(kl, rel=1e-5)
    assert proof.top1_agreement == 1.0
    assert proof.reference_perplexity == pytest.approx(4.0)  # both tokens that follow have a chance of 1/4
    assert proof.perplexity_ratio == pytest.approx(math.sqrt(0.25 / 0.5), rel=1e-5)
    assert (proof.bar, proof.passed) == (0.01, False)


def test_an_export_that_starts_later_is_aligned_at_the_end() -> None:
    reference = np.random.default_rng(0).normal(size=(8, 20)).astype(np.float32)
    proof = compare(reference, reference[3:], list(range(8)), "fp32")
    assert proof.tokens == 5
    assert proof.mean_kl == pytest.approx(0, abs=1e-9)


def test_another_likeliest_token_counts() -> None:
    proof = compare(logits([1, 0], [1, 0]), logits([1, 0], [0, 1]), [0, 0], "int4")
    assert proof.top1_agreement == 0.5
    assert (proof.bar, proof.passed) == (None, True)


@pytest.mark.parametrize(("precision", "noise", "passed"), [("fp32", 1e-3, True), ("fp32", 0.1, False)])
def test_the_bar_decides(precision: str, noise: float, passed: bool) -> None:
    random = np.random.default_rng(1)
    reference = random.normal(0, 3, size=(40, 200)).astype(np.float32)
    export = reference + random.normal(0, noise, size=reference.shape).astype(np.float32)
    assert compare(reference, export, [0] * 40, precision).passed is passed


def test_an_export_that_gives_no_numbers_fails_even_without_a_bar() -> None:
    broken = np.full((3, 4), np.nan, dtype=np.float32)
    assert not compare(np.zeros((3, 4), dtype=np.float32), broken, [0, 1, 2], "int4").passed


@pytest.mark.slow
def test_the_real_exports_pass_their_bars(real_home: Path) -> None:
    card = catalogue.get(SMOLLM2)
    exports = list_exports(card, "cpu")
    assert [export.precision for export in exports] == ["int8", "fp32"]
    for export in exports:
        proof = export.proof
        assert export.usable
        assert proof.tokens >= 512
        assert proof.bar == KL_BARS[export.precision]
        assert proof.mean_kl <= proof.bar
        assert proof.top1_agreement > 0.9
        assert 0.98 < proof.perplexity_ratio < 1.02
    int8 = find_export(card, "int8", "cpu")
    assert int8 is not None
    assert int8.block_size in (32, 64)
    assert int8.weights_bytes < exports[1].weights_bytes / 2


@pytest.mark.slow
def test_the_proof_text_is_long_enough(real_home: Path) -> None:
    from core.models.tokenizer import Tokenizer

    tokenizer = Tokenizer.load(catalogue.folder(SMOLLM2))
    ids = proof_token_ids(tokenizer, 2048)
    assert len(ids) == PROOF_TOKENS
    assert len(proof_token_ids(tokenizer, 100)) == 100
