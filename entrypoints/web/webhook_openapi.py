"""How the OpenAPI document describes the webhook route, whose handler sees only bytes."""

from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from litestar.openapi.spec import (
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType

_REFUSALS: Final = {
    HTTPStatus.UNAUTHORIZED: ("signature_refused", "The sender is not proven; nothing was processed."),
    HTTPStatus.FORBIDDEN: ("address_not_allowed", "The client's address is not on the endpoint's allow-list."),
    HTTPStatus.NOT_FOUND: ("unknown_endpoint", "Nobody is reported to at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "Providers report by POST."),
    HTTPStatus.REQUEST_TIMEOUT: ("body_too_slow", "The body did not arrive in time."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("body_too_large", "A body may have 10 MiB, a mail 40 MiB."),
    HTTPStatus.TOO_MANY_REQUESTS: ("rate_limited", "More requests than the endpoint takes in a minute."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("not_durable", "The delivery may not have become durable: send it again."),
}
_WITH_RETRY_AFTER: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_SENDGRID_EXAMPLE: Final = [
    {
        "email": "john@example.com",
        "timestamp": 1795251600,
        "event": "open",
        "sg_event_id": "c2VuZGdyaWRfZXZlbnRfaWQ",
        "sg_message_id": "14c5d75ce93.filter0001.1",
        "useragent": "Mozilla/5.0",
        "ip": "203.0.113.7",
    }
]
_GENERIC_EXAMPLE: Final = {
    "event_type": "open",
    "message_id": "14c5d75ce93",
    "timestamp": "2026-11-21T09:00:00Z",
    "recipient": "john@example.com",
}

_SNS_EXAMPLE: Final = (
    '{"Type": "Notification", "MessageId": "c1f0a8de-0000-5000-8000-000000000001", '
    '"TopicArn": "arn:aws:sns:eu-central-1:123456789012:mailpulse", '
    '"Message": "{\\"eventType\\": \\"Open\\", …}", "Timestamp": "2026-11-21T09:00:00.000Z", '
    '"SignatureVersion": "2", "Signature": "k3Vd…", '
    '"SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123.pem"}'
)
_MAIL_EXAMPLE: Final = (
    "From: John Smith <john@example.com>\r\nMessage-ID: <reply-1@example.com>\r\n"
    "In-Reply-To: <invite-17@mail.example.com>\r\nSubject: Re: Interview Invitation\r\n\r\nGladly."
)
_MAIL_ITEM_EXAMPLE: Final = {"event_type": "inbound_mail", "raw": b64encode(_MAIL_EXAMPLE.encode()).decode()}


@dataclass
class WebhookOperation(Operation):
    """The operation with the body and the answers that the handler's signature does not show."""

    def __post_init__(self) -> None:
        anything = Schema(description="As the provider sends it; the signature covers the raw bytes.")
        self.request_body = RequestBody(
            description=(
                "At most 10 MiB, of any content type; mails 40 MiB. An empty signed body is acknowledged and not "
                "kept. Of mails that come in nothing of what people write is kept."
            ),
            required=True,
            content={
                "application/json": OpenAPIMediaType(
                    schema=anything,
                    examples={
                        "sendgrid": Example(summary="SendGrid's Event Webhook", value=_SENDGRID_EXAMPLE),
                        "email": Example(summary="The generic webhook", value=_GENERIC_EXAMPLE),
                        "inbound mail": Example(summary="A mail, to the generic webhook", value=_MAIL_ITEM_EXAMPLE),
                    },
                ),
                "text/plain": OpenAPIMediaType(
                    schema=anything,
                    examples={"ses": Example(summary="Amazon SES, over SNS", value=_SNS_EXAMPLE)},
                ),
                "multipart/form-data": OpenAPIMediaType(
                    schema=Schema(description="SendGrid's Inbound Parse (`sendgrid-inbound`), whole or in pieces."),
                    examples={"sendgrid-inbound": Example(summary="A whole mail", value={"email": _MAIL_EXAMPLE})},
                ),
                "message/rfc822": OpenAPIMediaType(
                    schema=Schema(description="A mail as it was on the wire, posted to the generic webhook (`email`)."),
                    examples={"email": Example(summary="A reply", value=_MAIL_EXAMPLE)},
                ),
            },
        )
        request_id = OpenAPIHeader(
            description="The caller's X-Request-ID or trace id, or a new one; it follows the delivery into the logs.",
            schema=Schema(type=OpenAPIType.STRING),
        )
        self.responses = {
            "200": OpenAPIResponse(description="The delivery is durable.", headers={"X-Request-ID": request_id}),
            **{str(status.value): _refusal(status, request_id) for status in _REFUSALS},
        }


def _refusal(status: HTTPStatus, request_id: OpenAPIHeader) -> OpenAPIResponse:
    code, description = _REFUSALS[status]
    text, number = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.INTEGER)
    headers = {"X-Request-ID": request_id}
    if status in _WITH_RETRY_AFTER:
        headers["Retry-After"] = OpenAPIHeader(description="Seconds.", schema=number)
    properties = dict.fromkeys(("type", "title", "detail", "code", "request_id"), text) | {"status": number}
    example = {
        "type": f"urn:mailpulse:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": description,
        "code": code,
        "request_id": "5f0c1d2e3b4a59687786958493a2b1c0",
    }
    return OpenAPIResponse(
        description=description,
        headers={**headers},
        content={
            "application/problem+json": OpenAPIMediaType(
                schema=Schema(type=OpenAPIType.OBJECT, properties={**properties}),
                examples={code: Example(value=example)},
            )
        },
    )
