"""`python -m core attend`: what a model looked at, what mattered, and what changes when a part is switched off."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.artefacts import Progress
from core.errors import InvalidInput
from core.terminal import terminal_progress

if TYPE_CHECKING:
    from core.interpret.answers import Answer, Question
    from core.interpret.subject import Subject
    from core.interpret.trace import Trace


def attend(
    model: Annotated[str, typer.Option("--model", help="A model that was added, for --text.")] = "",
    text: Annotated[str, typer.Option("--text", help="The text to look into.")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="The same, from a UTF-8 file.")] = None,
    run: Annotated[str, typer.Option("--run", help="A recorded run, instead of a text.")] = "",
    method: Annotated[
        str, typer.Option(help="attention, rollout, flow, lens, grad, ig, occlusion or knockout.")
    ] = "attention",
    focus: Annotated[
        int | None, typer.Option(help="Position of the token asked about; default: the one that comes next.")
    ] = None,
    against: Annotated[str, typer.Option(help="Another token: why this one and not that one?")] = "",
    off: Annotated[
        str, typer.Option(help="For knockout: what is off, as 12.4,3.*,mlp3,token5; default: rank all.")
    ] = "",
    layer: Annotated[int | None, typer.Option(help="Write this layer's attention only.")] = None,
    last: Annotated[int | None, typer.Option(min=2, help="Look at the last so many tokens only.")] = None,
    first: Annotated[int | None, typer.Option(min=2, help="Look at the first so many tokens only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the arrays to this .npz file.")] = None,
) -> None:
    """What a model looked at in a text or a recorded run, what mattered for a token, and what a knock-out changes."""
    from core.interpret.answers import METHODS, Question
    from core.interpret.desk import Desk
    from core.models.builtin import BUILTINS

    if method not in METHODS:
        raise InvalidInput(f"There is no method {method!r}.", allowed=f"There are {', '.join(METHODS)}.")
    if out is not None and out.suffix != ".npz":
        raise InvalidInput(f"--out is {str(out)!r}.", allowed="A file that ends in .npz.")
    if sum((bool(text), file is not None, bool(run))) != 1:
        raise InvalidInput(
            "Nothing to look into, or too much of it.",
            allowed="One of --text, --file and --run.",
            next_step="Name one.",
        )
    with terminal_progress() as progress:
        subject = _cut(_subject(model or BUILTINS[0].id, text, file, run), first, last)
        found = Desk().trace(subject, progress)
        with found.opened.lock:
            question = Question(_focus(found, focus), against, off, layer)
            answer = METHODS[method](found, question, progress)
            if out is not None:
                _write(found, method, question, answer, out, progress)
    facts = _common(found, method) | answer.facts | ({"out": str(out)} if out else {})
    if as_json:
        json.dump(facts, sys.stdout, ensure_ascii=False, indent=2, default=str)
        sys.stdout.write("\n")
        return
    size = f"{found.tokens} tokens, {found.layers} layers × {found.heads} heads"
    caution = [] if method == "knockout" else ["Attention is not explanation: check it with --method knockout."]
    written = [f"Written to {out}."] if out else []
    for line in (f"{subject.model_id}, {found.opened.precision}, {size}", *answer.lines, *caution, *written):
        typer.echo(line)


def _subject(model: str, text: str, file: Path | None, run: str) -> Subject:
    from core.interpret.subject import from_run, from_text
    from core.store.database import open_database

    if run:
        return from_run(open_database(), run)
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{file} is not UTF-8: {error}.", next_step="Save it as UTF-8.") from error
    return from_text(model, text)


def _cut(subject: Subject, first: int | None, last: int | None) -> Subject:
    if first is not None and last is not None:
        raise InvalidInput("Both --first and --last were given.", next_step="Give one of them.")
    if first is not None:
        return subject.first(first)
    return subject if last is None else subject.last(min(last, len(subject.ids)))


def _focus(found: Trace, focus: int | None) -> int | None:
    from core.interpret.focus import chooser_of

    if focus is not None:
        chooser_of(found, focus)  # raises for a place that is none
    return focus


def _common(found: Trace, method: str) -> dict[str, Any]:
    subject = found.subject
    return {
        "model": subject.model_id,
        "revision": subject.revision,
        "precision": found.opened.precision,
        "run_id": subject.run_id,
        "run_precision": subject.run_precision or None,
        "method": method,
        "layers_count": found.layers,
        "heads_count": found.heads,
        "tokens": list(subject.pieces),
        "token_ids": list(subject.ids),
        "answer_start": subject.answer_start,
    }


def _write(found: Trace, method: str, question: Question, answer: Answer, out: Path, progress: Progress) -> None:
    """attention: `attention` [layer, head, query, key], a layer in memory at a time; other methods: their arrays."""
    from core.interpret.command import attend_command
    from exports.attention_npz import write_layers_npz, write_npz
    from exports.attention_origin import origin

    layers = range(found.layers) if question.layer is None else (question.layer,)
    command = attend_command(found.subject, "--method", method, "--out", out.name)
    told = origin(found.subject, precision=found.opened.precision, command=command)
    if method != "attention":
        write_npz(out, answer.arrays, told, found.subject)
        return
    if question.layer is not None:
        found.attended(question.layer)  # raises for a layer that is not there

    def each() -> Any:
        for done, layer in enumerate(layers):
            progress(done / len(layers), f"Writing layer {layer}")
            yield found.weights(layer)

    shape = (len(layers), found.heads, found.tokens, found.tokens)
    write_layers_npz(out, each(), shape, told, found.subject, arrays={**answer.arrays, "layers": list(layers)})
