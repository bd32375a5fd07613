"""The command lines that do what the page does, here and on more machines."""

from __future__ import annotations

from pathlib import Path


def command_lines(config_path: str, workers: int = 2) -> dict[str, str]:
    """By name: this machine's queue; several processes by accelerate or torchrun; a Ray cluster. config_path: as it is
    to stand in the command."""
    name = Path(config_path).name if "/" not in config_path else config_path
    return {
        "python": f"python -m core finetune {name}",
        "accelerate": f"accelerate launch --multi_gpu --num_processes {workers} -m core finetune {name} --here",
        "torchrun": f"torchrun --nproc_per_node {workers} -m core finetune {name} --here",
        "ray": f"RAY_ADDRESS=http://HEAD:8265 python -m core finetune {name} --ray --workers {workers}",
    }
