"""`Edits`: heads, MLPs and tokens that are switched off, and the model with them off.

A head off: its output is zero before the output projection mixes it in. An MLP off: it adds zero. A token off: no other
token reads it, in any layer; the weights left renormalise (attention knock-out, Geva et al. 2023, arXiv 2304.14767).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from core.errors import InvalidInput
from core.interpret.open_model import OpenModel
from core.interpret.watched_attention import Attended, watching

_HEAD = re.compile(r"([0-9]{1,7})\.([0-9]{1,7}|\*)")
_NAMED = re.compile(r"(mlp|token)([0-9]{1,7})")
_MOST_NAMED = 8  # longer lists are counted in words, and faults past that many are too


@dataclass(frozen=True, slots=True)
class Edits:
    """What is off. heads: (layer, head). mlps: layers. tokens: positions that nobody else reads."""

    heads: frozenset[tuple[int, int]] = frozenset()
    mlps: frozenset[int] = frozenset()
    tokens: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.heads or self.mlps or self.tokens)

    def __or__(self, other: Edits) -> Edits:
        return Edits(self.heads | other.heads, self.mlps | other.mlps, self.tokens | other.tokens)

    def words(self, pieces: Sequence[str] = (), heads: int = 0) -> str:
        """In words. pieces: of the text's tokens. heads: in each layer, so that a whole layer is called one."""
        told = []
        if parts := [*_head_words(self.heads, heads), *_mlp_words(self.mlps)]:
            told.append(f"without {_listed(parts)}")
        if self.tokens:
            told.append(f"nobody reads {_token_words(self.tokens, pieces)}")
        return "; ".join(told) or "nothing switched off"

    def format(self, heads: int = 0) -> str:
        """As `parse_edits` reads it: "12.4,3.*,mlp3,token17". heads: in each layer, to write 3.* for all of them."""
        written = []
        for layer, chosen in _by_layer(self.heads):
            whole = heads > 0 and len(chosen) == heads
            written += [f"{layer}.*"] if whole else [f"{layer}.{head}" for head in chosen]
        return ",".join(
            [*written, *(f"mlp{layer}" for layer in sorted(self.mlps)), *(f"token{at}" for at in sorted(self.tokens))]
        )


NOTHING = Edits()


def parse_edits(text: str, *, layers: int, heads: int, tokens: int | None = None) -> Edits:
    """Read "12.4,3.*,mlp3,token17". tokens: of the text (None: not known yet). Raises InvalidInput that names every
    part that is not understood or not there."""
    found, faults = NOTHING, []
    for part in text.replace(",", " ").split():
        try:
            found |= _parse_part(part.lower(), heads)
        except ValueError:
            faults.append(f"“{part[:40]}” is no head, MLP or token")
    _require([*faults, *_missing(found, layers, heads, tokens)], layers, heads, tokens)
    return found


def check_edits(edits: Edits, *, layers: int, heads: int, tokens: int | None = None) -> None:
    """Raises InvalidInput that names every head, MLP and token that is not there."""
    _require(_missing(edits, layers, heads, tokens), layers, heads, tokens)


@contextmanager
def edited(opened: OpenModel, edits: Edits = NOTHING, *, per_row: Sequence[Edits] | None = None) -> Iterator[None]:
    """Passes inside go without what `edits` names; per_row: and each row of the batch without what is named for it.

    Works with a KV cache too, where the keys are those of positions 0 and on. Raises InvalidInput for heads and MLPs
    that the model does not have. It holds the model's lock, and leaves the model as it was.
    """
    rows = [edits] if per_row is None else [edits | row for row in per_row]
    for row in rows:
        check_edits(row, layers=len(opened.layers), heads=opened.heads)
    surgery = _Surgery(opened, rows)
    with opened.lock, ExitStack() as undo:
        for layer, off in surgery.mlps.items():
            undo.callback(_mlp_of(opened, layer).register_forward_hook(_silence(off)).remove)
        undo.enter_context(watching(surgery))
        yield


class _Surgery:
    """The watch that switches heads and tokens off. heads: layer → [row, 1, head, 1]; mlps: layer → [row]; tokens:
    [row, position up to the last one that is off]. True: off. One row stands for all."""

    def __init__(self, opened: OpenModel, rows: Sequence[Edits]) -> None:
        self._rows = len(rows)
        self._layer_of = {id(layer.attention): number for number, layer in enumerate(opened.layers)}
        self._heads: dict[int, torch.Tensor] = {}
        self.mlps: dict[int, torch.Tensor] = {}
        last = max((max(row.tokens) for row in rows if row.tokens), default=-1)
        self._tokens = torch.zeros((self._rows, last + 1), dtype=torch.bool, device=opened.device)
        self._unread: torch.Tensor | None = None
        for place, row in enumerate(rows):
            for layer, head in row.heads:
                empty = torch.zeros((self._rows, 1, opened.heads, 1), dtype=torch.bool, device=opened.device)
                self._heads.setdefault(layer, empty)[place, 0, head] = True
            for layer in row.mlps:
                empty = torch.zeros(self._rows, dtype=torch.bool, device=opened.device)
                self.mlps.setdefault(layer, empty)[place] = True
            self._tokens[place, list(row.tokens)] = True

    def attend(self, attended: Attended) -> torch.Tensor:
        if self._rows not in (1, attended.query.shape[0]):
            raise ValueError(f"{self._rows} rows of edits, a batch of {attended.query.shape[0]}")
        if self._tokens.shape[1]:
            attended = replace(attended, mask=self._masked(attended))
        output = attended.output()
        off = self._heads.get(self._layer_of[id(attended.module)])
        return output if off is None else output.masked_fill(off, 0.0)

    def _masked(self, attended: Attended) -> torch.Tensor:
        queries, keys = attended.query.shape[2], attended.key.shape[2]
        mask = attended.mask
        if mask is None:
            mask = attended.query.new_zeros((1, 1, queries, keys))
        return torch.where(self._unread_by(queries, keys), -torch.inf, mask[..., :keys])

    def _unread_by(self, queries: int, keys: int) -> torch.Tensor:
        """[row, 1, query, key]; the queries are the last ones of the keys. The same for every layer of a pass."""
        if self._unread is None or self._unread.shape[2:] != (queries, keys):
            places = torch.arange(keys, device=self._tokens.device)
            others = places[None, :] != places[keys - queries :, None]
            short = max(keys - self._tokens.shape[1], 0)
            off = torch.nn.functional.pad(self._tokens, (0, short))[:, :keys]
            self._unread = off[:, None, None, :] & others
        return self._unread


