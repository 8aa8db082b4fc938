INSERT INTO {backfill} AS b (set_name, version, phase, name, checksum, expected, index_bytes)
SELECT {set}, {version}, {phase}, {name}, {checksum}, {expected}, (
    SELECT coalesce(
        pg_catalog.jsonb_object_agg(i.indexrelid::pg_catalog.text, pg_catalog.pg_relation_size(i.indexrelid)),
        pg_catalog.jsonb_build_object()
    )
    FROM pg_catalog.pg_index i
    WHERE i.indrelid IN (
        SELECT pg_catalog.to_regclass(p) FROM pg_catalog.unnest({parts}) p
        UNION ALL
        SELECT t.relid FROM pg_catalog.unnest({parts}) p, pg_catalog.pg_partition_tree(pg_catalog.to_regclass(p)) t
    )
)
ON CONFLICT (set_name, version, phase) DO UPDATE
SET name = excluded.name, checksum = excluded.checksum, expected = excluded.expected, state = 'running', pass = 1,
    changed = CASE WHEN b.checksum = excluded.checksum AND b.state <> 'done' THEN b.changed + (
        SELECT coalesce(sum(r.changed), 0) FROM {range} r
        WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
    ) ELSE 0 END,
    index_bytes = CASE WHEN b.checksum = excluded.checksum AND b.state <> 'done' THEN b.index_bytes ELSE excluded.index_bytes END,
    reason = NULL, started_at = pg_catalog.clock_timestamp(), finished_at = NULL
WHERE b.state IN ('done', 'failed')
    -- What is declared otherwise begins anew, but not under the hands of a build that works at what it knows.
    OR b.checksum <> excluded.checksum AND NOT EXISTS (
        SELECT FROM {range} r JOIN pg_catalog.pg_stat_activity a ON a.pid = r.backend
        WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
            AND NOT r.done AND r.holder IS NOT NULL AND r.expires_at >= pg_catalog.clock_timestamp()
    )
    -- That no row was left is known of the time when the last range was gone through.
    OR b.state = 'filled' AND NOT EXISTS (
        SELECT FROM {range} r WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
            AND r.updated_at > pg_catalog.clock_timestamp() - {lasts}
    )
    OR NOT EXISTS (
        SELECT FROM {range} r WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
    )
RETURNING true AS anew;
