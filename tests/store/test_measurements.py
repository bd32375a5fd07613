from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from sqlalchemy import delete

from core.errors import NotFound
from core.store.columns import utc_now
from core.store.database import Database
from core.store.jobs import JobRepository
from core.store.measurements import MeasurementRepository
from core.store.schema import JobRow
from tests.measurements import NEW


@pytest.fixture
def measurements(db: Database) -> MeasurementRepository:
    return MeasurementRepository(db)


def test_a_measurement_comes_back_as_it_was(measurements: MeasurementRepository) -> None:
    added = measurements.add(NEW)
    found = measurements.get(added.id)
    assert found == added
    assert asdict(NEW).items() <= asdict(found).items()
    assert (utc_now() - found.created_at).total_seconds() < 60
    assert found.peak_memory_bytes == 5_000_000_000  # past 32 bits


def test_an_encoder_has_no_decode(measurements: MeasurementRepository) -> None:
    nothing = replace(NEW, decode_tokens_per_s=None, decode_flop=None, decode_bytes=None, new_tokens=0)
    assert measurements.get(measurements.add(nothing).id).decode_tokens_per_s is None


def test_the_list_is_newest_first_and_filtered(measurements: MeasurementRepository, db: Database) -> None:
    job, _ = JobRepository(db).create("measure", "Measure", {})
    first = measurements.add(NEW)
    second = measurements.add(replace(NEW, model_id="other", batch_id="c" * 32, job_id=job.id))
    assert [one.id for one in measurements.list()] == [second.id, first.id]
    assert [one.id for one in measurements.list(limit=1)] == [second.id]
    assert [one.id for one in measurements.list("other")] == [second.id]
    assert [one.id for one in measurements.list(batch_id=NEW.batch_id)] == [first.id]
    assert [one.id for one in measurements.list(job_id=job.id)] == [second.id]
    assert measurements.list("nothing") == []


def test_a_measurement_outlives_its_job(measurements: MeasurementRepository, db: Database) -> None:
    job, _ = JobRepository(db).create("measure", "Measure", {})
    added = measurements.add(replace(NEW, job_id=job.id))
    with db.transaction() as tx:
        tx.execute(delete(JobRow))
    assert measurements.get(added.id).job_id is None


def test_what_is_deleted_is_not_found(measurements: MeasurementRepository) -> None:
    added = measurements.add(NEW)
    measurements.delete(added.id)
    for call in (measurements.get, measurements.delete):
        with pytest.raises(NotFound, match="no measurement"):
            call(added.id)
