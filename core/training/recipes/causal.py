"""A language model learns from chats, from prompts with their completions, or from plain text.

Chats go through the model's own template. The loss is taken on what the assistant says, or on every token. LoRA by
default; `lora: null` trains all weights.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from core.artefacts import part_of
from core.errors import InvalidInput
from core.training.config import CausalConfig
from core.training.data.prepared import PreparedData
from core.training.evaluation.language import language_report
from core.training.evaluation.report import Answer, EvaluationReport
from core.training.language import (
    IGNORED,
    SAMPLE_TOKENS,
    Rows,
    collate_padded,
    greedy,
    pack,
    row_losses,
    tokens_in,
)
from core.training.pretrained import load_model, load_tokenizer, save_pretrained, with_lora
from core.training.recipe import Built, Context

SAMPLES, ANSWERS = 2, 6
"""Prompts answered at every evaluation, and in the report before and after."""


def build(config: CausalConfig, data: PreparedData, context: Context) -> Built:
    """Rows of token ids, and the model with what of it trains."""
    context.progress(0.1, f"Loading {config.model}")
    tokenizer = load_tokenizer(config.model)
    if data.kind == "chat" and not tokenizer.chat_template:
        raise InvalidInput(
            f"{config.model} has no chat template.", next_step="Choose a chat model, or give the rows as plain text."
        )
    model = load_model(config.model, "text-generation", tokenizer)
    if config.lora is not None:
        model = with_lora(model, config.lora, "CAUSAL_LM")
    length = config.max_tokens or 256
    context.progress(0.6, "Reading the rows")
    train = encode(data.train, data.kind, tokenizer, length, config.loss_on)
    if not train:
        raise InvalidInput(
            f"No row has anything to learn within {length} tokens.", next_step="Raise max_tokens, or shorten the rows."
        )
    prompts = sample_prompts(config, data, tokenizer)
    return Built(
        model=model,
        train=Rows(pack(train, length) if config.packing else train),
        validation=Rows(encode(data.validation, data.kind, tokenizer, length, config.loss_on)),
        collate=collate_padded(tokenizer.pad_token_id),
        unit="tokens",
        units=tokens_in,
        sample=lambda now: [(told, greedy(now, tokenizer, ids, SAMPLE_TOKENS)) for told, ids in prompts[:SAMPLES]],
        tokenizer=tokenizer,
        extra={"max_tokens": length, "prompts": prompts},
    )


def evaluate(built: Built, config: CausalConfig, data: PreparedData, context: Context) -> EvaluationReport:
    """The loss on the test rows and some answers, after training and before."""
    tokenizer, prompts = built.tokenizer, built.extra["prompts"][:ANSWERS]
    rows = encode(data.test, data.kind, tokenizer, built.extra["max_tokens"], config.loss_on, keep_all=True)
    found = {}
    for place, (when, model, untrained) in enumerate(_before_and_after(built, config)):
        part = part_of(context.progress, place / 2, (place + 1) / 2)
        with untrained:
            nats, tokens = row_losses(model, rows, tokenizer.pad_token_id, part, f"Judging the model {when}")
            part(0.9, f"Answers {when}")
            found[when] = (nats, tokens, [greedy(model, tokenizer, ids) for _, ids in prompts])
    nats, tokens, after = found["after training"]
    before_nats, _, before = found["before training"]
    kept = [place for place, count in enumerate(tokens) if count]
    return language_report(
        nats[kept],
        tokens[kept],
        rows=[int(data.test["row"].iloc[place]) for place in kept],
        texts=[_shown(data.test.iloc[place]) for place in kept],
        before=before_nats[kept],
        answers=[Answer(told, old, new) for (told, _), old, new in zip(prompts, before, after, strict=True)],
        groups=[str(data.test["group"].iloc[place]) for place in kept] if "group" in data.test else None,
    )


def save(built: Built, config: CausalConfig, data: PreparedData, folder: Path) -> None:
    save_pretrained(built.model, built.tokenizer, folder, config.model)


def encode(
    frame: Any, kind: str, tokenizer: Any, length: int, loss_on: str, *, keep_all: bool = False
) -> list[dict[str, list[int]]]:
    """Rows of input_ids and labels, cut at `length`. Those without a token to learn go, unless all are kept."""
    if kind == "chat":
        rows = [_chat(turns, tokenizer, loss_on) for turns in frame["messages"]]
    else:
        rows = [_text(str(text), tokenizer) for text in frame["text"]]
    cut = [{name: part[:length] for name, part in row.items()} for row in rows]
    return [row for row in cut if keep_all or any(label != IGNORED for label in row["labels"][1:])]


def sample_prompts(config: CausalConfig, data: PreparedData, tokenizer: Any) -> list[tuple[str, list[int]]]:
    """(what is asked, its token ids): the reader's own, then those of test rows."""
    told = list(config.sample_prompts)
    if data.kind != "chat":
        source = data.test if len(data.test) else data.train
        told += [" ".join(str(text).split()[:12]) for text in source["text"].head(ANSWERS)]
        return [(text, tokenizer(text)["input_ids"]) for text in told]
    asked = [[{"role": "user", "content": text}] for text in told]
    asked += [_question(turns) for turns in (data.test if len(data.test) else data.train)["messages"].head(ANSWERS)]
    return [(turns[-1]["content"], _template(tokenizer, turns, prompt=True)) for turns in asked if turns]


def _chat(turns: list[dict[str, str]], tokenizer: Any, loss_on: str) -> dict[str, list[int]]:
    """A chat as the template writes it. Loss on answers: the tokens that the template adds with each assistant turn
    behind the opening of that turn."""
    ids = _template(tokenizer, turns)
    if loss_on == "all":
        return {"input_ids": ids, "labels": list(ids)}
    labels = [IGNORED] * len(ids)
    for place, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        opened = _template(tokenizer, turns[:place], prompt=True)
        closed = _template(tokenizer, turns[: place + 1])
        if ids[: len(opened)] == opened and ids[: len(closed)] == closed:
            labels[len(opened) : len(closed)] = ids[len(opened) : len(closed)]
    return {"input_ids": ids, "labels": labels}


def _template(tokenizer: Any, turns: list[dict[str, str]], *, prompt: bool = False) -> list[int]:
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=prompt)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _text(text: str, tokenizer: Any) -> dict[str, list[int]]:
    ids = tokenizer(text)["input_ids"]
    if tokenizer.eos_token_id is not None and (not ids or ids[-1] != tokenizer.eos_token_id):
        ids = [*ids, tokenizer.eos_token_id]
    return {"input_ids": ids, "labels": list(ids)}


def _question(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """The turns before the first answer."""
    for place, turn in enumerate(turns):
        if turn["role"] == "assistant":
            return turns[:place]
    return turns


def _shown(row: Any) -> str:
    return (
        "\n".join(f"{turn['role']}: {turn['content']}" for turn in row["messages"])
        if "messages" in row
        else row["text"]
    )


def _before_and_after(built: Built, config: CausalConfig) -> list[tuple[str, Any, Any]]:
    """(when, model, context in which it is so). Without LoRA the base is loaded again."""
    if config.lora is not None:
        base, untrained = built.model, built.model.disable_adapter()
    else:
        base = load_model(config.model, "text-generation", built.tokenizer).to(next(built.model.parameters()).device)
        untrained = nullcontext()
    return [("after training", built.model.eval(), nullcontext()), ("before training", base.eval(), untrained)]
