"""Is an exported encoder the same model? Its outputs on real text against torch fp32, padding included."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artefacts import Progress
from core.models.cards import Task
from core.onnx.encoder import Encoder
from core.onnx.proof import PROOF_TEXT, log_softmax

SEQUENCES = 32
_NAMES = {"max_abs_difference": "largest difference", "mean_kl": "mean KL", "mean_cosine": "mean cosine"}
MASK_EVERY = 7  # words

# What an export may be away from the fp32 reference. fp32: largest absolute difference of an output value. Else, for
# models that give probabilities: mean KL in nats; for embeddings: mean cosine of the sentence vectors, at least.
MAX_DIFFERENCE = {"fp32": 1e-3}
KL_BARS = {"fp16": 1e-3, "int8": 0.01}
COSINE_BARS = {"fp16": 0.999, "int8": 0.99}


@dataclass(frozen=True, slots=True)
class GraphProof:
    """How close a graph is to the torch fp32 reference.

    sequences: texts read; rows: vectors or distributions compared. max_abs_difference: of the raw outputs.
    argmax_agreement: share of rows with the same likeliest class; mean_kl: KL(reference ‖ export) in nats (both None
    for embeddings). mean_cosine, min_cosine: of sentence vectors (None where there are none). measure, bar:
    which of these decides, and its bound. passed: within it.
    """

    task: str
    sequences: int
    rows: int
    max_abs_difference: float
    measure: str
    bar: float
    passed: bool
    argmax_agreement: float | None = None
    mean_kl: float | None = None
    mean_cosine: float | None = None
    min_cosine: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def short(self) -> str:
        """The figure that decides."""
        return f"{_NAMES[self.measure]} {getattr(self, self.measure):.4g}"

    @property
    def details(self) -> str:
        """All figures, in a sentence."""
        read = {"image-classification": "pictures", "tabular-regression": "rows", "module": "inputs"}
        unit = " of the target's spread" if self.task == "tabular-regression" else ""
        parts = [f"largest difference of an output {self.max_abs_difference:.2g}{unit}"]
        if self.mean_cosine is not None:
            parts.append(f"cosine of the sentence vectors {self.mean_cosine:.4f}, at least {self.min_cosine:.4f}")
        if self.mean_kl is not None:
            parts.append(f"mean KL divergence {self.mean_kl:.2g} nats")
        if self.argmax_agreement is not None:
            parts.append(f"the same first choice in {self.argmax_agreement:.1%}")
        return f"Compared with torch fp32 on {self.sequences} {read.get(self.task, 'texts')}: {', '.join(parts)}."

    @property
    def words(self) -> str:
        """The figure that decides, and its bar."""
        return f"{self.short} (bar {self.bar:g})"


def proof_texts(mask_token: str | None) -> list[str]:
    """Sentences of the fixed text, of many lengths; with masks for a model that fills them."""
    sentences = re.split(r"(?<=[.!?])\s+", PROOF_TEXT.read_text(encoding="utf-8").strip())
    texts = [" ".join(sentences[i : i + 1 + i % 4]) for i in range(len(sentences))]
    texts = (texts * (SEQUENCES // len(texts) + 1))[:SEQUENCES]
    if mask_token is None:
        return texts
    return [
        " ".join(mask_token if i % MASK_EVERY == 3 else word for i, word in enumerate(text.split())) for text in texts
    ]


def prove_graph(
    export: Path, model: Any, *, task: Task, precision: str, device: str, threads: int, progress: Progress
) -> GraphProof:
    """Run both on the same batches. model: the torch reference of `load_reference`."""
    import torch

    encoder = Encoder(export, device=device, threads=threads)
    texts = proof_texts(encoder.mask_token if task is Task.FILL_MASK else None)
    mask_id = encoder.mask_id if task is Task.FILL_MASK else None
    ours: list[npt.NDArray[np.float32]] = []
    theirs: list[npt.NDArray[np.float32]] = []
    largest = 0.0
    done = 0
    for places, logits, feed in encoder.batches(texts):
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(values) for name, values in feed.items()}
            reference = model(**tensors)[0].float().numpy()
        kept = feed["attention_mask"].astype(bool) if logits.ndim == 3 else np.ones(len(logits), dtype=bool)
        largest = max(largest, float(np.abs(logits[kept] - reference[kept]).max()))
        if task is Task.FEATURE_EXTRACTION:
            ours.append(encoder.pool(logits, feed["attention_mask"]))
            theirs.append(encoder.pool(reference, feed["attention_mask"]))
        else:
            rows = feed["input_ids"] == mask_id if task is Task.FILL_MASK else kept
            ours.append(logits[rows])
            theirs.append(reference[rows])
        done += len(places)
        progress(done / len(texts), f"Proving it against torch, text {done} of {len(texts)}")
    return judge(np.concatenate(theirs), np.concatenate(ours), largest, task, precision, sequences=len(texts))


def judge(
    reference: npt.NDArray[np.float32],
    export: npt.NDArray[np.float32],
    largest: float,
    task: Task,
    precision: str,
    *,
    sequences: int,
) -> GraphProof:
    """Both [row, class] logits, or [row, hidden] unit vectors for embeddings. largest: difference of raw outputs."""
    agreement = kl = mean_cosine = min_cosine = None
    if task is Task.FEATURE_EXTRACTION:
        cosines = (reference * export).sum(axis=1)
        mean_cosine, min_cosine = float(cosines.mean()), float(cosines.min())
    else:
        p, q = log_softmax(reference), log_softmax(export)
        kl = float(np.mean(np.sum(np.exp(p) * (p - q), axis=1)))
        agreement = float(np.mean(p.argmax(axis=1) == q.argmax(axis=1)))
    if precision in MAX_DIFFERENCE:
        measure, bar, passed = "max_abs_difference", MAX_DIFFERENCE[precision], largest <= MAX_DIFFERENCE[precision]
    elif kl is not None:
        measure, bar, passed = "mean_kl", KL_BARS[precision], kl <= KL_BARS[precision]
    else:
        assert mean_cosine is not None
        measure, bar, passed = "mean_cosine", COSINE_BARS[precision], mean_cosine >= COSINE_BARS[precision]
    return GraphProof(
        task=task.value,
        sequences=sequences,
        rows=len(export),
        max_abs_difference=largest,
        measure=measure,
        bar=bar,
        passed=bool(passed and np.isfinite(export).all()),
        argmax_agreement=agreement,
        mean_kl=kl,
        mean_cosine=mean_cosine,
        min_cosine=min_cosine,
    )
