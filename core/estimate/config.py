"""The files that `python -m core estimate` reads, and the page's links: pydantic models, every fault told at once.

A model is named in one of four ways: `model` (a catalogue id or a published name), `config` (a config.json),
`architecture` (layers, widths, experts) or `parameters` alone. Counts may be written 7B, 1.4T or 300e9.
"""

from __future__ import annotations

import difflib
import math
import re
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from core.errors import InvalidInput
from core.estimate.ranges import Range

_SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_BETWEEN = re.compile(r"\s*(?:–|—|\.\.|/|;|\bto\b)\s*|(?<=[0-9KMBTkmbt%])\s*-\s*(?=[0-9$])")
_COUNT = re.compile(  # commas only between thousands: 1,5 is no 15
    r"^\s*([+-]?(?=\.?\d)(?:\d{1,3}(?:,\d{3})+|[\d_]*)(?:\.\d*)?(?:e[+-]?\d+)?)\s*([kmbgt])?\s*$", re.IGNORECASE
)
_MOST_CHARACTERS = 100_000  # of a file; PyYAML reads about as many in a second
_DEEPEST = 20
_MOST_FAULTS = 12
_ENDS = ("low", "expected", "high")
_AMOUNTS = "a number, or a range such as 2 to 3"
_EXAMPLE = "a number, or a range such as 0.2 to 0.6"
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring = 2, 4, 4, 80


def _count(given: Any) -> Any:
    """7B, 1.4T, 300e9, 15,000 → a number; anything else is left for pydantic to refuse."""
    if isinstance(given, str) and (found := _COUNT.match(given)):
        digits, suffix = found.groups()
        value = float(digits.replace("_", "").replace(",", "")) * _SUFFIXES.get((suffix or "").upper(), 1.0)
        return float(f"{value:.15g}")  # 4.1K is 4,100, which 4.1 · 1000 is not
    return given


def _ends(values: list[Any]) -> Any:
    """Two: low and high, the geometric middle expected (from 0 on, half). Three: low, expected, high."""
    if len(values) == 2 and all(isinstance(value, float) for value in values):
        low, high = values
        return {"low": low, "expected": math.sqrt(low * high) if low else high / 2, "high": high}
    if len(values) > 3:
        raise ValueError("one number, low and high, or low, expected and high")
    return dict(zip(_ENDS, values, strict=False))


def _amount(given: Any, *, share: bool) -> Any:
    """One number as it is written; share: 40% is 0.4. What is none is told with what is."""
    if not isinstance(given, str):
        return given
    text = given.strip().strip("$").strip()
    percent = text.endswith("%")
    value = _count(text.removesuffix("%").strip())
    if not isinstance(value, float):
        raise ValueError(f"{_SHORT.repr(given.strip())} is no number; {_EXAMPLE if share else _AMOUNTS}")
    if percent and not share:
        raise ValueError(f"{_SHORT.repr(given.strip())} is a percentage, and no share is asked for; {_AMOUNTS}")
    return float(f"{value / 100:.15g}") if percent else value


def _share(given: Any) -> Any:
    return _amount(given, share=True)


def _parts(given: str) -> list[str]:
    """Of "2 to 3" both ends. A percent sign at the end alone is meant for all: 20 to 60%."""
    parts = [part.strip() for part in _BETWEEN.split(given.strip()) if part.strip()]
    if len(parts) > 1 and parts[-1].endswith("%") and not any("%" in part for part in parts[:-1]):
        if any(isinstance(value := _count(part), float) and 0 < value < 1 for part in parts[:-1]):
            raise ValueError("write % behind each number, or behind none")
        parts = [*(f"{part}%" for part in parts[:-1]), parts[-1]]
    return parts


def _whole(given: Any) -> Any:
    value = _count(given)
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[float, BeforeValidator(_count), Field(gt=0, le=1e20, allow_inf_nan=False)]
Rate = Annotated[float, BeforeValidator(_count), Field(ge=0, le=1e10, allow_inf_nan=False)]  # of users or requests; 10K
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10**12)]
Percent = Annotated[float, BeforeValidator(_share)]  # 0.25 or 25%; its bounds are those of the field
Share = Annotated[Percent, Field(ge=0, le=1)]
Discount = Annotated[Percent, Field(ge=0, lt=1)]
Recompute = Literal["none", "selective", "full"]
Precision = Literal["fp32", "fp16", "bf16", "fp8"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, given: Any, info: ValidationInfo) -> Any:
        """YAML reads yes, no, on and off as truth values, and pydantic reads those as 1 and 0."""
        wanted = cls.model_fields[info.field_name or ""].annotation
        if isinstance(given, bool) and wanted is not bool and bool not in get_args(wanted):
            raise ValueError("not a yes or no")
        return given


