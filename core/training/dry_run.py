"""What a fine-tune will take, from a few of its own steps on this machine: seconds, memory, whether it fits.

The run is built as it will be, its longest rows are trained on for a few steps, one part of its evaluation is done, and
the whole is counted up. The range covers the spread of the steps that were timed and what was not: saving, judging.
"""

from __future__ import annotations

import shutil
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from core.artefacts import Progress, existing_parent, part_of
from core.jobs import JobReporter
from core.settings import get_settings
from core.store.database import Database
from core.training.checkpoints import OPTIMIZER, save_state
from core.training.device import training_device
from core.training.run import Made, config_of, make
from core.training.run_folder import RunFolder

WARM_STEPS, TIMED_STEPS, TIMED_S = 2, 12, 25.0
"""Steps that are not counted, counted at most, and seconds after which no further one is begun."""
EVALUATED_S = 6.0
SPREAD = 0.35
"""Low and high of the time of what was not tried, as a share."""
KEPT_CHECKPOINTS = 3
MEMORY_ROOM = 0.92
"""Of the memory that is there, at most so much is taken: the system wants the rest."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What was predicted. seconds, memory_bytes: low, expected, high. step_s: median, and the two quartiles around it.

    reasons: why it does not fit, () when it does. disk_bytes: its checkpoints and its model. busy: another program kept
    the device busy, so that it will be quicker alone. choices: what was filled in, as {"key", "value", "why"}.
    """

    fits: bool
    reasons: tuple[str, ...]
    sentence: str
    seconds: tuple[float, float, float]
    memory_bytes: tuple[int, int, int]
    memory_there_bytes: int
    disk_bytes: int
    steps: int
    evaluate_every: int
    step_s: tuple[float, float, float]
    units_per_s: float | None
    unit: str
    rows: int
    parameters: int
    trained_parameters: int
    device: str
    busy: bool
    choices: tuple[dict[str, Any], ...]


def run_dry(db: Database, job_id: str) -> DryRun:
    """Try the job's configuration; its result is kept with the job. Leaves no files."""
    folder = RunFolder(job_id)
    try:
        with JobReporter(db, job_id) as reporter:
            config = config_of(reporter.jobs.get(job_id))
            begun = psutil.Process().create_time()  # starting the process and its libraries counts too
            made = make(config, folder, training_device(), part_of(reporter.progress, 0.0, 0.5))
            found = try_steps(made, time.time() - begun, part_of(reporter.progress, 0.5, 1.0))
            reporter.result = asdict(found)
    finally:
        shutil.rmtree(folder.path, ignore_errors=True)
    return found


def try_steps(made: Made, prepare_s: float, progress: Progress) -> DryRun:
    """Some steps on the longest rows, one part of an evaluation. prepare_s: what it took to get here."""
    import torch

    from core.training.trainer import make_optimizer

    training, built, device = made.config.training, made.built, made.context.device
    model = built.model.to(device).train()
    if training.gradient_checkpointing and hasattr(model, "gradient_checkpointing_enable"):
        model.gradient_checkpointing_enable()
    optimizer = make_optimizer(model, training)
    size = (training.batch_size or 1) * training.accumulation
    batches = _batches(built.train, training.batch_size or 1, training.accumulation)
    taken: list[float] = []
    units = 0
    began = time.monotonic()
    busy = _others_share()
    with _Peak(device) as peak:
        for place in range(WARM_STEPS + TIMED_STEPS):
            if len(taken) >= 3 and time.monotonic() - began > TIMED_S:
                break
            progress(place / (WARM_STEPS + TIMED_STEPS), f"Trying step {place + 1}")
            then = time.monotonic()
            for rows in batches(place):
                batch = {name: part.to(device) for name, part in built.collate(rows).items()}
                units += built.units(batch) if built.units and place >= WARM_STEPS else 0
                with torch.autocast(device, torch.bfloat16, enabled=training.mixed_precision == "bf16"):
                    output = model(**batch)
                _loss(output).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), training.clip_norm or 1e9)
            optimizer.step()
            optimizer.zero_grad()
            if device == "cuda":
                torch.cuda.synchronize()
            if place >= WARM_STEPS:
                taken.append(time.monotonic() - then)
        evaluation_s = _evaluation_s(made, model)
    return _counted(made, taken, units, evaluation_s, prepare_s, peak.bytes, size, busy, optimizer)


def _counted(
    made: Made,
    taken: list[float],
    units: int,
    evaluation_s: float,
    prepare_s: float,
    peak_bytes: int,
    batch: int,
    busy: float,
    optimizer: Any,
) -> DryRun:
    low, middle, high = _quartiles(taken)
    evaluations = made.steps / made.evaluate_every + 2  # one before the first step, one of the report
    other = prepare_s + evaluations * evaluation_s
    state_bytes = _state_bytes(made, optimizer)
    disk = state_bytes * KEPT_CHECKPOINTS + _weights_bytes(made.built.model)
    seconds = (
        made.steps * low + other * (1 - SPREAD),
        made.steps * middle + other,
        (made.steps * high * 1.1 + other * (1 + SPREAD) * 1.2) * (1 + busy),
    )
    memory = (int(peak_bytes * 0.95), peak_bytes, int(peak_bytes * 1.15))
    there = _memory_there(made.context.device)
    reasons = _reasons(made, memory[1], there, disk)
    return DryRun(
        fits=not reasons,
        reasons=tuple(reasons),
        sentence=_sentence(seconds, memory, made, reasons),
        seconds=seconds,
        memory_bytes=memory,
        memory_there_bytes=there,
        disk_bytes=disk,
        steps=made.steps,
        evaluate_every=made.evaluate_every,
        step_s=(low, middle, high),
        units_per_s=units / sum(taken) if units and taken else None,
        unit=made.built.unit,
        rows=len(made.built.train),
        parameters=sum(weight.numel() for weight in made.built.model.parameters()),
        trained_parameters=sum(w.numel() for w in made.built.model.parameters() if w.requires_grad),
        device=made.context.device,
        busy=busy > 0.25,
        choices=tuple({"key": c.key, "value": c.value, "why": c.why} for c in made.choices),
    )


