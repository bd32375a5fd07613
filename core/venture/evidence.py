"""What the product itself holds that a risk can rest on: licences, privacy scans, subgroup gaps, attribution.

An item says what was found, good or bad, and where it is from; it is no opinion on whether that is enough. What is
damaged or gone is left out here and told as missing where it was tied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.errors import CorruptFile
from core.models import catalogue
from core.models.licences import UNKNOWN
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from core.store.model_use import ModelUse, models_in_use
from core.store.readings import ReadingRepository
from core.training.config import base_model
from core.training.evaluation.report import EvaluationReport, GroupRow
from core.training.queue import KIND
from core.training.run_folder import RunFolder
from core.venture.risks import TOPICS, EvidenceKind, EvidenceSpec, RiskSpec, Topic

Says = Literal["clear", "look", "unknown"]
KINDS: dict[EvidenceKind, str] = {
    "model_licence": "Licence of a model in use",
    "privacy_scan": "Privacy scan of a fine-tune's data",
    "subgroup_gaps": "Subgroup gaps of a fine-tune",
    "attribution": "A text looked into on the Attention page",
    "link": "Link",
    "note": "Note",
}
FOR: dict[Topic, tuple[EvidenceKind, ...]] = {
    "privacy": ("privacy_scan",),
    "security": (),
    "licences": ("model_licence",),
    "fairness": ("subgroup_gaps",),
    "transparency": ("attribution",),
    "law": ("subgroup_gaps", "attribution", "privacy_scan"),
    "supplier": ("model_licence",),
    "talent": (),
}
"""What the product can hold on a topic; () where only links and notes can be given."""

_SCANNED = ("chat", "text", "labelled")  # kinds of data in which personal data is looked for
_DONE = {"mask": "masked before training", "drop": "their rows left out"}
_MOST_RUNS, _MOST_READINGS = 500, 200
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Evidence:
    """id: of the model, the fine-tune's job or the reading. says: clear, look (something is to be seen to) or unknown
    (it exists and does not answer)."""

    kind: EvidenceKind
    id: str
    label: str
    detail: str
    at: datetime | None
    says: Says = "clear"


@dataclass(frozen=True, slots=True)
class Tie:
    """One piece of evidence of a risk. held: what it is today; None for links and notes, and when it is gone.
    missing: the product held it once, and does no more."""

    spec: EvidenceSpec
    held: Evidence | None
    missing: bool


def held(db: Database) -> tuple[Evidence, ...]:
    """Everything there is, by kind, the newest first."""
    jobs = _done(db)
    return (
        *_licences(models_in_use(db), jobs),
        *(one for job in jobs if (one := _privacy(job))),
        *(one for job in jobs if (one := _gaps(job))),
        *_readings(db),
    )


def unlicensed(db: Database) -> tuple[str, ...]:
    """Models in use of which no licence is known: not in the catalogue (any more), or their files do not say."""
    cards = catalogue.list_models()
    licences = {name: card.licence for card in cards for name in (card.source.location, card.id)}
    used = [*(one.model_id for one in models_in_use(db)), *(base for job in _done(db) if (base := _base(job)))]
    return tuple(name for name in dict.fromkeys(used) if licences.get(name, UNKNOWN) == UNKNOWN)


def ties(risk: RiskSpec, found: Iterable[Evidence]) -> tuple[Tie, ...]:
    """What a risk rests on, with what it is today."""
    by_id = {(one.kind, one.id): one for one in found}
    own = [(spec, by_id.get((spec.kind, spec.id))) for spec in risk.evidence]
    return tuple(Tie(spec, here, here is None and spec.kind not in ("link", "note")) for spec, here in own)


def rests_on_something(risk: RiskSpec, found: Iterable[Evidence]) -> bool:
    """Whether any of its evidence is still there. A note in its own words is none."""
    return any(not tie.missing and tie.spec.kind != "note" for tie in ties(risk, found))


def without_evidence(risks: Sequence[RiskSpec], found: Sequence[Evidence]) -> tuple[RiskSpec, ...]:
    """Those that are not closed and rest on nothing, the heaviest first."""
    bare = [one for one in risks if one.status != "closed" and not rests_on_something(one, found)]
    return tuple(sorted(bare, key=lambda one: (-one.weight, one.title)))


def bare_topics(risks: Sequence[RiskSpec], found: Sequence[Evidence]) -> tuple[Topic, ...]:
    """Topics of which no item rests on evidence, or that have no item at all."""
    covered = {one.topic for one in risks if rests_on_something(one, found)}
    return tuple(topic for topic in TOPICS if topic not in covered)


def _licences(used: Sequence[ModelUse], jobs: Sequence[JobRecord]) -> Iterator[Evidence]:
    """Of every model of the catalogue that a run, a measurement, a reading or a fine-tune used."""
    uses = {one.model_id: one for one in used}
    bases = {_base(job) for job in jobs}
    for card in catalogue.list_models():
        use = uses.get(card.id)
        if use is None and bases.isdisjoint((card.id, card.source.location)):
            continue
        told = f"{use.times:,} recorded uses" if use else "base of a fine-tune"
        known = card.licence != UNKNOWN
        detail = f"{card.source.location}, revision {card.revision[:12]}; {told}"
        label = f"{card.title}: {card.licence if known else 'its files name no licence'}"
        says: Says = "clear" if known else "unknown"
        yield Evidence("model_licence", card.id, label, detail, use.last if use else None, says)


def _privacy(job: JobRecord) -> Evidence | None:
    """The scan of the rows that a fine-tune learned from; None for data that is not scanned."""
    try:
        record = RunFolder(job.id).data_record()
    except CorruptFile:
        return None
    if record is None or record.kind not in _SCANNED:
        return None
    rows = f"{record.rows:,} rows of {record.source}"
    if not record.privacy:
        return Evidence("privacy_scan", job.id, f"{job.title}: nothing found", rows, job.finished_at)
    told = ", ".join(f"{one.count:,} × {one.kind}" for one in record.privacy)
    after = _DONE.get(record.privacy_done, "kept, and learned from")
    says: Says = "look" if record.privacy_done == "keep" else "clear"
    return Evidence("privacy_scan", job.id, f"{job.title}: {told}; {after}", rows, job.finished_at, says)


def _gaps(job: JobRecord) -> Evidence | None:
    """How a fine-tune serves subgroups, where its data named them."""
    try:
        report = RunFolder(job.id).report()
    except CorruptFile:
        return None
    if report is None or not report.groups:
        return None
    metric = report.metric(report.headline)
    worse = [one for one in report.groups if _is_worse(one, metric.higher_is_better)]
    names = ", ".join(one.group for one in worse[:3])
    label = f"served worse beyond chance: {names}" if worse else "no subgroup served worse beyond chance"
    detail = f"{len(report.groups)} groups of {report.rows:,} test rows, in {metric.title}"
    return Evidence(
        "subgroup_gaps", job.id, f"{job.title}: {label}", detail, job.finished_at, "look" if worse else _sure(report)
    )


def _sure(report: EvaluationReport) -> Says:
    """Groups too small for an interval answer nothing."""
    return "clear" if all(one.gap_low is not None for one in report.groups) else "unknown"


def _is_worse(one: GroupRow, higher_is_better: bool) -> bool:
    if one.gap_low is None or one.gap_high is None:
        return False
    return one.gap_high < 0 if higher_is_better else one.gap_low > 0


def _readings(db: Database) -> Iterator[Evidence]:
    for one in ReadingRepository(db).list(_MOST_READINGS):
        text = " ".join(one.text.split())
        short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        yield Evidence(
            "attribution", one.id, f"{one.model_id}: {short}", f"{len(one.token_ids):,} tokens", one.created_at
        )


def _done(db: Database) -> list[JobRecord]:
    return JobRepository(db).list(limit=_MOST_RUNS, kind=KIND, state="done")


def _base(job: JobRecord) -> str:
    return base_model(job.command.get("config", {}))
