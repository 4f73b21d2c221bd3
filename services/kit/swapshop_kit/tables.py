"""Tables: declared as SQLModel classes, used as SQLAlchemy Core tables."""

from typing import TYPE_CHECKING, ClassVar, cast

from sqlalchemy import Table
from sqlmodel import SQLModel


class Row(SQLModel):
    """Base of the table classes; each sets its ``__tablename__``."""

    if TYPE_CHECKING:
        # SQLAlchemy's stub has a descriptor here, which a plain name cannot override
        __tablename__: ClassVar[str]  # pyright: ignore[reportIncompatibleVariableOverride]


def table_of(model: type[Row]) -> Table:
    """Return the Table of a table class, for Core statements."""
    return cast("Table", getattr(model, "__table__"))  # noqa: B009 - SQLModel leaves it untyped
