SELECT (
        SELECT count(*) FROM pg_catalog.pg_locks w
        WHERE w.locktype = 'relation' AND NOT w.granted AND w.pid <> {pid} AND (w.database, w.relation) IN (
            SELECT o.database, o.relation FROM pg_catalog.pg_locks o WHERE o.pid = {pid} AND o.locktype = 'relation'
        )
    ) AS waiting, (
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = l.relation
    ) AS relation, l.mode
FROM (SELECT) AS one
LEFT JOIN pg_catalog.pg_locks l ON l.pid = {pid} AND l.locktype = 'relation' AND NOT l.granted
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
LIMIT 1
