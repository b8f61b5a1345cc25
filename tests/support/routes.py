"""The routes that an application has, and paths that lead to them."""

from typing import Any, NamedTuple
from uuid import uuid4

ASKED_FOR_BY_NOBODY = frozenset({"HEAD", "OPTIONS"})
"""HEAD is GET without the body; OPTIONS is the framework's own."""
NO_PAGES = ("/api/", "/assets/", "/health/", "/metrics", "/schema", "/t/", "/webhooks/")


class Operation(NamedTuple):
    """What can be asked of a route.

    Attributes:
        opt: What the handler says of itself, such as for whom it is.
        template: The path, with its parameters in braces.
    """

    opt: dict[str, Any]
    method: str
    template: str

    @property
    def has_parameters(self):
        return "{" in self.template


def operations_of(app):
    return [
        Operation(handler.opt, str(method), route.path_format)
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        for method in sorted(handler.http_methods - ASKED_FOR_BY_NOBODY)
    ]


def api_operations(app):
    return [operation for operation in operations_of(app) if operation.template.startswith("/api/v1")]


def page_operations(app):
    return [operation for operation in operations_of(app) if not operation.template.startswith(NO_PAGES)]


def forms_of(app):
    """Give what changes something and is sent by a page."""
    return [operation for operation in page_operations(app) if operation.method != "GET"]


def unknown_ids():
    """Give an id that nobody has for every parameter."""
    uuids = ("api_key_id", "email_id", "campaign_id", "endpoint_id", "key_id", "notification_id", "session_id")
    return {
        **{name: uuid4() for name in (*uuids, "webhook_id")},
        **dict.fromkeys(("candidate_id", "job_id", "template_id"), "nobody"),
        **dict.fromkeys(("delivery_id", "report_id"), 999_999),
        "fingerprint": "0123456789abcdef",
        "email": "nobody@example.com",
    }


def filled(template, **ids):
    """Give a path with these ids, and with unknown ones for the other parameters."""
    return template.format(**unknown_ids() | ids)
