-- The tables of the engagement read model. Names are unqualified: the schema is the connection's search_path, so that a
-- rebuild fills a second set of them while the first one serves.

CREATE TABLE campaigns (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    first_sent_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE campaign_contacts (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    -- NULL: an email outside of any campaign; its contact has the email's id.
    campaign_id uuid,
    contact_id text NOT NULL
);
CREATE INDEX campaign_contacts_campaign ON campaign_contacts (campaign_id);
CREATE INDEX campaign_contacts_contact ON campaign_contacts (organization_id, contact_id);

CREATE TABLE jobs (
    organization_id uuid NOT NULL,
    id text NOT NULL,
    title text NOT NULL,
    hiring_manager_id text NOT NULL,
    -- The latest email about the job names its title and manager.
    named_at timestamptz NOT NULL,
    named_by bigint NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX jobs_hiring_manager ON jobs (organization_id, hiring_manager_id);

CREATE TABLE email_logs (
    id bigint PRIMARY KEY,
    email_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    provider text NOT NULL,
    message_id text NOT NULL,
    tracking_id text NOT NULL,
    tracking boolean NOT NULL,
    subject text NOT NULL,
    recipient_type text NOT NULL,
    recipient_id text NOT NULL,
    recipient_email text NOT NULL,
    recipient_name text NOT NULL,
    sender_id text NOT NULL,
    sender_name text NOT NULL,
    job_id text,
    template_id text,
    template_name text,
    campaign_id uuid,
    campaign_contact_id uuid NOT NULL,
    sent_at timestamptz NOT NULL,
    delivered_at timestamptz,
    deferred_at timestamptz,
    opened_at timestamptz,
    open_count integer NOT NULL DEFAULT 0,
    clicked_at timestamptz,
    click_count integer NOT NULL DEFAULT 0,
    unique_click_count integer NOT NULL DEFAULT 0,
    replied_at timestamptz,
    reply_count integer NOT NULL DEFAULT 0,
    last_engaged_at timestamptz,
    bounced_at timestamptz,
    bounce_type text,
    bounce_reason text,
    dropped_at timestamptz,
    drop_reason text,
    unsubscribed_at timestamptz,
    spam_reported_at timestamptz,
    machine_open_count integer NOT NULL DEFAULT 0,
    scanner_click_count integer NOT NULL DEFAULT 0,
    -- Names the address within the organisation, and stays when the address is erased.
    addressee_id uuid NOT NULL,
    -- Place of the fact that erased the recipient; from then on no row of the email says who they are.
    erased_by bigint,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
-- Room for what a batch changes: an update that leaves its page writes to every index, and takes more room in the end.
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX email_logs_email ON email_logs (email_id);
-- Unique like its second column, so that a rebuild has it from the start: folding an erasure looks emails up by it.
CREATE UNIQUE INDEX email_logs_addressee ON email_logs (addressee_id, id);
CREATE INDEX email_logs_history ON email_logs (organization_id, sent_at DESC, id DESC);
CREATE INDEX email_logs_recipient ON email_logs (organization_id, recipient_id, sent_at DESC);
CREATE INDEX email_logs_message ON email_logs (message_id);
CREATE INDEX email_logs_campaign ON email_logs (campaign_id, sent_at DESC) WHERE campaign_id IS NOT NULL;
CREATE INDEX email_logs_job ON email_logs (organization_id, job_id, sent_at DESC) WHERE job_id IS NOT NULL;
-- Whom a hiring manager may see at all is told without reading the emails of years; none of it ever changes.
CREATE INDEX email_logs_candidate ON email_logs (organization_id, job_id, recipient_id)
    WHERE job_id IS NOT NULL AND recipient_type = 'Candidate';
CREATE INDEX email_logs_template ON email_logs (organization_id, template_id, sent_at DESC, id DESC)
    WHERE template_id IS NOT NULL;
-- Compliance: the few emails that were answered like this. Nothing else changes them, so that updates stay in their page.
CREATE INDEX email_logs_unsubscribed ON email_logs (organization_id, unsubscribed_at DESC, id DESC)
    WHERE unsubscribed_at IS NOT NULL;
CREATE INDEX email_logs_spam_reported ON email_logs (organization_id, spam_reported_at DESC, id DESC)
    WHERE spam_reported_at IS NOT NULL;
-- Retention: whether a contact has another email.
CREATE INDEX email_logs_contact ON email_logs (campaign_contact_id);
CREATE INDEX email_logs_sender ON email_logs (organization_id, sender_id, sent_at DESC, id DESC);

CREATE TABLE email_engagement_events (
    -- Place in the event store's order; negative where an open is implied by that click.
    id bigint PRIMARY KEY,
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    email_log_id bigint NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    url text,
    ip_address inet,
    user_agent text,
    metadata jsonb,
    created_at timestamptz NOT NULL,
    -- Of opens and clicks; reasons only where a rule said anything.
    verdict text,
    reasons text[]
);
CREATE INDEX email_engagement_events_email ON email_engagement_events (email_log_id, occurred_at);
-- Autovacuum looks at 30,000 rows of a busy table every minute. Of what no question chooses, joins or sorts by, that is for nothing,
-- and such columns are the dear ones: JSON, arrays, long texts.
ALTER TABLE email_engagement_events ALTER COLUMN event_id SET STATISTICS 0, ALTER COLUMN url SET STATISTICS 0,
    ALTER COLUMN ip_address SET STATISTICS 0, ALTER COLUMN user_agent SET STATISTICS 0,
    ALTER COLUMN metadata SET STATISTICS 0, ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN reasons SET STATISTICS 0;

CREATE TABLE engagement_tracking (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_contact_id uuid NOT NULL,
    event_type text NOT NULL,
    event_data jsonb,
    event_timestamp timestamptz NOT NULL DEFAULT now(),
    tracking_id text,
    user_agent text,
    ip_address inet,
    clicked_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    organization_id uuid NOT NULL,
    email_log_id bigint NOT NULL,
    -- What the email is about, as in email_logs: it never changes, and what happened in a period is told without a join.
    job_id text,
    campaign_id uuid,
    template_id text
) WITH (autovacuum_vacuum_insert_scale_factor = 0.01);
ALTER TABLE engagement_tracking ADD FOREIGN KEY (campaign_contact_id) REFERENCES campaign_contacts (id)
    ON DELETE CASCADE;
ALTER TABLE engagement_tracking ALTER COLUMN event_data SET STATISTICS 0, ALTER COLUMN user_agent SET STATISTICS 0,
    ALTER COLUMN ip_address SET STATISTICS 0, ALTER COLUMN created_at SET STATISTICS 0;
CREATE INDEX idx_engagement_tracking_contact ON engagement_tracking (campaign_contact_id);
CREATE INDEX idx_engagement_tracking_type ON engagement_tracking (event_type);
CREATE INDEX idx_engagement_tracking_timestamp ON engagement_tracking (event_timestamp DESC);
CREATE INDEX idx_engagement_tracking_tracking_id ON engagement_tracking (tracking_id) WHERE tracking_id IS NOT NULL;
-- What happened in a period: all that a dashboard of it asks for is in the index, next to each other.
CREATE INDEX engagement_tracking_activity ON engagement_tracking (organization_id, event_type, event_timestamp)
    INCLUDE (email_log_id, job_id, campaign_id, template_id);

-- What machines did, previews and the sender's own views included: never in engagement_tracking, a rate or a score.
CREATE TABLE automated_engagement (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_contact_id uuid NOT NULL,
    event_type text NOT NULL,
    event_data jsonb,
    event_timestamp timestamptz NOT NULL DEFAULT now(),
    tracking_id text,
    user_agent text,
    ip_address inet,
    clicked_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    organization_id uuid NOT NULL,
    email_log_id bigint NOT NULL,
    job_id text,
    campaign_id uuid,
    template_id text,
    engagement_event_id bigint NOT NULL,
    verdict text NOT NULL,
    reasons text[] NOT NULL,
    confidence real NOT NULL,
    rule_version integer NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 0.01);
ALTER TABLE automated_engagement ADD FOREIGN KEY (campaign_contact_id) REFERENCES campaign_contacts (id)
    ON DELETE CASCADE;
ALTER TABLE automated_engagement ALTER COLUMN event_data SET STATISTICS 0, ALTER COLUMN user_agent SET STATISTICS 0,
    ALTER COLUMN ip_address SET STATISTICS 0, ALTER COLUMN created_at SET STATISTICS 0, ALTER COLUMN reasons SET STATISTICS 0;
CREATE INDEX automated_engagement_email ON automated_engagement (email_log_id, event_timestamp);
CREATE INDEX automated_engagement_contact ON automated_engagement (campaign_contact_id);
CREATE INDEX automated_engagement_activity ON automated_engagement (organization_id, event_type, event_timestamp)
    INCLUDE (email_log_id, verdict, job_id, campaign_id, template_id);

-- One row per email and link that somebody or something followed; the same URL at two positions is two links.
CREATE TABLE email_links (
    email_log_id bigint NOT NULL,
    link_key uuid NOT NULL,
    organization_id uuid NOT NULL,
    campaign_id uuid,
    campaign_contact_id uuid NOT NULL,
    url text NOT NULL,
    link_position text NOT NULL,
    link_text text NOT NULL,
    -- By people; 0 where only scanners followed it.
    click_count integer NOT NULL,
    scanner_click_count integer NOT NULL,
    -- By a person; NULL where privacy mode keeps it back.
    first_clicked_at timestamptz,
    PRIMARY KEY (email_log_id, link_key)
) WITH (fillfactor = 85);
CREATE INDEX email_links_campaign ON email_links (campaign_id) WHERE campaign_id IS NOT NULL;

-- Sums over tracked emails by what they are about and the quarter of an hour they were sent in: campaign, job and template metrics and
-- every range of a dashboard are sums of these rows.
CREATE TABLE email_totals (
    organization_id uuid NOT NULL,
    sent_quarter timestamptz NOT NULL,
    job_id text NOT NULL,
    campaign_id uuid NOT NULL,
    template_id text NOT NULL,
    sent bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    opened bigint NOT NULL DEFAULT 0,
    clicked bigint NOT NULL DEFAULT 0,
    total_opens bigint NOT NULL DEFAULT 0,
    total_clicks bigint NOT NULL DEFAULT 0,
    unique_clicks bigint NOT NULL DEFAULT 0,
    replied bigint NOT NULL DEFAULT 0,
    bounced bigint NOT NULL DEFAULT 0,
    unsubscribed bigint NOT NULL DEFAULT 0,
    spam_reported bigint NOT NULL DEFAULT 0,
    machine_opens bigint NOT NULL DEFAULT 0,
    scanner_clicks bigint NOT NULL DEFAULT 0,
    timed_opens bigint NOT NULL DEFAULT 0,
    seconds_to_open bigint NOT NULL DEFAULT 0,
    -- As if machines were people.
    raw_opened bigint NOT NULL DEFAULT 0,
    raw_clicked bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, sent_quarter, job_id, campaign_id, template_id)
) WITH (fillfactor = 70);
-- Partial also so that adding to a row, which names all five columns of the key, can look it up by nothing but the key: where
-- statistics say little, these seem as good, and a thousand rows are read for one.
CREATE INDEX email_totals_campaign ON email_totals (organization_id, campaign_id, sent_quarter)
    WHERE campaign_id <> '00000000-0000-0000-0000-000000000000';
CREATE INDEX email_totals_job ON email_totals (organization_id, job_id, sent_quarter) WHERE job_id <> '';
CREATE INDEX email_totals_template ON email_totals (organization_id, template_id, sent_quarter) WHERE template_id <> '';

-- The same sums, smaller: for an organisation's dashboard without a filter, whose rows above are tens of thousands a month.
CREATE TABLE organization_totals (
    organization_id uuid NOT NULL,
    sent_quarter timestamptz NOT NULL,
    sent bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    opened bigint NOT NULL DEFAULT 0,
    clicked bigint NOT NULL DEFAULT 0,
    total_opens bigint NOT NULL DEFAULT 0,
    total_clicks bigint NOT NULL DEFAULT 0,
    unique_clicks bigint NOT NULL DEFAULT 0,
    replied bigint NOT NULL DEFAULT 0,
    bounced bigint NOT NULL DEFAULT 0,
    unsubscribed bigint NOT NULL DEFAULT 0,
    spam_reported bigint NOT NULL DEFAULT 0,
    machine_opens bigint NOT NULL DEFAULT 0,
    scanner_clicks bigint NOT NULL DEFAULT 0,
    timed_opens bigint NOT NULL DEFAULT 0,
    seconds_to_open bigint NOT NULL DEFAULT 0,
    raw_opened bigint NOT NULL DEFAULT 0,
    raw_clicked bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, sent_quarter)
) WITH (fillfactor = 70);

-- And for the list of mailings: whole days by UTC; what is left of a period at its ends is read above.
CREATE TABLE mailing_totals (
    organization_id uuid NOT NULL,
    sent_day date NOT NULL,
    campaign_id uuid NOT NULL,
    template_id text NOT NULL,
    sent bigint NOT NULL DEFAULT 0,
    opened bigint NOT NULL DEFAULT 0,
    clicked bigint NOT NULL DEFAULT 0,
    raw_opened bigint NOT NULL DEFAULT 0,
    raw_clicked bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, sent_day, campaign_id, template_id)
) WITH (fillfactor = 70);

CREATE TABLE templates (
    organization_id uuid NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    named_at timestamptz NOT NULL,
    named_by bigint NOT NULL,
    PRIMARY KEY (organization_id, id)
);
