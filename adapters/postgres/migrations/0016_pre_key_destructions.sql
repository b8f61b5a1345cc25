-- How many people's keys were destroyed, by organisation: a process that saw a key and sees this number again need not look for
-- the key. Whoever destroys keys has the organisation to themselves, so nobody waits for these rows; each destruction shows here
-- when the key is gone for everybody, and not before.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '10s';
CREATE TABLE ops.key_destructions (
    organization_id uuid PRIMARY KEY,
    keys bigint NOT NULL
);
CREATE FUNCTION ops.count_destroyed_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.key_destructions AS d (organization_id, keys)
    SELECT organization_id, count(*) FROM gone GROUP BY organization_id ORDER BY organization_id
    ON CONFLICT (organization_id) DO UPDATE SET keys = d.keys + excluded.keys;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_destroyed_keys AFTER DELETE ON ops.recipient_keys
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ops.count_destroyed_keys();
-- Whatever role a session plays.
ALTER TABLE ops.recipient_keys ENABLE ALWAYS TRIGGER count_destroyed_keys;
