"""Whether a claim took a delivery over from one that ran out."""

from sqlalchemy import Boolean, Column

from swapshop_kit.migrations import add_column

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    add_column("delivery_attempts", Column("took_over", Boolean()))
