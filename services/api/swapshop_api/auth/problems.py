"""Problems of accounts and sessions."""

from swapshop_kit.problems import Problem, Text


class EmailTaken(Problem):
    """Another account has this e-mail."""

    code = "email_taken"
    status = 409
    es = Text("Correo ya registrado", "Ya hay una cuenta con ese correo; inicie sesión.")
    en = Text("E-mail taken", "There is an account with that e-mail already; sign in.")


class WrongCredentials(Problem):
    """Unknown e-mail or wrong password: which of the two is not told."""

    code = "wrong_credentials"
    status = 401
    es = Text("Datos incorrectos", "El correo o la contraseña no son correctos.")
    en = Text("Wrong credentials", "The e-mail or the password is not right.")

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class WrongPassword(Problem):
    """The current password, asked for again, was not right."""

    code = "wrong_password"
    status = 403
    es = Text("Contraseña incorrecta", "La contraseña actual no es correcta.")
    en = Text("Wrong password", "The current password is not right.")


class SessionEnded(Problem):
    """The refresh token is missing, unknown, revoked or of a session that is over."""

    code = "session_ended"
    status = 401
    es = Text("Sesión terminada", "Inicie sesión de nuevo.")
    en = Text("Session ended", "Sign in again.")

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class RefreshConflict(Problem):
    """Another tab refreshed the session a moment ago and has the newer cookie."""

    code = "refresh_conflict"
    status = 409
    es = Text("Sesión ya renovada", "Otra pestaña acaba de renovar la sesión; repita la solicitud.")
    en = Text("Session just refreshed", "Another tab has just refreshed it; repeat the request.")

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class OriginRefused(Problem):
    """The request comes from a page that is not the store's, or does not say where from."""

    code = "origin_refused"
    status = 403
    es = Text("Origen no permitido", "La solicitud no viene de la página de la tienda.")
    en = Text("Origin refused", "The request does not come from the store's page.")


class TooManyRequests(Problem):
    """A rate limit is used up; Retry-After tells when one more is allowed."""

    code = "too_many_requests"
    status = 429
    es = Text("Demasiados intentos", "Espere un momento antes de volver a intentarlo.")
    en = Text("Too many requests", "Wait a moment before you try again.")


class PasswordQueueFull(Problem):
    """More passwords wait to be hashed than can be within a few tenths of a second."""

    code = "busy"
    status = 503
    es = Text("Servicio ocupado", "Hay muchos inicios de sesión; inténtelo en unos segundos.")
    en = Text("Busy", "Many people are signing in; try again in a few seconds.")

    def __init__(self) -> None:
        super().__init__(retry_after=2)


class UserNotFound(Problem):
    """No account has this e-mail."""

    code = "user_not_found"
    status = 404
    es = Text("Cuenta no encontrada", "Ninguna cuenta tiene ese correo.")
    en = Text("Account not found", "No account has that e-mail.")
