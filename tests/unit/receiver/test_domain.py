"""Rules of the receiver that need no server."""

from typing import Any, cast, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from sqlalchemy import RowMapping

from support.receiver.events import (
    FOREIGN_SECRET,
    PREVIOUS_SECRET,
    SECRET,
    order_blocked,
    order_ready,
    signed,
)
from support.receiver.server import receiver_settings
from swapshop_kit.access_tokens import Claims, Role
from swapshop_kit.cursors import Cursor
from swapshop_kit.ids import new_id
from swapshop_kit.problems import Forbidden, InvalidRequest
from swapshop_receiver.events import OPERATORS, OrderBlocked, OrderReady
from swapshop_receiver.notifications.domain import inboxes_of, inboxes_to_list, resume_from
from swapshop_receiver.webhooks.domain import authenticate, has_same_content, read_event
from swapshop_receiver.webhooks.problems import SignatureInvalid

DATABASE_URL = "sqlite+aiosqlite:///x"
ID = new_id()
BODY = b'{"evento":"ORDER_READY"}'


def claims(rol: Any) -> Claims:
    return Claims(iss="swapshop", aud="swapshop", sub="me", exp=2, iat=1, jti="j", rol=rol)


def test_a_list_is_ones_own_and_an_operator_may_name_another() -> None:
    assert inboxes_to_list(claims("customer"), None) == ("me",)
    assert inboxes_to_list(claims("operator"), None) == ("me", OPERATORS)
    assert inboxes_to_list(claims("operator"), "other") == ("other",)
    with pytest.raises(Forbidden):
        inboxes_to_list(claims("customer"), "other")
    with pytest.raises(Forbidden):
        inboxes_to_list(claims("customer"), "me")


@pytest.mark.parametrize("rol", [each for each in get_args(Role) if each != "operator"])
def test_the_operators_inbox_is_for_operators(rol: str) -> None:
    assert inboxes_of(claims("operator")) == ("me", OPERATORS)
    assert inboxes_of(claims(rol)) == ("me",)


def test_last_event_id_is_newer_than_the_cursor_in_the_address() -> None:
    assert resume_from(None, None) is None
    first, second = "MC5h", "MS5i"  # 0.a and 1.b
    assert cast("Cursor", resume_from(first, second)).id == "b"
    assert cast("Cursor", resume_from(first, None)).id == "a"
    assert cast("Cursor", resume_from(first, "")).id == "a"


@given(st.text(max_size=100))
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    try:
        cursor = resume_from(None, text)
    except InvalidRequest:
        return
    assert cursor is None if not text else cast("Cursor", cursor).encode() == text


@pytest.mark.parametrize("secret", [SECRET, PREVIOUS_SECRET])
def test_either_secret_signs_while_rotating(secret: SecretStr) -> None:
    headers = signed(BODY, "order-ready_1", secret)
    assert authenticate([SECRET, PREVIOUS_SECRET], headers, BODY) == "order-ready_1"


def test_the_previous_secret_is_refused_once_it_is_gone() -> None:
    with pytest.raises(SignatureInvalid):
        authenticate([SECRET], signed(BODY, "a", PREVIOUS_SECRET), BODY)


@pytest.mark.parametrize("seconds", [-295, 0, 295])
def test_a_signature_holds_for_five_minutes_either_way(seconds: int) -> None:
    assert authenticate([SECRET], signed(BODY, "a", seconds_off=seconds), BODY) == "a"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": ""},
        {"webhook-id": "order-ready_2"},
        {"webhook-id": "a" * 65},
        {"webhook-id": "a\u00e9"},
        {"webhook-id": "a.b"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": " 1767323045"},
        {"webhook-timestamp": "\u0661767323045"},
        {"webhook-timestamp": "9999999999"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,!!!"},
        {"webhook-signature": "v1,YQ"},
        {"webhook-signature": "v2,YQ=="},
        {"webhook-signature": "v1a,YQ=="},
        {"webhook-signature": "v1,\u00e9"},
        {"webhook-signature": "v1,YQ== " * 20},
        {"webhook-signature": "v1," + "A" * 2000},
    ],
)
def test_a_changed_header_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        authenticate([SECRET, PREVIOUS_SECRET], signed(BODY) | change, BODY)


@pytest.mark.parametrize("seconds", [-310, 310, -86400])
def test_an_old_or_early_signature_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureInvalid):
        authenticate([SECRET], signed(BODY, seconds_off=seconds), BODY)


