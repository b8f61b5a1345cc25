-- Every person whom an organisation writes to has a key; what tells who they are is sealed with it. No key: erased.
CREATE TABLE ops.recipient_keys (
    key_id uuid PRIMARY KEY,
    -- The stream of the person's own facts.
    addressee_id uuid NOT NULL UNIQUE,
    organization_id uuid NOT NULL,
    -- Sealed with the service's secret keys.
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Bodies are sealed with the service's secret keys; those that came before this migration were not.
ALTER TABLE ops.webhook_inbox ADD COLUMN sealed boolean NOT NULL DEFAULT false;
-- What is sealed does not become smaller; looking for that costs the server time.
ALTER TABLE ops.webhook_inbox ALTER COLUMN body SET STORAGE EXTERNAL;

ALTER TABLE ops.parked_reports
    ADD COLUMN sealed boolean NOT NULL DEFAULT false,
    -- Orphans: whom the report is about, so that it goes when they are erased.
    ADD COLUMN addressee_id uuid;
ALTER TABLE ops.parked_reports ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX parked_reports_addressee ON ops.parked_reports (addressee_id) WHERE addressee_id IS NOT NULL;
