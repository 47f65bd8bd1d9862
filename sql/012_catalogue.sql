-- What the queue of candidates is ranked by, and explained with.
ALTER TABLE candidate
    ADD COLUMN long_form          text,
    ADD COLUMN documents          integer NOT NULL DEFAULT 0,
    ADD COLUMN independent        integer NOT NULL DEFAULT 0,   -- works that name it beside the one that introduced it
    ADD COLUMN signs              jsonb NOT NULL DEFAULT '{}',  -- {title, proposed, abbreviation, used: works}, by what it was noticed
    ADD COLUMN years              jsonb NOT NULL DEFAULT '{}',  -- {year: works}
    ADD COLUMN trend              double precision,             -- as in catalogue_entry
    ADD COLUMN introducing_reason text,
    ADD COLUMN slots              jsonb NOT NULL DEFAULT '[]';  -- [[slot, share], ...], the likeliest first
CREATE INDEX candidate_score ON candidate (score DESC, candidate);
