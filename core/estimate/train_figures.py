"""The figures of a training run: each with its formula, its inputs, and what its range comes from."""

from __future__ import annotations

from dataclasses import dataclass

from core.estimate.energy import PUE, footprint
from core.estimate.figures import Driver, Figure, Input
from core.estimate.hour_price import HourPrice
from core.estimate.ranges import Range
from core.estimate.training import QLORA_SLOWER, Training

KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, § 2.1"
MEGATRON = "Narayanan et al. 2021, arXiv 2104.04473, § 5.1"
PALM = "Chowdhery et al. 2022, arXiv 2204.02311, appendix B"
ROUNDED = 0.02  # published totals have two digits: 3.8e25 for 3.79e25
CHINCHILLA_TOKENS_PER_PARAMETER = 20  # Hoffmann et al. 2022, arXiv 2203.15556, table 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """figures: by key, in the order of a page. notes: what was assumed, and what is not known and why."""

    training: Training
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]

    def get(self, key: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.key == key), None)


def report(training: Training, *, price: HourPrice, region: str | None = None, pue: float | None = None) -> TrainReport:
    """price: a GPU without one has no cost, and a note. Raises InvalidInput for an unknown region."""
    figures = [*_work(training), *_speed(training), *_time(training)]
    notes = [f"Assumed: {'; '.join(training.plan.assumed)}."] if training.plan.assumed else []
    notes += [*_warnings(training), *price.notes]
    if price.usd_per_gpu_hour is not None:
        hours = next(figure for figure in figures if figure.key == "gpu_hours")
        figures.append(_cost(training, price.usd_per_gpu_hour, price.source, hours.drivers))
    spent = footprint(
        training.gpu_hours,
        training.plan.setup.gpu,
        region=region,
        pue=PUE if pue is None else Range.exactly(pue),
    )
    figures += [figure for figure in (spent.energy_kwh, spent.co2e_kg) if figure is not None]
    return TrainReport(training=training, figures=tuple(figures), notes=(*notes, *spent.notes))


def _work(training: Training) -> list[Figure]:
    plan, setup = training.plan, training.plan.setup
    inputs = (
        Input("N, parameters of a token", setup.shape.active_parameters, "", setup.shape.source),
        Input("D, tokens", setup.tokens),
    )
    ends = sorted((training.total_flops, training.exact_flops))
    rule = Range(ends[0] * (1 - ROUNDED), training.total_flops, ends[1] * (1 + ROUNDED))
    reduced = "" if setup.method == "full" else r"\cdot \tfrac{2}{3}"
    found = [
        Figure(
            key="total_flops",
            label="Operations, by 6ND" if setup.method == "full" else "Operations, by 4ND: most weights are frozen",
            unit="FLOP",
            value=Range(rule.low, training.total_flops, rule.high),
            formula=rf"C = 6\,N\,D{reduced}",
            source=f"{KAPLAN}. Range: what the exact count says, and 2 % of rounding, as published totals have it",
            inputs=inputs,
            drivers=(Driver("what is counted", rule.low, rule.high),),
        ),
        Figure(
            key="exact_flops",
            label="Operations, attention and logits counted",
            unit="FLOP",
            value=Range.exactly(training.exact_flops),
            formula=r"C = 3\,D\,\left(2N_{mat} + 4\,l\,a\,d\,\bar{s}\right)",
            source=f"{MEGATRON}; a causal model attends to half of the square",
            inputs=(*inputs, Input("sequence length", plan.sequence_length, "tokens")),
        ),
        Figure(
            key="hardware_flops",
            label="Operations done: recomputed, and the attention's whole square",
            unit="FLOP",
            value=Range.exactly(training.hardware_flops),
            formula=r"C_{hw} = C_{s^2} + C_{re}",
            source="Korthikanti et al. 2022, arXiv 2205.05198, § 5; the whole square of the attention",
            inputs=(Input("recomputation", plan.recompute),),
        ),
    ]
    if setup.method == "full":
        found.append(
            Figure(
                key="chinchilla_tokens",
                label="Tokens that are optimal for this size",
                unit="tokens",
                value=Range.exactly(CHINCHILLA_TOKENS_PER_PARAMETER * setup.shape.active_parameters),
                formula=r"D^{*} \approx 20\,N",
                source="Hoffmann et al. 2022, arXiv 2203.15556, table 3",
                inputs=inputs[:1],
            )
        )
    return found


def _speed(training: Training) -> list[Figure]:
    plan, setup = training.plan, training.plan.setup
    known = training.efficiency
    measured = setup.hfu is not None
    source = (
        "your measurements"
        if measured
        else f"a model fitted to {known.rows} published rows; nearest: "
        + "; ".join(f"{name} {hfu:.0%}" for name, hfu, _ in known.nearest)
    )
    inputs = (
        Input("GPUs", plan.gpus),
        Input("peak of one", training.peak_flops_per_s, "FLOP/s", setup.gpu.source),
        Input("efficiency (HFU)", training.hfu.expected, "share", source),
    )
    return [
        Figure(
            key="hfu",
            label="Share of the peak, recomputation counted",
            unit="share",
            value=training.hfu,
            formula=r"\ln \mathrm{HFU} = \beta_0 + \sum_i \beta_i x_i",
            source=source,
            inputs=tuple(Input(name, hfu, "share", where) for name, hfu, where in known.nearest),
            measurement_ids=setup.measurement_ids,
        ),
        Figure(
            key="mfu",
            label="Share of the peak that trains the model",
            unit="share",
            value=training.mfu,
            formula=r"\mathrm{MFU} = \frac{C_{s^2}}{t \cdot n \cdot P}",
            source=PALM,
            inputs=inputs,
            measurement_ids=setup.measurement_ids,
        ),
        Figure(
            key="tflops_per_gpu",
            label="Speed of one GPU, recomputation counted",
            unit="TFLOP/s",
            value=training.tflops_per_gpu,
            formula=r"\frac{C_{hw}}{t \cdot n}",
            source=MEGATRON,
            inputs=inputs,
            measurement_ids=setup.measurement_ids,
        ),
        Figure(
            key="step_s",
            label="Time of one step",
            unit="s",
            value=training.step_s,
            formula=r"t_{step} = \frac{C_{hw}\,B}{n\,P\,\mathrm{HFU}} + t_{update} + t_{links}",
            source=f"{MEGATRON}; update and slow links as core/estimate says",
            inputs=(
                *inputs,
                Input("tokens of a step", plan.batch_tokens),
                Input("update", training.optimizer_s, "s", "computed"),
                Input("slow links", training.communication.extra_s, "s", "computed"),
            ),
            drivers=_step_drivers(training),
            measurement_ids=setup.measurement_ids,
        ),
        Figure(
            key="tokens_per_s",
            label="Speed of the cluster",
            unit="tokens/s",
            value=training.tokens_per_s,
            formula=r"\frac{B}{t_{step}}",
            source="definition",
            measurement_ids=setup.measurement_ids,
        ),
    ]


