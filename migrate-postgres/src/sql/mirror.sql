CREATE OR REPLACE FUNCTION {mirror}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$migrate$
BEGIN
    IF TG_RELID <> {history_name}::regclass THEN
        RAISE EXCEPTION 'this function belongs to the history %', {history_name};
    END IF;
    -- Whoever dropped the table has no use for the mirror; sqlx has no migrations in Rust.
    IF to_regclass({sqlx_name}) IS NULL OR NEW.kind IN ('adopted', 'code')
        OR NEW.kind IN ('marked', 'baseline', 'repaired') AND NEW.up_sql IS NULL
    THEN
        RETURN NULL;
    END IF;
    -- sqlx knows no phases: the row of a version stands for the first phase of it.
    IF EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (h.phase) h.state FROM {history} h
            WHERE h.set_name = NEW.set_name AND h.version = NEW.version AND h.phase <> NEW.phase
                AND h.statement IS NULL AND h.state IN ('done', 'reverted')
            ORDER BY h.phase, h.seq DESC
        ) other WHERE other.state = 'done'
    ) THEN
        RETURN NULL;
    END IF;
    IF NEW.state = 'reverted' THEN
        DELETE FROM {sqlx} WHERE version = NEW.version;
    ELSIF NEW.direction = 'up' AND NEW.state IN ('started', 'done') THEN
        -- What people tell the history replaces what stood there. Work that sqlx has done is not done again.
        IF NEW.kind IN ('marked', 'baseline', 'repaired') THEN
            DELETE FROM {sqlx} WHERE version = NEW.version;
        ELSIF EXISTS (SELECT FROM {sqlx} s WHERE s.version = NEW.version) THEN
            RAISE unique_violation;
        END IF;
        IF NEW.state = 'done' AND NEW.statement IS NULL AND NEW.up_sql IS NOT NULL THEN
            INSERT INTO {sqlx} (version, description, installed_on, success, checksum, execution_time)
            VALUES (NEW.version, replace(NEW.name, '_', ' '), NEW.finished_at, true, {hash_of_new},
                (extract(epoch FROM NEW.finished_at - NEW.started_at) * 1000000000)::bigint);
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'sqlx has applied migration % meanwhile, says %', NEW.version, {sqlx_name}
        USING HINT = 'Take its row over with "migrate adopt", then run again.';
END
$migrate$;
REVOKE ALL ON FUNCTION {mirror}() FROM PUBLIC;
COMMENT ON FUNCTION {mirror}() IS 'Writes what migrate does into sqlx''s table too, until "migrate adopt --stop-mirror".';
DROP TRIGGER IF EXISTS {mirror_ident} ON {history};
CREATE TRIGGER {mirror_ident} AFTER INSERT ON {history}
    FOR EACH ROW WHEN (NEW.set_name = {set}) EXECUTE FUNCTION {mirror}();
ALTER TABLE {history} ENABLE ALWAYS TRIGGER {mirror_ident};
