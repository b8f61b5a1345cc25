-- What holds for tracking now, by organisation and by recipient. Both tables follow from the streams of Organization and
-- Recipient in the event store; they are written with the fact that changes them and read once per drained batch.

CREATE TABLE ops.tracking_policies (
    organization_id uuid PRIMARY KEY,
    tracking_enabled boolean NOT NULL,
    privacy_mode boolean NOT NULL,
    consent_mode text NOT NULL CHECK (consent_mode IN ('opt_out', 'opt_in')),
    ip_handling text NOT NULL CHECK (ip_handling IN ('keep', 'truncate', 'encrypt', 'drop')),
    retention_days integer NOT NULL CHECK (retention_days BETWEEN 1 AND 3650),
    notifications_enabled boolean NOT NULL,
    unsubscribe_ends_tracking boolean NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.tracking_policies IS 'An organisation without a row has the default policy.';

CREATE TABLE ops.tracking_consents (
    -- domain.values.addressee_id_for(organization, address): no address is kept here.
    addressee_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    consent text NOT NULL CHECK (consent IN ('opted_in', 'opted_out')),
    source text NOT NULL CHECK (source IN ('api', 'unsubscribe')),
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.tracking_consents IS 'Who never said anything has no row: the consent mode of the policy holds.';
