"""Published models by name, for planning with a model that is not on this machine: `tables/known_models.csv`.

Layers, widths and experts are those of the published configurations, the parameter count is the published one; a small
difference to the count by hand (norms, biases) is put with the matrices.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import lru_cache

from core.errors import InvalidInput
from core.estimate.hardware import plain
from core.estimate.shape import ModelShape
from core.estimate.shape_by_hand import shape_by_hand
from core.estimate.tables_csv import number, rows

LATENT = {
    "deepseek-v2": 512 + 64,
    "deepseek-v3": 512 + 64,
}  # numbers a layer caches for a token (arXiv 2405.04434, § 2.1)


@lru_cache(maxsize=1)
def known_models() -> dict[str, ModelShape]:
    """By id, in the table's order."""
    return {row["id"]: _shape(row) for row in rows("known_models")}


def known_model(name: str) -> ModelShape:
    """By id or published name, whatever its case, spaces and dashes. Raises InvalidInput with the nearest names."""
    names = {_plain(key): shape for key, shape in known_models().items()}
    names |= {_plain(shape.name): shape for shape in known_models().values()}
    wanted = _plain(name)
    if wanted in names:
        return names[wanted]
    begun = list({shape.name: shape for key, shape in names.items() if wanted and key.startswith(wanted)}.values())
    if len(begun) == 1:
        return begun[0]
    near = [shape.name for shape in begun[:6]]
    near = near or [names[key].name for key in difflib.get_close_matches(wanted, names, n=6, cutoff=0.4)]
    raise InvalidInput(
        f"'{name[:80]}' is {'more than one' if begun else 'no'} model of the table or the catalogue.",
        allowed=f"Nearest: {', '.join(dict.fromkeys(near))}." if near else "",
        next_step="Name one of these, or give a config.json, an architecture, or the number of parameters.",
    )


def _shape(row: dict[str, str]) -> ModelShape:
    def count(name: str) -> int:
        return int(number(row[name]) or 0)

    shape = shape_by_hand(
        name=row["name"],
        kind="encoder" if row["kind"] == "encoder" else "decoder",
        layers=count("layers"),
        hidden=count("hidden"),
        heads=count("heads"),
        kv_heads=count("kv_heads"),
        head_dim=count("head_dim"),
        ffn=count("ffn"),
        gated=row["gated"] == "yes",
        vocabulary=count("vocabulary"),
        tied=row["tied_embeddings"] == "yes",
        positions=count("position_embeddings"),
        experts=count("experts"),
        experts_per_token=count("experts_per_token"),
        shared_experts=count("shared_experts"),
        expert_ffn=count("moe_ffn") or None,
        dense_layers=count("dense_layers"),
        window=count("window"),
        window_every=count("window_every") or 1,
        context=count("context"),
        source=row["source"],
    )
    parameters = count("parameters")
    more = parameters - shape.parameters
    cached = LATENT.get(row["id"], 0) * shape.layers or shape.kv_elements_per_token
    active = count("active_parameters") or shape.active_parameters + more
    return replace(shape, parameters=parameters, active_parameters=active, kv_elements_per_token=cached)


def _plain(name: str) -> str:
    """Without the owner of a hub id."""
    return plain(name.rpartition("/")[2])
