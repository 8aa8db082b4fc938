SELECT (
        SELECT count(*) FROM pg_catalog.pg_locks w
        WHERE w.locktype = 'relation' AND NOT w.granted AND w.pid <> {pid} AND (w.database, w.relation) IN (
            SELECT o.database, o.relation FROM pg_catalog.pg_locks o WHERE o.pid = {pid} AND o.locktype = 'relation'
        )
    ) AS waiting, (
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = l.relation
    ) AS relation, l.mode,
    -- Whoever may not see since when it is there sees that it is; a standby has the sessions of nobody else.
    a.pid IS NOT NULL OR pg_catalog.pg_is_in_recovery() AS there,
    (extract(epoch FROM a.query_start) * 1000000)::bigint AS sent
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_locks l ON l.pid = {pid} AND l.locktype = 'relation' AND NOT l.granted
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = {pid}
    AND coalesce((extract(epoch FROM a.backend_start) * 1000000)::bigint = {began}, true)
LIMIT 1
