-- The tables that names of migrations mean: an index means its table.
SELECT w.relation AS asked, t.oid::bigint AS oid, n.nspname AS schema, t.relname AS name,
    pg_catalog.format('%I.%I', n.nspname, t.relname) AS relation,
    CASE
        WHEN t.relkind = 'p' OR t.relispartition THEN 'it is partitioned'
        WHEN t.relkind <> 'r' THEN 'it is no table'
        WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE t.oid IN (i.inhrelid, i.inhparent)) THEN 'other tables inherit from it, or it from them'
    END AS unfit,
    pg_catalog.pg_relation_size(t.oid) / pg_catalog.current_setting('block_size')::bigint AS pages,
    (greatest(t.reltuples, 0) / greatest(t.relpages, 1))::float8 AS rows_a_page,
    pg_catalog.pg_relation_size(t.oid) AS bytes,
    pg_catalog.current_setting('max_parallel_maintenance_workers') AS most_workers,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) AS memory,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('min_parallel_table_scan_size')) AS least_bytes
FROM (VALUES {wanted}) w (relation)
JOIN pg_catalog.pg_class c ON c.oid = coalesce(pg_catalog.to_regclass(w.relation), (
    SELECT pg_catalog.to_regclass(pg_catalog.quote_ident(n.parts[pg_catalog.array_upper(n.parts, 1)]))
    FROM pg_catalog.parse_ident(w.relation) n (parts)
))
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
JOIN pg_catalog.pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
