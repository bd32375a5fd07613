"""Is the export the same model? Its logits on a fixed text against the torch fp32 reference.

The export is read the way it serves: the first half of the text in one prefill, the rest token by token.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artefacts import Progress
from core.models.architecture import auto_class
from core.models.cards import Task
from core.models.tokenizer import Tokenizer

PROOF_TOKENS = 576  # 64 in one prefill, then 512 compared one by one
PREFILL_TOKENS = 64
PROOF_TEXT = Path(__file__).with_name("proof_text.txt")

# Mean KL divergence in nats that an export may have from the fp32 reference. int4 has no bar: it is offered with its
# figures and a warning.
KL_BARS: dict[str, float | None] = {"fp32": 1e-4, "fp16": 1e-3, "bf16": 1e-3, "int8": 0.01, "int4": None}


@dataclass(frozen=True, slots=True)
class Proof:
    """How close an export is to the torch fp32 reference.

    tokens: positions compared. mean_kl, max_kl: KL(reference ‖ export) in nats. top1_agreement: share of positions
    with the same likeliest token. perplexity_ratio: export over reference on the same text (1 is equal). bar: the
    mean KL allowed (None: no bar). passed: mean_kl is within the bar.
    """

    tokens: int
    mean_kl: float
    max_kl: float
    top1_agreement: float
    perplexity_ratio: float
    reference_perplexity: float
    bar: float | None
    passed: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def short(self) -> str:
        """The figure that decides."""
        return f"KL {self.mean_kl:.2g}"

    @property
    def details(self) -> str:
        """All figures, in a sentence."""
        return (
            f"Compared with torch fp32 on {self.tokens} tokens: mean KL divergence {self.mean_kl:.2g} nats, the same "
            f"first choice in {self.top1_agreement:.1%}, perplexity × {self.perplexity_ratio:.4f}."
        )

    @property
    def words(self) -> str:
        """The figure that decides, and its bar."""
        return f"mean KL {self.mean_kl:.2g} nats" + (f" (bar {self.bar:g})" if self.bar is not None else "")


def proof_token_ids(tokenizer: Tokenizer, context: int) -> list[int]:
    """Token ids of the fixed text, PROOF_TOKENS of them (fewer where the context is shorter)."""
    ids = tokenizer.encode(PROOF_TEXT.read_text(encoding="utf-8"))
    while len(ids) < PROOF_TOKENS:
        ids = ids + ids
    return ids[: min(PROOF_TOKENS, context)]


def load_reference(source: Path, task: Task) -> Any:
    """The torch model in fp32 on the CPU, in evaluation mode: what every export is compared with."""
    import torch

    return auto_class(task).from_pretrained(source, dtype=torch.float32, local_files_only=True).eval()


def reference_logits(model: Any, token_ids: list[int]) -> npt.NDArray[np.float32]:
    """[position, vocabulary] logits of a decoder of `load_reference`."""
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([token_ids]), use_cache=False).logits[0]
    result: npt.NDArray[np.float32] = logits.float().numpy()
    return result


def export_logits(
    export: Path, token_ids: list[int], *, device: str, threads: int, progress: Progress
) -> npt.NDArray[np.float32]:
    """[position, vocabulary] logits of the export from position PREFILL_TOKENS - 1 on."""
    from core.onnx.session import open_model

    model = open_model(export, device=device, threads=threads)
    context = model.open_context(len(token_ids) + 1)
    split = min(PREFILL_TOKENS, len(token_ids) // 2)
    rows = [context.append(token_ids[:split])]
    for done, token_id in enumerate(token_ids[split:], start=split):
        rows.append(context.append([token_id]))
        if done % 32 == 0:
            progress(done / len(token_ids), f"Proving it against torch, token {done} of {len(token_ids)}")
    return np.stack(rows)


def compare(
    reference: npt.NDArray[np.float32], export: npt.NDArray[np.float32], token_ids: list[int], precision: str
) -> Proof:
    """Both [position, vocabulary], aligned at the end; token_ids: the text, to take the perplexities on."""
    reference = reference[len(reference) - len(export) :]
    following = np.array(token_ids[len(token_ids) - len(export) + 1 :])
    kls, nll_reference, nll_export, agreed = [], [], [], 0
    for row in range(len(export)):
        p, q = log_softmax(reference[row]), log_softmax(export[row])
        kls.append(float(np.sum(np.exp(p) * (p - q))))
        agreed += int(np.argmax(p) == np.argmax(q))
        if row < len(following):
            nll_reference.append(-p[following[row]])
            nll_export.append(-q[following[row]])
    mean_kl = float(np.mean(kls))
    bar = KL_BARS[precision]
    return Proof(
        tokens=len(export),
        mean_kl=mean_kl,
        max_kl=float(np.max(kls)),
        top1_agreement=agreed / len(export),
        perplexity_ratio=float(np.exp(np.mean(nll_export) - np.mean(nll_reference))),
        reference_perplexity=float(np.exp(np.mean(nll_reference))),
        bar=bar,
        passed=bool(np.isfinite(mean_kl)) and (bar is None or mean_kl <= bar),
    )


def log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Log-probabilities along the last axis, in double precision."""
    shifted = logits.astype(np.float64) - np.max(logits, axis=-1, keepdims=True)
    result: npt.NDArray[np.float64] = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return result
