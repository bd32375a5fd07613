"""The README.md of a trained model's folder: its title and licence, as the catalogue and a model hub read them."""

from __future__ import annotations

from pathlib import Path

import yaml

from core.models import catalogue
from core.models.licences import UNKNOWN
from core.training.config import AnyConfig, base_model, to_values

OWN = "your own"
"""Licence of a model that was trained from nothing."""


def write_readme(folder: Path, config: AnyConfig, title: str) -> None:
    """Front matter: model_name, license, base_model. A fine-tuned model stands under the licence of its base."""
    header = {"model_name": title, **_licence(config)}
    text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    told = "Trained with Groundwork; the run's model card says on what and how well.\n"
    (folder / "README.md").write_text(f"---\n{text}---\n\n# {title}\n\n{told}", encoding="utf-8")


def _licence(config: AnyConfig) -> dict[str, str]:
    base = base_model(to_values(config))
    if not base:
        return {"license": "other", "license_name": OWN}
    card = catalogue.get(base)
    known = {} if card.licence == UNKNOWN else {"license": card.licence}
    return {**known, "base_model": card.source.location if card.source.kind.value == "hub" else card.id}
