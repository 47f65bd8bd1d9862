-- The components room: what each document says of components (mentions), parameters and relations, and the catalogue made of all of it.
-- Every row carries the span of document.text it stands on; a document that is parsed anew takes its rows along.

-- One row per document that has been read, with what it was read by; the anti-join on it finds what is missing or stale.
CREATE TABLE extraction (
    document_id uuid PRIMARY KEY REFERENCES document ON DELETE CASCADE,
    shard       smallint NOT NULL,
    version     text NOT NULL,                -- of the rules
    ontology    text NOT NULL                 -- version of the ontology
);
CREATE INDEX extraction_shard ON extraction (shard, version, ontology);

-- Ontologies that documents have been read by: the difference of two names the entries whose documents must be read again.
CREATE TABLE ontology_version (
    ontology text PRIMARY KEY,
    entries  jsonb NOT NULL,                  -- {component: {"hash": ..., "aliases": [...]}}
    at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE mention (
    document_id uuid NOT NULL REFERENCES extraction ON DELETE CASCADE,
    start       integer NOT NULL,
    "end"       integer NOT NULL,
    component   text NOT NULL,
    role        text NOT NULL,                -- background, method, result, limitation, other
    stance      text NOT NULL,                -- introduced, used, named
    negated     boolean NOT NULL,
    via         text NOT NULL,                -- alias, abbreviation, model
    PRIMARY KEY (document_id, start, component)
);
CREATE INDEX mention_component ON mention (component, document_id);

-- Names a document brings up as its own or as abbreviations: what candidates are made of.
CREATE TABLE new_name (
    document_id uuid NOT NULL REFERENCES extraction ON DELETE CASCADE,
    start       integer NOT NULL,
    "end"       integer NOT NULL,
    name        text NOT NULL,
    long_form   text,
    kind        text NOT NULL,                -- title, proposed, abbreviation
    head        text,                         -- noun phrase beside it, a hint at the slot
    PRIMARY KEY (document_id, start, kind, name)
);
CREATE INDEX new_name_name ON new_name (lower(name));

CREATE TABLE parameter_value (
    document_id   uuid NOT NULL REFERENCES extraction ON DELETE CASCADE,
    start         integer NOT NULL,           -- span of the value as written
    "end"         integer NOT NULL,
    parameter     text NOT NULL,
    number        double precision,           -- in `unit`; null for words
    word          text,
    unit          text,
    component     text,                       -- the component of the ontology it belongs to, where that is known
    subject       text,                       -- the model or setting as written
    subject_start integer,
    subject_end   integer,
    condition     text,
    source        text NOT NULL,              -- prose, table, config, front_matter
    quote_hash    text NOT NULL,              -- of the value as written
    PRIMARY KEY (document_id, start, "end", parameter)
);
CREATE INDEX parameter_value_parameter ON parameter_value (parameter, component);

CREATE TABLE relation (
    document_id uuid NOT NULL REFERENCES extraction ON DELETE CASCADE,
    start       integer NOT NULL,             -- span of the sentence
    "end"       integer NOT NULL,
    subject     text NOT NULL,                -- component, or a name of new_name
    relation    text NOT NULL,                -- requires, conflicts_with, composes_with, alternative_to, supersedes, improves_on
    object      text NOT NULL,
    pattern     text NOT NULL,
    metric      text,
    delta       double precision,
    unit        text,
    polarity    boolean NOT NULL,             -- false: the sentence denies it
    quote_hash  text NOT NULL,
    PRIMARY KEY (document_id, start, subject, relation, object)
);
CREATE INDEX relation_subject ON relation (subject, relation);
CREATE INDEX relation_object ON relation (object, relation);

-- The catalogue: made anew from the tables above, one state at a time. Counts are of works, a work with several documents counts once.
CREATE TABLE catalogue_entry (
    component            text PRIMARY KEY,
    slot                 text NOT NULL,
    documents            integer NOT NULL,
    works                integer NOT NULL,
    used                 integer NOT NULL,    -- works that use or introduce it, not only name it
    first_year           smallint,
    latest_year          smallint,
    trend                double precision,    -- yearly growth of its share of works over the last years, e.g. 0.2 = +20% a year
    years                jsonb NOT NULL,      -- {year: works}
    introducing_document uuid,
    introducing_reason   text,
    neighbours           jsonb NOT NULL       -- [[component, works, lift, q], ...]
);

CREATE TABLE typical_value (
    component text NOT NULL,
    parameter text NOT NULL,
    unit      text NOT NULL DEFAULT '',
    works     integer NOT NULL,
    quartiles double precision[],             -- least, lower quartile, median, upper quartile, greatest; one voice per work
    words     jsonb NOT NULL DEFAULT '{}',    -- {word: works} of parameters that are words
    sources   jsonb NOT NULL,                 -- [[document, start, end, value], ...], a few
    PRIMARY KEY (component, parameter, unit)
);

CREATE TABLE comention (
    a     text NOT NULL,
    b     text NOT NULL,
    works integer NOT NULL,
    lift  double precision NOT NULL,
    p     double precision NOT NULL,          -- Fisher, both sides
    q     double precision NOT NULL,          -- Benjamini-Hochberg
    PRIMARY KEY (a, b)
);
CREATE INDEX comention_b ON comention (b);

CREATE TABLE candidate (
    candidate            text PRIMARY KEY,    -- normalised name
    name                 text NOT NULL,
    aliases              text[] NOT NULL,
    slot                 text,
    slot_share           double precision,    -- share of the evidence that points at this slot
    works                integer NOT NULL,
    first_year           smallint,
    latest_year          smallint,
    introducing_document uuid,
    score                double precision NOT NULL,
    evidence             jsonb NOT NULL       -- [[document, start, end, kind], ...], a few
);

-- What a language model read, checked against the text; like candidates, for a person to decide on.
CREATE TABLE proposal (
    proposal_id uuid PRIMARY KEY,             -- of the content
    kind        text NOT NULL,                -- mention, parameter, relation, candidate
    payload     jsonb NOT NULL,
    document_id uuid NOT NULL REFERENCES document ON DELETE CASCADE,
    start       integer NOT NULL,
    "end"       integer NOT NULL,
    quote_hash  text NOT NULL,
    extractor   text NOT NULL,
    version     text NOT NULL,
    state       text NOT NULL DEFAULT 'open', -- open, accepted, rejected
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX proposal_document ON proposal (document_id);
