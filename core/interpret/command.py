"""The command line that repeats a look inside: for exports, and for whoever wants the numbers elsewhere."""

from __future__ import annotations

import shlex

from core.interpret.subject import Subject

LONGEST = 2_000  # characters of a text in a command; a longer one is given as a file


def attend_command(subject: Subject, *options: str) -> str:
    """`python -m core attend …` for this text, with further options."""
    if subject.run_id is not None:
        what = ["--run", subject.run_id]
    else:
        text = subject.text
        what = ["--model", subject.model_id, *(["--text", text] if len(text) <= LONGEST else ["--file", "TEXT.txt"])]
    return shlex.join(["python", "-m", "core", "attend", *what, *options])
