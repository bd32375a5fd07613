"""The route that streams an ONNX bundle: only with the page's own ticket, and whole."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.models import catalogue
from core.onnx.exports import find_export
from pages import bundle_route


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[bundle_route.route("gw")]))


def test_the_bundle_comes_as_a_zip(tiny_home: Path, client: TestClient) -> None:
    export = find_export(catalogue.get("tiny"), "fp32", "cpu")
    assert export is not None
    answer = client.get(bundle_route.bundle_address("gw", export))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="tiny-onnx-fp32-cpu.zip"'
    assert "content-length" not in answer.headers  # streamed: it is not made first
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert bundle.testzip() is None
        whole = bundle.read("tiny-onnx-fp32-cpu/model.onnx")
    assert whole == (export.path / "model.onnx").read_bytes()


def test_a_ticket_is_for_one_export_alone(tiny_home: Path, client: TestClient) -> None:
    export = find_export(catalogue.get("tiny"), "fp32", "cpu")
    assert export is not None
    address = bundle_route.bundle_address("gw", export)
    path, _, ticket = address.partition("?ticket=")
    for wrong in (path, f"{path}?ticket=", f"{path}?ticket={'0' * 64}", address.replace("cpu-fp32", "cpu-int8")):
        refused = client.get(wrong)
        assert refused.status_code == 403, wrong
        assert "open the Models page again" in refused.text
    assert client.get(f"{path}?ticket={ticket}").status_code == 200


def test_an_export_that_went_away_is_told(tiny_home: Path, client: TestClient) -> None:
    export = find_export(catalogue.get("tiny"), "fp32", "cpu")
    assert export is not None
    address = bundle_route.bundle_address("gw", export)
    real = export.path.resolve()
    assert real.is_dir()
    export.path.unlink()  # a link here, to what the tests share
    answer = client.get(address)
    assert (answer.status_code, answer.text) == (404, "That export is not here any more.")
    assert real.is_dir()