class ArchitectureSpec(Strict):
    """As `shape_by_hand` takes it."""

    layers: Whole
    hidden: Whole
    heads: Whole | None = None
    vocabulary: Whole = 50_257
    kind: Literal["decoder", "encoder"] = "decoder"
    kv_heads: Whole | None = None
    head_dim: Whole | None = None
    ffn: Whole | None = None
    gated: bool | None = None
    tied: bool = False
    bias: bool | None = None
    qkv_bias: bool = False
    positions: Annotated[int, Field(ge=0, le=10**8)] = 0
    experts: Annotated[int, Field(ge=0, le=100_000)] = 0
    experts_per_token: Annotated[int, Field(ge=0, le=100_000)] = 0
    shared_experts: Annotated[int, Field(ge=0, le=1000)] = 0
    expert_ffn: Whole | None = None
    dense_layers: Annotated[int, Field(ge=0, le=10_000)] = 0
    window: Annotated[int, Field(ge=0, le=10**9)] = 0
    window_every: Whole = 1
    context: Whole = 4_096


class RangeSpec(Strict):
    """A number; its low, expected and high; or text: "2", "2 to 3", "2 / 2.5 / 3", "1B–3B"."""

    low: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    expected: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    high: Annotated[float, Field(ge=0, allow_inf_nan=False)]

    _share: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _one_number(cls, given: Any) -> Any:
        """A fault of the one number is told once here, not of low, expected and high each."""
        if isinstance(given, str):
            parts = [_amount(part, share=cls._share) for part in _parts(given) or [given]]
            _check_numbers(parts)
            return _ends(parts) if len(parts) > 1 else dict.fromkeys(_ENDS, parts[0])
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            _check_numbers([given])
            return dict.fromkeys(_ENDS, given)
        if isinstance(given, dict):
            return {key: _amount(one, share=cls._share) if key in _ENDS else one for key, one in given.items()}
        return given

    @model_validator(mode="after")
    def _in_order(self) -> RangeSpec:
        if not self.low <= self.expected <= self.high:
            raise ValueError("low ≤ expected ≤ high is needed")
        return self

    def range(self) -> Range:
        return Range(self.low, self.expected, self.high)


class ShareSpec(RangeSpec):
    """A `RangeSpec` of shares, up to 1: 0.4, "40%", "20% to 60%"."""

    _share: ClassVar[bool] = True

    @model_validator(mode="after")
    def _up_to_one(self) -> ShareSpec:
        if self.high > 1:
            raise ValueError(f"{self.high:g} is above 1: a share is needed, such as 0.4 or 40%")
        return self


def _check_numbers(values: Sequence[float]) -> None:
    for value in values:
        if not math.isfinite(value):
            raise ValueError("a finite number is needed")
        if value < 0:
            raise ValueError(f"{value:g} is below 0")


_ARCHITECTURE_KEYS = tuple(ArchitectureSpec.model_fields)
_NAMES = ("model", "config", "architecture", "parameters")
_NO_MODEL = f"a model is needed: one of {', '.join(_NAMES)}"


class ModelSpec(Strict):
    """Which model: the fields are alternatives, and `parameters` beside an architecture is checked against it."""

    model: str | None = None
    config: Path | dict[str, Any] | None = None
    architecture: ArchitectureSpec | None = None
    parameters: Count | None = None
    active_parameters: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _lift(cls, given: Any) -> Any:
        """Layers and widths may also stand on the first level."""
        if not isinstance(given, dict) or "architecture" in given:
            return given
        own = set(cls.model_fields)
        lifted = {key: given[key] for key in _ARCHITECTURE_KEYS if key in given and key not in own}
        if "layers" not in lifted and "hidden" not in lifted:
            return given
        return {key: value for key, value in given.items() if key not in lifted} | {"architecture": lifted}

    @model_validator(mode="after")
    def _named(self) -> ModelSpec:
        if not any((self.model, self.config, self.architecture, self.parameters)):
            raise ValueError(_NO_MODEL)
        if self.architecture and (self.model or self.config):
            raise ValueError("model or config, and architecture, say the same thing: give one of them")
        return self


