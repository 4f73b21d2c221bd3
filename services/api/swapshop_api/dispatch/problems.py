"""What can go wrong with a delivery."""

from swapshop_kit.problems import Problem, Text


class DeliveryNotFound(Problem):
    """No such delivery."""

    code = "delivery_not_found"
    status = 404
    es = Text("Entrega no encontrada", "No hay ninguna entrega con ese identificador.")
    en = Text("Delivery not found", "There is no delivery with that identifier.")


class LeaseNotFound(Problem):
    """The lease token has another form than a UUID."""

    code = "lease_not_found"
    status = 404
    es = Text("Arriendo no encontrado", "No hay ningún arriendo con ese identificador.")
    en = Text("Lease not found", "There is no lease with that identifier.")


class NotRedrivable(Problem):
    """Only a delivery that is DONE or DEAD can be sent again."""

    code = "not_redrivable"
    status = 409
    es = Text("Entrega en curso", "Solo se reenvía una entrega terminada o descartada.")
    en = Text("Delivery under way", "Only a delivery that is done or dead can be sent again.")
