-- The documentation room: sentences that can stand on a page, and which pages the volumes hold. Texts are never stored, spans are.

-- One row per document whose sentences have been looked through, with what they were looked through by and what came of it.
CREATE TABLE doc_reading (
    document_id uuid PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    shard       smallint NOT NULL,
    version     text NOT NULL,                -- of the rules
    names       text NOT NULL,                -- of the names that were looked for beside the mentions
    mark        bigint NOT NULL               -- extraction.digest: of the document's version and of what was read in it
);
CREATE INDEX doc_reading_shard ON doc_reading (shard);

-- Sentences fit to be quoted, each under one subject: a component, or a candidate as 'candidate:<id>'.
CREATE TABLE doc_sentence (
    document_id uuid NOT NULL REFERENCES doc_reading ON DELETE CASCADE,
    start       integer NOT NULL,
    "end"       integer NOT NULL,
    subject     text NOT NULL,
    slot        text NOT NULL,                -- of the subject
    role        text NOT NULL,                -- definition, mechanism, parameter, result, comparison, limitation
    score       real NOT NULL,                -- how well it stands alone and speaks of its subject, 0 to 1
    others      text[] NOT NULL,              -- further components that it names
    open        boolean NOT NULL,             -- it says what is not solved
    advice      boolean NOT NULL,             -- it says what to do
    quote       bigint NOT NULL,              -- first 8 bytes of SHA-256 of the characters
    PRIMARY KEY (document_id, start)
);
CREATE INDEX doc_sentence_subject ON doc_sentence (subject, role, score DESC);
CREATE INDEX doc_sentence_slot ON doc_sentence (slot);

-- Pages as they stand in the object store. `state` is of the evidence: the same state, the same bytes.
CREATE TABLE doc_page (
    page    text PRIMARY KEY,                 -- <volume>/<slug>
    volume  text NOT NULL,
    kind    text NOT NULL,
    title   text NOT NULL,
    state   text NOT NULL,
    sha256  text NOT NULL,
    sources integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX doc_page_volume ON doc_page (volume);

CREATE TABLE doc_volume (
    volume   text PRIMARY KEY,
    kind     text NOT NULL,                   -- overview, slot, topic
    title    text NOT NULL,
    state    text NOT NULL,
    digest   text NOT NULL,                   -- SHA-256 of volume.json
    pages    integer NOT NULL,
    sources  integer NOT NULL,
    missing  integer NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN doc_sentence.score IS 'how well it stands alone and speaks of its subject, 0 to 1';
COMMENT ON COLUMN doc_page.sha256 IS 'of everything the page says; approvals attach to it';
