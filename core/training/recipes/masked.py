"""Masked language modelling (Devlin et al. 2019): a BERT learns to fill in words, from an encoder or from nothing.

Of the tokens, a share is chosen anew at every epoch; 80 % of them are masked, 10 % replaced, 10 % left. Which ones
follows from seed, epoch and row, so that a resumed run masks the same. Next-sentence prediction is BERT's second task.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.artefacts import make_folder, part_of
from core.errors import InvalidInput, ModelRefused
from core.training.config import MaskedConfig, Network
from core.training.data.prepared import PreparedData
from core.training.evaluation.baselines import token_nats
from core.training.evaluation.language import language_report
from core.training.evaluation.report import EvaluationReport, Metric
from core.training.language import IGNORED, row_losses
from core.training.pretrained import load_model, load_tokenizer, save_pretrained
from core.training.recipe import Built, Context

FEWEST_PIECES = 8
MASKED, REPLACED = 0.8, 0.1


class MaskedRows(torch.utils.data.Dataset[dict[str, list[int]]]):
    """Pieces of token ids with tokens masked. pairs: also whether the second half follows the first.

    `set_epoch` is called by accelerate when an epoch begins.
    """

    def __init__(self, pieces: list[list[int]], tokenizer: Any, share: float, seed: int, *, pairs: bool) -> None:
        self._pieces, self._share, self._seed, self._pairs = pieces, share, seed, pairs
        self._special = set(tokenizer.all_special_ids)
        self._mask, self._tokens = tokenizer.mask_token_id, len(tokenizer)
        self._first, self._last = tokenizer.cls_token_id, tokenizer.sep_token_id
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, place: int) -> dict[str, Any]:
        draw = random.Random(f"{self._seed} {self._epoch} {place}")
        row: dict[str, Any] = {}
        ids = [self._first, *self._pieces[place], self._last]
        if self._pairs:
            ids, row["token_type_ids"], row["next_sentence_label"] = self._pair(place, draw)
        shown, labels = self._masked(ids, draw)
        return {"input_ids": shown, "labels": labels, **row}

    def _pair(self, place: int, draw: random.Random) -> tuple[list[int], list[int], int]:
        """Two halves of a piece, or of two pieces; label 0 when they follow each other (transformers' convention)."""
        piece = self._pieces[place]
        middle = len(piece) // 2
        one, other = piece[:middle], piece[middle:]
        stranger = int(draw.random() < 0.5 and len(self._pieces) > 1)
        if stranger:
            at = draw.randrange(len(self._pieces) - 1)
            there = self._pieces[at + (at >= place)]
            other = there[len(there) // 2 :]
        ids = [self._first, *one, self._last, *other, self._last]
        return ids, [0] * (len(one) + 2) + [1] * (len(other) + 1), stranger

    def _masked(self, ids: list[int], draw: random.Random) -> tuple[list[int], list[int]]:
        shown, labels = list(ids), [IGNORED] * len(ids)
        places = [at for at, token in enumerate(ids) if token not in self._special]
        for at in draw.sample(places, max(1, round(self._share * len(places)))) if places else []:
            labels[at], kind = ids[at], draw.random()
            if kind < MASKED:
                shown[at] = self._mask
            elif kind < MASKED + REPLACED:
                shown[at] = draw.randrange(self._tokens)
        return shown, labels


def build(config: MaskedConfig, data: PreparedData, context: Context) -> Built:
    """Pieces of the texts, masked; the encoder with its two heads, or the one. Raises InvalidInput, ModelRefused."""
    context.progress(0.1, "Reading the texts")
    texts = {name: [str(text) for text in getattr(data, name)["text"]] for name in ("train", "validation", "test")}
    if config.network is None:
        tokenizer = load_tokenizer(config.model)
    else:
        tokenizer = train_tokenizer(texts["train"], config.network.vocabulary, context.folder / "tokenizer")
    _check_marks(config, tokenizer)
    length = (config.network.context if config.network else config.max_tokens or 128) - 3
    pieces = {name: _pieces(tokenizer, rows, length) for name, rows in texts.items()}
    if len(pieces["train"]) < FEWEST_PIECES or not pieces["test"] or not pieces["validation"]:
        raise InvalidInput(
            f"The texts make {len(pieces['train'])} pieces to train on, {len(pieces['validation'])} and "
            f"{len(pieces['test'])} to judge by.",
            allowed=f"{FEWEST_PIECES}, one and one at least.",
            next_step="Give more text, or a shorter context.",
        )
    context.progress(0.6, "Building the model")
    share, seed = config.mask_share, config.training.seed
    rows = {name: MaskedRows(kept, tokenizer, share, seed, pairs=config.next_sentence) for name, kept in pieces.items()}
    return Built(
        model=_model(config, tokenizer),
        train=rows["train"],
        validation=rows["validation"],
        collate=_collate(tokenizer.pad_token_id),
        unit="tokens",
        units=lambda batch: int(batch["attention_mask"].sum()),
        tokenizer=tokenizer,
        extra={"rows": rows, "pieces": pieces},
    )


def evaluate(built: Built, config: MaskedConfig, data: PreparedData, context: Context) -> EvaluationReport:
    """Loss and hits on masked words of the test texts, after training and before; beside the frequencies of words."""
    rows = [dict(built.extra["rows"]["test"][place]) for place in range(len(built.extra["rows"]["test"]))]
    untrained = _model(config, built.tokenizer).to(next(built.model.parameters()).device).eval()
    judged = [_heads_away(row) for row in rows]
    found = []
    for place, model in enumerate((built.model.eval(), untrained)):
        part = part_of(context.progress, place / 2, (place + 1) / 2)
        found.append(row_losses(model, judged, built.tokenizer.pad_token_id, part, "Judging piece", masked=True))
    (nats, tokens), (before, _) = found
    report = language_report(
        nats,
        tokens,
        rows=list(range(1, len(rows) + 1)),
        texts=[built.tokenizer.decode(row["input_ids"]) for row in rows],
        before=before,
        baseline=_frequencies(built, judged),
        baseline_words="a model that knows how often each token occurs, and nothing of its neighbours",
    )
    return _with_hits(report, built.model, untrained, rows, built.tokenizer.pad_token_id)


def save(built: Built, config: MaskedConfig, data: PreparedData, folder: Path) -> None:
    model = _masked_half(built.model) if config.next_sentence else built.model
    if config.network is None:
        save_pretrained(model, built.tokenizer, folder, config.model)
        return
    model.to("cpu").save_pretrained(str(folder))
    built.tokenizer.save_pretrained(str(folder))


def train_tokenizer(texts: list[str], vocabulary: int, folder: Path) -> Any:
    """A WordPiece tokenizer of at most so many tokens, kept in `folder`: a resumed run reads it back."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizerFast

    def make(target: Path) -> None:
        bare = BertWordPieceTokenizer(lowercase=True)
        bare.train_from_iterator(texts, vocab_size=vocabulary, min_frequency=2, show_progress=False)
        BertTokenizerFast(tokenizer_object=bare._tokenizer).save_pretrained(str(target))

    make_folder(folder, make)
    return BertTokenizerFast.from_pretrained(str(folder), local_files_only=True)


def _model(config: MaskedConfig, tokenizer: Any) -> Any:
    """The encoder with a head that fills in words, and with one for pairs when they are wanted."""
    from transformers import BertForMaskedLM, BertForPreTraining

    kind = BertForPreTraining if config.next_sentence else BertForMaskedLM
    if config.network is not None:
        return kind(_bert_config(config.network, tokenizer)).to(torch.float32)
    model = load_model(config.model, "fill-mask", tokenizer)
    if not config.next_sentence:
        return model
    if model.config.model_type != "bert":
        raise ModelRefused(
            f"{config.model} is a {model.config.model_type}.",
            allowed="Next-sentence prediction is for models of the type bert.",
            next_step="Switch next_sentence off, or choose a BERT.",
        )
    whole = kind(model.config).to(torch.float32)
    whole.load_state_dict(model.state_dict(), strict=False)  # what it lacks is the head for pairs
    return whole


def _check_marks(config: MaskedConfig, tokenizer: Any) -> None:
    """Raises ModelRefused for a tokenizer that cannot mask."""
    marks = {"mask": tokenizer.mask_token, "first": tokenizer.cls_token, "separating": tokenizer.sep_token}
    missing = [name for name, token in marks.items() if token is None]
    if missing:
        raise ModelRefused(
            f"The tokenizer of {config.model} names no {' and no '.join(missing)} token.",
            allowed="Encoders of the BERT family.",
            next_step="Choose another model, or a network from nothing.",
        )


def _bert_config(sizes: Network, tokenizer: Any) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=4 * sizes.hidden,
        max_position_embeddings=sizes.context,
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.dropout,
        pad_token_id=tokenizer.pad_token_id,
    )


def _masked_half(model: Any) -> Any:
    """The model without its head for pairs, as the catalogue takes it."""
    from transformers import BertForMaskedLM

    half = BertForMaskedLM(model.config)
    half.load_state_dict(model.state_dict(), strict=False)
    return half


def _pieces(tokenizer: Any, texts: list[str], length: int) -> list[list[int]]:
    """Texts behind each other, cut into pieces of `length` tokens; the last one may be shorter, half at least."""
    ids: list[int] = []
    for found in tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []:
        ids += found
    cut = [ids[start : start + length] for start in range(0, len(ids), length)]
    return [piece for piece in cut if len(piece) >= max(4, length // 2)]


def _collate(pad_id: int) -> Any:
    fill = {"input_ids": pad_id, "labels": IGNORED, "token_type_ids": 0}

    def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        batch = {
            name: torch.tensor([row[name] + [fill[name]] * (longest - len(row[name])) for row in rows])
            for name in rows[0]
            if name in fill
        }
        lengths = [len(row["input_ids"]) for row in rows]
        batch["attention_mask"] = torch.tensor([[1] * n + [0] * (longest - n) for n in lengths])
        if "next_sentence_label" in rows[0]:
            batch["next_sentence_label"] = torch.tensor([row["next_sentence_label"] for row in rows])
        return batch

    return collate


def _heads_away(row: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in row.items() if name in ("input_ids", "labels")}


def _frequencies(built: Built, rows: list[dict[str, Any]]) -> Any:
    """[row] nats of the masked words under the training texts' token frequencies, each counted once more."""
    nats = token_nats(built.extra["pieces"]["train"], len(built.tokenizer))
    return np.array([sum(nats[label] for label in row["labels"] if label != IGNORED) for row in rows])


def _with_hits(
    report: EvaluationReport, model: Any, untrained: Any, rows: list[dict[str, Any]], pad: int
) -> EvaluationReport:
    """The report with the share of masked tokens that were the first choice, and of pairs told rightly."""
    import dataclasses

    now, before = _hits(model, rows, pad), _hits(untrained, rows, pad)
    titles = {"masked_accuracy": "Masked tokens guessed", "pair_accuracy": "Pairs of sentences told rightly"}
    more = [Metric(name, titles[name], now[name], before=before[name]) for name in now]
    return dataclasses.replace(report, metrics=(*report.metrics, *more))


def _hits(model: Any, rows: list[dict[str, Any]], pad: int) -> dict[str, float]:
    device, collate = next(model.parameters()).device, _collate(pad)
    right = asked = pairs = 0
    for start in range(0, len(rows), 16):
        batch = {name: part.to(device) for name, part in collate(rows[start : start + 16]).items()}
        labels, told = batch.pop("labels"), batch.pop("next_sentence_label", None)
        with torch.inference_mode():
            output = model(**batch)
        said = (output.prediction_logits if told is not None else output.logits).argmax(dim=-1)
        right += int(((said == labels) & (labels != IGNORED)).sum())
        asked += int((labels != IGNORED).sum())
        if told is not None:
            pairs += int((output.seq_relationship_logits.argmax(dim=-1) == told).sum())
    found = {"masked_accuracy": right / max(1, asked)}
    return found | ({"pair_accuracy": pairs / max(1, len(rows))} if "next_sentence_label" in rows[0] else {})
