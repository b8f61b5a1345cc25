"""The web application: the query API, health, metrics, the OpenAPI document, and whatever handlers are added."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide

from entrypoints.web.administration import ADMINISTRATION_HANDLERS
from entrypoints.web.auth import admit, refuse_unstorable_text
from entrypoints.web.candidates import CANDIDATE_HANDLERS
from entrypoints.web.contacts import list_engaged_contacts
from entrypoints.web.emails import EMAIL_HANDLERS
from entrypoints.web.health import HEALTH_HANDLERS
from entrypoints.web.metrics import METRICS_HANDLERS
from entrypoints.web.observation import Observed
from entrypoints.web.openapi import openapi_config
from entrypoints.web.problems import EXCEPTION_HANDLERS
from entrypoints.web.services import WebServices
from entrypoints.web.webhook_deliveries import DELIVERY_HANDLERS
from entrypoints.web.webhook_endpoints import WEBHOOK_ENDPOINT_HANDLERS

MOST_BODY_BYTES: Final = 10 * 1024 * 1024

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(services: WebServices, *, handlers: Sequence[Any] = (), lifespan: Sequence[Lifespan] = ()) -> Litestar:
    """Give the application.

    Args:
        services: What the handlers call.
        handlers: More route handlers, outside of ``/api/v1``: webhooks, pages.
        lifespan: Opens and closes what needs the event loop.
    """
    api = Router(
        "/api/v1",
        guards=[admit, refuse_unstorable_text],
        route_handlers=[
            *EMAIL_HANDLERS,
            *CANDIDATE_HANDLERS,
            *METRICS_HANDLERS,
            list_engaged_contacts,
            *DELIVERY_HANDLERS,
            *ADMINISTRATION_HANDLERS,
            *WEBHOOK_ENDPOINT_HANDLERS,
        ],
    )
    app = Litestar(
        route_handlers=[api, *HEALTH_HANDLERS, *handlers],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False, use_cache=True)},
        state=State({"services": services}, deep_copy=False),
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=openapi_config(),
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
        lifespan=list(lifespan),
    )
    # Middleware runs behind the router only; what no route matches is to be observed too.
    app.asgi_handler = Observed(app.asgi_handler, services.registry)
    return app
