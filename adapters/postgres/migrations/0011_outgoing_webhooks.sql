-- Outgoing webhooks: where organisations want their notifications sent to, and what became of each delivery (ADR 0019).

CREATE TABLE ops.outgoing_webhooks (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES ops.organizations (id) ON DELETE CASCADE,
    url text NOT NULL,
    -- Signing secrets, encrypted with the service's secret keys.
    secrets bytea NOT NULL,
    created_at timestamptz NOT NULL,
    switched_off_at timestamptz,
    switched_off_because text CHECK (switched_off_because IN ('by_admin', 'gone', 'failing')),
    -- Announcements up to this number are among the deliveries, or were made before the webhook was.
    position bigint NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    paused_until timestamptz,
    last_delivered_at timestamptz,
    -- The process that sends to it, and until when others leave it alone.
    lease uuid,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    CHECK ((switched_off_at IS NULL) = (switched_off_because IS NULL))
);
CREATE INDEX outgoing_webhooks_organization ON ops.outgoing_webhooks (organization_id);

-- Outbox and log in one. It names notifications and holds nothing of them: who is erased leaves nothing here.
CREATE TABLE ops.outgoing_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL,
    webhook_id uuid NOT NULL REFERENCES ops.outgoing_webhooks (id) ON DELETE CASCADE,
    -- What receivers tell repetitions by.
    message_id text NOT NULL,
    -- Both NULL: a test.
    notification_id uuid,
    announcement bigint,
    created_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'dropped')),
    -- Of those that were dropped.
    reason text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    -- Attempts since somebody last asked for a retry.
    attempts_since_retry integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    finished_at timestamptz,
    UNIQUE (webhook_id, message_id),
    CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (finished_at IS NULL))
);
CREATE INDEX outgoing_deliveries_due ON ops.outgoing_deliveries (webhook_id, next_attempt_at, id)
    WHERE state = 'waiting';
CREATE INDEX outgoing_deliveries_log ON ops.outgoing_deliveries (webhook_id, id DESC);
CREATE INDEX outgoing_deliveries_created ON ops.outgoing_deliveries (created_at);

CREATE TABLE ops.outgoing_attempts (
    delivery_id bigint NOT NULL REFERENCES ops.outgoing_deliveries (id) ON DELETE CASCADE,
    number integer NOT NULL,
    organization_id uuid NOT NULL,
    attempted_at timestamptz NOT NULL,
    outcome text NOT NULL,
    -- NULL: the receiver answered nothing.
    status integer,
    duration_ms integer NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- What was announced to anybody in an organisation after a number.
CREATE INDEX notifications_announced_in_organization ON public.notifications (organization_id, announcement)
    WHERE announcement IS NOT NULL;

GRANT SELECT ON ops.outgoing_deliveries, ops.outgoing_attempts TO mailpulse_query;
ALTER TABLE ops.outgoing_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.outgoing_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY writers ON ops.outgoing_deliveries TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON ops.outgoing_deliveries FOR SELECT TO mailpulse_query
    USING (organization_id = (SELECT ops.current_organization()));
ALTER TABLE ops.outgoing_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.outgoing_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY writers ON ops.outgoing_attempts TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON ops.outgoing_attempts FOR SELECT TO mailpulse_query
    USING (organization_id = (SELECT ops.current_organization()));
