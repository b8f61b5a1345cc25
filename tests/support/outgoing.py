"""A delivery to an outgoing webhook that was attempted once, as rows."""

from uuid import uuid4


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
