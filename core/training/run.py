"""A fine-tune from its configuration to its report: the work of one job's process.

Each part leaves something whole on the disk (the rows, checkpoints, the report, the model), so that a process that
takes up a job after a crash goes on behind the last of them.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.artefacts import Progress, make_folder, no_progress, part_of, require_space
from core.errors import Busy, Cancelled, GroundworkError, InvalidInput, StorageError
from core.jobs import JobReporter
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from core.training.checkpoints import step_of, sweep_unfinished, whole_checkpoints
from core.training.config import AnyConfig, parse_config, to_values
from core.training.data.prepare import prepare
from core.training.data.prepared import PreparedData
from core.training.defaults import Choice, complete, plan_steps
from core.training.device import holding, set_up_torch, training_device
from core.training.evaluation.report import EvaluationReport
from core.training.facts import facts_of
from core.training.queue import title_of
from core.training.readme import write_readme
from core.training.recipe import Built, Context, Steps
from core.training.run_folder import RunFolder
from core.training.sinks import RecordSink, Silent, Sink
from core.training.table import recipe

DATA, BUILD, TRAIN, JUDGE, SAVE = (0.0, 0.05), (0.05, 0.1), (0.1, 0.85), (0.85, 0.95), (0.95, 1.0)
"""Parts of a job's progress."""


@dataclass(frozen=True, slots=True)
class Made:
    """A run that is ready to train. steps, evaluate_every: as `plan_steps` counts them."""

    config: AnyConfig
    choices: tuple[Choice, ...]
    data: PreparedData
    built: Built
    functions: Steps
    context: Context
    steps: int
    evaluate_every: int


def run_job(db: Database, job_id: str) -> dict[str, Any]:
    """Do the job of this id, or what is left of it. The summary that is kept with the job.

    Raises GroundworkError; a full disk is a StorageError, and the checkpoint before stays whole.
    """
    folder = RunFolder(job_id)
    device = training_device()
    try:
        with JobReporter(db, job_id) as reporter, speaking_plainly(folder.path), holding(device):
            made = make(config_of(reporter.jobs.get(job_id)), folder, device, reporter.progress)
            train(RecordSink(db, job_id, TRAIN), folder, made)
            report = finish(folder, made, reporter.progress)
            reporter.result = summary(folder, made, report)
            if reporter.jobs.get(job_id).attempts == 1:
                reporter.result["seconds"] = time.time() - psutil.Process().create_time()
    except Busy:
        JobRepository(db).requeue(job_id)  # its turn has not come
        raise
    return reporter.result or {}


def run_together(db: Database, config: AnyConfig, title: str) -> str:
    """Train in this process and those that accelerate or torchrun started beside it, at once and in no queue; each
    takes its share of the rows. The first of them keeps the record. The job's id."""
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    device = training_device()
    state = PartialState(cpu=device == "cpu")
    told: list[Any] = [None]
    if state.is_main_process:
        told = [JobRepository(db).create("finetune", title, {"config": to_values(config)})[0].id]
    broadcast_object_list(told)
    folder = RunFolder(told[0])
    if not state.is_main_process:
        train(Silent(), folder, make(config, folder, device, no_progress, workers=state.num_processes))
        return folder.job_id
    with JobReporter(db, folder.job_id) as reporter, speaking_plainly(folder.path), holding(device):
        made = make(config, folder, device, reporter.progress, workers=state.num_processes)
        train(RecordSink(db, folder.job_id, TRAIN), folder, made)
        reporter.result = summary(folder, made, finish(folder, made, reporter.progress))
    return folder.job_id


def config_of(job: JobRecord) -> AnyConfig:
    """What a job was asked to do. Raises InvalidInput for a job that is no fine-tune."""
    values = job.command.get("config")
    if not isinstance(values, dict):
        raise InvalidInput(f"{job.title!r} is a {job.kind} job.", allowed="A fine-tune.")
    return parse_config(values, job.title)


def make(config: AnyConfig, folder: RunFolder, device: str, progress: Progress, *, workers: int = 1) -> Made:
    """Prepare the rows, fill in what was left open, build the model."""
    set_up_torch(config.training.threads)
    found = recipe(config.recipe)
    data = prepare(config.recipe, config.data, folder.data_folder, part_of(progress, *DATA))
    whole, choices = complete(config, device, facts_of(config, data, device))
    _seed(whole.training.seed)
    context = Context(folder.path, device, part_of(progress, *BUILD))
    functions = found.steps()
    built = functions.build(whole, data, context)
    steps, every = plan_steps(whole.training, len(built.train), workers)
    return Made(whole, choices, data, built, functions, context, steps, every)


