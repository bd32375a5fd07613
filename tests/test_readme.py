"""The README says what is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_tree_has_a_line_for_every_file() -> None:
    spec = importlib.util.spec_from_file_location("tree", ROOT / "docs/tree.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = module.tree()
    assert module.readme_with(text, tree) == text, "run: .venv/bin/python docs/tree.py"
    for folder in ("core", "pages", "exports", "benchmarks"):
        for file in (ROOT / folder).rglob("*.py"):
            assert file.name == "__init__.py" or f" {file.name} " in tree
