"""Every error of the API as ``application/problem+json``: one table from error to answer (RFC 9457)."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from application.access import InvalidNameError, UnknownTokenError
from application.authenticate import InvalidTokenError
from application.checked_fields import InvalidFieldsError
from application.notifications import UnknownNotificationError
from application.outgoing_webhooks import (
    InvalidOverlapError,
    NothingToSendError,
    OutgoingDeliveryNotFoundError,
    OutgoingWebhookNotFoundError,
    WebhookOffError,
)
from application.ports.endpoints import EndpointsUnavailableError, UnknownOrganizationError
from application.ports.inbox_intake import DeliveryNotKeptError
from application.ports.outgoing import TooManyTestsError, TooManyWebhooksError
from application.ports.provider import (
    InvalidVerificationKeyError,
    SignatureRefusedError,
    VerificationUnavailableError,
)
from application.ports.unit_of_work import ConcurrentAppendError, StoreUnavailableError
from application.receive_webhook import (
    AddressNotAllowedError,
    BodyTooLargeError,
    RateLimitedError,
    UnknownEndpointError,
)
from application.retry_parked import ReportNotKeptError, UnknownParkedReportError
from application.webhook_endpoints import (
    EndpointClosedError,
    EndpointNotFoundError,
    InvalidEndpointError,
    KeyNotFoundError,
    UnknownProviderError,
)
from domain.errors import ApplicationError, MailpulseError
from entrypoints.web.live.streams import TooManyStreamsError
from entrypoints.web.webhook_bodies import BodyTooSlowError, ClientGoneError, TooManyBodiesError
from read_models.errors import AnswersUnavailableError, InvalidCursorError

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
LONGEST_DETAIL: Final = 500


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field or parameter; "" stands for the whole body."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every error answer.

    Attributes:
        type: ``urn:mailpulse:problem:`` and the code.
        code: Stable; what a program looks at.
        detail: For people.
        request_id: What the logs know the request by.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[FieldProblem] = []


class UnknownThingError(ApplicationError):
    """There is no such thing, as far as the caller may know."""

    code = "not_found"


class ForbiddenError(ApplicationError):
    """The caller's role does not allow it."""

    code = "forbidden"


class InvalidRequestError(ApplicationError):
    """A field or a parameter that cannot be used.

    Attributes:
        problem: Which one, and why.
    """

    code = "invalid_request"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.problem = FieldProblem(field=field, detail=detail)


class RefusedKeyError(InvalidVerificationKeyError):
    """The one key of a request, not in the form the provider shows it."""


class MalformedBodyError(ApplicationError):
    """A body that is not the JSON it claims to be."""

    code = "malformed_body"


class UnsupportedMediaTypeError(ApplicationError):
    """A body of another content type than JSON."""

    code = "unsupported_media_type"


STATUSES: Final[Mapping[type[MailpulseError], HTTPStatus]] = {
    MalformedBodyError: HTTPStatus.BAD_REQUEST,
    InvalidTokenError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    UnknownThingError: HTTPStatus.NOT_FOUND,
    UnknownOrganizationError: HTTPStatus.NOT_FOUND,
    UnknownTokenError: HTTPStatus.NOT_FOUND,
    UnknownNotificationError: HTTPStatus.NOT_FOUND,
    UnknownParkedReportError: HTTPStatus.NOT_FOUND,
    EndpointNotFoundError: HTTPStatus.NOT_FOUND,
    KeyNotFoundError: HTTPStatus.NOT_FOUND,
    OutgoingWebhookNotFoundError: HTTPStatus.NOT_FOUND,
    OutgoingDeliveryNotFoundError: HTTPStatus.NOT_FOUND,
    EndpointClosedError: HTTPStatus.CONFLICT,
    ReportNotKeptError: HTTPStatus.CONFLICT,
    TooManyWebhooksError: HTTPStatus.CONFLICT,
    WebhookOffError: HTTPStatus.CONFLICT,
    NothingToSendError: HTTPStatus.CONFLICT,
    UnsupportedMediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidCursorError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidNameError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidFieldsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidEndpointError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidVerificationKeyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownProviderError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidOverlapError: HTTPStatus.UNPROCESSABLE_ENTITY,
    AddressNotAllowedError: HTTPStatus.FORBIDDEN,
    BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodyTooSlowError: HTTPStatus.REQUEST_TIMEOUT,
    ClientGoneError: HTTPStatus.BAD_REQUEST,
    RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyTestsError: HTTPStatus.TOO_MANY_REQUESTS,
    SignatureRefusedError: HTTPStatus.UNAUTHORIZED,
    UnknownEndpointError: HTTPStatus.NOT_FOUND,
    TooManyStreamsError: HTTPStatus.TOO_MANY_REQUESTS,
    DeliveryNotKeptError: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyBodiesError: HTTPStatus.SERVICE_UNAVAILABLE,
    VerificationUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    AnswersUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    ConcurrentAppendError: HTTPStatus.SERVICE_UNAVAILABLE,
    EndpointsUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
FIELDS: Final[Mapping[type[MailpulseError], str]] = {
    InvalidCursorError: "cursor",
    InvalidVerificationKeyError: "keys",
    RefusedKeyError: "key",
    UnknownProviderError: "provider",
    InvalidOverlapError: "overlap_hours",
}
"""Which field an error speaks of that does not say so itself."""
INSIDE: Final = {
    HTTPStatus.SERVICE_UNAVAILABLE: "The service cannot answer right now; try again in a few seconds.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on our side; the request id finds it in the logs.",
}
"""What is said instead of an error's own words, which speak of our insides."""
CODES: Final = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid_request",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many_requests",
}
"""Codes of the errors that the framework finds."""


