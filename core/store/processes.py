"""Which process does a piece of work, and whether it still lives. A pid alone will not do: pids are used again."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from core.store.columns import utc_now

HEARTBEAT_LIMIT_S = 120.0
"""A process on another host is taken for dead after this silence."""
START_TOLERANCE_S = 2.0
"""A process's start time is counted from the boot time, which moves a little when the clock is set."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process of one machine."""

    host: str
    pid: int
    started_at: datetime


def identify(pid: int | None = None) -> ProcessIdentity:
    """The identity of a process of this machine (None: of this one). A process that is gone counts as started now."""
    pid = os.getpid() if pid is None else pid
    return ProcessIdentity(socket.gethostname(), pid, _started_at(pid) or utc_now())


def is_dead(identity: ProcessIdentity, heartbeat_at: datetime) -> bool:
    """Whether the process is gone: on this host by its pid and start time, on another by its silence."""
    if identity.host != socket.gethostname():
        return (utc_now() - heartbeat_at).total_seconds() > HEARTBEAT_LIMIT_S
    started_at = _started_at(identity.pid)
    return started_at is None or abs((started_at - identity.started_at).total_seconds()) > START_TOLERANCE_S


def _started_at(pid: int) -> datetime | None:
    """None when there is no such process, or only its corpse (killed, and not yet reaped by its parent)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return datetime.fromtimestamp(process.create_time(), UTC)
    except psutil.NoSuchProcess:
        return None
