-- What our transaction has locked of what it has not made, and which file each relation is in.
SELECT l.relation::bigint AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, l.mode, n.nspname = 'migrate_rehearsal' AS is_stage
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND l.granted
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S')