def read_file(path: Path) -> dict[str, Any]:
    """A YAML or JSON file as a mapping. Raises InvalidInput when it is missing, unreadable, too long or no mapping, or
    has aliases, by which a short file can become an endless value."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MOST_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", next_step="Check the path.") from error
    if len(text) > _MOST_CHARACTERS:
        raise InvalidInput(f"{path} is too long.", allowed=f"Up to {_MOST_CHARACTERS:,} characters.")
    try:
        _check_events(path, text)
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # PyYAML lets impossible dates and numbers through
        raise InvalidInput(f"{path} is no YAML: {error}.", next_step="Correct the line it names.") from error
    if not isinstance(found, dict):
        raise InvalidInput(
            f"{path} holds {type(found).__name__}, no mapping.",
            allowed="Lines of `key: value`.",
            next_step="See docs/estimate.md.",
        )
    return found


def _check_events(path: Path, text: str) -> None:
    """Before anything is built: aliases can repeat a value without end, PyYAML's time grows with depth squared, and it
    takes the last of two values of one key without a word."""
    depth = 0
    keys = _Keys(path)
    for event in yaml.parse(text):
        keys.see(event)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise InvalidInput(f"{path} has aliases.", allowed="YAML without *names.", next_step="Write values out.")
        if depth > _DEEPEST:
            raise InvalidInput(f"{path} is nested too deeply.", allowed=f"Up to {_DEEPEST} levels.")


class _Keys:
    """Follows a document's events. Each open collection has its keys with their lines, and whether a key comes next;
    a list has none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: list[tuple[dict[str, int] | None, list[bool]]] = []

    def see(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent, yaml.AliasEvent)):
            self._value(event)
            if isinstance(event, yaml.CollectionStartEvent):
                self._open.append(({} if isinstance(event, yaml.MappingStartEvent) else None, [True]))

    def _value(self, event: yaml.Event) -> None:
        if not self._open or (keys := self._open[-1][0]) is None:
            return
        is_key = self._open[-1][1]
        if is_key[0] and isinstance(event, yaml.ScalarEvent):
            line = event.start_mark.line + 1
            if event.value in keys:
                raise twice(str(self.path), event.value, f" (lines {keys[event.value]} and {line})")
            keys[event.value] = line
        is_key[0] = not is_key[0]


def twice(name: str, key: str, where: str = "") -> InvalidInput:
    """A key that a mapping has two times, of which one value would be lost."""
    return InvalidInput(
        f"{name} has {_SHORT.repr(key)} twice{where}.", allowed="Each key once where it stands.", next_step="Keep one."
    )


Spec = TypeVar("Spec", bound=BaseModel)


def parse(kind: type[Spec], given: dict[str, Any]) -> Spec:
    """Raises InvalidInput with every fault, each with its key, its value and what is allowed."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        errors = _once(error.errors())
        faults = [_fault(one, kind) for one in errors[:_MOST_FAULTS]]
        if issubclass(kind, ModelSpec) and not any(given.get(key) for key in (*_NAMES, *_ARCHITECTURE_KEYS)):
            faults = list(dict.fromkeys((*faults, _NO_MODEL)))  # pydantic looks at it only when all keys are right
        more = f"; and {len(errors) - _MOST_FAULTS} more" if len(errors) > _MOST_FAULTS else ""
        unknown = any(one["type"] == "extra_forbidden" for one in errors)
        raise InvalidInput(
            f"{'; '.join(faults)}{more}.",
            allowed=f"Keys: {', '.join(_keys(kind))}." if unknown else "",
            next_step="Correct these and run it again.",
        ) from error


def _once(errors: Sequence[Any]) -> list[Any]:
    """The same fault of a range's low, expected and high is one of the range."""
    found: dict[str, Any] = {}
    for error in errors:
        loc = error["loc"]
        if error["type"] != "missing" and len(loc) > 1 and loc[-1] in _ENDS:
            same = [one for one in errors if one["loc"][:-1] == loc[:-1] and one["msg"] == error["msg"]]
            if len(same) > 1 and len({repr(one.get("input")) for one in same}) == 1:
                error = {**error, "loc": loc[:-1]}
        found.setdefault(f"{error['loc']} {error['msg']}", error)
    return list(found.values())


def _keys(kind: type[BaseModel]) -> list[str]:
    """Of the first level, where an architecture's may stand too."""
    lifted = _ARCHITECTURE_KEYS if issubclass(kind, ModelSpec) else ()
    return list(dict.fromkeys((*kind.model_fields, *lifted)))


def _fault(error: Any, kind: type[BaseModel]) -> str:
    place = ".".join(str(part)[:80] for part in error["loc"])
    if error["type"] == "extra_forbidden":
        if issubclass(kind, ModelSpec) and place in _ARCHITECTURE_KEYS:
            return f"{place}: belongs to an architecture, which needs layers and hidden"
        near = difflib.get_close_matches(place, _keys(kind), n=1)
        return f"{place}: unknown key" + (f", perhaps {near[0]}" if near else "")
    words = error["msg"].removeprefix("Value error, ")
    value = error.get("input")
    told = isinstance(value, dict) or error["type"] == "missing" or _SHORT.repr(value) in words
    shown = "" if told else f" (it is {_SHORT.repr(value)})"
    return f"{place}: {words}{shown}" if place else words
