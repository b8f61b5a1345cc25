"""Requested subscription confirmations in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from eventsourcing.postgres import PostgresDatastore

from adapters.postgres.datastore import cursor_of
from application.ports.confirmations import DueConfirmation

MOST_AT_ONCE = 20


class PostgresConfirmations:
    """See `application.ports.confirmations.Confirmations`."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        self._datastore = datastore

    def due(self, now: datetime) -> Sequence[DueConfirmation]:
        with cursor_of(self._datastore) as cursor:
            cursor.execute(
                "SELECT id, endpoint_id, url, attempts, requested_at FROM ops.subscription_confirmations"
                " WHERE next_attempt_at <= %s ORDER BY id LIMIT %s",
                (now, MOST_AT_ONCE),
            )
            return [
                DueConfirmation(id=id_, endpoint_id=endpoint_id, url=url, attempts=attempts, requested_at=requested_at)
                for id_, endpoint_id, url, attempts, requested_at in cursor
            ]

    def postpone(self, confirmation_id: int, error: str, until: datetime) -> None:
        with cursor_of(self._datastore) as cursor:
            cursor.execute(
                "UPDATE ops.subscription_confirmations"
                " SET attempts = attempts + 1, last_error = %s, next_attempt_at = %s WHERE id = %s",
                (error, until, confirmation_id),
            )

    def done(self, confirmation_id: int) -> None:
        with cursor_of(self._datastore) as cursor:
            cursor.execute("DELETE FROM ops.subscription_confirmations WHERE id = %s", (confirmation_id,))
