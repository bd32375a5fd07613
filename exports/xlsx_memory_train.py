"""The workbook of a training run's memory: states, activations and buffers of the first and the last pipeline stage, of
which the fuller one counts (`core.estimate.training_parts`)."""

from __future__ import annotations

from core.estimate.activations import STORED, STORED_FULL, STORED_WRITTEN_OUT, ffn_width_per_token
from core.estimate.memory_parts import GPU_CONTEXT
from core.estimate.ranges import Range
from core.estimate.shape import ModelShape
from core.estimate.training_parts import _BLOCK_8BIT, _BUCKET, _FRAGMENTED, _LIVE, _NCCL
from core.estimate.training_plan import METHODS, OPTIMIZERS, RECOMPUTE, TrainingPlan
from core.estimate.weight_formats import stored_weights
from exports.formulas import Formula
from exports.xlsx_book import Book, Result, Row, Section
from exports.xlsx_rows import given, held_by_gpu, lora_parameters, model_section, ranged, step

ZERO, KORTHIKANTI = "arXiv 1910.02054, § 3 and 5", "arXiv 2205.05198, § 4"
PARTS = {
    "weights_bytes": "weights",
    "gradients_bytes": "gradients",
    "optimizer_bytes": "optimizer_states",
    "master_weights_bytes": "master_copy",
    "activations_bytes": "activations",
    "recomputed_layer_bytes": "again",
    "logits_bytes": "logits",
    "buffers_bytes": "buffers",
    "overhead_bytes": "overhead",
}
"""Keys of figures, and the ends of their cells' names."""
LABELS = (
    "Weights",
    "Gradients",
    "Optimizer states",
    "Master weights",
    "Activations",
    "Layer being recomputed",
    "Logits and loss",
    "Buffers for communication",
    "Framework",
)


def train_memory_book(shape: ModelShape, plan: TrainingPlan, notes: tuple[str, ...]) -> Book:
    stages = tuple(_stage(name, shape, last=name == "last") for name in ("first", "last"))
    results = {key: Result.of(f"fuller_{part}") for key, part in PARTS.items()}
    return Book(
        inputs=(_run(plan), _split(plan), _bytes(shape, plan), _implementation(plan), model_section(shape)),
        steps=(_everywhere(shape), *stages, _fuller()),
        results=results | {"memory_per_gpu_bytes": Result.of("whole"), "states_bytes": Result.exactly("states_alone")},
        notes=notes,
    )


def _run(plan: TrainingPlan) -> Section:
    return Section(
        "The run",
        (
            Row(name="method", label="What is trained", expected=plan.method, choices=METHODS),
            Row(name="optimizer", label="Optimizer", expected=plan.optimizer, choices=OPTIMIZERS),
            Row(name="recompute", label="Activations recomputed", expected=plan.recompute, choices=RECOMPUTE),
            Row(name="lora_rank", label="Rank of LoRA's adapters", expected=plan.lora_rank),
            Row(name="micro_batch", label="Samples of one GPU at once", expected=plan.micro_batch),
            Row(name="sequence_tokens", label="Length of a sample", expected=plan.sequence_length, unit="tokens"),
        ),
    )


def _split(plan: TrainingPlan) -> Section:
    rows = (
        ("tensor_parallel", "Tensor parallel over GPUs", plan.tensor_parallel),
        ("pipeline_parallel", "Pipeline stages", plan.pipeline_parallel),
        ("data_parallel", "Data parallel over GPUs", plan.data_parallel),
        ("zero_stage", "ZeRO stage, 0 to 3", plan.zero),
        ("in_flight", "Micro-batches that the first stage holds", plan.in_flight),
        ("sequence_parallel", "1: norms are split too (sequence parallel)", float(plan.sequence_parallel)),
        ("offloaded", "1: states live in the host's memory", float(plan.offload_optimizer)),
    )
    return Section("Over GPUs", tuple(Row(name=name, label=label, expected=value) for name, label, value in rows))


