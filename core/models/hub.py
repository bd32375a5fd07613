"""Models of a hub: looked up and judged before anything is downloaded, then fetched by commit hash.

Files go through the hub's own client one after another, into a folder that survives a cancelled or failed download, so
that the next try resumes. Only what a model needs is fetched: safetensors, configuration, tokenizer, licence.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.artefacts import Progress, folder_bytes, no_progress, require_space
from core.errors import InvalidInput, ModelNotFound, ModelRefused
from core.models.admission import admit, read_config
from core.models.cards import Task
from core.models.fit import check_memory
from core.models.folder_source import ENCODER_MARK, SMALL_FILES, check_folder
from core.models.licences import licence_of_card_data
from core.models.weights import INDEX, SINGLE, check_names, shard_names
from core.settings import get_settings

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_TIMEOUT_S = 10.0
_DISK_RESERVE_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class HubModel:
    """A repository at one commit. sizes: file name → bytes (0 where the hub does not say). parameters: as the hub
    counted them in the weights, 0 where it did not. gated: its publisher asks for consent."""

    id: str
    commit: str
    licence: str
    sizes: dict[str, int]
    parameters: int = 0
    gated: bool = False

    @property
    def download_bytes(self) -> int:
        """What adding it would fetch: weights and small files."""
        return sum(size for name, size in self.sizes.items() if name in SMALL_FILES or _is_weight(name))


@dataclass(frozen=True, slots=True)
class HubHit:
    """A row of a search. task: in the hub's terms, "" where it does not say. downloads: in the last month."""

    id: str
    task: str
    downloads: int
    gated: bool


def search(text: str, *, limit: int = 8) -> tuple[HubHit, ...]:
    """Models whose name holds `text`, the most downloaded first. Raises InvalidInput, ModelNotFound (out of reach)."""
    from huggingface_hub import HfApi

    wanted = text.strip()
    if not wanted:
        raise InvalidInput("The search is empty.", next_step="Type a part of the model's name.")
    with _explained(wanted, None):
        found = list(
            HfApi(endpoint=_endpoint(), token=_token()).list_models(search=wanted, sort="downloads", limit=limit)
        )
    return tuple(HubHit(one.id, one.pipeline_tag or "", one.downloads or 0, bool(one.gated)) for one in found)


