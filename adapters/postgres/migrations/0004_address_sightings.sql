-- Which addresses showed up on which recipients of a campaign in the last minutes, to tell scanners that click for many
-- (BR-558.7). Keyed digests only. What a crash of the server takes away is minutes old at most: no log is written for it.

CREATE UNLOGGED TABLE ops.address_sightings (
    -- Of campaign and address.
    place bytea NOT NULL,
    recipient bytea NOT NULL,
    seen_at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX address_sightings_place ON ops.address_sightings (place);
