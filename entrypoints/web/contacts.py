"""Contacts worth a follow-up."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.params import QueryParameter

from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.csv_answers import Format, csv_example, list_answer
from entrypoints.web.operations import described
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, check_period, page
from entrypoints.web.services import Services
from read_models.contacts.queries import EngagedContact, NotEngagedContact, NotEngagedFilter
from read_models.paging import Page

HIGHLY_ENGAGED_CLICKS: Final = 3
MOST_CLICKS: Final = 1_000_000_000
ROWS_AT_ONCE: Final = 50_000
"""Of a CSV answer: the rows are small, and every page counts all emails anew."""


@get(
    "/contacts/engaged",
    opt=READERS,
    tags=["contacts"],
    summary="List highly engaged contacts, the most clicks first",
    description="Opens and clicks are of people; `machine_open_count` and `scanner_click_count` are apart.",
    operation_class=described(
        answers=examples.a_list_of(examples.CONTACT),
        csv=csv_example(examples.CONTACT),
        problems=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
)
async def list_engaged_contacts(
    request: ApiRequest,
    services: Services,
    *,
    min_clicks: Annotated[
        int, QueryParameter(ge=0, le=MOST_CLICKS, description="Human clicks over all campaigns, at least.")
    ] = HIGHLY_ENGAGED_CLICKS,
    answer_format: Format = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[Page[EngagedContact]]:
    """See `ContactQueries.engaged`."""
    return await list_answer(
        request,
        answer_format,
        EngagedContact,
        lambda part: services.contacts.engaged(audience_of(request.user), min_clicks=min_clicks, page=part),
        page(limit, cursor),
        name="engaged-contacts",
        rows_at_once=ROWS_AT_ONCE,
    )


@get(
    "/contacts/not-engaged",
    opt=READERS,
    tags=["contacts"],
    summary="List contacts who did nothing with what reached them, the latest sent first",
    description=(
        "A tracked email reached them, and no person opened, clicked or answered any. Who bounced, unsubscribed, "
        "reported spam or opted out of tracking, by whatever email of the organisation, is left out."
    ),
    operation_class=described(
        answers=examples.a_list_of(examples.NOT_ENGAGED_CONTACT),
        csv=csv_example(examples.NOT_ENGAGED_CONTACT),
        problems=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
)
async def list_not_engaged_contacts(
    request: ApiRequest,
    services: Services,
    *,
    campaign_id: Annotated[UUID | None, QueryParameter(description="Only emails of this campaign count.")] = None,
    sent_before: Annotated[
        datetime | None, QueryParameter(description="Only emails sent before this instant count.")
    ] = None,
    answer_format: Format = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[Page[NotEngagedContact]]:
    """See `ContactQueries.not_engaged`."""
    check_period(None, sent_before, names=("", "sent_before"))
    wanted = NotEngagedFilter(campaign_id=campaign_id, sent_before=sent_before)
    return await list_answer(
        request,
        answer_format,
        NotEngagedContact,
        lambda part: services.contacts.not_engaged(audience_of(request.user), wanted, part),
        page(limit, cursor),
        name="not-engaged-contacts",
        rows_at_once=ROWS_AT_ONCE,
    )


CONTACT_HANDLERS: Final[list[Any]] = [list_engaged_contacts, list_not_engaged_contacts]
