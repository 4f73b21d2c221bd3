"""Placing an order, over HTTP."""

import json
import re
from decimal import Decimal

import httpx
import pytest

from support.api.client import Shop, code_of
from support.api.orders import line_json, order_json, stored_orders
from swapshop_api.orders.routes import MAX_ORDER_BYTES
from swapshop_kit.database import Database
from swapshop_kit.ids import is_canonical_id

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z").fullmatch

ORDER = order_json(
    line_json(producto="Abrigo 🧥", talla="M", color="azul", cantidad=2, precio_unitario=10.5),
    line_json(producto="Bufanda", cantidad=1000, precio_unitario=999999.99),
    cliente="Núñez & <Söhne>",
)


async def test_a_placed_order_is_answered_whole(ana: Shop) -> None:
    answer = await ana.place(ORDER)

    created = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Location"] == f"/api/orders/{created['id']}"
    assert "Idempotency-Replayed" not in answer.headers
    assert is_canonical_id(created["id"])
    assert _TIME(created["created_at"])
    assert created == {
        "id": created["id"],
        "cliente": "Núñez & <Söhne>",
        "items": [
            {
                "producto": "Abrigo 🧥",
                "talla": "M",
                "color": "azul",
                "cantidad": 2,
                "precio_unitario": 10.5,
            },
            {
                "producto": "Bufanda",
                "talla": None,
                "color": None,
                "cantidad": 1000,
                "precio_unitario": 999999.99,
            },
        ],
        "total": 1000000011.0,
        "estado": "PENDING",
        "created_at": created["created_at"],
        "processed_at": None,
    }


async def test_reading_gives_the_very_bytes_of_the_creation(ana: Shop, database: Database) -> None:
    answer = await ana.place(ORDER)
    order_id = answer.json()["id"]

    cached = await ana.read(order_id)
    [row] = await stored_orders(database)

    assert (cached.status_code, cached.headers["X-Cache"]) == (200, "HIT")
    assert cached.content == answer.content
    assert (row["id"], row["total"]) == (order_id, Decimal("1000000011.00"))


async def test_the_largest_order_is_taken(ana: Shop) -> None:
    text = "👗" * 120
    line = line_json(producto=text, talla=text, cantidad=1000, precio_unitario=99999.99)
    order = order_json(*[line] * 100, cliente=text)

    created = await ana.placed(order)

    assert len(json.dumps(order, ensure_ascii=False).encode()) > 64 * 1024
    assert created["total"] == 9999999000.0
    assert len(created["items"]) == 100
    assert created["items"][99]["producto"] == text


async def test_a_body_may_have_256_kib_and_not_a_byte_more(ana: Shop) -> None:
    body = json.dumps(order_json()).encode()
    headers = {"Content-Type": "application/json"}

    largest = await ana.post("/api/orders", content=body.ljust(MAX_ORDER_BYTES), headers=headers)
    larger = await ana.post("/api/orders", content=body.ljust(MAX_ORDER_BYTES + 1), headers=headers)

    assert MAX_ORDER_BYTES == 256 * 1024
    assert largest.status_code == 201
    assert code_of(larger) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (json.dumps(order_json(line_json(cantidad=True))), [("items.0.cantidad", "int_type")]),
        ('{"cliente":"a","cliente":"b","items":[]}', [("body", "json_invalid")]),
        (json.dumps(order_json()).replace("10.5", "1e1"), [("body", "json_invalid")]),
        (json.dumps(order_json()).replace("10.5", "NaN"), [("body", "json_invalid")]),
        (json.dumps(order_json(cliente="\ud800")), [("body", "json_invalid")]),
        (
            json.dumps(order_json(*[line_json(cantidad=1000, precio_unitario=999999.99)] * 11)),
            [("body", "total_too_large")],
        ),
        (json.dumps(order_json(extra=1)), [("extra", "extra_forbidden")]),
        ("", [("body", "missing")]),
        ("[]", [("body", "model_attributes_type")]),
        ("[" * 100, [("body", "json_invalid")]),
    ],
)
async def test_a_bad_order_is_refused_field_by_field(
    ana: Shop, database: Database, body: str, refused: list[tuple[str, str]]
) -> None:
    answer = await ana.post(
        "/api/orders", content=body, headers={"Content-Type": "application/json"}
    )

    assert code_of(answer) == (422, "invalid_request")
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == refused
    assert await stored_orders(database) == []


async def test_only_who_signed_in_may_place_or_read(ana: Shop) -> None:
    created = await ana.placed()
    order_url = f"/api/orders/{created['id']}"
    ana.headers["Authorization"] = "Bearer nonsense"

    answers: list[httpx.Response] = [
        await ana.place(),
        await ana.get("/api/orders"),
        await ana.get("/api/orders/pending"),
        await ana.get("/api/orders/processed"),
        await ana.get(order_url),
        await ana.get(f"{order_url}/timeline"),
        await ana.post(f"{order_url}/mark-processed"),
    ]

    assert {code_of(answer) for answer in answers} == {(401, "unauthenticated")}
    assert len({answer.content for answer in answers}) == 1