def _batches(rows: Any, size: int, accumulation: int) -> Any:
    """The batches of one step. The first steps have the longest rows, which need the most memory; the others are spread
    over all rows, whose time is that of the run."""
    looked = range(0, len(rows), max(1, len(rows) // 2_000))
    by_length = sorted(looked, key=lambda place: -_length(rows[place]))

    def of_step(step: int) -> list[list[Any]]:
        need = size * accumulation
        if step < WARM_STEPS:
            places = by_length[:need]
        else:
            stride = max(1, len(rows) // (TIMED_STEPS * need))
            places = [(step - WARM_STEPS + k * TIMED_STEPS) * stride % len(rows) for k in range(need)]
        found = [rows[place] for place in places]
        return [found[start : start + size] for start in range(0, len(found), size)]

    return of_step


def _length(row: Any) -> int:
    return len(row["input_ids"]) if isinstance(row, dict) and "input_ids" in row else 0


def _loss(output: Any) -> Any:
    return output["loss"] if isinstance(output, dict) else output.loss


def _evaluation_s(made: Made, model: Any) -> float:
    """Seconds of one evaluation: of as much of it as there is patience for."""
    import torch

    rows, size = made.built.validation, made.config.training.batch_size or 1
    model.eval()
    done, began = 0, time.monotonic()
    while done < len(rows) and time.monotonic() - began < EVALUATED_S:
        batch = made.built.collate([rows[place] for place in range(done, min(done + size, len(rows)))])
        with torch.inference_mode():
            model(**{name: part.to(made.context.device) for name, part in batch.items()})
        done += size
    took = (time.monotonic() - began) * len(rows) / max(1, min(done, len(rows)))
    if made.built.sample is not None:
        then = time.monotonic()
        made.built.sample(model)
        took += time.monotonic() - then
    return took


def _state_bytes(made: Made, optimizer: Any) -> int:
    """Of one checkpoint, written once to see."""
    folder = made.context.folder / "trial"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        save_state(OPTIMIZER, optimizer.state_dict(), folder)
        written = sum(file.stat().st_size for file in folder.iterdir())
    except OSError:
        written = 2 * _weights_bytes(made.built.model)
    shutil.rmtree(folder, ignore_errors=True)
    trained = sum(w.numel() * w.element_size() for w in made.built.model.parameters() if w.requires_grad)
    return int(written + trained)


def _weights_bytes(model: Any) -> int:
    return sum(weight.numel() * weight.element_size() for weight in model.parameters())


def _quartiles(taken: list[float]) -> tuple[float, float, float]:
    if len(taken) < 4:
        return min(taken), statistics.median(taken), max(taken)
    low, middle, high = statistics.quantiles(taken, n=4)
    return low, middle, high


def _memory_there(device: str) -> int:
    if device == "cuda":
        import torch

        return int(torch.cuda.get_device_properties(0).total_memory)
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)


def _reasons(made: Made, memory: int, there: int, disk: int) -> list[str]:
    reasons = []
    if memory > there * MEMORY_ROOM:
        reasons.append(
            f"It takes {memory / 1e9:.1f} GB of memory and {there / 1e9:.1f} GB are there. Take a smaller batch_size "
            "with more accumulation, fewer max_tokens, gradient_checkpointing, or LoRA."
        )
    free = shutil.disk_usage(existing_parent(get_settings().home)).free
    if disk > free:
        reasons.append(
            f"Its checkpoints and its model take {disk / 1e9:.1f} GB and {free / 1e9:.1f} GB are free on the disk. "
            "Free some space, or set GROUNDWORK_HOME to a folder on a larger disk."
        )
    return reasons


def _sentence(seconds: Any, memory: Any, made: Made, reasons: list[str]) -> str:
    low, expected, high = (_duration(value) for value in seconds)
    told = (
        f"{made.steps:,} steps take about {expected} ({low} to {high}) and {memory[1] / 1e9:.1f} GB of memory on this "
        f"machine's {'GPU' if made.context.device == 'cuda' else 'CPU'}."
    )
    return f"{told} It does not fit." if reasons else told


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _others_share() -> float:
    """Of the cores, by other programs, just now."""
    mine = psutil.Process()
    mine.cpu_percent(None)
    whole = psutil.cpu_percent(0.3) / 100
    return float(max(0.0, whole - mine.cpu_percent(None) / 100 / (psutil.cpu_count() or 1)))


class _Peak:
    """The highest memory while it is entered: of the GPU, or resident of this process."""

    def __init__(self, device: str) -> None:
        self._device, self.bytes = device, 0

    def __enter__(self) -> _Peak:
        import threading

        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        mine = psutil.Process()
        while not self._ends.wait(0.05):
            self.bytes = max(self.bytes, mine.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self.bytes = max(self.bytes, psutil.Process().memory_info().rss)
        if self._device == "cuda":
            import torch

            self.bytes = int(torch.cuda.max_memory_allocated())
