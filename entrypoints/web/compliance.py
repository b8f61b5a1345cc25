"""What a compliance officer has to show: who unsubscribed, who reported spam."""

from http import HTTPStatus
from typing import Any, Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from entrypoints.web import examples
from entrypoints.web.auth import READERS, ApiRequest, audience_of
from entrypoints.web.csv_answers import Format, csv_example, list_answer
from entrypoints.web.operations import described
from entrypoints.web.paging import USUAL_PAGE, Cursor, Limit, page
from entrypoints.web.periods import From, To, Zone, period_of
from entrypoints.web.services import Services
from read_models.compliance.queries import Complaint, ComplianceRecord
from read_models.paging import Page

TAGS: Final = ["compliance"]
RECORDS: Final = (
    "One item for each email that was answered like this, by the time of the first such report; untracked emails too. "
    "Without `from` and `to`: everything that is kept. `format=csv` gives all of it."
)
OPERATION: Final = described(
    answers=examples.a_list_of(examples.COMPLIANCE_RECORD),
    csv=csv_example(examples.COMPLIANCE_RECORD),
    problems=(HTTPStatus.UNPROCESSABLE_ENTITY,),
)


def _records_of(complaint: Complaint, *, name: str, operation_id: str, summary: str) -> HTTPRouteHandler:
    """Make the list of those who complained in one way.

    Args:
        complaint: Which way.
        name: Last part of the path, and the name of the file.
        operation_id: Of the API's description, after which clients name their calls: it never changes.
        summary: Of the description, too.
    """

    @get(
        f"/compliance/{name}",
        operation_id=operation_id,
        opt=READERS,
        tags=TAGS,
        summary=summary,
        description=RECORDS,
        operation_class=OPERATION,
    )
    async def list_records(
        request: ApiRequest,
        services: Services,
        *,
        start: From = None,
        end: To = None,
        tz: Zone = "UTC",
        answer_format: Format = None,
        limit: Limit = USUAL_PAGE,
        cursor: Cursor = None,
    ) -> Response[Page[ComplianceRecord]]:
        """See `ComplianceQueries.records`."""
        period = period_of(start, end, tz)
        return await list_answer(
            request,
            answer_format,
            ComplianceRecord,
            lambda part: services.compliance.records(audience_of(request.user), complaint, period, part),
            page(limit, cursor),
            name=name,
        )

    return list_records


COMPLIANCE_HANDLERS: Final[list[Any]] = [
    _records_of(
        Complaint.UNSUBSCRIBED,
        name="unsubscribes",
        operation_id="ComplianceUnsubscribesListUnsubscribes",
        summary="List who unsubscribed, the latest first",
    ),
    _records_of(
        Complaint.SPAM_REPORTED,
        name="spam-reports",
        operation_id="ComplianceSpamReportsListSpamReports",
        summary="List who reported an email as spam, the latest first",
    ),
]
