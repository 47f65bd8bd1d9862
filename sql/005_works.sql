-- Works: how the documents of one work are found. Both tables follow `document` when works are joined, not before: what they still say of a
-- document that changed or vanished tells which of its neighbours must be looked at again. Hence no foreign keys.

CREATE TABLE work_signature (
    document_id  uuid NOT NULL,
    fingerprint  bigint NOT NULL,             -- hash of all that the row was made from, the version of the joining included
    joined       boolean NOT NULL DEFAULT false,
    length       integer NOT NULL,            -- characters of the text
    keys         text[] NOT NULL,             -- identifiers; who shares one shares the work
    bands        bytea NOT NULL,              -- 32-bit hashes: title, bands of the abstract's minima, bands of the whole text's
    PRIMARY KEY (document_id, fingerprint)
);
ALTER TABLE work_signature ALTER COLUMN bands SET STORAGE PLAIN;

CREATE TABLE work_link (
    a          uuid NOT NULL,
    b          uuid NOT NULL,                 -- a < b
    reason     text NOT NULL,                 -- title, author, abstract, text
    similarity real NOT NULL,                 -- of their texts, 0 to 1
    PRIMARY KEY (a, b)
);
CREATE INDEX work_link_b ON work_link (b);

COMMENT ON COLUMN work_document.reason IS 'why it belongs to the work: only, identifier:<scheme>, title, author, abstract, text';
COMMENT ON COLUMN work_link.similarity IS 'resemblance or containment of the two texts by word triples, 0 to 1';
