"""`Scorer`: the score of a target as a function of the input embeddings, and what stands in for a removed token.

What stands in was measured on both built-in models (see `_neutral`). It is the same for integrated gradients, occlusion
and the faithfulness curves, so that they answer the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.checkpoint import checkpoint

from core.artefacts import Progress
from core.interpret.open_model import OpenModel
from core.interpret.target import Target, find_mask
from core.interpret.trace import Floats, Trace
from core.models import catalogue
from core.models.pooling import sentence_pooling

Masks = npt.NDArray[np.bool_]
TOKENS_AT_ONCE = 2048  # of all texts in one forward pass
GRADIENT_BYTES = 1024**3  # of what one forward pass keeps for its backward pass
_SEPARATORS = ("<|endoftext|>",)


@dataclass(frozen=True, slots=True)
class Scorer:
    """embedded, baseline: [1, token, hidden] fp32, the input and what stands in for each of its tokens (stand_in: in
    words). first_token_pools: its vector is the sentence's, not the mean of all. unit: [hidden],
    the direction of the sentence's embedding (embedding targets). Hold `opened.lock` while you call."""

    opened: OpenModel
    target: Target
    ids: tuple[int, ...]
    embedded: torch.Tensor
    baseline: torch.Tensor
    stand_in: str
    first_token_pools: bool = False
    unit: torch.Tensor | None = None

    @property
    def tokens(self) -> int:
        return len(self.ids)

    @property
    def removable(self) -> Masks:
        """[token]: whether something else stands in for it; what marks the text's ends stays."""
        differs: Masks = (self.embedded != self.baseline).any(-1)[0].cpu().numpy()
        return differs

    def score(self, embedded: torch.Tensor) -> torch.Tensor:
        """[batch] of [batch, token, hidden]; carries gradients."""
        kind = self.target.kind
        if kind == "embedding":
            assert self.unit is not None
            return self._embedding(embedded) @ self.unit
        logits = self._made(embedded, **({"logits_to_keep": 1} if kind == "next" else {})).logits.float()
        if kind != "class":
            logits = logits[:, -1 if kind == "next" else self.target.position]
        logs = _log_probabilities(logits, self.opened, kind)
        chosen = logs[:, self.target.token_id]
        return chosen if self.target.against is None else chosen - logs[:, self.target.against]

    def masked_scores(self, keep: Masks, progress: Progress, words: str) -> Floats:
        """[row]: the score with the tokens that a row of `keep` [row, token] leaves out replaced."""
        return self._in_batches(keep, self.score, progress, words)

    def masked_probabilities(self, keep: Masks, progress: Progress, words: str) -> Floats:
        """The same as a probability; for a contrastive target that of the token where only the two may come; for an
        embedding its cosine to the whole text's."""
        return self._in_batches(keep, self._probability, progress, words)

    def _probability(self, embedded: torch.Tensor) -> torch.Tensor:
        if self.target.kind == "embedding":
            assert self.unit is not None
            return torch.nn.functional.cosine_similarity(self._embedding(embedded), self.unit[None])
        score = self.score(embedded)
        return score.exp() if self.target.against is None else score.sigmoid()

    def _embedding(self, embedded: torch.Tensor) -> torch.Tensor:
        return _pooled(self._made(embedded), first=self.first_token_pools)

    def _made(self, embedded: torch.Tensor, **options: Any) -> Any:
        return self.opened.forward(
            inputs_embeds=embedded.to(self.opened.model.get_input_embeddings().weight.dtype), **options
        )

    def _in_batches(
        self, keep: Masks, function: Callable[[torch.Tensor], torch.Tensor], progress: Progress, words: str
    ) -> Floats:
        step = max(TOKENS_AT_ONCE // self.tokens, 1)
        parts: list[Floats] = []
        with torch.inference_mode():
            for start in range(0, len(keep), step):
                rows = torch.from_numpy(keep[start : start + step]).to(self.embedded.device)[..., None]
                with ticking(self.opened, progress, start / len(keep), words):
                    made = function(torch.where(rows, self.embedded, self.baseline))
                parts.append(made.float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    @contextmanager
    def differentiable(self) -> Iterator[int]:
        """Gradients are on inside; gives how many texts may be in one pass. Where one alone keeps more than
        GRADIENT_BYTES, layers keep only their input and are computed again on the way back."""
        shape = self.opened.card.architecture
        wide = 8 * shape.hidden + 4 * shape.intermediate  # numbers a token and layer, measured
        at_once = GRADIENT_BYTES // (wide * 4 * shape.layers * self.tokens)
        with ExitStack() as undo, torch.inference_mode(False), torch.enable_grad():
            if at_once == 0:
                for container in self.opened.containers:
                    container.forward = _recomputed(container.forward)
                    undo.callback(container.__dict__.pop, "forward", None)
            yield max(at_once, 1)


def scorer(trace: Trace, target: Target) -> Scorer:
    """The score of `target` in this text."""
    opened = trace.opened
    ids = target.inputs(trace)
    with torch.inference_mode(False), torch.no_grad():
        embedded = opened.model.get_input_embeddings()(opened.tensor(ids)).float()
        neutral, stand_in = _neutral(opened)
        baseline = _baseline(opened, ids, embedded, neutral)
    pools = target.kind == "embedding" and sentence_pooling(catalogue.prepare(opened.card.id)) == "cls"
    unit = None
    if target.kind == "embedding":
        with torch.inference_mode():
            whole = _pooled(opened.forward(input_ids=opened.tensor(ids)), first=pools)[0]
        unit = torch.nn.functional.normalize(whole, dim=0).clone()
    with torch.inference_mode(False):
        unit = None if unit is None else unit.clone()
    return Scorer(opened, target, ids, embedded, baseline, stand_in, pools, unit)


@contextmanager
def ticking(opened: OpenModel, progress: Progress, fraction: float, words: str) -> Iterator[None]:
    """Tells `progress` before every layer, forwards and backwards, so that a long pass can be cancelled."""

    def tick(*_: Any) -> None:
        progress(fraction, words)

    def on_layer(module: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        tick()
        hidden = arguments[0] if arguments else named["hidden_states"]
        if hidden.requires_grad:
            hidden.register_hook(tick)

    with ExitStack() as undo:
        for container in opened.containers:
            undo.callback(container.register_forward_pre_hook(on_layer, with_kwargs=True).remove)
        yield


def _recomputed(forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **named: checkpoint(forward, *arguments, use_reentrant=False, **named)


def _baseline(opened: OpenModel, ids: tuple[int, ...], embedded: torch.Tensor, neutral: torch.Tensor) -> torch.Tensor:
    """[1, token, hidden]: special tokens stay, as they do in any text; a decoder's first token, if it is a plain one,
    gives way to what parts documents; every other token becomes the neutral embedding."""
    baseline = neutral.expand_as(embedded).clone()
    special = opened.tokenizer.special_ids
    if opened.causal and (separator := _separator(opened)) is not None:
        baseline[:, 0] = opened.model.get_input_embeddings()(opened.tensor([separator]))[0, 0].float()
    for place, id_ in enumerate(ids):
        if id_ in special:
            baseline[:, place] = embedded[:, place]
    return baseline


def _neutral(opened: OpenModel) -> tuple[torch.Tensor, str]:
    """[hidden], and what it is in words: the mean of all embeddings; of an encoder with a mask token, the mask's.

    Measured on SmolLM2 ("The capital of France is" → Paris) as gradients until integrated gradients were complete
    within 2 %. First token kept: mean 24, zeros 64. First token → <|endoftext|>, the rest → mean: 32, and the score
    rises steadily. Not within 256: mean everywhere (off by 4 %), zeros everywhere (63 %), first token → <|im_start|>,
    the rest → mean (stretches off by 9 %): what becomes of the first token, where attention is parked, matters most.
    A chat prompt of 21 tokens: off by 3 % after 256; by 11 % where the template's special tokens are replaced too.
    MiniLM, two sentences: mask, padding, mean and zeros all after 16 to 24; a BERT was trained on the mask.
    """
    embed = opened.model.get_input_embeddings()
    hidden = None if opened.causal else find_mask(opened.tokenizer)
    if hidden is not None:
        return embed(opened.tensor([hidden]))[0, 0].float(), "the mask token"
    count = embed.weight.shape[0]
    total = torch.zeros(embed.weight.shape[1], device=opened.device)
    for start in range(0, count, 8192):  # through the module: some scale what they look up
        total += embed(torch.arange(start, min(start + 8192, count), device=opened.device)).float().sum(0)
    return total / count, "the average of all embeddings"


def _separator(opened: OpenModel) -> int | None:
    """The token after which a text of its own begins."""
    for text in _SEPARATORS:
        ids = opened.tokenizer.encode(text)
        if len(ids) == 1 and ids[0] in opened.tokenizer.special_ids:
            return ids[0]
    ends = opened.tokenizer.eos_ids
    return opened.tokenizer.bos_id if opened.tokenizer.bos_id is not None else (ends[0] if ends else None)


def _log_probabilities(logits: torch.Tensor, opened: OpenModel, kind: str) -> torch.Tensor:
    """A softmax; a sigmoid where several classes may hold at once."""
    config = opened.model.config
    several = getattr(config, "problem_type", None) == "multi_label_classification" or logits.shape[-1] == 1
    if kind == "class" and several:
        return torch.nn.functional.logsigmoid(logits)
    return logits.log_softmax(-1)


def _pooled(made: Any, *, first: bool) -> torch.Tensor:
    """[batch, hidden] of a sentence (Reimers & Gurevych 2019, arXiv 1908.10084)."""
    hidden: torch.Tensor = made[0].float()
    return hidden[:, 0] if first else hidden.mean(1)
