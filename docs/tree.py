"""The tree in the README: a line a file, from the files' own first lines.

`.venv/bin/python docs/tree.py` writes it; tests/test_readme.py tells when it has to be written again.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
FOLDERS = {
    "pages": "one file a page: widgets → a frozen request → one call into core or exports → a picture",
    "pages/widgets": "what a page is made of",
    "core": "the engine; knows nothing of Streamlit",
    "core/models": "which models there are, where their files come from, what they look like inside",
    "core/onnx": "a model becomes an ONNX model, and is proved to be the same model",
    "core/generation": "a request becomes tokens",
    "core/interpret": "tokens become reasons: attention, what mattered, what a knock-out changes",
    "core/training": "a dataset becomes a model: jobs, queue, checkpoints, launchers",
    "core/training/data": "from a file to rows that may be trained on",
    "core/training/data/sample_sets": "what there is to try it on",
    "core/training/evaluation": "what a trained model is worth",
    "core/training/recipes": "one readable file a recipe",
    "core/measure": "what a model does on this machine, beside what the machine could do",
    "core/estimate": "a model and a machine become seconds, bytes and dollars",
    "core/venture": "dollars become a company: revenue, margin, cash, ownership",
    "core/venture/ownership": "who owns a company, round after round, and what a sale pays to whom",
    "core/venture/examples": "invented companies and cap tables that run",
    "core/store": "what happened: schema, migrations, one repository a noun",
    "core/store/migrations": "Alembic's, one file a change of the schema",
    "exports": "what leaves the house",
    "benchmarks": "ours beside a peer, in one run, as a ratio",
}
_BLOCK = re.compile(r"(?<=## The tree\n\n```\n).*?(?=```)", re.DOTALL)


def tree() -> str:
    """The tree as text, a line for each file that holds code."""
    lines = [_line("app.py", 0)]
    for folder, words in FOLDERS.items():
        depth = folder.count("/")
        lines.append(f"{'  ' * depth}{Path(folder).name + '/':{30 - 2 * depth}}{words}")
        files = sorted((ROOT / folder).rglob("*.py") if folder.endswith("migrations") else (ROOT / folder).glob("*.py"))
        lines += [_line(str(file.relative_to(ROOT)), depth + 1) for file in files if file.name != "__init__.py"]
    lines.append(f"{'docs/decisions.md':30}what was decided, with its numbers, failures included")
    lines.append(f"{'docs/tree.py':30}this tree")
    lines.append(f"{'tests/':30}mirrors the tree; tests/browser drives a real Chromium")
    return "\n".join(lines) + "\n"


def readme_with(text: str, new_tree: str) -> str:
    """The README's text with another tree in it."""
    return _BLOCK.sub(lambda _: new_tree, text)


def _line(path: str, depth: int) -> str:
    said = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    sentence = re.split(r"(?<=[.?!]) |\n", said)[0].rstrip(".")
    name = f"{Path(path).name} "
    return f"{'  ' * depth}{name:{30 - 2 * depth}}{sentence}".rstrip()


if __name__ == "__main__":
    README.write_text(readme_with(README.read_text(encoding="utf-8"), tree()), encoding="utf-8")
