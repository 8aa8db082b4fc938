-- When a wait began, a server says since PostgreSQL 14; before it, when the statement that waits did.
SELECT w.pid, pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(w.pid), ',') AS behind,
    a.usename::text AS role, a.application_name AS application,
    (extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(w.since, a.query_start)) * 1000)::bigint AS waited_ms,
    CASE WHEN a.query IS DISTINCT FROM '<insufficient privilege>' THEN a.query END AS statement
FROM (
    SELECT l.pid, min((pg_catalog.to_jsonb(l) ->> 'waitstart')::timestamptz) AS since
    FROM pg_catalog.pg_locks l WHERE NOT l.granted AND l.pid IS NOT NULL GROUP BY l.pid
) w
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
ORDER BY waited_ms DESC NULLS LAST, w.pid
