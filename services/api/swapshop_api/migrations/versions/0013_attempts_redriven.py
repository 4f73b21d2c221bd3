"""Whether an operator sent a delivery again after a claim."""

from sqlalchemy import Boolean, Column

from swapshop_kit.migrations import add_column

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    add_column("delivery_attempts", Column("redriven", Boolean()))
