-- The language model: what it answered, by what was asked, so that no run pays twice; and which passages it was asked about.

CREATE TABLE language_model_answer (
    key               text PRIMARY KEY,          -- sha256 of model, messages, schema and sampling parameters, hex
    model             text NOT NULL,
    text              text,                      -- null where the model refused
    finish            text NOT NULL,             -- stop, length (cut off), refused
    form              text NOT NULL,             -- json_schema, json_object, text: how it was held to its schema
    prompt_tokens     integer NOT NULL,
    completion_tokens integer NOT NULL,
    at                timestamptz NOT NULL DEFAULT now()
);

-- Passages that a model was asked about, with what became of its answer. A changed passage has another id and is asked about anew.
CREATE TABLE passage_asked (
    passage_id uuid NOT NULL REFERENCES passage ON DELETE CASCADE,
    asker      text NOT NULL,                    -- hash of model, prompt and ontology
    proposed   integer NOT NULL,
    rejected   jsonb NOT NULL DEFAULT '{}',      -- {reason: number}
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (passage_id, asker)
);
