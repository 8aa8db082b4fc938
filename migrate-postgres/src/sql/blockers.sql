WITH wanted (relation, is_guess, mode, excluded) AS (VALUES {wanted}),
named AS (
    SELECT coalesce(i.indrelid, c.oid) AS oid, w.mode, w.excluded
    FROM wanted w
    -- Where no schema was written, the statement will find what the search path leads to first.
    JOIN pg_catalog.pg_class c ON c.oid = coalesce((
        SELECT pg_catalog.to_regclass(pg_catalog.quote_ident(n.parts[pg_catalog.array_upper(n.parts, 1)]))
        FROM pg_catalog.parse_ident(w.relation) n (parts)
        WHERE w.is_guess
    ), pg_catalog.to_regclass(w.relation))
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
),
target AS (
    SELECT n.oid, n.mode, n.excluded FROM named n
    UNION
    -- What takes one partition along takes all, also those that came since the migrations were written.
    SELECT p.relid, n.mode, n.excluded
    FROM named n
    JOIN pg_catalog.pg_class c ON c.oid = n.oid AND c.relkind = 'p'
    CROSS JOIN LATERAL pg_catalog.pg_partition_tree(n.oid) p
    WHERE EXISTS (
        SELECT FROM named o JOIN pg_catalog.pg_inherits i ON i.inhrelid = o.oid
        WHERE i.inhparent = n.oid AND o.mode = n.mode
    )
)
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation, t.mode AS wanted,
    c.relkind IN ('r', 'p') AND (
        pg_catalog.has_table_privilege(c.oid, 'UPDATE') OR pg_catalog.has_table_privilege(c.oid, 'DELETE')
        OR pg_catalog.has_table_privilege(c.oid, 'TRUNCATE')
    ) AS lockable,
    l.mode AS held, l.granted, l.pid, {of_session}
FROM target t
JOIN pg_catalog.pg_class c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_locks l ON l.locktype = 'relation' AND l.relation = t.oid
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND l.mode = ANY (t.excluded::text[]) AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_catalog.pg_stat_progress_create_index b ON b.pid = l.pid
-- A prepared transaction keeps the virtual transaction that it had (from PostgreSQL 14 on, whatever the manual says of
-- this join), and the lock on its own number tells which it is.
LEFT JOIN pg_catalog.pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
    AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
ORDER BY c.oid, age_ms DESC NULLS LAST
