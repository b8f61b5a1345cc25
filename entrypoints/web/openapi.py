"""The OpenAPI document; nothing of it is fetched from elsewhere."""

import re
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from application.email_registrations import EmailRegistration, RegisteredEmail, RejectedEmail
from entrypoints.web.administration import NewApiKey, NewOrganization, NewUserSession
from entrypoints.web.head_requests import ReadingRouter
from entrypoints.web.instrument import EmailToInstrument
from entrypoints.web.notifications import NotificationPreferencesChange
from entrypoints.web.operations import JSON
from entrypoints.web.outgoing_webhooks import NewOutgoingWebhook, OutgoingWebhookChange, SecretRenewal
from entrypoints.web.pages.page_openapi import SESSION
from entrypoints.web.problems import Problem
from entrypoints.web.tracking_terms import ConsentChange, TrackingPolicyChange
from entrypoints.web.webhook_endpoints import NewVerificationKey, NewWebhookEndpoint

SHARED_TYPES: Final[tuple[type[Any], ...]] = (
    ConsentChange,
    EmailRegistration,
    EmailToInstrument,
    NewApiKey,
    NewOrganization,
    NewOutgoingWebhook,
    NewUserSession,
    NewVerificationKey,
    NewWebhookEndpoint,
    NotificationPreferencesChange,
    OutgoingWebhookChange,
    Problem,
    RegisteredEmail,
    RejectedEmail,
    SecretRenewal,
    TrackingPolicyChange,
)
"""Types that operations refer to by name."""


GENERIC_NAME: Final = re.compile(rb"Page_(?:\w+\.)+(\w+)_(?=\")")


ITSELF: Final = {
    "get": {
        "tags": ["operations"],
        "summary": "Show this document",
        "operationId": "ShowThisDocument",
        "responses": {
            "200": {
                "description": "An OpenAPI document",
                "content": {
                    JSON: {
                        "schema": {"type": "object"},
                        "example": {"openapi": "3.1.0", "info": {"title": "Mailpulse", "version": "0.1.0"}},
                    }
                },
            }
        },
    }
}


class DocumentPlugin(JsonRenderPlugin):
    """Serves the document as JSON, with what Litestar's own collection leaves out: the shared types, and itself."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Complete the document; pages are called ``PageOfEmailView``, not by the place of their modules."""
        _, shared = msgspec.json.schema_components(SHARED_TYPES, ref_template="#/components/schemas/{name}")
        components = {**openapi_schema["components"], "schemas": {**openapi_schema["components"]["schemas"], **shared}}
        paths = {**openapi_schema["paths"], "/schema": ITSELF}
        whole = {**openapi_schema, "components": components, "paths": paths}
        return GENERIC_NAME.sub(rb"PageOf\1", self.render_json(request, whole))


def refuse_other_documents(request: Request[Any, Any, Any]) -> None:
    """Answer for what is no document here, before Litestar does with a page of HTML."""
    if request.path_params.get("path"):
        raise NotFoundException


def openapi_config() -> OpenAPIConfig:
    """Give the frame of the document, served at ``/schema`` and ``/schema/openapi.json``."""
    return OpenAPIConfig(
        title="Mailpulse",
        version=version("mailpulse"),
        description=(
            "How people engage with the emails a recruiting team sends. Times are RFC 3339 in UTC, rates are "
            "percentages, lists page by `limit` and `cursor`, errors are `application/problem+json`."
        ),
        openapi_router=ReadingRouter(
            "/schema", route_handlers=[], include_in_schema=False, before_request=refuse_other_documents
        ),
        render_plugins=[DocumentPlugin(path=["/openapi.json", "/"])],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http", scheme="bearer", description="An API key (`mp_key_…`) or a user token (`mp_user_…`)."
                ),
                SESSION: SecurityScheme(
                    type="apiKey",
                    security_scheme_in="cookie",
                    name="__Host-mailpulse",
                    description="Of who opened a sign-in link; without TLS, on one's own machine, it is `mailpulse`.",
                ),
            },
        ),
    )
