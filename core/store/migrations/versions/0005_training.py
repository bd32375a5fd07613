"""Training: jobs wait in queues and may be stopped with what they have; what a training says of itself by step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("job") as table:
        table.add_column(sa.Column("queue", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("stop_requested", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.create_index(op.f("ix_job_queue_place"), ["queue", "place"])
    op.create_table(
        "training_point",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_training_point_job_id_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "ordinal", name=op.f("pk_training_point")),
    )
    op.create_index(op.f("ix_training_point_job_id_step"), "training_point", ["job_id", "step"])


def downgrade() -> None:
    op.drop_index(op.f("ix_training_point_job_id_step"), table_name="training_point")
    op.drop_table("training_point")
    with op.batch_alter_table("job") as table:
        table.drop_index(op.f("ix_job_queue_place"))
        for name in ("stop_requested", "attempts", "place", "queue"):
            table.drop_column(name)
