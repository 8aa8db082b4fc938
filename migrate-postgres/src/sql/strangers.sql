-- Of whoever is there, a server says to everybody as whom and under which name; what kind of session it is and where
-- from, only to those who may read all statistics. Whoever was seen before and is gone had no address to keep.
WITH alive AS MATERIALIZED (
    SELECT i.login, i.application, i.client FROM {instance} i WHERE i.expires_at > pg_catalog.clock_timestamp()
), here AS MATERIALIZED (
    SELECT a.usename::text AS login, a.application_name AS application, count(*) AS sessions
    FROM pg_catalog.pg_stat_activity a
    WHERE a.datname = pg_catalog.current_database() AND a.backend_type = 'client backend'
        AND a.pid <> pg_catalog.pg_backend_pid() AND a.application_name NOT LIKE 'migrate %'
        AND NOT EXISTS (
            SELECT FROM alive i
            WHERE i.login = a.usename AND i.application = a.application_name
                AND i.client IS NOT DISTINCT FROM a.client_addr
        )
    GROUP BY a.usename, a.application_name
), before AS (
    SELECT s.login, s.application,
        extract(epoch FROM pg_catalog.clock_timestamp() - s.seen_at)::bigint AS gone_s
    FROM {stranger} s
    WHERE s.seen_at > pg_catalog.clock_timestamp() - {soak}
        AND NOT EXISTS (SELECT FROM alive i WHERE i.login = s.login AND i.application = s.application)
        AND NOT EXISTS (SELECT FROM here h WHERE h.login = s.login AND h.application = s.application)
)
SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    pg_catalog.quote_ident(current_user) AS role, f.*
FROM (SELECT) one LEFT JOIN (
    SELECT h.login, h.application, h.sessions, NULL::bigint AS gone_s FROM here h
    UNION ALL SELECT b.login, b.application, 0, b.gone_s FROM before b
) f ON true
ORDER BY f.login, f.application
