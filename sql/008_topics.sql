-- The topics room: work-level vectors -> topics of two levels. A topic keeps its id from refit to refit, and no id is given twice.

CREATE TABLE topic_fit (
    fit_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    embedder  text NOT NULL,
    dims      integer NOT NULL,
    method    text NOT NULL,                  -- version of the clustering
    reason    text NOT NULL,                  -- first, embedder, method, grown, age, asked
    works     integer NOT NULL,
    chosen_for integer NOT NULL,              -- number of works when the number of topics was chosen
    digest    text NOT NULL,                  -- of the works it was made from
    figures   jsonb NOT NULL,                 -- seed, passes, what was measured for each number of topics
    at        timestamptz NOT NULL
);

CREATE TABLE topic (
    topic_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level      smallint NOT NULL CHECK (level IN (1, 2)),  -- 1: works belong to it; 2: topics belong to it
    parent     integer REFERENCES topic,      -- of level 2; null where there are too few topics for a second level
    centroid   bytea NOT NULL,                -- float32, little-endian, of length one
    floor      real NOT NULL,                 -- a work with a smaller cosine waits as unassigned
    works      integer NOT NULL DEFAULT 0,
    label      text,
    phrases    jsonb NOT NULL DEFAULT '[]',   -- [[phrase, share of its titles], ...], the most telling first
    slots      jsonb NOT NULL DEFAULT '[]',   -- [[slot, share of its titles that name it], ...]
    tasks      text[] NOT NULL DEFAULT '{}',
    born_fit   integer NOT NULL REFERENCES topic_fit,
    born_at    timestamptz NOT NULL,
    ended_fit  integer REFERENCES topic_fit,  -- null while it lives
    ended_at   timestamptz
);
CREATE INDEX topic_parent ON topic (parent);

CREATE TABLE work_topic (
    work_id    uuid PRIMARY KEY REFERENCES work ON DELETE CASCADE,
    topic_id   integer REFERENCES topic,      -- null: it waits for a topic to be born
    similarity real NOT NULL,                 -- cosine to the nearest centroid
    mark       bigint NOT NULL                -- of the content its vector was made from
);
CREATE INDEX work_topic_topic ON work_topic (topic_id);

-- What happened to topics, in order.
CREATE TABLE topic_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    fit_id   integer NOT NULL REFERENCES topic_fit,
    kind     text NOT NULL CHECK (kind IN ('fit', 'refit', 'birth', 'death', 'split', 'merge')),
    topic_id integer REFERENCES topic,
    others   integer[] NOT NULL DEFAULT '{}', -- split: the topic it came from; merge: the topic it went into
    works    integer NOT NULL
);
CREATE INDEX topic_event_topic ON topic_event (topic_id);

COMMENT ON COLUMN topic.floor IS 'a work whose cosine to the centroid is smaller waits as unassigned';
COMMENT ON COLUMN work_topic.topic_id IS 'null while the work waits for a topic to be born';
COMMENT ON COLUMN work_topic.similarity IS 'cosine of the work to the nearest centroid';
COMMENT ON COLUMN work_topic.mark IS 'hash of the content of its main document; another mark is assigned anew';
