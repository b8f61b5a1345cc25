-- The tables of the scores read model; see engagement.sql for why names are unqualified.

CREATE TABLE candidate_scores (
    organization_id uuid NOT NULL,
    candidate_id text NOT NULL,
    name text NOT NULL,
    -- NULL: no tracked email in 90 days.
    score integer,
    level text,
    level_reason text NOT NULL,
    recency_points integer,
    open_points integer,
    click_points integer,
    reply_points integer,
    emails_sent integer NOT NULL,
    emails_opened integer NOT NULL,
    emails_clicked integer NOT NULL,
    emails_replied integer NOT NULL,
    machine_open_count integer NOT NULL,
    scanner_click_count integer NOT NULL,
    -- As if machines were people; no score looks at these.
    raw_opened integer NOT NULL,
    raw_clicked integer NOT NULL,
    last_engaged_at timestamptz,
    -- When time alone changes the score.
    next_change_at timestamptz,
    PRIMARY KEY (organization_id, candidate_id)
) WITH (fillfactor = 75);
CREATE INDEX candidate_scores_ranked ON candidate_scores (organization_id, (coalesce(score, -1)) DESC, candidate_id);
-- How many there are of each level.
CREATE INDEX candidate_scores_level ON candidate_scores (organization_id, level);
CREATE INDEX candidate_scores_due ON candidate_scores (next_change_at) WHERE next_change_at IS NOT NULL;
