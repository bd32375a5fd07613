"""Every input of a fine-tune's configuration: what it is called, how it is typed, what it is good for.

A field's name is its place in the configuration, dots between. What is left empty is chosen for the reader, or stays as
the configuration has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["whole", "number", "switch", "choice", "text", "words", "widths", "lines", "columns", "maybe"]
EMPTY = object()
"""What an input gives that is left empty."""


@dataclass(frozen=True, slots=True)
class Field:
    """label, help: shown. options: of a choice, by what they are called in the configuration, with what is shown;
    "yes", "no" and "auto" of a "maybe" are true, false and null. off: whether 0 turns it off."""

    label: str
    kind: Kind
    help: str = ""
    options: dict[str, str] = field(default_factory=dict)
    off: bool = False

    def shown(self, value: Any) -> Any:
        """A value of the configuration as its input holds it."""
        if self.kind == "maybe":
            return _ANSWERS[value]
        if self.kind in ("words", "widths"):
            return ", ".join(str(part) for part in value or ())
        if self.kind == "lines":
            return "\n".join(value or ())
        if self.kind == "columns":
            return list(value or ())
        if self.kind == "number" and value is not None:
            return float(value)
        return value

    def meant(self, held: Any) -> Any:
        """What an input holds as a value of the configuration; EMPTY for nothing. What cannot be read stays as it was
        typed, so that the configuration names it."""
        if held is None:
            return EMPTY
        if self.kind == "maybe":
            return _VALUES[held]
        if self.kind in ("words", "widths"):
            parts = [part for part in re.split(r"[,\s]+", held) if part]
            return [_whole(part) for part in parts] if self.kind == "widths" else parts
        if self.kind == "lines":
            return [line.strip() for line in held.splitlines() if line.strip()]
        return held


_VALUES = {"auto": None, "yes": True, "no": False}
_ANSWERS = {None: "auto", True: "yes", False: "no"}


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


FIELDS: dict[str, Field] = {
    "name": Field("Name", "text", "Shown in the list, and the id under which the model can be registered."),
    "model": Field("Base model", "choice", "What it knows already is where the training begins."),
    # the training
    "training.epochs": Field("Epochs", "number", "Passes over the rows. Too many, and it learns them by heart."),
    "training.steps": Field("Steps", "whole", "Updates of the weights, in place of epochs."),
    "training.learning_rate": Field(
        "Learning rate", "number", "Size of a step: too far, and it forgets; too short, and it takes long."
    ),
    "training.batch_size": Field("Batch", "whole", "Rows that are learned from together. Memory grows with it."),
    "training.accumulation": Field("Accumulation", "whole", "Batches a step: a larger batch without its memory."),
    "training.optimizer": Field(
        "Optimizer", "choice", "", {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}
    ),
    "training.momentum": Field("Momentum", "number", "Of SGD and RMSprop."),
    "training.schedule": Field(
        "Schedule",
        "choice",
        "How the learning rate goes down.",
        {"linear": "linear", "cosine": "cosine", "constant": "constant", "exponential": "exponential"},
    ),
    "training.warmup": Field("Warm-up", "number", "Share of the steps in which the learning rate rises."),
    "training.weight_decay": Field("Weight decay", "number", "Pulls weights towards zero."),
    "training.clip_norm": Field("Clip the gradient at", "number", "Largest norm; 0 for no bound.", off=True),
    "training.mixed_precision": Field(
        "Mixed precision", "choice", "Half as many bits where the device multiplies in them.",
        {"auto": "auto", "off": "off (fp32)", "fp16": "fp16", "bf16": "bf16"},
    ),
    "training.gradient_checkpointing": Field(
        "Gradient checkpointing", "switch", "Less memory for about a third more time."
    ),
    "training.seed": Field("Seed", "whole", "The same seed gives the same run."),
    "training.evaluate_every": Field(
        "Judge every … steps", "whole", "Each time a checkpoint is kept, from which a run can be resumed."
    ),
    "training.early_stopping": Field(
        "Stop early after", "whole", "Evaluations without a better one before it ends; 0 for never.", off=True
    ),
    "training.threads": Field("Threads", "whole", "Cores that it computes on."),
    # LoRA, and what a text model reads
    "lora.rank": Field("LoRA rank", "whole", "Width of what is trained beside each layer: more can learn more."),
    "lora.alpha": Field("LoRA alpha", "number", "Scale of what was learned; twice the rank is usual."),
    "lora.dropout": Field("LoRA dropout", "number", "Share that is left out at random, against learning by heart."),
    "lora.targets": Field("LoRA layers", "words", "Names such as q_proj, v_proj; empty: all linear ones."),
    "max_tokens": Field("Longest row, tokens", "whole", "What is longer is cut: see the picture of the lengths."),
    "packing": Field("Pack short rows", "switch", "Several share a sequence, each seeing itself alone: quicker."),
    "loss_on": Field(
        "Learn from", "choice", "Answers only: the questions are read, not learned.",
        {"answers": "answers only", "all": "every token"},
    ),
    "sample_prompts": Field(
        "Prompts to try while it trains", "lines", "One a line; their answers are shown at every evaluation."
    ),
    "mask_share": Field("Masked share", "number", "Of the tokens, to be guessed."),
    "next_sentence": Field("Next sentence too", "switch", "Also learn whether two pieces follow each other."),
    # networks from nothing
    "network.layers": Field("Layers", "whole", "Depth."),
    "network.heads": Field("Heads", "whole", "Of attention, in each layer."),
    "network.hidden": Field("Width", "whole", "Of the network; a multiple of the heads."),
    "network.context": Field("Context, tokens", "whole", "How far back it looks."),
    "network.vocabulary": Field("Vocabulary", "whole", "Tokens of the tokenizer that is trained first."),
    "network.dropout": Field("Dropout", "number", "Share of units left out at random, against learning by heart."),
    "network.channels": Field("Channels of the blocks", "widths", "One number a block, such as 32, 64."),
    "network.dense": Field("Dense layer", "whole", "Width of the last hidden layer."),
    "network.size": Field("Side, pixels", "whole", "Pictures are brought to this size."),
    "network.colour": Field("Colour", "maybe", "", {"auto": "as the pictures are", "yes": "colour", "no": "grey"}),
    "layers": Field("Hidden layers", "widths", "Widths such as 64, 32 make an MLP; empty is a linear model."),
    # the data
    "data.evaluation_path": Field(
        "File that judges", "text", "Rows of their own for the report, in place of a share of the first file."
    ),
    "data.columns.text": Field("Text", "choice"),
    "data.columns.label": Field("Label", "choice"),
    "data.columns.messages": Field("Chat", "choice", 'JSON: [{"role": "user", "content": "…"}, …].'),
    "data.columns.prompt": Field("Prompt", "choice"),
    "data.columns.completion": Field("Answer", "choice"),
    "data.columns.target": Field("Number to predict", "choice"),
    "data.columns.features": Field("Predict from", "columns", "Empty: every other column of numbers."),
    "data.columns.group": Field("Subgroups", "choice", "The report tells how the model does for each of them."),
    "data.validation": Field("Share that chooses", "number", "Rows that pick the best checkpoint."),
    "data.test": Field("Share that judges", "number", "Rows kept back for the report's figures."),
    "data.seed": Field("Seed of the split", "whole", "The same seed puts the same rows on each side."),
    "data.clean.normalise": Field("Tidy up texts", "switch", "Unicode NFC, blanks as one, no control characters."),
    "data.clean.drop_empty": Field("Drop empty rows", "switch"),
    "data.clean.deduplicate": Field("Drop duplicates", "switch", "Also those that differ in case and blanks alone."),
    "data.clean.drop_leaks": Field(
        "Drop leaks", "switch", "Rows that the file that judges has, too, are not learned from."
    ),
    "data.clean.shortest": Field("Shortest text, characters", "whole", "0: any."),
    "data.clean.longest": Field("Longest text, characters", "whole", "0: any."),
    "data.clean.rarest_label": Field("Rarest label, rows", "whole", "Labels with fewer rows go; 0: none does."),
    "data.privacy": Field(
        "What becomes of it", "choice", "Of personal data and secrets that the scan finds.",
        {"mask": "Mask it", "drop": "Drop the rows", "keep": "Keep it"},
    ),
    "data.augment.copies": Field("Changed copies a row", "whole", "For small sets of texts."),
    "data.augment.word_dropout": Field("Words left out", "number", "Share of a copy's words."),
    "data.augment.word_swap": Field("Words swapped", "number", "Share of a copy's words."),
    "data.augment.rotation": Field("Rotation, degrees", "number", "At random, both ways."),
    "data.augment.shift": Field("Shift", "number", "Share of the side."),
    "data.augment.scale": Field("Scale", "number", "0.1: 90 to 110 %."),
    "data.augment.crop": Field("Crop", "number", "Share of the side."),
}  # fmt: skip

_NAMES = re.compile("|".join(re.escape(name) for name in sorted(FIELDS, key=len, reverse=True) if "." in name))


def in_words(text: str) -> str:
    """A message with the inputs' labels in place of the configuration's keys."""
    return _NAMES.sub(lambda found: f"“{FIELDS[found[0]].label}”", text.removeprefix("data.path: "))
