"""Whether a poller confirmed that the answer of its lease call arrived."""

from sqlalchemy import Boolean, Column

from swapshop_kit.migrations import add_column

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    add_column("leases", Column("received", Boolean()))
