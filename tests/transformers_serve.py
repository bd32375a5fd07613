"""`transformers serve` on loopback: a real server of somebody else's that speaks the OpenAI protocol."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

REVISION = "0" * 40
START_S = 300


@contextmanager
def serving(model: Path, name: str, folder: Path) -> Iterator[str]:
    """The base URL of a server that offers the model in `model` as `name` (owner/name). folder: an empty one.

    It lists what lies in the hub's cache, so the model is shown there as a hub model; by its path it would be served,
    but not listed.
    """
    shown = folder / "hub" / f"models--{name.replace('/', '--')}"
    (shown / "refs").mkdir(parents=True)
    (shown / "blobs").mkdir()
    (shown / "refs" / "main").write_text(REVISION)
    (shown / "snapshots").mkdir()
    (shown / "snapshots" / REVISION).symlink_to(model, target_is_directory=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", name, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--device", "cpu", "--dtype", "float32"]
    offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(folder / "hub"), "CUDA_VISIBLE_DEVICES": ""}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=os.environ | offline, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_S
        while not _is_healthy(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_healthy(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as told:
        return bool(told.status == 200)
    return False
