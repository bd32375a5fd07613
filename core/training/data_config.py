"""The part of a configuration that says what is learned from: the file, its columns, cleaning, the split."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]


class Strict(BaseModel):
    """A part of a file that a user writes: an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Columns(Strict):
    """Which column of the file plays which part. "" is found by its name; `features` empty: every numeric column.

    text, label: classification and masked language models (no label). messages: a chat, JSON [{"role", "content"}].
    prompt, completion: one question and its answer. target, features: regression. group: a subgroup to report by.
    """

    text: str = ""
    label: str = ""
    messages: str = ""
    prompt: str = ""
    completion: str = ""
    target: str = ""
    features: tuple[str, ...] = ()
    group: str = ""


class Cleaning(Strict):
    """Steps in the order in which they are taken; each is recorded with the number of rows it changed or dropped.

    normalise: Unicode NFC, odd spaces and control characters, runs of blank space. drop_leaks: of rows that stand in
    both sides of the split, the one to train on. shortest, longest: characters of the text that is learned (0: any).
    rarest_label: labels with fewer rows go (0: none does).
    """

    normalise: bool = True
    drop_empty: bool = True
    deduplicate: bool = True
    drop_leaks: bool = True
    shortest: Annotated[int, Field(ge=0)] = 0
    longest: Annotated[int, Field(ge=0)] = 0
    rarest_label: Annotated[int, Field(ge=0)] = 0


class Augmentation(Strict):
    """Changed copies of the rows that are trained on (never of those that judge).

    copies, word_dropout, word_swap: of texts; a copy loses or swaps a word with this probability. rotation in degrees,
    shift and crop as shares of the side, scale as a share of the size (0.1: 90 to 110 %), of images, drawn anew at
    every epoch. None: the recipe's own default.
    """

    copies: Annotated[int, Field(ge=0, le=20)] = 0
    word_dropout: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    word_swap: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    rotation: Annotated[float, Field(ge=0, le=180)] | None = None
    shift: Annotated[float, Field(ge=0, le=0.5)] | None = None
    scale: Annotated[float, Field(ge=0, le=0.5)] | None = None
    crop: Annotated[float, Field(ge=0, le=0.5)] | None = None


class DataConfig(Strict):
    """path: a file or folder of this machine, or `sample:NAME`. evaluation_path: rows that judge, in a file of their
    own. validation, test: shares that choose the best checkpoint and that give the report's figures.

    privacy: what becomes of personal data and secrets that are found in texts.
    """

    path: str
    evaluation_path: str = ""
    columns: Columns = Columns()
    validation: Share = 0.1
    test: Share = 0.2
    seed: int = 0
    clean: Cleaning = Cleaning()
    privacy: Literal["keep", "mask", "drop"] = "mask"
    augment: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _leaves_something(self) -> DataConfig:
        if self.validation + self.test > 0.9:
            raise ValueError(
                f"validation {self.validation:g} and test {self.test:g} leave {1 - self.validation - self.test:.0%} "
                "to train on; together they may take 0.9 at most"
            )
        return self

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
