"""Token prices beside those that were saved: a scenario in other precisions, and the models of API price lists."""

from __future__ import annotations

from functools import lru_cache

from core.errors import GroundworkError, NotFound
from core.estimate.api_catalogue import ApiModel, search
from core.estimate.config import ArchitectureSpec
from core.estimate.local_machine import measured
from core.estimate.serve_estimate import estimate_serve
from core.estimate.specs import ServeSpec
from core.store.database import Database
from core.store.scenarios import ScenarioRepository
from core.venture.inference_cost import Offer, of_report
from core.venture.products import CostSpec

PRECISIONS = ("fp32", "bf16", "fp8", "int8", "int4")
MOST_LISTED = 5_000
_ARCHITECTURE = frozenset(ArchitectureSpec.model_fields)  # which may also stand on a configuration's first level


def other_precisions(db: Database, cost: CostSpec) -> tuple[Offer, ...]:
    """The scenario behind a price of own hosting, estimated again in each other precision; those that cannot be (they
    were not measured on this machine, or do not fit) are left out."""
    if cost.source != "estimate" or not cost.scenario_id:
        return ()
    try:
        spec = ScenarioRepository(db).get(cost.scenario_id).spec
    except NotFound:
        return ()
    given = {key: value for key, value in spec.items() if key in ServeSpec.model_fields or key in _ARCHITECTURE}
    found, records = list[Offer](), measured(db)
    for one in PRECISIONS:
        if one == cost.precision:
            continue
        try:
            changed = of_report(estimate_serve(given | {"precision": one}, records)[0])
        except GroundworkError:
            continue
        found.append(Offer(label=f"{cost.scenario_name} in {one}", cost=changed))
    return tuple(found)


@lru_cache(maxsize=1)
def listed() -> tuple[ApiModel, ...]:
    """Models of the price data whose input and output prices are known, by provider and name. Loads the data."""
    known = [one for one in search("", limit=MOST_LISTED) if one.usd_per_million_input and one.usd_per_million_output]
    return tuple(sorted((one for one in known if not one.deprecated), key=lambda one: (one.provider, one.model)))
