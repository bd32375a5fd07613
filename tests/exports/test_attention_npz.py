from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core import artefacts
from core.errors import Cancelled, InvalidInput, StorageError
from exports.attention_npz import write_layers_npz, write_npz
from tests.exports.attentions import HOSTILE, ORIGIN, causal, subject, words

SUBJECT = subject(words(6))
SHAPE = (3, 2, 6, 6)


def layers(shape: tuple[int, ...] = SHAPE) -> Iterator[np.ndarray]:
    for layer in range(shape[0]):
        yield np.stack([causal(shape[2], layer * shape[1] + head) for head in range(shape[1])])


def test_arrays_come_back_without_a_pickle(tmp_path: Path) -> None:
    arrays = {
        "attention": np.stack(list(layers())),
        "turned": np.asfortranarray(causal(6)[:, :3]),
        "names": ["a", "bcd"],
        "objects": np.array(["x", "yz"], dtype=object),
        "count": 7,
        "nothing": np.zeros((0, 3)),
    }
    write_npz(tmp_path / "new" / "a.npz", arrays, ORIGIN, SUBJECT)
    with np.load(tmp_path / "new" / "a.npz", allow_pickle=False) as file:
        assert set(file) == {*arrays, "tokens", "ids", "origin"}
        np.testing.assert_array_equal(file["attention"], arrays["attention"])
        np.testing.assert_array_equal(file["turned"], causal(6)[:, :3])
        assert file["names"].tolist() == ["a", "bcd"]
        assert file["objects"].tolist() == ["x", "yz"]
        assert int(file["count"]) == 7
        assert file["nothing"].shape == (0, 3)
        assert file["tokens"].tolist() == list(SUBJECT.pieces)
        assert file["ids"].tolist() == list(SUBJECT.ids)
        assert json.loads(str(file["origin"]))["command"].startswith("python -m core attend")
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["a.npz"]


def test_awkward_pieces_keep_their_places() -> None:
    file = io.BytesIO()
    write_npz(file, {}, ORIGIN, subject(HOSTILE))
    tokens = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)["tokens"].tolist()
    assert len(tokens) == len(HOSTILE)
    assert tokens[HOSTILE.index("\x00")] == "␀"  # NumPy would take it for the end of the text
    assert tokens[HOSTILE.index(" שלום")] == " שלום"


@pytest.mark.parametrize("arrays", [{"tokens": [1]}, {"a": [object()]}, {"": [1]}, {"../a": [1]}])
def test_what_only_a_pickle_could_hold_is_refused(arrays: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        write_npz(tmp_path / "a.npz", arrays, ORIGIN, SUBJECT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("compressed", [False, True])
def test_layer_by_layer_is_the_same_as_at_once(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "all.npz"
    write_layers_npz(path, layers(), SHAPE, ORIGIN, SUBJECT, arrays={"extra": [1, 2]}, compressed=compressed)
    whole = io.BytesIO()
    write_npz(whole, {"attention": np.stack(list(layers())), "extra": [1, 2]}, ORIGIN, SUBJECT)
    with np.load(path, allow_pickle=False) as file, np.load(io.BytesIO(whole.getvalue())) as other:
        assert set(file) == set(other)
        for name in other:
            np.testing.assert_array_equal(file[name], other[name])
            assert file[name].dtype == other[name].dtype


def test_half_precision_is_written_as_asked(tmp_path: Path) -> None:
    write_layers_npz(tmp_path / "a.npz", layers(), SHAPE, ORIGIN, SUBJECT, name="weights", dtype=np.float16)
    assert np.load(tmp_path / "a.npz")["weights"].dtype == np.float16


@pytest.mark.parametrize("compressed", [False, True])
def test_one_layer_is_in_memory_at_a_time(tmp_path: Path, compressed: bool) -> None:
    shape = (8, 4, 1024, 1024)  # 16 MiB a layer, 128 MiB in all
    layer_bytes = 4 * 1024 * 1024 * 4

    def made() -> Iterator[np.ndarray]:
        for layer in range(shape[0]):
            yield np.full(shape[1:], layer, np.float32)

    tracemalloc.start()
    write_layers_npz(tmp_path / "a.npz", made(), shape, ORIGIN, SUBJECT, compressed=compressed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.75 * layer_bytes  # a layer and a block, never two layers
    with np.load(tmp_path / "a.npz", mmap_mode="r") as file:
        assert file["attention"][:, 3, 1023, 1023].tolist() == list(range(8))


@pytest.mark.parametrize("shape", [(2, 2, 6, 6), (4, 2, 6, 6), (3, 2, 6, 5)])
def test_layers_that_do_not_make_the_whole_leave_no_file(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="layer"):
        write_layers_npz(tmp_path / "a.npz", layers(), shape, ORIGIN, SUBJECT)
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_export_leaves_what_was_there(tmp_path: Path) -> None:
    def stopped() -> Iterator[np.ndarray]:
        yield next(layers())
        raise Cancelled

    path = tmp_path / "a.npz"
    path.write_bytes(b"the old one")
    with pytest.raises(Cancelled):
        write_layers_npz(path, stopped(), SHAPE, ORIGIN, SUBJECT)
    assert path.read_bytes() == b"the old one"
    assert [one.name for one in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        (tmp_path / f"{name}{artefacts.PARTIAL_SUFFIX}").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="disk is full"):
        write_npz(tmp_path / "a.npz", {"a": np.random.default_rng(0).random(100_000)}, ORIGIN, SUBJECT)
    with pytest.raises(StorageError, match="disk is full"):
        write_layers_npz(tmp_path / "b.npz", layers(), SHAPE, ORIGIN, SUBJECT)
    assert list(tmp_path.iterdir()) == []
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(StorageError, match="/dev/full"):
        write_npz(full, {"a": np.random.default_rng(0).random(100_000)}, ORIGIN, SUBJECT)


def test_no_room_is_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="attention of all heads takes"):
        write_layers_npz(tmp_path / "a.npz", iter(()), (10**6, 10**3, 10**3, 10**3), ORIGIN, SUBJECT)
