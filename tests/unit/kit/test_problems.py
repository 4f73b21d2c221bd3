"""Problems: RFC 9457 bodies, in the language that the caller asked for."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapshop_kit.problems import (
    BodyTooLarge,
    DatabaseUnavailable,
    FieldError,
    InvalidRequest,
    KeysUnavailable,
    NotFound,
    OutcomeUnknown,
    Problem,
    Text,
    Unauthenticated,
    preferred_language,
    responses,
)

_PACKAGES = (
    "swapshop_api",
    "swapshop_kit",
    "swapshop_local",
    "swapshop_poller",
    "swapshop_receiver",
)


class _Conflict(Problem):
    code = "conflict"
    status = 409
    es = Text("Conflicto", "Ya existe {order_id}.")
    en = Text("Conflict", "{order_id} exists already.")


def _import_all() -> None:
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            # Importing a script of alembic or a command line would run it.
            if not re.search(r"\.migrations\.|\.__main__$", module.name):
                importlib.import_module(module.name)


def _subclasses(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _kinds() -> list[type[Problem]]:
    _import_all()
    return [kind for kind in _subclasses(Problem) if kind.__module__.startswith("swapshop_")]


def _members(text: Text) -> set[str]:
    return set(re.findall(r"{(\w+)}", text.title + text.detail))


def test_every_problem_of_every_service_is_told_in_both_languages() -> None:
    kinds = _kinds()

    assert {NotFound, OutcomeUnknown} < set(kinds)
    for kind in kinds:
        problem = kind.__new__(kind)  # whatever arguments its constructor takes
        members: dict[str, Any] = dict.fromkeys(_members(kind.es), "x")
        Problem.__init__(problem, **members)
        spanish = json.loads(bytes(problem.render("es").body))
        english = json.loads(bytes(problem.render("en").body))

        assert _members(kind.es) == _members(kind.en), kind
        assert spanish["detail"] != english["detail"], kind
        assert "{" not in spanish["detail"] + english["detail"], kind
        assert all(spanish[name] and english[name] for name in ("title", "detail")), kind
        assert 400 <= kind.status < 600, kind
        assert re.fullmatch(r"[a-z][a-z_]*", kind.code), kind


def test_a_code_means_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for kind in _kinds():
        statuses.setdefault(kind.code, set()).add(kind.status)

    assert [code for code, found in statuses.items() if len(found) > 1] == []


def test_the_body_has_the_members_of_rfc_9457_and_extensions() -> None:
    problem = _Conflict(order_id="0190", retry_after=3, headers={"X-Extra": "1"})
    answer = problem.render("en")

    assert answer.status_code == 409
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:swapshop:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "0190 exists already.",
        "code": "conflict",
        "order_id": "0190",
    }
    assert {name: answer.headers[name] for name in answer.headers if name != "content-length"} == {
        "content-type": "application/problem+json",
        "content-language": "en",
        "vary": "Accept-Language",
        "x-extra": "1",
        "retry-after": "3",
    }


def test_field_errors_are_listed_with_their_path() -> None:
    errors = [FieldError("items.0.cantidad", "less_than_equal", {"le": 1000}), FieldError("x", "?")]
    body = json.loads(bytes(InvalidRequest(errors=errors).render("es").body))

    assert body["errors"] == [
        {
            "field": "items.0.cantidad",
            "code": "less_than_equal",
            "message": "debe ser como máximo 1000",
        },
        {"field": "x", "code": "invalid", "message": "no es válido"},
    ]


def test_an_answer_without_field_errors_has_no_such_member() -> None:
    assert "errors" not in json.loads(bytes(InvalidRequest().render("en").body))


@pytest.mark.parametrize("kind", [DatabaseUnavailable, KeysUnavailable])
def test_an_outage_says_when_to_come_back(
    kind: type[DatabaseUnavailable | KeysUnavailable],
) -> None:
    assert kind().render("en").headers["retry-after"] == "2"


def test_an_unknown_outcome_invites_no_repetition_by_itself() -> None:
    assert "retry-after" not in OutcomeUnknown().render("en").headers


def test_a_missing_token_is_challenged() -> None:
    assert Unauthenticated().render("en").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        (None, "es"),
        ("", "es"),
        ("en", "en"),
        ("EN", "en"),
        ("en-GB", "en"),
        ("es-CO,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("es;q=0.5, en;q=0.7", "en"),
        ("es;q=0.5,en;q=0.50", "es"),
        ("fr, en;q=0.1", "en"),
        ("fr", "es"),
        ("*", "es"),
        ("en;q=0", "es"),
        ("en;q=0, *", "es"),
        ("en ; q=1 , es ; q=0.9", "en"),
        ("en;Q=0.2, es;q=0.9", "es"),
        ("en;q=2, es;q=0.1", "es"),
        ("en;q=-1", "es"),
        ("en;q=nan, es;q=0.1", "es"),
        ("en;q=inf", "es"),
        ("en;q=many", "es"),
        ("en;q=", "es"),
        ("english", "es"),
        ("en_US", "es"),
        (",,;q=1,;;", "es"),
        ("es;q=0.001,en;q=0.002", "en"),
    ],
)
def test_the_language_is_negotiated(accept_language: str | None, language: str) -> None:
    assert preferred_language(accept_language) == language


@given(
    st.text()
    | st.lists(
        st.sampled_from(["en", "es", "*", "-", ";", "q", "=", ",", "0.5", "1e9", " ", "é"])
    ).map("".join)
)
def test_any_header_gives_a_language(header: str) -> None:
    assert preferred_language(header) in ("es", "en")


def test_declared_problems_are_grouped_by_status() -> None:
    declared = responses(DatabaseUnavailable, BodyTooLarge, OutcomeUnknown)

    assert set(declared) == {503, 413}
    schema = declared[503]["content"]["application/problem+json"]["schema"]
    assert schema["properties"]["code"]["enum"] == ["database_unavailable", "outcome_unknown"]
    assert declared[503]["description"] == "Service unavailable / Outcome unknown"
