"""What a fine-tune is asked to do: one pydantic model a recipe, read from YAML, every fault told at once.

What is left out ("auto", null) is filled in by `core.training.defaults` for the device and the data, and shown.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from core.errors import InvalidInput
from core.training.data_config import DataConfig, Strict

Optimizer = Literal["adamw", "adam", "sgd", "rmsprop"]
Schedule = Literal["linear", "cosine", "constant", "exponential"]
Positive = Annotated[int, Field(ge=1, le=10**9)]

RECIPES = ("causal", "gpt", "classification", "masked", "images", "regression")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


class TrainingConfig(Strict):
    """How it is trained; the same for every recipe. None: chosen for the recipe, the device and the data.

    learning_rate: highest, after the warm-up. warmup: share of the steps. epochs or steps: whichever is given (steps
    go first). clip_norm: largest norm of the gradient, 0 for no bound. evaluate_every: steps between evaluations, which
    are also when a checkpoint is kept. early_stopping: evaluations without a better one before it ends, 0 for never.
    """

    optimizer: Optimizer = "adamw"
    learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    schedule: Schedule = "linear"
    warmup: Annotated[float, Field(ge=0, le=0.9)] = 0.05
    batch_size: Annotated[int, Field(ge=1, le=65_536)] | None = None
    accumulation: Annotated[int, Field(ge=1, le=4_096)] = 1
    epochs: Annotated[float, Field(gt=0, le=10_000)] | None = None
    steps: Positive | None = None
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    clip_norm: Annotated[float, Field(ge=0, le=1_000)] = 1.0
    mixed_precision: Literal["auto", "off", "fp16", "bf16"] = "auto"
    gradient_checkpointing: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    evaluate_every: Positive | None = None
    early_stopping: Annotated[int, Field(ge=0, le=1_000)] = 0
    threads: Positive | None = None


class Lora(Strict):
    """Low-rank adaptation (Hu et al. 2021). targets: names of the linear layers, none: all of them but the head."""

    rank: Annotated[int, Field(ge=1, le=1_024)] = 8
    alpha: Annotated[float, Field(gt=0, le=4_096)] = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    targets: tuple[str, ...] = ()


class Network(Strict):
    """A GPT to train from nothing. hidden: a multiple of heads. vocabulary: of the tokenizer that is trained first."""

    layers: Annotated[int, Field(ge=1, le=96)] = 4
    heads: Annotated[int, Field(ge=1, le=128)] = 4
    hidden: Annotated[int, Field(ge=8, le=8_192)] = 128
    context: Annotated[int, Field(ge=8, le=8_192)] = 128
    vocabulary: Annotated[int, Field(ge=260, le=200_000)] = 2_048
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _heads_divide(self) -> Network:
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError(
                f"hidden {self.hidden} over {self.heads} heads gives a head {self.hidden / self.heads:g} wide; it must "
                "be a whole, even number"
            )
        return self


class ConvNet(Strict):
    """A CNN: blocks of convolution, batch norm, ReLU and pooling, then a dense layer with dropout.

    channels: of each block. size: side in pixels that images are brought to (None: as they are, 64 at most).
    """

    channels: tuple[Annotated[int, Field(ge=1, le=1_024)], ...] = (32, 64)
    dense: Annotated[int, Field(ge=1, le=4_096)] = 128
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    size: Annotated[int, Field(ge=8, le=256)] | None = None
    colour: bool | None = None


class Base(Strict):
    """What every recipe has. name: shown, and the id under which the model is registered."""

    name: Annotated[str, Field(max_length=80)] = ""
    data: DataConfig
    training: TrainingConfig = TrainingConfig()


class CausalConfig(Base):
    """A language model learns from chats, prompt and completion, or plain text. lora null: all weights are trained.

    max_tokens: longer rows are cut (None: chosen from the data). packing: short rows share a sequence (their tokens
    still see their own row alone). loss_on: answers only, or every token.
    """

    recipe: Literal["causal"] = "causal"
    model: str = "smollm2-135m-instruct"
    lora: Lora | None = Lora()
    max_tokens: Annotated[int, Field(ge=8, le=131_072)] | None = None
    packing: bool = False
    loss_on: Literal["answers", "all"] = "answers"
    sample_prompts: tuple[str, ...] = ()


class GptConfig(Base):
    """A GPT from nothing: a tokenizer is trained on the text, then the network; `fine_tune` goes on from it."""

    recipe: Literal["gpt"] = "gpt"
    network: Network = Network()
    sample_prompts: tuple[str, ...] = ()


class ClassificationConfig(Base):
    """An encoder or a decoder learns to classify texts. lora: null trains all weights."""

    recipe: Literal["classification"] = "classification"
    model: str = "minilm-l6"
    lora: Lora | None = None
    max_tokens: Annotated[int, Field(ge=8, le=8_192)] | None = None


class MaskedConfig(Base):
    """A BERT learns to fill in words. network: sizes of one from nothing, null to go on from `model`.

    mask_share: of the tokens. next_sentence: also whether two pieces follow each other (BERT only).
    """

    recipe: Literal["masked"] = "masked"
    model: str = "minilm-l6"
    network: Network | None = None
    max_tokens: Annotated[int, Field(ge=8, le=8_192)] | None = None
    mask_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    next_sentence: bool = False


class ImagesConfig(Base):
    """A CNN learns to classify images: `sample:digits`, or a zip or folder with a folder a class."""

    recipe: Literal["images"] = "images"
    network: ConvNet = ConvNet()


class RegressionConfig(Base):
    """Numbers out of numbers by gradient descent. layers: widths of an MLP's hidden layers; none is a linear model."""

    recipe: Literal["regression"] = "regression"
    layers: tuple[Annotated[int, Field(ge=1, le=4_096)], ...] = ()


