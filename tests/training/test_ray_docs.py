"""docs/ray.md: its commands, options and settings are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from core import __main__ as cli
from core.settings import Settings
from core.training import ray_cluster, ray_driver
from core.training.launchers import command_lines

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "ray.md").read_text(encoding="utf-8")
BLOCKS = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
OWN = [line for line in BLOCKS if "python -m core" in line]


def options_of(*names: str) -> set[str]:
    command = typer.main.get_command(cli.app)
    for name in names:
        command = command.commands[name]  # type: ignore[attr-defined]
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("line", [*OWN, command_lines("core/training/configs/regression.yaml")["ray"]])
def test_a_command_has_the_options_that_the_command_line_has(line: str) -> None:
    words = shlex.split(line)
    given = {word for word in words if word.startswith("--")}
    assert "--ray" in given
    assert given <= options_of("finetune")
    assert all((ROOT / word).is_file() for word in words if word.endswith(".yaml"))


def test_commands_within_the_text_are_there() -> None:
    found = re.findall(r"`(?:python -m core )?jobs (\w+)", TEXT)
    assert set(found) == {"list", "show", "cancel", "resume"}
    for name in found:
        options_of("jobs", name)


def test_ray_start_takes_the_options_that_are_shown() -> None:
    scripts = pytest.importorskip("ray.scripts.scripts")
    known = {option for parameter in scripts.start.params for option in parameter.opts}
    lines = [line for line in BLOCKS if line.startswith("ray start")]
    assert len(lines) == 2
    for line in lines:
        assert {word.partition("=")[0] for word in shlex.split(line) if word.startswith("--")} <= known


def test_settings_files_and_figures_that_are_named_are_there() -> None:
    for name in re.findall(r"GROUNDWORK_(\w+)", TEXT):
        assert name.lower() in Settings.model_fields
    for name in re.findall(r"-r (requirements[\w-]*\.txt)", TEXT):
        assert (ROOT / name).is_file()
    assert f"more than {ray_driver.MAX_FAILURES} failures" in TEXT
    assert ray_cluster.SILENCE_S == 180, "the text says three minutes"
