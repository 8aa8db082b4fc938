SELECT a.pid, a.usename::text AS role, a.application_name AS application,
    (extract(epoch FROM pg_catalog.clock_timestamp() - a.backend_start) * 1000)::bigint AS session_ms,
    CASE WHEN a.state = 'active' THEN a.query END AS statement,
    CASE WHEN a.state = 'active' THEN
        (extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start) * 1000)::bigint
    END AS elapsed_ms
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    AND l.classid = {key_high} AND l.objid = {key_low}
LIMIT 1
