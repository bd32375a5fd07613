"""A real Ray cluster on this machine: a `ray start` for each node, with room for one worker. Nothing is left of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1", "RAY_DEDUP_LOGS": "1"}


class LocalCluster:
    """address: of its dashboard. Each node is a session of processes of its own, which is killed as a whole."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="gw-ray-")  # short: sockets lie in it, whose paths must be
        self._port, self._dashboard = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self._dashboard}"
        self._nodes: list[subprocess.Popen[bytes]] = []
        self._gone: set[int] = set()

    def start(self) -> None:
        """The head, and one node more."""
        ports = [f"--port={self._port}", f"--dashboard-port={self._dashboard}"]
        self._start(["--head", *ports, f"--ray-client-server-port={free_port()}", f"--temp-dir={self._folder}"])
        self.add_node()

    def add_node(self) -> None:
        """Another machine, as far as Ray knows: an address of its own."""
        address = f"127.0.0.{len(self._nodes) + 1}"
        self._start([f"--address=127.0.0.1:{self._port}", f"--node-ip-address={address}"])

    def kill_last_node(self) -> None:
        """As if its plug was pulled."""
        self._kill(self._nodes[-1])

    def stop(self) -> None:
        for node in reversed(self._nodes):
            self._kill(node)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, options: list[str]) -> None:
        ray = Path(sys.executable).with_name("ray")
        environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | ENVIRONMENT
        environment["PATH"] = f"{ray.parent}{os.pathsep}{environment['PATH']}"
        room = ["--num-cpus=1", "--object-store-memory=80000000", f"--dashboard-agent-listen-port={free_port()}"]
        log = Path(self._folder) / f"start-{len(self._nodes)}.log"
        with log.open("wb") as stream:
            node = subprocess.Popen(
                [str(ray), "start", *options, *room, "--disable-usage-stats"],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self._folder,
                start_new_session=True,
            )
            self._nodes.append(node)
            if node.wait(timeout=120):
                raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-3_000:])

    def _kill(self, node: subprocess.Popen[bytes]) -> None:
        if node.pid in self._gone:
            return
        self._gone.add(node.pid)
        deadline = time.monotonic() + 20
        while (found := _session(node.pid)) and time.monotonic() < deadline:
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _session(leader: int) -> list[psutil.Process]:
    """The living processes of a session, and their children: a Ray job has a session of its own."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return list(found.values())
