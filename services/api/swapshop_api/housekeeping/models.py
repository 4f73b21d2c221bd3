"""Counts of purged rows."""

from typing import Final

from sqlalchemy import BigInteger, Column
from sqlmodel import Field

from swapshop_kit.dialect import OpaqueText
from swapshop_kit.tables import Row, table_of


class Total(Row, table=True):
    """The part of a counter whose rows were purged, so that counters made from rows never fall."""

    __tablename__ = "totals"

    name: str = Field(sa_column=Column(OpaqueText(64), primary_key=True))
    labels: str = Field(sa_column=Column(OpaqueText(128), primary_key=True))
    value: int = Field(sa_column=Column(BigInteger, nullable=False))


totals: Final = table_of(Total)
