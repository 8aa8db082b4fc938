SELECT current_user::text AS worker, session_user::text AS login,
    (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS is_superuser,
    count(*) AS clients,
    count(*) FILTER (
        WHERE a.usename = session_user AND pg_catalog.pg_has_role(session_user, current_user, 'USAGE')
    ) AS served
FROM pg_catalog.pg_stat_activity a
WHERE a.datname = pg_catalog.current_database() AND a.usename IS NOT NULL AND a.leader_pid IS NULL
    AND a.pid <> pg_catalog.pg_backend_pid()
    AND a.application_name NOT LIKE 'migrate %' AND a.application_name <> 'psql'
    -- The pool that a migrator was called with is no traffic yet: same program, same place.
    AND (a.application_name <> {application} OR a.client_addr IS DISTINCT FROM pg_catalog.inet_client_addr())
