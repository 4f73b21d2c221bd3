"""The api's applications: one for each port, or all on one port."""

from typing import Final

from fastapi import APIRouter, FastAPI

from swapshop_api import __version__
from swapshop_api.audit import routes as audit
from swapshop_api.audit.domain import AuditLog
from swapshop_api.auth import routes as auth
from swapshop_api.auth.domain.accounts import Accounts
from swapshop_api.auth.domain.sessions import Sessions
from swapshop_api.auth.origins import Origins
from swapshop_api.clients import routes as clients
from swapshop_api.clients.domain import Clients
from swapshop_api.container import Container
from swapshop_api.deliveries import routes as deliveries
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.dependencies import TokenVerifiers
from swapshop_api.dispatch import routes as dispatch
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.orders import routes as orders
from swapshop_api.orders.domain import Orders
from swapshop_api.signing_keys import routes as signing_keys
from swapshop_api.signing_keys.domain import SigningKeys
from swapshop_kit.addresses import TrustedProxies
from swapshop_kit.health import operations_router
from swapshop_kit.provided import provide
from swapshop_kit.web import create_app

TITLE: Final = "SwapShop api"
DOCS_PREFIX: Final = "/api"

PUBLIC: Final[tuple[APIRouter, ...]] = (
    auth.public_router,
    orders.public_router,
    deliveries.order_router,
    deliveries.public_router,
    audit.public_router,
)
INTERNAL: Final[tuple[APIRouter, ...]] = (
    signing_keys.internal_router,
    clients.internal_router,
    auth.internal_router,
    dispatch.internal_router,
)


def public_app(container: Container) -> FastAPI:
    """Create the application that customers and operators call through the Ingress."""
    return _app(container, *PUBLIC, docs_prefix=DOCS_PREFIX)


def internal_app(container: Container) -> FastAPI:
    """Create the application that other parts of the system call."""
    return _app(container, *INTERNAL, trusted_callers=True)


def operations_app(container: Container) -> FastAPI:
    """Create the application that Kubernetes and Prometheus call."""
    return _app(container, operations_router(container.health))


def whole_app(container: Container) -> FastAPI:
    """Create one application with all routes, as for a developer's machine."""
    operations = operations_router(container.health)
    return _app(container, *PUBLIC, *INTERNAL, operations, docs_prefix=DOCS_PREFIX)


def contract_app() -> FastAPI:
    """Create the application that OpenAPI documents, without resources."""
    return create_app(TITLE, __version__, (*PUBLIC, *INTERNAL), docs_prefix=DOCS_PREFIX)


def _app(
    container: Container,
    *routers: APIRouter,
    docs_prefix: str | None = None,
    trusted_callers: bool = False,
) -> FastAPI:
    app = create_app(
        TITLE,
        __version__,
        routers,
        docs_prefix=docs_prefix,
        trusted_callers=trusted_callers,
        proxies=container.proxies,
    )
    provide(
        app,
        {
            TokenVerifiers: TokenVerifiers(container.public_tokens, container.internal_tokens),
            AuditLog: AuditLog(container.database),
            Accounts: container.accounts,
            Clients: container.clients,
            Deliveries: container.deliveries,
            Dispatch: container.dispatch,
            Orders: container.orders,
            Origins: container.origins,
            Sessions: container.sessions,
            SigningKeys: container.keys,
            TrustedProxies: container.proxies,
        },
    )
    return app
