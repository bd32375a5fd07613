"""Every setting, its default and its reason. Read from the environment with the prefix GROUNDWORK_, or a `.env` file.

The README's settings table is checked against the fields and descriptions here.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
import psutil
from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

GIB = 1024**3


def usable_cores() -> int:
    """CPU cores that this process may run on. ONNX Runtime counts hyper-threads as half and takes too few."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


class Settings(BaseSettings):
    """Settings of one process. Frozen: a changed setting is a new process (or `reload_settings()` in a test)."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDWORK_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # an unreadable value of server_keys is a key all the same
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("groundwork", appauthor=False)),
        description="Folder for weights, exports and the database.",
    )
    database_url: str = Field(
        default="",
        validation_alias=AliasChoices("GROUNDWORK_DATABASE_URL", "DATABASE_URL"),
        description="Record to this database, e.g. postgresql+psycopg://…; empty: SQLite in the home folder.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where models run; auto takes a GPU if one is there."
    )
    threads: int = Field(
        default_factory=usable_cores,
        ge=1,
        le=512,
        description="CPU threads for one run; default: the cores this process may use.",
    )
    memory_budget_bytes: int = Field(
        default_factory=lambda: int(psutil.virtual_memory().total * 0.6),
        ge=256 * 1024**2,
        description="Loaded models are unloaded, oldest use first, to stay under this; default: 60 % of memory.",
    )
    max_running: int = Field(
        default=1, ge=1, le=64, description="Runs at once for one model; more share the same cores and all get slower."
    )
    max_waiting: int = Field(
        default=16, ge=0, le=10_000, description="Runs that may wait for one model; the next is refused."
    )
    kv_cache_slots: int = Field(
        default=4, ge=1, le=256, description="Conversations whose KV cache is kept for one model."
    )
    kv_cache_bytes: int = Field(default=1 * GIB, ge=16 * 1024**2, description="Memory for kept KV caches of one model.")
    max_prompt_characters: int = Field(
        default=4_000_000, ge=1, description="Longer prompts are refused before they are tokenised."
    )
    attention_tokens: int = Field(
        default=4_096, ge=16, le=131_072, description="Longest text whose attention is looked into, in tokens."
    )
    trash_days: int = Field(default=30, ge=0, description="Deleted sessions can be brought back for this many days.")
    hub_endpoint: str = Field(default="", description="Another model hub's address (a mirror); empty: the public hub.")
    hub_token: SecretStr | None = Field(
        default=None, description="Token for gated models on the hub; never shown or stored."
    )

    server_keys: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default_factory=dict,
        description='Keys of model servers by host and port, e.g. {"localhost:8000": "key"}; never shown or stored.',
    )
    server_timeout_s: float = Field(
        default=60, gt=0, le=3600, description="Longest silence of a model server, in seconds, before it is given up."
    )
    server_retries: int = Field(
        default=2, ge=0, le=10, description="Further tries when a model server is busy, fails or cannot be reached."
    )

    @field_validator("server_keys", mode="before")
    @classmethod
    def _read_keys(cls, given: object) -> object:
        """Read here, not by pydantic-settings: its own complaint is no ValidationError."""
        if not isinstance(given, str):
            return given
        try:
            keys = json.loads(given) if given.strip() else {}
        except ValueError:
            keys = None
        if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
            raise ValueError('it must be a JSON object of names and keys, {"name": "key"}')
        return keys

    @property
    def models_dir(self) -> Path:
        return self.home / "models"

    @property
    def exports_dir(self) -> Path:
        return self.home / "exports"

    @property
    def jobs_dir(self) -> Path:
        return self.home / "jobs"

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'groundwork.db'}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def reload_settings() -> Settings:
    """Read the environment again (tests change it)."""
    get_settings.cache_clear()
    return get_settings()