def problem_response(
    request: Request[Any, Any, Any],
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """Answer with a problem; 401 and 503 bring the headers that belong to them."""
    problem = Problem(
        type=f"urn:mailpulse:problem:{code}",
        title=status.phrase,
        status=status.value,
        code=code,
        detail=INSIDE.get(status, detail)[:LONGEST_DETAIL],
        request_id=request.scope["state"].get("request_id", ""),
        errors=errors or [],
    )
    return Response(
        msgspec.json.encode(problem),
        status_code=status.value,
        media_type=MEDIA_TYPE,
        headers={**_own_headers(status), **(headers or {})},
    )


def status_of(error: MailpulseError) -> HTTPStatus | None:
    """Give the status that tells of an error; ``None`` where it should not have come this far."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)


def answer_known_error(request: Request[Any, Any, Any], error: MailpulseError) -> Response[Any]:
    """Answer an error that Mailpulse raised on purpose."""
    status = status_of(error)
    if status is None:
        return answer_unexpected_error(request, error)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        logger.warning(
            "What a request needs is away", extra={"event": "unavailable", "code": error.code, "reason": str(error)}
        )
    headers = {"Retry-After": str(ceil(error.retry_after_s))} if isinstance(error, TooManyTestsError) else {}
    return problem_response(request, status, error.code, str(error), errors=_fields_of(error, status), headers=headers)


def answer_framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer an error that the framework found: no such route, wrong method, body too large, bad parameter."""
    errors = parameters_of(error)
    invalid = error.status_code == HTTPStatus.BAD_REQUEST and errors
    status = HTTPStatus.UNPROCESSABLE_ENTITY if invalid else HTTPStatus(error.status_code)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_unexpected_error(request, error)
    detail = "; ".join(f"{problem.field}: {problem.detail}" for problem in errors) or error.detail
    return problem_response(
        request, status, CODES.get(status, "http_error"), detail, errors=errors, headers=error.headers
    )


def answer_unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer a mistake of ours; the logs say which, the answer does not."""
    logger.error("A request failed", exc_info=error, extra={"event": "request_failed"})
    return problem_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "")


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    MailpulseError: answer_known_error,
    HTTPException: answer_framework_error,
    Exception: answer_unexpected_error,
}


def _own_headers(status: HTTPStatus) -> dict[str, str]:
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="mailpulse"'}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_S)}
    return {}


def _fields_of(error: MailpulseError, status: HTTPStatus) -> list[FieldProblem]:
    if isinstance(error, InvalidRequestError):
        return [error.problem]
    if isinstance(error, InvalidNameError):
        return [FieldProblem(field=error.field, detail=error.detail)]
    if isinstance(error, InvalidFieldsError):
        return [FieldProblem(field=flaw.field, detail=flaw.detail) for flaw in error.flaws]
    if status is HTTPStatus.UNPROCESSABLE_ENTITY and type(error) in FIELDS:
        return [FieldProblem(field=FIELDS[type(error)], detail=str(error))]
    return []


def parameters_of(error: HTTPException) -> list[FieldProblem]:
    """Name the parameters that the framework could not read."""
    extra = error.extra if isinstance(error.extra, list) else []
    return [FieldProblem(field=str(item.get("key", "")), detail=str(item.get("message", ""))) for item in extra]
