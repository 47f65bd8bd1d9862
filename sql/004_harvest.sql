-- Feeds (arXiv, Hugging Face, lists of URLs) tell what changed; what they have told is kept here, and the inventory is brought up
-- to date from it, shard by shard. A page of a feed is committed together with the cursor that follows it.

CREATE TABLE harvest (
    source       text PRIMARY KEY REFERENCES source (name) ON DELETE CASCADE ON UPDATE CASCADE,
    cursor       jsonb,                       -- where the next harvest goes on; null before the first page
    finished_at  timestamptz,                 -- when a harvest last reached its end
    failed_at    timestamptz,                 -- when one last broke off, null since the last that did not
    failure      text                         -- a sentence for people
);

CREATE TABLE harvested (
    document_id  uuid PRIMARY KEY,
    uri          text NOT NULL,               -- <source address>#<external_id>
    shard        smallint NOT NULL CHECK (shard BETWEEN 0 AND 63),
    source       text NOT NULL REFERENCES harvest ON DELETE CASCADE ON UPDATE CASCADE,
    external_id  text NOT NULL,
    token        text NOT NULL,               -- mark of change that the feed gives
    sweep        bigint,                      -- full listing that named it last
    location     text,                        -- where its bytes are fetched; null where the feed's answer held them
    validator    text,                        -- etag or date of the bytes fetched last
    wanted       boolean NOT NULL,            -- its bytes are still to be fetched
    tries        smallint NOT NULL DEFAULT 0, -- fetches that failed in a row
    retry_at     timestamptz,                 -- not to be asked for before
    content_hash text,                        -- sha256 of the bytes, hex; null before they came
    size         bigint NOT NULL DEFAULT 0,
    raw_key      text,
    raw_offset   integer,
    raw_length   integer,
    problem      text                         -- why they cannot be had: '<code>: <reason>'
);
CREATE INDEX harvested_shard ON harvested (shard, source);
CREATE INDEX harvested_source ON harvested (source, sweep);
CREATE INDEX harvested_wanted ON harvested (source, retry_at) WHERE wanted;
CREATE INDEX harvested_raw ON harvested (raw_key);
