"""`RunFolder`: where one fine-tune keeps its files, `home/finetunes/<job id>/`.

data/ (the rows as they were cleaned and split), checkpoints/, trained.json (how the training ended), model/, adapter/
(of LoRA), report.json. A part is whole or absent.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.artefacts import folder_bytes, read_json, write_json
from core.errors import CorruptFile
from core.jobs import log_path
from core.settings import get_settings
from core.training.checkpoints import step_of, whole_checkpoints
from core.training.data.prepared import DataRecord
from core.training.evaluation.report import EvaluationReport, from_json

_TAIL_BYTES = 64_000


def runs_home() -> Path:
    """The folder that holds all runs."""
    return get_settings().home / "finetunes"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """job_id: of the fine-tune. Nothing is made by looking."""

    job_id: str

    @property
    def path(self) -> Path:
        return runs_home() / self.job_id

    @property
    def data_folder(self) -> Path:
        return self.path / "data"

    @property
    def checkpoints_folder(self) -> Path:
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """The trained model, as the catalogue adds it; there once the run is done."""
        return self.path / "model"

    @property
    def adapter(self) -> Path:
        """The weights that LoRA trained, alone; there for LoRA runs that are done."""
        return self.path / "adapter"

    def checkpoints(self) -> list[int]:
        """Steps whose checkpoint is whole, the earliest first."""
        return [step_of(path) for path in whole_checkpoints(self.checkpoints_folder)]

    def data_record(self) -> DataRecord | None:
        """What was done to the rows that it learns from; None before they are prepared. Raises CorruptFile."""
        from core.training.data.kept import load_record

        return load_record(self.data_folder) if self.data_folder.is_dir() else None

    def trained(self) -> dict[str, Any] | None:
        """How the training ended ({"step", "best_step", "why"}); None while it has not."""
        return self._json("trained.json")

    def set_trained(self, values: dict[str, Any]) -> None:
        write_json(self.path / "trained.json", values)

    def report(self) -> EvaluationReport | None:
        """What the model is worth; None before it is known. Raises CorruptFile."""
        values = self._json("report.json")
        return None if values is None else from_json(values)

    def set_report(self, report: EvaluationReport) -> None:
        write_json(self.path / "report.json", report.to_json())

    def forget_results(self) -> None:
        """Drop what came out: the training is to go on."""
        for name in ("trained.json", "report.json"):
            (self.path / name).unlink(missing_ok=True)
        for folder in (self.model, self.adapter):
            shutil.rmtree(folder, ignore_errors=True)

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of what its process printed."""
        try:
            with log_path(self.job_id).open("rb") as log:
                log.seek(max(log.seek(0, 2) - _TAIL_BYTES, 0))
                return "\n".join(log.read().decode("utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def size_bytes(self) -> int:
        return folder_bytes(self.path) if self.path.is_dir() else 0

    def delete(self) -> None:
        """Remove all of it from the disk."""
        shutil.rmtree(self.path, ignore_errors=True)
        log_path(self.job_id).unlink(missing_ok=True)

    def _json(self, name: str) -> dict[str, Any] | None:
        file = self.path / name
        try:
            values: dict[str, Any] | None = read_json(file)
            return values
        except (OSError, ValueError) as error:
            raise CorruptFile(f"{file} is damaged: {error}.", next_step="Resume the run: it is made again.") from error
