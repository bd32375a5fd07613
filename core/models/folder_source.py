"""A folder as transformers saves it becomes a prepared folder: links to its files, and a tokenizer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import CorruptFile, ModelRefused
from core.models.admission import admit, read_config
from core.models.network_config import SAMPLES, is_network
from core.models.tokenizer import CHAT_TEMPLATE_FILE, template_of
from core.models.weights import weight_files

ENCODER_MARK = "modules.json"
"""A folder with this file is packed as a sentence encoder (sentence-transformers)."""

LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt")

SMALL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "chat_template.jinja",
    "chat_template.json",
    ENCODER_MARK,
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
    SAMPLES,
    *LICENCE_FILES,
)

_VOCABULARIES = ("vocab.json", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model")


def source_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """(weight files, small files) that a model takes from `folder`. Raises ModelRefused, CorruptFile."""
    small = [folder / name for name in SMALL_FILES if (folder / name).is_file()]
    return weight_files(folder), small


def check_folder(folder: Path) -> None:
    """Refuse early what the configuration gives away: custom code, unknown architecture, packed weights."""
    config = read_config(folder / "config.json")
    admit(config, str(folder), embeds=(folder / ENCODER_MARK).is_file())


def link_folder(source: Path, target: Path, *, move: bool = False) -> None:
    """Fill `target` from `source`: symlinks (copies where the system has none), or the files themselves with `move`."""
    weights, small = source_files(source)
    _place(source, target, [*weights, *small], move=move)
    if is_network(read_config(target / "config.json")):
        return  # reads no text
    if not (target / CHAT_TEMPLATE_FILE).exists() and (template := _stored_template(target)):
        (target / CHAT_TEMPLATE_FILE).write_text(template, encoding="utf-8")
    if not (target / "tokenizer.json").exists():
        _make_tokenizer(target, source)


def _place(source: Path, target: Path, files: Sequence[Path], *, move: bool) -> None:
    for file in files:
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if move:
            file.replace(place)
            continue
        try:
            place.symlink_to(file.resolve())
        except OSError:  # Windows without developer mode, some network disks
            shutil.copyfile(file, place)


def _stored_template(folder: Path) -> str | None:
    for name in ("tokenizer_config.json", "chat_template.json"):
        path = folder / name
        if path.is_file() and (template := template_of(_json(path).get("chat_template"))):
            return template
    return None


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptFile(f"{path} is not JSON: {error}.", next_step="Get the file again.") from error
    return values if isinstance(values, dict) else {}


def _make_tokenizer(folder: Path, source: Path) -> None:
    from transformers import AutoTokenizer

    try:
        if not any((folder / name).exists() for name in _VOCABULARIES):
            raise ValueError("no vocabulary file")  # transformers would make a tokenizer that knows no words
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
        tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    except Exception as error:  # each tokenizer fails in its own way
        raise ModelRefused(
            f"{source} has no tokenizer.json, and transformers cannot make one from what is there: "
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}.",
            allowed="tokenizer.json, or the vocabulary files that transformers turns into one.",
            next_step="Save the tokenizer into the folder (`tokenizer.save_pretrained(folder)`) and add it again.",
        ) from error
