"""What language-model recipes share: rows of token ids, batches of them, their loss in nats, and greedy answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.artefacts import Progress

IGNORED = -100
"""A label that no loss is taken on (torch's own)."""
JUDGED_AT_ONCE = 8
"""Rows whose loss is taken together."""
ANSWER_TOKENS, SAMPLE_TOKENS = 48, 24
"""Of an answer in the report, and at an evaluation on the way."""


class Rows(torch.utils.data.Dataset[dict[str, list[int]]]):
    """Rows of equal meaning: input_ids, labels (IGNORED where no loss is taken), and position_ids when packed."""

    def __init__(self, rows: Sequence[dict[str, list[int]]]) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict[str, list[int]]:
        return self.rows[place]


def collate_padded(pad_id: int) -> Any:
    """Batches padded at the end to their longest row. Keys are those of the rows, and attention_mask where the rows are
    not packed: a packed row's boundaries follow from its position_ids."""

    def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        fill = {"input_ids": pad_id, "labels": IGNORED, "position_ids": 0}
        batch = {
            name: torch.tensor([row[name] + [fill[name]] * (longest - len(row[name])) for row in rows])
            for name in rows[0]
        }
        if "position_ids" not in batch:
            mask = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows]
            batch["attention_mask"] = torch.tensor(mask)
        return batch

    return collate


def tokens_in(batch: dict[str, Any]) -> int:
    """Tokens that a batch holds, padding left out."""
    mask = batch.get("attention_mask")
    return int(mask.sum()) if mask is not None else int(batch["input_ids"].numel())


def row_losses(
    model: Any,
    rows: Sequence[dict[str, list[int]]],
    pad_id: int,
    progress: Progress,
    told: str,
    *,
    masked: bool = False,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """([row] summed loss in nats, [row] tokens that it was taken on). masked: each label is of its own place, else of
    the place before it."""
    device = next(model.parameters()).device
    collate = collate_padded(pad_id)
    nats, tokens = [], []
    for start in range(0, len(rows), JUDGED_AT_ONCE):
        progress(start / max(1, len(rows)), f"{told}, row {start:,} of {len(rows):,}")
        batch = {name: part.to(device) for name, part in collate(list(rows[start : start + JUDGED_AT_ONCE])).items()}
        labels = batch.pop("labels")
        with torch.inference_mode():
            output = model(**batch)
        logits = (output.prediction_logits if "prediction_logits" in output else output.logits).float()
        if not masked:
            labels, logits = labels[:, 1:], logits[:, :-1]
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
        )
        nats.append(losses.sum(dim=1).double().cpu().numpy())
        tokens.append((labels != IGNORED).sum(dim=1).cpu().numpy())
    if not nats:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    return np.concatenate(nats), np.concatenate(tokens)


def greedy(model: Any, tokenizer: Any, ids: list[int], new_tokens: int = ANSWER_TOKENS) -> str:
    """What the model writes after these tokens, its likeliest token each time; its own end tokens end it."""
    device = next(model.parameters()).device
    given = torch.tensor([ids], device=device)
    with torch.inference_mode():
        made = model.generate(
            input_ids=given,
            attention_mask=torch.ones_like(given),
            max_new_tokens=new_tokens,
            do_sample=False,
            use_cache=True,
            pad_token_id=tokenizer.pad_token_id,
        )
    return str(tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True)).strip()


def pack(rows: Sequence[dict[str, list[int]]], length: int) -> list[dict[str, list[int]]]:
    """Rows put behind each other up to `length` tokens, in order. Positions begin anew with each row, by which
    transformers' attention keeps them apart; a row's first token has no loss, since nothing stands before it."""
    packed: list[dict[str, list[int]]] = []
    for row in rows:
        ids, labels = row["input_ids"], [IGNORED, *row["labels"][1:]]
        last = packed[-1] if packed else None
        if last is None or len(last["input_ids"]) + len(ids) > length:
            last = {"input_ids": [], "labels": [], "position_ids": []}
            packed.append(last)
        last["input_ids"] += ids
        last["labels"] += labels
        last["position_ids"] += range(len(ids))
    return packed
