SELECT p.command, p.phase, p.unit, p.done, nullif(p.total, 0) AS total,
    p.partitions_done, nullif(p.partitions_total, 0) AS partitions_total,
    CASE WHEN c.oid IS NOT NULL THEN pg_catalog.format('%I.%I', n.nspname, c.relname) END AS relation
FROM (
    SELECT i.pid, i.relid, i.command, i.phase, i.partitions_done, i.partitions_total, u.unit,
        CASE u.unit WHEN 'transactions' THEN i.lockers_done WHEN 'blocks' THEN i.blocks_done ELSE i.tuples_done END AS done,
        CASE u.unit WHEN 'transactions' THEN i.lockers_total WHEN 'blocks' THEN i.blocks_total ELSE i.tuples_total END AS total
    FROM pg_catalog.pg_stat_progress_create_index i
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN i.phase LIKE 'waiting for %' THEN 'transactions'
            WHEN i.phase LIKE '%: scanning %' OR i.phase = 'building index' THEN 'blocks'
            WHEN i.phase LIKE '%: loading tuples%' THEN 'rows'
        END AS unit
    ) u
    UNION ALL
    -- The columns about indexes came with PostgreSQL 17.
    SELECT v.pid, v.relid, 'VACUUM', v.phase, NULL, NULL,
        CASE WHEN v.phase IN ('scanning heap', 'vacuuming heap') THEN 'blocks' WHEN v.phase LIKE '%indexes' THEN 'indexes' END,
        CASE v.phase
            WHEN 'scanning heap' THEN v.heap_blks_scanned WHEN 'vacuuming heap' THEN v.heap_blks_vacuumed
            ELSE (pg_catalog.to_jsonb(v) ->> 'indexes_processed')::bigint
        END,
        CASE
            WHEN v.phase IN ('scanning heap', 'vacuuming heap') THEN v.heap_blks_total
            ELSE (pg_catalog.to_jsonb(v) ->> 'indexes_total')::bigint
        END
    FROM pg_catalog.pg_stat_progress_vacuum v
    UNION ALL
    SELECT f.pid, f.relid, f.command, f.phase, NULL, NULL,
        CASE
            WHEN f.phase = 'seq scanning heap' THEN 'blocks' WHEN f.phase = 'rebuilding index' THEN 'indexes'
            WHEN f.phase IN ('index scanning heap', 'writing new heap') THEN 'rows'
        END,
        CASE f.phase
            WHEN 'seq scanning heap' THEN f.heap_blks_scanned WHEN 'index scanning heap' THEN f.heap_tuples_scanned
            WHEN 'writing new heap' THEN f.heap_tuples_written ELSE f.index_rebuild_count
        END,
        CASE f.phase WHEN 'seq scanning heap' THEN f.heap_blks_total WHEN 'writing new heap' THEN f.heap_tuples_scanned END
    FROM pg_catalog.pg_stat_progress_cluster f
    UNION ALL
    SELECT a.pid, a.relid, 'ANALYZE', a.phase, a.child_tables_done, a.child_tables_total,
        CASE WHEN a.phase LIKE 'acquiring %' THEN 'blocks' WHEN a.phase LIKE '%extended statistics' THEN 'statistics' END,
        CASE WHEN a.phase LIKE 'acquiring %' THEN a.sample_blks_scanned ELSE a.ext_stats_computed END,
        CASE WHEN a.phase LIKE 'acquiring %' THEN a.sample_blks_total ELSE a.ext_stats_total END
    FROM pg_catalog.pg_stat_progress_analyze a
    {copies}
) p
LEFT JOIN pg_catalog.pg_class c ON c.oid = p.relid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.pid = {pid}
LIMIT 1
