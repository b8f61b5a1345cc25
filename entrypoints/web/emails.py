"""Register sent emails; read their history and what became of each."""

from asyncio import sleep, to_thread
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec.structs import replace

from application.email_registrations import EmailRegistration, RegisteredEmail, RejectedEmail
from application.ports.access_tokens import Role
from entrypoints.web import examples
from entrypoints.web.auth import READERS, RECRUITERS, ApiRequest, audience_of
from entrypoints.web.included import Include, counts_machines
from entrypoints.web.json_bodies import BODY_PROBLEMS, decoded, read_body
from entrypoints.web.operations import described, reference_to
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, check_period, page
from entrypoints.web.problems import InvalidRequestError, MalformedBodyError, UnknownThingError
from entrypoints.web.services import Services, WebServices
from read_models.audience import Audience
from read_models.emails.queries import EmailFilter, EmailView, TimelineEvent
from read_models.paging import Page

MOST_EMAILS: Final = 1_000
LOOKS_FOR_REGISTERED: Final = tuple(min(0.025 * 1.2**look, 0.25) for look in range(20))
"""Seconds before each further look, some three in all: a projector that has just been started takes two."""
TAGS: Final = ["emails"]
AS_IF_PEOPLE: Final = (
    "Counts are of people; what machines did is in `machine_open_count` and `scanner_click_count`. With "
    "`include=automated` `open_count`, `click_count` and `unique_click_count` count machines as if they were people; "
    "the times stay those of people."
)
REQUEST: Final = Schema(
    one_of=[
        reference_to(EmailRegistration),
        Schema(
            type=OpenAPIType.OBJECT,
            required=["emails"],
            properties={
                "emails": Schema(type=OpenAPIType.ARRAY, items=reference_to(EmailRegistration), max_items=MOST_EMAILS)
            },
        ),
    ]
)

ANSWER: Final = Schema(
    one_of=[
        reference_to(RegisteredEmail),
        Schema(
            type=OpenAPIType.OBJECT,
            required=["items"],
            properties={
                "items": Schema(
                    type=OpenAPIType.ARRAY,
                    items=Schema(one_of=[reference_to(RegisteredEmail), reference_to(RejectedEmail)]),
                )
            },
        ),
    ]
)

Answer = TypeVar("Answer")


