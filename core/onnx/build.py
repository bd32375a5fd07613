"""A decoder's safetensors become an ONNX model through ONNX Runtime GenAI's model builder.

Runs torch, so it is only called from `core export` (a process of its own), never from the serving path. Only the last
position's logits are computed (`prune_lm_head`): a prompt of 2,000 tokens would otherwise make 400 MB of them.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from core.artefacts import Progress
from core.errors import ExportFailed, GroundworkError

# Block sizes to try in turn: the first that passes its proof is kept. Measured on SmolLM2-135M, 2 cores (see
# docs/decisions.md): 64 decodes faster than 32 and 128, and passes the int8 bar; 32 is closer to fp32.
BLOCK_SIZES: dict[str, tuple[int, ...]] = {"int8": (64, 32), "int4": (32,), "fp32": (0,), "fp16": (0,), "bf16": (0,)}


class UnknownToBuilder(ExportFailed):
    """The architecture has to be exported another way."""


def build_decoder(
    source: Path, target: Path, *, precision: str, device: str, block_size: int, progress: Progress
) -> None:
    """Write model.onnx, its data, genai_config.json and the tokenizer into `target`.

    source: folder with safetensors, config.json and tokenizer.json. block_size: weights per quantisation scale, 0 for
    none. Raises UnknownToBuilder for an architecture that the builder does not know, ExportFailed when it fails.
    """
    options = ["prune_lm_head=true"]
    if block_size:
        options.append(f"block_size={block_size}")
    if _mlp_is_gated(source):
        options.append("fuse_mlp_gate_up=true")
    if precision == "int4":
        options += ["algo_config=k_quant", "matmul_mixed_precision=last_matmul:int8"]
    progress(0.05, f"Building the {precision} model")
    with quiet():
        from onnxruntime_genai.models.builder import create_model, parse_extra_options

        cache = target / "builder-cache"
        try:
            extra = parse_extra_options(None, str(source), str(target), precision, device, str(cache), options)
            create_model(None, str(source), str(target), precision, device, str(cache), **extra)
        except NotImplementedError as error:
            architecture = json.loads((source / "config.json").read_text()).get("architectures", ["?"])[0]
            raise UnknownToBuilder(
                f"The ONNX builder does not know the architecture {architecture}: {_sentence(error)}",
                next_step="Run this model with the torch backend.",
            ) from error
        except (ValueError, KeyError, AttributeError, RuntimeError) as error:
            if block_size and "reshape" in str(error):
                raise ExportFailed(
                    f"This network's widths do not fit {precision}: they are no multiples of {block_size}.",
                    next_step="Choose another precision.",
                ) from error
            raise ExportFailed(
                f"The {precision} model could not be built: {_sentence(error)}",
                next_step="Run this model with the torch backend, or choose another precision.",
            ) from error
    if cache.exists():
        shutil.rmtree(cache)
    if not (target / "model.onnx").is_file():
        raise ExportFailed("The ONNX builder wrote no model.onnx.", next_step="Run this model with the torch backend.")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' chatter off the terminal and out of --json; it is shown when something unforeseen happens."""
    said = io.StringIO()
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # handlers hold on to the stream that they were made with
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            yield
    except (GroundworkError, OSError):  # these say it all
        raise
    except Exception:
        sys.stderr.write(said.getvalue()[-4_000:])
        raise
    finally:
        logging.disable(before)


def _sentence(error: Exception) -> str:
    return f"{' '.join(str(error).split()).rstrip('.')}."


def _mlp_is_gated(source: Path) -> bool:
    return json.loads((source / "config.json").read_text()).get("model_type") in ("llama", "mistral", "qwen2", "qwen3")
