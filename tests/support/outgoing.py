"""Deliveries to outgoing webhooks, as rows."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.policies.delivering import Outcome

STATES = (("waiting", ""), ("delivered", ""), ("failed", ""), ("dropped", "gone"), ("dropped", "told_anew"))


def insert_a_delivery(connection, organization_id):
    """Give an organisation, which is made if it is new, a webhook and a test that failed."""
    connection.execute(
        "INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme') ON CONFLICT DO NOTHING", (organization_id,)
    )
    webhook_id = uuid4()
    connection.execute(
        "INSERT INTO ops.outgoing_webhooks (id, organization_id, url, secrets, created_at, position)"
        " VALUES (%s, %s, 'https://example.org/', '', now(), 0)",
        (webhook_id, organization_id),
    )
    [delivery_id] = connection.execute(
        "INSERT INTO ops.outgoing_deliveries"
        " (organization_id, webhook_id, message_id, created_at, state, next_attempt_at)"
        " VALUES (%s, %s, 'm', now(), 'waiting', now()) RETURNING id",
        (organization_id, webhook_id),
    ).fetchone()
    connection.execute(
        "INSERT INTO ops.outgoing_attempts VALUES (%s, 1, %s, now(), 'refused', 500, 1)", (delivery_id, organization_id)
    )


def insert_deliveries(connection, organization_id, webhook_id):
    """Give a webhook that fails a delivery in every state, attempted in every way, hours ago."""
    then = datetime.now(UTC) - timedelta(hours=3)
    connection.execute(
        "UPDATE ops.outgoing_webhooks SET failing_since = %s, failures = 9 WHERE id = %s", (then, webhook_id)
    )
    for number, (state, reason) in enumerate(STATES):
        is_waiting = state == "waiting"
        [delivery_id] = connection.execute(
            "INSERT INTO ops.outgoing_deliveries (organization_id, webhook_id, message_id, notification_id, created_at,"
            " state, reason, next_attempt_at, finished_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (
                organization_id,
                webhook_id,
                f"msg_{uuid4().hex}_{number}",
                uuid4(),
                then,
                state,
                reason,
                then if is_waiting else None,
                None if is_waiting else then,
            ),
        ).fetchone()
        for attempt, outcome in enumerate(Outcome):
            connection.execute(
                "INSERT INTO ops.outgoing_attempts VALUES (%s, %s, %s, %s, %s, 500, 12)",
                (delivery_id, attempt, organization_id, then, outcome.value),
            )
