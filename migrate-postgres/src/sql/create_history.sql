CREATE TABLE {history} (
    set_name text NOT NULL,
    seq bigint NOT NULL,
    version bigint NOT NULL,
    phase text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    direction text NOT NULL,
    state text NOT NULL,
    statement integer,
    checksum text NOT NULL,
    up_sql text,
    down_sql text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    login text NOT NULL,
    role text NOT NULL,
    application text NOT NULL,
    host text NOT NULL,
    build text NOT NULL,
    library text NOT NULL,
    reason text,
    format smallint NOT NULL DEFAULT 1,
    PRIMARY KEY (set_name, seq)
);
COMMENT ON TABLE {history} IS 'What schema migrations did to this database: a log, rows are only added. Written by migrate; reading is safe.';
COMMENT ON COLUMN {history}.set_name IS 'The application or part of one whose migrations these are.';
COMMENT ON COLUMN {history}.seq IS 'Place in the log of the set; a second writer cannot take the same place.';
COMMENT ON COLUMN {history}.version IS 'Version of the migration; with the phase, its identity.';
COMMENT ON COLUMN {history}.phase IS 'expand, migrate or contract.';
COMMENT ON COLUMN {history}.name IS 'Name of the migration.';
COMMENT ON COLUMN {history}.kind IS 'transaction, standalone, code or backfill: how it ran; adopted: another tool ran it; baseline, marked or repaired: recorded without running.';
COMMENT ON COLUMN {history}.direction IS 'up or down.';
COMMENT ON COLUMN {history}.state IS 'started, done, failed or reverted.';
COMMENT ON COLUMN {history}.statement IS 'Which statement of a migration outside transactions, from 1; NULL is all of it.';
COMMENT ON COLUMN {history}.checksum IS 'SHA-256 over the statements and the directives that change how they run, in hexadecimal.';
COMMENT ON COLUMN {history}.up_sql IS 'The text that ran.';
COMMENT ON COLUMN {history}.down_sql IS 'The text that takes it back.';
COMMENT ON COLUMN {history}.started_at IS 'When the work began, by the clock of the server.';
COMMENT ON COLUMN {history}.finished_at IS 'When this row was written, by the clock of the server.';
COMMENT ON COLUMN {history}.login IS 'The role that connected.';
COMMENT ON COLUMN {history}.role IS 'The role that the work ran as.';
COMMENT ON COLUMN {history}.application IS 'application_name of the application.';
COMMENT ON COLUMN {history}.host IS 'Where the migrator ran, with its process number.';
COMMENT ON COLUMN {history}.build IS 'Name and version of the program that held the migrations.';
COMMENT ON COLUMN {history}.library IS 'Version of migrate.';
COMMENT ON COLUMN {history}.reason IS 'Why, where somebody said so; the SQLSTATE of a failure.';
COMMENT ON COLUMN {history}.format IS 'Version of this table''s layout.';
CREATE TABLE IF NOT EXISTS {settled} (
    digest text PRIMARY KEY,
    set_name text NOT NULL,
    history regclass NOT NULL,
    report text NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE {settled} IS 'Programs that found nothing to do. A cache: any row may be deleted, and all are when the history changes.';
CREATE OR REPLACE FUNCTION {unsettle}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$ BEGIN DELETE FROM {settled}; RETURN NULL; END $$;
COMMENT ON FUNCTION {unsettle}() IS 'Makes every change of the history, also one made by hand, seen by the next start.';
CREATE TRIGGER migrate_unsettle AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {history}
    FOR EACH STATEMENT EXECUTE FUNCTION {unsettle}();
ALTER TABLE {history} ENABLE ALWAYS TRIGGER migrate_unsettle;
