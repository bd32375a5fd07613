"""A home of its own for every test, so that none finds what another left or what the developer has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from core import __main__ as cli
from core.settings import reload_settings
from core.store.database import Database, close_databases, open_database
from tests.real_models import link, link_real_models

# The same examples in every run, however busy the machine is: a test fails for what it tests.
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("steady")

Call = Callable[..., tuple[int, str, str]]
TINY = "tiny"  # 262 tokens, two layers, a context of 256, random weights


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """GROUNDWORK_HOME, empty. Settings and open databases are forgotten before and after."""
    monkeypatch.setenv("GROUNDWORK_HOME", str(tmp_path))
    monkeypatch.setenv("GROUNDWORK_DATABASE_URL", "")  # wins over DATABASE_URL and over a .env file
    close_databases()
    reload_settings()
    yield tmp_path
    close_databases()
    reload_settings()


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves its script as `__main__`, which a process that a later test spawns would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture
def db(home: Path) -> Database:
    """A fresh SQLite record in the home folder."""
    return open_database()


@pytest.fixture
def real_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's home with the real SmolLM2, prepared and exported in int8 and fp32 for the CPU. Make nothing there."""
    monkeypatch.setenv("GROUNDWORK_DEVICE", "cpu")
    reload_settings()
    return link_real_models(home)


@pytest.fixture(scope="session")
def tiny_shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the model TINY and its fp32 export. Read only."""
    from core.models import catalogue
    from core.onnx.exports import ensure_export
    from tests.models import tiny

    folder = tmp_path_factory.mktemp("tiny-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUNDWORK_HOME", str(folder))
        reload_settings()
        catalogue.add(str(tiny.save_llama(folder / "source", hidden=64, context=256)), model_id=TINY)
        ensure_export(TINY, precision="fp32", device="cpu")
    reload_settings()
    return folder


@pytest.fixture
def tiny_home(tiny_shared_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's home with the model TINY. Its exports are the test's own to make, but for fp32."""
    monkeypatch.setenv("GROUNDWORK_DEVICE", "cpu")
    reload_settings()
    link(tiny_shared_home / "models", home / "models")
    for export in (tiny_shared_home / "exports" / TINY).glob("*/cpu-fp32"):
        target = home / "exports" / TINY / export.parent.name
        target.mkdir(parents=True)
        link(export, target / "cpu-fp32")
    return home


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """(exit status, stdout, stderr) of a command, in this process for speed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["core", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run
