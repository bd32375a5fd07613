"""Decode speed on one machine: our loop, a bare ONNX Runtime GenAI loop, transformers, and llama.cpp where installed.

The contenders take turns within each round, so that a machine whose speed drifts drifts for all of them; medians over
the rounds. All answer the same prompt, for at most the same number of tokens. Every figure is decode tokens/s: tokens
after the first over the time they took.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.generation.engine import Engine
from core.generation.request import GenerationRequest, Message, SamplingParameters
from core.models import catalogue
from core.models.tokenizer import Tokenizer
from core.onnx.devices import resolve_device
from core.onnx.exports import ensure_export
from core.onnx.session import overlay
from core.settings import get_settings

PROMPT = "Write a long story about a fox and a river."
Contender = Callable[[int], float]


def run(model_id: str, *, repeats: int, tokens: int) -> dict[str, Any]:
    """Medians of decode tokens/s, and the ratios the project promises. On the CPU: int8 against torch fp32."""
    device = resolve_device("cpu")
    export = ensure_export(model_id, precision="int8", device=device)
    folder = catalogue.prepare(model_id)
    contenders: dict[str, Contender] = {
        "ours_int8": _ours(model_id, sampling=True),
        "bare_genai_int8": _bare(export.path, folder),
        "transformers_fp32": _transformers(folder),
    }
    llama = _llama_cpp(model_id)
    if llama:
        contenders["llama_cpp_q8_0"] = llama
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender(16)
    for _ in range(repeats):
        for name, contender in contenders.items():
            speeds[name].append(contender(tokens))
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    pairs = [(a / b) for a, b in zip(speeds["ours_int8"], speeds["bare_genai_int8"], strict=True)]
    peers = [(a / b) for a, b in zip(speeds["ours_int8"], speeds["transformers_fp32"], strict=True)]
    return {
        "model": model_id,
        "threads": get_settings().threads,
        "rounds": repeats,
        "new_tokens": tokens,
        "block_size": export.block_size,
        "mean_kl": export.proof.mean_kl,
        "tokens_per_s": medians,
        "all_tokens_per_s": speeds,
        "ratio_to_transformers": statistics.median(peers),
        "ratio_to_bare_loop": statistics.median(pairs),
        "load_s": _load_seconds(export.path, repeats),
        "peak_resident_bytes": _peak_resident_bytes(model_id),
    }


def as_table(figures: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    ours = figures["tokens_per_s"]["ours_int8"]
    names = {
        "ours_int8": "Groundwork, ONNX int8, sampling and top-5 alternatives",
        "bare_genai_int8": "bare ONNX Runtime GenAI loop, int8, greedy",
        "transformers_fp32": "transformers `generate`, eager fp32, greedy",
        "llama_cpp_q8_0": "llama.cpp, Q8_0, greedy",
    }
    rows = [
        f"{figures['model']}, {figures['threads']} threads, {figures['new_tokens']} new tokens, "
        f"median of {figures['rounds']} rounds",
        "",
        "| | tokens/s | ours ÷ it |",
        "| --- | ---: | ---: |",
    ]
    rows += [f"| {names[name]} | {value:.1f} | {ours / value:.2f} |" for name, value in figures["tokens_per_s"].items()]
    rows += [
        "",
        f"Load of a cached model {figures['load_s']:.2f} s; peak resident memory of `python -m core generate` "
        f"{figures['peak_resident_bytes'] / 1e6:.0f} MB; mean KL to fp32 {figures['mean_kl']:.4f} nats.",
    ]
    return "\n".join(rows)


def _ours(model_id: str, *, sampling: bool) -> Contender:
    engine = Engine()

    def contender(tokens: int) -> float:
        parameters = SamplingParameters(
            max_new_tokens=tokens,
            temperature=0.7 if sampling else 0.0,
            top_p=0.95,
            top_logprobs=5,
            seed=1,
        )
        request = GenerationRequest(
            model_id, parameters, messages=(Message("user", PROMPT),), precision="int8", backend="onnx", device="cpu"
        )
        stream = engine.stream(request)
        for _ in stream:
            pass
        return stream.completion.tokens_per_s or 0.0

    return contender


def _prompt_ids(folder: Path) -> list[int]:
    return Tokenizer.load(folder).encode_chat([("user", PROMPT)])


def _bare(export: Path, folder: Path) -> Contender:
    """The library's own loop and its own argmax, with our settings of the session: what our loop, sampler and
    alternatives are measured against."""
    import onnxruntime_genai as og

    config = og.Config(str(export))
    config.overlay(overlay(get_settings().threads))
    model = og.Model(config)
    ids = np.array(_prompt_ids(folder), dtype=np.int32)

    def contender(tokens: int) -> float:
        parameters = og.GeneratorParams(model)
        parameters.set_search_options(max_length=len(ids) + tokens + 1, do_sample=False)
        generator = og.Generator(model, parameters)
        generator.append_tokens(ids)
        generator.generate_next_token()
        started = time.perf_counter()
        made = 0
        while made < tokens - 1 and not generator.is_done():
            generator.generate_next_token()
            generator.get_next_tokens()
            made += 1
        return made / (time.perf_counter() - started)

    return contender


def _transformers(folder: Path) -> Contender:
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(get_settings().threads)
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, attn_implementation="eager"
    ).eval()
    ids = torch.tensor([_prompt_ids(folder)])

    def seconds(tokens: int) -> float:
        started = time.perf_counter()
        with torch.inference_mode():
            model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False
            )
        return time.perf_counter() - started

    def contender(tokens: int) -> float:
        first = seconds(1)
        return (tokens - 1) / max(seconds(tokens) - first, 1e-9)

    return contender


def _llama_cpp(model_id: str) -> Contender | None:
    """llama.cpp on a Q8_0 file made from the same weights, when llama-cpp-python is installed and loads here."""
    try:
        from benchmarks.llama_cpp_peer import open_peer
    except ImportError:
        return None
    folder = catalogue.prepare(model_id)
    tokenizer = Tokenizer.load(folder)
    return open_peer(
        model_id, threads=get_settings().threads, prompt_ids=_prompt_ids(folder), banned=tuple(tokenizer.eos_ids)
    )


def _load_seconds(export: Path, repeats: int) -> float:
    """Median seconds to load the export in a fresh process, imports included, files in the page cache."""
    code = (
        "import time; t = time.perf_counter()\n"
        "from pathlib import Path\n"
        "from core.onnx.session import open_model\nfrom core.models.tokenizer import Tokenizer\n"
        f"p = Path({str(export)!r}); open_model(p, device='cpu', threads={get_settings().threads}); Tokenizer.load(p)\n"
        "print(time.perf_counter() - t)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(repeats)
    ]
    return statistics.median(times)


def _peak_resident_bytes(model_id: str) -> int:
    """Peak resident memory of the command line while it answers, from the kernel's accounting of that one child."""
    code = (
        "import resource, subprocess, sys\n"
        f"subprocess.run([sys.executable, '-m', 'core', 'generate', '--model', {model_id!r}, '--prompt', {PROMPT!r},"
        " '--max-new-tokens', '64', '--json'], check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return int(printed) * (1 if sys.platform == "darwin" else 1024)
