"""Have an email that is about to be sent tracked by our own pixel and links."""

from asyncio import to_thread
from typing import Final

from litestar import post

from application.email_registrations import EmailRegistration, RejectedEmail
from application.instrument_email import InstrumentedEmail
from entrypoints.web import examples
from entrypoints.web.auth import RECRUITERS, ApiRequest
from entrypoints.web.json_bodies import BODY_PROBLEMS, read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.problems import InvalidRequestError
from entrypoints.web.services import Services

DESCRIPTION: Final = (
    "Send the email with the `html`, `text` and `headers` of the answer. It is registered by the same request, so "
    'register it nowhere else; `"provider": "email"` is for mail that no provider reports about. Only links, a pixel '
    'and `{{unsubscribe_url}}` are changed; a link with `data-mailpulse="off"` is left alone. Where organisation or '
    "recipient do not want tracking, html and text come back as they are, with `tracked: false` and the `reason`. "
    "Asking again gives the same answer."
)


class EmailToInstrument(EmailRegistration, frozen=True, kw_only=True):
    """A registration with the email's content.

    Attributes:
        html: A document or a part of one, at most 1,000,000 characters.
        text: Plain text, as long.
    """

    html: str | None = None
    text: str | None = None


@post(
    "/emails/instrument",
    opt=RECRUITERS,
    tags=["emails"],
    summary="Instrument an email before it is sent",
    description=DESCRIPTION,
    operation_class=described(
        body=reference_to(EmailToInstrument),
        sends=examples.TO_INSTRUMENT,
        answers=examples.INSTRUMENTED,
        problems=BODY_PROBLEMS,
    ),
)
async def instrument_email(request: ApiRequest, services: Services) -> InstrumentedEmail:
    """See `application.instrument_email`."""
    email = await read_body(request, EmailToInstrument)
    answer = await to_thread(
        services.instrument_email, request.user.organization_id, email, html=email.html, text=email.text
    )
    if isinstance(answer, RejectedEmail):
        raise InvalidRequestError(answer.field, answer.detail)
    return answer
