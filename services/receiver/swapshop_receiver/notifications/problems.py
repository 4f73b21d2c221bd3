"""What can go wrong with a stream of notifications."""

from swapshop_kit.problems import Problem, Text


class TooManyStreams(Problem):
    """The user has reached the limit of open streams."""

    code = "too_many_streams"
    status = 429
    es = Text("Demasiadas conexiones", "Cierre otras ventanas de la tienda e inténtelo de nuevo.")
    en = Text("Too many streams", "Close other windows of the store and try again.")

    def __init__(self) -> None:
        super().__init__(retry_after=30)


class NetworkStreamsTaken(Problem):
    """The client's network has reached the limit of open streams."""

    code = "network_streams_taken"
    status = 429
    es = Text("Demasiadas conexiones", "Su red ya tiene abiertas todas las que puede.")
    en = Text("Too many streams", "Your network has opened all the streams that it may.")

    def __init__(self) -> None:
        super().__init__(retry_after=30)


class StreamsUnavailable(Problem):
    """This process has reached the limit of open streams, or is stopping."""

    code = "streams_unavailable"
    status = 503
    es = Text("Servicio no disponible", "No hay avisos en directo ahora; inténtelo en un momento.")
    en = Text("Service unavailable", "No live notifications just now; try again in a moment.")

    def __init__(self) -> None:
        super().__init__(retry_after=2)
