"""The catalogue: which models there are, and the way from a name to a folder that every engine can read.

Built-in models come from one table (`builtin.py`); the user adds more from the hub, a folder or a GGUF file. Asking
about models reads small JSON files and imports neither torch nor transformers; adding and preparing do.
"""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

from core.artefacts import Progress, no_progress
from core.errors import CorruptFile, InvalidInput, ModelNotFound, ModelRefused
from core.models import hub, prepared, uploads
from core.models.builtin import BUILTINS, Builtin, find_builtin, packaged_files, source_of, static_card
from core.models.card_file import read_card, write_card
from core.models.cards import ModelCard, Source, SourceKind
from core.models.prepared import Identity
from core.models.records import Added, all_records, check_id, model_dir, read_record, suggest_id, write_record


def list_models() -> tuple[ModelCard, ...]:
    """Every model: built-in ones first, then those the user added, by id."""
    return (*(_builtin_card(builtin) for builtin in BUILTINS), *_added_cards())


def get(model_id: str) -> ModelCard:
    """The card of a model, by its id or by the source it was added from. Raises ModelNotFound."""
    return _card(_resolve(model_id))


def is_prepared(model_id: str) -> bool:
    """Whether the model's folder is there and whole. Raises ModelNotFound for an unknown model."""
    target = _target(_resolve(model_id))
    return target is not None and prepared.is_complete(target)


def folder(model_id: str) -> Path:
    """The prepared folder. Raises ModelNotFound for an unknown model, and for one that is not prepared yet."""
    known = _resolve(model_id)
    target = _target(known)
    if target is None or not prepared.is_complete(target):
        raise ModelNotFound(f"{known} is not prepared on this machine yet.", next_step="Prepare it first.")
    return target


def prepare(model_id: str, progress: Progress = no_progress) -> Path:
    """Make the model's folder if it is not there: safetensors, config.json, tokenizer.json, chat template, card.json.

    Cheap when it is there. A source folder or file that changed gets a new revision. Raises ModelNotFound,
    ModelRefused, CorruptFile, StorageError, and whatever `progress` raises (to cancel).
    """
    known = _resolve(model_id)
    if builtin := find_builtin(known):
        return _prepare_builtin(builtin, progress)
    record = read_record(known)
    if record is None:
        raise _not_found(model_id)
    return _prepare_added(record, _card(known), progress)


def add(
    source: str, *, model_id: str | None = None, revision: str | None = None, progress: Progress = no_progress
) -> ModelCard:
    """Add a model and prepare it. source: a hub id `owner/name`, a folder, or the path of a .gguf file.

    revision: branch, tag or commit of a hub model. Adding the same source again takes its newest revision. Raises
    what `prepare` raises, and InvalidInput for an id that cannot be used.
    """
    given = source.strip()
    where = _read_source(given)
    if revision is not None and where.kind is not SourceKind.HUB:
        raise InvalidInput(
            f"A revision ({revision!r}) was given for {given}, which is on this machine.",
            next_step="Leave the revision out: it is the content's own hash.",
        )
    chosen = _choose_id(where, model_id)
    identity = Identity(chosen, "", where)
    if where.kind is SourceKind.HUB:
        target = prepared.prepare_hub(identity, hub.look_up(where.location, revision), progress)
    else:
        try:
            target = _prepare_local(identity, Path(where.location), progress)
        except (ModelRefused, CorruptFile):
            uploads.forget(where.location)  # if it is one: it will never be a model
            raise
    return _remember(Added(chosen, given, where, target.name), target)


def check_source(source: str) -> None:
    """Raises what `add` would raise at once for something on this machine: nothing there, no folder and no GGUF."""
    if not source.strip():
        raise InvalidInput("No path was given.", next_step="Write the path of a folder or a .gguf file.")
    where = _read_source(source.strip())
    if where.kind is SourceKind.HUB:
        prepared.require_path(Path(where.location))


def remove(model_id: str) -> None:
    """Forget a model that the user added and delete its prepared files, and its upload; any other source is left alone.

    Its exports are `core.onnx.house`'s to delete. Raises ModelNotFound, and ModelRefused for a built-in.
    """
    known = _resolve(model_id)
    if find_builtin(known):
        raise ModelRefused(f"{known} comes with the product and cannot be removed.")
    record = read_record(known)
    shutil.rmtree(model_dir(known))  # links are deleted, never followed
    if record is not None:
        uploads.forget(record.source.location)


def _resolve(model_id: str) -> str:
    name = model_id.strip()
    records = all_records()
    known = {builtin.id for builtin in BUILTINS} | {record.id for record in records}
    if name in known:
        return name
    for record in records:
        if name in (record.given, record.source.location) or _same_path(name, record.source):
            return record.id
    for builtin in BUILTINS:
        if name in (builtin.hub_id, builtin.package):
            return builtin.id
    raise _not_found(name)


def _same_path(name: str, source: Source) -> bool:
    if source.kind not in (SourceKind.FOLDER, SourceKind.GGUF):
        return False
    try:
        return str(Path(name).expanduser().resolve()) == source.location
    except (OSError, RuntimeError, ValueError):
        return False


