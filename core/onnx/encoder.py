"""An exported encoder answers: sentence embeddings, classes with probabilities, words for a mask. No torch.

Texts are read in batches of like length, so that a short one does not pay for a long one's padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput, ModelRefused
from core.models.cards import Task
from core.models.pooling import sentence_pooling
from core.models.tokenizer import load_fast, read_json
from core.onnx.graph import GRAPH_FACTS, open_graph

BATCH = 32
_NEXT = "Export the model again."
_MASKS = ("[MASK]", "<mask>")
_UNKNOWN = ("[UNK]", "<unk>")
Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """A class and its probability: a softmax over the classes, or a sigmoid where several may hold at once."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class MaskChoice:
    """A token for one mask. position: which mask of the text, from 0. text: the whole text with it in place."""

    position: int
    token_id: int
    token: str
    probability: float
    text: str


class Encoder:
    """A loaded export. Safe to share between threads. context_length: longest text in tokens; longer ones are cut.
    pooling: "mean" or "cls", how token vectors become a sentence's. pad_id: the token that fills up a batch.

    Raises CorruptFile when the export is damaged.
    """

    def __init__(self, export: Path, *, device: str, threads: int) -> None:
        facts = _read(export / GRAPH_FACTS)
        self._config = _read(export / "config.json")
        self.pooling = sentence_pooling(export, _NEXT)
        if "task" not in facts:
            raise ModelRefused(
                "This is a text-generation model.",
                allowed="An encoder.",
                next_step="Use `generate`, or the playground.",
            )
        self.task = Task(facts["task"])
        self._session = open_graph(export, device=device, threads=threads)
        self._inputs = [one.name for one in self._session.get_inputs()]
        self.context_length = _longest(export, int(facts["context_length"]))
        self._tokenizer = load_fast(export, _NEXT)
        self._tokenizer.enable_truncation(self.context_length)
        self.pad_id = int(self._config.get("pad_token_id") or 0)
        self.mask_token = next((token for token in _MASKS if self._tokenizer.token_to_id(token) is not None), None)
        self.mask_id: int | None = self._tokenizer.token_to_id(self.mask_token) if self.mask_token else None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of a classifier's classes, in the order of its logits."""
        names = self._config.get("id2label") or {}
        count = max((int(i) for i in names), default=-1) + 1
        return tuple(str(names.get(str(i), f"LABEL_{i}")) for i in range(count))

    @property
    def several(self) -> bool:
        """Whether more than one of a classifier's classes may hold at once."""
        return self._config.get("problem_type") == "multi_label_classification" or len(self.labels) == 1

    def truncated(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Which texts, by place, are longer than the model reads; their ends are left out."""
        return tuple(i for i, one in enumerate(self._tokenizer.encode_batch(list(texts))) if one.overflowing)

    def unreadable(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Which texts, by place, have no token that the model knows: all such look alike to it."""
        unknown = {self._tokenizer.token_to_id(token) for token in _UNKNOWN} - {None}
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return tuple(i for i, one in enumerate(encoded) if unknown and set(one.ids) <= unknown)

    def batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Floats, dict[str, Ids]]]:
        """(places of the batch's texts, the model's first output, what it was fed), batch by batch.

        The output is [batch, sequence, hidden or vocabulary], or [batch, class]; what is fed is [batch, sequence].
        """
        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            batch = [encoded[i] for i in places]
            have = {
                "input_ids": _padded([one.ids for one in batch], self.pad_id),
                "attention_mask": _padded([one.attention_mask for one in batch], 0),
                "token_type_ids": _padded([one.type_ids for one in batch], 0),
            }
            feed = {name: have[name] for name in self._inputs}
            yield places, self._session.run(None, feed)[0].astype(np.float32, copy=False), feed

    def read(self, token_ids: Ids) -> npt.NDArray[Any]:
        """The model's first output for [batch, sequence] ids, taken as they are: nothing is padded, cut or added."""
        have = {"attention_mask": np.ones_like(token_ids), "token_type_ids": np.zeros_like(token_ids)}
        feed = {name: have.get(name, token_ids) for name in self._inputs}
        output: npt.NDArray[Any] = self._session.run(None, feed)[0]
        return output

    def pool(self, hidden: Floats, mask: Ids) -> Floats:
        """[batch, hidden] unit vectors of [batch, sequence, hidden]: the mean of the token vectors, padding left out
        (Reimers & Gurevych 2019, arXiv 1908.10084), or the first token's where the model was trained so."""
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = mask[..., None].astype(np.float32)
            pooled = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        unit: Floats = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        return unit

    def embed(self, texts: Sequence[str]) -> Floats:
        """[text, hidden] embeddings of unit length, so that a dot product is the cosine similarity."""
        self._must_be(Task.FEATURE_EXTRACTION, "embeds")
        check_texts(texts)
        pooled = [(places, self.pool(hidden, feed["attention_mask"])) for places, hidden, feed in self.batches(texts)]
        out = np.zeros((len(texts), pooled[0][1].shape[1]), dtype=np.float32)
        for places, vectors in pooled:
            out[places] = vectors
        return out

    def classify(self, texts: Sequence[str]) -> list[tuple[ClassScore, ...]]:
        """For each text its classes, likeliest first."""
        self._must_be(Task.TEXT_CLASSIFICATION, "classifies")
        check_texts(texts)
        out: list[tuple[ClassScore, ...]] = [()] * len(texts)
        for places, logits, _ in self.batches(texts):
            probabilities = 1 / (1 + np.exp(-logits)) if self.several else softmax(logits)
            for place, row in zip(places, probabilities, strict=True):
                scores = [ClassScore(label, float(p)) for label, p in zip(self.labels, row, strict=True)]
                out[place] = tuple(sorted(scores, key=lambda score: -score.probability))
        return out

    def fill_mask(self, text: str, *, top: int = 5) -> tuple[MaskChoice, ...]:
        """For each mask in the text the `top` likeliest tokens, likeliest first. Raises InvalidInput without a mask."""
        self._must_be(Task.FILL_MASK, "fills masks")
        check_texts([text])
        if not 1 <= top <= 1000:
            raise InvalidInput(f"{top} choices were asked for.", allowed="1 to 1,000.")
        if self.mask_token is None:
            raise ModelRefused("The model's tokenizer has no mask token.", next_step="Choose another model.")
        if self.mask_token not in text:
            raise InvalidInput(
                "The text has no mask.",
                allowed=f"{self.mask_token} stands where the model shall find a word.",
                next_step=f"Write {self.mask_token} in the place of one word.",
            )
        [(_, logits, feed)] = list(self.batches([text]))
        if not (feed["input_ids"] == self.mask_id).any():
            raise InvalidInput(
                f"The mask stands behind token {self.context_length}, where the text is cut.",
                next_step="Shorten what stands before it.",
            )
        choices = []
        for position, at in enumerate(np.flatnonzero(feed["input_ids"][0] == self.mask_id)):
            probabilities = softmax(logits[0, at])
            for token_id in np.argsort(-probabilities, kind="stable")[:top]:
                token = self._tokenizer.decode([int(token_id)], skip_special_tokens=False)
                whole = _in_place(text, self.mask_token, position, token.strip())
                choices.append(MaskChoice(position, int(token_id), token, float(probabilities[token_id]), whole))
        return tuple(choices)

    def _must_be(self, task: Task, verb: str) -> None:
        if self.task is not task:
            raise ModelRefused(
                f"This is a {self.task.value} model.",
                allowed=f"A {task.value} model {verb}.",
                next_step="Choose a model for this task.",
            )


def softmax(logits: Floats) -> Floats:
    """Along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def check_texts(texts: Sequence[str]) -> None:
    """Raises InvalidInput when there is none, or one is empty."""
    if not texts:
        raise InvalidInput("No text was given.", next_step="Give at least one.")
    for place, text in enumerate(texts):
        if not text.strip():
            which = f"Text {place + 1} of {len(texts)}" if len(texts) > 1 else "The text"
            raise InvalidInput(f"{which} is empty.", next_step="Write something.")


def _in_place(text: str, mask: str, position: int, token: str) -> str:
    parts = text.split(mask)
    return mask.join(parts[: position + 1]) + token + mask.join(parts[position + 1 :])


def _padded(rows: Sequence[Sequence[int]], value: int) -> Ids:
    """[row, longest row], filled up on the right."""
    out = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return out


def _longest(export: Path, context_length: int) -> int:
    """Positions of the network, or fewer where sentence-transformers was told to cut earlier."""
    cut = _read(export / "sentence_bert_config.json").get("max_seq_length")
    return min(context_length, int(cut)) if cut else context_length


def _read(file: Path) -> dict[str, Any]:
    return read_json(file, _NEXT)
