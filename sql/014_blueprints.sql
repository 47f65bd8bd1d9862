-- Blueprints: what people ask for, and the stack that was solved for it, with all it was solved from. Nights change neither.
CREATE TABLE blueprint (
    name       text PRIMARY KEY,
    request    jsonb NOT NULL,
    state      text NOT NULL,                      -- hash of the request
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What stacks were solved from, by its hash: explanations read it, however the corpus has changed since.
CREATE TABLE stack_evidence (
    evidence text PRIMARY KEY,
    content  text NOT NULL
);

CREATE TABLE technique_stack (
    name        text PRIMARY KEY REFERENCES blueprint ON DELETE CASCADE,
    request     text NOT NULL,                     -- hash of the request it answers
    evidence    text NOT NULL REFERENCES stack_evidence,
    catalogue   text NOT NULL,                     -- states of the stages the evidence was read from
    graph       text NOT NULL,
    ontology    text NOT NULL,                     -- versions
    constraints text NOT NULL,
    profile     text NOT NULL,
    objective   bigint NOT NULL,                   -- thousandths
    bound       bigint NOT NULL,                   -- no stack can be worth more
    optimal     boolean NOT NULL,
    seconds     double precision NOT NULL,
    stack       jsonb NOT NULL,                    -- {slots: {slot: component}, numbers, options, memory, ...}
    digest      text NOT NULL,                     -- hash of `stack` and of the pins
    solved_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX technique_stack_evidence ON technique_stack (evidence);
