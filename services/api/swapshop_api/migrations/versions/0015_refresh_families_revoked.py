"""The sessions that ended a short time ago, found along an index."""

from sqlalchemy import Index

from swapshop_kit.migrations import create_indexes

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    create_indexes("refresh_families", Index("ix_refresh_families_revoked", "revoked_at"))
