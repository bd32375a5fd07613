"""The configurations of the four estimates, as files, links and the page give them. Keys carry their units."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from core.estimate.config import (
    Count,
    Discount,
    ModelSpec,
    Precision,
    RangeSpec,
    Rate,
    Recompute,
    Share,
    ShareSpec,
    Strict,
    Whole,
)
from core.estimate.energy import HOST, LOAD, PUE
from core.estimate.hardware import Accelerator
from core.estimate.hour_price import HourPrice, hour_price
from core.estimate.ownership import SERVER_FACTOR, UTILISATION, Ownership
from core.estimate.ranges import Range

Term = Literal["on_demand", "spot", "reserved_1y", "reserved_3y"]
Method = Literal["full", "lora", "qlora"]
NONE = RangeSpec(low=0, expected=0, high=0)
NO_SHARE = ShareSpec(low=0, expected=0, high=0)
MOST_TOKENS_A_MONTH = 1e18  # more than all APIs of the world serve together
MOST_USD_A_MONTH = 1e12


def spec_of(value: Range) -> RangeSpec:
    return RangeSpec(low=value.low, expected=value.expected, high=value.high)


def share_of(value: Range) -> ShareSpec:
    return ShareSpec(low=value.low, expected=value.expected, high=value.high)


class OwnSpec(Strict):
    """Own hardware. purchase_usd: of one GPU. server_factor: what its share of server and network makes of that. years:
    until it is written off. Defaults as `core.estimate.ownership` explains them."""

    purchase_usd: RangeSpec
    server_factor: RangeSpec = spec_of(SERVER_FACTOR)
    years: RangeSpec = RangeSpec(low=3, expected=4, high=6)
    residual_share: ShareSpec = NO_SHARE
    pue: RangeSpec = spec_of(PUE)
    usd_per_kwh: RangeSpec = RangeSpec(low=0.08, expected=0.12, high=0.2)
    maintenance_share_per_year: ShareSpec = NO_SHARE
    colocation_usd_per_kw_month: RangeSpec = NONE
    capital_rate_per_year: ShareSpec = NO_SHARE
    utilisation: ShareSpec = share_of(UTILISATION)

    def ownership(self) -> Ownership:
        return Ownership(
            **{name: getattr(self, name).range() for name in type(self).model_fields}, load=LOAD, host=HOST
        )


class _Priced(ModelSpec):
    """usd_per_gpu_hour: default, the rental table by tier and term; own: own hardware in its place. discount: off the
    on-demand price, for a term that the table has no row of."""

    usd_per_gpu_hour: RangeSpec | None = None
    own: OwnSpec | None = None
    tier: str | None = None
    term: Term = "on_demand"
    discount: Discount | None = None

    def price_of(self, gpu: Accelerator) -> HourPrice:
        """Raises InvalidInput as `hour_price`."""
        return hour_price(
            gpu,
            given=None if self.usd_per_gpu_hour is None else self.usd_per_gpu_hour.range(),
            own=None if self.own is None else self.own.ownership(),
            tier=self.tier,
            term=self.term,
            discount=self.discount,
        )


class TrainSpec(_Priced):
    """`estimate train`. gpus: default, as many as take about 30 days. global_batch: sequences of one step. precision:
    of the matrix products. hfu: measured share of the peak, in place of the fitted one. region: of the grid table."""

    tokens: Count
    gpu: str
    gpus: Whole | None = None
    recompute: Recompute | None = None
    sequence_length: Whole | None = None
    global_batch: Whole | None = None
    precision: Precision = "bf16"
    method: Method = "full"
    lora_rank: Whole = 16
    tensor_parallel: Whole | None = None
    hfu: ShareSpec | None = None
    region: str | None = None
    pue: Annotated[float, Field(ge=1, le=5)] | None = None
    name: str = ""


class MemorySpec(ModelSpec):
    """`estimate memory`. purpose: what the memory is for. batch, context, cache_precision: of inference. micro_batch,
    sequence_length and the rest: of training, as `core.estimate.training_plan`. largest_layer_parameters: gathered at
    once under ZeRO-3; default, of the model's shape. gpu: to say what fits on it."""

    purpose: Literal["inference", "train"] = "inference"
    gpu: str | None = None
    gpus: Whole = 1
    precision: str | None = None
    tensor_parallel: Whole = 1
    pipeline_parallel: Whole = 1
    cache_precision: str | None = None
    batch: Whole = 1
    context: Whole | None = None
    block: Annotated[int, Field(ge=0, le=4096)] = 0
    wide_tables: bool = True
    method: Method = "full"
    optimizer: Literal["adam", "adam8bit", "sgd", "sgd_momentum", "adafactor"] = "adam"
    micro_batch: Whole = 1
    sequence_length: Whole = 2_048
    recompute: Recompute = "none"
    sequence_parallel: bool = False
    flash_attention: bool = True
    gradient_bytes: Literal[2, 4] = 4
    master_weights: bool | None = None
    lora_rank: Whole = 16
    zero: Annotated[int, Field(ge=0, le=3)] = 0
    data_parallel: Whole = 1
    offload_optimizer: bool = False
    largest_layer_parameters: Count | None = None
    name: str = ""


