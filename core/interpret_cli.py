"""`python -m core attend`: what a model looked at, what mattered, and what changes when a part is switched off."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.artefacts import Progress
from core.errors import InvalidInput
from core.terminal import terminal_progress

if TYPE_CHECKING:
    from core.interpret.subject import Subject
    from core.interpret.trace import Trace

SHOWN = 10  # tokens or heads in the text output


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a text. focus: position of the token (None: what would come next). against: another token's
    text, to set against it. off: what is switched off. layer: of the arrays (None: all)."""

    focus: int | None = None
    against: str = ""
    off: str = ""
    layer: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """facts: for JSON. lines: for a reader. arrays: for the NPZ file."""

    facts: dict[str, Any]
    lines: tuple[str, ...]
    arrays: Mapping[str, Any]


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


def _position(found: Trace, question: Question) -> int:
    if question.focus is not None:
        return question.focus
    return found.tokens if found.subject.causal else found.tokens - 1


def _piece(found: Trace, position: int) -> str:
    return found.subject.pieces[position] if position < found.tokens else "(next)"


# ── methods ──


def _attention(found: Trace, question: Question, progress: Progress) -> Answer:
    from core.interpret.focus import chooser_of, focus_row
    from core.interpret.overview import overview

    position = _position(found, question)
    seen = overview(found, progress=progress)
    row = focus_row(found, chooser_of(found, position), position=position)
    heads = [
        {
            "layer": layer,
            "head": head,
            "kind": seen.kind(layer, head),
            "first_token": float(seen.first_token[layer, head]),
            "previous_token": float(seen.previous_token[layer, head]),
            "own_token": float(seen.own_token[layer, head]),
            "entropy_bits": float(seen.entropy[layer, head]),
            "distance_tokens": float(seen.distance[layer, head]),
        }
        for layer in range(found.layers)
        for head in range(found.heads)
    ]
    facts = {"position": position, "query": row.query, "weights": row.mean().tolist(), "heads": heads}
    lines = (f"What {_piece(found, position)!r} was chosen from (mean of all heads):", *_top(found, row.mean()))
    return Answer(facts, lines, {"focus_weights": row.weights})


def _rollout(found: Trace, question: Question, progress: Progress) -> Answer:
    from core.interpret.focus import chooser_of
    from core.interpret.rollout import rollout

    square = rollout(found, progress)
    position = _position(found, question)
    row = square[chooser_of(found, position)]
    facts = {"position": position, "query": chooser_of(found, position), "scores": row.tolist()}
    return Answer(facts, (f"Rollout to {_piece(found, position)!r}:", *_top(found, row)), {"rollout": square})


def _flow(found: Trace, question: Question, progress: Progress) -> Answer:
    from core.interpret.flow import flow_row
    from core.interpret.focus import chooser_of

    position = _position(found, question)
    row = flow_row(found, chooser_of(found, position), progress)
    facts = {"position": position, "query": chooser_of(found, position), "scores": row.tolist()}
    return Answer(facts, (f"Flow to {_piece(found, position)!r}:", *_top(found, row)), {"flow": row})


def _lens(found: Trace, question: Question, progress: Progress) -> Answer:
    from core.interpret.lens import lens

    told = lens(found, _position(found, question))
    names = ["embeddings", *(f"layer {layer}" for layer in range(len(told.ranks) - 1))]
    rows = [
        {
            "after": names[row],
            "probability": float(told.probabilities[row]),
            "rank": int(told.ranks[row]),
            "top": [{"token": one.piece, "probability": one.after} for one in told.top[row]],
        }
        for row in range(len(told.ranks))
    ]
    lines = [f"{told.piece!r} after each layer: its rank, its probability, and the layer's own choice"]
    lines += [
        f"  {row['after']:12} {row['rank']:>7,} {row['probability']:8.2%}  {told.top[number][0].piece!r}"
        for number, row in enumerate(rows)
    ]
    facts = {"position": told.position, "token_id": told.token_id, "token": told.piece, "layers": rows}
    arrays = {"probabilities": told.probabilities, "ranks": told.ranks, "logprobs": told.logprobs}
    return Answer(facts, tuple(lines), arrays)


