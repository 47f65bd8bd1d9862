-- Specs of blueprints: made once from a solved stack, and left as they are until the stack is solved anew.
CREATE TABLE tech_spec (
    name    text PRIMARY KEY REFERENCES blueprint ON DELETE CASCADE,
    stack   text NOT NULL,                     -- digest of the stack it was made from
    version text NOT NULL,                     -- of the code that made it
    spec    text NOT NULL,                     -- JSON, as published
    digest  text NOT NULL,                     -- SHA-256 of `spec`
    made_at timestamptz NOT NULL DEFAULT now()
);
