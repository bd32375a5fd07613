"""A trained model becomes one of the catalogue: for the playground, for attention, exported to ONNX with its proof.

The catalogue links the files of the run, which stay where they are for as long as the model is registered. What LoRA
trained is merged into the model; the adapter alone stays beside it, for servers that load adapters.
"""

from __future__ import annotations

from pathlib import Path

from core.artefacts import Progress, no_progress
from core.errors import InvalidInput, NotFound
from core.models import catalogue
from core.models.cards import ModelCard
from core.models.records import all_records, check_id, suggest_id
from core.store.jobs import JobRecord
from core.training.run_folder import RunFolder, runs_home


def register(job: JobRecord, model_id: str, progress: Progress = no_progress) -> ModelCard:
    """Add the model of a run that is done, under this id. Raises InvalidInput for an id that cannot be had, NotFound
    for a run without a model."""
    folder = RunFolder(job.id).model
    if not folder.is_dir():
        raise NotFound(f"{job.title!r} has no model: it is {job.state}.", next_step="Resume it, or train it again.")
    if name := registered_as(job.id):
        raise InvalidInput(f"This model is registered already: {name}.", next_step=f"Choose {name} in the playground.")
    return catalogue.add(str(folder), model_id=check_id(model_id.strip()), progress=progress)


def registered_as(job_id: str) -> str | None:
    """The id under which the model of a run is in the catalogue, if it is."""
    folder = str(RunFolder(job_id).model.resolve())
    return next((record.id for record in all_records() if record.source.location == folder), None)


def run_of(model_id: str) -> str | None:
    """The job that made a model of the catalogue, if one did."""
    source = next((Path(record.source.location) for record in all_records() if record.id == model_id), None)
    home = runs_home().resolve()
    return source.relative_to(home).parts[0] if source is not None and home in source.parents else None


def suggested_id(job: JobRecord) -> str:
    """An id that is free, made of the run's title."""
    base = suggest_id(job.title)[:70]
    taken = {card.id for card in catalogue.list_models()}
    return next(name for name in (base, *(f"{base}-{number}" for number in range(2, 1_000))) if name not in taken)
