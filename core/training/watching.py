"""`Watcher`: what a training tells while it runs, and how it hears that it is to end.

One callback of HF Trainer. Figures are written at most twice a second, the wishes of the reader are read as often: a
step costs nothing but a look at the clock. Where they go and come from is a `Sink`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import psutil
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.errors import Cancelled, InvalidInput
from core.training.recipe import Built
from core.training.sinks import Point, Sink
from core.training.together import StopTogether

EVERY_S = 0.5


class Watcher(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """units: counts what was trained on so far.

    `why` says how it ended: "done", "stopped" (by the reader, with what it had) or "early" (no better evaluation).
    """

    def __init__(self, sink: Sink, built: Built, units: Callable[[], int]) -> None:
        self._sink, self._built, self._units = sink, built, units
        self._waiting: list[Point] = []
        self._looked = self._began = time.monotonic()
        self._began_step = 0
        self._counted = (self._began, 0)
        self._figures: dict[str, Any] = {}
        self._together = StopTogether()
        self._judged = self._saved = -1
        self.why = "done"

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._began, self._began_step = time.monotonic(), state.global_step
        self._counted = (self._began, self._units())
        self._figures = {"step": state.global_step, "steps": state.max_steps, "unit": self._built.unit}
        self._figures |= {"metric": self._built.metric, "higher_is_better": self._built.higher_is_better}
        self._look(state, control, force=True)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """accelerate passes the epoch on to the rows of one process, and not to those of several."""
        if hasattr(self._built.train, "set_epoch"):
            self._built.train.set_epoch(int(state.epoch or 0))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self._built.each_step is not None:
            self._built.each_step(kwargs["model"], state.global_step)
        if state.global_step >= state.max_steps:
            control.should_evaluate = control.should_save = True
        self._look(state, control)
        self._stop_if_due(state, control)

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._look(state, control)

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._look(state, control, words="Evaluating")

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        if "loss" in (logs or {}):
            values = {name: logs.get(name) for name in ("loss", "learning_rate", "grad_norm", "epoch")}
            values["units_per_s"] = self._speed()
            self._figures |= values | {"step": state.global_step}
            self._waiting.append((state.global_step, "train", _finite(values)))
            self._check(logs.get("loss"), state)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **kwargs: Any
    ) -> None:
        values = {
            name.removeprefix("eval_"): float(value)
            for name, value in (metrics or {}).items()
            if not name.endswith(("runtime", "per_second", "epoch", "jit_compilation_time")) and name != "epoch"
        }
        self._waiting.append((state.global_step, "eval", _finite(values)))
        self._figures["eval_loss"] = values.get("loss")
        self._judged = state.global_step
        if self._built.sample is not None:
            self._take_samples(state, kwargs["model"])
        self._look(state, control, force=True)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._figures |= {
            "checkpoint_step": state.global_step,
            "best": state.best_metric,
            "best_step": state.best_global_step,
        }
        self._saved = state.global_step
        if control.should_training_stop and self.why == "done" and state.global_step < state.max_steps:
            self.why = "early"
        self._look(state, control, force=True)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._write(state)

    def _check(self, loss: float | None, state: TrainerState) -> None:
        """Raises InvalidInput for a loss that ran away: no later step would bring it back."""
        if loss is None or math.isfinite(loss):
            return
        self._write(state)
        raise InvalidInput(
            f"The loss is no number any more at step {state.global_step:,}: the training ran away.",
            next_step="Start anew with a lower learning_rate, with a warm-up, or with clip_norm at 1.",
        )

    def _take_samples(self, state: TrainerState, model: Any) -> None:
        assert self._built.sample is not None
        training = model.training
        model.eval()
        try:
            texts = [{"prompt": prompt, "text": text} for prompt, text in self._built.sample(model)]
        finally:
            model.train(training)
        self._waiting.append((state.global_step, "sample", {"texts": texts}))

    def _look(
        self, state: TrainerState, control: TrainerControl, words: str = "Training", *, force: bool = False
    ) -> None:
        """Write what is new and read the flags, if it is time to."""
        now = time.monotonic()
        if not force and now - self._looked < EVERY_S:
            return
        self._looked = now
        self._write(state, words)
        wish = self._sink.wish()
        if wish == "cancel":
            raise Cancelled("This training")
        if wish == "stop" and words == "Training" and not control.should_training_stop:
            self._together.ask(state.global_step)
            self._stop_if_due(state, control)

    def _stop_if_due(self, state: TrainerState, control: TrainerControl) -> None:
        if self._together.is_due(state.global_step) and not control.should_training_stop:
            self.why = "stopped"
            control.should_training_stop = True
            control.should_evaluate = control.should_evaluate or self._judged != state.global_step
            control.should_save = control.should_save or self._saved != state.global_step

    def _write(self, state: TrainerState, words: str = "Training") -> None:
        self._figures |= {
            "step": state.global_step,
            "epoch": state.epoch,
            "memory_bytes": _memory_bytes(),
            "eta_s": self._eta(state),
        }
        told = f"{words}, step {state.global_step:,} of {state.max_steps:,}"
        fraction = state.global_step / max(1, state.max_steps)
        self._sink.write(self._waiting, fraction, told, _finite(self._figures))
        self._waiting = []

    def _speed(self) -> float | None:
        """Units a second since the last time this was asked."""
        now, units = time.monotonic(), self._units()
        (then, before), self._counted = self._counted, (now, units)
        return (units - before) / (now - then) if now > then and units > before else None

    def _eta(self, state: TrainerState) -> float | None:
        """Seconds to go: the steps so far of this process, with their evaluations, say how fast."""
        taken = state.global_step - self._began_step
        if taken < 1 or (taken < 5 and time.monotonic() - self._began < 10):
            return None
        return float((time.monotonic() - self._began) / taken * max(0, state.max_steps - state.global_step))


def _memory_bytes() -> int:
    """Of the GPU at its highest, where one trains; else resident memory of this process."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: a loss that ran away is None."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }
