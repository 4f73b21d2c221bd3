"""What can go wrong with a webhook."""

from swapshop_kit.problems import Problem, Text


class SignatureInvalid(Problem):
    """The signature is wrong or out of date; every cause gets the same answer."""

    code = "signature_invalid"
    status = 401
    es = Text("Firma no válida", "La firma del aviso no es válida o ha caducado.")
    en = Text("Invalid signature", "The signature of the webhook is invalid or out of date.")

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "StandardWebhooks"})


class NotificationConflict(Problem):
    """Another event is stored under this webhook id, or for this order."""

    code = "notification_conflict"
    status = 409
    es = Text("Conflicto", "Ya hay otro aviso con este identificador o para este pedido.")
    en = Text("Conflict", "Another event has this webhook id, or is stored for this order.")