def _bytes(shape: ModelShape, plan: TrainingPlan) -> Section:
    gradients = 4.0 if plan.precision == "fp32" else float(plan.gradient_bytes)
    frozen = stored_weights(shape, "nf4").total_bytes / shape.parameters
    rows = (
        ("weight_bytes", f"Of a weight, {plan.precision}", plan.weight_bytes, "bytes"),
        ("gradient_bytes", "Of a gradient", gradients, "bytes"),
        ("master_bytes", "Of a master weight; 0 without", 4.0 if plan.has_master_weights else 0.0, "bytes"),
        ("adapter_bytes", "Of an adapter's weight", plan.adapter_bytes, "bytes"),
        ("frozen_nf4_bytes", "Of a weight of QLoRA, mean", frozen, "bytes"),
        ("activation_bytes", "Of an activation", plan.step(shape).element_bytes, "bytes"),
        ("dropout", "1: with the masks of dropout", float(plan.step(shape).dropout), ""),
        ("flash_attention", "1: attention is not written out", float(plan.flash_attention), ""),
        ("ffn_per_token", "Units of the FFN that a token passes", ffn_width_per_token(shape), ""),
        ("largest_layer_parameters", "Of the largest layer", shape.largest_layer_parameters, ""),
        ("sample_numbers", "Kept of a sample without layers", shape.activation_elements_per_sample, ""),
    )
    return Section("Bytes", tuple(Row(name=n, label=label, expected=v, unit=unit) for n, label, v, unit in rows))


def _implementation(plan: TrainingPlan) -> Section:
    copies = Range(1.0, 1.5, 2.0) if plan.precision == "fp8" else Range.exactly(1.0)
    kept, judged = "measured, core.estimate.activations", "judgement"
    return Section(
        "How a framework does it",
        (
            given("copies", "Copies of the weights, for fp8", copies, "", "Transformer Engine"),
            given("kept", "Kept of what is counted", STORED, "", kept),
            given("kept_written_out", "… where attention is written out", STORED_WRITTEN_OUT, "", kept),
            given("kept_full", "… with full recomputation", STORED_FULL, "", kept),
            given("logit_bytes", "Of a logit, around the loss", Range(4.0, 8.0, 16.0), "bytes", KORTHIKANTI),
            given("gpu_context", "Context, libraries, kernels", GPU_CONTEXT, "bytes", judged),
            given("nccl", "Buffers of a group of GPUs", _NCCL, "bytes", judged),
            given("fragments", "What comes and goes, with unused ends", _FRAGMENTED, "", judged),
            Row(name="bucket", label="Numbers of a bucket", expected=_BUCKET, source="DeepSpeed"),
            Row(name="live_parameters", label="Parameters gathered at once", expected=_LIVE, source="DeepSpeed"),
        ),
    )


def _everywhere(shape: ModelShape) -> Section:
    """What both stages share."""
    width, adapters = lora_parameters("experts")
    eight, rare = 2 * (1 + 4 / _BLOCK_8BIT), '4*MIN(1,2/IF(method="full",MAX(hidden,1),lora_rank))'
    rare = "4" if shape.kind == "other" else rare
    plain = f'IF(optimizer="sgd",0,IF(optimizer="sgd_momentum",4,{rare}))'
    moments = f'IF(optimizer="adam",8,IF(optimizer="adam8bit",{eight!r},{plain}))'
    stored = 'IF(recompute="full",kept_full{0},IF(AND(flash_attention=0,recompute="none"),kept_written_out{0},kept{0}))'
    gathered = '(frozen_bytes+IF(method="full",weight_bytes,0))*largest_layer_parameters/tensor_parallel'
    unpacked = 'IF(method="qlora",2*hidden*MAX(ffn,heads*head_dim)/tensor_parallel,0)'
    return Section(
        "Everywhere",
        (
            width,
            step("adapters", "Parameters of adapters", f'IF(method="full",0,{adapters})', "", "arXiv 2106.09685"),
            step("frozen_bytes", "Of a weight", 'IF(method="qlora",frozen_nf4_bytes,weight_bytes)', "bytes"),
            step("moments_bytes", "Of an optimizer's states", moments, "bytes", ZERO),
            ranged("stored", "Kept of what is counted", stored),
            step(
                "gathered_bytes",
                "ZeRO-3's largest layer",
                f"IF(OR(zero_stage<3,data_parallel=1),0,{gathered})",
                "bytes",
            ),
            step("unpacked_bytes", "QLoRA's unpacked matrix", unpacked, "bytes"),
            *_layer(shape),
        ),
    )


