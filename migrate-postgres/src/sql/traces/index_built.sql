SELECT CASE WHEN whole AND ours THEN 'done' WHEN whole THEN NULL WHEN NOT ours THEN 'foreign'
        WHEN builder IS NOT NULL THEN 'busy' ELSE 'leftover' END AS verdict,
    CASE WHEN whole THEN 'the index was complete'
        WHEN NOT ours THEN pg_catalog.format('%s is a broken index of another table, %s', name, relation)
        WHEN builder IS NOT NULL THEN pg_catalog.format('session %s is building an index on %s', builder, relation)
        ELSE pg_catalog.format('the index %s was broken and is dropped', name) END AS found,
    pg_catalog.format('DROP INDEX CONCURRENTLY %s', name) AS repair,
    builder
FROM (
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
        i.indisvalid AND i.indisready AND i.indislive AS whole,
        i.indrelid = t.oid AS ours,
        i.indrelid::pg_catalog.regclass AS relation,
        (SELECT l.pid FROM pg_catalog.pg_locks l
            JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = l.pid AND p.datname = pg_catalog.current_database()
            JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
            WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock'
                AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
            LIMIT 1) AS builder
    FROM pg_catalog.pg_class t
    JOIN pg_catalog.pg_class c ON c.relnamespace = t.relnamespace AND c.relname = {index} AND c.relkind = 'i'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    WHERE t.oid = pg_catalog.to_regclass({table})
) looked
