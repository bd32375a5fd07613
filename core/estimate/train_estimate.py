"""`estimate train`: a configuration becomes a training run's time, cost and energy, and whether it fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.errors import InvalidInput
from core.estimate.choose_model import choose_model
from core.estimate.config import parse
from core.estimate.fitting import best_plan
from core.estimate.hardware import Accelerator
from core.estimate.hardware import find as find_gpu
from core.estimate.recompute import Recompute
from core.estimate.remedies import what_would_fit
from core.estimate.report import Report
from core.estimate.specs import TrainSpec
from core.estimate.train_figures import TrainReport, report
from core.estimate.training import Training, TrainSetup, train
from core.estimate.training_plan import TrainingPlan
from core.estimate.words import ages_together, large, said, said_range


def estimate_train(given: dict[str, Any], gpu: Accelerator | None = None) -> tuple[Report, Training]:
    """given: as `TrainSpec`. gpu: in place of the named one (this machine). Raises InvalidInput with every fault,
    ModelRefused for a config.json that cannot be read."""
    spec = parse(TrainSpec, given)
    device = gpu or find_gpu(spec.gpu)
    training = _fitting(
        TrainSetup(
            shape=choose_model(spec),
            gpu=device,
            tokens=spec.tokens,
            gpus=spec.gpus,
            recompute=spec.recompute,
            sequence_length=spec.sequence_length,
            global_batch=spec.global_batch,
            precision=spec.precision,
            method=spec.method,
            lora_rank=spec.lora_rank,
            tensor_parallel=spec.tensor_parallel,
            hfu=None if spec.hfu is None else spec.hfu.range(),
        )
    )
    price = spec.price_of(device)
    training = replace(training, usd_per_gpu_hour=price.usd_per_gpu_hour)
    found = report(training, price=price, region=spec.region, pue=spec.pue)
    notes = ages_together((*found.notes, *_fit_notes(training)))
    unknown = {key: None for key in ("cost_usd", "energy_kwh", "co2e_kg") if found.get(key) is None}
    answer = Report(
        kind="train", spec=given, sentence=_sentence(found), figures=found.figures, notes=notes, more=dict(unknown)
    )
    return answer, training


def _fitting(setup: TrainSetup) -> Training:
    """With full recomputation where nothing was said of it and the run fits only so."""
    training = train(setup)
    if setup.recompute is None and training.plan.recompute != "full" and not _fits(training, training.plan.recompute):
        fuller = train(replace(setup, recompute="full"))
        if _fits(fuller, "full"):
            said = ("recomputation: full, since it fits only so", *fuller.plan.assumed)
            return replace(fuller, plan=replace(fuller.plan, assumed=said))
    return training


def _fits(training: Training, recompute: Recompute) -> bool:
    setup = training.plan.setup
    try:
        plan = replace(memory_plan(training), recompute=recompute)
        return best_plan(setup.shape, plan, setup.gpu, training.plan.gpus) is not None
    except InvalidInput:
        return True  # unknown; a note says so


def memory_plan(training: Training) -> TrainingPlan:
    """The memory of this run's GPU: one sequence at a time, states shared by ZeRO and the parallel degrees that fit."""
    plan, setup = training.plan, training.plan.setup
    return TrainingPlan(
        precision=setup.precision,
        method=setup.method,  # type: ignore[arg-type]
        sequence_length=plan.sequence_length,
        recompute=plan.recompute,
        lora_rank=setup.lora_rank,
    )


def _fit_notes(training: Training) -> list[str]:
    """What would make it fit, when the model and its states do not fit these GPUs."""
    setup = training.plan.setup
    try:
        wanted = memory_plan(training)
        if best_plan(setup.shape, wanted, setup.gpu, training.plan.gpus) is not None:
            return []
        kinder = replace(wanted, recompute="full")
        if best_plan(setup.shape, kinder, setup.gpu, training.plan.gpus) is not None:
            return [
                f"It does not fit with {plan_words(training)} recomputation, only with the full one: choose that, and "
                "the time counts it."
            ]
        changes = what_would_fit(setup.shape, wanted, setup.gpu, training.plan.gpus)
    except InvalidInput as error:
        return [f"Whether it fits is unknown: {error.happened}"]
    options = "; ".join(change.what for change in changes[:4]) or "nothing in the hardware table"
    return [
        f"It does not fit {training.plan.gpus:,} × {setup.gpu.name}: the time is what it would take if it did. "
        f"What would make it fit: {options}."
    ]


def plan_words(training: Training) -> str:
    return "no" if training.plan.recompute == "none" else training.plan.recompute


def _sentence(found: TrainReport) -> str:
    plan, days, cost = found.training.plan, found.training.days, found.get("cost_usd")
    verb = {"full": "Training", "lora": "A LoRA of", "qlora": "A QLoRA of"}[plan.setup.method]
    time = f"{said(days.expected * 86_400, 's')} ({said_range(days * 86_400, 's')})"
    price = "; its cost is unknown, since no price is" if cost is None else ""
    if cost is not None:
        price = f" and costs {said(cost.value.expected, 'USD')} ({said_range(cost.value, 'USD')})"
    counted = "samples" if plan.setup.shape.kind == "other" else "tokens"
    return (
        f"{verb} {plan.setup.shape.name} on {large(plan.setup.tokens)} {counted} with {plan.gpus:,} × "
        f"{plan.setup.gpu.name} takes {time}{price}."
    )
