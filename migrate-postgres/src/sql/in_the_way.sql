-- What it waits for may be a lock on a table, or the end of a transaction: then it is the table of its work that tells.
WITH awaited AS (
    SELECT coalesce(
        (SELECT l.relation FROM pg_catalog.pg_locks l WHERE l.pid = {pid} AND NOT l.granted AND l.relation IS NOT NULL LIMIT 1),
        (SELECT i.relid FROM pg_catalog.pg_stat_progress_create_index i WHERE i.pid = {pid})
    ) AS relation
),
way AS (
    SELECT DISTINCT b.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) b (pid)
    WHERE b.pid <> pg_catalog.pg_backend_pid()
),
held AS (
    SELECT DISTINCT ON (w.pid, l.virtualtransaction) w.pid, l.virtualtransaction, l.mode, l.granted
    FROM way w CROSS JOIN awaited a
    LEFT JOIN pg_catalog.pg_locks l ON l.relation = a.relation AND l.pid IS NOT DISTINCT FROM nullif(w.pid, 0)
        AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    ORDER BY w.pid, l.virtualtransaction, l.granted DESC, pg_catalog.array_position(ARRAY[
        'AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock', 'ShareUpdateExclusiveLock',
        'RowExclusiveLock', 'RowShareLock', 'AccessShareLock'
    ], l.mode)
)
SELECT nullif(h.pid, 0) AS pid, h.mode AS held, coalesce(h.granted, true) AS granted,
    CASE WHEN h.mode IS NOT NULL THEN pg_catalog.format('%I.%I', n.nspname, c.relname) END AS relation,
    {of_session}
FROM held h CROSS JOIN awaited w
LEFT JOIN pg_catalog.pg_class c ON c.oid = w.relation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
LEFT JOIN pg_catalog.pg_stat_progress_create_index b ON b.pid = h.pid
LEFT JOIN pg_catalog.pg_locks x ON h.pid = 0 AND x.pid IS NULL AND x.locktype = 'transactionid'
    AND x.virtualtransaction = h.virtualtransaction
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
ORDER BY age_ms DESC NULLS LAST, h.pid
