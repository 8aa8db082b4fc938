INSERT INTO {backfill} AS b (set_name, version, phase, name, checksum, expected)
VALUES ({set}, {version}, {phase}, {name}, {checksum}, {expected})
ON CONFLICT (set_name, version, phase) DO UPDATE
SET name = excluded.name, checksum = excluded.checksum, expected = excluded.expected, state = 'running', pass = 1,
    changed = 0, reason = NULL, started_at = pg_catalog.clock_timestamp(), finished_at = NULL
WHERE b.checksum <> excluded.checksum OR b.state = 'done'
RETURNING true AS anew;
