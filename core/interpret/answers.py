"""What `python -m core attend` answers, method by method: facts for JSON, lines for a reader, arrays for a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.artefacts import Progress
from core.errors import InvalidInput
from core.interpret.asked_token import token_named
from core.interpret.attribution import attribute
from core.interpret.edits import parse_edits
from core.interpret.flow import flow_row
from core.interpret.focus import chooser_of, focus_row
from core.interpret.knockout import effect, embedding_effect
from core.interpret.lens import lens
from core.interpret.overview import overview
from core.interpret.ranking import rank_heads
from core.interpret.rollout import rollout
from core.interpret.target import Target, default_target, masked_token, next_token
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


def _position(found: Trace, question: Question) -> int:
    if question.focus is not None:
        return question.focus
    return found.tokens if found.subject.causal else found.tokens - 1


def _piece(found: Trace, position: int) -> str:
    return found.subject.pieces[position] if position < found.tokens else "(next)"


def _attention(found: Trace, question: Question, progress: Progress) -> Answer:

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

    square = rollout(found, progress)
    position = _position(found, question)
    row = square[chooser_of(found, position)]
    facts = {"position": position, "query": chooser_of(found, position), "scores": row.tolist()}
    return Answer(facts, (f"Rollout to {_piece(found, position)!r}:", *_top(found, row)), {"rollout": square})


def _flow(found: Trace, question: Question, progress: Progress) -> Answer:

    position = _position(found, question)
    row = flow_row(found, chooser_of(found, position), progress)
    facts = {"position": position, "query": chooser_of(found, position), "scores": row.tolist()}
    return Answer(facts, (f"Flow to {_piece(found, position)!r}:", *_top(found, row)), {"flow": row})


def _lens(found: Trace, question: Question, progress: Progress) -> Answer:

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


def _against(found: Trace, target: Target, against: str) -> Target:

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


def _top(found: Trace, scores: Any) -> list[str]:
    """The tokens with the largest scores, either way."""
    order = sorted(range(len(scores)), key=lambda place: -abs(float(scores[place])))[:SHOWN]
    return [f"  {place:>5}  {found.subject.pieces[place]!r:20} {float(scores[place]):+.4f}" for place in order]
