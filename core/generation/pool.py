"""Loaded models, kept within the memory budget: the least recently used idle one is unloaded first."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.errors import Busy, GroundworkError, InvalidInput, ModelNotFound, ModelRefused
from core.generation.backend import Backend, open_torch
from core.generation.kv_cache import KvCachePool
from core.generation.queue import AdmissionQueue
from core.models import catalogue
from core.models.cards import ModelCard, Task
from core.models.tokenizer import Tokenizer
from core.onnx.devices import resolve_device, resolve_precision
from core.onnx.exports import ensure_export, find_export
from core.onnx.session import open_model
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelKey:
    """Which weights, and how they run. For a model of a server: model_id "server/model", device its host and port, and
    revision and precision empty, because it does not tell them. The pool never loads one of those."""

    model_id: str
    revision: str
    precision: str
    backend: Literal["onnx", "torch", "remote"]
    device: str


@dataclass(slots=True)
class LoadedModel:
    """Weights in memory with their tokenizer, KV caches and queue. users: runs that hold it now."""

    key: ModelKey
    card: ModelCard
    tokenizer: Tokenizer
    backend: Backend
    cache: KvCachePool
    queue: AdmissionQueue
    folder: Path
    load_s: float
    users: int = 0
    used_at: float = field(default_factory=time.monotonic)

    @property
    def memory_bytes(self) -> int:
        return self.backend.weights_bytes + self.cache.bytes


class ModelPool:
    """Loads each model once, however many ask at the same time. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models: dict[ModelKey, LoadedModel] = {}
        self._loading: dict[ModelKey, threading.Lock] = {}
        self._lock = threading.Lock()

    def resolve(self, model_id: str, *, precision: str, backend: str, device: str) -> tuple[ModelCard, ModelKey]:
        """What a request's wishes mean on this machine. Raises ModelNotFound, ModelRefused, DeviceUnavailable."""
        card = catalogue.get(model_id)
        if card.task is not Task.TEXT_GENERATION:
            raise ModelRefused(
                f"{card.id} does not generate text: it is a {card.task.value} model.",
                next_step="Choose a model that generates text.",
            )
        if backend not in ("auto", "onnx", "torch"):
            raise InvalidInput(f"Backend {backend!r} is unknown.", allowed="Known: auto, onnx, torch, remote.")
        where = resolve_device(device)
        how: Literal["onnx", "torch"] = "torch" if backend == "torch" else "onnx"
        return card, ModelKey(card.id, card.revision, resolve_precision(precision, where, how), how, where)

    def is_loaded(self, key: ModelKey) -> bool:
        return key in self._models

    def acquire(self, key: ModelKey) -> tuple[LoadedModel, float]:
        """(model, seconds spent loading). Give it back with `release`. Raises when it does not fit the budget."""
        with self._lock:
            lock = self._loading.setdefault(key, threading.Lock())
        started = time.perf_counter()
        with lock:
            with self._lock:
                model = self._models.get(key)
                if model:
                    model.users += 1
                    return model, 0.0
            model = self._load(key)
            model.users = 1
            with self._lock:
                self._models[key] = model
        return model, time.perf_counter() - started

    def release(self, model: LoadedModel) -> None:
        with self._lock:
            model.users -= 1
            model.used_at = time.monotonic()

    def loaded(self) -> tuple[ModelKey, ...]:
        with self._lock:
            return tuple(self._models)

    def forget(self, model_id: str) -> None:
        """Unload a model in every precision, as before its files are deleted. Raises Busy while a run holds it."""
        with self._lock:
            mine = [key for key in self._models if key.model_id == model_id]
            if any(self._models[key].users for key in mine):
                raise Busy(f"An answer of {model_id} is being written.", next_step="Wait for it, or stop it first.")
            for key in mine:
                self._models.pop(key).cache.close()

    def unload_all(self) -> None:
        """Unload every model that no run holds."""
        with self._lock:
            for key in [key for key, model in self._models.items() if not model.users]:
                self._models.pop(key).cache.close()

    def _load(self, key: ModelKey) -> LoadedModel:
        started = time.perf_counter()
        card = catalogue.get(key.model_id)
        backend: Backend
        if key.backend == "onnx":
            export = find_export(card, key.precision, key.device)
            if export is None:
                raise ModelNotFound(
                    f"{card.id} is not exported in {key.precision} on this machine.",
                    next_step="Prepare it first: the page offers it, and so does `python -m core prepare`.",
                )
            if not export.usable:  # refused with its figures
                export = ensure_export(key.model_id, precision=key.precision, device=key.device)
            self._make_room(export.weights_bytes, card.id)
            backend = open_model(export.path, device=key.device, threads=self._settings.threads)
            folder = export.path
        else:
            folder = catalogue.prepare(key.model_id)
            card = catalogue.get(key.model_id)
            self._make_room(card.architecture.parameters * (4 if key.precision == "fp32" else 2), card.id)
            backend = open_torch(folder, precision=key.precision, device=key.device, threads=self._settings.threads)
        tokenizer = Tokenizer.load(folder)
        cache = KvCachePool(
            backend,
            bytes_per_token=card.architecture.kv_cache_bytes_per_token,
            max_slots=self._settings.kv_cache_slots,
            max_bytes=self._settings.kv_cache_bytes,
        )
        queue = AdmissionQueue(running=self._settings.max_running, waiting=self._settings.max_waiting)
        took = time.perf_counter() - started
        return LoadedModel(key, card, tokenizer, backend, cache, queue, folder, load_s=took)

    def _make_room(self, needed: int, model_id: str) -> None:
        budget = self._settings.memory_budget_bytes
        with self._lock:
            idle = sorted((m for m in self._models.values() if not m.users), key=lambda model: model.used_at)
            while needed <= budget and idle and sum(m.memory_bytes for m in self._models.values()) + needed > budget:
                oldest = idle.pop(0)
                del self._models[oldest.key]
                oldest.cache.close()
            taken = sum(m.memory_bytes for m in self._models.values())
        if taken + needed > budget:
            raise GroundworkError(
                f"{model_id} needs {needed / 1e9:.1f} GB, and {taken / 1e9:.1f} GB are held by running models.",
                allowed=f"The memory budget is {budget / 1e9:.1f} GB (GROUNDWORK_MEMORY_BUDGET_BYTES).",
                next_step="Wait for them, choose a smaller precision, or raise the budget.",
            )