def judge(model: HubModel) -> Task:
    """The task of a model, if it may be added; fetches its small configuration, and none of its weights.

    Raises ModelRefused (pickles, custom code, unknown architecture, too large for this machine's memory, gated),
    StorageError (for its disk), ModelNotFound.
    """
    _check_description(model)
    require_space(get_settings().home, model.download_bytes, f"{model.id} needs", reserve=_DISK_RESERVE_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        _fetch(model, ["config.json"], Path(folder), _Meter(no_progress))
        config = read_config(Path(folder) / "config.json")
    return admit(config, model.id, embeds=ENCODER_MARK in model.sizes)


def look_up(hub_id: str, revision: str | None = None) -> HubModel:
    """Ask the hub for a model. Raises ModelNotFound (none such, no access, hub out of reach), ModelRefused (gated)."""
    from huggingface_hub import HfApi

    with _explained(hub_id, revision):
        info = HfApi(endpoint=_endpoint(), token=_token()).model_info(
            hub_id, revision=revision, files_metadata=True, timeout=_TIMEOUT_S
        )
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    data: dict[str, Any] = vars(info.card_data) if info.card_data is not None else {}
    counted = info.safetensors.total if info.safetensors is not None else 0
    return HubModel(hub_id, info.sha or "", licence_of_card_data(data), sizes, counted, bool(info.gated))


def download(model: HubModel, folder: Path, progress: Progress) -> None:
    """Fetch what the model needs into `folder`. Raises ModelRefused before the weights, StorageError, ModelNotFound."""
    _check_description(model)
    small = [name for name in SMALL_FILES if name in model.sizes]
    weights = [SINGLE] if SINGLE in model.sizes else [INDEX]
    meter = _Meter(progress)
    _fetch(model, [*small, *(name for name in weights if name == INDEX)], folder, meter)
    check_folder(folder)
    if weights == [INDEX]:
        shards = shard_names(folder / INDEX)
        if lost := [name for name in shards if name not in model.sizes]:
            raise ModelRefused(
                f"The repository {model.id} lacks the shard {lost[0]} that its index names.",
                next_step="Choose another revision.",
            )
        weights = shards
    needed = sum(model.sizes[name] for name in weights)
    require_space(folder, needed - folder_bytes(folder), f"{model.id} needs", reserve=_DISK_RESERVE_BYTES)
    meter.start(needed)
    _fetch(model, weights, folder, meter)


def _is_weight(name: str) -> bool:
    return "/" not in name and (name == INDEX or (name.startswith("model") and name.endswith(".safetensors")))


def _check_description(model: HubModel) -> None:
    """Refuse what its list of files and its count of parameters give away."""
    check_names(model.sizes, f"The repository {model.id}")
    if "config.json" not in model.sizes:
        raise ModelRefused(
            f"The repository {model.id} has no config.json.", next_step="Choose a repository saved by transformers."
        )
    check_memory(model.id, model.parameters)


def _fetch(model: HubModel, names: list[str], folder: Path, meter: _Meter) -> None:
    from huggingface_hub import hf_hub_download

    for name in names:
        with _explained(model.id, model.commit):
            hf_hub_download(
                model.id,
                name,
                revision=model.commit,
                local_dir=folder,
                endpoint=_endpoint(),
                token=_token(),
                etag_timeout=_TIMEOUT_S,
                tqdm_class=meter.bar(),
            )
        meter.check()


class _Meter:
    """Turns the hub client's progress bars into one `Progress`, and its exceptions into the end of the download."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._total = 0
        self._done = 0

    def start(self, total_bytes: int) -> None:
        self._total, self._done = total_bytes, 0
        self.check()

    def check(self) -> None:
        """Report, and let `progress` raise."""
        if not self._total:
            self._progress(0.0, "Looking at the model's description")
            return
        done = min(self._done, self._total)
        self._progress(0.9 * done / self._total, f"Downloading {_megabytes(done)}/{_megabytes(self._total)} MB")

    def advance(self, count: float) -> None:
        self._done += int(count)
        self.check()

    def bar(self) -> Any:
        """A class that stands in for tqdm's, as the hub client's own aggregating bar does."""
        meter = self

        class Bar:
            def __init__(self, *args: object, **values: Any) -> None:
                if values.get("initial"):
                    meter.advance(values["initial"])

            def __enter__(self) -> Bar:
                return self

            def __exit__(self, *args: object) -> None:
                return None

            def update(self, count: float | None = 1) -> None:
                meter.advance(count or 0)

            def close(self) -> None: ...

            def update_transfer(self, count: float | None = 1) -> None: ...

            def set_postfix_str(self, postfix: str, refresh: bool = False) -> None: ...

            def set_transfer_postfix_str(self, postfix: str, refresh: bool = False) -> None: ...

        return Bar


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f}" if size >= 1e7 else f"{size / 1e6:.2f}"


def endpoint_name() -> str:
    """The hub that is asked, "" for the public one."""
    return _endpoint() or ""


def _endpoint() -> str | None:
    return get_settings().hub_endpoint.rstrip("/") or None


def _token() -> str | bool | None:
    """The configured token; else the one the hub client keeps, which is for the public hub and not for a mirror."""
    settings = get_settings()
    if settings.hub_token is not None and (secret := settings.hub_token.get_secret_value()):
        return secret
    return False if settings.hub_endpoint else None


@contextmanager
def _explained(hub_id: str, revision: str | None) -> Iterator[None]:
    """Turn the hub client's errors into the user's words."""
    from httpx2 import HTTPError
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise _gated(hub_id) from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFound(
            f"{hub_id} has no revision {revision!r}.", next_step="Name a branch, a tag or a full commit hash of it."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelNotFound(
            f"The hub has no model {hub_id!r}, or it is private.",
            next_step="Check the spelling (owner/name); for a private model set GROUNDWORK_HUB_TOKEN.",
        ) from error
    except errors.HFValidationError as error:
        raise ModelNotFound(f"{hub_id!r} is not a hub id: {error}.", next_step="Write owner/name.") from error
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise _unreachable(hub_id, error) from error
        raise ModelNotFound(f"{hub_id} lacks a file: {error}.", next_step="Choose another revision.") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise _gated(hub_id) from error
        raise _unreachable(hub_id, error) from error
    except (HTTPError, ConnectionError, errors.OfflineModeIsEnabled, json.JSONDecodeError) as error:
        raise _unreachable(hub_id, error) from error


def _gated(hub_id: str) -> ModelRefused:
    return ModelRefused(
        f"{hub_id} is gated: its publisher asks for consent, and the hub did not let us in.",
        next_step="Accept its terms on its page and make an access token; set it as GROUNDWORK_HUB_TOKEN in the "
        "environment or in a .env file, and start Groundwork again.",
    )


def _unreachable(hub_id: str, error: Exception) -> ModelNotFound:
    where = get_settings().hub_endpoint or "the model hub"
    reason = str(error).strip().splitlines()
    return ModelNotFound(
        f"{hub_id} could not be fetched: {where} did not answer ({reason[0] if reason else type(error).__name__}).",
        next_step="Check the connection, or add a folder or a .gguf file of this machine; a started download resumes.",
    )
