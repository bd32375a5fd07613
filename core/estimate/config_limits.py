"""What a config.json may ask for before it is built: a file from anywhere must neither hang this machine nor fill it.

Two guards: sizes are checked by the kind of thing they count before anything is built, and the building itself stops
after BUILD_SECONDS or MOST_TENSORS parameters, whatever a configuration does with its numbers.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import InvalidInput

BUILD_SECONDS = 10.0
MOST_TENSORS = 200_000  # DeepSeek-V3 has 1,300, the largest in transformers with its experts one by one 50,000
BY_HAND = (
    "Take the values from the model's own config.json, or describe it by hand (layers, hidden, heads, vocabulary)."
)

_KINDS: tuple[tuple[str, float, float], ...] = (  # first match of the name; least, most
    (r"theta|seed|epsilon|token_id|token_index|_id$|base$", -1e18, 1e18),  # sizes of nothing
    (r"vocab", 1, 1e8),
    (r"layer_types|max_window_layers", -1, 1e4),
    (r"^(num_(hidden_)?layers|n_layers?)$", 1, 1e4),
    (r"layers?$|depths?$|blocks?$|stages?$|repeats?$", -1e4, 1e4),
    (r"^(hidden_size|n_embd|d_model|dim)$", 1, 1e6),
    (r"^(num_attention_heads|num_heads|n_head|n_heads)$", 1, 1e4),
    (r"heads?$", -1, 1e4),
    (r"experts?", -1e5, 1e5),
    (r"labels", 0, 1e6),
    (r"image_size|patch_size|num_frames", -16_384, 16_384),
    (r"position|context|window|length|n_ctx|chunk|token", -1e8, 1e8),
    (r"intermediate|ffn|inner|d_ff", -1e7, 1e7),
    (r"", -1e6, 1e6),
)
# These write their positions in a Python loop over positions and width: a minute for every 1e8.
_LOOPS = {"distilbert", "flaubert", "xlm", "roformer", "marian", "pegasus", "videomae", "informer", "autoformer"}
_LOOPS |= {"time_series_transformer"}
_MOST_LOOPED = 2e7


def check_sizes(config: dict[str, Any]) -> None:
    """Raises InvalidInput with every size that is absurd or negative."""
    faults = list(_faults(config, ""))
    positions = _positions(config)
    width = max((_whole(config.get(name)) for name in ("hidden_size", "d_model", "dim", "emb_dim")), default=0)
    if config.get("model_type") in _LOOPS and positions * max(width, 1_024) > _MOST_LOOPED:
        faults.append(f"{positions:,} positions are too many to write down for a {config['model_type']}")
    if faults:
        more = f" and {len(faults) - 8} more" if len(faults) > 8 else ""
        raise InvalidInput(f"Not a network: {'; '.join(faults[:8])}{more}.", next_step=BY_HAND)


@contextmanager
def bounded_building() -> Iterator[None]:
    """What is built inside, by this thread, is stopped when it becomes too large. Raises InvalidInput."""
    from torch.nn.modules.module import register_module_parameter_registration_hook

    thread, started, count, stop = threading.get_ident(), time.monotonic(), 0, ""

    def look(module: Any, name: str, parameter: Any) -> None:
        nonlocal count, stop
        if threading.get_ident() != thread:  # the hook is torch's own and sees every thread
            return
        count += 1
        if count > MOST_TENSORS or time.monotonic() - started > BUILD_SECONDS:
            stop = f"It has more than {count - 1:,} weight tensors, and building it did not end."
            raise RuntimeError(stop)

    hook = register_module_parameter_registration_hook(look)
    try:
        yield
    except Exception as error:
        if stop:  # whatever transformers made of it on the way
            raise InvalidInput(
                stop,
                allowed=f"Up to {MOST_TENSORS:,} weight tensors, built within {BUILD_SECONDS:g} s.",
                next_step=BY_HAND,
            ) from error
        raise
    finally:
        hook.remove()


def _faults(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if str(key) not in ("id2label", "label2id", "task_specific_params"):
                yield from _faults(inner, str(key))
    elif isinstance(value, (list, tuple)):
        if len(value) > 100_000:
            yield f"{name} lists {len(value):,} values (up to 100,000)"
            return
        for inner in value:
            yield from _faults(inner, name)
    elif isinstance(value, int) and not isinstance(value, bool):
        least, most = next((least, most) for pattern, least, most in _KINDS if re.search(pattern, name))
        if not least <= value <= most:
            yield f"{name} is {value:,} (from {least:,.0f} to {most:,.0f})"


def _positions(config: dict[str, Any]) -> int:
    patch, image = max(_whole(config.get("patch_size")), 1), _whole(config.get("image_size"))
    patches = (image // patch) ** 2 * max(_whole(config.get("num_frames")), 1)
    return max(_whole(config.get("max_position_embeddings")), _whole(config.get("context_length")), patches)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
