"""Contacts worth a follow-up."""

from http import HTTPStatus
from typing import Annotated, Final

from litestar import get
from litestar.params import QueryParameter

from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.operations import described
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, page
from entrypoints.web.services import Services
from read_models.contacts.queries import EngagedContact
from read_models.paging import Page

HIGHLY_ENGAGED_CLICKS: Final = 3
MOST_CLICKS: Final = 1_000_000_000


@get(
    "/contacts/engaged",
    opt=READERS,
    tags=["contacts"],
    summary="List highly engaged contacts, the most clicks first",
    operation_class=described(
        answers=examples.a_list_of(examples.CONTACT), problems=(HTTPStatus.UNPROCESSABLE_ENTITY,)
    ),
)
async def list_engaged_contacts(
    request: ApiRequest,
    services: Services,
    min_clicks: Annotated[
        int, QueryParameter(ge=0, le=MOST_CLICKS, description="Human clicks over all campaigns, at least.")
    ] = HIGHLY_ENGAGED_CLICKS,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Page[EngagedContact]:
    """See `ContactQueries.engaged`."""
    return await services.contacts.engaged(audience_of(request.user), min_clicks=min_clicks, page=page(limit, cursor))
