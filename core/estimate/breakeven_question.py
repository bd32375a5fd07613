"""What an API and one's own hosting are compared on: the demand, the API's side, the own side; and their faults.

Every uncertain value is a `Range`; what was agreed or counted is `Range.exactly`. `factors` names them one by one, so
that each can be moved alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import InvalidInput
from core.estimate.api_prices import ApiPrice
from core.estimate.crossing import Fleet
from core.estimate.figures import Input
from core.estimate.ownership import HOURS_PER_MONTH
from core.estimate.ranges import Range

NOTHING = Range.exactly(0.0)
# Mean over peak of a demand that follows the day, with room for bursts: judgement.
UTILISATION = Range(0.25, 0.4, 0.6)
# Of what the API's cache holds, what one's own prefix cache holds too: it is smaller, and replicas share it only when
# requests are routed by prefix; judgement.
OWN_CACHE_RATIO = Range(0.0, 0.7, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """monthly_tokens: input and output together. output_share: of them, written. cached_share: of the input, read from
    a cache of prefixes."""

    monthly_tokens: Range
    output_share: Range
    cached_share: Range = NOTHING

    @classmethod
    def of(cls, input_tokens: float, output_tokens: float, cached_share: float = 0.0) -> Demand:
        """Counted, a month. Raises InvalidInput for no tokens at all."""
        tokens = input_tokens + output_tokens
        if not (input_tokens >= 0 and output_tokens >= 0 and 0 < tokens < float("inf")):
            raise InvalidInput(
                f"{input_tokens:g} input and {output_tokens:g} output tokens a month are no demand.",
                allowed="0 or more of each, and at least one token together.",
                next_step="Give the tokens of a month.",
            )
        return cls(
            monthly_tokens=Range.exactly(tokens),
            output_share=Range.exactly(output_tokens / tokens),
            cached_share=Range.exactly(cached_share),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSide:
    """USD per million tokens. usd_per_million_cached_input: None when unknown: then the full input price is paid.
    usd_per_million_tokens_fee: a fee for each request, over its tokens. source: who says so."""

    name: str
    usd_per_million_input: Range
    usd_per_million_output: Range
    usd_per_million_cached_input: Range | None = None
    usd_per_million_tokens_fee: Range = NOTHING
    source: str = ""

    @classmethod
    def of(cls, price: ApiPrice, *, tokens_per_request: float) -> ApiSide:
        """From the price data. tokens_per_request: input and output, as the price was asked for."""
        cached, output = price.usd_per_million_cached_input, price.usd_per_million_output
        fee = price.usd_per_request_fee
        return cls(
            name=f"{price.name} from {price.provider}",
            usd_per_million_input=price.usd_per_million_input.value,
            usd_per_million_output=output.value if output else NOTHING,
            usd_per_million_cached_input=cached.value if cached else None,
            usd_per_million_tokens_fee=fee.value * (1e6 / tokens_per_request) if fee else NOTHING,
            source=price.usd_per_million_input.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSide:
    """One's own hosting.

    model, gpu: for people. usd_per_gpu_hour: rented, or of `ownership` (its hour of life, not of work).
    prefill_tokens_per_s, output_tokens_per_s: of one replica that does only that, as in `serving`: prompt tokens over
    the seconds of a prefill among others, and batch over the seconds of a decode step; the times add.
    utilisation: share of a replica's capacity that real demand can fill. own_cache_ratio: of the cached share, what the
    own prefix cache reaches; exactly 0 where prefill_tokens_per_s counts cached tokens already.
    minimum_replicas: 0 when GPU-hours are paid only while used. reserved_discount: share off usd_per_gpu_hour for
    months_committed months; reserved_replicas: how many, None for all. people_usd, other_usd: a month. source: of the
    hour's price; speed_source: of the two speeds; "" where the reader said so.
    """

    model: str
    gpu: str
    usd_per_gpu_hour: Range
    prefill_tokens_per_s: Range
    output_tokens_per_s: Range
    gpus_per_replica: int = 1
    utilisation: Range = UTILISATION
    own_cache_ratio: Range = OWN_CACHE_RATIO
    minimum_replicas: int = 1
    reserved_discount: Range = NOTHING
    reserved_replicas: int | None = None
    months_committed: int = 0
    people_usd: Range = NOTHING
    other_usd: Range = NOTHING
    source: str = ""
    speed_source: str = ""
    measurement_ids: tuple[str, ...] = ()

    @property
    def fleet(self) -> Fleet:
        return Fleet(
            gpus_per_replica=self.gpus_per_replica,
            minimum_replicas=self.minimum_replicas,
            reserved_replicas=self.reserved_replicas if self.reserved_discount.high else 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The API or one's own hosting, for this demand? Raises InvalidInput with every fault."""

    demand: Demand
    api: ApiSide
    own: OwnSide

    def __post_init__(self) -> None:
        found = [*_price_faults(self), *_share_faults(self), *_capacity_faults(self.own, self.demand)]
        if found:
            raise InvalidInput(
                f"The API and one's own hosting cannot be compared: {'; '.join(found)}.",
                next_step="Correct these values.",
            )

    @property
    def factors(self) -> dict[str, Range]:
        """Everything that may be uncertain, by its key in `FACTORS`."""
        demand, api, own = self.demand, self.api, self.own
        cached = {} if api.usd_per_million_cached_input is None else {"api_cached": api.usd_per_million_cached_input}
        return cached | {
            "monthly_tokens": demand.monthly_tokens,
            "output_share": demand.output_share,
            "cached_share": demand.cached_share,
            "api_input": api.usd_per_million_input,
            "api_output": api.usd_per_million_output,
            "api_fee": api.usd_per_million_tokens_fee,
            "usd_per_gpu_hour": own.usd_per_gpu_hour,
            "prefill_tokens_per_s": own.prefill_tokens_per_s,
            "output_tokens_per_s": own.output_tokens_per_s,
            "utilisation": own.utilisation,
            "own_cache_ratio": own.own_cache_ratio,
            "discount": own.reserved_discount,
            "people_usd": own.people_usd,
            "other_usd": own.other_usd,
        }