def test_a_foreign_secret_and_a_changed_body_are_refused() -> None:
    with pytest.raises(SignatureInvalid):
        authenticate([SECRET, PREVIOUS_SECRET], signed(BODY, secret=FOREIGN_SECRET), BODY)
    with pytest.raises(SignatureInvalid):
        authenticate([SECRET], signed(BODY), BODY + b" ")
    with pytest.raises(SignatureInvalid):
        authenticate([SECRET], signed(BODY), b"\xff")


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()
    )
)
def test_no_header_is_worse_than_refused(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        authenticate([SECRET], headers, BODY)


def test_an_event_is_read_to_the_cent() -> None:
    body = orjson.dumps(order_ready()).replace(b"25.5", b"9999999999.99")
    event = read_event("ORDER_READY", body)
    assert isinstance(event, OrderReady)
    assert str(event.total) == "9999999999.99"
    assert orjson.loads(event.model_dump_json())["total"] == 9999999999.99
    assert orjson.loads(event.model_dump_json())["created_at"] == "2026-01-02T03:04:05.000006Z"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"evento": "ORDER_LOST"}, "evento"),
        ({"evento": None}, "evento"),
        ({"order_id": "1"}, "order_id"),
        ({"order_id": new_id().upper()}, "order_id"),
        ({"order_id": new_id() + "\n"}, "order_id"),
        ({"user_id": 7}, "user_id"),
        ({"cliente": ""}, "cliente"),
        ({"cliente": "x" * 121}, "cliente"),
        ({"total": "25.5"}, "total"),
        ({"total": True}, "total"),
        ({"total": None}, "total"),
        ({"total": -0.01}, "total"),
        ({"total": 0.001}, "total"),
        ({"total": 10**10}, "total"),
        ({"color": 3}, "color"),
        ({"color": ""}, "color"),
        ({"created_at": "2026-02-30T00:00:00.000000Z"}, "created_at"),
        ({"created_at": "2026-01-02T03:04:05Z"}, "created_at"),
        ({"created_at": "2026-01-02T03:04:05.000006+01:00"}, "created_at"),
        ({"created_at": 1767323045}, "created_at"),
        ({"processed_at": None}, "processed_at"),
        ({"lines": []}, "lines"),
    ],
)
def test_an_event_with_a_wrong_field_is_refused_by_its_name(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_event("ORDER_READY", orjson.dumps(order_ready(**changes)))
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize("name", list(OrderReady.model_fields))
def test_an_event_without_a_field_is_refused(name: str) -> None:
    event = order_ready()
    del event[name]
    with pytest.raises(InvalidRequest) as refused:
        read_event("ORDER_READY", orjson.dumps(event))
    assert [(error.field, error.code) for error in refused.value.errors] == [(name, "missing")]


GOOD = orjson.dumps(order_ready())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"25.5", b"NaN"),
        GOOD.replace(b"25.5", b"2.55e1"),
        GOOD.replace(b"25.5", b"1" * 5000),
        GOOD[:-1] + b',"total":1}',
        GOOD.replace(b"azul", b"\\ud800"),
        GOOD + b"x",
        GOOD.decode().encode("utf-16"),
        b"[" * 100_000,
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_event("ORDER_READY", body)


def test_one_order_has_one_blocked_event_whatever_it_says() -> None:
    first, other = (OrderBlocked(**order_blocked(order_id=ID, reason=each)) for each in "ab")
    row = {
        "user_id": OPERATORS,
        "order_id": ID,
        "evento": "ORDER_BLOCKED",
        "payload": first.model_dump_json().encode(),
    }

    assert has_same_content(cast("RowMapping", row), other)
    assert not has_same_content(cast("RowMapping", row | {"user_id": new_id()}), other)


def test_two_events_are_the_same_by_owner_order_kind_and_total() -> None:
    event = OrderReady.from_json(GOOD)

    def stored(**changes: Any) -> RowMapping:
        row = {
            "user_id": event.user_id,
            "order_id": event.order_id,
            "evento": "ORDER_READY",
            "payload": GOOD.replace(b"25.5", b"25.50").replace(b"azul", b"rojo"),
        }
        return cast("RowMapping", row | changes)

    assert has_same_content(stored(), event)
    assert not has_same_content(stored(user_id=new_id()), event)
    assert not has_same_content(stored(order_id=new_id()), event)
    assert not has_same_content(stored(evento="OTHER"), event)
    assert not has_same_content(stored(payload=GOOD.replace(b"25.5", b"25.51")), event)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_secret": "whsec_short"},
        {"webhook_secret": "not-a-secret"},
        {"webhook_secret_previous": "whsec_%%%"},
        {"jwks_url": "ftp://api"},
        {"redis_url": "http://redis"},
        {"database_url": "postgresql://x"},
        {"streams_per_user": -77},
    ],
)
def test_unusable_settings_are_refused_without_their_value(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        receiver_settings(**({"database_url": DATABASE_URL, "redis_url": "redis://x"} | changes))
    [(name, value)] = changes.items()
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]
    assert str(value) not in str(refused.value).partition(name)[2].partition("[type=")[0]


def test_secrets_are_tried_newest_first() -> None:
    settings = receiver_settings(DATABASE_URL, "redis://x")
    assert settings.webhook_secrets == [SECRET, PREVIOUS_SECRET]
    alone = receiver_settings(DATABASE_URL, "redis://x", webhook_secret_previous=None)
    assert alone.webhook_secrets == [SECRET]
    assert SECRET.get_secret_value() not in repr(settings)
