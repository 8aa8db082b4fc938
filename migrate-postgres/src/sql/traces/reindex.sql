WITH named AS (
    SELECT i.indrelid AS relation, i.indexrelid AS index FROM pg_catalog.pg_index i
    WHERE {target} = 'INDEX' AND (i.indexrelid = pg_catalog.to_regclass({name}) OR i.indexrelid IN (
        SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass({name}))))
    UNION ALL
    SELECT c.oid, NULL FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE {target} = 'TABLE' AND (c.oid = pg_catalog.to_regclass({name}) OR c.oid IN (
        SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass({name}))))
        OR {target} = 'SCHEMA' AND n.nspname = {schema} OR {target} IN ('DATABASE', 'SYSTEM')
), tables AS (
    SELECT relation, index FROM named
    UNION
    SELECT c.reltoastrelid, NULL FROM named JOIN pg_catalog.pg_class c ON c.oid = relation
    WHERE index IS NULL AND c.reltoastrelid <> 0
), leftovers AS (
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, t.index, i.indexrelid, t.relation,
        c.relname::pg_catalog.text AS relname,
        pg_catalog.regexp_replace(c.relname::pg_catalog.text, '_cc(new|old)[0-9]*$', '') AS stem
    FROM tables t
    JOIN pg_catalog.pg_index i ON i.indrelid = t.relation AND NOT i.indisvalid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)[0-9]*$'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), built AS (
    SELECT l.relation, l.pid FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = l.pid AND p.datname = pg_catalog.current_database()
    JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.locktype = 'relation' AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
        AND l.pid <> pg_catalog.pg_backend_pid()
)
SELECT CASE WHEN b.pid IS NULL THEN 'leftover' ELSE 'busy' END AS verdict,
    CASE WHEN b.pid IS NULL THEN pg_catalog.format('%s was left by a reindex that broke and is dropped', l.name)
        ELSE pg_catalog.format('session %s is building an index on %s', b.pid, l.relation::pg_catalog.regclass)
    END AS found,
    pg_catalog.format('DROP INDEX CONCURRENTLY %s', l.name) AS repair,
    b.pid AS builder
FROM leftovers l LEFT JOIN built b ON b.relation = l.relation
-- A long name was cut for the ending to fit.
WHERE EXISTS (
    SELECT FROM pg_catalog.pg_index o JOIN pg_catalog.pg_class c ON c.oid = o.indexrelid
    WHERE o.indrelid = l.relation AND o.indexrelid <> l.indexrelid AND (l.index IS NULL OR o.indexrelid = l.index)
        AND (c.relname = l.stem
            OR pg_catalog.octet_length(l.relname) > 59 AND pg_catalog.starts_with(c.relname::pg_catalog.text, l.stem)))
ORDER BY l.name LIMIT 1
