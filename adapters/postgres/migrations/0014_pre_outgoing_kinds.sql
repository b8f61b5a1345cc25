-- Outgoing webhooks choose what they are sent, and how often one is tested can be counted (ADR 0019).

ALTER TABLE ops.outgoing_webhooks ADD COLUMN kinds text[] NOT NULL DEFAULT '{open,click,reply,bounce,digest}'
    CHECK (cardinality(kinds) > 0);
CREATE INDEX outgoing_deliveries_tests ON ops.outgoing_deliveries (webhook_id, created_at)
    WHERE notification_id IS NULL;
