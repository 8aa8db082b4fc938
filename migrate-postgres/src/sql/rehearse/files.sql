-- Which file each table is in, and each of its indexes.
SELECT c.oid::bigint AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relname AS bare, c.relkind AS kind,
    pg_catalog.pg_relation_filenode(c.oid)::bigint AS file, n.nspname = 'migrate_rehearsal' AS is_stage,
    coalesce(i.indrelid, 0)::bigint AS of_table
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('r', 'm', 'i') AND {where}
