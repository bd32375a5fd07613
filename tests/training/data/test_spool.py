"""Uploads are kept at once, under safe names, whole or not at all."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from core.errors import InvalidInput, StorageError
from core.training.data.spool import PIECE_BYTES, receive, safe_name, sweep


def test_an_upload_is_kept_in_pieces(home: Path) -> None:
    sizes: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            sizes.append(size or -1)
            return super().read(size)

    content = bytes(range(256)) * 40_000  # 10 MB
    path = receive("Rows of May.csv", Watched(content))
    assert path.parent.parent == home / "datasets"
    assert path.name == "Rows of May.csv"
    assert path.read_bytes() == content
    assert set(sizes) == {PIECE_BYTES}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\rows.csv", "rows.csv"),
        ("a<b>:|?*.jsonl", "a_b_____.jsonl"),
        (".hidden", "hidden"),
        ("...", "data"),
        ("", "data"),
        ("größe 7.csv", "größe 7.csv"),
        ("x" * 300 + ".parquet", "x" * 113 + ".parquet"),
        ("nul\0.csv", "nul_.csv"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_two_uploads_of_one_name_are_two_files(home: Path) -> None:
    one, two = receive("rows.csv", io.BytesIO(b"1")), receive("rows.csv", io.BytesIO(b"2"))
    assert (one.read_bytes(), two.read_bytes()) == (b"1", b"2")


def test_an_empty_upload_is_refused_and_not_kept(home: Path) -> None:
    with pytest.raises(InvalidInput, match=r"rows\.csv is empty"):
        receive("rows.csv", io.BytesIO(b""))
    assert not list((home / "datasets").glob("*/"))


def test_a_full_disk_is_told_and_nothing_is_left(home: Path) -> None:
    class Full(io.BytesIO):
        """Stands for a disk: the second piece does not fit."""

        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().read(size)

    with pytest.raises(StorageError, match="disk is full"):
        receive("rows.csv", Full(bytes(PIECE_BYTES + 1)))
    assert not list((home / "datasets").glob("*/"))


def test_a_file_that_may_not_grow_is_told_by_the_system_itself(home: Path) -> None:
    """A real write that fails: the process may write files of 1 MB at most."""
    resource = pytest.importorskip("resource")
    import signal

    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            receive("rows.csv", io.BytesIO(bytes(3_000_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list((home / "datasets").glob("*/"))


def test_old_uploads_are_swept_but_those_in_use(home: Path) -> None:
    used, old, new = (receive(f"{name}.csv", io.BytesIO(b"x")) for name in ("used", "old", "new"))
    for path in (used, old):
        os.utime(path.parent, (0, 0))
    assert sweep(used=[used]) == 1
    assert [path.is_file() for path in (used, old, new)] == [True, False, True]
    assert sweep() == 1
    assert not used.exists()
