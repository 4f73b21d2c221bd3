"""Operators: made and promoted, and the audit of it."""

import pytest

from support.auth import NEW_PASSWORD, PASSWORD, Browser, cheap_passwords, rows_of
from swapshop_api.audit.models import audit
from swapshop_api.auth.accounts import create_user, ensure_operator
from swapshop_api.auth.problems import UserNotFound
from swapshop_api.container import Container


async def test_a_promoted_user_is_an_operator_from_the_next_token_on_and_audited_once(
    browser: Browser, container: Container
) -> None:
    user_id = (await browser.register()).json()["user"]["id"]

    assert await container.auth.promote(" ANA@example.com ") == user_id
    assert await container.auth.promote("ana@example.com") == user_id
    body = (await browser.refresh()).json()
    assert body["user"]["rol"] == "operator"
    assert (await container.public_tokens.verify(body["token"])).is_operator
    (entry,) = await rows_of(container.database, audit)
    assert entry["actor"] == "command-line"
    assert entry["action"] == "user.promoted"
    assert entry["subject"] == user_id
    assert entry["detail"] is None


async def test_an_operator_is_made_once_or_made_of_an_account(
    browser: Browser, container: Container
) -> None:
    made = await ensure_operator(
        container.database, cheap_passwords(), email="eva@example.com", password=PASSWORD
    )
    again = await ensure_operator(
        container.database, cheap_passwords(), email="EVA@example.com", password=NEW_PASSWORD
    )
    customer = (await browser.register()).json()["user"]["id"]
    promoted = await ensure_operator(
        container.database, cheap_passwords(), email="ana@example.com", password=NEW_PASSWORD
    )

    assert (again, promoted) == (made, customer)
    for email in ("eva@example.com", "ana@example.com"):
        answer = await browser.login(email=email)
        assert answer.json()["user"]["rol"] == "operator", "and the password stayed"


async def test_nobody_unknown_is_promoted(container: Container) -> None:
    with pytest.raises(UserNotFound):
        await container.auth.promote("nobody@example.com")
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
