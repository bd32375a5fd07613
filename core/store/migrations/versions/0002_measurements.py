"""Measurements: what a model does on a machine, and what the machine could do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measurement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("precision", sa.Text(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("device_name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("new_tokens", sa.Integer(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("prefill_tokens_per_s", sa.Double(), nullable=False),
        sa.Column("decode_tokens_per_s", sa.Double(), nullable=True),
        sa.Column("ttft_p50_s", sa.Double(), nullable=False),
        sa.Column("ttft_p95_s", sa.Double(), nullable=False),
        sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("load_s", sa.Double(), nullable=False),
        sa.Column("tokens_per_joule", sa.Double(), nullable=True),
        sa.Column("power_source", sa.Text(), nullable=False),
        sa.Column("flop_per_s_limit", sa.Double(), nullable=False),
        sa.Column("bandwidth_bytes_per_s", sa.Double(), nullable=False),
        sa.Column("prefill_flop", sa.Double(), nullable=False),
        sa.Column("prefill_bytes", sa.Double(), nullable=False),
        sa.Column("decode_flop", sa.Double(), nullable=True),
        sa.Column("decode_bytes", sa.Double(), nullable=True),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.Column("environment", sa.JSON(), nullable=False),
        sa.Column("command", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_measurement_job_id_job"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
    )
    op.create_index(op.f("ix_measurement_batch_id"), "measurement", ["batch_id"])
    op.create_index(op.f("ix_measurement_created_at"), "measurement", ["created_at"])
    op.create_index(op.f("ix_measurement_job_id"), "measurement", ["job_id"])
    op.create_index(op.f("ix_measurement_model_id_created_at"), "measurement", ["model_id", "created_at"])


def downgrade() -> None:
    op.drop_table("measurement")
