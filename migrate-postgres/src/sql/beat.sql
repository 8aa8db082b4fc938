-- One instance of a set looks who else is there: the first by name of those that were alive before.
WITH beat AS (
    INSERT INTO {instance} AS i (id, set_name, build, host, login, application, client, capabilities, contracts,
        started_at, seen_at, expires_at)
    SELECT {id}, {set}, {build}, {host}, session_user, pg_catalog.current_setting('application_name'),
        pg_catalog.inet_client_addr(), ARRAY[{capabilities}]::text[], ARRAY[{contracts}]::bigint[],
        n.now, n.now, n.now + {lasts}
    FROM (SELECT pg_catalog.clock_timestamp() AS now) n
    ON CONFLICT (id) DO UPDATE SET login = excluded.login, application = excluded.application,
        client = excluded.client, seen_at = excluded.seen_at, expires_at = excluded.expires_at
), looking AS MATERIALIZED (
    SELECT pg_catalog.min(i.id) = {id} AS ours FROM {instance} i
    WHERE i.set_name = {set} AND i.expires_at > pg_catalog.clock_timestamp()
), gone AS (
    DELETE FROM {instance} i
    WHERE (SELECT l.ours FROM looking l) AND i.expires_at < pg_catalog.clock_timestamp() - '1 day'::pg_catalog.interval
)
INSERT INTO {stranger} AS s (login, application, first_seen, seen_at)
SELECT a.usename, a.application_name, pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp()
FROM pg_catalog.pg_stat_activity a
WHERE (SELECT l.ours FROM looking l)
    AND a.datname = pg_catalog.current_database() AND a.usename IS NOT NULL AND a.leader_pid IS NULL
    AND coalesce(a.backend_type, 'client backend') = 'client backend'
    AND a.application_name NOT LIKE 'migrate %'
    AND NOT EXISTS (
        SELECT FROM {instance} i
        WHERE i.login = a.usename AND i.application = a.application_name
            AND i.expires_at > pg_catalog.clock_timestamp()
    )
GROUP BY a.usename, a.application_name
ON CONFLICT (login, application) DO UPDATE SET seen_at = excluded.seen_at
