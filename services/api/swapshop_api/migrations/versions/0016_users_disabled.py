"""When an account was disabled."""

from sqlalchemy import Column

from swapshop_kit.dialect import UtcTime
from swapshop_kit.migrations import add_column

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    add_column("users", Column("disabled_at", UtcTime()))
