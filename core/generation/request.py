"""What is asked of a model and what comes back, token by token. Frozen: a request can be stored and repeated."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from pydantic import SecretStr

from core.errors import InvalidInput

Role = Literal["system", "user", "assistant"]

# name → (lowest, highest, help). Pages draw their widgets from this table, and the errors below quote it.
BOUNDS: dict[str, tuple[float, float, str]] = {
    "max_new_tokens": (1, 32_768, "Longest answer, in tokens. A token is about four characters of English."),
    "temperature": (0.0, 5.0, "0 always takes the likeliest token. Higher values spread the choice."),
    "top_k": (0, 100_000, "Choose among the k likeliest tokens only. 0 switches this off."),
    "top_p": (0.0, 1.0, "Choose among the likeliest tokens that together reach this probability. 1 switches this off."),
    "min_p": (0.0, 1.0, "Leave out tokens less likely than this share of the likeliest one. 0 switches this off."),
    "repetition_penalty": (
        0.1,
        5.0,
        "Above 1 makes tokens that already stand in the text less likely (Keskar et al. 2019).",
    ),
    "frequency_penalty": (-5.0, 5.0, "Lowers a token's score for each time that the answer used it."),
    "presence_penalty": (-5.0, 5.0, "Lowers a token's score once the answer has used it at all."),
    "top_logprobs": (0, 50, "How many alternatives to keep for each token."),
    "seed": (0, 2**63 - 1, "The same seed gives the same answer on the same backend."),
}
WHOLE = {"max_new_tokens", "top_k", "top_logprobs", "seed"}


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"  # the model's end token, or a stop string
    LENGTH = "length"  # max_new_tokens, or the context is full
    CANCELLED = "cancelled"
    ERROR = "error"
    INTERRUPTED = "interrupted"  # the process died in mid-answer


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """How the next token is chosen. `validate()` collects every fault before it raises.

    logit_bias: added to a token's logit, by token id. banned_tokens: ids never chosen. stop: strings that end the
    answer and are left out of it. seed: None takes a fresh one, which the run records. json_schema: the answer is
    constrained to this JSON schema.
    """

    max_new_tokens: int = 512
    temperature: float = 0.2
    top_k: int = 0
    top_p: float = 0.9
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: dict[int, float] = field(default_factory=dict)
    banned_tokens: tuple[int, ...] = ()
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_logprobs: int = 5
    json_schema: dict[str, Any] | None = None

    @property
    def repeats(self) -> bool:
        """Whether the answer is promised to repeat exactly: greedy, or with a seed that was asked for."""
        return self.temperature == 0 or self.seed is not None

    def validate(self) -> None:
        """Raises InvalidInput that names every value out of range."""
        faults = [fault for name in BOUNDS if (fault := self._fault(name))]
        if any(not text for text in self.stop):
            faults.append("stop holds an empty string, which would end every answer at once.")
        if len(self.stop) > 16:
            faults.append(f"stop holds {len(self.stop)} strings; 16 is the most.")
        bad = [value for value in self.logit_bias.values() if not -100 <= value <= 100]
        if bad:
            faults.append(f"logit_bias has {bad[0]}; each value lies from -100 to 100.")
        odd = [i for i in (*self.logit_bias, *self.banned_tokens) if not isinstance(i, int) or i < 0]
        if odd:
            faults.append(f"{odd[0]!r} is no token id; ids are whole numbers from 0.")
        if faults:
            raise InvalidInput(" ".join(faults), next_step="Change the value, or reset the parameters.")

    def _fault(self, name: str) -> str:
        low, high, _ = BOUNDS[name]
        value = getattr(self, name)
        if value is None and name == "seed":
            return ""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if (
            not number
            or not math.isfinite(value)
            or not low <= value <= high
            or (name in WHOLE and value != int(value))
        ):
            kind = "a whole number" if name in WHOLE else "a number"
            return f"{name} is {value!r}; it must be {kind} from {low:g} to {high:g}."
        return ""

    def to_json(self) -> dict[str, Any]:
        """A plain dict for the record and for files."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SamplingParameters:
        """The inverse of `to_json`. Unknown names are an error, so that a typo is not silently ignored."""
        unknown = sorted(set(data) - set(cls.__slots__))
        if unknown:
            raise InvalidInput(f"Unknown parameter {unknown[0]!r}.", allowed="Known: " + ", ".join(cls.__slots__) + ".")
        values = dict(data)
        if "logit_bias" in values:
            values["logit_bias"] = {int(key): float(value) for key, value in values["logit_bias"].items()}
        for name in ("banned_tokens", "stop"):
            if name in values:
                values[name] = tuple(values[name])
        parameters = cls(**values)
        parameters.validate()
        return parameters

    def with_seed(self, seed: int) -> SamplingParameters:
        return replace(self, seed=seed)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that could have stood here. token_id: -1 when a server named it: it gives no ids. logprob: natural log,
    before sampling. sampled_probability: what the sampler (penalties, temperature, top-k, …) gave it; 0 when the
    sampler ruled it out, None when a server does not say."""

    token_id: int
    text: str
    logprob: float
    sampled_probability: float | None


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """One token of an answer. text: what became final with it; never half a UTF-8 character, so it may be empty.

    token_id: -1 in the answer of a server: it gives no ids, and without log-probabilities no tokens either, so that an
    event is a piece of text as it was sent. token_text: the token by itself, for display. logprob: natural
    log-probability before sampling (None for a token whose probability was never measured). sampled_probability: after
    the sampler. time_s: since the run started. forced: the token was given (a prefix that is continued), not chosen.
    """

    index: int
    token_id: int
    text: str
    token_text: str
    logprob: float | None
    sampled_probability: float | None
    alternatives: tuple[Alternative, ...]
    time_s: float
    forced: bool = False


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """Everything needed to run and to repeat one generation.

    Either `messages` (rendered through the model's chat template) or `raw_prompt` (taken as it is). answer_prefix:
    tokens that the answer begins with (an earlier run that is continued, perhaps with one token exchanged). backend:
    "remote" for a model of a server; "auto" looks among servers too when the catalogue has no such model. api_key: the
    server's, for this session; it is never shown or recorded.
    """

    model_id: str
    parameters: SamplingParameters = field(default_factory=SamplingParameters)
    messages: tuple[Message, ...] = ()
    raw_prompt: str | None = None
    answer_prefix: tuple[TokenEvent, ...] = ()
    precision: str = "auto"
    backend: Literal["auto", "onnx", "torch", "remote"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    parent_run_id: str | None = None
    api_key: SecretStr | None = field(default=None, repr=False)


class Stage(StrEnum):
    """What a run is doing, in the words the page shows."""

    QUEUEING = "queueing"
    LOADING = "loading"
    READING = "reading the prompt"
    ANSWERING = "answering"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Status:
    """Where a run stands. position: places before it in the queue (0 when it runs)."""

    stage: Stage
    position: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """The figures of a finished run. Times in seconds. completion_tokens: those the model chose, a continued prefix not
    counted. ttft_s: from the start of the run, queueing and loading left out, to the first token. tokens_per_s: new
    tokens after the first over the time they took (None below two). cached_tokens: prompt tokens whose keys and values
    were still in the cache. seed: the one that was used."""

    text: str
    events: tuple[TokenEvent, ...]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    ttft_s: float | None
    tokens_per_s: float | None
    queue_s: float
    load_s: float
    finish_reason: FinishReason
    seed: int
    model_id: str
    revision: str
    precision: str
    backend: str
    device: str
    run_id: str | None = None
