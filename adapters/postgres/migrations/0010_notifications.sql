-- What people were told about their emails, and how they want to be told. Not disposable, unlike read models: that
-- somebody was told, and has read it, follows from no event. So it begins here and is never rebuilt (ADR 0018).

CREATE TABLE public.notifications (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    -- The host application's id of the person who is told.
    user_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('open', 'click', 'reply', 'bounce', 'digest')),
    -- NULL in digests, like what follows from the email.
    email_id uuid,
    candidate_id text,
    candidate_name text NOT NULL DEFAULT '',
    subject text NOT NULL DEFAULT '',
    -- Of the latest cause.
    occurred_at timestamptz NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    url text NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    -- The events it speaks of, and when they happened.
    causes uuid[] NOT NULL DEFAULT '{}',
    caused_at timestamptz[] NOT NULL DEFAULT '{}',
    job_id text,
    addressee_id uuid,
    email_log_id bigint,
    -- Not shown before, because the verdict is still open; NULL: shown.
    held_until timestamptz,
    -- Number of its latest announcement; NULL: it was never announced, it waits in the list.
    announcement bigint
);
CREATE UNIQUE INDEX notifications_unread ON public.notifications (organization_id, user_id, email_id, kind)
    WHERE read_at IS NULL;
CREATE INDEX notifications_list ON public.notifications (organization_id, user_id, occurred_at DESC, id DESC);
CREATE INDEX notifications_announced ON public.notifications (organization_id, user_id, announcement);
CREATE INDEX notifications_email ON public.notifications (email_id);
CREATE INDEX notifications_addressee ON public.notifications (addressee_id);
CREATE INDEX notifications_email_log ON public.notifications (email_log_id);
CREATE INDEX notifications_held ON public.notifications (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX notifications_created ON public.notifications (created_at);

GRANT SELECT ON public.notifications TO mailpulse_query;
ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.notifications FORCE ROW LEVEL SECURITY;
CREATE POLICY writers ON public.notifications TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON public.notifications FOR SELECT TO mailpulse_query
    USING (organization_id = (SELECT ops.current_organization()));

-- Announcements are numbered in the order in which they are committed: only who holds the position below takes a number.
CREATE SEQUENCE ops.announcements;

CREATE TABLE ops.notification_preferences (
    organization_id uuid NOT NULL,
    user_id text NOT NULL,
    preferences jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    -- NULL: no digest is wanted.
    next_digest_at timestamptz,
    PRIMARY KEY (organization_id, user_id)
);
COMMENT ON TABLE ops.notification_preferences IS 'Who never decided has no row and the default preferences.';
CREATE INDEX notification_preferences_digest ON ops.notification_preferences (next_digest_at)
    WHERE next_digest_at IS NOT NULL;

GRANT SELECT ON ops.notification_preferences TO mailpulse_query;
ALTER TABLE ops.notification_preferences ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.notification_preferences FORCE ROW LEVEL SECURITY;
CREATE POLICY writers ON ops.notification_preferences TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_organization ON ops.notification_preferences FOR SELECT TO mailpulse_query
    USING (organization_id = (SELECT ops.current_organization()));

-- Nobody is told of what happened before there were notifications.
INSERT INTO ops.read_models (name, version, position)
SELECT 'notifications', 1, coalesce(max(notification_id), 0) FROM events.stored_events;