def _time(training: Training) -> list[Figure]:
    plan = training.plan
    lost = training.lost
    inputs = (
        Input("steps", plan.steps, "", "computed"),
        Input("time of one step", training.step_s.expected, "s", "computed"),
        Input(
            "lost to restarts", lost.expected, "", "Llama 3, arXiv 2407.21783, § 3.3.4: 419 interruptions in 54 days"
        ),
    )

    def drivers(scale: float) -> tuple[Driver, ...]:
        steps = plan.steps * scale / (1 - lost.expected)
        found = [Driver(one.name, one.low * steps, one.high * steps) for one in _step_drivers(training)]
        whole = training.step_s.expected * plan.steps * scale
        if lost.high > 0.001:
            found.append(Driver("restarts", whole / (1 - lost.low), whole / (1 - lost.high)))
        return tuple(found)

    formula = r"\frac{D}{B} \cdot \frac{t_{step}}{1 - f_{lost}}"
    return [
        Figure(
            key="days",
            label="Time of the run",
            unit="days",
            value=training.days,
            formula=rf"T = {formula}",
            source=MEGATRON,
            inputs=inputs,
            drivers=drivers(1 / 86_400),
            measurement_ids=plan.setup.measurement_ids,
        ),
        Figure(
            key="gpu_hours",
            label="GPU-hours",
            unit="GPU-hours",
            value=training.gpu_hours,
            formula=r"n \cdot T",
            source="definition",
            inputs=(*inputs, Input("GPUs", plan.gpus)),
            drivers=drivers(plan.gpus / 3_600),
            measurement_ids=plan.setup.measurement_ids,
        ),
    ]


def _step_drivers(training: Training) -> tuple[Driver, ...]:
    """The step with one factor at its ends: what is not arithmetic stays as it is."""
    fixed = training.optimizer_s + training.communication.extra_s
    work, hfu = training.step_s.expected - fixed, training.hfu
    found = [Driver("efficiency", work * hfu.expected / hfu.high + fixed, work * hfu.expected / hfu.low + fixed)]
    if training.plan.setup.method == "qlora":
        ends = (QLORA_SLOWER.low / QLORA_SLOWER.expected, QLORA_SLOWER.high / QLORA_SLOWER.expected)
        found.append(Driver("unpacking 4-bit weights", work * ends[0] + fixed, work * ends[1] + fixed))
    return tuple(found)


def _cost(training: Training, price: Range, source: str, of_hours: tuple[Driver, ...]) -> Figure:
    """of_hours: the drivers of the GPU-hours."""
    hours = training.gpu_hours
    drivers = [Driver(one.name, one.low * price.expected, one.high * price.expected) for one in of_hours]
    if price.low < price.high:
        drivers.append(Driver("price of a GPU-hour", hours.expected * price.low, hours.expected * price.high))
    return Figure(
        key="cost_usd",
        label="Cost of the run",
        unit="USD",
        value=hours * price,
        formula=r"n \cdot T \cdot p_{GPU\text{-}hour}",
        source="definition",
        inputs=(
            Input("GPU-hours", hours.expected, "", "computed"),
            Input("price of a GPU-hour", price.expected, "USD", source),
        ),
        drivers=tuple(sorted(drivers, key=lambda one: one.low - one.high)),
        measurement_ids=training.plan.setup.measurement_ids,
    )


def _warnings(training: Training) -> list[str]:
    setup = training.plan.setup
    found = []
    if not training.efficiency.seen and setup.hfu is None:
        found.append(
            f"No published run on {setup.gpu.name} is in the fit: its efficiency is inferred from other GPUs, and the "
            "range is wider."
        )
    if not setup.shape.exact:
        found.append(
            "Layers, width and KV heads were inferred from the parameter count; give the architecture for the "
            "attention's exact share."
        )
    if training.plan.steps < 1:
        found.append(
            f"One step reads {training.plan.batch_tokens:,.0f} tokens, more than the run has: the time is of a part of "
            "a step. Take a smaller global_batch."
        )
    if setup.shape.kind == "other" and setup.hfu is None:
        found.append(
            "No such network is among the published runs: its efficiency is taken as half of a language model's, in a "
            "wide range. Give your measured share of the peak."
        )
    tokens_per_parameter = setup.tokens / setup.shape.active_parameters
    if setup.method == "full" and setup.shape.kind == "decoder" and tokens_per_parameter > 200:
        found.append(
            "More than ten times the tokens that are optimal for training alone: it pays when serving costs more."
        )
    return found