FinetuneConfig = Annotated[
    CausalConfig | GptConfig | ClassificationConfig | MaskedConfig | ImagesConfig | RegressionConfig,
    Field(discriminator="recipe"),
]
AnyConfig = CausalConfig | GptConfig | ClassificationConfig | MaskedConfig | ImagesConfig | RegressionConfig
_ADAPTER: TypeAdapter[AnyConfig] = TypeAdapter(FinetuneConfig)


def read_config(path: Path, changes: Sequence[str] = ()) -> AnyConfig:
    """The configuration in a YAML file. changes: `section.key=value`, value in YAML. A relative data path is looked for
    beside the file when it is not below the working folder. Raises InvalidInput with every fault."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", next_step="Check the path.") from error
    values = with_changes(values_of(text, str(path)), changes)
    data = values.get("data")
    if isinstance(data, dict):
        for key in ("path", "evaluation_path"):
            given = data.get(key)
            if isinstance(given, str) and given and not given.startswith("sample:"):
                data[key] = str(_found(Path(given).expanduser(), path.parent))
    return parse_config(values, str(path))


def values_of(text: bytes, where: str) -> dict[str, Any]:
    """Plain values out of YAML, as `parse_config` takes them. Raises InvalidInput that says `where`."""
    try:
        values = yaml.safe_load(text.decode("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise InvalidInput(f"{where} is no YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise InvalidInput(f"{where} holds no configuration.", allowed="`key: value` lines; the page shows one.")
    return values


def parse_config(values: Mapping[str, Any], where: str = "The configuration") -> AnyConfig:
    """A configuration out of plain values. Raises InvalidInput that names every fault with its value."""
    try:
        return _ADAPTER.validate_python(dict(values))
    except ValidationError as error:
        faults = [_fault(fault) for fault in error.errors()]
        raise InvalidInput(
            f"{where} has {len(faults)} fault{'s' * (len(faults) != 1)}: {'; '.join(faults)}.",
            next_step="Correct these values.",
        ) from error


def base_model(values: Mapping[str, Any]) -> str:
    """Of a configuration's values: the id of the model that it begins from, "" for one from nothing."""
    return "" if values.get("network") else str(values.get("model") or "")


def with_changes(values: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """A copy with `a.b=value` set, value read as YAML. Raises InvalidInput for what is no such change."""
    changed = yaml.safe_load(yaml.safe_dump(dict(values)))
    for change in changes:
        name, sign, text = change.partition("=")
        parts = name.strip().split(".")
        if not sign or not all(parts):
            raise InvalidInput(f"{change!r} is no change.", allowed="section.key=value, such as training.epochs=2.")
        place = changed
        for part in parts[:-1]:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        try:
            place[parts[-1]] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvalidInput(f"{text!r} of {name} is no YAML value.") from error
    return dict(changed)


def to_values(config: AnyConfig) -> dict[str, Any]:
    """Plain values, as YAML and JSON hold them; the recipe first."""
    values = config.model_dump(mode="json")
    return {"recipe": values.pop("recipe"), **values}


def to_yaml(config: AnyConfig, header: str = "") -> str:
    """YAML that `read_config` reads back to the same; header: comment lines above it."""
    lines = "".join(f"# {line}\n" for line in header.splitlines())
    return lines + str(yaml.safe_dump(to_values(config), sort_keys=False, allow_unicode=True))


def _found(given: Path, beside: Path) -> Path:
    if given.is_absolute() or given.exists() or not (beside / given).exists():
        return given.absolute()
    return (beside / given).absolute()


def _fault(fault: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"] if part not in RECIPES) or "recipe"
    told = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "union_tag_invalid" or fault["type"] == "union_tag_not_found":
        return f"recipe must be one of {', '.join(RECIPES)}"
    if fault["type"] in ("extra_forbidden", "missing"):
        return f"{place}: {'there is no such key' if fault['type'] == 'extra_forbidden' else 'it is missing'}"
    return f"{place} is {_SHORT.repr(fault['input'])}: {told[0].lower()}{told[1:]}"