def _silence(off: torch.Tensor) -> Callable[..., Any]:
    def hook(module: Any, given: Any, made: Any) -> Any:
        output = made[0] if isinstance(made, tuple) else made
        if len(off) == 1:
            silent = torch.zeros_like(output)
        else:  # some layers lay rows and tokens in one dimension for their MLP
            by_row = output.reshape(len(off), -1, output.shape[-1])
            silent = by_row.masked_fill(off[:, None, None], 0.0).reshape(output.shape)
        return (silent, *made[1:]) if isinstance(made, tuple) else silent

    return hook


def _mlp_of(opened: OpenModel, layer: int) -> Any:
    part = opened.layers[layer].mlp
    if part is None:
        raise InvalidInput(
            f"The MLP of layer {layer} of {opened.card.id} is not of a kind that is known here.",
            next_step="Switch off heads or tokens.",
        )
    return part


def _parse_part(part: str, heads: int) -> Edits:
    """Raises ValueError."""
    if named := _NAMED.fullmatch(part):
        one = frozenset({int(named[2])})
        return Edits(mlps=one) if named[1] == "mlp" else Edits(tokens=one)
    if not (head := _HEAD.fullmatch(part)):
        raise ValueError(part)
    chosen = range(heads) if head[2] == "*" else [int(head[2])]
    return Edits(heads=frozenset((int(head[1]), number) for number in chosen))


def _missing(edits: Edits, layers: int, heads: int, tokens: int | None) -> list[str]:
    named = {layer for layer, _ in edits.heads} | edits.mlps
    faults = [f"there is no layer {layer}" for layer in sorted(named) if not 0 <= layer < layers]
    faults += [
        f"layer {layer} has no head {head}"
        for layer, head in sorted(edits.heads)
        if 0 <= layer < layers and not 0 <= head < heads
    ]
    ends = float("inf") if tokens is None else tokens
    return faults + [f"there is no token {at}" for at in sorted(edits.tokens) if not 0 <= at < ends]


def _require(faults: list[str], layers: int, heads: int, tokens: int | None) -> None:
    if not faults:
        return
    shown = faults[:_MOST_NAMED]
    if len(faults) > len(shown):
        shown.append(f"and {len(faults) - len(shown)} more faults")
    told = "; ".join(shown)
    known = f", tokens 0 to {tokens - 1}" if tokens else ""
    raise InvalidInput(
        f"{told[0].upper()}{told[1:]}.",
        allowed=f"Layers 0 to {layers - 1}, heads 0 to {heads - 1}{known}: 12.4 is head 4 of layer 12, 3.* every head "
        "of layer 3, mlp3 the MLP of layer 3, token17 token 17; commas between them.",
        next_step="Name those that are there.",
    )


def _by_layer(heads: frozenset[tuple[int, int]]) -> list[tuple[int, list[int]]]:
    layers: defaultdict[int, list[int]] = defaultdict(list)
    for layer, head in sorted(heads):
        layers[layer].append(head)
    return list(layers.items())


def _head_words(heads: frozenset[tuple[int, int]], every: int) -> list[str]:
    layers = _by_layer(heads)
    if len(layers) > _MOST_NAMED:
        return [f"{len(heads)} heads in {len(layers)} layers"]
    return [f"{_heads_words(chosen, every)} of layer {layer}" for layer, chosen in layers]


def _heads_words(chosen: list[int], every: int) -> str:
    if every and len(chosen) == every:
        return "every head"
    return f"head {chosen[0]}" if len(chosen) == 1 else f"heads {_listed(chosen)}"


def _mlp_words(mlps: frozenset[int]) -> list[str]:
    if len(mlps) > _MOST_NAMED:
        return [f"the MLPs of {len(mlps)} layers"]
    if len(mlps) > 1:
        return [f"the MLPs of layers {_listed(sorted(mlps))}"]
    return [f"the MLP of layer {layer}" for layer in mlps]


def _token_words(tokens: frozenset[int], pieces: Sequence[str]) -> str:
    if len(tokens) > _MOST_NAMED:
        return f"{len(tokens)} tokens"
    named = [f"‘{pieces[at]}’ ({at})" if at < len(pieces) else f"token {at}" for at in sorted(tokens)]
    return _listed([name.replace("\n", "↵") for name in named])


def _listed(parts: Sequence[Any]) -> str:
    words = [str(part) for part in parts]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
