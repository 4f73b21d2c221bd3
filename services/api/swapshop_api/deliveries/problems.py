"""What can go wrong with a delivery, or with an order on its way to one."""

from swapshop_kit.problems import Problem, Text


class DeliveryNotFound(Problem):
    """No such delivery."""

    code = "delivery_not_found"
    status = 404
    es = Text("Entrega no encontrada", "No hay ninguna entrega con ese identificador.")
    en = Text("Delivery not found", "There is no delivery with that identifier.")


class NotRedrivable(Problem):
    """Only a delivery that is DONE or DEAD can be sent again."""

    code = "not_redrivable"
    status = 409
    es = Text("Entrega en curso", "Solo se reenvía una entrega terminada o descartada.")
    en = Text("Delivery under way", "Only a delivery that is done or dead can be sent again.")


class OrderBlocked(Problem):
    """The order's data contradicts itself, so no notification can be made of it."""

    code = "order_blocked"
    status = 409
    es = Text("Pedido bloqueado", "Los datos del pedido se contradicen; no se puede procesar.")
    en = Text("Order blocked", "The order's data contradicts itself; it cannot be processed.")