def _attribution(method: str) -> Callable[[Trace, Question, Progress], Answer]:
    def run(found: Trace, question: Question, progress: Progress) -> Answer:
        from core.interpret.attribution import attribute
        from core.interpret.target import default_target

        target = default_target(found, question.focus)
        if question.against:
            target = _against(found, target, question.against)
        made = attribute(found, target, method, progress)
        token = found.opened.tokenizer.token_text(target.token_id) if target.kind in ("next", "masked") else target.kind
        facts = {
            "position": target.position,
            "kind": target.kind,
            "token_id": target.token_id,
            "token": token,
            "against": target.against,
            "scores": made.scores.tolist(),
            "completeness": made.completeness,
            "steps": made.steps,
            "told": made.told,
        }
        return Answer(facts, (f"{made.told} For {token!r}:", *_top(found, made.scores)), {"scores": made.scores})

    return run


def _against(found: Trace, target: Any, against: str) -> Any:
    from core.interpret.asked_token import token_named
    from core.interpret.target import masked_token, next_token

    makers = {"next": next_token, "masked": masked_token}
    if target.kind not in makers:
        raise InvalidInput(
            f"--against is {against!r}, and {found.opened.card.id} predicts no tokens.", next_step="Leave it out."
        )
    other = token_named(found.opened.tokenizer, against)
    return makers[target.kind](found, target.position, target.token_id, other)


def _knockout(found: Trace, question: Question, progress: Progress) -> Answer:
    return _switched_off(found, question, progress) if question.off else _ranked(found, question, progress)


def _switched_off(found: Trace, question: Question, progress: Progress) -> Answer:
    from core.interpret.edits import parse_edits
    from core.interpret.knockout import effect, embedding_effect

    edits = parse_edits(question.off, layers=found.layers, heads=found.heads, tokens=found.tokens)
    words = edits.words(found.subject.pieces, found.heads)
    if not found.opened.writes_logits:
        change = embedding_effect(found, edits, progress)
        facts = {"off": edits.format(found.heads), "cosine": change.mean, "token_cosines": change.tokens.tolist()}
        return Answer(
            facts, (f"{words}: cosine to the text's embedding {change.mean:.4f}",), {"cosines": change.tokens}
        )
    made = effect(found, edits, _position(found, question), progress)
    rows = [{"token_id": o.token_id, "token": o.piece, "before": o.before, "after": o.after} for o in made.candidates]
    facts = {
        "off": edits.format(found.heads),
        "position": made.position,
        "target": made.target.piece,
        "logprob_before": made.target_logprob_before,
        "logprob_after": made.target_logprob_after,
        "kl": made.kl,
        "candidates": rows,
    }
    lines = [f"{words}; KL {made.kl:.3g} nats"]
    lines += [f"  {one.piece!r:20} {one.before:8.2%} → {one.after:8.2%}" for one in made.candidates[:SHOWN]]
    before, after = ([getattr(one, name) for one in made.candidates] for name in ("before", "after"))
    ids = [one.token_id for one in made.candidates]
    return Answer(facts, tuple(lines), {"token_ids": ids, "before": before, "after": after})


def _ranked(found: Trace, question: Question, progress: Progress) -> Answer:
    from core.interpret.asked_token import token_named
    from core.interpret.ranking import rank_heads

    position = _position(found, question) if found.opened.writes_logits else None
    other = token_named(found.opened.tokenizer, question.against) if question.against else None
    made = rank_heads(found, position, against=other, progress=progress)
    best = [
        {"layer": layer, "head": head, "change": float(made.heads[layer, head]), "kl": float(made.kl[layer, head])}
        for layer, head in made.strongest(found.layers * found.heads)
    ]
    facts = {"position": position, "measure": made.asked.measure, "heads": best, "mlps": made.mlps.tolist()}
    lines = [f"Change of the {made.asked.measure} when one head is switched off:"]
    lines += [f"  layer {one['layer']:>2}, head {one['head']:>2}  {one['change']:+.4f}" for one in best[:SHOWN]]
    arrays = {"heads": made.heads, "kl": made.kl, "mlps": made.mlps, "mlp_kl": made.mlp_kl}
    return Answer(facts, tuple(lines), arrays)


METHODS: dict[str, Callable[[Trace, Question, Progress], Answer]] = {
    "attention": _attention,
    "rollout": _rollout,
    "flow": _flow,
    "lens": _lens,
    "grad": _attribution("grad"),
    "ig": _attribution("ig"),
    "occlusion": _attribution("occlusion"),
    "knockout": _knockout,
}


# ── output ──


def _top(found: Trace, scores: Any) -> list[str]:
    """The tokens with the largest scores, either way."""
    order = sorted(range(len(scores)), key=lambda place: -abs(float(scores[place])))[:SHOWN]
    return [f"  {place:>5}  {found.subject.pieces[place]!r:20} {float(scores[place]):+.4f}" for place in order]


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
