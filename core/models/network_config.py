"""config.json of the small networks that are trained here: a CNN that classifies images, an MLP that gives a number.

Read as data and checked without torch; `core.models.networks` builds what it describes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import CorruptFile
from core.models.cards import Task

CNN: Literal["groundwork_cnn"] = "groundwork_cnn"
MLP: Literal["groundwork_mlp"] = "groundwork_mlp"
TASKS: dict[str, Task] = {CNN: Task.IMAGE_CLASSIFICATION, MLP: Task.TABULAR_REGRESSION}
SAMPLES = "samples.json"
"""Beside a CNN: {"samples": [{"label", "png"}]}, pictures to try it on; png is base64."""

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Width = Annotated[int, Field(ge=1, le=65_536)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class CnnConfig(_Config):
    """channels: convolutions of each block, every block halves the side. size: side of the square input in pixels.
    colours: 1 (grey) or 3 (RGB). dense: width of the layer before the classes. labels: names, in the output's order."""

    model_type: Literal["groundwork_cnn"] = CNN
    architectures: tuple[str, ...] = ("Cnn",)
    labels: Annotated[tuple[str, ...], Field(min_length=2, max_length=10_000)]
    channels: Annotated[tuple[_Width, ...], Field(min_length=1, max_length=8)]
    dense: _Width
    dropout: Annotated[float, Field(ge=0, lt=1)]
    size: Annotated[int, Field(ge=8, le=256)]
    colours: Literal[1, 3]

    @model_validator(mode="after")
    def _leaves_a_pixel(self) -> Self:
        if self.size >> len(self.channels) < 1:
            raise ValueError(
                f"{len(self.channels)} blocks halve {self.size} pixels to nothing; at most "
                f"{self.size.bit_length() - 1} blocks fit"
            )
        return self

    @property
    def outputs(self) -> int:
        """Two classes share one output, a sigmoid; more have one each, a softmax."""
        return 1 if len(self.labels) == 2 else len(self.labels)


class MlpConfig(_Config):
    """features, target: names of the columns. layers: widths of the hidden layers, none is a linear model. typical,
    lowest, highest: mean and bounds of each feature in what it learned from."""

    model_type: Literal["groundwork_mlp"] = MLP
    architectures: tuple[str, ...] = ("Mlp",)
    features: Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000)]
    target: str
    layers: Annotated[tuple[_Width, ...], Field(max_length=64)]
    typical: tuple[_Number, ...]
    lowest: tuple[_Number, ...]
    highest: tuple[_Number, ...]

    @model_validator(mode="after")
    def _one_a_feature(self) -> Self:
        for name in ("typical", "lowest", "highest"):
            if len(getattr(self, name)) != len(self.features):
                raise ValueError(f"{name} has {len(getattr(self, name))} numbers for {len(self.features)} features")
        if len(set(self.features)) != len(self.features):
            raise ValueError("a feature is named twice")
        return self


NetworkConfig = CnnConfig | MlpConfig


def is_network(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is of a network of ours."""
    return config.get("model_type") in TASKS


def read_network_config(config: Mapping[str, Any], where: str) -> NetworkConfig:
    """Checked. Raises CorruptFile that names every fault."""
    kind = CnnConfig if config.get("model_type") == CNN else MlpConfig
    try:
        return kind.model_validate(dict(config))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or kind.__name__}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise CorruptFile(
            f"The config.json of {where} describes no network: {faults}.", next_step="Get the file again."
        ) from error
