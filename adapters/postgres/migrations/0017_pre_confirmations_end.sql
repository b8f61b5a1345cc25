-- When a confirmation was asked for: the provider's token is good for three days, and then nobody need try any more. Those that
-- wait already begin their three days now.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '10s';
ALTER TABLE ops.subscription_confirmations ADD COLUMN requested_at timestamptz NOT NULL DEFAULT now();
