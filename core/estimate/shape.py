"""`ModelShape`: the facts of a network that an estimate needs, wherever they came from.

Made by `shape_by_hand` (layers, widths, experts), `shape_from_config` (any config.json), `shape_guess` (a parameter
count alone) or `known_models` (published models by name). All counts are exact unless `exact` is False.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["decoder", "encoder", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """Counts; widths in units. Sizes in bytes follow from a precision, which is not of the shape.

    kind: decoder (causal, keeps a KV cache), encoder (attends both ways, one pass), other (a CNN or another network of
    which only totals are known: no layers, a "token" is one sample). parameters: tied weights once.
    active_parameters: that one token passes through; less than parameters only with experts. embedding_parameters:
    looked up and never multiplied (0 when tied: the head multiplies them). head_parameters: of the matrix that makes
    logits, 0 without one. gated: an FFN of three matrices (SwiGLU) instead of two. experts, experts_per_token,
    expert_parameters: routed experts of one layer, those of a token, and the parameters of all of them in all layers;
    0 when dense. window: tokens that a sliding-window layer looks back, in window_layers layers; 0 without.
    kv_elements_per_token: numbers of keys and values that one token adds to the cache in all layers.
    largest_layer_parameters: of the largest block that is gathered at once under ZeRO-3. flop_per_sample,
    activation_elements_per_sample: forward operations, and saved activations in numbers, of an "other" network; 0
    otherwise."""

    name: str
    kind: Kind
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocabulary: int
    context: int
    parameters: int
    active_parameters: int
    embedding_parameters: int
    head_parameters: int
    gated: bool
    experts: int = 0
    experts_per_token: int = 0
    expert_parameters: int = 0
    window: int = 0
    window_layers: int = 0
    kv_elements_per_token: int = 0
    largest_layer_parameters: int = 0
    flop_per_sample: float = 0.0
    activation_elements_per_sample: float = 0.0
    exact: bool = True
    source: str = ""

    @property
    def matrix_parameters(self) -> int:
        """Weights that one token is multiplied by, the head's among them. Norms and biases count too: under 0.1 %."""
        return self.active_parameters - self.embedding_parameters

    @property
    def is_moe(self) -> bool:
        return self.experts > 0
