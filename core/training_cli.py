"""`python -m core finetune` and `python -m core jobs`: launch a training, watch it, take it up again."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import GroundworkError, InvalidInput

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
JobArgument = Annotated[str, typer.Argument(help="The job's id, or enough of its beginning.")]
POLL_S = 0.5

jobs_app = typer.Typer(no_args_is_help=True, help="Long work: list it, look at it, cancel it, take it up again.")


def finetune(
    config: Annotated[
        Path | None, typer.Argument(help="YAML file; the page and core/training/configs show some.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be given several times.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Learn from this file instead of the configuration's.")] = None,
    text_column: Annotated[str, typer.Option(help="Column with the text.")] = "",
    label_column: Annotated[str, typer.Option(help="Column with the label.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Try a few steps and say what the whole would take.")
    ] = False,
    here: Annotated[
        bool, typer.Option("--here", help="Train in this process, at once: for accelerate launch and torchrun.")
    ] = False,
    ray: Annotated[
        bool, typer.Option("--ray", help="Train on the Ray cluster of RAY_ADDRESS instead of this machine.")
    ] = False,
    ray_address: Annotated[
        str, typer.Option(help="Its dashboard, such as http://head:8265, where RAY_ADDRESS is not set.")
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes of the Ray cluster that train together.")] = 2,
    as_json: JsonFlag = False,
    job: Annotated[str, typer.Option("--job", hidden=True, help="Report to this row of the job table.")] = "",
) -> None:
    """Fine-tune a model: queue it, wait, print its report. Ctrl-C cancels it; `jobs resume` takes it up again."""
    from core.store.database import open_database

    db = open_database()
    if job:
        _work(db, job, dry_run)
        return
    if config is None:
        raise InvalidInput("No configuration was given.", next_step="Name a YAML file; the page shows one.")
    from core.training import queue
    from core.training.config import read_config

    asked = read_config(config, [*_data_changes(data, text_column, label_column), *(changes or [])])
    if here:
        if ray or ray_address:
            raise InvalidInput("--here and --ray were given.", allowed="One of them.")
        _train_here(db, asked, as_json)
        return
    where = _place(ray, ray_address, workers, dry_run)
    started = queue.submit_dry_run(db, asked) if dry_run else queue.submit(db, asked, where=where)
    ended = _wait(db, started.id)
    if ended.state != "done":
        raise GroundworkError(
            ended.error or f"The job {ended.id} is {ended.state}.",
            next_step="" if dry_run else f"`python -m core jobs resume {ended.id}` takes it up again.",
        )
    if dry_run:
        _print_dry_run(ended, as_json)
    else:
        _print_report(ended, as_json)


@jobs_app.command("list")
def list_jobs(
    kind: Annotated[str, typer.Option(help="Only jobs of this kind, such as finetune.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """The newest jobs."""
    jobs = _jobs()
    jobs.mark_interrupted()
    found = jobs.list(limit=limit, kind=kind or None)
    if as_json:
        _print_json({"jobs": [asdict(job) for job in found]})
        return
    for job in found:
        typer.echo(f"{job.id[:8]}  {job.state:11}  {job.progress:4.0%}  {job.kind:17}  {job.title}")
    if not found:
        typer.echo("No jobs are on record.")


@jobs_app.command("show")
def show_job(job_id: JobArgument, as_json: JsonFlag = False) -> None:
    """One job: its state, its figures, what it left."""
    from core.training.run_folder import RunFolder

    jobs = _jobs()
    jobs.mark_interrupted()
    job = jobs.get(_whole_id(job_id))
    folder = RunFolder(job.id)
    report = folder.report()
    if as_json:
        told = asdict(job) | {"checkpoints": folder.checkpoints(), "folder": str(folder.path)}
        _print_json(told | {"report": report.to_json() if report else None})
        return
    typer.echo(f"{job.title}: {job.state}, {job.progress:.0%}. {job.error or job.step}")
    for name, value in job.metrics.items():
        typer.echo(f"  {name}: {value}")
    if steps := folder.checkpoints():
        typer.echo(f"  checkpoints: {', '.join(f'{step:,}' for step in steps)}, in {folder.path}")
    if log := folder.log_tail(10):
        typer.echo(log)


@jobs_app.command("cancel")
def cancel_job(
    job_id: JobArgument,
    keep: Annotated[bool, typer.Option("--keep", help="End a fine-tune early and keep the best it has.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Cancel a job. A fine-tune's checkpoints stay, and it can be resumed."""
    from core.jobs import cancel
    from core.store.database import open_database
    from core.store.jobs import ACTIVE
    from core.training import queue

    db, jobs, found = open_database(), _jobs(), _whole_id(job_id)
    job = jobs.get(found)
    if job.state not in ACTIVE:
        raise InvalidInput(f"{job.title!r} is {job.state}.", allowed="Jobs that wait or run can be cancelled.")
    if job.kind == queue.KIND:
        queue.stop(db, found, keep=keep)
    else:
        cancel(db, found)
    deadline = time.monotonic() + 30
    while not keep and jobs.get(found).state in ACTIVE and time.monotonic() < deadline:
        time.sleep(0.1)
    queue.start_next(db)
    _tell(jobs.get(found), as_json)


