"""What processes that train together agree upon: after which step they stop, and that their weights are the same.

All of them see the end of a step only when the first has begun it, for their gradients are averaged in between. So a
step that the first names before it begins it is one that none of the others has ended.
"""

from __future__ import annotations

from typing import Any

from core.errors import GroundworkError

_KEY = "groundwork-stop-after"
_DRIFT = 1e-4
"""As a share of the sum of all weights' sizes; workers on unlike hardware round differently."""


class StopTogether:
    """Of one process of several, or of one alone, for which a step that is asked for is due at once."""

    def __init__(self) -> None:
        self._store = _store()
        self._asked: int | None = None

    def ask(self, step: int) -> None:
        """Have all processes stop after the next step. step: the last that this one, the first, has ended."""
        if self._asked is None:
            self._asked = step if self._store is None else step + 1
            if self._store is not None:
                self._store.set(_KEY, str(self._asked))

    def is_due(self, step: int) -> bool:
        """Whether the training is to stop now that this step has ended."""
        if self._asked is None and self._store is not None and self._store.check([_KEY]):
            self._asked = int(self._store.get(_KEY))
        return self._asked is not None and step >= self._asked


class SameWeights:
    """Compares what the processes have learned, now and then. `checks` counts the times."""

    def __init__(self, every: int, last: int) -> None:
        self._every, self._last = every, last
        self.checks = 0

    def __call__(self, model: Any, step: int) -> None:
        """After an optimizer step, in every process. Raises GroundworkError when they have drifted apart."""
        if step % self._every and step != self._last:
            return
        import torch.distributed as dist

        found: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(found, sums_of(model))
        check_same(found, step)
        self.checks += 1


def sums_of(model: Any) -> tuple[float, float]:
    """(sum, sum of sizes) of the weights that train."""
    trained = [weight.detach().double() for weight in model.parameters() if weight.requires_grad]
    return sum(float(one.sum()) for one in trained), sum(float(one.abs().sum()) for one in trained)


def check_same(sums: list[tuple[float, float]], step: int) -> None:
    """sums: of each process. NaN is no difference: a loss that ran away is seen elsewhere."""
    (first, size), *others = sums
    if any(max(abs(one - first), abs(other - size)) > _DRIFT * max(size, 1e-12) for one, other in others):
        told = ", ".join(f"{one:.6g}" for one, _ in sums)
        raise GroundworkError(
            f"The workers' weights differ after step {step:,} (their sums: {told}): their gradients are not averaged.",
            next_step="Check that all nodes have the same versions of torch and accelerate.",
        )


def _store() -> Any:
    """What the processes share from their start; None for one alone."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return None
    from torch.distributed.distributed_c10d import _get_default_store

    return _get_default_store()
