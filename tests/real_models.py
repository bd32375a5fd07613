"""The real built-in models, prepared and exported once for all test runs of this user and version of the product.

Preparing SmolLM2 takes 15 to 30 s on two cores and an export about as long, so their folders live on below the system's
temporary folder. The lock is the product's own: test processes that start together make each thing once.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
SMOLLM2 = "smollm2-135m-instruct"
MINILM = "minilm-l6"
PRECISIONS = ("int8", "fp32")


def shared_home() -> Path:
    """A home folder that outlives test runs; keyed by user, version and what the conversion is made of."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    made_by = [ROOT / "core/models" / name for name in ("gguf.py", "tokenizer_gguf.py", "prepared.py", "builtin.py")]
    return Path(tempfile.gettempdir()) / f"groundwork-tests-{getpass.getuser()}-{version}-{_digest(made_by)}"


def prepared_smollm2_home() -> Path:
    """A home folder in which both built-in models are prepared. Use it as GROUNDWORK_HOME; add nothing to it."""
    home = shared_home()
    script = f"from core.models import catalogue\nfor name in ({SMOLLM2!r}, {MINILM!r}):\n    catalogue.prepare(name)"
    if not all(any((home / "models" / name).glob("*/card.json")) for name in (SMOLLM2, MINILM)):
        _run(home, "-c", script)
    return home


def prepared_folder(model_id: str = SMOLLM2) -> Path:
    """The prepared folder of a built-in model in that home."""
    return next((prepared_smollm2_home() / "models" / model_id).glob("*/card.json")).parent


def exported_smollm2_home() -> Path:
    """A home folder with the same models and SmolLM2's int8 and fp32 exports; add nothing to it.

    Keyed by the code of core/onnx too, so that a change there is proved on exports of its own making.
    """
    prepared = prepared_smollm2_home()
    made_by = [*sorted((ROOT / "core/onnx").glob("*.py")), *sorted((ROOT / "core/onnx").glob("*.txt"))]
    home = prepared.with_name(f"{prepared.name}-{_digest(made_by)}")
    home.mkdir(exist_ok=True)
    link(prepared / "models", home / "models")
    for precision in PRECISIONS:
        if not any((home / "exports" / SMOLLM2).glob(f"*/cpu-{precision}/export.json")):
            _run(home, "-m", "core", "prepare", "--precision", precision, "--device", "cpu")
    return home


def link_real_models(home: Path) -> Path:
    """Show the prepared models and exports in an empty home, whose record stays a test's own."""
    real = exported_smollm2_home()
    for name in ("models", "exports"):
        link(real / name, home / name)
    return home


def link(source: Path, target: Path) -> None:
    """A link, whoever makes it first."""
    if not target.is_symlink():
        try:
            target.symlink_to(source, target_is_directory=True)
        except FileExistsError:
            if not target.is_symlink():
                raise


def _run(home: Path, *arguments: str) -> None:
    # its own process: GROUNDWORK_HOME of this one belongs to the test that runs
    environment = os.environ | {"GROUNDWORK_HOME": str(home), "GROUNDWORK_DEVICE": "cpu"}
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]
