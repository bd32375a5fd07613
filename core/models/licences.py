"""The licence of a model: what its files say, spelled as SPDX spells it where SPDX knows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

UNKNOWN = "unknown"

_NAMES = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "gpl-3.0": "GPL-3.0",
    "agpl-3.0": "AGPL-3.0",
    "lgpl-3.0": "LGPL-3.0",
    "mpl-2.0": "MPL-2.0",
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "openrail": "OpenRAIL",
    "bigscience-openrail-m": "BigScience OpenRAIL-M",
    "gemma": "Gemma terms of use",
    "llama2": "Llama 2 Community License",
    "llama3": "Llama 3 Community License",
    "llama3.1": "Llama 3.1 Community License",
    "llama3.2": "Llama 3.2 Community License",
    "llama3.3": "Llama 3.3 Community License",
}


def licence_name(value: Any, other: Any = None) -> str:
    """`value` as a person reads it. other: the name given beside the licence "other"."""
    if isinstance(value, (list, tuple)):
        return ", ".join(licence_name(item) for item in value) or UNKNOWN
    text = str(value or "").strip()
    if text.lower() == "other" and other:
        return str(other)
    return _NAMES.get(text.lower(), text) or UNKNOWN


def licence_of_card_data(data: Mapping[str, Any]) -> str:
    """From the metadata of a model card (`license`, `license_name`)."""
    return licence_name(data.get("license"), data.get("license_name"))


def licence_of_folder(folder: Path) -> str:
    """From the header of README.md; "unknown" when it does not say."""
    return licence_of_card_data(_header(folder))


def title_of_folder(folder: Path) -> str:
    """`model_name` of the header of README.md, else the folder's name."""
    return str(_header(folder).get("model_name") or folder.name)


def _header(folder: Path) -> Mapping[str, Any]:
    readme = folder / "README.md"
    if not readme.is_file():
        return {}
    from huggingface_hub import metadata_load

    try:
        data = metadata_load(readme)
    except Exception:  # somebody's broken YAML says nothing about the weights
        return {}
    return data if isinstance(data, dict) else {}