def _layer(shape: ModelShape) -> tuple[Row, ...]:
    """Kept of one layer until its backward pass."""
    if shape.kind == "other":
        names = ("around_bytes", "inside_bytes", "core_bytes", "layer_bytes", "ends_bytes")
        return tuple(step(name, "Of a layer: not known", "0", "bytes") for name in names)
    shared = "IF(sequence_parallel=1,tensor_parallel,1)"
    copies = "IF(experts>0,2*experts_per_token,0)"
    around = f"micro_batch*sequence_tokens*((4+{copies})*hidden*activation_bytes+dropout*2*hidden)/{shared}"
    keys = "2*kv_heads*head_dim/MIN(tensor_parallel,MAX(kv_heads,1))"
    units = "IF(ffn_matrices=3,4,2)*ffn_per_token/tensor_parallel"
    inside = f"micro_batch*sequence_tokens*(2*heads*head_dim/tensor_parallel+{keys}+{units})*activation_bytes"
    masks = "(activation_bytes+dropout*(1+activation_bytes))"
    core = f"micro_batch*sequence_tokens*heads/tensor_parallel*IF(flash_attention=1,4,sequence_tokens*{masks})"
    full = f"micro_batch*sequence_tokens*hidden*activation_bytes/{shared}"
    rest = 'around_bytes+inside_bytes+IF(recompute="selective",0,core_bytes)'
    ends = f"micro_batch*sequence_tokens*hidden*(2*activation_bytes+dropout)/{shared}"
    return (
        step("around_bytes", "Around the blocks of a layer", around, "bytes", KORTHIKANTI),
        step("inside_bytes", "Inside the blocks", inside, "bytes", KORTHIKANTI),
        step("core_bytes", "The attention's core", core, "bytes", KORTHIKANTI),
        step("layer_bytes", "Kept of a layer", f'IF(recompute="full",{full},{rest})', "bytes"),
        step("ends_bytes", "Kept outside the layers", ends, "bytes", KORTHIKANTI),
    )


def _stage(name: str, shape: ModelShape, *, last: bool) -> Section:
    """One GPU of the first or the last stage; they are one without a pipeline."""
    at_end = "1" if last else "IF(pipeline_parallel=1,1,0)"
    tied = "IF(embedding_parameters<head_parameters,head_parameters,embedding_parameters)"
    held = held_by_gpu("head_parameters" if last else tied)
    own = f'IF(method="full",{name}_held,adapters*{name}_held/parameters)'
    here, share = "IF(offloaded=1,0,1)", "IF(zero_stage>={},data_parallel,1)"
    weights = (
        f'({name}_held*frozen_bytes+IF(method="full",0,{name}_trained)*adapter_bytes)/{share.format(3)}*copies{{0}}'
    )
    rows = (
        step(f"{name}_held", "Parameters held, before ZeRO", held),
        step(f"{name}_trained", "Parameters trained", own),
        ranged(f"{name}_weights", LABELS[0], weights, unit="bytes", source=ZERO),
        _exact(name, 1, f"{name}_trained*gradient_bytes/{share.format(2)}*{here}"),
        _exact(name, 2, f"{name}_trained*moments_bytes/{share.format(1)}*{here}"),
        _exact(name, 3, f"{name}_trained*master_bytes/{share.format(1)}*{here}"),
        *_moving(name, shape, at_end, flights="1" if last else "in_flight"),
        _buffers(name),
        ranged(f"{name}_overhead", LABELS[8], _overhead(name), unit="bytes", source="judgement"),
        step(f"{name}_whole", "All of it", "+".join(f"{name}_{part}" for part in PARTS.values()), "bytes"),
    )
    return Section(f"The {name} stage", rows)


