-- The compatibility graph: made anew from claims, statistics, constraints and decisions, one state at a time. Components are its nodes.
CREATE TABLE graph_edge (
    edge                text PRIMARY KEY,          -- hash of subject, relation, object and scope
    subject             text NOT NULL,             -- components; of a relation that holds both ways the subject is the one first in the alphabet
    relation            text NOT NULL,             -- requires, conflicts_with, composes_with, alternative_to, supersedes, improves_on
    object              text NOT NULL,
    scope               text NOT NULL,             -- idea, or implementation: framework@commit
    confidence          double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),  -- 0.5: no opinion
    supporting          double precision NOT NULL, -- independent works, each by the precision of the pattern that read it
    contradicting       double precision NOT NULL,
    supporting_works    integer NOT NULL,          -- as they are counted in the catalogue
    contradicting_works integer NOT NULL,
    first_year          smallint,                  -- of the works on either side
    latest_year         smallint,
    origins             text[] NOT NULL,           -- claim, statistics, port, fact, arithmetic, override
    severity            text,                      -- hard, soft; of edges that a constraint or a person made
    together            jsonb,                     -- {"works", "lift", "q"}: in how many works both are named
    UNIQUE (subject, relation, object, scope)
);
CREATE INDEX graph_edge_object ON graph_edge (object);

CREATE TABLE graph_evidence (
    edge        text NOT NULL REFERENCES graph_edge ON DELETE CASCADE,
    place       integer NOT NULL,                  -- the strongest first
    supports    boolean NOT NULL,                  -- false: it speaks against the edge
    origin      text NOT NULL,                     -- as in graph_edge.origins
    weight      double precision NOT NULL,         -- what it adds to supporting or contradicting
    work_id     uuid,
    document_id uuid REFERENCES document ON DELETE CASCADE,  -- null for what stands in no document
    start       integer,
    "end"       integer,
    quote_hash  text,                              -- SHA-256 (hex) of the passage
    detail      jsonb NOT NULL DEFAULT '{}',       -- of a claim: subject, relation, object, polarity, pattern, metric, delta, unit; else statement and source
    PRIMARY KEY (edge, place)
);
CREATE INDEX graph_evidence_document ON graph_evidence (document_id);

COMMENT ON COLUMN graph_edge.confidence IS 'share of further independent works expected to agree; 0.5 is no opinion';
COMMENT ON COLUMN graph_edge.scope IS 'idea, or implementation: framework@commit';
COMMENT ON COLUMN graph_evidence.detail IS 'the claim as it was read, or the statement of a constraint or decision and where it stands';
