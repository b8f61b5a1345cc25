"""What was sent, and what happened to one message."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from entrypoints.web.auth import READERS, audience_of
from entrypoints.web.pages.frame import framed, next_path
from entrypoints.web.pages.page_openapi import page_operation
from entrypoints.web.pages.tables import TableFormat, table_file
from entrypoints.web.pages.visitors import PageRequest
from entrypoints.web.paging import Cursor, page
from entrypoints.web.problems import UnknownThingError
from entrypoints.web.services import Services
from read_models.emails.queries import EmailFilter, EmailView

ROWS: Final = 50
EVENTS: Final = 200
COLUMNS: Final = (
    "email_id", "subject", "recipient", "recipient_email", "sender", "job_id", "campaign_id", "tracking", "sent_at",
    "delivered_at", "opened_at", "open_count", "clicked_at", "click_count", "replied_at", "bounced_at",
)  # fmt: skip
EVENT_COLUMNS: Final = ("event_type", "occurred_at", "url", "verdict", "reasons")

Words = Annotated[str | None, QueryParameter()]


@get("/emails", opt=READERS, include_in_schema=False)
async def show_emails(
    request: PageRequest,
    services: Services,
    *,
    candidate_id: Words = None,
    job_id: Words = None,
    template_id: Words = None,
    campaign_id: Annotated[UUID | None, QueryParameter()] = None,
    as_file: TableFormat = None,
    cursor: Cursor = None,
) -> Response[Any]:
    """List sent emails, the latest first."""
    wanted = {"candidate_id": candidate_id, "job_id": job_id, "template_id": template_id, "campaign_id": campaign_id}
    chosen: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    emails = await services.emails.history(audience_of(request.user.access), EmailFilter(**chosen), page(ROWS, cursor))
    if as_file:
        return table_file("emails", COLUMNS, [_row(email) for email in emails.items])
    return framed(
        "emails",
        request,
        now=services.clock(),
        emails=emails.items,
        chosen=chosen,
        is_first=cursor is None,
        next_path=next_path(request, emails.next_cursor),
    )


@get(
    "/emails/{email_id:uuid}",
    opt=READERS,
    operation_class=page_operation("What happened to an email", title="Interview Invitation"),
)
async def show_email(
    request: PageRequest,
    services: Services,
    email_id: FromPath[UUID],
    *,
    as_file: TableFormat = None,
    cursor: Cursor = None,
) -> Response[Any]:
    """Show what happened to an email; people and machines apart (BR-558.7)."""
    audience = audience_of(request.user.access)
    email = await services.emails.email(audience, email_id)
    timeline = await services.emails.timeline(audience, email_id, page(EVENTS, cursor), with_automated=True)
    if email is None or timeline is None:
        raise UnknownThingError("there is no such email")
    if as_file:
        rows = [
            [one.event_type, one.occurred_at, one.url, one.verdict, " ".join(one.reasons)] for one in timeline.items
        ]
        return table_file(f"email-{email_id}", EVENT_COLUMNS, rows)
    automated = [event for event in timeline.items if event.verdict not in {None, "human", "proxy_open"}]
    return framed(
        "email",
        request,
        now=services.clock(),
        email=email,
        events=[event for event in timeline.items if event not in automated],
        automated=automated,
        next_path=next_path(request, timeline.next_cursor),
    )


def _row(email: EmailView) -> list[object]:
    known = msgspec.structs.asdict(email) | {
        "recipient": email.recipient.name or email.recipient.id,
        "recipient_email": email.recipient.email,
        "sender": email.sender.name or email.sender.id,
    }
    return [known[name] for name in COLUMNS]


EMAIL_PAGES: Final[list[Any]] = [show_emails, show_email]
