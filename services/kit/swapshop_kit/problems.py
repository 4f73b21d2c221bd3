"""Errors as RFC 9457 problem details: typed exceptions, rendered in the caller's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from swapshop_kit.problem_texts import FIELD_TEXTS, UNKNOWN_FIELD_CODE

Language = Literal["es", "en"]
MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Text:
    """A problem's title and detail in one language; ``{members}`` are filled in."""

    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field: its path (``items.0.cantidad``) and a code of FIELD_TEXTS."""

    field: str
    code: str
    context: Mapping[str, Any] | None = None

    def render(self, language: Language) -> "FieldProblem":
        """Render the error in a language; if its text or context is missing, as "is not valid"."""
        code = self.code if self.code in FIELD_TEXTS else UNKNOWN_FIELD_CODE
        try:
            message = FIELD_TEXTS[code][language].format_map(self.context or {})
        except KeyError:
            message = FIELD_TEXTS[UNKNOWN_FIELD_CODE][language]
        if language == "es":
            message = message.replace("' or '", "' o '")  # pydantic joins choices in English
        return FieldProblem(field=self.field, code=code, message=message)


class FieldProblem(BaseModel):
    """One refused field of a request."""

    field: str = Field(description="Dotted path of the field, such as items.0.cantidad.")
    code: str
    message: str


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="A URN that names the kind of problem.")
    title: str
    status: int
    detail: str
    code: str = Field(description="The kind of problem, for programs.")
    errors: list[FieldProblem] | None = None


class Problem(Exception):
    """An error answer; each subclass is one kind of problem.

    Keyword arguments become extension members (RFC 9457 §3.2).
    """

    code: ClassVar[str]
    status: ClassVar[int]
    es: ClassVar[Text]
    en: ClassVar[Text]

    def __init__(
        self,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        **members: Any,
    ) -> None:
        super().__init__(self.en.detail.format_map(members))
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        self.errors = list(errors)
        self.members = members

    def render(self, language: Language) -> Response:
        """Return the problem+json response in a language."""
        text = self.es if language == "es" else self.en
        details = ProblemDetails(
            type=f"urn:swapshop:problem:{self.code}",
            title=text.title,
            status=self.status,
            detail=text.detail.format_map(self.members),
            code=self.code,
            errors=[error.render(language) for error in self.errors] or None,
        )
        body = details.model_dump(exclude_none=True) | self.members
        return _ProblemResponse(
            body,
            status_code=self.status,
            headers={"Content-Language": language, "Vary": "Accept-Language", **self.headers},
        )


class _ProblemResponse(Response):
    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def preferred_language(accept_language: str | None) -> Language:
    """Choose es or en by Accept-Language (RFC 9110 §12.5.4); Spanish if neither is preferred."""
    best: tuple[float, Language] = (0.0, "es")
    for element in (accept_language or "").split(","):
        tag, _, parameter = element.partition(";")
        name, _, value = parameter.partition("=")
        try:
            quality = float(value) if name.strip().lower() == "q" else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().split("-")[0]
        if primary in ("es", "en") and best[0] < quality <= 1.0:
            best = (quality, "es" if primary == "es" else "en")
    return best[1]


def responses(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return a route's problems in the form of ``responses=``, which OpenAPI shows."""
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "description": " / ".join(kind.en.title for kind in group),
            "content": {
                MEDIA_TYPE: {
                    "schema": {
                        "allOf": [{"$ref": "#/components/schemas/ProblemDetails"}],
                        "properties": {
                            "code": {"enum": sorted({kind.code for kind in group})},
                        },
                    }
                }
            },
        }
        for status, group in by_status.items()
    }


class InvalidRequest(Problem):
    """The request is well-formed HTTP, but its content is refused."""

    code = "invalid_request"
    status = 422
    es = Text("Solicitud no válida", "Algunos datos no son válidos; corríjalos y envíela de nuevo.")
    en = Text("Invalid request", "Some of the data is not valid; correct it and send it again.")


class NotFound(Problem):
    """Nothing exists at this address, or nothing that the caller may see."""

    code = "not_found"
    status = 404
    es = Text("No encontrado", "No existe, o no es suyo.")
    en = Text("Not found", "It does not exist, or it is not yours.")


class MethodNotAllowed(Problem):
    """The address exists; the method does not apply to it."""

    code = "method_not_allowed"
    status = 405
    es = Text("Método no permitido", "Esta dirección no admite ese método.")
    en = Text("Method not allowed", "This address does not support that method.")


class BodyTooLarge(Problem):
    """The body exceeds the route's limit."""

    code = "body_too_large"
    status = 413
    es = Text("Cuerpo demasiado grande", "La solicitud supera el tamaño permitido.")
    en = Text("Body too large", "The request is larger than allowed.")


class BadRequest(Problem):
    """The request is not usable as HTTP."""

    code = "bad_request"
    status = 400
    es = Text("Solicitud incorrecta", "No se pudo leer la solicitud.")
    en = Text("Bad request", "The request could not be read.")


class Unauthenticated(Problem):
    """No valid access token; the body never says which check failed."""

    code = "unauthenticated"
    status = 401
    es = Text("Sesión no válida", "Inicie sesión de nuevo.")
    en = Text("Not signed in", "Sign in again.")

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The caller is known, but may not do this."""

    code = "forbidden"
    status = 403
    es = Text("No permitido", "Su cuenta no puede hacer esto.")
    en = Text("Forbidden", "Your account may not do this.")


class InternalError(Problem):
    """An error in our code; the request id finds it in the logs."""

    code = "internal_error"
    status = 500
    es = Text("Error interno", "Algo falló de nuestro lado; inténtelo de nuevo.")
    en = Text("Internal error", "Something failed on our side; try again.")


class DatabaseUnavailable(Problem):
    """The database cannot be reached, or was busy at every attempt; nothing was changed."""

    code = "database_unavailable"
    status = 503
    es = Text("Servicio no disponible", "La base de datos no responde; inténtelo en unos segundos.")
    en = Text("Service unavailable", "The database does not answer; try again in a few seconds.")

    def __init__(self) -> None:
        super().__init__(retry_after=2)


class KeysUnavailable(Problem):
    """No set of verification keys has been fetched yet, so no token can be verified."""

    code = "keys_unavailable"
    status = 503
    es = Text("Servicio no disponible", "Aún no se pueden comprobar las sesiones.")
    en = Text("Service unavailable", "Sessions cannot be checked yet.")

    def __init__(self) -> None:
        super().__init__(retry_after=2)


class OutcomeUnknown(Problem):
    """The connection broke during COMMIT: the change may or may not have been saved."""

    code = "outcome_unknown"
    status = 503
    es = Text("Resultado desconocido", "No se sabe si el cambio se guardó; compruébelo.")
    en = Text("Outcome unknown", "It is not known whether the change was saved; check it.")


class ServerStopping(Problem):
    """The server stopped before it could answer a request that changes nothing."""

    code = "server_stopping"
    status = 503
    es = Text("Servicio no disponible", "El servidor se está deteniendo; inténtelo de nuevo.")
    en = Text("Service unavailable", "The server is stopping; try again.")

    def __init__(self) -> None:
        super().__init__(retry_after=2)
