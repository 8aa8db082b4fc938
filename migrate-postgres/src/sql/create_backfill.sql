CREATE TABLE IF NOT EXISTS {backfill} (
    set_name text NOT NULL,
    version bigint NOT NULL,
    phase text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'filled', 'done', 'failed')),
    wanted text NOT NULL DEFAULT 'run' CHECK (wanted IN ('run', 'pause', 'cancel')),
    limits text NOT NULL DEFAULT '',
    pass integer NOT NULL DEFAULT 1,
    expected bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    index_bytes jsonb NOT NULL DEFAULT pg_catalog.jsonb_build_object(),
    reason text,
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (set_name, version, phase)
);
COMMENT ON TABLE {backfill} IS 'Changes of data in batches: how far they are, and what is wanted of them. Whoever may write it can pause one: UPDATE … SET wanted = ''pause''.';
COMMENT ON COLUMN {backfill}.state IS 'running; filled: no row is left to change; done: what it promised was verified, and the history says so; failed: see reason.';
COMMENT ON COLUMN {backfill}.wanted IS 'run, pause or cancel; read before each batch, so that a change by hand has effect at the next one.';
COMMENT ON COLUMN {backfill}.limits IS 'Limits that differ from those of the program, as name=value, separated by commas; read before each batch.';
COMMENT ON COLUMN {backfill}.pass IS 'Which time the table is gone through. The last pass is the one that finds nothing to change.';
COMMENT ON COLUMN {backfill}.expected IS 'Rows of the table when it began, by the statistics of the server.';
COMMENT ON COLUMN {backfill}.changed IS 'Rows that all passes before this one have changed.';
COMMENT ON COLUMN {backfill}.index_bytes IS 'How large each index of the table was when it began, by its oid; empty where that was not to be seen.';
COMMENT ON COLUMN {backfill}.reason IS 'Why it is paused, cancelled or failed; what was verified, when it is done.';
CREATE TABLE IF NOT EXISTS {range} (
    set_name text NOT NULL,
    version bigint NOT NULL,
    phase text NOT NULL,
    no integer NOT NULL,
    relation text NOT NULL,
    after_place text[],
    up_to_place text[],
    is_last boolean NOT NULL,
    is_hole boolean NOT NULL DEFAULT false,
    cursor_place text[],
    filenode bigint,
    done boolean NOT NULL DEFAULT false,
    seen bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0,
    batch_rows bigint,
    batch_ms bigint,
    batch_wal bigint,
    limited_by text,
    why text,
    holder text,
    backend integer,
    fence bigint NOT NULL DEFAULT 0,
    expires_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (set_name, version, phase, no)
) WITH (fillfactor = 50);
COMMENT ON TABLE {range} IS 'The parts of a table that a backfill goes through, one after another, and how far it is in each. Written in the transaction of each batch.';
COMMENT ON COLUMN {range}.after_place IS 'Its rows come after this place; NULL is the beginning. A place is a key, or a page of the table.';
COMMENT ON COLUMN {range}.up_to_place IS 'Its last row is here; NULL is the end.';
COMMENT ON COLUMN {range}.is_hole IS 'Rows that were locked when their turn came, and come back at the end of the pass.';
COMMENT ON COLUMN {range}.cursor_place IS 'Everything up to here was gone through in this pass.';
COMMENT ON COLUMN {range}.filenode IS 'The file in which the pages were counted: a table that was rewritten is gone through anew.';
COMMENT ON COLUMN {range}.seen IS 'Rows gone through in this pass.';
COMMENT ON COLUMN {range}.changed IS 'Rows changed in this pass.';
COMMENT ON COLUMN {range}.limited_by IS 'What kept the last batch from being larger or sooner.';
COMMENT ON COLUMN {range}.why IS 'The same in words, with numbers.';
COMMENT ON COLUMN {range}.holder IS 'Who works at it: host and process; NULL when nobody does.';
COMMENT ON COLUMN {range}.backend IS 'The server process of the holder.';
COMMENT ON COLUMN {range}.fence IS 'Grows with each holder; what an earlier one still wants to write is refused.';
COMMENT ON COLUMN {range}.expires_at IS 'From when on another may take it, unless a transaction of the holder is open.';
