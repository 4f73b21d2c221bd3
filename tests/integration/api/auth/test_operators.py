"""Operators: made and promoted, and the audit of it."""

import pytest

from support.api.accounts import NEW_PASSWORD, PASSWORD, Browser, cheap_passwords, rows_of
from swapshop_api.audit.models import audit
from swapshop_api.auth.domain.accounts import create_user
from swapshop_api.auth.domain.operators import ensure_operator, prepare_operator, promote
from swapshop_api.auth.problems import UserNotFound
from swapshop_api.container import Container


async def _ensure(
    container: Container, email: str, *, promote_existing: bool = False
) -> str | None:
    operator = await prepare_operator(
        cheap_passwords(), email, NEW_PASSWORD, promote_existing=promote_existing
    )
    return await container.database.transaction(lambda c: ensure_operator(c, operator))


async def test_a_promotion_ends_the_sessions_of_the_account_and_is_audited_once(
    browser: Browser, container: Container
) -> None:
    user_id = (await browser.register()).json()["user"]["id"]

    assert await promote(container.database, " ANA@example.com ") == user_id
    assert (await browser.refresh()).status_code == 401
    body = (await browser.login()).json()
    assert body["user"]["rol"] == "operator"
    assert (await container.public_tokens.verify(body["token"])).is_operator
    assert await promote(container.database, "ana@example.com") == user_id
    assert (await browser.refresh()).status_code == 200, "the repetition changed nothing"
    (entry,) = await rows_of(container.database, audit)
    assert entry["actor"] == "command-line"
    assert entry["action"] == "user.promoted"
    assert entry["subject"] == user_id
    assert entry["detail"] is None


async def test_an_operator_is_made_once_and_audited(browser: Browser, container: Container) -> None:
    made = await _ensure(container, "eva@example.com")
    again = await _ensure(container, "EVA@example.com")

    assert again == made
    answer = await browser.login(email="eva@example.com", password=NEW_PASSWORD)
    assert answer.json()["user"]["rol"] == "operator"
    (entry,) = await rows_of(container.database, audit)
    assert (entry["actor"], entry["action"]) == ("command-line", "operator.created")
    assert entry["subject"] == made


async def test_an_operator_who_exists_keeps_the_password(
    browser: Browser, container: Container
) -> None:
    await browser.register()
    await promote(container.database, "ana@example.com")

    assert await _ensure(container, "ana@example.com", promote_existing=True) is not None
    assert (await browser.login()).status_code == 200


async def test_whoever_registered_an_operators_email_first_stays_a_customer(
    browser: Browser, container: Container
) -> None:
    await browser.register(email="boss@example.com")

    assert await _ensure(container, "boss@example.com") is None
    assert (await browser.refresh()).json()["user"]["rol"] == "customer"
    answer = await browser.login(email="boss@example.com")
    assert answer.json()["user"]["rol"] == "customer"
    assert await rows_of(container.database, audit) == []


async def test_an_allowed_promotion_locks_out_whoever_registered_the_account(
    browser: Browser, container: Container
) -> None:
    user_id = (await browser.register(email="boss@example.com")).json()["user"]["id"]

    assert await _ensure(container, "boss@example.com", promote_existing=True) == user_id
    assert (await browser.refresh()).status_code == 401
    assert (await browser.login(email="boss@example.com")).status_code == 401
    answer = await browser.login(email="boss@example.com", password=NEW_PASSWORD)
    assert answer.json()["user"]["rol"] == "operator"
    (entry,) = await rows_of(container.database, audit)
    assert (entry["action"], entry["detail"]) == ("user.promoted", "password replaced")


async def test_nobody_unknown_is_promoted(container: Container) -> None:
    with pytest.raises(UserNotFound):
        await promote(container.database, "nobody@example.com")
    assert await rows_of(container.database, audit) == []


async def test_an_account_can_be_made_as_an_operators(
    browser: Browser, container: Container
) -> None:
    user_id = await create_user(
        container.database,
        cheap_passwords(),
        nombre="Eva",
        email="EVA@example.com",
        password=PASSWORD,
        rol="operator",
    )

    answer = await browser.login(email="eva@example.com")
    assert answer.json()["user"] == {
        "id": user_id,
        "nombre": "Eva",
        "email": "eva@example.com",
        "rol": "operator",
    }
