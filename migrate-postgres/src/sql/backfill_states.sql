SELECT b.version, b.phase, b.name, b.state, b.wanted, b.reason, b.limits, b.pass, b.expected, b.changed + r.changed AS changed,
    r.seen, r.batches, r.ranges, r.done, r.holes, r.holders, l.limited_by, l.why,
    pg_catalog.to_char(l.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
    (extract(epoch FROM pg_catalog.clock_timestamp() - l.updated_at) * 1000)::bigint AS idle_ms
FROM {backfill} b
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT r.is_hole) AS ranges, count(*) FILTER (WHERE r.done AND NOT r.is_hole) AS done,
        count(*) FILTER (WHERE r.is_hole AND NOT r.done) AS holes, coalesce(sum(r.seen), 0) AS seen,
        coalesce(sum(r.changed), 0) AS changed, coalesce(sum(r.batches), 0) AS batches,
        string_agg(DISTINCT r.holder, ', ') FILTER (
            WHERE NOT r.done AND r.expires_at >= pg_catalog.clock_timestamp()
                AND EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = r.backend)
        ) AS holders
    FROM {range} r WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
) r
LEFT JOIN LATERAL (
    SELECT r.limited_by, r.why, r.updated_at FROM {range} r
    WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase ORDER BY r.updated_at DESC LIMIT 1
) l ON true
WHERE b.set_name = {set}
ORDER BY b.version, b.phase
