"""Sample sets, one for each recipe and more: made at the first use and kept in `home/samples`, whole or not at all.

Each is written by this project from a fixed seed, or comes out of an installed package; nothing is fetched.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.artefacts import make_folder
from core.errors import InvalidInput
from core.settings import get_settings

OURS = "CC0-1.0"
_HOME = "core.training.data.sample_sets"
EDITION = "1"
"""Raised when a set's content changes, so that an older one on the disk is not taken for it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """name: as in `sample:NAME`. told: what it is, for a reader. recipe: the first that takes it. licence: SPDX where
    it has a name there. source: where it comes from. file: in the sample's folder. writer: `module:function`."""

    name: str
    title: str
    told: str
    recipe: str
    licence: str
    source: str
    file: str
    writer: str


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "support-chats",
        "Support chats",
        "200 chats of a bicycle shop whose answers all have one shape: in short, steps, a signature.",
        "causal",
        OURS,
        "Written for this project; put together from a seed.",
        "support-chats.jsonl",
        "chats:write_chats",
    ),
    Sample(
        "support-tickets",
        "Support tickets",
        "2,000 short messages to a shop in five classes, with their channel; many mention what they are not about.",
        "classification",
        OURS,
        "Written for this project; put together from a seed.",
        "support-tickets.csv",
        "tickets:write_tickets",
    ),
    Sample(
        "reviews",
        "Reviews",
        "1,000 short reviews, good or bad, many of which praise one thing and blame another.",
        "classification",
        OURS,
        "Written for this project; put together from a seed.",
        "reviews.csv",
        "reviews:write_reviews",
    ),
    Sample(
        "digits",
        "Handwritten digits",
        "1,797 pictures of 8 x 8 pixels, ten classes.",
        "images",
        "CC-BY-4.0",
        "Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998, UCI), as scikit-learn ships it.",
        "digits",
        "shipped:write_digits",
    ),
    Sample(
        "diabetes",
        "Diabetes",
        "442 patients: ten measurements and how far the disease went within a year.",
        "regression",
        "BSD-3-Clause",
        "Efron, Hastie, Johnstone and Tibshirani 2004, as scikit-learn ships it.",
        "diabetes.csv",
        "shipped:write_diabetes",
    ),
    Sample(
        "linear-line",
        "A line",
        "160 machines: hours of use and the energy they drew. One weight and a bias: all of the descent shows.",
        "regression",
        OURS,
        "Written for this project; put together from a seed.",
        "linear-line.csv",
        "line:write_line",
    ),
    Sample(
        "story-text",
        "Stories",
        "1 MB of short stories in plain words, from which a small GPT or BERT can learn to write.",
        "gpt",
        OURS,
        "Written for this project; put together from a seed.",
        "story-text.txt",
        "stories:write_stories",
    ),
)


def sample(name: str) -> Sample:
    """Raises InvalidInput for a name that no sample has."""
    for one in SAMPLES:
        if one.name == name:
            return one
    raise InvalidInput(f"There is no sample {name!r}.", allowed=", ".join(one.name for one in SAMPLES) + ".")


def sample_path(name: str) -> Path:
    """Its file (of images: the folder), made at the first call. Raises InvalidInput, StorageError."""
    found = sample(name)
    folder = get_settings().home / "samples" / f"{found.name}-{EDITION}"
    module, _, function = found.writer.partition(":")

    def make(target: Path) -> None:
        write: Callable[[Path], None] = getattr(importlib.import_module(f"{_HOME}.{module}"), function)
        write(target)

    make_folder(folder, make)
    return folder / found.file
