"""MySQL over TLS: verified or not at all."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from support.servers.certificates import Authority
from support.servers.processes import HOST, run_module
from support.skips import skipping_without_server
from support.stores.database_proxy import DatabaseProxy
from support.stores.servers import DatabaseServer, database_server_program, mariadb
from support.stores.tls_servers import TlsServer, tls_mariadb
from swapshop_kit.database import Database, create_engine
from swapshop_kit.mysql import Limits
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.settings import DatabaseSettings

_SERVICES = ("swapshop_api", "swapshop_receiver")
_SECRET_WORD = "nobody-reads-this-on-the-way"


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[TlsServer]:
    folder = tmp_path_factory.mktemp("tls")
    with skipping_without_server(), tls_mariadb(folder, *_SERVICES) as server:
        yield server


@pytest.fixture(scope="module")
def plain_server() -> Generator[DatabaseServer]:
    """Return a server without TLS."""
    program = Path(database_server_program() or "").name
    option = "--skip-ssl" if program == "mariadbd" else "--tls-version="
    with skipping_without_server(), mariadb(option) as server:
        yield server


def _settings(url: str, ca_file: Path | None) -> DatabaseSettings:
    return DatabaseSettings(
        database_url=SecretStr(url), database_tls=True, database_ca_file=ca_file
    )


def _open(settings: DatabaseSettings) -> Database:
    url = settings.database_url.get_secret_value()
    return Database(create_engine(url, tls=settings.database_tls_context()))


async def _cipher(connection: AsyncConnection) -> str:
    await connection.exec_driver_sql(f"SELECT '{_SECRET_WORD}'")
    rows = await connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'")
    return str(rows.one()[1])


async def _refusal(settings: DatabaseSettings) -> str:
    """Return the driver's error for a connection with the settings."""
    database = _open(settings)
    try:
        with pytest.raises(DatabaseUnavailable) as refused:
            await database.read(_cipher)
    finally:
        await database.close()
    return str(refused.value.__cause__)


async def test_nothing_is_readable_on_the_way(tls_server: TlsServer) -> None:
    async with DatabaseProxy(tls_server.server.url()).running() as proxy:
        database = _open(_settings(proxy.url, tls_server.authority.file))
        assert await database.read(_cipher) != ""
        await database.close()
        for readable in (_SECRET_WORD, tls_server.server.user, tls_server.server.password):
            assert readable.encode() not in proxy.sent


async def test_a_certificate_of_another_authority_is_refused(
    tls_server: TlsServer, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    url = tls_server.server.url()
    for ca_file in (other.file, None):
        assert "CERTIFICATE_VERIFY_FAILED" in await _refusal(_settings(url, ca_file))


async def test_a_certificate_of_another_host_is_refused(tls_server: TlsServer) -> None:
    url = tls_server.server.url().replace(HOST, "localhost")
    told = await _refusal(_settings(url, tls_server.authority.file))
    assert "Hostname mismatch" in told
    assert "'localhost'" in told


async def test_a_server_without_tls_hears_nothing_of_use(
    plain_server: DatabaseServer, tls_server: TlsServer
) -> None:
    async with DatabaseProxy(plain_server.url()).running() as proxy:
        told = await _refusal(_settings(proxy.url, tls_server.authority.file))
        assert "SSL" in told
        assert plain_server.user.encode() not in proxy.sent


async def test_a_server_that_falls_silent_before_its_certificate_is_away(
    tls_server: TlsServer,
) -> None:
    """The time-out for connecting covers the handshake; the event loop's own is a minute."""
    async with DatabaseProxy(tls_server.server.url()).running() as proxy:
        settings = _settings(proxy.url, tls_server.authority.file)
        tls = settings.database_tls_context()
        proxy.fall_silent_at_tls()
        database = Database(create_engine(proxy.url, tls=tls, limits=Limits(connect=1)))
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseUnavailable):
                await database.read(_cipher)
        await database.close()


async def test_without_tls_a_server_that_demands_it_is_away(tls_server: TlsServer) -> None:
    told = await _refusal(DatabaseSettings(database_url=SecretStr(tls_server.server.url())))
    assert "Access denied" in told or "insecure transport" in told  # MariaDB or MySQL


@pytest.mark.parametrize("service", _SERVICES)
def test_a_migration_runs_through_tls_and_tells_why_it_cannot(
    service: str, tls_server: TlsServer, tmp_path: Path
) -> None:
    environment = tls_server.environment(service)
    other = {"DATABASE_CA_FILE": str(Authority(tmp_path, "other").file)}
    refused = run_module(service, "migrate", environment=environment | other)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{service}: The database does not answer;")
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr
    assert refused.stderr.count("\n") == 1
    done = run_module(service, "migrate", environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"migrate.done"' in done.stdout
