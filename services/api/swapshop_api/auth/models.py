"""Tables of accounts and their sessions."""

from datetime import datetime
from typing import Final

from sqlalchemy import BINARY, Column, Index, String, UniqueConstraint
from sqlmodel import Field

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.tables import Row, table_of


class User(Row, table=True):
    """An account; its e-mail is in the form of ``emails.normalize_email``."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email", name="uq_users_email"),)

    id: str = Field(sa_column=Column(Identifier(), primary_key=True))
    nombre: str = Field(sa_column=Column(String(120), nullable=False))
    email: str = Field(sa_column=Column(OpaqueText(254), nullable=False))
    password_hash: str = Field(sa_column=Column(OpaqueText(255), nullable=False))
    rol: str = Field(sa_column=Column(OpaqueText(16), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    disabled_at: datetime | None = Field(sa_column=Column(UtcTime()))


class RefreshFamily(Row, table=True):
    """A session: all the refresh tokens that came of one login."""

    __tablename__ = "refresh_families"
    __table_args__ = (
        Index("ix_refresh_families_user", "user_id"),
        Index("ix_refresh_families_expires", "expires_at"),
        Index("ix_refresh_families_revoked", "revoked_at"),
    )

    id: str = Field(sa_column=Column(Identifier(), primary_key=True))
    user_id: str = Field(sa_column=Column(Identifier(), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    revoked_at: datetime | None = Field(sa_column=Column(UtcTime()))


class RefreshToken(Row, table=True):
    """A refresh token, by its SHA-256; ``nonce`` leads from a used one to its latest successor.

    Successors of one token, of which the first to be used makes the others void, have its hash in
    ``sibling_of``; an only successor has none.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("ix_refresh_tokens_family", "family_id"),
        Index("ix_refresh_tokens_expires", "expires_at"),
    )

    token_hash: bytes = Field(sa_column=Column(BINARY(32), primary_key=True))
    family_id: str = Field(sa_column=Column(Identifier(), nullable=False))
    used_at: datetime | None = Field(sa_column=Column(UtcTime()))
    nonce: bytes | None = Field(sa_column=Column(BINARY(32)))
    voided_at: datetime | None = Field(sa_column=Column(UtcTime()))
    expires_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    sibling_of: bytes | None = Field(sa_column=Column(BINARY(32)))


users: Final = table_of(User)
refresh_families: Final = table_of(RefreshFamily)
refresh_tokens: Final = table_of(RefreshToken)
