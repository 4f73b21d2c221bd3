"""``python -m swapshop_api``: what each command does, and how it refuses."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeVar

import httpx
import pytest

from support.api.accounts import cheap_passwords
from support.servers.forked_commands import ForkedCommands
from support.servers.processes import free_port, running
from support.stores.pairs import Stores
from support.system.separate_processes import CLIENT_SECRET, ORIGIN, System
from swapshop_api.auth.domain.accounts import create_user
from swapshop_api.auth.store import find_user_by_email
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id

T = TypeVar("T")

PASSWORD = "correct horse battery"
_COMMANDS = ForkedCommands("swapshop_api")


@pytest.fixture
def environment(stores: Stores, tmp_path: Path) -> dict[str, str]:
    """What a deployment sets; nothing of this machine's settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("COVERAGE")
    }
    return kept | {
        "DATABASE_URL": stores.database_url,
        "REDIS_URL": stores.redis_url,
        "SIGNING_KEYS_FILE": str(tmp_path / "keys.json"),
        "PUBLIC_ORIGINS": ORIGIN,
        "POLLER_CLIENT_SECRET": CLIENT_SECRET,
        "HOST": "127.0.0.1",
    }


def run(environment: dict[str, str], *arguments: str) -> CompletedProcess[str]:
    return _COMMANDS.run(*arguments, environment=environment)


def on_database(environment: dict[str, str], work: Callable[[Database], Awaitable[T]]) -> T:
    """Run work on the database of an environment."""

    async def run_work() -> T:
        database = Database(create_engine(environment["DATABASE_URL"], pool_size=1))
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run_work())


def register(environment: dict[str, str], email: str) -> None:
    """Register a customer."""
    on_database(
        environment,
        lambda database: create_user(
            database, cheap_passwords(), nombre="Eva", email=email, password=PASSWORD
        ),
    )


def rol_of(environment: dict[str, str], email: str) -> str | None:
    """Return the role of an account."""
    user = on_database(
        environment, lambda database: database.read(lambda c: find_user_by_email(c, email))
    )
    return None if user is None else user.rol


def test_migrate_of_a_schema_at_its_newest_changes_nothing(environment: dict[str, str]) -> None:
    done = run(environment, "migrate")
    assert done.returncode == 0, done.stderr
    assert '"event":"migrate.done"' in done.stdout


def test_an_operator_is_made_then_an_account_promoted(environment: dict[str, str]) -> None:
    email = f"eva-{new_id()}@example.com"
    made = run(environment | {"OPERATOR_PASSWORD": PASSWORD}, "users", "operator", email)
    assert made.returncode == 0, made.stderr
    promoted = run(environment, "users", "promote", email)
    assert promoted.returncode == 0, promoted.stderr
    assert promoted.stdout.split()[0] in made.stdout
    assert PASSWORD not in made.stdout + made.stderr


@pytest.mark.parametrize("is_migration", [False, True])
def test_an_operators_password_that_is_easy_to_guess_is_refused(
    environment: dict[str, str], is_migration: bool
) -> None:
    email = f"eva-{new_id()}@example.com"
    environment |= {"OPERATOR_PASSWORD": "swapshop-eva-2026", "OPERATOR_EMAIL": email}

    refused = run(environment, *(("migrate",) if is_migration else ("users", "operator", email)))
    assert refused.returncode == 2
    assert "OPERATOR_PASSWORD is easy to guess" in refused.stderr
    assert "swapshop-eva-2026" not in refused.stdout + refused.stderr
    assert rol_of(environment, email) is None


@pytest.mark.parametrize("command", ["migrate", "operator", "promote", "disable"])
def test_an_email_that_no_account_can_have_is_refused(
    environment: dict[str, str], command: str
) -> None:
    email = "b\u043ess@example.com"
    environment |= {"OPERATOR_PASSWORD": PASSWORD, "OPERATOR_EMAIL": email}

    refused = run(environment, *((command,) if command == "migrate" else ("users", command, email)))
    assert refused.returncode == 2
    assert "the e-mail address must be ASCII before the @" in refused.stderr


def test_a_registered_account_becomes_an_operators_only_when_told(
    environment: dict[str, str],
) -> None:
    email = f"eva-{new_id()}@example.com"
    register(environment, email)
    command = ("users", "operator", email)
    environment |= {"OPERATOR_PASSWORD": PASSWORD}

    refused = run(environment, *command)
    assert refused.returncode == 2
    assert "--promote-existing" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert run(environment, "users", "promote", email).returncode == 0
    repeated = run(environment, *command)
    assert repeated.returncode == 0, repeated.stderr


def test_promote_existing_makes_an_operator_of_a_registered_account(
    environment: dict[str, str],
) -> None:
    email = f"eva-{new_id()}@example.com"
    register(environment, email)
    environment |= {"OPERATOR_PASSWORD": PASSWORD}

    done = run(environment, "users", "operator", email, "--promote-existing")
    assert done.returncode == 0, done.stderr


def test_a_migration_makes_the_operator_and_repeats_nothing(environment: dict[str, str]) -> None:
    email = f"eva-{new_id()}@example.com"
    environment |= {"OPERATOR_EMAIL": email, "OPERATOR_PASSWORD": PASSWORD}

    for _ in range(2):
        done = run(environment, "migrate")
        assert done.returncode == 0, done.stderr
    assert rol_of(environment, email) == "operator"


