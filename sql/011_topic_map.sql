-- The map of topics. Anchors, means of some dozens of works of a topic, are laid out in two dimensions; each work has its place beside them.

CREATE TABLE topic_layout (
    layout_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fit_id     integer NOT NULL REFERENCES topic_fit,  -- the fit whose topics it shows
    method     text NOT NULL,                 -- version of the layout
    anew       boolean NOT NULL,              -- false: anchors followed a refit and kept their positions
    per_anchor real NOT NULL,                 -- works to an anchor
    works      integer NOT NULL,
    figures    jsonb NOT NULL,                -- trustworthiness, of the two principal axes too; median move of works since the last
    at         timestamptz NOT NULL
);

CREATE TABLE topic_anchor (
    topic_id   integer NOT NULL REFERENCES topic,
    number     smallint NOT NULL,
    vector     bytea NOT NULL,                -- float32, little-endian, of length one
    x          real NOT NULL,
    y          real NOT NULL,
    PRIMARY KEY (topic_id, number)
);

CREATE TABLE work_place (
    work_id    uuid PRIMARY KEY REFERENCES work ON DELETE CASCADE,
    topic_id   integer,                       -- its topic when it was placed; null: it was waiting
    mark       bigint NOT NULL,               -- of the content its vector was made from
    x          real NOT NULL,
    y          real NOT NULL
);

-- Pictures and pages in the object store. One without made_at is being written; all but the latest are deleted, objects first.
CREATE TABLE topic_picture (
    picture_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state      text NOT NULL,                 -- hash of what it shows
    page_key   text NOT NULL,
    image_key  text NOT NULL,
    figures    jsonb NOT NULL,
    made_at    timestamptz
);

ALTER TABLE topic ADD COLUMN colour smallint;  -- of a group, or of a topic without one: index into the map's palette; stays for life

COMMENT ON COLUMN work_place.x IS 'on the map, whose middle is 0 and whose radius is about 1';
COMMENT ON COLUMN work_place.topic_id IS 'its topic when it was placed; where that changes, it is placed anew';