class ServeSpec(_Priced):
    """`estimate serve`. gpu: of the table, or `this machine` by its measurements. concurrency: requests that run at
    once on one replica of tensor_parallel GPUs. utilisation: share of the capacity that is used. A demand (users, 24
    hourly means, or requests_per_s at the peak) adds the replicas that meet the latency targets."""

    gpu: str
    precision: str = "bf16"
    cache_precision: str | None = None
    prompt_tokens: Whole = 1_000
    output_tokens: Annotated[int, Field(ge=0, le=10**8)] = 300
    concurrency: Whole = 16
    tensor_parallel: Whole = 1
    cached_share: Share = 0.0
    utilisation: ShareSpec = ShareSpec(low=0.25, expected=0.4, high=0.6)
    users: Rate | None = None
    requests_per_user_and_day: Rate = 10
    requests_per_s: Rate | None = None
    hourly_requests_per_s: tuple[Rate, ...] | None = None
    ttft_target_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    time_per_token_target_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    name: str = ""

    @field_validator("usd_per_gpu_hour")
    @classmethod
    def _no_free_hour(cls, given: RangeSpec | None) -> RangeSpec | None:
        if given is not None and not given.low:
            raise ValueError("an hour for 0 USD: unknown is not free; give what it costs, or leave it out")
        return given

    @model_validator(mode="after")
    def _one_demand(self) -> ServeSpec:
        ways = (self.users, self.requests_per_s, self.hourly_requests_per_s)
        if sum(way is not None for way in ways) > 1:
            raise ValueError("users, requests_per_s and hourly_requests_per_s say the demand: give one of them")
        if self.hourly_requests_per_s is not None and len(self.hourly_requests_per_s) != 24:
            raise ValueError(f"hourly_requests_per_s has {len(self.hourly_requests_per_s)} values: 24 are needed")
        return self


class BreakevenSpec(ServeSpec):
    """`estimate breakeven`: the serving configuration, against an API. api_provider and api_model: of the price data;
    or the three prices by hand (a cached-input price that is not given is unknown: the full one is paid)."""

    concurrency: Whole = 32
    monthly_tokens: RangeSpec
    output_share: ShareSpec | None = None
    api_provider: str | None = None
    api_model: str | None = None
    api_batch: bool = False
    api_batch_discount: Discount | None = None
    usd_per_million_input: RangeSpec | None = None
    usd_per_million_cached_input: RangeSpec | None = None
    usd_per_million_output: RangeSpec | None = None
    minimum_replicas: Annotated[int, Field(ge=0, le=100_000)] = 1
    reserved_discount: ShareSpec = NO_SHARE
    months_committed: Annotated[int, Field(ge=0, le=240)] = 0
    people_usd_per_month: RangeSpec = NONE
    other_usd_per_month: RangeSpec = NONE

    @field_validator("monthly_tokens")
    @classmethod
    def _tokens_of_this_world(cls, given: RangeSpec) -> RangeSpec:
        return _at_most(given, MOST_TOKENS_A_MONTH, "tokens")

    @field_validator("people_usd_per_month", "other_usd_per_month")
    @classmethod
    def _money_of_this_world(cls, given: RangeSpec) -> RangeSpec:
        return _at_most(given, MOST_USD_A_MONTH, "USD")

    @model_validator(mode="after")
    def _an_api(self) -> BreakevenSpec:
        by_hand = self.usd_per_million_input is not None and self.usd_per_million_output is not None
        by_name = self.api_model is not None
        if not by_hand and not by_name:
            raise ValueError(
                "the API's price is missing: give api_provider and api_model, or usd_per_million_input and "
                "usd_per_million_output"
            )
        return self


def _at_most(given: RangeSpec, most: float, unit: str) -> RangeSpec:
    if given.high > most:
        raise ValueError(f"{given.high:g} {unit} a month is too much: up to {most:g} {unit}")
    return given
