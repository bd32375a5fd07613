"""The weight files of a model folder: which they are, and that each is whole. Never unpickles anything."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from core.errors import CorruptFile, ModelRefused

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


def check_names(names: Collection[str], where: str) -> None:
    """Refuse a folder or repository that has no safetensors weights, going by its file names alone."""
    if SINGLE in names or INDEX in names:
        return
    top = [name for name in names if "/" not in name]
    pickles = sorted(name for name in top if name.endswith(_PICKLES) and not name.startswith("training_args"))
    ggufs = sorted(name for name in top if name.endswith(".gguf"))
    if "adapter_model.safetensors" in names or "adapter_config.json" in names:
        raise ModelRefused(
            f"{where} holds an adapter, not a whole model.",
            allowed="A whole model in safetensors, or a GGUF file.",
            next_step="Merge the adapter into its base model, save that and add the folder.",
        )
    if ggufs:
        raise ModelRefused(
            f"{where} holds GGUF files ({_some(ggufs)}) and no model.safetensors.",
            next_step="Add the path of one .gguf file on this machine instead.",
        )
    if pickles:
        raise ModelRefused(
            f"{where} has its weights only as pickles ({_some(pickles)}), and reading a pickle can run any code.",
            allowed="Only weights in safetensors or GGUF are read.",
            next_step="Look for a repository or revision with model.safetensors, or convert it where you trust it "
            "(`model.save_pretrained(folder)` writes safetensors) and add that folder.",
        )
    raise ModelRefused(
        f"{where} has no {SINGLE} and no {INDEX}.",
        allowed="Weights in safetensors (as transformers saves them) or GGUF.",
        next_step="Check that this is the model's own folder or repository, not one above or below it.",
    )


def shard_names(index: Path) -> list[str]:
    """The shards that an index names, each a plain file name. Raises ModelRefused, CorruptFile."""
    try:
        weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        names = sorted({str(name) for name in weight_map.values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptFile(f"{index} is not an index of weights: {error!r}.", next_step="Get the file again.") from error
    for name in names:
        if Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
            raise ModelRefused(
                f"{index} names a shard outside its own folder, or of another kind: {name!r}.",
                allowed="File names ending in .safetensors, in the same folder.",
                next_step="Get the model from a source that you trust.",
            )
    return names


def weight_files(folder: Path) -> list[Path]:
    """The files that make up the weights of a folder, index included, checked. Raises ModelRefused, CorruptFile."""
    check_names([entry.name for entry in folder.iterdir()], str(folder))
    if (folder / SINGLE).exists():
        check_safetensors(folder / SINGLE)
        return [folder / SINGLE]
    index = folder / INDEX
    names = shard_names(index)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing or not names:
        raise ModelRefused(
            f"{index} names {len(names)} shards, of which {_some(missing) or 'all'} are missing.",
            allowed="Every shard in the same folder.",
            next_step="Copy or download the missing files.",
        )
    weight_map: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    held = {name: check_safetensors(folder / name) for name in names}
    lost = sorted(tensor for tensor, name in weight_map.items() if tensor not in held[name])
    if lost:
        raise CorruptFile(
            f"{index} promises tensors that its shards do not hold: {_some(lost)}.", next_step="Get the files again."
        )
    return [index, *(folder / name for name in names)]


def check_safetensors(path: Path) -> set[str]:
    """The tensor names of a safetensors file. Raises CorruptFile when its header or length is wrong."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            return set(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise CorruptFile(
            f"{path} is not a whole safetensors file: {error}.", next_step="Copy or download it again."
        ) from error


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
