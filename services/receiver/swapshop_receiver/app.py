"""The receiver's applications: one for each port, or all on one port."""

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter, FastAPI

from swapshop_kit.access_tokens import AccessTokenVerifier
from swapshop_kit.addresses import TrustedProxies
from swapshop_kit.health import operations_router
from swapshop_kit.provided import provide
from swapshop_kit.web import create_app
from swapshop_receiver import __version__
from swapshop_receiver.container import Container
from swapshop_receiver.notifications import routes as notifications
from swapshop_receiver.notifications.domain import Notifications
from swapshop_receiver.notifications.hub import StreamHub
from swapshop_receiver.webhooks import routes as webhooks
from swapshop_receiver.webhooks.domain import Webhooks

TITLE: Final = "SwapShop receiver"
DOCS_PREFIX: Final = "/api/notifications"
"""The part of ``/api`` that the Ingress routes to the receiver."""

PUBLIC_ROUTERS: Final = (notifications.public_router,)
INTERNAL_ROUTERS: Final = (webhooks.internal_router,)


def _make(
    container: Container,
    routers: Iterable[APIRouter],
    docs_prefix: str | None = None,
    *,
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
            AccessTokenVerifier: container.tokens,
            Notifications: container.notifications,
            StreamHub: container.hub,
            TrustedProxies: container.proxies,
            Webhooks: container.webhooks,
        },
    )
    return app


def public_app(container: Container) -> FastAPI:
    """Create the application that customers and operators call through the Ingress."""
    return _make(container, PUBLIC_ROUTERS, DOCS_PREFIX)


def internal_app(container: Container) -> FastAPI:
    """Create the application that the poller calls."""
    return _make(container, INTERNAL_ROUTERS, trusted_callers=True)


def operations_app(container: Container) -> FastAPI:
    """Create the application that Kubernetes and Prometheus call."""
    return _make(container, [operations_router(container.health)])


def whole_app(container: Container) -> FastAPI:
    """Create one application with all routes."""
    routers = (*PUBLIC_ROUTERS, *INTERNAL_ROUTERS, operations_router(container.health))
    return _make(container, routers, DOCS_PREFIX)


def contract_app() -> FastAPI:
    """Create the application that OpenAPI documents, without resources."""
    return create_app(TITLE, __version__, (*PUBLIC_ROUTERS, *INTERNAL_ROUTERS))
