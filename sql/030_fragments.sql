-- The state of the corpus that a blueprint's fragments are made from: pinned when the first is built, moved when the stack is solved anew.
CREATE TABLE fragment_pin (
    name      text PRIMARY KEY REFERENCES blueprint ON DELETE CASCADE,
    stack     text NOT NULL,                   -- digest of the stack it was pinned for
    snapshot  text NOT NULL,                   -- SHA-256 over id, content and parser of each document that is read
    documents bigint NOT NULL,
    pinned_at timestamptz NOT NULL DEFAULT now()
);
