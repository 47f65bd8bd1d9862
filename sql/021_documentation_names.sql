-- Names of candidates that documents were looked through for: the difference of two tells which documents must be looked through again.
CREATE TABLE doc_names (
    version text PRIMARY KEY,
    names   jsonb NOT NULL,                   -- {candidate: [ways it is written]}
    at      timestamptz NOT NULL DEFAULT now()
);