def train(sink: Sink, folder: RunFolder, made: Made) -> None:
    """Train from the last whole checkpoint, or from the start; the best weights are in the model when it ends.

    One of several processes that train together, each with the same data, tells nothing but for the first.
    """
    from transformers import EarlyStoppingCallback, PrinterCallback

    from core.training.trainer import GroundworkTrainer, make_arguments
    from core.training.watching import Watcher

    training = made.config.training
    arguments = make_arguments(
        training,
        made.built,
        folder.checkpoints_folder,
        device=made.context.device,
        steps=made.steps,
        evaluate_every=made.evaluate_every,
    )
    early = [EarlyStoppingCallback(training.early_stopping)] if training.early_stopping else []
    trainer = GroundworkTrainer(made.built, training, arguments, callbacks=early)
    watcher = Watcher(sink if trainer.is_world_process_zero() else Silent(), made.built, lambda: trainer.units_seen)
    trainer.add_callback(watcher)
    trainer.remove_callback(PrinterCallback)
    if trainer.is_world_process_zero():
        sweep_unfinished(folder.checkpoints_folder)
    last, ended = _found(folder, trainer.accelerator.num_processes)
    if ended is None:
        sink.forget_after(step_of(last) if last else -1)
        arguments.eval_on_start = last is None
        if last is None or step_of(last) < made.steps:
            trainer.train(resume_from_checkpoint=str(last) if last else None)
        else:
            trainer.state = _state_of(last)
        ended = _ending(trainer.state, watcher.why)
        if trainer.is_world_process_zero():
            folder.set_trained(ended)
    _load_best(trainer, folder, int(ended["best_step"]))


def finish(folder: RunFolder, made: Made, progress: Progress) -> EvaluationReport:
    """Judge the model on rows that it has not seen, and save it. Saving comes last: it merges what LoRA trained."""
    report = folder.report()
    if report is None:
        context = Context(folder.path, made.context.device, part_of(progress, *JUDGE))
        context.progress(0.0, "Judging it on the test rows")
        report = made.functions.evaluate(made.built, made.config, made.data, context)
        folder.set_report(report)
    part_of(progress, *SAVE)(0.0, "Saving the model")

    def save(target: Path) -> None:
        made.functions.save(made.built, made.config, made.data, target)
        write_readme(target, made.config, title_of(made.config))

    make_folder(folder.model, save)
    return report


def summary(folder: RunFolder, made: Made, report: EvaluationReport) -> dict[str, Any]:
    """What a list of runs shows of one, and what repeats it."""
    ended = folder.trained() or {}
    return {
        "headline": report.headline,
        "headline_title": report.metric(report.headline).title,
        "metrics": {metric.name: metric.value for metric in report.metrics},
        "baseline": {metric.name: metric.baseline for metric in report.metrics if metric.baseline is not None},
        "config": to_values(made.config),
        "choices": [{"key": c.key, "value": c.value, "why": c.why} for c in made.choices],
        "rows": {"train": made.data.record.train, "validation": made.data.record.validation, "test": report.rows},
        "parameters": _counts(made.built.model),
        "device": made.context.device,
        **ended,
    }


def _found(folder: RunFolder, processes: int) -> tuple[Path | None, dict[str, Any] | None]:
    """The last whole checkpoint, and how the training ended, as the first of the processes sees them: on storage that
    machines share, the others may see them later."""
    found: list[Any] = [next(reversed(whole_checkpoints(folder.checkpoints_folder)), None), folder.trained()]
    if processes > 1:
        from accelerate.utils import broadcast_object_list

        broadcast_object_list(found)
    return found[0], found[1]


def _ending(state: Any, why: str) -> dict[str, Any]:
    best = state.best_global_step or state.global_step
    step, steps = state.global_step, state.max_steps
    return {"step": step, "steps": steps, "best_step": best, "best": state.best_metric, "why": why}


def _state_of(checkpoint: Path) -> Any:
    from transformers import TrainerState

    return TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))


def _load_best(trainer: Any, folder: RunFolder, step: int) -> None:
    """Put the weights of that checkpoint into the model, whatever is there now."""
    checkpoint = folder.checkpoints_folder / f"checkpoint-{step}"
    if checkpoint in whole_checkpoints(folder.checkpoints_folder):
        trainer.state.best_model_checkpoint = str(checkpoint)
        trainer._load_best_model()
    trainer.model.eval()


def _counts(model: Any) -> dict[str, int]:
    return {
        "all": sum(weight.numel() for weight in model.parameters()),
        "trained": sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
    }


def _seed(seed: int) -> None:
    from transformers import set_seed

    set_seed(seed)


@contextmanager
def speaking_plainly(folder: Path) -> Iterator[None]:
    """What torch and safetensors raise in their own words, in ours. folder: that they write to."""
    try:
        require_space(folder, 0, "A fine-tune needs", reserve=64 * 1024**2)
        yield
    except (GroundworkError, Cancelled):
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"
        if _refused_by_the_disk(error, told):
            raise StorageError(
                f"The disk is full or takes no file so large: {folder} cannot be written. What was saved is whole.",
                next_step="Free some space, then resume this run.",
            ) from error
        if "out of memory" in told.lower() or isinstance(error, MemoryError):
            raise InvalidInput(
                f"It does not fit into memory: {told[:200]}.",
                next_step="Take a smaller batch_size with more accumulation, fewer max_tokens, or LoRA.",
            ) from error
        raise


def _refused_by_the_disk(error: Exception, told: str) -> bool:
    """safetensors says so in words alone."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return any(f"os error {code}" in told for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