def _exact(name: str, at: int, formula: str) -> Row:
    return ranged(f"{name}_{list(PARTS.values())[at]}", LABELS[at], formula, unit="bytes", source=ZERO)


def _moving(name: str, shape: ModelShape, at_end: str, *, flights: str) -> tuple[Row, ...]:
    """What comes and goes with each step."""
    layers = f"ROUNDUP(layers/pipeline_parallel,0)*layer_bytes*{flights}+{at_end}*ends_bytes"
    kept = f"sample_numbers*activation_bytes*micro_batch*{flights}" if shape.kind == "other" else layers
    numbers = "micro_batch*sequence_tokens*vocabulary/tensor_parallel"
    logits = f"{at_end}*IF(head_parameters>0,{numbers},0)*logit_bytes{{0}}"
    again = 'IF(recompute="none",0,IF(recompute="selective",core_bytes,around_bytes+inside_bytes+core_bytes))'
    more = f"MAX(0,{again}*kept{{0}}-{name}_logits{{0}})"
    three = [f"{name}_more{end}" for end in ("_low", "", "_high")]
    listed = ",".join(three)
    return (
        step(f"{name}_kept", "Activations, as counted", kept, "bytes", KORTHIKANTI),
        ranged(f"{name}_activations", LABELS[4], f"stored{{0}}*{name}_kept", unit="bytes", source=KORTHIKANTI),
        ranged(f"{name}_logits", LABELS[6], logits, unit="bytes", source=KORTHIKANTI),
        ranged(f"{name}_more", "What a recomputed layer takes beyond the logits", more, unit="bytes"),
        Row(
            name=f"{name}_again",
            label=LABELS[5],
            unit="bytes",
            low=Formula(f"MIN({listed})"),
            expected=Formula(f"{'+'.join(three)}-MIN({listed})-MAX({listed})"),
            high=Formula(f"MAX({listed})"),
        ),
    )


def _buffers(name: str) -> Row:
    """Where gradients and gathered weights are put together; by ZeRO's stage."""
    bucket, live = f"weight_bytes*MIN(bucket,{name}_trained)", f"weight_bytes*MIN(live_parameters,{name}_held)"
    ends = (
        ("gathered_bytes", "0", "0"),
        ("gathered_bytes", bucket, f"MIN(50000000,{name}_trained)"),
        (f"gathered_bytes+{live}", f"4.5*{bucket}", f"4*{name}_trained"),
    )
    by_stage = "unpacked_bytes+IF(data_parallel=1,0,IF(zero_stage=3,{},IF(zero_stage>0,{},{})))"
    low, expected, high = (Formula(by_stage.format(*one)) for one in ends)
    return Row(
        name=f"{name}_buffers", label=LABELS[7], unit="bytes", low=low, expected=expected, high=high, source="DeepSpeed"
    )


def _overhead(name: str) -> str:
    groups = "IF(tensor_parallel*pipeline_parallel*data_parallel>1,nccl{0},0)"
    moving = f"({name}_activations+{name}_logits+{name}_again)*(fragments{{0}}-1)"
    return f"gpu_context{{0}}+{groups}+{moving}"


def _fuller() -> Section:
    fuller = "IF(AND(pipeline_parallel>1,last_whole>first_whole),last_{0},first_{0})"
    rows = []
    for part, label in zip(PARTS.values(), LABELS, strict=True):
        rows.append(ranged(f"fuller_{part}", label, fuller.format(f"{part}{{0}}"), unit="bytes"))
    whole = "+".join(f"fuller_{part}{{0}}" for part in PARTS.values())
    states = [f"fuller_{part}" for part in ("weights", "gradients", "optimizer_states", "master_copy")]
    rows.append(step("states_alone", "Model states alone", "+".join((*states, "gathered_bytes")), "bytes", ZERO))
    return Section("Of the fuller one", (*rows, ranged("whole", "Memory of one GPU", whole, unit="bytes")))
