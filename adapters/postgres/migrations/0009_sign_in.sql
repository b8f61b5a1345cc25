-- Browsers: a link that opens once, and the session it becomes. Both end with the user token that they stand for.

ALTER TABLE ops.access_tokens ADD COLUMN parent_id uuid REFERENCES ops.access_tokens (id) ON DELETE CASCADE;
ALTER TABLE ops.access_tokens DROP CONSTRAINT access_tokens_kind_check;
ALTER TABLE ops.access_tokens ADD CONSTRAINT access_tokens_kind_check
    CHECK (kind IN ('api_key', 'user_token', 'sign_in_link', 'session'));
ALTER TABLE ops.access_tokens DROP CONSTRAINT access_tokens_check;
ALTER TABLE ops.access_tokens ADD CONSTRAINT access_tokens_people_check
    CHECK ((kind = 'api_key') = (user_id IS NULL) AND (kind IN ('sign_in_link', 'session')) = (parent_id IS NOT NULL));
CREATE INDEX access_tokens_parent ON ops.access_tokens (parent_id) WHERE parent_id IS NOT NULL;
