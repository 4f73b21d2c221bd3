"""The table ``totals``."""

from sqlalchemy import BigInteger, Column

from swapshop_kit.dialect import OpaqueText
from swapshop_kit.migrations import create_table

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    create_table(
        "totals",
        Column("name", OpaqueText(64), primary_key=True),
        Column("labels", OpaqueText(128), primary_key=True),
        Column("value", BigInteger, nullable=False),
    )
