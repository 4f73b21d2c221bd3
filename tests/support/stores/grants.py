"""The chart's grants of tables, for the users and schemas of a test."""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import make_url

from support.stores.servers import DatabaseServer
from swapshop_kit.ids import new_id
from swapshop_operations.repository import CHART

PASSWORD = "made-up-password"
_SCRIPT = (CHART / "files" / "mysql-users.sh").read_text()
_GRANT = re.compile(r"GRANT (.+) ON (\w+)\.(\w+) TO '(\w+)'@'%';")


@dataclass(frozen=True)
class Grant:
    """Privileges of a user on a table."""

    privileges: str
    schema: str
    table: str
    user: str


def read_grants() -> Sequence[Grant]:
    """Return every grant of the script; a line of another form fails."""
    [text] = re.findall(r"<<'GRANTS'\n(.*?)\nGRANTS\n", _SCRIPT, re.DOTALL)
    grants: list[Grant] = []
    for line in text.splitlines():
        match = _GRANT.fullmatch(line)
        assert match is not None, line
        grants.append(Grant(*match.groups()))
    return grants


@dataclass(frozen=True)
class GrantedSchemas:
    """Both schemas on a server, and users with the chart's grants.

    Args:
        server: where they are.
        swapshop: name of the api's schema.
        notifications: name of the receiver's schema.
        suffix: that the names of the users have.
    """

    server: DatabaseServer
    swapshop: str
    notifications: str
    suffix: str

    def url(self, user: str) -> str:
        """The URL of a user's own schema; ``swapshop_receiver``'s is that of the notifications."""
        schema = self.notifications if user == "swapshop_receiver" else self.swapshop
        url = make_url(self.server.url(schema))
        own = url.set(username=self.name_of(user), password=PASSWORD)
        return own.render_as_string(hide_password=False)

    def name_of(self, user: str) -> str:
        """The name that a user of the chart has here."""
        return f"{user.removeprefix('swapshop_')}_{self.suffix}"

    def grant(self) -> None:
        """Do what the container ``grants`` does."""
        schemas = {"swapshop": self.swapshop, "notifications": self.notifications}
        self.server.execute(
            *(
                f"GRANT {each.privileges} ON `{schemas[each.schema]}`.{each.table} "
                f"TO '{self.name_of(each.user)}'@'%%'"
                for each in read_grants()
            )
        )


@contextmanager
def granted_schemas(server: DatabaseServer) -> Generator[GrantedSchemas]:
    """Make empty schemas and users without a grant; migrate the schemas, then call ``grant``."""
    suffix = new_id()[-12:]
    made = GrantedSchemas(server, f"swapshop_{suffix}", f"notifications_{suffix}", suffix)
    users = [f"'{made.name_of(user)}'@'%%'" for user in sorted({g.user for g in read_grants()})]
    with server.schema(made.swapshop), server.schema(made.notifications):
        server.execute(*(f"CREATE USER {user} IDENTIFIED BY '{PASSWORD}'" for user in users))
        try:
            yield made
        finally:
            server.execute(*(f"DROP USER {user}" for user in users))
