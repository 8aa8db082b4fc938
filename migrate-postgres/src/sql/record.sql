INSERT INTO {history} (set_name, seq, version, phase, name, kind, direction, state, statement, checksum,
    up_sql, down_sql, started_at, finished_at, login, role, application, host, build, library, reason)
VALUES ({set}, CASE WHEN pg_catalog.pg_try_advisory_xact_lock({key}) THEN {seq} END, {version}, {phase}, {name},
    {kind}, {direction}, {state}, {statement}, {checksum}, {up_sql}, {down_sql},
    pg_catalog.statement_timestamp(), pg_catalog.clock_timestamp(), session_user, {role},
    {application}, {host}, {build}, {library}, {reason})
RETURNING seq AS migrate_recorded, pg_catalog.pg_backend_pid() AS migrate_backend;
