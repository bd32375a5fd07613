"""A GPT from nothing: a byte-level tokenizer is trained on the text, then a small Llama of the chosen sizes.

The text is cut into pieces as long as the context; the loss is taken on every token. What comes out can be fine-tuned
on chats like any other model: it carries a plain chat template.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.artefacts import make_folder, part_of
from core.errors import InvalidInput
from core.training.config import GptConfig, Network
from core.training.data.prepared import PreparedData
from core.training.evaluation.baselines import token_nats
from core.training.evaluation.language import language_report
from core.training.evaluation.report import Answer, EvaluationReport
from core.training.language import SAMPLE_TOKENS, Rows, collate_padded, greedy, row_losses, tokens_in
from core.training.recipe import Built, Context

END, PAD = "<|end|>", "<|pad|>"
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
FEWEST_PIECES = 8
ANSWERS, SAMPLES = 4, 2


def build(config: GptConfig, data: PreparedData, context: Context) -> Built:
    """Tokenizer, pieces of the text, a network of random weights. Raises InvalidInput for too short a text."""
    context.progress(0.1, "Training the tokenizer")
    texts = {name: _joined(getattr(data, name)) for name in ("train", "validation", "test")}
    tokenizer = train_tokenizer(texts["train"], config.network.vocabulary, context.folder / "tokenizer")
    context.progress(0.7, "Cutting the text into pieces")
    pieces = {name: _pieces(tokenizer, text, config.network.context) for name, text in texts.items()}
    if len(pieces["train"]) < FEWEST_PIECES or not pieces["test"] or not pieces["validation"]:
        raise InvalidInput(
            f"The text makes {len(pieces['train'])} pieces of {config.network.context} tokens to train on, "
            f"{len(pieces['validation'])} and {len(pieces['test'])} to judge by.",
            allowed=f"{FEWEST_PIECES}, one and one at least.",
            next_step="Give a longer text, or take a shorter context.",
        )
    prompts = [(text, tokenizer(text)["input_ids"]) for text in _prompts(config, texts["test"])]
    return Built(
        model=network(config.network, tokenizer),
        train=Rows(pieces["train"]),
        validation=Rows(pieces["validation"]),
        collate=collate_padded(tokenizer.pad_token_id),
        unit="tokens",
        units=tokens_in,
        sample=lambda now: [(told, greedy(now, tokenizer, ids, SAMPLE_TOKENS)) for told, ids in prompts[:SAMPLES]],
        tokenizer=tokenizer,
        extra={"pieces": pieces, "prompts": prompts},
    )


def evaluate(built: Built, config: GptConfig, data: PreparedData, context: Context) -> EvaluationReport:
    """Loss on the test pieces, after training and with random weights; beside a model that knows frequencies alone."""
    pieces, tokenizer = built.extra["pieces"]["test"], built.tokenizer
    untrained = network(config.network, tokenizer).to(next(built.model.parameters()).device).eval()
    judged = []
    for place, model in enumerate((built.model.eval(), untrained)):
        part = part_of(context.progress, place / 2, (place + 1) / 2)
        judged.append(row_losses(model, pieces, tokenizer.pad_token_id, part, "Judging piece"))
    answers = [
        Answer(told, greedy(untrained, tokenizer, ids), greedy(built.model, tokenizer, ids))
        for told, ids in built.extra["prompts"]
    ]
    (nats, tokens), (before, _) = judged
    return language_report(
        nats,
        tokens,
        rows=list(range(1, len(pieces) + 1)),
        texts=[tokenizer.decode(piece["input_ids"]) for piece in pieces],
        before=before,
        answers=answers,
        baseline=_frequencies(built.extra["pieces"]["train"], pieces, len(tokenizer)),
        baseline_words="a model that knows how often each token occurs, and nothing of their order",
    )


def save(built: Built, config: GptConfig, data: PreparedData, folder: Path) -> None:
    built.model.config.use_cache = True
    built.model.to("cpu").save_pretrained(str(folder))
    built.tokenizer.save_pretrained(str(folder))
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")


def train_tokenizer(text: str, vocabulary: int, folder: Path) -> Any:
    """A byte-level BPE tokenizer of at most so many tokens, kept in `folder`: a resumed run reads it back."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    def make(target: Path) -> None:
        bare = ByteLevelBPETokenizer()
        bare.train_from_iterator(
            text.split("\n"), vocab_size=vocabulary, min_frequency=2, special_tokens=[END, PAD], show_progress=False
        )
        made = PreTrainedTokenizerFast(tokenizer_object=bare._tokenizer, eos_token=END, bos_token=END, pad_token=PAD)
        made.save_pretrained(str(target))

    make_folder(folder, make)
    return AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)


def network(sizes: Network, tokenizer: Any) -> Any:
    """A Llama of these sizes with random weights: rotary positions, RMS norm, a gated MLP, tied embeddings."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=sizes.hidden,
        intermediate_size=_multiple(sizes.hidden * 8 // 3, 32),
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.heads,
        max_position_embeddings=sizes.context,
        attention_dropout=sizes.dropout,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        use_cache=False,
    )
    return LlamaForCausalLM(config).to(torch.float32)


def _joined(frame: Any) -> str:
    return "\n\n".join(str(text) for text in frame["text"])


def _pieces(tokenizer: Any, text: str, length: int) -> list[dict[str, list[int]]]:
    """The text in pieces of `length` tokens; the rest that fills none is left out."""
    ids = tokenizer(text)["input_ids"]
    cut = [ids[start : start + length] for start in range(0, len(ids) - length + 1, length)]
    return [{"input_ids": piece, "labels": list(piece)} for piece in cut]


def _prompts(config: GptConfig, text: str) -> list[str]:
    if config.sample_prompts:
        return list(config.sample_prompts)
    lines = [line for line in text.split("\n") if len(line.split()) >= 8]
    return [" ".join(line.split()[:6]) for line in lines[:: max(1, len(lines) // ANSWERS)][:ANSWERS]]


def _frequencies(train: list[dict[str, list[int]]], test: list[dict[str, list[int]]], tokens: int) -> Any:
    """[row] nats of the test pieces under the training pieces' token frequencies, each counted once more."""
    nats = token_nats([piece["input_ids"] for piece in train], tokens)
    return np.array([nats[piece["input_ids"][1:]].sum() for piece in test])


def _multiple(value: int, of: int) -> int:
    return max(of, value // of * of)
