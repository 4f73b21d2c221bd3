"""What an administrator does to an account: roles, sign-in, sessions, and the audit of it."""

from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import null, update
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.accounts import NEW_PASSWORD, PASSWORD, Browser, app_with_passwords, rows_of
from swapshop_api.audit.models import audit
from swapshop_api.auth.domain.lifecycle import Done, demote, disable, enable, revoke_sessions
from swapshop_api.auth.domain.operators import promote
from swapshop_api.auth.models import refresh_families
from swapshop_api.auth.passwords import ANYBODY, Party, Passwords
from swapshop_api.auth.problems import UserNotFound
from swapshop_api.container import Container
from swapshop_kit.database import Database

EMAIL = "ana@example.com"
Act = Callable[[Database, str], Awaitable[Done]]


async def _audited(container: Container) -> list[tuple[str, str, str | None]]:
    rows = sorted(await rows_of(container.database, audit), key=lambda row: row["id"])
    assert {row["actor"] for row in rows} <= {"command-line"}
    return [(row["action"], row["subject"], row["detail"]) for row in rows]


@pytest.fixture
async def user_id(browser: Browser, app: FastAPI) -> str:
    """A customer with two sessions."""
    body = (await browser.register()).json()
    await Browser(app).login()
    id_: str = body["user"]["id"]
    return id_


@pytest.mark.parametrize("act", [demote, disable, enable, revoke_sessions])
async def test_an_unknown_email_is_an_error(container: Container, act: Act) -> None:
    with pytest.raises(UserNotFound):
        await act(container.database, "nobody@example.com")
    assert await rows_of(container.database, audit) == []


async def test_a_disabled_account_has_no_session_and_cannot_sign_in(
    app: FastAPI, browser: Browser, container: Container, user_id: str
) -> None:
    other = Browser(app)
    await other.register(email="eva@example.com")
    assert await disable(container.database, " ANA@example.com ") == Done(user_id, True, 2)

    assert (await browser.refresh()).status_code == 401
    refused, wrong = await browser.login(), await browser.login(password=NEW_PASSWORD)
    assert (refused.status_code, refused.content) == (wrong.status_code, wrong.content)
    assert refused.status_code == 401
    assert (await other.refresh()).status_code == 200
    assert await disable(container.database, EMAIL) == Done(user_id, changed=False)
    assert await _audited(container) == [("user.disabled", user_id, "sessions ended: 2")]


async def test_a_disabled_accounts_password_is_verified_all_the_same(
    container: Container, user_id: str
) -> None:
    """So that the answer takes as long as to a wrong password."""
    verified: list[str | None] = []

    class SeenPasswords(Passwords):
        async def verify(
            self, password: str, stored: str | None, party: Party = ANYBODY
        ) -> tuple[bool, str | None]:
            verified.append(stored)
            return await super().verify(password, stored, party)

    browser = Browser(app_with_passwords(container, SeenPasswords(memory_kib=8)))
    await disable(container.database, EMAIL)
    assert (await browser.login()).status_code == 401
    (stored,) = verified
    assert stored is not None, user_id


async def test_an_enabled_account_signs_in_again_and_its_old_sessions_stay_ended(
    browser: Browser, container: Container, user_id: str
) -> None:
    assert await enable(container.database, EMAIL) == Done(user_id, changed=False)
    await disable(container.database, EMAIL)
    assert await enable(container.database, EMAIL) == Done(user_id, changed=True)

    assert (await browser.refresh()).status_code == 401
    assert (await browser.login()).status_code == 200
    assert [action for action, *_ in await _audited(container)] == ["user.disabled", "user.enabled"]


async def test_a_session_that_an_older_release_began_for_a_disabled_account_is_not_refreshed(
    browser: Browser, container: Container, user_id: str
) -> None:
    await disable(container.database, EMAIL)

    async def revive(connection: AsyncConnection) -> None:
        await connection.execute(update(refresh_families).values(revoked_at=null()))

    await container.database.transaction(revive)
    assert (await browser.refresh()).status_code == 401, user_id


async def test_a_demoted_operator_is_signed_out_and_comes_back_as_a_customer(
    browser: Browser, container: Container, user_id: str
) -> None:
    assert await demote(container.database, EMAIL) == Done(user_id, changed=False)
    await promote(container.database, EMAIL)
    await browser.login()
    done = await demote(container.database, EMAIL)

    assert done.changed
    assert done.ended >= 1
    assert (await browser.refresh()).status_code == 401
    assert (await browser.login()).json()["user"]["rol"] == "customer"
    *_, last = await _audited(container)
    assert last == ("user.demoted", user_id, f"sessions ended: {done.ended}")


async def test_revoking_ends_every_session_and_no_account(
    browser: Browser, container: Container, user_id: str
) -> None:
    assert await revoke_sessions(container.database, EMAIL) == Done(user_id, True, 2)
    assert (await browser.refresh()).status_code == 401
    assert (await browser.login()).status_code == 200
    assert await revoke_sessions(container.database, EMAIL) == Done(user_id, True, 1)
    assert len(await _audited(container)) == 2


@pytest.mark.parametrize("act", [disable, demote])
async def test_a_login_that_is_overtaken_gets_what_the_account_is_now(
    container: Container, user_id: str, act: Act
) -> None:
    """The password was verified before the administrator acted, the session begins after."""
    await promote(container.database, EMAIL)

    class OvertakenPasswords(Passwords):
        async def verify(
            self, password: str, stored: str | None, party: Party = ANYBODY
        ) -> tuple[bool, str | None]:
            verdict = await super().verify(password, stored, party)
            await act(container.database, EMAIL)
            return verdict

    browser = Browser(app_with_passwords(container, OvertakenPasswords(memory_kib=8)))
    answer = await browser.login(password=PASSWORD)
    if act is disable:
        assert answer.status_code == 401
    else:
        claims = await container.public_tokens.verify(answer.json()["token"])
        assert (claims.sub, claims.rol) == (user_id, "customer")
