-- Emails whose events a purge has deleted and whose rows are still to be: gone when every read model has done its part.
CREATE TABLE ops.purged_emails (
    -- The stream of the fact that says so, and its place.
    purge_id uuid NOT NULL,
    place bigint NOT NULL,
    email_log_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    -- NULL: the recipient is no candidate.
    candidate_id text,
    PRIMARY KEY (purge_id, email_log_id)
);
CREATE INDEX purged_emails_place ON ops.purged_emails (place);

-- Lists for follow-up leave out who opted out.
GRANT SELECT ON ops.tracking_consents TO mailpulse_query;
ALTER TABLE ops.tracking_consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.tracking_consents FORCE ROW LEVEL SECURITY;
CREATE POLICY writers ON ops.tracking_consents TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON ops.tracking_consents FOR SELECT TO mailpulse_query
    USING (organization_id = (SELECT ops.current_organization()));

-- Events were never deleted before: now the room of those that are is to be used again.
ALTER TABLE events.stored_events SET (autovacuum_vacuum_threshold = 50000, autovacuum_vacuum_scale_factor = 0.02);
