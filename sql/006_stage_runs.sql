-- What each run of a stage did and cost: one row per run and stage, written when the stage has finished. The nightly report reads it.

CREATE TABLE stage_run (
    run_id             text NOT NULL,
    stage              text NOT NULL,
    cause              text NOT NULL,         -- nightly, inbox, backfill, on change, forge run, by hand
    shards             integer,               -- number of shards worked on; null for a stage without shards
    started            timestamptz NOT NULL,
    seconds            double precision NOT NULL,
    cpu_seconds        double precision NOT NULL,
    server_cpu_seconds double precision,      -- of the embedded Postgres; null where the server is not ours
    gpu_seconds        double precision NOT NULL DEFAULT 0,
    peak_bytes         bigint,                -- of the process that ran the stage
    counts             jsonb NOT NULL,        -- done, new, changed, removed, quarantined, unchanged, total, passages, pending
    PRIMARY KEY (run_id, stage)
);
CREATE INDEX stage_run_stage ON stage_run (stage, started);

COMMENT ON COLUMN stage_run.cpu_seconds IS 'of the process and of its children that have ended';
COMMENT ON COLUMN stage_run.counts IS 'done: documents or passages worked on; total: rows the stage holds afterwards';
