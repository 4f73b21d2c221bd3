"""What can go wrong with a lease."""

from swapshop_kit.problems import Problem, Text


class LeaseNotFound(Problem):
    """The lease token has another form than a UUID."""

    code = "lease_not_found"
    status = 404
    es = Text("Arriendo no encontrado", "No hay ningún arriendo con ese identificador.")
    en = Text("Lease not found", "There is no lease with that identifier.")
