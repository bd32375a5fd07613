"""`RayFolder`: the files through which a fine-tune on a Ray cluster and the machine that submitted it meet.

`ray/` in the run's folder, on the storage that they share. task.json: what is to be done. submission.json: under which
id the cluster has it. live.jsonl: how it goes. wish: what the reader wants. failed.json, summary.json: how it ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.artefacts import read_json, write_json
from core.errors import CorruptFile, GroundworkError
from core.training.run_folder import RunFolder

ENDINGS = ("wish", "failed.json", "summary.json")


class RayFolder:
    """run: the fine-tune's folder. Nothing is made by looking."""

    def __init__(self, run: RunFolder) -> None:
        self.path = run.path / "ray"

    @property
    def live(self) -> Path:
        return self.path / "live.jsonl"

    def task(self) -> dict[str, Any] | None:
        """{"token", "config", "place"}; None where there is no such file: another machine's disk."""
        return self._read("task.json")

    def submission(self) -> dict[str, Any] | None:
        """{"id", "count", "address"} of the last one; None before the first."""
        return self._read("submission.json")

    def failure(self) -> dict[str, Any] | None:
        """{"happened", "allowed", "next_step"}: what the user is told, and nothing is tried again."""
        return self._read("failed.json")

    def summary(self) -> dict[str, Any] | None:
        return self._read("summary.json")

    def set_task(self, values: dict[str, Any]) -> None:
        write_json(self.path / "task.json", values)

    def set_submission(self, values: dict[str, Any]) -> None:
        write_json(self.path / "submission.json", values)

    def set_failure(self, error: GroundworkError) -> None:
        write_json(self.path / "failed.json", told_of(error))

    def set_summary(self, values: dict[str, Any]) -> None:
        write_json(self.path / "summary.json", values)

    def set_wish(self, wish: str) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "wish").write_text(wish, encoding="utf-8")

    def wish(self) -> str:
        file = self.path / "wish"
        return file.read_text(encoding="utf-8").strip() if file.is_file() else ""

    def forget_ending(self) -> None:
        """Before it is submitted anew."""
        for name in ENDINGS:
            (self.path / name).unlink(missing_ok=True)

    def _read(self, name: str) -> dict[str, Any] | None:
        file = self.path / name
        try:
            values: dict[str, Any] | None = read_json(file)
            return values
        except (OSError, ValueError) as error:
            raise CorruptFile(f"{file} cannot be read: {error}.", next_step="Resume the run.") from error


def told_of(error: GroundworkError) -> dict[str, str]:
    """What a file or a log line keeps of an error; `error_of` makes it one again."""
    return {"happened": error.happened, "allowed": error.allowed, "next_step": error.next_step}


def error_of(told: dict[str, Any]) -> GroundworkError:
    return GroundworkError(
        str(told.get("happened", "")), allowed=str(told.get("allowed", "")), next_step=str(told.get("next_step", ""))
    )
