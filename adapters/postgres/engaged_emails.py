"""Emails by when something was last recorded about them, from the engagement read model."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from eventsourcing.postgres import PostgresDatastore

from adapters.postgres.datastore import cursor_of
from application.ports.endpoints import UnknownOrganizationError
from application.ports.engaged_emails import EngagedEmail

_THOSE: Final = """
FROM email_logs WHERE id > %(after)s AND updated_at >= %(since)s
AND (%(organization)s::uuid IS NULL OR organization_id = %(organization)s)
"""
_ORGANIZATION: Final = "SELECT id FROM ops.organizations WHERE id = %(organization)s"


class PostgresEngagedEmails:
    """See `application.ports.engaged_emails.EngagedEmails`.

    Args:
        datastore: From `open_datastore`.
    """

    def __init__(self, datastore: PostgresDatastore) -> None:
        self._datastore = datastore

    def count(self, since: datetime, organization_id: UUID | None) -> int:
        if organization_id and not self._ask(_ORGANIZATION, 0, since, organization_id):
            raise UnknownOrganizationError(organization_id)
        [(number,)] = self._ask(f"SELECT count(*) {_THOSE}", 0, since, organization_id)
        return int(number)

    def after(
        self, email_log_id: int, since: datetime, organization_id: UUID | None, *, most: int
    ) -> Sequence[EngagedEmail]:
        sql = f"SELECT id, organization_id, email_id {_THOSE} ORDER BY id LIMIT {most:d}"
        return [EngagedEmail(*row) for row in self._ask(sql, email_log_id, since, organization_id)]

    def _ask(self, sql: str, after: int, since: datetime, organization_id: UUID | None) -> Sequence[tuple[Any, ...]]:
        with cursor_of(self._datastore) as cursor:
            cursor.execute(sql, {"after": after, "since": since, "organization": organization_id})
            return cursor.fetchall()