def test_a_migration_refuses_an_operator_whose_email_somebody_registered(
    environment: dict[str, str],
) -> None:
    email = f"eva-{new_id()}@example.com"
    register(environment, email)
    environment |= {"OPERATOR_EMAIL": email, "OPERATOR_PASSWORD": PASSWORD}

    refused = run(environment, "migrate")
    assert refused.returncode == 2
    assert "operator.promoteExisting" in refused.stderr
    assert rol_of(environment, email) == "customer"
    allowed = run(environment | {"OPERATOR_PROMOTE_EXISTING": "true"}, "migrate")
    assert allowed.returncode == 0, allowed.stderr
    assert rol_of(environment, email) == "operator"


def test_an_operators_email_needs_a_password(environment: dict[str, str]) -> None:
    done = run(environment | {"OPERATOR_EMAIL": "eva@example.com"}, "migrate")
    assert done.returncode == 2
    assert "OPERATOR_EMAIL needs OPERATOR_PASSWORD" in done.stderr


def test_an_account_is_demoted_disabled_enabled_and_its_sessions_revoked(
    environment: dict[str, str],
) -> None:
    email = f"eva-{new_id()}@example.com"
    made = run(environment | {"OPERATOR_PASSWORD": PASSWORD}, "users", "operator", email)
    user_id = made.stdout.splitlines()[-1].split()[0]
    for arguments, told in (
        (["demote"], f"{user_id} is a customer now; sessions ended: 0"),
        (["demote"], f"{user_id} is a customer already; sessions ended: 0"),
        (["disable"], f"{user_id} is disabled now; sessions ended: 0"),
        (["disable"], f"{user_id} is disabled already; sessions ended: 0"),
        (["enable"], f"{user_id} is enabled again"),
        (["enable"], f"{user_id} is enabled already"),
        (["sessions", "revoke"], f"sessions of {user_id} ended: 0"),
    ):
        done = run(environment, "users", *arguments, email)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, told), done.stderr


@pytest.mark.parametrize("act", ["demote", "disable", "enable", "sessions revoke"])
def test_an_act_on_an_unknown_account_is_an_error(environment: dict[str, str], act: str) -> None:
    done = run(environment, "users", *act.split(), "nobody@example.com")
    assert (done.returncode, done.stderr) == (2, "swapshop_api: No account has that e-mail.\n")


def test_nobody_is_promoted_who_has_no_account(environment: dict[str, str]) -> None:
    done = run(environment, "users", "promote", "nobody@example.com")
    assert (done.returncode, done.stderr) == (2, "swapshop_api: No account has that e-mail.\n")


def test_housekeeping_tells_what_it_purged(environment: dict[str, str]) -> None:
    done = run(environment, "housekeeping")
    assert done.returncode == 0, done.stderr
    assert '"leases":0' in done.stdout


def test_a_second_waiting_key_is_refused(environment: dict[str, str]) -> None:
    first, second, third = (run(environment, "keys", "rotate") for _ in range(3))
    assert (first.returncode, second.returncode, third.returncode) == (0, 0, 1)
    assert "a new key waits already" in third.stderr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "postgresql://u:hidden@db/x", "DATABASE_URL: "),
        ("POLLER_CLIENT_SECRET", "hidden", "POLLER_CLIENT_SECRET: "),
        ("PUBLIC_ORIGINS", "shop.example/hidden", "PUBLIC_ORIGINS"),
        ("SIGNING_KEYS_FILE", "/nowhere/keys.json", "signing keys file /nowhere/keys.json"),
    ],
)
def test_serve_refuses_a_setting_in_one_line_without_its_value(
    environment: dict[str, str], name: str, value: str, expected: str
) -> None:
    ports = dict.fromkeys(("PUBLIC_PORT", "INTERNAL_PORT", "OPERATIONS_PORT"), "0")
    done = run(environment | ports | {name: value}, "serve")
    assert done.returncode == 2
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_a_database_that_is_away_is_worth_another_try(environment: dict[str, str]) -> None:
    url = f"mysql+asyncmy://u:hidden@127.0.0.1:{free_port()}/swapshop"
    done = run(environment | {"DATABASE_URL": url}, "housekeeping")
    assert done.returncode == 1
    assert "database does not answer" in done.stderr
    assert "hidden" not in done.stderr


def test_serve_has_three_ports_apart_and_ends_in_good_order(stores: Stores, tmp_path: Path) -> None:
    system = System(tmp_path, stores.database_url, stores.database_url, stores.redis_url)
    api = system.api()
    with running(api):
        public, internal, operations = (system.url("api", which) for which in range(3))
        paths = ("/api/orders", "/.well-known/jwks.json", "/metrics")
        for url, own in zip((public, internal, operations), paths, strict=True):
            found = [httpx.get(f"{url}{path}").status_code != 404 for path in paths]
            assert found == [path == own for path in paths]
        assert "/internal" not in httpx.get(f"{public}/api/openapi.json").text
        assert api.terminate() == 0
