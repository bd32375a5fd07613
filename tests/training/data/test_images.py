"""Images: zips and folders, and all that can be wrong with them."""

from __future__ import annotations

import errno
import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from core.errors import InvalidInput, StorageError
from core.training.data import images
from core.training.data.images import read_images


def picture(shade: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 10, 20)).save(out, kind)
    return out.getvalue()


def zipped(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


CATS_AND_MICE = {f"{kind}/{i}.png": picture(i * 10 + len(kind)) for kind in ("cat", "mouse") for i in (1, 2)}


@pytest.mark.parametrize("prefix", ["", "dataset/", "a/b/"])
def test_a_folder_for_each_class_wherever_it_begins(tmp_path: Path, prefix: str) -> None:
    members = {prefix + name: content for name, content in CATS_AND_MICE.items()}
    frame, findings = read_images(zipped(tmp_path, members), tmp_path / "out")
    assert list(frame["label"]) == ["cat", "cat", "mouse", "mouse"]
    assert list(frame["row"]) == [1, 2, 3, 4]
    assert findings == ()
    assert (tmp_path / "out" / frame["image"][0]).read_bytes() == CATS_AND_MICE["cat/1.png"]


def test_folders_of_a_split_are_no_classes(tmp_path: Path) -> None:
    members = {f"{part}/{name}": content for part in ("train", "test") for name, content in CATS_AND_MICE.items()}
    frame, _ = read_images(zipped(tmp_path, members), tmp_path / "out")
    assert sorted(set(frame["label"])) == ["cat", "mouse"]


def test_a_folder_is_read_like_a_zip(tmp_path: Path) -> None:
    for name, content in CATS_AND_MICE.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in" / "cat" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "in" / "cat" / "link.png").symlink_to("/etc/hostname")
    frame, findings = read_images(tmp_path / "in", tmp_path / "out")
    assert len(frame) == 4
    assert findings == ()


def test_every_bad_file_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    whole = picture(99)
    members = CATS_AND_MICE | {
        "cat/cut.png": whole[: len(whole) // 2],
        "cat/text.jpg": b"hello",
        "cat/notes.txt": b"hello",
        "cat/vector.svg": b"<svg/>",
        "lonely.png": whole,
        "__MACOSX/cat/._1.png": b"x",
    }
    frame, findings = read_images(zipped(tmp_path, members), tmp_path / "out")
    assert len(frame) == 4
    told = {finding.told for finding in findings}
    assert "2 files left out, broken: cat/cut.png, cat/text.jpg." in told
    assert "2 files left out, no image: cat/notes.txt, cat/vector.svg." in told
    assert "1 file left out, outside of a class's folder: lonely.png." in told


def test_the_kind_of_an_image_is_its_contents(tmp_path: Path) -> None:
    frame, _ = read_images(zipped(tmp_path, {"a/x.png": picture(1, "JPEG"), "b/y.jpg": picture(2)}), tmp_path / "out")
    assert [Path(name).suffix for name in frame["image"]] == [".jpg", ".png"]


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/etc/evil.png", "cat/../../evil.png", "..\\evil.png", "C:\\evil.png"]
)
def test_a_name_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="points outside"):
        read_images(zipped(tmp_path, {"cat/1.png": picture(1), name: picture(2)}), tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("evil*"))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LARGEST_ALL", 1_000_000)
    with pytest.raises(InvalidInput, match="unpacks to"):
        read_images(zipped(tmp_path, {"a/x.png": bytes(2_000_000), "b/y.png": picture(1)}), tmp_path / "out")
    monkeypatch.setattr(images, "MOST_FILES", 3)
    with pytest.raises(InvalidInput, match="more than 3 files"):
        read_images(zipped(tmp_path, CATS_AND_MICE), tmp_path / "out")


def test_an_archive_that_lies_about_a_size_is_not_believed(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"a/x.png": picture(1) + bytes(100_000), "b/y.png": picture(2)})
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = struct.pack("<I", 10)  # its size once unpacked
    path.write_bytes(bytes(raw))
    frame, findings = read_images(path, tmp_path / "out")
    assert list(frame["label"]) == ["b"]
    assert "a/x.png" in findings[0].told


def test_a_picture_of_too_many_pixels_is_left_out(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    huge = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")
    frame, findings = read_images(zipped(tmp_path, CATS_AND_MICE | {"cat/huge.png": huge}), tmp_path / "out")
    assert len(frame) == 4
    assert "cat/huge.png" in findings[0].told


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and no more"])
def test_what_is_no_zip_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.zip"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="no whole zip archive"):
        read_images(path, tmp_path / "out")


def test_no_file_and_no_image_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_images(tmp_path / "nothing.zip", tmp_path / "out")
    with pytest.raises(InvalidInput, match=r"no image in a class's folder.*a/x.txt"):
        read_images(zipped(tmp_path, {"a/x.txt": b"x"}), tmp_path / "out")


def test_a_cut_archive_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path, CATS_AND_MICE)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InvalidInput, match="no whole zip archive"):
        read_images(path, tmp_path / "out")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = zipped(tmp_path, CATS_AND_MICE)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="disk is full"):
        read_images(path, tmp_path / "out")
