a.usename::text AS role, coalesce(p.gid, a.application_name) AS application,
    CASE
        WHEN p.gid IS NOT NULL THEN 'prepared'
        WHEN a.backend_type = 'autovacuum worker' AND a.query LIKE '%(to prevent wraparound)' THEN 'wraparound'
        WHEN a.backend_type = 'autovacuum worker' OR a.pid IS NOT NULL AND a.usesysid IS NULL THEN 'autovacuum'
        WHEN b.command LIKE '%CONCURRENTLY' THEN 'build'
        WHEN a.state LIKE 'idle in transaction%' THEN 'idle'
        ELSE 'session'
    END AS kind,
    (extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(p.prepared, a.xact_start)) * 1000)::bigint AS age_ms,
    CASE WHEN a.query IS DISTINCT FROM '<insufficient privilege>' THEN a.query END AS statement
