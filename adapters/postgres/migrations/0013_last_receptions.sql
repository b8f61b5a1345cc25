-- When each endpoint was last reported to, as far as it was drained; kept with the commit that drains, to the second.

CREATE TABLE ops.last_receptions (
    organization_id uuid NOT NULL,
    -- Zeros: the service's own pixel and links.
    endpoint_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, endpoint_id)
) WITH (fillfactor = 50);

GRANT SELECT ON ops.last_receptions TO mailpulse_query;
ALTER TABLE ops.last_receptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.last_receptions FORCE ROW LEVEL SECURITY;
CREATE POLICY writers ON ops.last_receptions TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON ops.last_receptions FOR SELECT TO mailpulse_query
    USING (organization_id = (SELECT ops.current_organization()));
