"""The web application: pages, query API, health, metrics, the OpenAPI document, and whatever handlers are added."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException

from entrypoints.web.administration import ADMINISTRATION_HANDLERS
from entrypoints.web.auth import admit, refuse_unstorable_text
from entrypoints.web.candidates import CANDIDATE_HANDLERS
from entrypoints.web.compliance import COMPLIANCE_HANDLERS
from entrypoints.web.contacts import CONTACT_HANDLERS
from entrypoints.web.dashboard import show_dashboard
from entrypoints.web.deliverability import show_deliverability
from entrypoints.web.emails import EMAIL_HANDLERS
from entrypoints.web.encoded_slashes import EncodedSlashesKept, restore_slashes
from entrypoints.web.erasure import erase_recipient
from entrypoints.web.head_requests import BodylessHead, ReadingRouter
from entrypoints.web.health import HEALTH_HANDLERS
from entrypoints.web.instrument import instrument_email
from entrypoints.web.live.notification_stream import stream_routes
from entrypoints.web.metrics import METRICS_HANDLERS
from entrypoints.web.notifications import NOTIFICATION_HANDLERS
from entrypoints.web.observation import Observed
from entrypoints.web.openapi import openapi_config
from entrypoints.web.outgoing_webhooks import OUTGOING_WEBHOOK_HANDLERS
from entrypoints.web.pages.errors import show_unknown_address
from entrypoints.web.pages.routes import page_routes
from entrypoints.web.problems import EXCEPTION_HANDLERS
from entrypoints.web.services import WebServices
from entrypoints.web.tracking_terms import TRACKING_TERMS_HANDLERS
from entrypoints.web.webhook_deliveries import DELIVERY_HANDLERS
from entrypoints.web.webhook_endpoints import WEBHOOK_ENDPOINT_HANDLERS

MOST_BODY_BYTES: Final = 10 * 1024 * 1024

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(services: WebServices, *, handlers: Sequence[Any] = (), lifespan: Sequence[Lifespan] = ()) -> Litestar:
    """Give the application.

    Args:
        services: What the handlers call.
        handlers: More route handlers, outside of ``/api/v1``: webhooks.
        lifespan: Opens and closes what needs the event loop.
    """
    api = ReadingRouter(
        "/api/v1",
        guards=[restore_slashes, admit, refuse_unstorable_text],
        route_handlers=[
            *EMAIL_HANDLERS,
            instrument_email,
            *CANDIDATE_HANDLERS,
            *METRICS_HANDLERS,
            show_dashboard,
            *CONTACT_HANDLERS,
            *COMPLIANCE_HANDLERS,
            show_deliverability,
            erase_recipient,
            *DELIVERY_HANDLERS,
            *ADMINISTRATION_HANDLERS,
            *WEBHOOK_ENDPOINT_HANDLERS,
            *OUTGOING_WEBHOOK_HANDLERS,
            *TRACKING_TERMS_HANDLERS,
            *NOTIFICATION_HANDLERS,
        ],
    )
    health = ReadingRouter("/", route_handlers=HEALTH_HANDLERS)
    app = Litestar(
        route_handlers=[api, stream_routes(), health, *page_routes(), *handlers],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False, use_cache=True)},
        state=State({"services": services}, deep_copy=False),
        exception_handlers={**EXCEPTION_HANDLERS, NotFoundException: show_unknown_address},
        openapi_config=openapi_config(),
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
        lifespan=list(lifespan),
    )
    # Middleware runs behind the router only; what no route matches is to be observed too.
    app.asgi_handler = Observed(BodylessHead(EncodedSlashesKept(app.asgi_handler)), services.registry)
    return app
