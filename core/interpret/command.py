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


def gives(*options: str) -> str:
    """What a command with these options gives, in a sentence."""
    asked = dict(zip(options[::2], options[1::2], strict=True))
    method = asked.get("--method", "attention")
    if method != "attention":
        return f"It prints the {method} to this token, from every token of the text."
    plain = "as the model has it: the options above change nothing there."
    if "--out" not in asked:
        return f"It prints what was read for this token, mean of all heads, {plain}"
    layers = f"of layer {asked['--layer']}" if "--layer" in asked else "of all layers"
    return f"It writes the attention behind this picture to {asked['--out']}: all heads {layers}, {plain}"
