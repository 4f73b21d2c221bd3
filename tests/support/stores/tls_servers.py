"""A private MariaDB (or MySQL) that only takes connections over TLS."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.servers.certificates import Authority
from support.servers.processes import HOST
from support.stores.servers import DatabaseServer, mariadb


@dataclass(frozen=True)
class TlsServer:
    """A server whose certificate an authority has signed, for HOST."""

    server: DatabaseServer
    authority: Authority

    def environment(self, schema: str) -> dict[str, str]:
        """The environment of a process that works on a schema."""
        return {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.server.url(schema),
            "DATABASE_TLS": "true",
            "DATABASE_CA_FILE": str(self.authority.file),
        }


@contextmanager
def tls_mariadb(folder: Path, *schemas: str) -> Generator[TlsServer]:
    """A new server.

    Args:
        folder: for the certificates.
        schemas: that it has, empty.

    Raises:
        ServerMissingError: neither is installed.
        ServerStartError: it did not start.
    """
    authority = Authority(folder, "authority")
    certificate, key = authority.certify(HOST)
    files = (f"--ssl-ca={authority.file}", f"--ssl-cert={certificate}", f"--ssl-key={key}")
    with mariadb(*files) as server:
        for schema in schemas:
            server.create_schema(schema)
        server.execute("SET GLOBAL require_secure_transport = ON")
        yield TlsServer(server, authority)
