"""A row that the reader wrote: of the hardware table or of the rental prices. Pydantic models, which forbid what they
do not know; their faults are told in the units of the table."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from core.errors import InvalidInput
from core.estimate.config import Strict
from core.estimate.hardware import Accelerator
from core.estimate.prices import PriceRow, age_months, row_faults
from core.estimate.words import said

Peak = Annotated[float, Field(gt=0, le=1e20, allow_inf_nan=False)]
Perhaps = Annotated[float, Field(ge=0, le=1e20, allow_inf_nan=False)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]


class OwnAccelerator(Strict):
    """As `Accelerator`; 0 where a peak or the power is not known. as_of: YYYY-MM or YYYY-MM-DD, or ""."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Literal["gpu", "tpu", "cpu"] = "gpu"
    memory_bytes: Peak
    memory_bandwidth_bytes_per_s: Peak
    fp16_flops_per_s: Peak
    fp8_flops_per_s: Perhaps = 0.0
    fp32_flops_per_s: Perhaps = 0.0
    tdp_watts: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    node_gpus: Annotated[int, Field(ge=1, le=1024)] = 8
    intra_node_bytes_per_s: Peak = 64e9
    network_bytes_per_s: Peak = 12.5e9
    source: Line
    as_of: str = ""

    @field_validator("as_of")
    @classmethod
    def _a_date(cls, given: str) -> str:
        try:
            if given:
                age_months(given, date.today())
        except InvalidInput as error:
            raise ValueError(str(error)) from error
        return given

    @classmethod
    def of(cls, one: Accelerator) -> OwnAccelerator:
        """A published one, to be changed."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields if name != "as_of"})

    def accelerator(self) -> Accelerator:
        source = f"{self.source} ({self.as_of})" if self.as_of else self.source
        return Accelerator(**(self.model_dump(exclude={"as_of"}) | {"source": source}))


class OwnPrice(Strict):
    """As `PriceRow`."""

    gpu: Line
    tier: Line
    term: str
    usd_per_gpu_hour_low: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    usd_per_gpu_hour_high: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    as_of: str
    source: Line

    @model_validator(mode="after")
    def _as_the_table_wants(self) -> OwnPrice:
        if found := row_faults(self.price()):
            raise ValueError("; ".join(found))
        return self

    def price(self) -> PriceRow:
        return PriceRow(**self.model_dump())


# Field: what a reader calls it, its unit.
WORDS: dict[str, tuple[str, str]] = {
    "memory_bytes": ("memory", "bytes"),
    "memory_bandwidth_bytes_per_s": ("memory bandwidth", "bytes"),
    "fp16_flops_per_s": ("16-bit peak", "FLOP/s"),
    "fp8_flops_per_s": ("fp8 peak", "FLOP/s"),
    "fp32_flops_per_s": ("fp32 peak", "FLOP/s"),
    "tdp_watts": ("power", "W"),
    "node_gpus": ("devices in a node", ""),
    "intra_node_bytes_per_s": ("link in the node", "bytes"),
    "network_bytes_per_s": ("link out of the node", "bytes"),
    "usd_per_gpu_hour_low": ("low price", "USD"),
    "usd_per_gpu_hour_high": ("high price", "USD"),
    "as_of": ("date", ""),
}


def fault_words(kind: type[Strict], error: Any) -> str:
    """One fault as pydantic found it: what, its value, what is wanted."""
    field = str(error["loc"][0]) if error["loc"] else ""
    name, unit = WORDS.get(field, (field, ""))
    value, wanted = error.get("input"), _wanted(kind, field, error)
    if not field:
        return wanted
    if error["type"] == "missing" or value in (None, ""):
        return f"{name} is missing"
    shown = said(value, unit) if isinstance(value, (int, float)) and unit else repr(value)
    return f"{name} is {shown}: {wanted}"


def _wanted(kind: type[Strict], field: str, error: Any) -> str:
    """In a reader's words, where pydantic's own are not."""
    if error["type"] == "string_pattern_mismatch":
        return "small letters, digits, dots and dashes, as in h100-sxm-80gb"
    if error["type"] == "extra_forbidden":
        return f"known are {', '.join(kind.model_fields)}"
    limit = (error.get("ctx") or {}).get("le")
    if limit is not None and field in WORDS:
        return f"at most {said(float(limit), WORDS[field][1])}"
    text = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ").removesuffix(".")
    return text[:1].lower() + text[1:]
