"""Refresh tokens that are successors of the same used one."""

from sqlalchemy import BINARY, Column

from swapshop_kit.migrations import add_column

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    add_column("refresh_tokens", Column("sibling_of", BINARY(32)))
