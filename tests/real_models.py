"""The real built-in models, prepared once for all test runs of this user and version of the product.

Preparing SmolLM2 takes 15 to 30 s on two cores, so its folder lives on below the system's temporary folder. The lock is
the product's own: test processes that start together prepare it once.
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


def shared_home() -> Path:
    """A home folder that outlives test runs; keyed by user, version and what the conversion is made of."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    made_by = [ROOT / "core/models" / name for name in ("gguf.py", "tokenizer_gguf.py", "prepared.py", "builtin.py")]
    code = hashlib.sha256(b"".join(path.read_bytes() for path in made_by)).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"groundwork-tests-{getpass.getuser()}-{version}-{code}"


def prepared_smollm2_home() -> Path:
    """A home folder in which both built-in models are prepared. Use it as GROUNDWORK_HOME; add nothing to it."""
    home = shared_home()
    script = f"from core.models import catalogue\nfor name in ({SMOLLM2!r}, {MINILM!r}):\n    catalogue.prepare(name)"
    if not all(any((home / "models" / name).glob("*/card.json")) for name in (SMOLLM2, MINILM)):
        # its own process: GROUNDWORK_HOME of this one belongs to the test that runs
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"GROUNDWORK_HOME": str(home)}, check=True
        )
    return home


def prepared_folder(model_id: str = SMOLLM2) -> Path:
    """The prepared folder of a built-in model in that home."""
    return next((prepared_smollm2_home() / "models" / model_id).glob("*/card.json")).parent
