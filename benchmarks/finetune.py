"""Steps a second of a fine-tune, ours beside plain HF Trainer with the same settings, in turns, as a ratio.

`.venv/bin/python -m benchmarks.finetune` on minilm-l6 (support tickets); `--recipe causal` is LoRA on SmolLM2-135M.
Ours records every step and looks whether it is to stop, and its checkpoints are flushed to the disk and free of
pickles; both evaluate and save as often.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

STEPS, EVERY = 40, 20


def run(recipe: str, rounds: int, steps: int = STEPS) -> dict[str, Any]:
    """Median steps/s of each and the median of the rounds' ratios, ours ÷ theirs."""
    seconds: dict[str, list[float]] = {"ours": [], "hf_trainer": []}
    for place in range(rounds):
        for name in ("ours", "hf_trainer") if place % 2 else ("hf_trainer", "ours"):
            seconds[name].append(_seconds(recipe, steps, ours=name == "ours"))
            print(f"round {place + 1}, {name}: {steps / seconds[name][-1]:.2f} steps/s", flush=True)
    ratios = [theirs / ours for ours, theirs in zip(seconds["ours"], seconds["hf_trainer"], strict=True)]
    return {
        "recipe": recipe,
        "steps": steps,
        "rounds": rounds,
        "steps_per_s": {name: steps / statistics.median(values) for name, values in seconds.items()},
        "ratio": statistics.median(ratios),
        "ratios": ratios,
    }


def _seconds(recipe: str, steps: int, *, ours: bool) -> float:
    """Seconds of one training, evaluations and checkpoints included; building and judging are not."""
    from core.artefacts import no_progress
    from core.settings import reload_settings
    from core.store.database import close_databases, open_database
    from core.store.jobs import JobRepository
    from core.training.config import parse_config, to_values
    from core.training.run import TRAIN, make, train
    from core.training.run_folder import RunFolder
    from core.training.sinks import RecordSink
    from core.training.trainer import make_arguments

    sample = {"classification": "support-tickets", "causal": "support-chats"}[recipe]
    training = {"steps": steps, "evaluate_every": EVERY, "seed": 1}
    config = parse_config({"recipe": recipe, "data": {"path": f"sample:{sample}"}, "training": training})
    home = Path(os.environ["GROUNDWORK_HOME"])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(home / "models")
        os.environ["GROUNDWORK_HOME"] = folder
        try:
            reload_settings()
            db = open_database()
            job, _ = JobRepository(db).create("finetune", "benchmark", {"config": to_values(config)})
            JobRepository(db).start(job.id)
            place = RunFolder(job.id)
            made = make(config, place, "cpu", no_progress)
            made.built.sample = None
            began = time.perf_counter()
            if ours:
                train(RecordSink(db, job.id, TRAIN), place, made)
            else:
                from transformers import Trainer

                arguments = make_arguments(
                    made.config.training,
                    made.built,
                    Path(folder) / "plain",
                    device="cpu",
                    steps=steps,
                    evaluate_every=EVERY,
                )
                arguments.eval_on_start = True
                arguments.save_total_limit = 2
                Trainer(
                    model=made.built.model,
                    args=arguments,
                    train_dataset=made.built.train,
                    eval_dataset=made.built.validation,
                    data_collator=made.built.collate,
                    processing_class=made.built.tokenizer,
                    compute_metrics=_measures(made.built.measures),
                ).train()
            return time.perf_counter() - began
        finally:
            close_databases()
            os.environ["GROUNDWORK_HOME"] = str(home)
            reload_settings()


def _measures(measures: Any) -> Any:
    return None if measures is None else lambda found: measures(found.predictions, found.label_ids)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recipe", choices=("classification", "causal"), default="classification")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--steps", type=int, default=STEPS)
    given = options.parse_args()
    from core.models import catalogue
    from core.settings import get_settings

    os.environ["GROUNDWORK_HOME"] = str(get_settings().home)
    for name in ("minilm-l6", "smollm2-135m-instruct"):
        catalogue.prepare(name)
    print(json.dumps(run(given.recipe, given.rounds, given.steps), indent=2))


if __name__ == "__main__":
    main()
