"""The recipes, in the order in which they are shown."""

from __future__ import annotations

from core.errors import InvalidInput
from core.training.config import (
    CausalConfig,
    ClassificationConfig,
    GptConfig,
    ImagesConfig,
    MaskedConfig,
    RegressionConfig,
)
from core.training.recipe import Recipe

_HOME = "core.training.recipes"

ALL: tuple[Recipe, ...] = (
    Recipe(
        "causal",
        "Teach a language model",
        "Answers in my words, from my chats or texts.",
        "Chats (JSONL with `messages`), a CSV with prompt and completion, or plain text",
        ("chat", "text"),
        f"{_HOME}.causal",
        CausalConfig,
    ),
    Recipe(
        "classification",
        "Classify texts",
        "Sorts messages, tickets or reviews into my classes.",
        "A table with a text and a label in each row",
        ("labelled",),
        f"{_HOME}.classification",
        ClassificationConfig,
    ),
    Recipe(
        "images",
        "Classify images",
        "A CNN that tells my pictures apart.",
        "A zip with a folder of images for each class",
        ("images",),
        f"{_HOME}.images",
        ImagesConfig,
    ),
    Recipe(
        "regression",
        "Predict a number",
        "A price, a demand, a duration from the columns of a table.",
        "A table of numbers, one column of them to predict",
        ("numbers",),
        f"{_HOME}.regression",
        RegressionConfig,
    ),
    Recipe(
        "gpt",
        "Build a GPT from nothing",
        "See a tokenizer and a network learn a text, from random weights to sentences.",
        "A text of 100 kB or more",
        ("text",),
        f"{_HOME}.gpt",
        GptConfig,
    ),
    Recipe(
        "masked",
        "Pre-train a BERT",
        "An encoder that knows the words of my field.",
        "Plain text, or a table with a column of texts",
        ("text",),
        f"{_HOME}.masked",
        MaskedConfig,
    ),
)


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InvalidInput."""
    for one in ALL:
        if one.name == name:
            return one
    raise InvalidInput(f"There is no recipe {name!r}.", allowed=", ".join(one.name for one in ALL) + ".")
