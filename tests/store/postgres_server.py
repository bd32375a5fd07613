"""A throw-away PostgreSQL on loopback: found on this machine, or installed when we are root and apt-get is there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

PASSWORD = "s3cret-pässword"
ENCODED_PASSWORD = "s3cret-p%C3%A4ssword"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    port: int

    def url(self, database: str, password: str = ENCODED_PASSWORD) -> str:
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{database}"

    def fresh_url(self) -> str:
        """The address of a new, empty database."""
        name = f"groundwork_{uuid.uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Skips the test, with the reason, where there is no PostgreSQL to be had."""
    initdb, pg_ctl = _binary("initdb"), _binary("pg_ctl")
    # Not pytest's own folder: nobody but its owner may enter it, and the server must not run as root.
    folder = Path(tempfile.mkdtemp(prefix="groundwork-postgres-"))
    data, password_file = folder / "data", folder / "password"
    password_file.write_text(PASSWORD, encoding="utf-8")
    if os.getuid() == 0:
        for path in (folder, password_file):
            shutil.chown(path, "postgres")
    port = _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    try:
        _run(initdb, "-D", str(data), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password_file}",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        _run(pg_ctl, "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log"), "-o", options, "start")
        yield PostgresServer(port)
    finally:
        if (data / "postmaster.pid").exists():
            _run(pg_ctl, "-D", str(data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _binary(name: str) -> str:
    found = _find(name)
    if found is None and os.getuid() == 0 and shutil.which("apt-get"):
        quiet = {"capture_output": True, "check": False, "timeout": 300}
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], env=environment, **quiet)
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "postgresql"], env=environment, **quiet)
        found = _find(name)
    if found is None:
        pytest.skip(f"PostgreSQL's {name} is neither on PATH nor in /usr/lib/postgresql, and could not be installed")
    return found


def _find(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(installed[0]) if installed else None)


def _run(*command: str) -> None:
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    # Output goes to a file, not a pipe: the server that pg_ctl leaves behind would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run([*as_postgres, *command], stdout=output, stderr=output, cwd="/", check=False, timeout=120)
        if done.returncode:
            output.seek(0)
            raise RuntimeError(f"{command[0]} failed: {output.read().decode(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
