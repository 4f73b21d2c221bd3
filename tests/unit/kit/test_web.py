"""Applications of the kit: every refusal is a problem, and JSON is parsed strictly."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from swapshop_kit import web
from swapshop_kit.money import Price
from swapshop_kit.problems import DatabaseUnavailable, ProblemDetails, Unauthenticated, responses

_LIMIT = 1000


class _Toy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    price: Price


def _toys() -> APIRouter:
    router = web.router(prefix="/api/toys", tag="toys", max_body_bytes=_LIMIT)

    @router.post("", status_code=201)
    async def create(toy: _Toy) -> _Toy:
        return toy

    @router.get("/{number}")
    async def read(number: int, limit: Annotated[int, Query(ge=1)] = 1) -> dict[str, int]:
        return {"number": number, "limit": limit}

    @router.delete("/{number}", responses=responses(DatabaseUnavailable))
    async def delete(number: int) -> int:
        if number:
            raise DatabaseUnavailable
        return number

    @router.put("/{number}")
    async def put(number: int) -> None:
        if number == 0:
            raise Unauthenticated
        raise HTTPException(number, headers={"X-Why": "because"})

    @router.patch("/{number}")
    async def patch(number: int) -> None:
        raise RuntimeError(f"password={number}")

    return router


@pytest.fixture
def app() -> FastAPI:
    return web.create_app("Toys", "1.2.3", [_toys()], docs_prefix="/api")


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    headers = {"Accept-Language": "en"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://toys", headers=headers
    ) as client:
        yield client


async def _post(
    client: httpx.AsyncClient, body: bytes, content_type: str = "application/json"
) -> httpx.Response:
    headers = {"Content-Type": content_type} if content_type else {}
    return await client.post("/api/toys", content=body, headers=headers)


def _assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    assert answer.headers["x-request-id"]


async def test_a_route_answers_with_its_model(client: httpx.AsyncClient) -> None:
    answer = await _post(client, b'{"name": "ball", "price": 2.50}')

    assert answer.status_code == 201
    assert answer.text == '{"name":"ball","price":2.5}'
    assert answer.headers["x-request-id"]


async def test_an_amount_never_passes_through_a_float() -> None:
    seen: list[Decimal] = []
    router = web.router(tag="prices")

    @router.post("/price")
    async def price(toy: _Toy) -> None:
        seen.append(toy.price)

    transport = httpx.ASGITransport(web.create_app("t", "1", [router]))
    async with httpx.AsyncClient(transport=transport, base_url="http://toys") as prices:
        body = b'{"name": "x", "price": 0.10}'
        await prices.post("/price", content=body, headers={"Content-Type": "application/json"})

    assert [str(each) for each in seen] == ["0.10"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/toys/", 404, "not_found"),
        ("POST", "/api/toys/1", 405, "method_not_allowed"),
        ("GET", "/api/toys/one", 422, "invalid_request"),
        ("GET", "/api/toys/1?limit=0", 422, "invalid_request"),
        ("DELETE", "/api/toys/1", 503, "database_unavailable"),
        ("PUT", "/api/toys/0", 401, "unauthenticated"),
        ("PUT", "/api/toys/404", 404, "not_found"),
        ("PUT", "/api/toys/413", 413, "body_too_large"),
        ("PUT", "/api/toys/418", 400, "bad_request"),
        ("PUT", "/api/toys/503", 500, "internal_error"),
        ("PATCH", "/api/toys/1", 500, "internal_error"),
    ],
)
async def test_every_refusal_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    _assert_problem(await client.request(method, path), status, code)


async def test_headers_of_a_refusal_are_kept(client: httpx.AsyncClient) -> None:
    not_allowed = await client.post("/api/toys/1")
    assert set(not_allowed.headers["allow"].split(", ")) <= {"DELETE", "GET", "PATCH", "PUT"}
    assert (await client.put("/api/toys/418")).headers["x-why"] == "because"
    assert (await client.delete("/api/toys/1")).headers["retry-after"] == "2"
    assert (await client.put("/api/toys/0")).headers["www-authenticate"] == "Bearer"


async def test_a_defect_leaks_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/api/toys/12345")

    assert answer.json() == {
        "type": "urn:swapshop:problem:internal_error",
        "title": "Internal error",
        "status": 500,
        "detail": "Something failed on our side; try again.",
        "code": "internal_error",
    }


async def test_spanish_is_the_language_of_the_house(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://toys") as client:
        answer = await client.get("/nowhere")

    assert answer.headers["content-language"] == "es"
    assert answer.json()["title"] == "No encontrado"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"name": "x", "price": 1e2}', ("body", "json_invalid")),
        (b'{"name": "x", "price": NaN}', ("body", "json_invalid")),
        (b'{"name": "\\ud800", "price": 1}', ("body", "json_invalid")),
        (b'{"name": "x", "name": "x", "price": 1}', ("body", "json_invalid")),
        (b'{"name": "x", "price": 1} x', ("body", "json_invalid")),
        (b'\xef\xbb\xbf{"name": "x", "price": 1}', ("body", "json_invalid")),
        (b'{"name": "x", "price": ' + b"9" * 500 + b"}", ("body", "json_invalid")),
        (b"[" * 500, ("body", "json_invalid")),
        (b"\xff", ("body", "json_invalid")),
        (b"", ("body", "missing")),
        (b"null", ("body", "model_attributes_type")),
        (b"[]", ("body", "model_attributes_type")),
        (b'{"name": "x", "price": 1, "more": 1}', ("more", "extra_forbidden")),
        (b'{"name": "x", "price": true}', ("price", "money_number")),
        (b'{"name": "x", "price": "1"}', ("price", "money_number")),
    ],
)
async def test_a_bad_body_is_422_and_names_the_field(
    client: httpx.AsyncClient, body: bytes, error: tuple[str, str]
) -> None:
    answer = await _post(client, body)

    _assert_problem(answer, 422, "invalid_request")
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [error]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "json",
        ";",
        "a/b/c",
    ],
)
async def test_a_body_that_is_not_declared_as_json_is_422(
    client: httpx.AsyncClient, content_type: str
) -> None:
    answer = await _post(client, b'{"name": "x", "price": 1}', content_type)

    _assert_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/a+json"]
)
async def test_json_by_any_of_its_names_is_read(
    client: httpx.AsyncClient, content_type: str
) -> None:
    answer = await _post(client, b'{"name": "x", "price": 1}', content_type)

    assert answer.status_code == 201


async def test_many_unknown_fields_get_a_short_answer(client: httpx.AsyncClient) -> None:
    fields = ",".join(f'"{number}": 0' for number in range(100))
    answer = await _post(client, f"{{{fields}}}".encode())

    assert len(answer.json()["errors"]) == 50


async def test_documentation_stands_where_it_was_asked_for(client: httpx.AsyncClient) -> None:
    docs = await client.get("/api/docs")
    assert (docs.status_code, docs.headers["location"]) == (307, "/reference.html?of=api")
    assert (await client.get("/api/openapi.json")).json()["info"] == {
        "title": "Toys",
        "version": "1.2.3",
    }
    assert (await client.get("/openapi.json")).status_code == 404
    assert web.create_app("Toys", "1", []).openapi_url is None


def test_openapi_tells_problems_and_not_fastapis_own_errors(app: FastAPI) -> None:
    document = web.use_problem_schema(app)

    schemas = document["components"]["schemas"]
    assert {"ProblemDetails", "FieldProblem"} <= schemas.keys()
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()
    assert schemas["ProblemDetails"]["properties"].keys() == ProblemDetails.model_fields.keys()
    answers = document["paths"]["/api/toys/{number}"]["delete"]["responses"]
    assert answers.keys() >= {"413", "422", "500", "503"}
    assert "HTTPValidationError" not in str(document)
    assert document["paths"]["/api/toys"]["post"]["operationId"] == "create"


def test_an_app_without_schemas_still_documents_problems() -> None:
    assert "ProblemDetails" in web.use_problem_schema(FastAPI())["components"]["schemas"]
