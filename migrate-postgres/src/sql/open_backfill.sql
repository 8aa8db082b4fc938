INSERT INTO {backfill} AS b (set_name, version, phase, name, checksum, expected)
VALUES ({set}, {version}, {phase}, {name}, {checksum}, {expected})
ON CONFLICT (set_name, version, phase) DO UPDATE
SET name = excluded.name, checksum = excluded.checksum, expected = excluded.expected, state = 'running', pass = 1,
    changed = CASE WHEN b.checksum = excluded.checksum AND b.state <> 'done' THEN b.changed + (
        SELECT coalesce(sum(r.changed), 0) FROM {range} r
        WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
    ) ELSE 0 END,
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
