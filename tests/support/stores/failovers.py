"""Two database servers, of which one is the primary, behind what leads to it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.engine import make_url

from support.stores.database_proxy import DatabaseProxy
from support.stores.servers import DatabaseServer, database_server_program, mariadb

_CLERK = "clerk"
"""A user who may not write to a fenced server, as those of the services may not."""


@dataclass
class Failover:
    """The old primary and the new one, each with the same empty schema."""

    old: DatabaseServer
    new: DatabaseServer
    schema: str
    service: DatabaseProxy = field(init=False)
    """Set by the test; it leads to the old primary at first."""

    @property
    def old_url(self) -> str:
        return _url_of_clerk(self.old, self.schema)

    def fence(self) -> None:
        """The old primary takes no writes any more."""
        self.old.execute(f"SET GLOBAL {_read_only()} = 1")

    def unfence(self) -> None:
        self.old.execute("SET GLOBAL read_only = 0")

    def switch(self) -> None:
        """New connections lead to the new primary."""
        self.service.lead_to(_url_of_clerk(self.new, self.schema))


@contextmanager
def two_servers(schema: str) -> Generator[Failover]:
    """Start both.

    Raises:
        ServerMissingError: neither MariaDB nor MySQL is installed.
        ServerStartError: one did not start.
    """
    with mariadb() as old, mariadb() as new:
        for server in old, new:
            server.create_schema(schema)
            server.execute(
                f"CREATE USER {_CLERK} IDENTIFIED BY '{server.password}'",
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.* TO {_CLERK}",
            )
        yield Failover(old, new, schema)


def _url_of_clerk(server: DatabaseServer, schema: str) -> str:
    url = make_url(server.url(schema)).set(username=_CLERK)
    return url.render_as_string(hide_password=False)


def _read_only() -> str:
    is_mariadb = (database_server_program() or "").endswith("mariadbd")
    return "read_only" if is_mariadb else "super_read_only"
