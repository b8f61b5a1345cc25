-- Facts from before 0002 lie open and no erasure reaches them. No release ever wrote such: whoever ran a checkout of
-- those days is told, rather than that a DELETE of theirs is answered with 204 and leaves what it should destroy.
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM events.stored_events
        WHERE topic = 'EmailMessage.Sent' AND position('\xa6'::bytea || 'sealed' IN state) = 0
            AND position('\xa8'::bytea || 'personal' IN state) > 0
    ) THEN
        RAISE EXCEPTION USING MESSAGE = 'it holds events from before recipients had keys, which no erasure'
            ' could reach, and which no release wrote: begin with a new database, and register the emails again';
    END IF;
END $$;
