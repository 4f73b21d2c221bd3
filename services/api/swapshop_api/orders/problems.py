"""What can go wrong with an order."""

from swapshop_kit.problems import Problem, Text


class OrderNotFound(Problem):
    """No such order, or another customer's: which of the two is not told."""

    code = "order_not_found"
    status = 404
    es = Text("Pedido no encontrado", "No hay ningún pedido suyo con ese identificador.")
    en = Text("Order not found", "You have no order with that identifier.")


class IdempotencyKeyReused(Problem):
    """The key came with another body before; ``order_id`` is the order that it placed."""

    code = "idempotency_key_reused"
    status = 422
    es = Text("Clave ya usada", "Esa clave de idempotencia ya creó otro pedido: {order_id}.")
    en = Text("Key already used", "That idempotency key has placed another order: {order_id}.")


class IdempotencyInFlight(Problem):
    """A request with the same key has not ended yet."""

    code = "idempotency_in_flight"
    status = 409
    es = Text("Pedido en curso", "Ese mismo pedido se está guardando; inténtelo en un segundo.")
    en = Text("Order in progress", "That very order is being placed; try again in a second.")

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class TooManyOrders(Problem):
    """The customer places more, or more bytes, than one may; Retry-After tells when to go on."""

    code = "too_many_orders"
    status = 429
    es = Text("Demasiados pedidos", "Ha hecho muchos pedidos en poco tiempo; espere un momento.")
    en = Text("Too many orders", "You placed many orders in a short time; wait a moment.")
