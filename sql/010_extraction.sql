-- How the reading of a document ended: a digest of what was found, for data versions, or why nothing could be found.
ALTER TABLE extraction
    ADD COLUMN digest  bigint NOT NULL DEFAULT 0,  -- of the document's version and of all rows that stand on it
    ADD COLUMN problem text;                       -- a sentence: the rules failed on this document; null where they did not
CREATE INDEX extraction_problem ON extraction (document_id) WHERE problem IS NOT NULL;