def _not_found(name: str) -> ModelNotFound:
    known = [builtin.id for builtin in BUILTINS] + [
        record.id for record in all_records() if not find_builtin(record.id)
    ]
    close = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    return ModelNotFound(
        f"There is no model {name!r}." + (f" Did you mean {' or '.join(close)}?" if close else ""),
        allowed=f"There are: {', '.join(known)}.",
        next_step="Choose one of these, or add a hub id, a folder or a .gguf file.",
    )


def _card(known: str) -> ModelCard:
    if builtin := find_builtin(known):
        return _builtin_card(builtin)
    return read_card(model_dir(known))


def _added_cards() -> list[ModelCard]:
    cards: list[ModelCard] = []
    for record in all_records():
        if find_builtin(record.id):
            continue
        try:
            cards.append(read_card(model_dir(record.id)))
        except CorruptFile:
            continue  # one broken card must not hide the other models; `get` says what is wrong
    return cards


def _builtin_card(builtin: Builtin) -> ModelCard:
    target = _target(builtin.id)
    card = prepared.complete_card(target) if target is not None else None
    return card or static_card(builtin)


def _target(known: str) -> Path | None:
    """Where the prepared folder of a known model belongs; None for a built-in never fetched from the hub."""
    builtin = find_builtin(known)
    files = packaged_files(builtin) if builtin else None
    if files:
        return model_dir(known) / files.revision
    record = read_record(known)
    return model_dir(known) / record.revision if record else None


def _prepare_builtin(builtin: Builtin, progress: Progress) -> Path:
    files = packaged_files(builtin)
    source = source_of(builtin, files)
    identity = Identity(builtin.id, builtin.title, source, builtin.licence, builtin.description, builtin=True)
    if files:
        make = prepared.prepare_gguf if files.path.suffix == ".gguf" else prepared.prepare_folder
        return make(identity, files.path, files.revision, progress)
    target = _target(builtin.id)
    if target is not None and prepared.is_complete(target):
        return target
    target = prepared.prepare_hub(identity, hub.look_up(builtin.hub_id), progress)
    write_record(Added(builtin.id, builtin.hub_id, source, target.name))
    return target


def _prepare_added(record: Added, card: ModelCard, progress: Progress) -> Path:
    target = model_dir(record.id) / record.revision
    complete = prepared.is_complete(target)
    identity = Identity(record.id, "", record.source)
    if record.source.kind is SourceKind.HUB:
        if complete:
            return target
        made = prepared.prepare_hub(identity, hub.look_up(record.source.location, record.revision), progress)
    else:
        path = Path(record.source.location)
        if complete and not path.exists():
            return target  # unpacked weights stand on their own
        made = _prepare_local(identity, path, progress)
    if made != target or card.revision != made.name:
        _remember(Added(record.id, record.given, record.source, made.name), made)
        if record.source.kind is SourceKind.FOLDER and made != target:
            shutil.rmtree(target, ignore_errors=True)  # its links show the new content under the old revision
    return made


def _prepare_local(identity: Identity, path: Path, progress: Progress) -> Path:
    prepared.require_path(path)
    if identity.source.kind is SourceKind.GGUF:
        return prepared.prepare_gguf(identity, path, prepared.gguf_revision(path, progress), progress)
    return prepared.prepare_folder(identity, path, prepared.folder_revision(path, progress), progress)


def _remember(added: Added, target: Path) -> ModelCard:
    card = read_card(target)
    write_card(model_dir(added.id), card)
    write_record(added)
    return card


def _read_source(given: str) -> Source:
    if not given:
        raise InvalidInput(
            "No source was given.", next_step="Write owner/name of a hub model, a folder or a .gguf path."
        )
    try:
        path = Path(given).expanduser()
        exists = path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelNotFound(f"{given!r} is not a path: {error}.", next_step="Check the path.") from error
    looks_like_path = given.startswith((".", "/", "~", "\\")) or "\\" in given or path.suffix == ".gguf"
    if not exists and not looks_like_path and hub.HUB_ID.fullmatch(given):
        return Source(SourceKind.HUB, given)
    path = prepared.require_path(path).resolve()
    if path.is_dir():
        return Source(SourceKind.FOLDER, str(path))
    if path.suffix == ".gguf":
        return Source(SourceKind.GGUF, str(path))
    raise ModelRefused(
        f"{path} is neither a folder nor a .gguf file.",
        allowed="A hub id owner/name, a folder with config.json and model.safetensors, or a .gguf file.",
        next_step="For a .safetensors file, add the folder it is in.",
    )


def _choose_id(source: Source, asked: str | None) -> str:
    taken = {record.id: record.source for record in all_records()} | {
        builtin.id: Source(SourceKind.PACKAGE, builtin.package) for builtin in BUILTINS
    }
    if asked is not None:
        if taken.get(check_id(asked), source) != source:
            raise InvalidInput(
                f"The id {asked!r} already names another model.",
                next_step="Choose another id, or remove that model first.",
            )
        return asked
    for known, held in taken.items():
        if held == source:
            return known
    name = source.location.partition("/")[2] if source.kind is SourceKind.HUB else Path(source.location).name
    base = suggest_id(name.removesuffix(".gguf"))
    owned = suggest_id(source.location.replace("/", "-")) if source.kind is SourceKind.HUB else base
    candidates = [base, owned, *(f"{owned[:76]}-{number}" for number in range(2, 1000))]
    return next(candidate for candidate in candidates if candidate not in taken)