@jobs_app.command("resume")
def resume_job(
    job_id: JobArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for it, and print its report.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let a fine-tune that was interrupted, cancelled or has failed go on behind its last checkpoint."""
    from core.store.database import open_database
    from core.training import queue

    job = queue.resume(open_database(), _whole_id(job_id))
    if not wait:
        _tell(job, as_json)
        return
    ended = _wait(open_database(), job.id)
    if ended.state != "done":
        raise GroundworkError(ended.error or f"The job {ended.id} is {ended.state}.")
    _print_report(ended, as_json)


def _work(db: Any, job_id: str, dry_run: bool) -> None:
    """What the job's own process does; then the next in the queue begins."""
    from core.store.jobs import JobRepository
    from core.training import queue
    from core.training.place import place_of
    from core.training.run import run_job

    if dry_run:
        from core.training.dry_run import run_dry

        run_dry(db, job_id)
        return
    try:
        if place_of(JobRepository(db).get(job_id).command) is None:
            run_job(db, job_id)
        else:
            from core.training.ray_cluster import run_on_cluster

            run_on_cluster(db, job_id)
    finally:
        queue.start_next(db)


def _place(ray: bool, address: str, workers: int, dry_run: bool) -> Any:
    """The cluster that is asked for; None is this machine."""
    from core.training.place import ray_place

    if not (ray or address):
        return None
    if dry_run:
        raise InvalidInput(
            "A dry run tries this machine, not a Ray cluster.", next_step="Leave out --dry-run, or --ray."
        )
    return ray_place(address, workers)


def _train_here(db: Any, asked: Any, as_json: bool) -> None:
    import os

    from core.store.jobs import JobRepository
    from core.training.queue import title_of
    from core.training.run import run_together

    job_id = run_together(db, asked, title_of(asked))
    if os.environ.get("RANK", "0") == "0":
        _print_report(JobRepository(db).get(job_id), as_json)


def _wait(db: Any, job_id: str) -> Any:
    """The job when it has ended. Its progress on stderr; Ctrl-C cancels it."""
    from core.store.jobs import ENDED, JobRepository
    from core.terminal import terminal_progress
    from core.training import queue

    jobs = JobRepository(db)
    try:
        with terminal_progress() as told:
            while (job := jobs.get(job_id)).state not in ENDED:
                told(job.progress, job.step or "Waiting for its turn")
                time.sleep(POLL_S)
                jobs.mark_interrupted()
                queue.start_next(db)
    except KeyboardInterrupt:
        queue.stop(db, job_id, keep=False)
        time.sleep(2.5)
        typer.echo(f"Cancelled. `python -m core jobs resume {job_id}` takes it up again.", err=True)
        raise
    return job


def _data_changes(data: Path | None, text_column: str, label_column: str) -> list[str]:
    named = {"data.path": str(data.absolute()) if data else "", "data.columns.text": text_column}
    named["data.columns.label"] = label_column
    return [f"{key}={json.dumps(value)}" for key, value in named.items() if value]


def _print_report(job: Any, as_json: bool) -> None:
    from core.training.run_folder import RunFolder

    folder = RunFolder(job.id)
    report = folder.report()
    assert report is not None  # a job that is done has one
    if as_json:
        _print_json({"job_id": job.id, "model": str(folder.model), **(job.result or {}), "report": report.to_json()})
        return
    for metric in report.metrics:
        span = f"  ({metric.low:.4g} to {metric.high:.4g})" if metric.low is not None else ""
        beside = f"  baseline {metric.baseline:.4g}" if metric.baseline is not None else ""
        before = f"  before {metric.before:.4g}" if metric.before is not None else ""
        typer.echo(f"{metric.title:32} {metric.value:10.4g}{span}{beside}{before}")
    typer.echo(f"Judged on {report.rows:,} rows that it has not seen. Model: {folder.model}  Job: {job.id}")


def _print_dry_run(job: Any, as_json: bool) -> None:
    found = job.result or {}
    if as_json:
        _print_json(found)
        return
    typer.echo(found["sentence"])
    typer.echo("\n".join(found["reasons"]))


def _tell(job: Any, as_json: bool) -> None:
    if as_json:
        _print_json(asdict(job))
    else:
        typer.echo(f"{job.id}  {job.state}  {job.title}")


def _jobs() -> Any:
    from core.store.database import open_database
    from core.store.jobs import JobRepository

    return JobRepository(open_database())


def _whole_id(begun: str) -> str:
    """The id that begins so. Raises NotFound, InvalidInput for several."""
    found = [job.id for job in _jobs().list(limit=10_000) if job.id.startswith(begun)]
    if len(found) > 1 and begun not in found:
        raise InvalidInput(f"{begun!r} begins {len(found)} ids.", next_step="Give more of it.")
    return found[0] if len(found) == 1 else begun


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")