class RegisteredEmails(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each email of a bulk request, in the order asked."""

    items: list[RegisteredEmail | RejectedEmail]


@post(
    "/emails",
    opt=RECRUITERS,
    tags=TAGS,
    summary="Register sent emails",
    description=(
        'One email, or up to 1,000 as `{"emails": [...]}`. Registering again changes nothing. A bulk request '
        'answers `{"items": [...]}` in the order asked; a bad email becomes `{"status": "rejected", "field", '
        '"detail"}` and costs the others nothing. A single bad email is a 422 that names the field.'
    ),
    operation_class=described(
        body=REQUEST,
        sends=examples.REGISTRATION,
        gives=ANSWER,
        answers=examples.REGISTERED,
        problems=BODY_PROBLEMS,
    ),
)
async def register_emails(request: ApiRequest, services: Services) -> Response[Any]:
    """See `application.register_emails`."""
    body = await read_body(request, dict[str, msgspec.Raw])
    if "emails" in body:
        return Response(await _register_many(request, services, _listed(body["emails"])))
    registration = decoded(await request.body(), EmailRegistration)
    (answer,) = await to_thread(services.register_emails, request.user.organization_id, [registration])
    if isinstance(answer, RejectedEmail):
        raise InvalidRequestError(answer.field, answer.detail)
    return Response(answer)


def _listed(raw: msgspec.Raw) -> list[msgspec.Raw]:
    try:
        emails = decoded(raw, list[msgspec.Raw])
    except InvalidRequestError as error:
        raise InvalidRequestError("emails", error.problem.detail) from error
    if len(emails) > MOST_EMAILS:
        raise InvalidRequestError("emails", f"holds {len(emails)} emails; send at most {MOST_EMAILS} at a time")
    return emails


async def _register_many(request: ApiRequest, services: Services, emails: list[msgspec.Raw]) -> RegisteredEmails:
    read = [_registration(email) for email in emails]
    good = [email for email in read if isinstance(email, EmailRegistration)]
    answers = iter(await to_thread(services.register_emails, request.user.organization_id, good) if good else [])
    return RegisteredEmails(items=[email if isinstance(email, RejectedEmail) else next(answers) for email in read])


def _registration(email: msgspec.Raw) -> EmailRegistration | RejectedEmail:
    try:
        return decoded(email, EmailRegistration)
    except InvalidRequestError as error:
        return RejectedEmail(field=error.problem.field, detail=error.problem.detail)
    except MalformedBodyError as error:
        return RejectedEmail(field="", detail=str(error))


@get(
    "/emails",
    opt=READERS,
    tags=TAGS,
    summary="List sent emails, the latest first",
    description=AS_IF_PEOPLE,
    operation_class=described(answers=examples.a_list_of(examples.EMAIL), problems=(HTTPStatus.UNPROCESSABLE_ENTITY,)),
)
async def list_emails(
    request: ApiRequest,
    services: Services,
    *,
    candidate_id: FromQuery[str | None] = None,
    job_id: FromQuery[str | None] = None,
    campaign_id: FromQuery[UUID | None] = None,
    template_id: FromQuery[str | None] = None,
    sender_id: FromQuery[str | None] = None,
    sent_from: Annotated[datetime | None, QueryParameter(description="Sent at this instant or later.")] = None,
    sent_to: Annotated[datetime | None, QueryParameter(description="Sent before this instant.")] = None,
    include: Include = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[EmailView]:
    """See `EmailQueries.history`."""
    check_period(sent_from, sent_to, names=("sent_from", "sent_to"))
    wanted = EmailFilter(
        candidate_id=candidate_id,
        job_id=job_id,
        campaign_id=campaign_id,
        template_id=template_id,
        sender_id=sender_id,
        sent_from=sent_from,
        sent_to=sent_to,
    )
    return await services.emails.history(
        audience_of(request.user), wanted, page(limit, cursor), with_automated=counts_machines(include)
    )


@get(
    "/emails/{email_id:uuid}",
    opt=READERS,
    tags=TAGS,
    summary="Show an email with what became of it",
    description=AS_IF_PEOPLE,
    operation_class=described(answers=examples.EMAIL, problems=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)),
)
async def show_email(
    request: ApiRequest, services: Services, email_id: FromPath[UUID], *, include: Include = None
) -> EmailView:
    """See `EmailQueries.email`."""
    audience = audience_of(request.user)
    return await _once_shown(
        services,
        audience,
        email_id,
        lambda: services.emails.email(audience, email_id, with_automated=counts_machines(include)),
    )


@get(
    "/emails/{email_id:uuid}/events",
    opt=READERS,
    tags=TAGS,
    summary="Show the timeline of an email, earliest first",
    description=(
        "`verdict` says who is thought to have caused an open or a click, `reasons` names the rules that led to it. "
        "Emails that were opened or clicked in privacy mode have counts, but no such events. "
        "IP addresses that the tracking policy has encrypted are shown to administrators and API keys only."
    ),
    operation_class=described(
        answers=examples.a_list_of(examples.EVENT), problems=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
    ),
)
async def list_email_events(
    request: ApiRequest,
    services: Services,
    email_id: FromPath[UUID],
    *,
    include: Annotated[
        Literal["automated"] | None, QueryParameter(description="Also what machines did, with verdict and reasons.")
    ] = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[TimelineEvent]:
    """See `EmailQueries.timeline`."""
    audience, part = audience_of(request.user), page(limit, cursor)
    shown = await _once_shown(
        services,
        audience,
        email_id,
        lambda: services.emails.timeline(audience, email_id, part, with_automated=counts_machines(include)),
    )
    return await _with_hidden_addresses(services, shown) if request.user.role is Role.ADMIN else shown


async def _with_hidden_addresses(services: WebServices, shown: Page[TimelineEvent]) -> Page[TimelineEvent]:
    """Show administrators the addresses that are kept sealed (SEC-5)."""
    unknown = [event.engagement_event_id for event in shown.items if event.verdict and event.ip_address is None]
    hidden = await to_thread(services.hidden_addresses, unknown)
    items = [
        replace(event, ip_address=hidden[event.engagement_event_id]) if event.engagement_event_id in hidden else event
        for event in shown.items
    ]
    return replace(shown, items=items)


async def _once_shown(
    services: WebServices, audience: Audience, email_id: UUID, ask: Callable[[], Awaitable[Answer | None]]
) -> Answer:
    """Wait for the read model to show an email that is registered: whoever just registered it may ask for it.

    Raises:
        UnknownThingError: Nobody in the audience may know of such an email; or the projector is far behind.
    """
    answer = await ask()
    if answer is None and await to_thread(
        services.is_registered, audience.organization_id, email_id, hiring_manager_id=audience.hiring_manager_id
    ):
        for seconds in LOOKS_FOR_REGISTERED:
            await sleep(seconds)
            answer = await ask()
            if answer is not None:
                break
    if answer is None:
        raise UnknownThingError("there is no such email")
    return answer


EMAIL_HANDLERS: Final[list[Any]] = [register_emails, list_emails, show_email, list_email_events]
