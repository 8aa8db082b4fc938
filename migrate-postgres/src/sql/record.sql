INSERT INTO {history} (set_name, seq, version, phase, name, kind, direction, state, statement, checksum,
    up_sql, down_sql, started_at, finished_at, login, role, application, host, build, library, reason)
VALUES
{rows}
RETURNING seq AS migrate_recorded, pg_catalog.pg_backend_pid() AS migrate_backend;
