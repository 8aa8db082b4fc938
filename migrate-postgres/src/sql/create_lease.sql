CREATE TABLE IF NOT EXISTS {lease} (
    set_name text PRIMARY KEY,
    fence bigint NOT NULL,
    heartbeat timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    holder text,
    login text NOT NULL
);
COMMENT ON TABLE {lease} IS 'Who migrates through a pooler that keeps no sessions. A row a set; rows stay, and reading is safe.';
COMMENT ON COLUMN {lease}.set_name IS 'The application or part of one whose migrations these are.';
COMMENT ON COLUMN {lease}.fence IS 'Grows with each holder; what an earlier one still wants to write is refused.';
COMMENT ON COLUMN {lease}.heartbeat IS 'When it was renewed last, by the clock of the server.';
COMMENT ON COLUMN {lease}.expires_at IS 'From when on another may take it, unless a transaction of the holder is open.';
COMMENT ON COLUMN {lease}.holder IS 'Who works: set, host and process; NULL when nobody does.';
COMMENT ON COLUMN {lease}.login IS 'The role that the last holder connected as.';
