"""Where a fine-tune runs: `RayPlace`, a Ray cluster, or None, which is this machine.

It is part of a job's command, so that a job that is taken up again goes on where it was.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from core.errors import InvalidInput
from core.settings import get_settings

KIND = "ray"
MOST_WORKERS = 4_096
INSTALL = "Install it: pip install -r requirements-ray.txt"


@dataclass(frozen=True, slots=True)
class RayPlace:
    """address: of the cluster's dashboard, which takes Ray jobs, such as http://head:8265. workers: processes that
    train together. device: of the workers; auto takes GPUs if the cluster has one a worker."""

    address: str
    workers: int
    device: Literal["auto", "cpu", "cuda"] = "auto"


def ray_address() -> str:
    """What RAY_ADDRESS says; "" where no cluster is named."""
    return os.environ.get("RAY_ADDRESS", "")


def ray_place(address: str = "", workers: int = 2) -> RayPlace:
    """The cluster at an address; "": the one that RAY_ADDRESS names. Its device is what the settings wish for.

    Raises InvalidInput for what is no address of a cluster, and where Ray is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise InvalidInput("Ray is not installed here.", next_step=f"{INSTALL}.")
    found = (address or ray_address()).strip().rstrip("/")
    if not found:
        raise InvalidInput(
            "No Ray cluster was named.", next_step="Set RAY_ADDRESS to its dashboard, such as http://head:8265."
        )
    _check_address(found)
    if not 1 <= workers <= MOST_WORKERS:
        raise InvalidInput(f"{workers} workers were asked for.", allowed=f"From 1 to {MOST_WORKERS:,}.")
    return RayPlace(found, workers, get_settings().device)


def to_command(place: RayPlace) -> dict[str, Any]:
    """As it stands in a job's command."""
    return {"kind": KIND, **asdict(place)}


def place_of(command: dict[str, Any]) -> RayPlace | None:
    """Where a job with this command runs. Raises InvalidInput for a place of a kind that is unknown."""
    where = command.get("where")
    if where is None:
        return None
    if where.get("kind") != KIND:
        raise InvalidInput(f"This job wants to run on {where.get('kind')!r}.", allowed="ray, or this machine.")
    return RayPlace(where["address"], where["workers"], where["device"])


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, is_one = urlsplit(""), False
    if "@" in parts.netloc:
        raise InvalidInput(
            "The address of the Ray cluster holds a name or a password, which would be kept on record.",
            next_step="Give them in RAY_JOB_HEADERS, or as a token in RAY_AUTH_TOKEN.",
        )
    if not is_one:
        raise InvalidInput(
            f"{address!r} is no address that takes Ray jobs.",
            allowed="The cluster's dashboard, such as http://head:8265 (not port 6379, and not ray://).",
        )