# Key: label, unit.
FACTORS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "monthly_tokens": ("tokens a month", "tokens"),
        "output_share": ("output share of the tokens", ""),
        "cached_share": ("cached share of the input", ""),
        "api_input": ("API input price", "USD/1M tokens"),
        "api_cached": ("API cached-input price", "USD/1M tokens"),
        "api_output": ("API output price", "USD/1M tokens"),
        "api_fee": ("API fee for each request", "USD/1M tokens"),
        "usd_per_gpu_hour": ("price of a GPU-hour", "USD/h"),
        "prefill_tokens_per_s": ("input speed of a replica", "tokens/s"),
        "output_tokens_per_s": ("output speed of a replica", "tokens/s"),
        "utilisation": ("utilisation", ""),
        "own_cache_ratio": ("reach of the own prefix cache", ""),
        "discount": ("reserved discount", ""),
        "people_usd": ("cost of people", "USD/month"),
        "other_usd": ("other fixed cost", "USD/month"),
    }
)


def inputs_of(asked: Question) -> tuple[Input, ...]:
    """What every figure of the comparison is made from."""
    own = asked.own
    factors = tuple(
        Input(FACTORS[key][0], factor.expected, FACTORS[key][1], source_of(asked, key))
        for key, factor in asked.factors.items()
    )
    decided = (
        Input("GPUs in a replica", own.gpus_per_replica),
        Input("replicas at least", own.minimum_replicas),
        Input("months committed", own.months_committed),
        Input("hours in a month", HOURS_PER_MONTH, "h", "8,760 hours a year over 12"),
    )
    return factors + decided


def source_of(asked: Question, key: str) -> str:
    """Who says so, of one factor; "" for the reader."""
    if key.startswith("api"):
        return asked.api.source
    if key.endswith("tokens_per_s"):
        return asked.own.speed_source
    return asked.own.source if key == "usd_per_gpu_hour" else ""


def _price_faults(asked: Question) -> list[str]:
    api, output = asked.api, asked.demand.output_share.high
    priced = [
        ("the API's input price", api.usd_per_million_input, asked.demand.output_share.low < 1),
        ("the API's output price", api.usd_per_million_output, output > 0),
        ("the price of a GPU-hour", asked.own.usd_per_gpu_hour, True),
    ]
    if api.usd_per_million_cached_input is not None:
        used = asked.demand.cached_share.high > 0
        priced.append(("the API's cached-input price", api.usd_per_million_cached_input, used))
    return [f"{name} is missing (0): unknown is not free" for name, price, used in priced if used and not price.low]


def _share_faults(asked: Question) -> list[str]:
    shares = {
        "output share": (asked.demand.output_share, 0.0, 1.0),
        "cached share": (asked.demand.cached_share, 0.0, 1.0),
        "utilisation": (asked.own.utilisation, 1e-6, 1.0),
        "reach of the own cache": (asked.own.own_cache_ratio, 0.0, 1.0),
        "reserved discount": (asked.own.reserved_discount, 0.0, 0.99),
    }
    return [
        f"{name} of {value.low:g} to {value.high:g} is not within {low:g} to {high:g}"
        for name, (value, low, high) in shares.items()
        if value.low < low or value.high > high
    ]


def _capacity_faults(own: OwnSide, demand: Demand) -> list[str]:
    reserved = own.reserved_replicas
    checks = (
        (demand.monthly_tokens.low > 0, "there is no demand: tokens a month must be more than 0"),
        (own.prefill_tokens_per_s.low > 0, "a replica's input speed must be more than 0 tokens/s"),
        (
            own.output_tokens_per_s.low > 0 or demand.output_share.high == 0,
            "a replica's output speed must be more than 0 tokens/s",
        ),
        (own.gpus_per_replica >= 1, f"a replica of {own.gpus_per_replica} GPUs: at least 1"),
        (own.minimum_replicas >= 0, f"{own.minimum_replicas} replicas at least: 0 or more"),
        (reserved is None or reserved >= 1, f"{reserved} replicas reserved: at least 1, or none named for all"),
        (own.months_committed >= 0, f"{own.months_committed} months committed: 0 or more"),
    )
    return [fault for good, fault in checks if not good]
