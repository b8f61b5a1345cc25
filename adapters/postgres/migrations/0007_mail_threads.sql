-- How incoming mail finds the email that it answers: the ids under which people may quote an email, named by hashes
-- of organisation and id, so that a look-up is an index and no table tells a message id or an address.

CREATE TABLE ops.email_threads (
    thread_id uuid NOT NULL,
    email_id uuid NOT NULL,
    addressee_id uuid NOT NULL,
    PRIMARY KEY (thread_id, email_id)
);
CREATE INDEX email_threads_email ON ops.email_threads (email_id);

-- What parked mails quote, so that they are found when such an email is registered.
CREATE TABLE ops.awaited_threads (
    thread_id uuid NOT NULL,
    parked_id bigint NOT NULL REFERENCES ops.parked_reports (id) ON DELETE CASCADE,
    -- 0: the most telling of the ids that the mail quotes.
    place smallint NOT NULL,
    PRIMARY KEY (thread_id, parked_id)
);
CREATE INDEX awaited_threads_parked ON ops.awaited_threads (parked_id);
